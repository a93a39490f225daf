//! What a classifier is told of a conversation: what a person typed, and what
//! the agent did before. Never what the agent said, and never what a tool
//! returned.

use crate::projection::Projection;

/// A conversation within its bounds, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Transcript {
    entries: Vec<Entry>,
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

impl Transcript {
    /// The steps, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds a step at the end.
    pub fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }
}
