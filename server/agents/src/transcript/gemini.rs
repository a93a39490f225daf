//! Gemini CLI: one JSON document in older versions; now a line of metadata, a
//! line for each message, and lines that change what came before.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{Part, entries, own_words_of, text};

pub(super) fn turns(transcript: &str, session: &str) -> Vec<String> {
    let mut conversation = Conversation::default();
    match serde_json::from_str(transcript) {
        Ok(Value::Object(document)) if document.contains_key("messages") => {
            conversation.metadata(&document, session);
            let messages = document.get("messages").and_then(Value::as_array);
            for message in messages.into_iter().flatten() {
                if let Value::Object(message) = message {
                    conversation.message(message);
                }
            }
        }
        _ => {
            for entry in entries(transcript) {
                match entry {
                    Some(entry) => conversation.entry(&entry, session),
                    None => conversation.before_gap = conversation.messages.len(),
                }
            }
        }
    }
    if conversation.is_subagents {
        return Vec::new();
    }
    conversation
        .messages
        .into_iter()
        .filter_map(|(_, words)| words)
        .collect()
}

#[derive(Default)]
struct Conversation {
    /// The messages by id; without words if a person did not type them.
    messages: Vec<(String, Option<String>)>,
    places: HashMap<String, usize>,
    /// How many messages there were when something could not be read.
    before_gap: usize,
    /// What comes is the session's own, and no sub-agent's.
    is_own: bool,
    is_subagents: bool,
}

impl Conversation {
    fn entry(&mut self, entry: &Map<String, Value>, session: &str) {
        if let Some(target) = text(entry, "$rewindTo") {
            // A message that was not read stood where something could not be
            // read, or before the text.
            let kept = self.places.get(target).copied();
            let kept = kept.unwrap_or(self.before_gap);
            self.messages.truncate(kept);
            self.places.retain(|_, place| *place < kept);
            self.before_gap = self.before_gap.min(kept);
        } else if entry.contains_key("id") {
            self.message(entry);
        } else if let Some(Value::Object(changes)) = entry.get("$set") {
            // Messages that are set anew are a history that the agent wrote:
            // masked results, summaries.
            self.metadata(changes, session);
        } else {
            self.metadata(entry, session);
        }
    }

    fn metadata(&mut self, metadata: &Map<String, Value>, session: &str) {
        if let Some(id) = text(metadata, "sessionId") {
            self.is_own = id == session;
        }
        if text(metadata, "kind") == Some("subagent") {
            self.is_subagents = true;
        }
    }

    fn message(&mut self, message: &Map<String, Value>) {
        let Some(id) = text(message, "id") else {
            return;
        };
        let words = self.is_own.then(|| typed(message)).flatten();
        if let Some(known) = self
            .places
            .get(id)
            .and_then(|place| self.messages.get_mut(*place))
        {
            known.1 = words;
        } else {
            self.places.insert(id.to_owned(), self.messages.len());
            self.messages.push((id.to_owned(), words));
        }
    }
}

fn typed(message: &Map<String, Value>) -> Option<String> {
    if text(message, "type") != Some("user") {
        return None;
    }
    let content = message.get("content")?;
    // A result of a tool is none of a person's, whatever is shown for it.
    let words = own_words_of(content, part);
    match message.get("displayContent") {
        None | Some(Value::Null) => words,
        Some(_) if holds_foreign(content) => None,
        Some(shown) => own_words_of(shown, part),
    }
}

fn holds_foreign(content: &Value) -> bool {
    content.as_array().is_some_and(|parts| {
        parts
            .iter()
            .filter_map(Value::as_object)
            .any(|object| matches!(part(object), Part::Foreign))
    })
}

/// A part as the API of Gemini has it.
pub(super) fn part(part: &Map<String, Value>) -> Part<'_> {
    let is_foreign = part.get("thought").is_some_and(|thought| thought == true)
        || [
            "functionResponse",
            "functionCall",
            "executableCode",
            "codeExecutionResult",
        ]
        .iter()
        .any(|field| part.contains_key(*field));
    if is_foreign {
        return Part::Foreign;
    }
    match text(part, "text") {
        Some(text) if text.trim_start().starts_with(ATTACHED_FILES) => Part::Rest,
        Some(text) => Part::Text(text),
        None if part.contains_key("inlineData") || part.contains_key("fileData") => Part::Silent,
        None => Part::Foreign,
    }
}

/// Parts from here on are files that the user named.
const ATTACHED_FILES: &str = "--- Content from referenced files ---";
