//! What a hook and a server say to each other on the local socket.
//!
//! A hook sends requests, each answered by one reply, on a connection that it
//! may use again. A server reads the whole request before it replies: what it
//! says to a half-read one may not arrive.

use countersign_core::mode::ApprovalMode;
use countersign_core::trace::TraceContext;
use serde::{Deserialize, Serialize};

use crate::frame::encode;
pub use crate::frame::{
    Decoder, Frame, FrameError, LENGTHS_BYTES, Lengths, MAX_HEADER_BYTES, MAX_PAYLOAD_BYTES,
};
use crate::instance::ServerInstance;

/// The protocol that this version speaks.
pub const PROTOCOL: u32 = 1;

/// A hook's question. Its payload is the agent's JSON, byte for byte.
///
/// Nothing in it is believed about who asks: that is the kernel's word
/// ([`crate::peer`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// [`PROTOCOL`] of the hook.
    pub protocol: u32,
    /// The key of the instance that the hook means.
    pub server: String,
    /// The hook's version of countersign.
    pub version: String,
    /// The agent's name, as on the hook's command line.
    pub agent: String,
    /// The event's name, as on the hook's command line.
    pub event: String,
    /// How long the hook will wait, in milliseconds.
    pub remaining_ms: u64,
    /// A mode that may only make the answer stricter: another server has it in
    /// force at this place.
    pub tighten: Option<ApprovalMode>,
    /// The agent's trace, in W3C's form: where spans hang. It has no authority,
    /// and what is none is as if it were not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The process below its own that a proxy speaks for; a hook speaks for the
    /// one above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaks_for: Option<u32>,
    /// The PATH in the hook's environment, which is its agent's, as far as it is
    /// looked at. It can only make the answer stricter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_path: Option<String>,
    /// The name of the user's shell, as the hook's environment says. It can only
    /// make the answer stricter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
}

impl Request {
    /// The agent's trace, if what the hook says is one.
    #[must_use]
    pub fn trace_context(&self) -> Option<TraceContext> {
        self.traceparent.as_ref()?.parse().ok()
    }
}

/// A server's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// What the hook does, exactly.
    Answer {
        /// Its exit status.
        exit: i32,
        /// What it prints.
        stdout: String,
        /// What it says on standard error.
        stderr: String,
    },
    /// The session belongs to this server; ask there.
    Elsewhere {
        /// The server that owns the session.
        instance: ServerInstance,
    },
    /// Nothing was decided: the hook may decide by itself.
    Refused {
        /// Why, for people.
        reason: String,
    },
}

/// The header of a reply. The texts of an answer are its payload, because they
/// may be longer than a header.
#[derive(Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
enum ReplyHeader {
    Answer {
        exit: i32,
        /// How many bytes of the payload are standard output; the rest is
        /// standard error.
        stdout_bytes: usize,
    },
    Elsewhere {
        instance: ServerInstance,
    },
    Refused {
        reason: String,
    },
}

#[derive(Deserialize)]
struct AnyRequest {
    protocol: u32,
}

/// The bytes of a request.
///
/// # Errors
/// When a part of it is too long.
pub fn encode_request(request: &Request, payload: &[u8]) -> Result<Vec<u8>, FrameError> {
    encode(&json(request)?, &[payload])
}

/// The bytes of a reply.
///
/// # Errors
/// When a part of it is too long.
pub fn encode_reply(reply: &Reply) -> Result<Vec<u8>, FrameError> {
    match reply {
        Reply::Answer {
            exit,
            stdout,
            stderr,
        } => {
            let header = ReplyHeader::Answer {
                exit: *exit,
                stdout_bytes: stdout.len(),
            };
            encode(&json(&header)?, &[stdout.as_bytes(), stderr.as_bytes()])
        }
        Reply::Elsewhere { instance } => {
            let instance = instance.clone();
            encode(&json(&ReplyHeader::Elsewhere { instance })?, &[])
        }
        Reply::Refused { reason } => {
            let reason = reason.clone();
            encode(&json(&ReplyHeader::Refused { reason })?, &[])
        }
    }
}

