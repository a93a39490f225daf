//! What a classifier is shown of a call: as much as it needs to judge, no
//! file contents beyond their beginning, and a word about what was withheld.

use std::fmt;

use serde_json::{Map, Value};

use crate::call::Call;
use crate::facts::Facts;
use crate::policy::Policy;
use crate::redact;
pub(crate) use past::fitted;
use showing::Showing;

mod bounded;
mod guarded;
mod other_fields;
mod past;
mod shell_writes;
mod showing;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

/// Longest name of a tool that is shown, in characters.
const TOOL_CHARS: usize = 200;

/// Most that is said about what was withheld, in entries.
const MOST_WITHHELD: usize = 24;

/// A call as a classifier sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// The tool: the canonical name; an unknown tool's own name, made visible
    /// and bounded. Of a call with several operations the agent's own name.
    pub tool: String,
    /// What of the input is shown. Every text in it is masked. Several
    /// operations stand in an array `operations`, each with its `tool`.
    pub arguments: Map<String, Value>,
    /// What is not shown, in plain words; empty if nothing was withheld.
    pub withheld: Vec<String>,
}

/// Why a call cannot be shown to a classifier: a part that must never be cut
/// is too long. It counts as `context_overflow`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} has {length} characters, more than {most}: it is never cut and cannot be sent whole"
)]
pub struct TooLong {
    /// The part.
    pub what: &'static str,
    /// Its length, in characters.
    pub length: usize,
    /// The most.
    pub most: usize,
}

/// The MCP servers and tools whose arguments a classifier is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct McpForwarding(Vec<String>);

impl McpForwarding {
    /// From the entries of the settings: `server`, `mcp__server`,
    /// `mcp__server__*` or `mcp__server__tool`, written exactly as the agent
    /// writes them.
    #[must_use]
    pub fn new(entries: impl IntoIterator<Item = String>) -> Self {
        Self(
            entries
                .into_iter()
                .filter(|entry| !entry.is_empty())
                .collect(),
        )
    }

    /// Whether the arguments of this tool are shown.
    #[must_use]
    pub fn covers(&self, server: &str, tool: &str) -> bool {
        self.0.iter().any(|entry| {
            let name = entry.strip_prefix("mcp__").unwrap_or(entry);
            match name.strip_prefix(server) {
                Some("" | "__*") => true,
                Some(rest) => !tool.is_empty() && rest.strip_prefix("__") == Some(tool),
                None => false,
            }
        })
    }
}

/// The pending call as a classifier is shown it. Its size is bounded whatever
/// the call is.
///
/// # Errors
/// [`TooLong`] where a part that is never cut does not fit.
pub fn project(
    call: &Call,
    facts: &Facts,
    policy: &Policy,
    mcp: &McpForwarding,
) -> Result<Projection, TooLong> {
    const MOST: usize = 128_000;
    let mut showing = Showing::new(call, facts, policy, mcp);
    let arguments = showing.arguments()?;
    let length = arguments
        .iter()
        .map(|(key, value)| bounded::weight(key, value))
        .sum();
    if length > MOST {
        return Err(TooLong {
            what: "the call",
            length,
            most: MOST,
        });
    }
    Ok(Projection {
        tool: tool(call),
        arguments,
        withheld: showing.withheld(),
    })
}

/// An earlier call as a classifier is shown it: at most 4,000 characters when
/// printed as compact JSON with these three fields, cuts marked.
#[must_use]
pub fn project_past(
    call: &Call,
    facts: &Facts,
    policy: &Policy,
    mcp: &McpForwarding,
) -> Projection {
    let mut showing = Showing::new(call, facts, policy, mcp).of_the_past();
    let whole = showing.arguments().map(|arguments| Projection {
        tool: tool(call),
        arguments,
        withheld: showing.withheld(),
    });
    whole
        .ok()
        .and_then(|whole| past::fitted(whole).ok())
        .unwrap_or_else(|| Projection {
            tool: tool(call),
            arguments: Map::new(),
            withheld: vec!["the arguments, which are too long".to_owned()],
        })
}

/// What of a protected or outside write is not shown, in plain words that fit
/// behind "was not shown"; none if the call has no such write or all of it is
/// shown. Of a shell command also where a write goes that is known only when
/// it runs. A model's allow is not enough for such a call.
#[must_use]
pub fn hides_a_guarded_write(call: &Call, facts: &Facts, policy: &Policy) -> Option<String> {
    /// Most files that are named.
    const NAMED: usize = 3;
    if !guarded::writes(call, facts, policy) {
        return None;
    }
    let nothing = McpForwarding::default();
    let mut showing = Showing::new(call, facts, policy, &nothing);
    if let Err(too_long) = showing.arguments() {
        return Some(format!(
            "{}, which has {} characters",
            too_long.what,
            grouped(too_long.length)
        ));
    }
    let hidden = showing.hidden();
    if hidden.is_empty() {
        return None;
    }
    let mut told = hidden
        .iter()
        .take(NAMED)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("; ");
    if let Some(more) = hidden.len().checked_sub(NAMED).filter(|more| *more > 0) {
        told.push_str(&format!("; and {more} more such parts"));
    }
    Some(told)
}

/// The name under which the call is shown.
fn tool(call: &Call) -> String {
    match call.operations.as_slice() {
        [operation] => tool_name(&operation.tool.to_string()),
        _ => tool_name(&call.raw_tool),
    }
}

/// A tool's name, visible and bounded.
fn tool_name(name: &str) -> String {
    let shown = redact::code(name, TOOL_CHARS);
    let mut name = redact::visible(&shown.text);
    if shown.missing > 0 {
        name.push('…');
    }
    name
}

/// A number as people read it: `1,240`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The mark of a cut text.
fn cut_mark(missing: impl fmt::Display, what: &str) -> String {
    format!("… [cut: {missing} more {what}]")
}
