//! What a line is, read so that no other reader can see another message in it.
//!
//! The proxy decides by what it reads and others act by what they read: a line
//! in which two parsers may find different things is refused. The outermost
//! object is read strictly; what is inside of a message that is only passed on
//! is not looked at.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The fields of a message.
const FIELDS: &[&str] = &["jsonrpc", "id", "method", "params", "result", "error"];

/// The longest id that is a string, in bytes.
const MOST_ID: usize = 256;

/// The largest whole number that every reader takes for exactly this one.
const MOST_EXACT: i64 = 9_007_199_254_740_991;

/// Why a line is passed on to nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// No JSON at all.
    #[error("it is not one line of plain JSON ({0})")]
    NotJson(String),
    /// Several messages at once.
    #[error("it is a batch; send one message a line")]
    Batch,
    /// JSON, and no message.
    #[error("it is no object")]
    NoObject,
    /// Two readings.
    #[error("it can be read in two ways: {0}")]
    Ambiguous(String),
    /// An id that is none.
    #[error("its id is no string of at most {MOST_ID} bytes and no exact whole number")]
    BadId,
    /// Nothing that the protocol has.
    #[error("it is no request, notification or response")]
    NoMessage,
}

/// The id of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Id {
    /// As it is written.
    pub(crate) raw: String,
    /// What it is known by: the same for 7 and "7", which not every reader
    /// tells apart.
    pub(crate) key: String,
}

impl Id {
    /// An id of our own.
    pub(crate) fn own(text: &str) -> Self {
        Self {
            raw: Value::from(text).to_string(),
            key: text.to_owned(),
        }
    }

    fn read(raw: &RawValue) -> Result<Self, Refusal> {
        let text = raw.get();
        let key = if text.starts_with('"') {
            serde_json::from_str::<String>(text)
                .ok()
                .filter(|id| id.len() <= MOST_ID)
        } else {
            // No fraction, no exponent, no second way to write it.
            text.parse::<i64>()
                .ok()
                .filter(|id| id.to_string() == text && id.abs() <= MOST_EXACT)
                .map(|id| id.to_string())
        };
        Ok(Self {
            raw: text.to_owned(),
            key: key.ok_or(Refusal::BadId)?,
        })
    }
}

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It wants a response.
    Request { id: Id, method: String },
    /// It wants none.
    Notification { method: String },
    /// The response to a request; an error about an unreadable one has no id.
    Response { id: Option<Id>, is_error: bool },
}

/// A message: what it is, and its parts as they are written.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub(crate) kind: Kind,
    params: Option<&'a RawValue>,
    result: Option<&'a RawValue>,
}

impl<'a> Message<'a> {
    /// Reads a line.
    pub(crate) fn read(line: &'a [u8]) -> Result<Self, Refusal> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // Some readers end a line here, and what is left may be a message.
        if line.contains(&b'\r') {
            return Err(Refusal::Ambiguous("a carriage return is inside".to_owned()));
        }
        let fields = match serde_json::from_slice(line) {
            Ok(Fields(fields)) => fields,
            Err(error) => return Err(refusal(line, &error)),
        };
        for name in fields.keys() {
            if let Some(known) = lookalike(name, FIELDS) {
                return Err(Refusal::Ambiguous(format!("a field looks like `{known}`")));
            }
        }
        let get = |name: &str| fields.get(name).copied();
        let id = match get("id") {
            Some(raw) if raw.get() == "null" => None,
            Some(raw) => Some(Id::read(raw)?),
            None => None,
        };
        let is_null_id = id.is_none() && get("id").is_some();
        let has_result = get("result").is_some();
        let has_error = get("error").is_some();
        let kind = match get("method") {
            Some(_) if has_result || has_error => {
                let why = "it is a request and a response at once".to_owned();
                return Err(Refusal::Ambiguous(why));
            }
            Some(method) => {
                let method =
                    serde_json::from_str::<String>(method.get()).map_err(|_| Refusal::NoMessage)?;
                match id {
                    Some(id) => Kind::Request { id, method },
                    None if is_null_id => return Err(Refusal::BadId),
                    None => Kind::Notification { method },
                }
            }
            None if has_result && has_error => {
                let why = "it is a success and a failure at once".to_owned();
                return Err(Refusal::Ambiguous(why));
            }
            None if has_result || has_error => Kind::Response {
                id,
                is_error: has_error,
            },
            None => return Err(Refusal::NoMessage),
        };
        Ok(Self {
            kind,
            params: get("params"),
            result: get("result"),
        })
    }

    /// The parameters, read strictly.
    ///
    /// # Errors
    /// In plain words.
    pub(crate) fn params(&self) -> Result<Value, String> {
        strict(self.params)
    }

    /// The result, read strictly.
    ///
    /// # Errors
    /// In plain words.
    pub(crate) fn result(&self) -> Result<Value, String> {
        strict(self.result)
    }

    /// Parts of the parameters that are objects in objects, as they are
    /// written: `["update", "rawInput"]` is `params.update.rawInput`. None where
    /// there is none, or where it can be read in two ways.
    pub(crate) fn part(&self, path: &[&str]) -> Option<&'a RawValue> {
        let mut found = self.params?;
        for name in path {
            let Fields(fields) = serde_json::from_str(found.get()).ok()?;
            found = fields.get(*name).copied()?;
        }
        Some(found)
    }
}

