//! What a classifier is told of a conversation: what a person typed, and what
//! the agent did before. Never what the agent said, and never what a tool
//! returned: no type here takes either.
//!
//! The bounds are kept in [`Transcript::push`], so that a session that lives
//! for days costs no more memory than one of an hour.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::projection::Projection;
use crate::prompt::encoding;
use crate::redact;

#[cfg(test)]
mod tests;

/// How many of a person's first texts always stay.
pub const FIRST_USER_TEXTS: usize = 10;

/// How many of a person's last texts always stay.
pub const LAST_USER_TEXTS: usize = 10;

/// Most characters of one of a person's texts, with the mark of a cut.
pub const USER_TEXT_CHARACTERS: usize = 8_000;

/// How many earlier calls stay, the newest.
pub const LAST_CALLS: usize = 40;

/// Most characters of an earlier call, printed as JSON.
pub const CALL_CHARACTERS: usize = 4_000;

/// Most characters of an earlier call as it stands in the prompt, where hidden
/// characters are written out as up to twelve each. So no call alone takes the
/// room of those before it, denied ones among them.
const ENCODED_CALL_CHARACTERS: usize = 2 * CALL_CHARACTERS;

/// Most characters of all earlier calls together, as they stand in the prompt.
pub const ALL_CALLS_CHARACTERS: usize = 40_000;

/// Most characters of a name: a call's id, a sub-agent, a tool whose input was
/// left out.
const NAME_CHARACTERS: usize = 200;

/// A conversation within its bounds, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Transcript {
    steps: Vec<Stored>,
    user_texts_left_out: usize,
    calls_left_out: usize,
}

/// One step of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// What a person typed.
    User {
        /// The text.
        text: String,
    },
    /// An earlier tool call.
    Call {
        /// The guard's own id of the call, by which [`Transcript::settle`]
        /// finds it; never shown to a model. Empty if there is none.
        id: String,
        /// What it was, as the classifier may see it.
        projection: Projection,
        /// What became of it.
        fate: Fate,
        /// The sub-agent that made it, if one did.
        subagent: Option<String>,
    },
}

/// What became of an earlier call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was allowed, by whatever step.
    Allowed,
    /// A person approved it.
    Approved,
    /// It was not allowed, by whatever step.
    Denied,
    /// A person was asked and said no, or did not answer.
    Rejected,
    /// A person was asked; what came of it is not known.
    Asked,
}

/// What a reader of a transcript meets: a step, or the place where some were
/// left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step<'a> {
    /// A step that was kept.
    Entry(&'a Entry),
    /// So many of a person's texts stood here, between the first and the last.
    UserTextsLeftOut(usize),
    /// So many calls stood before the next one.
    CallsLeftOut(usize),
}

/// A step, and how much room it takes.
#[derive(Debug, Clone, PartialEq)]
struct Stored {
    entry: Entry,
    /// Of a call: its characters as they stand in the prompt. Else 0.
    characters: usize,
}

impl Entry {
    /// What a person typed.
    #[must_use]
    pub fn user(text: impl Into<String>) -> Self {
        Self::User { text: text.into() }
    }

    /// Whether a person typed it.
    #[must_use]
    pub const fn is_user_text(&self) -> bool {
        match self {
            Self::User { .. } => true,
            Self::Call { .. } => false,
        }
    }

    fn user_text(&self) -> Option<&str> {
        match self {
            Self::User { text } => Some(text),
            Self::Call { .. } => None,
        }
    }
}