/// Understands the header of a request; its payload is the agent's.
///
/// # Errors
/// [`FrameError::Protocol`] if the hook speaks another protocol, whatever else
/// it says; [`FrameError::Header`] if it is no request.
pub fn parse_request(header: &[u8]) -> Result<Request, FrameError> {
    let parsed = serde_json::from_slice::<Request>(header);
    let protocol = match &parsed {
        Ok(request) => Some(request.protocol),
        Err(_) => serde_json::from_slice::<AnyRequest>(header)
            .ok()
            .map(|request| request.protocol),
    };
    match protocol {
        Some(other) if other != PROTOCOL => Err(FrameError::Protocol(other)),
        _ => parsed.map_err(|error| FrameError::Header(crate::json::problem(&error))),
    }
}

/// Understands a reply.
///
/// # Errors
/// When it is none.
pub fn parse_reply(frame: Frame) -> Result<Reply, FrameError> {
    let header = serde_json::from_slice(&frame.header)
        .map_err(|error| FrameError::Header(crate::json::problem(&error)))?;
    let empty = frame.payload.is_empty();
    match header {
        ReplyHeader::Answer { exit, stdout_bytes } => {
            let (stdout, stderr) = frame
                .payload
                .split_at_checked(stdout_bytes)
                .ok_or(FrameError::Payload("is shorter than announced"))?;
            Ok(Reply::Answer {
                exit,
                stdout: text(stdout)?,
                stderr: text(stderr)?,
            })
        }
        ReplyHeader::Elsewhere { instance } if empty => Ok(Reply::Elsewhere { instance }),
        ReplyHeader::Refused { reason } if empty => Ok(Reply::Refused { reason }),
        ReplyHeader::Elsewhere { .. } | ReplyHeader::Refused { .. } => {
            Err(FrameError::Payload("should be empty"))
        }
    }
}

fn text(bytes: &[u8]) -> Result<String, FrameError> {
    std::str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|_| FrameError::Payload("is not UTF-8"))
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    serde_json::to_vec(value).map_err(|error| FrameError::Header(crate::json::problem(&error)))
}

#[cfg(test)]
mod tests {
    use countersign_core::search_path;
    use countersign_core::state::ProcessId;
    use proptest::prelude::*;

    use super::*;

    const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn request() -> Request {
        Request {
            protocol: PROTOCOL,
            server: "0".repeat(32),
            version: "0.1.0".to_owned(),
            agent: "claude-code".to_owned(),
            event: "PreToolUse".to_owned(),
            remaining_ms: 28_000,
            tighten: Some(ApprovalMode::Default),
            traceparent: Some(TRACEPARENT.to_owned()),
            speaks_for: None,
            search_path: Some("/usr/bin:/bin".to_owned()),
            shell: Some("/bin/zsh".to_owned()),
        }
    }

    #[test]
    fn every_path_that_is_looked_at_fits_into_a_header() {
        let path = "\u{1}".repeat(search_path::MOST_BYTES);
        let request = Request {
            search_path: Some(path),
            ..request()
        };
        assert!(encode_request(&request, b"{}").is_ok());
    }

    fn frame(bytes: &[u8]) -> Frame {
        let mut decoder = Decoder::default();
        decoder.feed(bytes);
        let frame = decoder.take().unwrap().unwrap();
        assert!(decoder.is_empty());
        frame
    }

    #[test]
    fn a_request_arrives_as_it_was_sent() {
        let payload = b"{\"tool\":\0\xff";
        let frame = frame(&encode_request(&request(), payload).unwrap());
        assert_eq!(parse_request(&frame.header), Ok(request()));
        assert_eq!(frame.payload, payload);
    }

    #[test]
    fn every_reply_arrives_as_it_was_sent() {
        let instance = ServerInstance {
            process: ProcessId {
                pid: 1,
                start: 2,
                boot: "b".to_owned(),
            },
            key: "a".repeat(32),
        };
        for reply in [
            Reply::Answer {
                exit: 2,
                stdout: "{}\n".repeat(100_000),
                stderr: "blocked é".to_owned(),
            },
            Reply::Elsewhere { instance },
            Reply::Refused {
                reason: "no owner".to_owned(),
            },
        ] {
            assert_eq!(
                parse_reply(frame(&encode_reply(&reply).unwrap())),
                Ok(reply)
            );
        }
    }

