//! Names of documents: files by their paths, sessions by a scheme of ours.
//!
//! Editors write the same URI in several ways (Visual Studio Code decodes and
//! encodes anew, and makes a slash of `%2F`), so that documents are compared as
//! [`Target`]s and never as URIs.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_core::call::SessionKey;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tower_lsp::lsp_types::Url;

/// What of a session's id is written as escapes: all but RFC 3986's
/// unreserved characters.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The scheme of our documents.
const SCHEME: &str = "countersign";

/// A document that something is drawn in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// The document of a root session.
    Session(SessionKey),
    /// A file.
    File(Utf8PathBuf),
}

impl Target {
    /// The document that an editor's URI means, if it is one of these.
    pub(crate) fn of(uri: &Url) -> Option<Self> {
        parse(uri)
            .map(Self::Session)
            .or_else(|| to_path(uri).map(Self::File))
    }

    /// The URI as it is written to editors; none for a relative path.
    pub(crate) fn uri(&self) -> Option<Url> {
        match self {
            Self::Session(key) => session(key),
            Self::File(path) => file(path),
        }
    }
}

/// The document of a session: that of the root, for a sub-agent too.
pub(crate) fn session_text(key: &SessionKey) -> String {
    let id = utf8_percent_encode(&key.session, ESCAPED);
    match key.session.as_str() {
        // As segments of a path these have a meaning, escaped or not.
        "." | ".." => format!("{SCHEME}:/session/{}/-?id={id}", key.agent),
        _ => format!("{SCHEME}:/session/{}/{id}", key.agent),
    }
}

/// The same, parsed. There is one for every session; a test tries many.
pub(crate) fn session(key: &SessionKey) -> Option<Url> {
    Url::parse(&session_text(key)).ok()
}

/// The root session of a document; none for other documents.
pub(crate) fn parse(uri: &Url) -> Option<SessionKey> {
    if uri.scheme() != SCHEME || uri.has_host() {
        return None;
    }
    let (agent, id) = uri.path().strip_prefix("/session/")?.split_once('/')?;
    let id = match (id, uri.query()) {
        ("-", Some(query)) => query.strip_prefix("id=")?,
        (id, _) => id,
    };
    Some(SessionKey {
        agent: agent.parse::<Agent>().ok()?,
        session: percent_decode_str(id).decode_utf8().ok()?.into_owned(),
        subagent: None,
    })
}

/// The URI of a file; none for a relative path.
pub(crate) fn file(path: &Utf8Path) -> Option<Url> {
    Url::from_file_path(path).ok()
}

/// The path of a file's URI; none for other documents.
pub(crate) fn to_path(uri: &Url) -> Option<Utf8PathBuf> {
    if uri.scheme() != "file" {
        return None;
    }
    Utf8PathBuf::from_path_buf(uri.to_file_path().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(session: &str) -> SessionKey {
        SessionKey {
            agent: Agent::ClaudeCode,
            session: session.to_owned(),
            subagent: None,
        }
    }

    #[test]
    fn a_session_is_named_by_agent_and_id() {
        assert_eq!(
            session(&key("6f1c-a.b")).unwrap().as_str(),
            "countersign:/session/claude-code/6f1c-a.b"
        );
        assert_eq!(
            session(&key("a/b %2F#?")).unwrap().as_str(),
            "countersign:/session/claude-code/a%2Fb%20%252F%23%3F"
        );
    }

    #[test]
    fn a_sub_agent_is_shown_in_the_document_of_its_session() {
        let sub_agent = SessionKey {
            subagent: Some("worker".to_owned()),
            ..key("s")
        };
        assert_eq!(session(&sub_agent), session(&key("s")));
    }

    #[test]
    fn a_slash_that_an_editor_decoded_is_still_the_same_session() {
        let decoded = Url::parse("countersign:/session/claude-code/a/b").unwrap();
        assert_eq!(parse(&decoded), Some(key("a/b")));
        let lower = Url::parse("countersign:/session/claude-code/a%2fb").unwrap();
        assert_eq!(parse(&lower), Some(key("a/b")));
    }

    #[test]
    fn other_documents_are_no_sessions() {
        for text in [
            "countersign:/session/unknown-agent/x",
            "countersign:/session",
            "countersign://host/session/qwen/x",
            "countersign:/other/qwen/x",
            "file:///session/qwen/x",
            "countersign:/session/qwen/%ff",
        ] {
            assert_eq!(parse(&Url::parse(text).unwrap()), None, "{text}");
        }
    }

    #[test]
    fn a_file_keeps_its_name() {
        let path = Utf8Path::new("/w/a b/ü%20#?.rs");
        let uri = file(path).unwrap();
        assert_eq!(to_path(&uri).as_deref(), Some(path));
        assert_eq!(file(Utf8Path::new("relative")), None);
        assert_eq!(to_path(&Url::parse("untitled:x").unwrap()), None);
    }

    proptest! {
        #[test]
        fn every_session_id_comes_back(id in "\\PC{0,40}|\\.{0,4}|[/%.#?:\\\\]{0,12}|(?s).{0,12}") {
            let key = key(&id);
            prop_assert_eq!(parse(&session(&key).unwrap()), Some(key.clone()));
            prop_assert_eq!(Target::of(&session(&key).unwrap()), Some(Target::Session(key)));
        }
    }
}
