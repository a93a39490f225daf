//! Claude Code: one entry a line. The user's messages are `user` entries
//! without any of the marks that the agent puts on what it wrote itself, and
//! attachments of what was typed while the agent worked.

use serde_json::{Map, Value};

use super::{Chain, Part, entries, is_set, own_words_of, text};

/// Marks of an entry that nobody typed.
const MARKS: &[&str] = &[
    "isMeta",
    "isCompactSummary",
    "isVisibleInTranscriptOnly",
    "isSummary",
    "isSidechain",
    "isVirtual",
    "isSynthetic",
    "isApiErrorMessage",
    "toolUseResult",
    "sourceToolUseID",
    "sourceToolAssistantUUID",
    "agentId",
    "carriedByCompaction",
    "forwardedIntent",
];

pub(super) fn turns(transcript: &str, session: &str) -> Vec<String> {
    let mut chain = Chain::default();
    for entry in entries(transcript) {
        let Some(entry) = entry else {
            chain.gap();
            continue;
        };
        if text(&entry, "sessionId") == Some(session) {
            if let Some(words) = typed(&entry) {
                chain.go_back_to_parent(&entry);
                chain.turns.push(words);
            }
            chain.note(&entry);
        }
    }
    chain.turns
}

fn typed(entry: &Map<String, Value>) -> Option<String> {
    if !is_a_persons(entry) {
        return None;
    }
    match text(entry, "type")? {
        "user" => {
            let message = entry.get("message")?.as_object()?;
            if text(message, "role") != Some("user") {
                return None;
            }
            own_words_of(message.get("content")?, part)
        }
        "attachment" => {
            let attachment = entry.get("attachment")?.as_object()?;
            let is_prompt = text(attachment, "type") == Some("queued_command")
                && matches!(text(attachment, "commandMode"), None | Some("prompt"))
                // Older versions queued the agent's own messages alike.
                && (text(attachment, "commandMode").is_some() || attachment.contains_key("origin"));
            if !is_prompt || !is_a_persons(attachment) {
                return None;
            }
            own_words_of(attachment.get("prompt")?, part)
        }
        _ => None,
    }
}

/// Whether nothing says that something else than a person sent it.
fn is_a_persons(entry: &Map<String, Value>) -> bool {
    let said = |field, allowed: &[&str]| match entry.get(field) {
        None | Some(Value::Null) => true,
        Some(Value::String(value)) => allowed.contains(&value.as_str()),
        Some(_) => false,
    };
    let origin = match entry.get("origin") {
        None | Some(Value::Null) => true,
        Some(origin) => origin.get("kind").and_then(Value::as_str) == Some("human"),
    };
    origin
        && said("promptSource", &["typed", "queued", "sdk"])
        && said("turnOrigin", &["human", "sdk"])
        && !MARKS.iter().any(|mark| is_set(entry, mark))
}

fn part(part: &Map<String, Value>) -> Part<'_> {
    match (text(part, "type"), text(part, "text")) {
        (Some("text"), Some(text)) => Part::Text(text),
        (Some("image" | "document"), _) => Part::Silent,
        _ => Part::Foreign,
    }
}
