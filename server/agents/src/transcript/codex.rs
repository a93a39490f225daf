//! Codex: one item a line. What the user typed stands twice, as an event of
//! the interface and as an item of the model's history, where context that
//! nobody typed stands in the user's role too.

use serde_json::{Map, Value};

use super::{Part, entries, own_words_of, text};

/// The three places in which versions keep the user's messages, best first.
#[derive(Default)]
struct Rollout {
    /// Events `user_message`.
    events: Vec<Option<String>>,
    /// Events `item_completed` of a user's message.
    items: Vec<Option<String>>,
    /// Items of the model's history.
    history: Vec<Option<String>>,
}

pub(super) fn turns(transcript: &str, session: &str) -> Vec<String> {
    let mut rollout = Rollout::default();
    let mut is_known = false;
    for line in entries(transcript).flatten() {
        let Some(Value::Object(payload)) = line.get("payload") else {
            continue;
        };
        match text(&line, "type") {
            // A later one is of the session from which this one was forked.
            Some("session_meta") if !is_known => {
                is_known = true;
                if !is_of_session(payload, session) || is_subagents(payload) {
                    return Vec::new();
                }
            }
            Some("event_msg") => rollout.event(payload),
            Some("response_item") => rollout.history_item(payload),
            _ => {}
        }
    }
    if !is_known {
        return Vec::new();
    }
    let Rollout {
        events,
        items,
        history,
    } = rollout;
    [events, items, history]
        .into_iter()
        .find(|turns| !turns.is_empty())
        .unwrap_or_default()
        .into_iter()
        .flatten()
        .collect()
}

fn is_of_session(meta: &Map<String, Value>, session: &str) -> bool {
    text(meta, "id") == Some(session) || text(meta, "session_id") == Some(session)
}

fn is_subagents(meta: &Map<String, Value>) -> bool {
    let names_one = |value: &Value| match value {
        Value::String(text) => text.contains("subagent"),
        Value::Object(object) => object.keys().any(|key| key.contains("subagent")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
    };
    ["source", "thread_source"]
        .iter()
        .filter_map(|field| meta.get(*field))
        .any(names_one)
}

impl Rollout {
    fn event(&mut self, event: &Map<String, Value>) {
        match text(event, "type") {
            Some("user_message") => {
                let is_plain = text(event, "kind").is_none_or(|kind| kind == "plain");
                let message = event.get("message").filter(|_| is_plain);
                self.events
                    .push(message.and_then(|message| own_words_of(message, part)));
            }
            Some("item_completed") => {
                let Some(Value::Object(item)) = event.get("item") else {
                    return;
                };
                if matches!(text(item, "type"), Some("UserMessage" | "user_message")) {
                    let content = item.get("content");
                    self.items
                        .push(content.and_then(|content| own_words_of(content, part)));
                }
            }
            Some("thread_rolled_back") => {
                let taken_back = event.get("num_turns").and_then(Value::as_u64);
                let taken_back = taken_back.map_or(usize::MAX, |turns| {
                    usize::try_from(turns).unwrap_or(usize::MAX)
                });
                for turns in [&mut self.events, &mut self.items, &mut self.history] {
                    turns.truncate(turns.len().saturating_sub(taken_back));
                }
            }
            _ => {}
        }
    }

    fn history_item(&mut self, item: &Map<String, Value>) {
        let is_the_users =
            text(item, "type") == Some("message") && text(item, "role") == Some("user");
        if !is_the_users {
            return;
        }
        // What nobody typed is no turn that could be taken back.
        if let Some(words) = item
            .get("content")
            .and_then(|content| own_words_of(content, part))
        {
            self.history.push(Some(words));
        }
    }
}

fn part(part: &Map<String, Value>) -> Part<'_> {
    match (text(part, "type"), text(part, "text")) {
        // Only the marks around a picture.
        (Some("input_text"), Some(text))
            if text.starts_with("<image") || text.starts_with("</image") =>
        {
            Part::Silent
        }
        (Some("input_text" | "text"), Some(text)) => Part::Text(text),
        (Some("input_image" | "image" | "local_image" | "skill" | "mention"), _) => Part::Silent,
        _ => Part::Foreign,
    }
}
