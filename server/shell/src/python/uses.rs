//! What is done with a path that a program names.

use countersign_core::effect::Touch;
use ruff_python_ast::{Arguments, Expr};

use super::paths::found;
use super::tables::Use;
use super::values::{HERE, HOME, Value, Values};
use super::{Act, At};

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opened {
    Read,
    Write,
    Edit,
}

/// What `open` may be told by name, besides the mode.
const OF_OPEN: &[&str] = &[
    "encoding",
    "errors",
    "newline",
    "buffering",
    "compresslevel",
    "format",
];

/// What the others may be told by name.
const OF_OTHERS: &[&str] = &[
    "encoding",
    "errors",
    "newline",
    "exist_ok",
    "missing_ok",
    "parents",
    "recursive",
    "topdown",
    "data",
    "mode",
    "ignore_errors",
];

/// What a call does with a path. `receiver` is the path where it is a method's.
pub(super) fn acts(
    does: Use,
    name: &str,
    receiver: Option<Value>,
    arguments: &Arguments,
    values: &Values<'_, '_>,
) -> Result<Vec<Act>, String> {
    if arguments
        .args
        .iter()
        .any(|arg| matches!(arg, Expr::Starred(_)))
    {
        return Err(format!("what `{name}` is given is not known"));
    }
    let is_method = receiver.is_some();
    let path = || match (&receiver, arguments.args.first()) {
        (Some(path), _) => path.clone(),
        (None, Some(path)) => values.of(path),
        (None, None) => Value::text("."),
    };
    let at_most = |most: usize| arguments.args.len() <= most;
    let unknown = || Err(format!("what `{name}` is given is not known"));
    let touch = match does {
        Use::Open | Use::OpenBytes | Use::OpenPath | Use::OpenArchive => {
            let at = usize::from(does != Use::OpenPath);
            let opened = match mode(arguments, at, does)? {
                Some(opened) => opened,
                None => return Err(format!("how `{name}` opens a file is not known")),
            };
            if does == Use::OpenArchive && opened != Opened::Read {
                return Err(format!("`{name}` makes an archive"));
            }
            if !is_method && arguments.args.is_empty() {
                return unknown();
            }
            match opened {
                Opened::Read => Touch::Read,
                Opened::Write => Touch::Write,
                Opened::Edit => Touch::Edit,
            }
        }
        Use::Find | Use::FindBelow => {
            if !plain_keywords(arguments, &["recursive"]) || !at_most(1) {
                return unknown();
            }
            let pattern = arguments
                .args
                .first()
                .map_or(Value::Other, |arg| values.of(arg));
            let folder = receiver.unwrap_or_else(|| Value::text(""));
            return touched(Touch::ListTree, found(folder, pattern, true), name);
        }
        _ => {
            if !plain_keywords(arguments, OF_OTHERS) {
                return unknown();
            }
            match does {
                Use::Look => return Ok(looked_at(path())),
                Use::List => Touch::List,
                Use::ListTree => {
                    return touched(Touch::ListTree, path(), name);
                }
                Use::Read => Touch::Read,
                Use::Write => Touch::Write,
                Use::Edit => Touch::Edit,
                Use::Delete => Touch::Delete,
                Use::DeleteFolder => Touch::DeleteFolder,
                Use::DeleteTree => Touch::DeleteTree,
                Use::MakeFolder => Touch::MakeFolder,
                Use::Find
                | Use::FindBelow
                | Use::Open
                | Use::OpenBytes
                | Use::OpenArchive
                | Use::OpenPath => return unknown(),
            }
        }
    };
    touched(touch, path(), name)
}

/// Attributes are all that is looked at: a path that is not known is no matter.
fn looked_at(path: Value) -> Vec<Act> {
    match path {
        Value::Text(texts) => texts
            .iter()
            .filter_map(|text| shown(text))
            .map(|text| Act {
                touch: Touch::List,
                at: At::Path(text),
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn touched(touch: Touch, path: Value, name: &str) -> Result<Vec<Act>, String> {
    let unknown = || format!("the path that `{name}` works with is known only when it runs");
    let all = |texts: Vec<String>, at: fn(String) -> At, touch: Touch| {
        texts
            .iter()
            .map(|text| {
                let text = shown(text).ok_or_else(unknown)?;
                Ok(Act {
                    touch,
                    at: at(text),
                })
            })
            .collect::<Result<Vec<Act>, String>>()
    };
    match path {
        Value::Text(texts) => all(texts, At::Path, touch),
        Value::Glob(patterns) if touch != Touch::DeleteTree => all(patterns, At::Glob, touch),
        Value::Below(_) | Value::Name | Value::Glob(_) => {
            let touch = match touch {
                Touch::Read => Touch::ReadTree,
                Touch::List | Touch::ListTree => Touch::ListTree,
                _ => return Err(unknown()),
            };
            match path {
                Value::Below(roots) => all(roots, At::Below, touch),
                Value::Name => all(vec![".".to_owned()], At::Below, touch),
                _ => Err(unknown()),
            }
        }
        Value::Nothing | Value::Each(_) | Value::Parts(_) | Value::Other => Err(unknown()),
    }
}

/// A path as the effects have it: `~` in front is the home folder, and only that.
fn shown(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix(HOME) {
        let is_home = rest.is_empty() || rest.starts_with('/');
        return (is_home && !rest.contains([HOME, HERE])).then(|| format!("~{rest}"));
    }
    if let Some(rest) = text.strip_prefix(HERE) {
        let is_here = rest.is_empty() || rest.starts_with('/');
        return (is_here && !rest.contains([HOME, HERE])).then(|| format!(".{rest}"));
    }
    if text.contains([HOME, HERE]) {
        return None;
    }
    Some(match text {
        "" => ".".to_owned(),
        _ if text.starts_with('~') => format!("./{text}"),
        _ => text.to_owned(),
    })
}

fn plain_keywords(arguments: &Arguments, known: &[&str]) -> bool {
    arguments.keywords.iter().all(|keyword| {
        keyword
            .arg
            .as_ref()
            .is_some_and(|arg| known.contains(&arg.as_str()))
    })
}

/// How a file is opened; `None` where that is not known.
fn mode(arguments: &Arguments, at: usize, does: Use) -> Result<Option<Opened>, String> {
    let mut mode = arguments.args.get(at);
    for keyword in &arguments.keywords {
        let Some(arg) = &keyword.arg else {
            return Ok(None);
        };
        match arg.as_str() {
            "mode" if mode.is_none() => mode = Some(&keyword.value),
            name if OF_OPEN.contains(&name) => {}
            name => {
                return Err(format!(
                    "what `{name}` does to a file that is opened is not known"
                ));
            }
        }
    }
    // `opener` is the eighth.
    if arguments.args.len() > at + 5 {
        return Ok(None);
    }
    let text = match mode {
        None => "r",
        Some(Expr::StringLiteral(text)) => text.value.to_str(),
        Some(_) => return Ok(None),
    };
    let letters = if does == Use::OpenArchive {
        text.split(':').next().unwrap_or("")
    } else {
        text
    };
    if letters.is_empty() || !letters.chars().all(|letter| "rwxabt+U".contains(letter)) {
        return Ok(None);
    }
    Ok(Some(if letters.contains('a') {
        Opened::Edit
    } else if letters.contains(['w', 'x']) {
        Opened::Write
    } else if letters.contains('+') {
        Opened::Edit
    } else {
        Opened::Read
    }))
}
