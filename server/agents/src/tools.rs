//! Foreign tools to canonical operations: what each shape of input means.
//! Which tool has which shape is in the agents' own tables.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_core::call::{
    Access, Change, CommandText, Operation, PathUse, ShellDialect, Subject,
};
use countersign_core::tool::Tool;
use serde_json::{Map, Value};

use crate::adapter::{self, Adapter};
use crate::error::DecodeError;
use crate::fields::Fields;
use crate::heredoc;
use crate::patch;
use crate::pattern;
use crate::urls;

/// A built-in tool of an agent.
pub(crate) struct ToolEntry {
    /// Its exact, case-sensitive name.
    pub(crate) raw: &'static str,
    /// What it is.
    pub(crate) tool: Tool,
    /// How its input is read.
    pub(crate) shape: Shape,
}

/// A list of names for one field: versions of an agent call it differently.
pub(crate) type Names = &'static [&'static str];

/// How a tool's input is read. An input of another shape is an error.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// `command`, run by a shell, perhaps in another folder.
    Command {
        dialect: ShellDialect,
        folder: Option<Folder>,
    },
    /// `command` of Codex: some commands are patches in disguise.
    CommandOrPatch { folder: Option<Folder> },
    /// A whole patch in a field.
    Patch(&'static str),
    /// One file that is read.
    Read(Names),
    /// Patterns of files that are read.
    ReadMany(Names),
    /// A file or folder whose contents are searched; the cwd if absent.
    Search(Names),
    /// A `pattern` of names to find below a folder; the cwd if absent.
    Find(Names),
    /// A folder that is listed; the cwd if absent.
    List(Names),
    /// A question to a language server, about a file or the whole workspace.
    LanguageServer(Names),
    /// `old_string` becomes `new_string`.
    Edit(Names),
    /// The text of one field becomes that of another.
    Replace {
        file: Names,
        old: &'static str,
        new: &'static str,
    },
    /// Several of those in `edits`.
    MultiEdit(Names),
    /// A field with `filePath`, `oldString` and `newString` for each of several.
    Replacements(&'static str),
    /// A file that is written in a way that the documents do not settle: what
    /// is not known of the change counts as its text.
    AnyWrite(Names),
    /// Files that are written; the input does not say how.
    WriteMany(Names),
    /// A file that goes away.
    Delete(Names),
    /// One path becomes another: `from`, `to`.
    Move,
    /// `content` becomes the file.
    Write(Names),
    /// A cell becomes `new_source`.
    Notebook(Names),
    /// A `url` is fetched.
    Fetch,
    /// A list of URLs is fetched.
    FetchMany(Names),
    /// URLs in the `prompt` are fetched.
    FetchPrompt,
    /// A `query` for a search engine.
    Query,
    /// A sub-agent or skill.
    Delegate {
        kind: Names,
        kind_required: bool,
        prompt: Prompt,
    },
    /// Nothing that rules look at beyond name and parameters.
    Plain,
}

/// The field that names the folder in which a command runs.
#[derive(Clone, Copy)]
pub(crate) struct Folder {
    pub(crate) field: &'static str,
    /// Whether the agent takes a relative one.
    pub(crate) may_be_relative: bool,
}

/// Where the instruction for a sub-agent stands.
#[derive(Clone, Copy)]
pub(crate) enum Prompt {
    /// In this field.
    Required(&'static str),
    /// In this field, or there is none.
    Optional(&'static str),
    /// In this field; without it the whole input counts as the instruction.
    OrWholeInput(&'static str),
}

/// A tool's input, read.
pub(crate) struct Read {
    pub(crate) cwd: Utf8PathBuf,
    pub(crate) operations: Vec<Operation>,
}

/// Reads a tool's input.
pub(crate) fn read(
    adapter: &Adapter,
    raw_tool: &str,
    raw_input: &Value,
    payload: &Map<String, Value>,
    cwd: &Utf8Path,
) -> Result<Read, DecodeError> {
    let mut tools = (adapter.mcp)(raw_tool, payload)?;
    let entry = adapter.tools.iter().find(|entry| entry.raw == raw_tool);
    if tools.is_empty() && entry.is_none() {
        tools.push(Tool::Other(raw_tool.to_owned()));
    }
    let parameters = parameters(raw_input);
    let (cwd, parts) = match entry.filter(|_| tools.is_empty()) {
        None => {
            let parts = tools.into_iter().map(|tool| (tool, Subject::Other));
            (cwd.to_owned(), parts.collect())
        }
        Some(entry) => {
            let Value::Object(object) = raw_input else {
                return Err(Fields::payload(payload).wrong_type(
                    "tool_input",
                    "an object",
                    raw_input,
                ));
            };
            let input = Fields::tool_input(object);
            (
                folder(entry.shape, input, cwd)?,
                parts(entry, input, raw_input)?,
            )
        }
    };
    let operations = parts
        .into_iter()
        .map(|(tool, subject)| Operation {
            tool,
            subject,
            parameters: parameters.clone(),
        })
        .collect();
    Ok(Read { cwd, operations })
}

/// Every built-in tool of an agent: its raw name and what it is.
pub fn tool_names(agent: Agent) -> impl Iterator<Item = (&'static str, &'static Tool)> {
    let adapter = adapter::adapter(agent);
    adapter.tools.iter().map(|entry| (entry.raw, &entry.tool))
}

/// The scalar fields of an input, as text.
fn parameters(input: &Value) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    for (name, value) in input.as_object().into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => continue,
        };
        parameters.insert(name.clone(), text);
    }
    parameters
}

fn folder(shape: Shape, input: Fields<'_>, cwd: &Utf8Path) -> Result<Utf8PathBuf, DecodeError> {
    let (Shape::Command {
        folder: Some(folder),
        ..
    }
    | Shape::CommandOrPatch {
        folder: Some(folder),
    }) = shape
    else {
        return Ok(cwd.to_owned());
    };
    let Some(given) = input.optional_path(&[folder.field])? else {
        return Ok(cwd.to_owned());
    };
    if !folder.may_be_relative && !Utf8Path::new(given).is_absolute() {
        return Err(input.invalid(folder.field, "is not an absolute path"));
    }
    Ok(cwd.join(given))
}

fn parts(
    entry: &ToolEntry,
    input: Fields<'_>,
    raw_input: &Value,
) -> Result<Vec<(Tool, Subject)>, DecodeError> {
    let one = |subject| Ok(vec![(entry.tool.clone(), subject)]);
    match entry.shape {
        Shape::Command { dialect, .. } => one(command(input, dialect)?),
        Shape::CommandOrPatch { .. } => {
            let shell = command(input, ShellDialect::Bash)?;
            let text = input.plain_text("command")?;
            let mut parts = vec![(entry.tool.clone(), shell)];
            parts.extend(heredoc::patched_files(input, text)?);
            Ok(parts)
        }
        Shape::Patch(field) => patch::files(input, field, input.plain_text(field)?),
        Shape::Read(names) => one(path(input.path(names)?, Access::Read, None)),
        Shape::ReadMany(names) => one(Subject::Paths(
            input
                .texts(names)?
                .into_iter()
                .flat_map(pattern::included)
                .map(|path| path_use(path, Access::ReadTree, None))
                .collect(),
        )),
        Shape::Search(names) => {
            input.text("pattern")?;
            one(path(or_here(input, names)?, Access::ReadTree, None))
        }
        Shape::Find(names) => {
            let root = pattern::root(or_here(input, names)?, input.plain_text("pattern")?);
            one(Subject::Paths(vec![path_use(root, Access::List, None)]))
        }
        Shape::List(names) => one(path(or_here(input, names)?, Access::List, None)),
        Shape::LanguageServer(names) => one(match input.optional_path(names)? {
            Some(file) => path(file, Access::Read, None),
            None => path(HERE, Access::ReadTree, None),
        }),
        Shape::Edit(names) => {
            let change = change(input, input.text("old_string")?, "new_string")?;
            one(path(input.path(names)?, Access::Write, Some(change)))
        }
        Shape::Replace { file, old, new } => {
            let change = change(input, input.text(old)?, new)?;
            one(path(input.path(file)?, Access::Write, Some(change)))
        }
        Shape::MultiEdit(names) => one(multi_edit(input, names)?),
        Shape::Replacements(field) => one(replacements(input, field)?),
        Shape::AnyWrite(names) => {
            let change = any_change(input, raw_input)?;
            one(path(input.path(names)?, Access::Write, Some(change)))
        }
        Shape::WriteMany(names) => one(Subject::Paths(
            input
                .texts(names)?
                .into_iter()
                .map(|file| path_use(file, Access::Write, None))
                .collect(),
        )),
        Shape::Delete(names) => one(path(input.path(names)?, Access::Delete, None)),
        Shape::Move => one(Subject::Paths(vec![
            path_use(input.path(&["from"])?, Access::Delete, None),
            path_use(input.path(&["to"])?, Access::Write, None),
        ])),
        Shape::Write(names) => {
            let change = change(input, "", "content")?;
            one(path(input.path(names)?, Access::Write, Some(change)))
        }
        Shape::Notebook(names) => {
            // Absent when a cell is deleted.
            let change = Change {
                old: String::new(),
                new: input
                    .optional_text("new_source")?
                    .unwrap_or_default()
                    .to_owned(),
            };
            one(path(input.path(names)?, Access::Write, Some(change)))
        }
        Shape::Fetch => {
            let url = input.plain_text("url")?;
            if url.trim().is_empty() {
                return Err(input.invalid("url", "is empty"));
            }
            one(Subject::Urls(vec![url.to_owned()]))
        }
        Shape::FetchMany(names) => one(Subject::Urls(
            input.texts(names)?.into_iter().map(str::to_owned).collect(),
        )),
        Shape::FetchPrompt => one(Subject::Urls(urls::fetched(input)?)),
        Shape::Query => {
            input.text("query")?;
            one(Subject::Other)
        }
        Shape::Delegate {
            kind,
            kind_required,
            prompt,
        } => one(delegate(input, raw_input, kind, kind_required, prompt)?),
        Shape::Plain => one(Subject::Other),
    }
}

/// The cwd, for tools that take it when no folder is given.
const HERE: &str = ".";

fn or_here<'a>(input: Fields<'a>, names: Names) -> Result<&'a str, DecodeError> {
    Ok(input.optional_path(names)?.unwrap_or(HERE))
}

