//! Requests of an agent to its client that read, write or run something: calls
//! like any other, whether or not the agent asked for permission before.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::{Access, Call, Change, CommandText, Operation, ShellDialect, Subject};
use countersign_core::tool::Tool;
use serde_json::{Map, Value};

use super::{Context, words};
use crate::error::DecodeError;
use crate::fields::Fields;
use crate::tools;

/// Most arguments and variables of a terminal's command.
const MOST_WORDS: usize = 1_000;

/// A request of the agent that is not forwarded unchecked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckedRequest {
    /// The agent asks for permission.
    Permission,
    /// The client reads a file for the agent.
    Read,
    /// The client writes a file for the agent.
    Write,
    /// The client runs a command for the agent.
    Terminal,
}

impl CheckedRequest {
    const ALL: [Self; 4] = [Self::Permission, Self::Read, Self::Write, Self::Terminal];

    /// The method's name.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Permission => "session/request_permission",
            Self::Read => "fs/read_text_file",
            Self::Write => "fs/write_text_file",
            Self::Terminal => "terminal/create",
        }
    }
}

/// What a method is, if it is checked.
#[must_use]
pub fn checked_request(method: &str) -> Option<CheckedRequest> {
    CheckedRequest::ALL
        .into_iter()
        .find(|request| request.method() == method)
}

/// The call that a request is.
pub(super) fn read(
    context: &Context<'_>,
    method: &str,
    params: &Value,
) -> Result<Call, DecodeError> {
    let Value::Object(object) = params else {
        return Err(DecodeError::WrongType {
            field: "params".to_owned(),
            expected: "an object",
            found: crate::json::kind(params),
        });
    };
    let fields = Fields::payload(object);
    let (cwd, parts) = match checked_request(method) {
        Some(CheckedRequest::Read) => {
            let path = absolute(fields, "path")?;
            let subject = Subject::Paths(vec![tools::path_use(path, Access::Read, None)]);
            (None, vec![(Tool::ReadFile, subject)])
        }
        Some(CheckedRequest::Write) => {
            let path = absolute(fields, "path")?;
            let change = Change {
                old: String::new(),
                new: fields.text("content")?.to_owned(),
            };
            let subject = Subject::Paths(vec![tools::path_use(path, Access::Write, Some(change))]);
            (None, vec![(Tool::WriteFile, subject)])
        }
        Some(CheckedRequest::Terminal) => (terminal_folder(fields)?, terminal(fields)?),
        Some(CheckedRequest::Permission) | None => {
            return Err(DecodeError::Invalid {
                field: "method".to_owned(),
                reason: "is none that reads, writes or runs something".to_owned(),
            });
        }
    };
    let raw_input = Value::Object(without_envelope(object));
    let operations = parts
        .into_iter()
        .map(|(tool, subject)| Operation {
            tool,
            subject,
            parameters: std::collections::BTreeMap::new(),
        })
        .collect();
    Ok(Call {
        key: context.key.clone(),
        // The protocol does not say which tool call it belongs to.
        id: None,
        raw_tool: method.to_owned(),
        raw_input,
        cwd: cwd.unwrap_or_else(|| context.cwd.to_owned()),
        search_path: Vec::new(),
        agent_mode: context.agent_mode(),
        operations,
    })
}

/// What the request is about, without the session, which stands in the call,
/// and what the protocol leaves to its extensions.
fn without_envelope(params: &Map<String, Value>) -> Map<String, Value> {
    params
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "sessionId" | "_meta"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// A path as the protocol has them: absolute.
fn absolute<'a>(fields: Fields<'a>, field: &str) -> Result<&'a str, DecodeError> {
    let path = fields.plain_text(field)?;
    if !Utf8Path::new(path).is_absolute() {
        return Err(fields.invalid(field, "is not an absolute path"));
    }
    Ok(path)
}

fn terminal_folder(fields: Fields<'_>) -> Result<Option<Utf8PathBuf>, DecodeError> {
    if fields.value("cwd").is_none() {
        return Ok(None);
    }
    absolute(fields, "cwd").map(|cwd| Some(Utf8PathBuf::from(cwd)))
}