    #[test]
    fn another_protocol_is_told_from_nonsense() {
        for (header, error) in [
            (
                r#"{"protocol":2,"new":true}"#,
                Some(FrameError::Protocol(2)),
            ),
            (r#"{"protocol":1}"#, None),
            (r#"{"protocol":-1}"#, None),
            ("[]", None),
            ("", None),
        ] {
            let found = parse_request(header.as_bytes()).unwrap_err();
            match error {
                Some(error) => assert_eq!(found, error, "{header}"),
                None => assert!(matches!(found, FrameError::Header(_)), "{header}"),
            }
        }
        let unknown_mode = serde_json::to_string(&request())
            .unwrap()
            .replace("\"default\"", "\"looser\"");
        assert!(matches!(
            parse_request(unknown_mode.as_bytes()),
            Err(FrameError::Header(_))
        ));
    }

    #[test]
    fn a_field_of_a_later_version_is_no_error() {
        let later = serde_json::to_string(&request())
            .unwrap()
            .replacen('{', "{\"later\":[1],", 1);
        assert_eq!(parse_request(later.as_bytes()), Ok(request()));
    }

    #[test]
    fn a_trace_that_is_none_is_no_error_and_no_trace() {
        let given = serde_json::to_string(&request()).unwrap();
        let without = given.replace(&format!(",\"traceparent\":\"{TRACEPARENT}\""), "");
        assert_ne!(given, without);
        let parsed = parse_request(without.as_bytes()).unwrap();
        assert_eq!(parsed.trace_context(), None);
        let wrong = given.replace("00-0af", "zz-0af");
        let parsed = parse_request(wrong.as_bytes()).unwrap();
        assert_eq!(parsed.trace_context(), None);
        let context = request().trace_context().unwrap();
        assert_eq!(context.to_string(), TRACEPARENT);
    }

    #[test]
    fn a_reply_whose_parts_do_not_fit_is_none() {
        for (header, payload) in [
            (
                r#"{"reply":"answer","exit":0,"stdout_bytes":3}"#,
                &b"ab"[..],
            ),
            (
                r#"{"reply":"answer","exit":0,"stdout_bytes":1}"#,
                "é".as_bytes(),
            ),
            (r#"{"reply":"answer","exit":0,"stdout_bytes":1}"#, b"a\xff"),
            (r#"{"reply":"answer","exit":0}"#, b""),
            (r#"{"reply":"refused","reason":"x"}"#, b"a"),
            (r#"{"reply":"allowed"}"#, b""),
        ] {
            let frame = Frame {
                header: header.as_bytes().to_vec(),
                payload: payload.to_vec(),
            };
            assert!(parse_reply(frame).is_err(), "{header}");
        }
    }

    #[test]
    fn a_problem_repeats_nothing_of_the_text() {
        let error = parse_request(br#"{"protocol":"EVIL WORDS"}"#).unwrap_err();
        assert!(!error.to_string().contains("EVIL"), "{error}");
    }

    proptest! {
        #[test]
        fn random_headers_never_panic(header in prop::collection::vec(any::<u8>(), 0..200), payload in prop::collection::vec(any::<u8>(), 0..50)) {
            let _ = parse_request(&header);
            let _ = parse_reply(Frame { header, payload });
        }

        #[test]
        fn an_answer_cut_anywhere_is_whole_or_refused(stdout_bytes in any::<usize>(), payload in ".{0,40}") {
            let header = format!(r#"{{"reply":"answer","exit":0,"stdout_bytes":{stdout_bytes}}}"#).into_bytes();
            let parsed = parse_reply(Frame { header, payload: payload.clone().into_bytes() });
            if let Ok(Reply::Answer { stdout, stderr, .. }) = parsed {
                prop_assert_eq!(stdout + &stderr, payload);
            }
        }
    }
}