fn command(input: Fields<'_>, dialect: ShellDialect) -> Result<Subject, DecodeError> {
    let text = input.plain_text("command")?;
    if text.trim().is_empty() {
        return Err(input.invalid("command", "is empty"));
    }
    Ok(Subject::Command(CommandText {
        text: text.to_owned(),
        dialect,
    }))
}

fn change(input: Fields<'_>, old: &str, new: &str) -> Result<Change, DecodeError> {
    Ok(Change {
        old: old.to_owned(),
        new: input.text(new)?.to_owned(),
    })
}

fn multi_edit(input: Fields<'_>, names: Names) -> Result<Subject, DecodeError> {
    const EDITS: &str = "edits";
    let file = input.path(names)?;
    let value = input.value(EDITS).ok_or_else(|| input.missing(EDITS))?;
    let wrong = || input.wrong_type(EDITS, "an array of edits", value);
    let edits = value.as_array().ok_or_else(wrong)?;
    if edits.is_empty() {
        return Err(input.invalid(EDITS, "is empty"));
    }
    let uses = edits
        .iter()
        .map(|edit| {
            let text = |field| edit.get(field).and_then(Value::as_str).ok_or_else(wrong);
            let change = Change {
                old: text("old_string")?.to_owned(),
                new: text("new_string")?.to_owned(),
            };
            Ok(path_use(file, Access::Write, Some(change)))
        })
        .collect::<Result<_, _>>()?;
    Ok(Subject::Paths(uses))
}

