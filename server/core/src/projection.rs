//! What a classifier is shown of a call: as much as it needs to judge, no
//! file contents beyond their beginning, and a word about what was withheld.

use serde_json::{Map, Value};

/// A call as a classifier sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// The tool: the canonical name; an unknown tool's own name, made visible
    /// and bounded.
    pub tool: String,
    /// What of the input is shown. Every text in it is masked.
    pub arguments: Map<String, Value>,
    /// What is not shown, in plain words; empty if nothing was withheld.
    pub withheld: Vec<String>,
}

/// Why a call cannot be shown to a classifier: a part that must never be cut
/// is too long. It counts as `context_overflow`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} has {length} characters, more than {most}: it is never cut and cannot be sent whole")]
pub struct TooLong {
    /// The part.
    pub what: &'static str,
    /// Its length, in characters.
    pub length: usize,
    /// The most.
    pub most: usize,
}