/// A part of a message, where every reader finds the same in it.
///
/// # Errors
/// In plain words.
pub(crate) fn value(part: &RawValue) -> Result<Value, String> {
    let text = part.get();
    if text.starts_with('{') {
        return countersign_agents::acp::object(text.as_bytes())
            .map(Value::Object)
            .map_err(|error| error.to_string());
    }
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn strict(part: Option<&RawValue>) -> Result<Value, String> {
    match part {
        None => Ok(Value::Null),
        Some(part) => value(part),
    }
}

/// Why a line is none.
fn refusal(line: &[u8], error: &serde_json::Error) -> Refusal {
    if error.classify() == serde_json::error::Category::Data {
        let begins = line.iter().find(|byte| !byte.is_ascii_whitespace());
        return match begins {
            Some(b'{') => Refusal::Ambiguous("a field stands twice".to_owned()),
            Some(b'[') => Refusal::Batch,
            _ => Refusal::NoObject,
        };
    }
    Refusal::NotJson(error.to_string())
}

/// The known name that another one can be taken for by a reader who does not
/// mind upper and lower case.
pub(crate) fn lookalike(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let folded = fold(name);
    known
        .iter()
        .find(|known| **known != name && fold(known) == folded)
        .copied()
}

/// A name as a reader sees it that does not mind case, blanks and what is not
/// visible.
pub(crate) fn fold(name: &str) -> String {
    name.chars()
        .filter(|character| !character.is_whitespace() && !character.is_control())
        // Upper case first: a long s and a Kelvin sign are letters like others.
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

/// The fields of an object, each once.
struct Fields<'a>(HashMap<String, &'a RawValue>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = HashMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value::<&'de RawValue>()?;
            if fields.insert(name, value).is_some() {
                return Err(A::Error::custom("a field stands twice"));
            }
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(line: &str) -> Result<Kind, Refusal> {
        Message::read(line.as_bytes()).map(|message| message.kind)
    }

    #[test]
    fn messages_are_what_they_say() {
        let request = kind("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"a/b\",\"params\":{}}\r\n");
        let Ok(Kind::Request { id, method }) = request else {
            panic!("{request:?}");
        };
        assert_eq!((id.key.as_str(), method.as_str()), ("7", "a/b"));
        assert_eq!(
            kind(" { \"method\" : \"x\" } \n"),
            Ok(Kind::Notification {
                method: "x".to_owned()
            })
        );
        let response = kind(r#"{"id":"a","result":null}"#);
        assert!(matches!(
            response,
            Ok(Kind::Response {
                id: Some(_),
                is_error: false
            })
        ));
        let response = kind(r#"{"id":null,"error":{}}"#);
        assert!(matches!(
            response,
            Ok(Kind::Response {
                id: None,
                is_error: true
            })
        ));
    }

    #[test]
    fn a_method_is_known_however_its_letters_are_written() {
        let escaped = kind(r#"{"\u006dethod":"fs\/write\u005ftext_file","id":1}"#);
        assert!(
            matches!(&escaped, Ok(Kind::Request { method, .. }) if method == "fs/write_text_file"),
            "{escaped:?}"
        );
    }

    #[test]
    fn what_two_readers_may_read_differently_is_refused() {
        for line in [
            r#"[{"id":1,"method":"a"}]"#,
            r#"{"id":1,"method":"a","method":"b"}"#,
            r#"{"id":1,"method":"a","\u006dethod":"b"}"#,
            r#"{"id":1,"method":"a","Method":"b"}"#,
            r#"{"id":1,"method":"a","METHOD ":"b"}"#,
            "{\"id\":1,\"method\":\"a\",\"param\u{17f}\":{}}",
            r#"{"id":1,"method":"a","result":{}}"#,
            r#"{"id":1,"result":{},"error":{}}"#,
            r#"{"id":1,"method":"a"}{"id":2,"method":"b"}"#,
            "{\"x\":[\r{\"id\":2,\"method\":\"b\"}\r],\"id\":1,\"method\":\"a\"}",
            "\u{feff}{\"id\":1,\"method\":\"a\"}",
            r#"{'id':1,'method':'a'}"#,
            r#"{"id":1,"method":"a"} // more"#,
            r#"{"id":1,"method":"\ud800"}"#,
            r#"{"id":1,"method":7}"#,
            r#"{"id":null,"method":"a"}"#,
            r#"{"id":1.0,"method":"a"}"#,
            r#"{"id":1e0,"method":"a"}"#,
            r#"{"id":-0,"method":"a"}"#,
            r#"{"id":9007199254740993,"method":"a"}"#,
            r#"{"id":{},"method":"a"}"#,
            r#"{"id":1}"#,
            "7",
            "Starting agent...",
            "{\"id\":1,\"method\":\"a\",\"params\":{\"a\":\"\u{1}\"}}",
        ] {
            assert!(kind(line).is_err(), "{line}");
        }
        assert!(Message::read(b"{\"method\":\"a\",\"params\":\"\xff\"}").is_err());
    }

    #[test]
    fn what_is_only_passed_on_may_hold_whatever_json_can() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for inside in [
            r#""\ud83d""#,
            "1e999",
            "123456789012345678901234567890",
            &deep,
        ] {
            let line = format!(r#"{{"method":"a","params":{{"x":{inside}}}}}"#);
            assert!(kind(&line).is_ok());
        }
    }

    #[test]
    fn parts_are_found_where_they_stand() {
        let line = br#"{"method":"a","params":{"update":{"rawInput":{"a":1},"b":"\ud800"}}}"#;
        let message = Message::read(line).unwrap();
        let part = message.part(&["update", "rawInput"]).unwrap();
        assert_eq!(value(part), Ok(serde_json::json!({ "a": 1 })));
        assert!(message.part(&["update", "none"]).is_none());
        assert!(message.params().is_err());
    }

    #[test]
    fn an_id_is_the_same_in_every_spelling_that_somebody_takes_for_it() {
        let id = |line: &str| match kind(line) {
            Ok(Kind::Request { id, .. }) => id.key,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            id(r#"{"id":7,"method":"a"}"#),
            id(r#"{"id":"7","method":"a"}"#)
        );
    }
}
