//! The words that a classifier gets, put together from parts. Nothing is
//! substituted into a template: what an agent writes is always a JSON string.

use crate::projection::Projection;
use crate::transcript::Transcript;

mod answer;
mod content;
pub(crate) mod encoding;
mod policy;

#[cfg(test)]
mod tests;

pub use answer::{REASON, SHOULD_BLOCK, Schema, THINKING, instruction, schema};

/// The user's hints for the classifier, within their limits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hints {
    /// What is normal here.
    pub allow: Vec<String>,
    /// What is blocked unless the user asked for exactly that; the older
    /// `hints.deny` at the end.
    pub soft_deny: Vec<String>,
    /// What is always blocked.
    pub hard_deny: Vec<String>,
}

/// Everything that a prompt is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Material {
    /// The agent, as people know it.
    pub agent: String,
    /// The sub-agent that makes the call, if one does.
    pub subagent: Option<String>,
    /// The folder in which the call would run.
    pub cwd: String,
    /// The workspace folders.
    pub workspaces: Vec<String>,
    /// The user's hints.
    pub hints: Hints,
    /// Facts about the surroundings, from the settings.
    pub environment: Vec<String>,
    /// Names of instruction files, which count only within the project.
    pub context_files: Vec<String>,
    /// What happened before.
    pub transcript: Transcript,
    /// What is known of the call without running it, in plain words.
    pub facts: Vec<String>,
    /// The call.
    pub pending: Projection,
}

/// A prompt. Both stages send it byte for byte; what differs is only the
/// instruction at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The policy: role, what is allowed and blocked, hints, principles.
    pub system: String,
    /// The conversation, the facts and the call.
    pub content: String,
}

/// Puts the prompt together.
///
/// What changes least stands first, so that providers' caches hold: the policy,
/// then the conversation, then what is only about this call.
#[must_use]
pub fn compose(material: &Material) -> Prompt {
    Prompt {
        system: policy::system(material),
        content: content::content(material),
    }
}
