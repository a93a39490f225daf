//! What a classifier is shown of a call: as much as it needs to judge, no
//! file contents beyond their beginning, and a word about what was withheld.

use serde_json::{Map, Value};

use crate::call::Call;
use crate::facts::Facts;
use crate::policy::Policy;

#[cfg(test)]
pub(crate) mod testing;

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
    /// From the entries of the user's settings: `server`, `mcp__server`,
    /// `mcp__server__*` or `mcp__server__tool`, exactly as the agent writes them.
    #[must_use]
    pub fn new(entries: Vec<String>) -> Self {
        Self(entries)
    }

    /// Whether the arguments of this tool are shown.
    pub(crate) fn covers(&self, server: &str, tool: &str) -> bool {
        self.0.iter().any(|entry| {
            let name = entry.strip_prefix("mcp__").unwrap_or(entry);
            let rest = name.strip_prefix(server);
            rest.is_some_and(|rest| {
                matches!(rest, "" | "__*")
                    || (!tool.is_empty() && rest.strip_prefix("__") == Some(tool))
            })
        })
    }
}

/// The pending call as a classifier is shown it.
///
/// # Errors
/// [`TooLong`] where a part that is never cut does not fit.
pub fn project(
    call: &Call,
    facts: &Facts,
    policy: &Policy,
    mcp: &McpForwarding,
) -> Result<Projection, TooLong> {
    let _ = (facts, policy, mcp);
    Ok(name_only(call))
}

/// An earlier call as a classifier is shown it: at most 4,000 characters when
/// printed as JSON, cuts marked.
#[must_use]
pub fn project_past(
    call: &Call,
    facts: &Facts,
    policy: &Policy,
    mcp: &McpForwarding,
) -> Projection {
    let _ = (facts, policy, mcp);
    name_only(call)
}

/// What of a protected or outside write is not shown, in plain words; none if
/// the call has no such write or all of it is shown.
#[must_use]
pub fn hides_a_guarded_write(call: &Call, facts: &Facts, policy: &Policy) -> Option<String> {
    let _ = (facts, policy);
    call.operations
        .iter()
        .any(|operation| matches!(&operation.subject, crate::call::Subject::Paths(paths) if paths.iter().any(|path| path.access.writes())))
        .then(|| "the change is not shown".to_owned())
}

fn name_only(call: &Call) -> Projection {
    let name = call.operations.first().map_or_else(
        || call.raw_tool.clone(),
        |operation| operation.tool.to_string(),
    );
    Projection {
        tool: crate::redact::visible(&crate::redact::bounded(&name, 200)),
        arguments: Map::new(),
        withheld: vec!["the arguments".to_owned()],
    }
}
