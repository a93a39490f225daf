//! The fields of an input of which nothing is shown, by name: a classifier must
//! not take silence about a field for its absence.

use serde_json::{Map, Value};

use super::grouped;
use crate::call::{Call, Operation, Subject};
use crate::redact;
use crate::tool::Tool;

/// Most fields that are named.
const NAMED: usize = 12;

/// The agent's own words about its call, which are never shown.
pub(super) const PROSE: &[&str] = &["description", "explanation", "justification", "instruction"];

/// Fields whose content is shown, under another name or as a part of the
/// subject, or whose withholding is told.
const COMMAND_FIELDS: &[&str] = &["command", "cwd", "workdir", "directory", "dir_path"];
const PATH_FIELDS: &[&str] = &[
    "file_path",
    "absolute_path",
    "notebook_path",
    "filePath",
    "dir_path",
    "path",
    "paths",
    "old_string",
    "new_string",
    "edits",
    "content",
    "new_source",
    "command",
    "input",
    "patch",
];
const URL_FIELDS: &[&str] = &["url", "urls", "prompt"];
const DELEGATE_FIELDS: &[&str] = &[
    "subagent_type",
    "agent_type",
    "agent_name",
    "skill",
    "command",
    "prompt",
    "args",
];

/// Names the fields of a known tool's input of which `shown` has nothing.
pub(super) fn other_fields(
    call: &Call,
    operation: &Operation,
    shown: &Map<String, Value>,
) -> Option<String> {
    let (known, prose): (_, &[&str]) = match &operation.subject {
        Subject::Command(_) => (COMMAND_FIELDS, PROSE),
        Subject::Paths(_) => (PATH_FIELDS, PROSE),
        Subject::Urls(_) => (URL_FIELDS, &[]),
        Subject::Delegate { prompt, .. } => {
            let whole = call.raw_input.to_string();
            if *prompt == whole {
                // The whole input is the prompt where no field of it is known.
                return None;
            }
            (DELEGATE_FIELDS, &[])
        }
        Subject::Other if operation.tool == Tool::WebSearch => (&[], &[]),
        Subject::Other => return None,
    };
    let others: Vec<&str> = call
        .raw_input
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| {
            let is_told = known.contains(&name.as_str()) || prose.contains(&name.as_str());
            !(is_told || value.is_null() || shown.contains_key(*name))
        })
        .map(|(name, _)| name.as_str())
        .collect();
    if others.is_empty() {
        return None;
    }
    let named = others.iter().take(NAMED);
    let mut names: Vec<String> = named.map(|name| field_name(name)).collect();
    if let Some(more) = others.len().checked_sub(NAMED).filter(|more| *more > 0) {
        names.push(format!("and {} more", grouped(more)));
    }
    Some(format!("other fields: {}", names.join(", ")))
}

/// The name of a field, on one short line.
fn field_name(name: &str) -> String {
    const MOST: usize = 40;
    redact::visible(&redact::code(name, MOST).text)
}