/// A command as every client would run it.
fn terminal(fields: Fields<'_>) -> Result<Vec<(Tool, Subject)>, DecodeError> {
    let command = fields.plain_text("command")?;
    if command.trim().is_empty() {
        return Err(fields.invalid("command", "is empty"));
    }
    let arguments = match fields.value("args") {
        None => Vec::new(),
        Some(Value::Array(items)) if items.is_empty() => Vec::new(),
        Some(_) => fields.texts(&["args"])?,
    };
    if arguments.len() > MOST_WORDS {
        return Err(fields.invalid("args", format!("has more than {MOST_WORDS} entries")));
    }
    let before = environment(fields)?;
    Ok(words::readings(command, &arguments, &before)
        .into_iter()
        .map(|text| {
            let dialect = ShellDialect::Bash;
            let subject = Subject::Command(CommandText { text, dialect });
            (Tool::RunShellCommand, subject)
        })
        .collect())
}

/// The variables of a terminal, as assignments before its command.
fn environment(fields: Fields<'_>) -> Result<String, DecodeError> {
    let Some(value) = fields.value("env") else {
        return Ok(String::new());
    };
    let wrong = || fields.wrong_type("env", "an array of variables", value);
    let variables = value.as_array().ok_or_else(wrong)?;
    if variables.len() > MOST_WORDS {
        return Err(fields.invalid("env", format!("has more than {MOST_WORDS} entries")));
    }
    let mut assignments = String::new();
    for variable in variables {
        let text = |field| variable.get(field).and_then(Value::as_str);
        let (name, value) = text("name").zip(text("value")).ok_or_else(wrong)?;
        if value.contains('\0') {
            return Err(fields.invalid("env", "contains a NUL character"));
        }
        let assigned = words::assignment(name, value)
            .ok_or_else(|| fields.invalid("env", "has a name that is no variable's"))?;
        assignments.push_str(&assigned);
    }
    Ok(assignments)
}

/// Whether a terminal's command is the one of a call that was allowed: the same
/// text in the same folder, with nothing set before it.
#[must_use]
pub fn runs(params: &Value, cwd: &Utf8Path, allowed: &Call) -> bool {
    let [
        Operation {
            subject: Subject::Command(command),
            ..
        },
    ] = allowed.operations.as_slice()
    else {
        return false;
    };
    let Some(object) = params.as_object() else {
        return false;
    };
    let fields = Fields::payload(object);
    let has_environment = match fields.value("env") {
        None => false,
        Some(Value::Array(variables)) => !variables.is_empty(),
        Some(_) => true,
    };
    let Ok(folder) = terminal_folder(fields) else {
        return false;
    };
    let folder = folder.unwrap_or_else(|| cwd.to_owned());
    let mut words: Vec<&str> = Vec::new();
    words.extend(fields.optional_text("command").ok().flatten());
    let arguments = fields.value("args").and_then(Value::as_array);
    for argument in arguments.into_iter().flatten() {
        let Some(argument) = argument.as_str() else {
            return false;
        };
        words.push(argument);
    }
    let is_same = match words.as_slice() {
        // A command alone may be given to a shell as it is.
        [text] => *text == command.text,
        words => words::of_words(words) == command.text,
    };
    is_same && !has_environment && folder == allowed.cwd
}

/// Whether a file that is written is what a call that was allowed makes of it.
/// `now` is what the file holds, where it is there.
#[must_use]
pub fn writes(params: &Value, allowed: &Call, now: Option<&str>) -> bool {
    let text = |field| params.get(field).and_then(Value::as_str);
    let (Some(path), Some(content)) = (text("path"), text("content")) else {
        return false;
    };
    let (paths, is_shown) = match allowed.operations.as_slice() {
        [
            Operation {
                subject: Subject::Paths(paths),
                ..
            },
        ] => (paths, true),
        // The agent does not show its input: the difference beside it is what a
        // person said yes to.
        [
            Operation {
                subject: Subject::Other,
                ..
            },
            Operation {
                subject: Subject::Paths(paths),
                ..
            },
        ] => (paths, false),
        _ => return false,
    };
    let [written] = paths.as_slice() else {
        return false;
    };
    let Some(change) = &written.change else {
        return false;
    };
    if written.access != Access::Write || allowed.cwd.join(&written.path) != path {
        return false;
    }
    if !is_shown {
        // Such a difference is of the whole file.
        return change.old == now.unwrap_or_default() && change.new == content;
    }
    if change.old.is_empty() {
        return change.new == content;
    }
    now.is_some_and(|now| {
        content == now.replacen(&change.old, &change.new, 1)
            || content == now.replace(&change.old, &change.new)
    })
}
