//! What a hook's own words mean. Only a whole, valid, explicit answer is one.

use countersign_core::redact;
use serde::Deserialize;

/// How much of what a hook says is shown, in bytes.
const MOST_SHOWN: usize = 1_000;

/// What a hook said to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing: whoever else is asked answers.
    Nothing,
    /// The call may run.
    Allow,
    /// It must not; perhaps with a reason for the agent.
    Deny(Option<String>),
}

#[derive(Deserialize)]
struct Reply {
    decision: Option<Decision>,
    message: Option<String>,
    reason: Option<String>,
    #[serde(rename = "hookSpecificOutput")]
    specific: Option<Specific>,
}

#[derive(Deserialize)]
struct Specific {
    #[serde(rename = "hookEventName")]
    event: Option<String>,
    decision: Option<Decision>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Decision {
    Word(String),
    Whole {
        behavior: String,
        message: Option<String>,
        #[serde(rename = "updatedInput")]
        updated_input: Option<Present>,
    },
}

/// Something that is there, whatever it is.
struct Present;

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// Reads the answer of a hook on `PermissionRequest` that ended well.
///
/// # Errors
/// Why what it said is no answer.
pub(crate) fn read(said: &[u8]) -> Result<Verdict, String> {
    let said = said.trim_ascii();
    // Other programs print what they did.
    if said.first() != Some(&b'{') {
        return Ok(Verdict::Nothing);
    }
    let reply: Reply = serde_json::from_slice(said)
        .map_err(|_| "what it said is not an answer that a hook can give".to_owned())?;
    let above = reply.message.or(reply.reason);
    let mut verdicts = Vec::new();
    if let Some(decision) = reply.decision {
        verdicts.push(verdict(decision, above.clone())?);
    }
    if let Some(specific) = reply.specific {
        if specific
            .event
            .is_some_and(|event| event != "PermissionRequest")
        {
            return Err("what it said is the answer to another event".to_owned());
        }
        if let Some(decision) = specific.decision {
            verdicts.push(verdict(decision, above)?);
        }
    }
    // Said twice, the no counts.
    let is_no = |verdict: &Verdict| matches!(verdict, Verdict::Deny(_));
    let at = verdicts.iter().position(is_no).unwrap_or(0);
    if verdicts.is_empty() {
        return Ok(Verdict::Nothing);
    }
    Ok(verdicts.swap_remove(at))
}

fn verdict(decision: Decision, above: Option<String>) -> Result<Verdict, String> {
    let (word, message) = match decision {
        Decision::Word(word) => (word, None),
        Decision::Whole {
            updated_input: Some(_),
            behavior,
            ..
        } if behavior != "deny" => {
            return Err("it would change the call, which no answer can".to_owned());
        }
        Decision::Whole {
            behavior, message, ..
        } => (behavior, message),
    };
    match word.as_str() {
        "allow" => Ok(Verdict::Allow),
        "deny" => Ok(Verdict::Deny(
            message
                .or(above)
                .map(|text| shown(text.as_bytes()))
                .filter(|text| !text.is_empty()),
        )),
        "ask" => Ok(Verdict::Nothing),
        _ => Err("its decision is none of allow, deny and ask".to_owned()),
    }
}

/// A hook's words as people and agents may see them: bounded, masked, without
/// control characters.
pub(crate) fn shown(said: &[u8]) -> String {
    // Cut before anything looks at all of it.
    let beginning = said.get(..4 * MOST_SHOWN).unwrap_or(said);
    let text = String::from_utf8_lossy(beginning);
    let masked = redact::mask(text.trim());
    let visible = redact::visible(&masked);
    redact::bounded(&visible, MOST_SHOWN).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deny(message: &str) -> Verdict {
        Verdict::Deny(Some(message.to_owned()))
    }

    #[test]
    fn both_shapes_of_an_answer_are_read_and_the_no_wins() {
        for (said, expected) in [
            ("", Verdict::Nothing),
            ("done\n", Verdict::Nothing),
            ("{}", Verdict::Nothing),
            (r#"{"decision": "allow"}"#, Verdict::Allow),
            (r#" {"decision": "ask"} "#, Verdict::Nothing),
            (r#"{"decision": "deny", "message": "no"}"#, deny("no")),
            (r#"{"decision": "deny", "reason": "why"}"#, deny("why")),
            (r#"{"decision": "deny"}"#, Verdict::Deny(None)),
            (
                r#"{"hookSpecificOutput": {"hookEventName": "PermissionRequest",
                    "decision": {"behavior": "allow"}}}"#,
                Verdict::Allow,
            ),
            (
                r#"{"hookSpecificOutput": {"decision": {"behavior": "deny", "message": "m"}}}"#,
                deny("m"),
            ),
            (
                r#"{"decision": "allow",
                    "hookSpecificOutput": {"decision": {"behavior": "deny", "message": "m"}}}"#,
                deny("m"),
            ),
        ] {
            assert_eq!(read(said.as_bytes()), Ok(expected), "{said}");
        }
    }

    #[test]
    fn what_is_not_exactly_an_answer_is_none() {
        let deep = format!(
            "{{\"decision\": {}1{}}}",
            "[".repeat(5_000),
            "]".repeat(5_000)
        );
        for said in [
            "{",
            r#"{"decision": "allow"} x"#,
            r#"{"decision": "allow"}{"decision": "deny"}"#,
            r#"{"decision": "Allow"}"#,
            r#"{"decision": "approve"}"#,
            r#"{"decision": true}"#,
            r#"{"decision": "deny", "decision": "allow"}"#,
            r#"{"hookSpecificOutput": {"hookEventName": "PreToolUse",
                "decision": {"behavior": "allow"}}}"#,
            r#"{"decision": {"behavior": "allow", "updatedInput": {}}}"#,
            "{\"decision\": \"allow\"\u{0}}",
            &deep,
        ] {
            assert!(read(said.as_bytes()).is_err(), "{said:.60}");
        }
        assert!(read(b"{\"decision\": \"allow\xff\"}").is_err());
    }

    #[test]
    fn words_are_shown_bounded_and_without_what_terminals_act_on() {
        let shown = shown(format!("\u{1b}[31mred\u{202e}{}", "x".repeat(100_000)).as_bytes());
        assert!(shown.len() <= MOST_SHOWN, "{}", shown.len());
        assert!(!shown.chars().any(char::is_control), "{shown}");
        assert!(!shown.contains('\u{202e}'), "{shown}");
    }
}