impl Transcript {
    /// The steps that were kept, in order.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.steps.iter().map(|stored| &stored.entry)
    }

    /// The steps in order, and where some were left out.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let mut user_texts = 0_usize;
        let mut calls = 0_usize;
        self.entries().flat_map(move |entry| {
            // Not at the beginning: what stands before a mark stays the same
            // while its number grows, and so in the provider's cache.
            let mark = if entry.is_user_text() {
                user_texts += 1;
                (self.user_texts_left_out > 0 && user_texts == FIRST_USER_TEXTS + 1)
                    .then_some(Step::UserTextsLeftOut(self.user_texts_left_out))
            } else {
                calls += 1;
                (self.calls_left_out > 0 && calls == 1)
                    .then_some(Step::CallsLeftOut(self.calls_left_out))
            };
            mark.into_iter().chain([Step::Entry(entry)])
        })
    }

    /// Whether anything is known that a person typed.
    #[must_use]
    pub fn has_user_text(&self) -> bool {
        self.entries().any(Entry::is_user_text)
    }

    /// Adds a step at the end, and leaves out what no longer has room.
    ///
    /// Secrets in a person's text are masked. A text that is empty, or that
    /// repeats the person's last one, is not added: agents report one message
    /// more than once. A call whose id is known takes the place of the earlier
    /// report.
    pub fn push(&mut self, entry: Entry) {
        match entry {
            Entry::User { text } => {
                let last = self.entries().rev().find_map(Entry::user_text);
                let Some(stored) = user_text(&text, last) else {
                    return;
                };
                self.steps.push(stored);
            }
            Entry::Call {
                id,
                projection,
                fate,
                subagent,
            } => {
                let call = bounded_call(id, projection, fate, subagent);
                match self.position_of(&call.entry) {
                    Some(known) => *known = call,
                    None => self.steps.push(call),
                }
            }
        }
        self.keep_within_bounds();
    }

    /// Puts what a person typed before the guard joined in front of what is
    /// known, without the texts that are known already.
    pub fn with_earlier_user_texts(&mut self, texts: Vec<String>) {
        let mut earlier: Vec<Stored> = Vec::new();
        for text in texts {
            let last = earlier.last().and_then(|stored| stored.entry.user_text());
            let Some(stored) = user_text(&text, last) else {
                continue;
            };
            if !self.entries().any(|known| *known == stored.entry) {
                earlier.push(stored);
            }
        }
        self.steps.splice(0..0, earlier);
        self.keep_within_bounds();
    }

    /// Says what became of the call with this id of the guard; nothing if it
    /// is not, or no longer, in the transcript.
    pub fn settle(&mut self, id: &str, fate: Fate) {
        let of_call = self
            .steps
            .iter_mut()
            .rev()
            .find_map(|stored| match &mut stored.entry {
                Entry::Call {
                    id: known, fate, ..
                } => (!id.is_empty() && known == id).then_some(fate),
                Entry::User { .. } => None,
            });
        if let Some(known) = of_call {
            *known = fate;
        }
    }

    /// Where an earlier report of the same call stands.
    fn position_of(&mut self, call: &Entry) -> Option<&mut Stored> {
        let Entry::Call { id, .. } = call else {
            return None;
        };
        self.steps.iter_mut().rev().find(|stored| {
            matches!(&stored.entry, Entry::Call { id: known, .. } if !id.is_empty() && known == id)
        })
    }

    fn keep_within_bounds(&mut self) {
        let user_texts = self.entries().filter(|entry| entry.is_user_text()).count();
        let calls = self.steps.len() - user_texts;
        let left_out_texts = FIRST_USER_TEXTS..user_texts.saturating_sub(LAST_USER_TEXTS);
        let left_out_calls = calls - self.newest_calls_with_room();
        if left_out_texts.is_empty() && left_out_calls == 0 {
            return;
        }
        let (mut text, mut call) = (0_usize, 0_usize);
        self.steps.retain(|stored| {
            if stored.entry.is_user_text() {
                text += 1;
                !left_out_texts.contains(&(text - 1))
            } else {
                call += 1;
                call > left_out_calls
            }
        });
        self.user_texts_left_out = self
            .user_texts_left_out
            .saturating_add(left_out_texts.len());
        self.calls_left_out = self.calls_left_out.saturating_add(left_out_calls);
    }

    /// How many of the newest calls have room.
    fn newest_calls_with_room(&self) -> usize {
        let mut room = ALL_CALLS_CHARACTERS;
        let calls = self.steps.iter().rev();
        calls
            .filter(|stored| !stored.entry.is_user_text())
            .take(LAST_CALLS)
            .take_while(|stored| {
                let rest = room.checked_sub(stored.characters);
                room = rest.unwrap_or(0);
                rest.is_some()
            })
            .count()
    }
}

/// A person's text within its bounds, if it says anything that `last` does not.
fn user_text(text: &str, last: Option<&str>) -> Option<Stored> {
    if text.trim().is_empty() {
        return None;
    }
    // Masked before it is cut: half a key is still half a key.
    let text = cut(&redact::mask(text), USER_TEXT_CHARACTERS);
    (last != Some(text.as_str())).then_some(Stored {
        entry: Entry::User { text },
        characters: 0,
    })
}

/// A call within its bounds.
fn bounded_call(
    id: String,
    projection: Projection,
    fate: Fate,
    subagent: Option<String>,
) -> Stored {
    let length = printed_characters(&projection);
    let tool = cut(&projection.tool, NAME_CHARACTERS);
    let subagent = subagent.map(|name| cut(&name, NAME_CHARACTERS));
    let stored = |projection| {
        let entry = Entry::Call {
            id: id.clone(),
            projection,
            fate,
            subagent: subagent.clone(),
        };
        Stored {
            characters: encoding::step_line(&entry).chars().count(),
            entry,
        }
    };
    if length <= CALL_CHARACTERS {
        let whole = stored(projection);
        if whole.characters <= ENCODED_CALL_CHARACTERS {
            return whole;
        }
    }
    stored(Projection {
        tool,
        arguments: Map::new(),
        withheld: vec![format!("the whole input, {length} characters")],
    })
}

/// How long a projection is as JSON, in characters.
fn printed_characters(projection: &Projection) -> usize {
    #[derive(Serialize)]
    struct Printed<'a> {
        tool: &'a str,
        arguments: &'a Map<String, Value>,
        withheld: &'a [String],
    }
    let printed = serde_json::to_string(&Printed {
        tool: &projection.tool,
        arguments: &projection.arguments,
        withheld: &projection.withheld,
    });
    // What cannot be printed is not shown.
    printed.map_or(usize::MAX, |printed| printed.chars().count())
}

/// The text, or its beginning and its end with a mark between them that says
/// how much is missing; at most `most` characters with the mark.
///
/// The end stays because people paste first and ask afterwards.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_owned();
    }
    // The longest mark there can be: the number only shrinks with what is kept.
    let kept = most.saturating_sub(cut_mark(length).chars().count());
    let end = kept / 3;
    let mut shown: String = text.chars().take(kept - end).collect();
    shown.push_str(&cut_mark(length - kept));
    shown.extend(text.chars().skip(length - end));
    shown.chars().take(most).collect()
}

fn cut_mark(missing: usize) -> String {
    format!(" … [cut: {missing} characters are missing here] … ")
}
