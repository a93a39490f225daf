//! Qwen Code: one record a line. A record of the user's says what was shown as
//! typed beside what the model got.

use serde_json::{Map, Value};

use super::gemini::part;
use super::{Chain, entries, is_set, own_words_of, text};
use crate::typed;

/// Marks of a record that nobody typed.
const MARKS: &[&str] = &[
    "isSidechain",
    "agentId",
    "agentRunId",
    "externalInputKind",
    "backgroundTurn",
    "toolCallResult",
];

pub(super) fn turns(transcript: &str, session: &str) -> Vec<String> {
    let mut chain = Chain::default();
    // A command was entered, and its expansion comes next.
    let mut expansion_follows = false;
    for record in entries(transcript) {
        let Some(record) = record else {
            chain.gap();
            continue;
        };
        if text(&record, "sessionId") != Some(session) {
            continue;
        }
        match (text(&record, "type"), text(&record, "subtype")) {
            (Some("system"), Some("rewind")) => chain.go_back_to_parent(&record),
            (Some("system"), Some("slash_command")) if !is_marked(&record) => {
                let command = Command::of(&record);
                expansion_follows = command.expands;
                chain.turns.extend(command.words);
            }
            (Some("user"), None) => {
                // What was not read may have been the command.
                let is_expansion =
                    std::mem::take(&mut expansion_follows) || chain.follows_unread(&record);
                if !is_expansion && !is_marked(&record) {
                    chain.turns.extend(shown(&record).or_else(|| sent(&record)));
                }
            }
            (Some("user"), Some("mid_turn_user_message")) if !is_marked(&record) => {
                chain.turns.extend(shown(&record).or_else(|| sent(&record)));
            }
            _ => {}
        }
        chain.note(&record);
    }
    chain.turns
}

fn is_marked(record: &Map<String, Value>) -> bool {
    let is_the_users = match record.get("provenance") {
        None | Some(Value::Null) => true,
        Some(provenance) => {
            provenance == "real_user"
                || (provenance == "system" && text(record, "type") == Some("system"))
        }
    };
    !is_the_users || MARKS.iter().any(|mark| is_set(record, mark))
}

/// What was shown as typed, if the record says so.
fn shown(record: &Map<String, Value>) -> Option<String> {
    // A result of a tool has no such text, but a forged one might.
    sent_by_a_person(record)?;
    let payload = record.get("systemPayload")?.as_object()?;
    typed::own_words(text(payload, "displayText")?)
}

fn sent(record: &Map<String, Value>) -> Option<String> {
    // What was shown was wholly the agent's own.
    let is_shown = record
        .get("systemPayload")
        .and_then(|payload| payload.get("displayText"))
        .is_some_and(Value::is_string);
    if is_shown {
        return None;
    }
    own_words_of(sent_by_a_person(record)?, part)
}

/// The parts of the message, if all of them may be a person's.
fn sent_by_a_person(record: &Map<String, Value>) -> Option<&Value> {
    let message = record.get("message")?.as_object()?;
    if text(message, "role") != Some("user") {
        return None;
    }
    let parts = message.get("parts")?;
    let has_result = parts.as_array().is_some_and(|parts| {
        parts.iter().any(|part| {
            part.as_object()
                .is_none_or(|part| matches!(self::part(part), super::Part::Foreign))
        })
    });
    (!has_result).then_some(parts)
}

/// A command that was entered.
#[derive(Default)]
struct Command {
    words: Option<String>,
    /// Whether the next record of the user may be what it stands for.
    expands: bool,
}

impl Command {
    fn of(record: &Map<String, Value>) -> Self {
        let Some(Value::Object(payload)) = record.get("systemPayload") else {
            return Self::default();
        };
        if text(payload, "phase") != Some("invocation") {
            return Self::default();
        }
        let reached_the_model = payload.get("sentToModel").and_then(Value::as_bool);
        let words = (reached_the_model == Some(true) && !is_set(payload, "hiddenInvocation"))
            .then(|| text(payload, "rawCommand").and_then(typed::own_words))
            .flatten();
        Self {
            words,
            // Older versions do not say it.
            expands: reached_the_model != Some(false),
        }
    }
}
