//! The input of a tool whose name the protocol does not give, by the kind of
//! the tool and the shape of the input.
//!
//! A kind is the agent's word and a shape is many tools': nothing that is found
//! here is ever a safe tool, and an input with a field that is not known is of
//! no known shape.

use camino::Utf8PathBuf;
use countersign_core::call::{Access, Change, CommandText, ShellDialect, Subject};
use countersign_core::tool::Tool;
use serde_json::{Map, Value};

use super::words;
use crate::tools;

/// Fields that say nothing about what is done.
const PROSE: &[&str] = &[
    "description",
    "explanation",
    "justification",
    "reason",
    "timeout",
    "timeout_ms",
];

/// Fields of a command beside it.
const BESIDE_COMMAND: &[&str] = &[
    "command",
    "is_background",
    "run_in_background",
    "call_id",
    "turn_id",
    "parsed_cmd",
];

/// The folder of a command.
const FOLDERS: &[&str] = &["cwd", "workdir", "directory", "dir_path"];

/// The file of an edit.
const FILES: &[&str] = &["file_path", "filePath", "path", "abs_path", "absolute_path"];

/// What was and what will be, of an edit.
const CHANGES: &[(&str, &str)] = &[
    ("old_string", "new_string"),
    ("oldString", "newString"),
    ("old_text", "new_text"),
    ("oldText", "newText"),
];

/// Fields of an edit beside those.
const BESIDE_EDIT: &[&str] = &["content", "replace_all", "replaceAll"];

/// What an input is.
pub(super) struct Input {
    pub(super) tool: Tool,
    pub(super) subject: Subject,
    /// Where it is run, if it says so.
    pub(super) folder: Option<Utf8PathBuf>,
}

/// Reads an input; none where its shape is not known.
pub(super) fn read(kind: Option<&str>, input: &Value) -> Option<Input> {
    let input = input.as_object()?;
    match kind? {
        "execute" => command(input),
        "edit" => edit(input),
        "delete" => delete(input),
        "fetch" => fetch(input),
        _ => None,
    }
}

/// The changes of files that the protocol's content shows.
pub(super) fn diffs(content: Option<&Value>) -> Vec<(Tool, Subject)> {
    let items = content.and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .filter(|item| item.get("type").and_then(Value::as_str) == Some("diff"))
        .filter_map(|item| {
            let path = plain(item.get("path"))?;
            let text = |field| item.get(field).and_then(Value::as_str).unwrap_or_default();
            let change = Change {
                old: text("oldText").to_owned(),
                new: text("newText").to_owned(),
            };
            Some((Tool::WriteFile, written(path, change)))
        })
        .collect()
}

/// A command that the title of a call may be.
pub(super) fn titled(title: &str) -> Option<(Tool, Subject)> {
    let text = plain_text(title).filter(|text| !text.trim().is_empty())?;
    Some((Tool::RunShellCommand, shell(text.to_owned())))
}

fn command(input: &Map<String, Value>) -> Option<Input> {
    if !only(input, &[BESIDE_COMMAND, FOLDERS]) {
        return None;
    }
    let text = match input.get("command")? {
        Value::String(text) => plain_text(text)?.to_owned(),
        Value::Array(words) => {
            let words: Vec<&str> = words
                .iter()
                .map(|word| plain(Some(word)))
                .collect::<Option<_>>()?;
            words::of_words(&words)
        }
        _ => return None,
    };
    if text.trim().is_empty() {
        return None;
    }
    Some(Input {
        tool: Tool::RunShellCommand,
        subject: shell(text),
        folder: one_of(input, FOLDERS)?.map(Utf8PathBuf::from),
    })
}

fn edit(input: &Map<String, Value>) -> Option<Input> {
    let names: Vec<&str> = CHANGES.iter().flat_map(|(old, new)| [*old, *new]).collect();
    if !only(input, &[FILES, BESIDE_EDIT, &names]) {
        return None;
    }
    let path = one_of(input, FILES)??;
    let text = |field: &str| input.get(field).and_then(Value::as_str);
    let mut changes = CHANGES.iter().filter_map(|(old, new)| {
        let new = text(new)?;
        Some((Tool::Edit, text(old)?, new))
    });
    let whole = text("content").map(|content| (Tool::WriteFile, "", content));
    let (tool, old, new) = match (changes.next(), changes.next(), whole) {
        (Some(change), None, None) | (None, None, Some(change)) => change,
        _ => return None,
    };
    let change = Change {
        old: old.to_owned(),
        new: new.to_owned(),
    };
    Some(Input {
        tool,
        subject: written(path, change),
        folder: None,
    })
}

fn delete(input: &Map<String, Value>) -> Option<Input> {
    if !only(input, &[FILES]) {
        return None;
    }
    let path = one_of(input, FILES)??;
    Some(Input {
        tool: Tool::DeleteFile,
        subject: Subject::Paths(vec![tools::path_use(path, Access::Delete, None)]),
        folder: None,
    })
}

fn fetch(input: &Map<String, Value>) -> Option<Input> {
    if !only(input, &[&["url", "prompt", "format"]]) {
        return None;
    }
    let url = plain(input.get("url"))?;
    Some(Input {
        tool: Tool::WebFetch,
        subject: Subject::Urls(vec![url.to_owned()]),
        folder: None,
    })
}

fn shell(text: String) -> Subject {
    Subject::Command(CommandText {
        text,
        dialect: ShellDialect::Bash,
    })
}

fn written(path: &str, change: Change) -> Subject {
    Subject::Paths(vec![tools::path_use(path, Access::Write, Some(change))])
}

/// Whether an input has no other fields than these.
fn only(input: &Map<String, Value>, lists: &[&[&str]]) -> bool {
    input.iter().all(|(name, value)| {
        value.is_null()
            || PROSE.contains(&name.as_str())
            || lists.iter().any(|list| list.contains(&name.as_str()))
    })
}

/// The one field of these that is given. None where there are two, or where it
/// is not a path; inside, none where there is no such field.
#[expect(clippy::option_option, reason = "what is wrong is not what is absent")]
fn one_of<'a>(input: &'a Map<String, Value>, names: &[&str]) -> Option<Option<&'a str>> {
    let mut given = names
        .iter()
        .filter_map(|name| input.get(*name).filter(|value| !value.is_null()));
    let found = match given.next() {
        None => return Some(None),
        Some(value) => plain(Some(value)).filter(|text| !text.is_empty())?,
    };
    given.next().is_none().then_some(Some(found))
}

fn plain(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str).and_then(plain_text)
}

fn plain_text(text: &str) -> Option<&str> {
    (!text.contains('\0')).then_some(text)
}

/// Whether a field says nothing about what is done.
pub(super) fn is_prose(name: &str) -> bool {
    PROSE.contains(&name)
}

/// Whether a field says where a command is run.
pub(super) fn is_folder(name: &str) -> bool {
    FOLDERS.contains(&name)
}
