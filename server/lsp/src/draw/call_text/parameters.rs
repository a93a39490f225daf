//! What else an agent's tool was told than what its call shows anyway. A field
//! is left out only where its name says that it is what is shown, and it is.

use std::collections::BTreeSet;

use countersign_core::call::{Call, Change, Operation, PathUse, Subject};
use countersign_core::redact;
use serde_json::{Map, Value};

/// Fields that change nothing of what runs.
const OF_NO_EFFECT: [&str; 4] = ["description", "timeout", "timeout_ms", "explanation"];

/// Fields that are `false` where they are left out.
const FALSE_BY_ITSELF: [&str; 5] = [
    "run_in_background",
    "is_background",
    "replace_all",
    "dangerouslyDisableSandbox",
    "multiline",
];

/// The fields of the agents' tools that become a path.
const PATHS: [&str; 8] = [
    "file_path",
    "filePath",
    "path",
    "absolute_path",
    "notebook_path",
    "dir_path",
    "include",
    "paths",
];

/// Those that become the text of a file.
const CONTENTS: [&str; 3] = ["new_string", "content", "new_source"];

/// Those that become the kind of a sub-agent or skill, and its instruction.
const DELEGATES: [&str; 6] = [
    "subagent_type",
    "agent_type",
    "agent_name",
    "name",
    "skill",
    "command",
];
const INSTRUCTIONS: [&str; 3] = ["prompt", "message", "args"];

const EDITS: &str = "edits";

/// One line for each field that is not shown otherwise: all scalars, and lists
/// and objects as JSON.
pub(super) fn beside(call: &Call) -> Vec<String> {
    let input = call.raw_input.to_string();
    let is_shown_wholly = |operation: &Operation| match &operation.subject {
        Subject::Other => true,
        Subject::Delegate { prompt, .. } => *prompt == input,
        Subject::Command(_) | Subject::Paths(_) | Subject::Urls(_) => false,
    };
    if call.operations.is_empty() {
        return vec![line("input", &input)];
    }
    if call.operations.iter().all(is_shown_wholly) {
        return Vec::new();
    }
    let mut lines = BTreeSet::new();
    for operation in &call.operations {
        for (name, value) in &operation.parameters {
            if !is_shown(call, name, value) && !says_nothing(name, value) {
                lines.insert(line(name, value));
            }
        }
    }
    match &call.raw_input {
        Value::Object(fields) => {
            for (name, value) in fields {
                lines.extend(of_structure(call, name, value));
            }
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            lines.insert(line("input", &input));
        }
    }
    lines.into_iter().collect()
}

fn line(name: &str, value: &str) -> String {
    redact::visible(&format!("{name}: {value}"))
}

fn says_nothing(name: &str, value: &str) -> bool {
    OF_NO_EFFECT.contains(&name) || (value == "false" && FALSE_BY_ITSELF.contains(&name))
}

/// Whether a field is what an operation shows, by its name and by its text.
fn is_shown(call: &Call, name: &str, value: &str) -> bool {
    // Each file of a patch is an operation.
    if call.raw_tool == "apply_patch" && name == "command" {
        return true;
    }
    call.operations
        .iter()
        .any(|operation| match &operation.subject {
            Subject::Command(command) => name == "command" && command.text == value,
            Subject::Paths(paths) => {
                let is_in_change = |of: fn(&Change) -> &str| {
                    paths.iter().any(|path| {
                        path.change
                            .as_ref()
                            .is_some_and(|change| of(change) == value)
                    })
                };
                (PATHS.contains(&name) && paths.iter().any(|path| path.path == value))
                    || (name == "old_string" && is_in_change(|change| &change.old))
                    || (CONTENTS.contains(&name) && is_in_change(|change| &change.new))
            }
            Subject::Urls(urls) => {
                matches!(name, "url" | "prompt") && urls.iter().any(|url| url == value)
            }
            Subject::Delegate { kind, prompt } => {
                (DELEGATES.contains(&name) && kind.as_deref() == Some(value))
                    || (INSTRUCTIONS.contains(&name) && prompt == value)
            }
            Subject::Other => false,
        })
}

/// A list or an object, unless all of it is shown.
fn of_structure(call: &Call, name: &str, value: &Value) -> Vec<String> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        Value::Array(edits) if name == EDITS && are_shown(call, edits) => edits
            .iter()
            .enumerate()
            .flat_map(|(number, edit)| of_edit(number, edit.as_object()))
            .collect(),
        Value::Array(all)
            if !all.is_empty()
                && all
                    .iter()
                    .all(|one| one.as_str().is_some_and(|one| is_shown(call, name, one))) =>
        {
            Vec::new()
        }
        Value::Array(_) | Value::Object(_) => vec![line(name, &value.to_string())],
    }
}

/// Whether these edits, one after the other, are the changes that are shown.
fn are_shown(call: &Call, edits: &[Value]) -> bool {
    let [operation] = call.operations.as_slice() else {
        return false;
    };
    let Subject::Paths(paths) = &operation.subject else {
        return false;
    };
    let is_the_change = |(edit, path): (&Value, &PathUse)| {
        let text = |field: &str| edit.get(field).and_then(Value::as_str);
        path.change.as_ref().is_some_and(|change| {
            text("old_string") == Some(&change.old) && text("new_string") == Some(&change.new)
        })
    };
    edits.len() == paths.len() && edits.iter().zip(paths).all(is_the_change)
}

/// What an edit says beside its texts.
fn of_edit(number: usize, edit: Option<&Map<String, Value>>) -> Vec<String> {
    edit.into_iter()
        .flatten()
        .filter(|(name, _)| !matches!(name.as_str(), "old_string" | "new_string"))
        .map(|(name, value)| {
            (
                name,
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
            )
        })
        .filter(|(name, value)| !says_nothing(name, value))
        .map(|(name, value)| {
            line(
                &format!("edit {}, {name}", number.saturating_add(1)),
                &value,
            )
        })
        .collect()
}