/// What an edit in a form that is not settled puts into its file.
fn any_change(input: Fields<'_>, raw_input: &Value) -> Result<Change, DecodeError> {
    const OLD: &[&str] = &["old_string", "oldString", "old_str"];
    const NEW: &[&str] = &[
        "content",
        "contents",
        "file_text",
        "new_string",
        "newString",
        "new_str",
    ];
    let first = |names: &[&str]| -> Result<Option<String>, DecodeError> {
        let mut texts = Vec::new();
        for name in names {
            texts.extend(input.optional_text(name)?);
        }
        Ok((!texts.is_empty()).then(|| texts.join("\n")))
    };
    Ok(Change {
        old: first(OLD)?.unwrap_or_default(),
        new: first(NEW)?.unwrap_or_else(|| raw_input.to_string()),
    })
}

fn replacements(input: Fields<'_>, field: &str) -> Result<Subject, DecodeError> {
    let value = input.value(field).ok_or_else(|| input.missing(field))?;
    let wrong = || input.wrong_type(field, "an array of replacements", value);
    let items = value.as_array().ok_or_else(wrong)?;
    if items.is_empty() {
        return Err(input.invalid(field, "is empty"));
    }
    let uses = items
        .iter()
        .map(|item| {
            let item = item.as_object().ok_or_else(wrong)?;
            let item = Fields::tool_input(item);
            let change = change(item, item.text("oldString")?, "newString")?;
            let file = item.path(&["filePath"])?;
            Ok(path_use(file, Access::Write, Some(change)))
        })
        .collect::<Result<_, _>>()?;
    Ok(Subject::Paths(uses))
}

fn delegate(
    input: Fields<'_>,
    raw_input: &Value,
    kind: Names,
    kind_required: bool,
    prompt: Prompt,
) -> Result<Subject, DecodeError> {
    let kind = if kind_required {
        Some(input.path(kind)?)
    } else {
        input.optional_path(kind)?
    };
    let prompt = match prompt {
        Prompt::Required(field) => input.text(field)?.to_owned(),
        Prompt::Optional(field) => input.optional_text(field)?.unwrap_or_default().to_owned(),
        Prompt::OrWholeInput(field) => match input.optional_text(field)? {
            Some(text) => text.to_owned(),
            None => raw_input.to_string(),
        },
    };
    Ok(Subject::Delegate {
        kind: kind.map(str::to_owned),
        prompt,
    })
}

fn path(path: &str, access: Access, change: Option<Change>) -> Subject {
    Subject::Paths(vec![path_use(path, access, change)])
}

/// One use of a path.
pub(crate) fn path_use(path: impl Into<String>, access: Access, change: Option<Change>) -> PathUse {
    PathUse {
        path: path.into(),
        access,
        change,
    }
}
