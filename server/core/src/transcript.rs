//! What a classifier is told of a conversation: what a person typed, and what
//! the agent did before. Never what the agent said, and never what a tool
//! returned: no type here takes either.
//!
//! The bounds are kept in [`Transcript::push`], so that a session that lives
//! for days costs no more memory than one of an hour.

use serde_json::Map;

use crate::projection::{Projection, fitted};
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

/// Of them, how many that were denied or not approved stay though newer ones
/// would push them out: what they tried must not come back by another way.
pub const LAST_DENIED_CALLS: usize = 10;

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

    /// Whether it is a call that was denied or that a person did not approve.
    const fn is_refused(&self) -> bool {
        match self {
            Self::User { .. } => false,
            Self::Call { fate, .. } => matches!(fate, Fate::Denied | Fate::Rejected),
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

    /// Adds what a person typed according to the agent's own file, in the
    /// file's order, without the texts that are known already.
    ///
    /// A text that is not known stands behind the one before it in the file,
    /// and as late as the file allows: a no must not come before the yes that
    /// it takes back. Where none of the texts is known they were typed before
    /// the guard joined, and stand in front.
    pub fn with_user_texts_of_file(&mut self, texts: &[String]) {
        let mut of_file: Vec<Stored> = Vec::new();
        for text in texts {
            let last = of_file.last().and_then(|stored| stored.entry.user_text());
            of_file.extend(user_text(text, last));
        }
        let known: Vec<&Entry> = self.entries().filter(|step| step.is_user_text()).collect();
        let pairs = common(&known, &of_file);
        let file_has_all = pairs.len() == known.len();
        let mut pairs = pairs.into_iter().peekable();
        let is_beginning = pairs.peek().is_none();
        let mut of_file = of_file.into_iter().enumerate().peekable();
        let mut steps = Vec::with_capacity(self.steps.len());
        if is_beginning {
            steps.extend(of_file.by_ref().map(|(_, stored)| stored));
        }
        let mut text = 0_usize;
        for step in std::mem::take(&mut self.steps) {
            if step.entry.is_user_text() {
                if let Some((_, in_file)) = pairs.next_if(|(known, _)| *known == text) {
                    while let Some((_, stored)) = of_file.next_if(|(place, _)| *place < in_file) {
                        steps.push(stored);
                    }
                    // It is this step.
                    of_file.next();
                }
                text += 1;
            }
            steps.push(step);
        }
        steps.extend(of_file.map(|(_, stored)| stored));
        self.steps = steps;
        let left_out_before = self.user_texts_left_out;
        self.keep_within_bounds();
        if file_has_all && !is_beginning {
            // What was left out before is in the file, and counted once.
            let now = self.user_texts_left_out.saturating_sub(left_out_before);
            self.user_texts_left_out = now.max(left_out_before);
        }
    }

    /// The same without anything that a person typed.
    #[must_use]
    pub fn without_user_texts(&self) -> Self {
        Self {
            steps: self
                .steps
                .iter()
                .filter(|step| !step.entry.is_user_text())
                .cloned()
                .collect(),
            user_texts_left_out: 0,
            calls_left_out: self.calls_left_out,
        }
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
        let left_out_texts = FIRST_USER_TEXTS..user_texts.saturating_sub(LAST_USER_TEXTS);
        let keeps = self.calls_with_room();
        let left_out_calls = keeps.iter().filter(|keeps| !**keeps).count();
        if left_out_texts.is_empty() && left_out_calls == 0 {
            return;
        }
        let mut text = 0_usize;
        let mut keeps = keeps.into_iter();
        self.steps.retain(|stored| {
            if stored.entry.is_user_text() {
                text += 1;
                !left_out_texts.contains(&(text - 1))
            } else {
                keeps.next().unwrap_or(true)
            }
        });
        self.user_texts_left_out = self
            .user_texts_left_out
            .saturating_add(left_out_texts.len());
        self.calls_left_out = self.calls_left_out.saturating_add(left_out_calls);
    }

    /// Which of the calls, oldest first, have room: the newest one, then the
    /// newest of those that were not allowed, then the newest of all.
    fn calls_with_room(&self) -> Vec<bool> {
        let calls: Vec<&Stored> = self
            .steps
            .iter()
            .filter(|stored| !stored.entry.is_user_text())
            .collect();
        let newest = calls.len().checked_sub(1);
        let refused = (0..calls.len())
            .rev()
            .filter(|at| calls.get(*at).is_some_and(|call| call.entry.is_refused()))
            .take(LAST_DENIED_CALLS);
        let mut keeps = vec![false; calls.len()];
        let mut room = ALL_CALLS_CHARACTERS;
        let mut places = LAST_CALLS;
        let mut keep = |at: usize| {
            let (Some(call), Some(kept)) = (calls.get(at), keeps.get_mut(at)) else {
                return false;
            };
            if *kept {
                return true;
            }
            let rest = room.checked_sub(call.characters);
            match rest.filter(|_| places > 0) {
                Some(rest) => (room, places, *kept) = (rest, places - 1, true),
                None => return false,
            }
            true
        };
        for at in newest.into_iter().chain(refused) {
            keep(at);
        }
        for at in (0..calls.len()).rev() {
            if !keep(at) {
                break;
            }
        }
        keeps
    }
}

/// The longest way through both in order on which the texts are the same, as
/// places in the one and in the other. Both are short: what is known is within
/// its bounds, and an adapter bounds what it finds in a file.
fn common(known: &[&Entry], of_file: &[Stored]) -> Vec<(usize, usize)> {
    let width = of_file.len() + 1;
    let mut longest = vec![0_usize; (known.len() + 1) * width];
    let at = |longest: &[usize], one: usize, other: usize| {
        longest.get(one * width + other).copied().unwrap_or(0)
    };
    for (one, entry) in known.iter().enumerate().rev() {
        for (other, stored) in of_file.iter().enumerate().rev() {
            let best = if **entry == stored.entry {
                at(&longest, one + 1, other + 1) + 1
            } else {
                at(&longest, one + 1, other).max(at(&longest, one, other + 1))
            };
            if let Some(place) = longest.get_mut(one * width + other) {
                *place = best;
            }
        }
    }
    let (mut one, mut other) = (0, 0);
    let mut pairs = Vec::new();
    while let (Some(entry), Some(stored)) = (known.get(one), of_file.get(other)) {
        if **entry == stored.entry {
            pairs.push((one, other));
            one += 1;
            other += 1;
        } else if at(&longest, one + 1, other) >= at(&longest, one, other + 1) {
            one += 1;
        } else {
            other += 1;
        }
    }
    pairs
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

/// A call within its bounds: shortened where it is too long, so that no call
/// can hide what it was behind what it is filled with.
fn bounded_call(
    id: String,
    projection: Projection,
    fate: Fate,
    subagent: Option<String>,
) -> Stored {
    let subagent = subagent.map(|name| cut(&redact::code(&name, usize::MAX).text, NAME_CHARACTERS));
    let tool = cut(&projection.tool, NAME_CHARACTERS);
    let projection =
        fitted(Projection { tool, ..projection }).unwrap_or_else(|projection| Projection {
            tool: projection.tool,
            arguments: Map::new(),
            withheld: vec!["the whole input, which has too many parts".to_owned()],
        });
    let entry = Entry::Call {
        id,
        projection,
        fate,
        subagent,
    };
    Stored {
        characters: encoding::step_line(&entry).chars().count(),
        entry,
    }
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
