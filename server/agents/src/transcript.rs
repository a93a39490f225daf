//! The user's own words from the file in which an agent keeps a conversation:
//! a guard that comes late knows them from nowhere else. Text in, data out.

mod claude;
mod codex;
mod gemini;
mod place;
mod qwen;

use std::collections::HashMap;

use countersign_core::agent::Agent;
use serde_json::{Map, Value};

pub use place::transcript_is_the_agents;

use crate::typed;

/// Most turns that are returned.
pub const MAX_TURNS: usize = 200;

/// Longest turn that is returned, in characters.
pub const MAX_TURN_CHARACTERS: usize = 8_000;

/// How many of the turns are the first of the text: what a conversation is
/// about is said at its beginning.
const FIRST_TURNS: usize = 10;

/// Longest line that is read, in bytes.
const MAX_LINE_BYTES: usize = 1024 * 1024;

/// Stands at the end of a turn that was cut.
const CUT: char = '\u{2026}';

/// What a person typed in a session, in the order of the file.
///
/// `text` is the file, or its beginning and its end with a line between them
/// that is no entry. What cannot be read (a line that is cut or unknown, longer
/// than 1 MiB, or nested too deeply) is passed over. Gemini CLI and Codex say
/// only in the first line whose conversation it is: without it there are no
/// turns. Entries of another session, of sub-agents and of the agent itself, tool results,
/// summaries, expansions of commands, attachments and repeats do not count, nor
/// does what the person took back. At most [`MAX_TURNS`] (the first ten and the
/// newest) of at most [`MAX_TURN_CHARACTERS`] each; empty for an agent whose
/// files are not known.
#[must_use]
pub fn user_turns(agent: Agent, text: &str, session: &str) -> Vec<String> {
    let turns = match agent {
        Agent::ClaudeCode => claude::turns(text, session),
        Agent::Qwen => qwen::turns(text, session),
        Agent::Gemini => gemini::turns(text, session),
        Agent::Codex => codex::turns(text, session),
        Agent::Opencode | Agent::Cursor | Agent::Vscode | Agent::Generic => Vec::new(),
    };
    bounded(turns)
}

fn bounded(mut turns: Vec<String>) -> Vec<String> {
    turns.dedup();
    let excess = turns.len().saturating_sub(MAX_TURNS);
    if excess > 0 {
        turns.drain(FIRST_TURNS..FIRST_TURNS + excess);
    }
    for turn in &mut turns {
        if let Some((end, _)) = turn.char_indices().nth(MAX_TURN_CHARACTERS) {
            turn.truncate(end);
            turn.pop();
            turn.push(CUT);
        }
    }
    turns
}

/// The lines of a text that say anything: an object, or none where something
/// stands that cannot be read.
fn entries(text: &str) -> impl Iterator<Item = Option<Map<String, Value>>> + '_ {
    text.split('\n')
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            if line.len() > MAX_LINE_BYTES {
                return None;
            }
            // The depth is bounded by the parser.
            serde_json::from_str(line).ok()
        })
}

fn text<'a>(entry: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    entry.get(field).and_then(Value::as_str)
}

/// Whether a field is there and says anything but no.
fn is_set(entry: &Map<String, Value>, field: &str) -> bool {
    entry
        .get(field)
        .is_some_and(|value| !matches!(value, Value::Null | Value::Bool(false)))
}

/// What a person typed of the parts of a message. Each part is looked at by
/// itself: agents put what they add into parts of their own. None if nothing,
/// or if one of the parts is of a kind that no message of a person has.
fn own_words_of(content: &Value, part: impl Fn(&Map<String, Value>) -> Part<'_>) -> Option<String> {
    let parts = match content {
        Value::String(text) => return typed::own_words(text),
        Value::Object(object) => vec![part(object)],
        Value::Array(items) => items
            .iter()
            .map(|item| match item {
                Value::Object(object) => part(object),
                Value::String(text) => Part::Text(text),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => Part::Foreign,
            })
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => return None,
    };
    let mut words = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) => words.extend(typed::own_words(text)),
            Part::Silent => {}
            Part::Rest => break,
            Part::Foreign => return None,
        }
    }
    (!words.is_empty()).then(|| words.join("\n"))
}

/// A part of a message.
enum Part<'a> {
    /// Text that may be a person's.
    Text(&'a str),
    /// A picture or the like.
    Silent,
    /// From here on everything is attached.
    Rest,
    /// Something that a person's message does not have: it is not one.
    Foreign,
}

/// The turns of a conversation whose entries name the one before them, so that
/// a person who went back and began anew took back what came after.
#[derive(Default)]
struct Chain {
    turns: Vec<String>,
    /// How many turns there were when an entry had been read.
    after: HashMap<String, usize>,
    /// How many there were when something could not be read.
    before_gap: usize,
}

impl Chain {
    /// Notes an entry, after its turn was added.
    fn note(&mut self, entry: &Map<String, Value>) {
        if let Some(id) = text(entry, "uuid") {
            self.after.insert(id.to_owned(), self.turns.len());
        }
    }

    /// Something could not be read.
    fn gap(&mut self) {
        self.before_gap = self.turns.len();
    }

    /// Whether the entry before this one was not read.
    fn follows_unread(&self, entry: &Map<String, Value>) -> bool {
        text(entry, "parentUuid").is_some_and(|parent| !self.after.contains_key(parent))
    }

    /// Takes back what was typed after the parent of an entry. A parent that
    /// was not read stood where something could not be read, or before the
    /// text.
    fn go_back_to_parent(&mut self, entry: &Map<String, Value>) {
        let kept = match entry.get("parentUuid") {
            None => return,
            Some(Value::String(parent)) => {
                self.after.get(parent).copied().unwrap_or(self.before_gap)
            }
            Some(_) => 0,
        };
        self.turns.truncate(kept);
        self.before_gap = self.before_gap.min(kept);
    }
}
