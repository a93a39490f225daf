//! What texts and paths become where they are put together or searched for.

use super::values::{HERE, HOME, NONE, Value, limited, stays};

/// The last name of a path; one that ends in a slash has none.
pub(super) fn last(value: Value) -> Value {
    match value {
        Value::Glob(patterns) if !patterns.iter().any(|one| one.ends_with('/')) => Value::Name,
        Value::Name => Value::Name,
        _ => Value::Other,
    }
}

/// As a path object has it: without needless slashes and dots. That matters
/// where text is put behind it.
pub(super) fn as_path(value: Value) -> Value {
    let Value::Text(texts) = value else {
        return value;
    };
    limited(texts.iter().map(|text| {
        let parts: Vec<&str> = text
            .split('/')
            .filter(|part| !matches!(*part, "" | "."))
            .collect();
        let front = if text.starts_with('/') { "/" } else { "" };
        match parts.as_slice() {
            [] if front.is_empty() => ".".to_owned(),
            parts => format!("{front}{}", parts.join("/")),
        }
    }))
}

/// A path as an absolute one; links and dots stay.
pub(super) fn from_here(value: Value) -> Value {
    match as_path(value) {
        Value::Text(all) if all.iter().all(|one| plain(one)) => {
            as_path(Value::text("\u{1}").join(Value::Text(all)))
        }
        _ => Value::Other,
    }
}

/// What stands before the last slash, as `os.path.dirname` has it.
pub(super) fn folder_of(value: Value) -> Value {
    let Value::Text(texts) = value else {
        return Value::Other;
    };
    if texts.iter().any(|text| text == "\0" || text == "\u{1}") {
        return Value::Other;
    }
    limited(texts.iter().map(|text| match text.rsplit_once('/') {
        None => String::new(),
        Some((folder, _)) => match folder.trim_end_matches('/') {
            "" => "/".to_owned(),
            folder => folder.to_owned(),
        },
    }))
}

/// Only what may be a path.
pub(super) fn is_a_path(value: Value) -> Value {
    match value {
        Value::Text(_) | Value::Below(_) | Value::Name | Value::Glob(_) => value,
        _ => Value::Other,
    }
}

/// Whether leaving out its dots leads to the same file.
pub(super) fn plain(text: &str) -> bool {
    !text.split('/').any(|part| part == "..")
}

/// What `~` in front means.
pub(super) fn home(value: Value) -> Value {
    match value {
        Value::Text(all) => limited(all.into_iter().map(|text| match text.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{HOME}{rest}"),
            Some(_) => NONE.to_owned(),
            None => text,
        })),
        _ => Value::Other,
    }
}

/// What a search for a pattern in a folder gives; `all_names`: hidden names, too.
pub(super) fn found(folder: Value, pattern: Value, all_names: bool) -> Value {
    let folder = match folder {
        Value::Name => Value::Below(vec![".".to_owned()]),
        folder => folder,
    };
    let (Value::Text(folders), Value::Text(patterns)) = (&folder, &pattern) else {
        return match (folder, pattern) {
            (Value::Below(roots), Value::Text(patterns))
                if patterns.iter().all(|one| stays(one)) =>
            {
                Value::Below(roots)
            }
            _ => Value::Other,
        };
    };
    let mut all = Value::Nothing;
    for folder in folders {
        for pattern in patterns {
            let joined = match Value::text(folder).join(Value::text(pattern)) {
                Value::Text(texts) => texts.into_iter().next().unwrap_or_default(),
                _ => return Value::Other,
            };
            let is_simple = !all_names
                && !folder.contains(['*', '?', '['])
                && !joined.contains("**")
                && !joined.contains(['\\', '{', '}', HOME, HERE, '~', '!'])
                && !joined.split('/').any(|part| part == "..");
            let one = if is_simple {
                Value::Glob(vec![joined])
            } else {
                match fixed(folder, pattern) {
                    Some(root) => Value::Below(vec![root]),
                    None => Value::Other,
                }
            };
            all = all.or(one);
        }
    }
    all
}

/// The folder that a pattern does not lead out of.
pub(super) fn fixed(folder: &str, pattern: &str) -> Option<String> {
    if pattern.split('/').any(|part| part == "..") {
        return None;
    }
    let parts: Vec<&str> = pattern.split('/').collect();
    let fixed = parts
        .iter()
        .take_while(|part| !part.contains(['*', '?', '[']));
    let fixed: Vec<&str> = fixed.copied().collect();
    let prefix = fixed.join("/");
    let prefix = if pattern.starts_with('/') && prefix.is_empty() {
        "/"
    } else {
        &prefix
    };
    match Value::text(folder).join(Value::text(prefix)) {
        Value::Text(texts) => texts.into_iter().next().map(|text| {
            if text.is_empty() {
                ".".to_owned()
            } else {
                text
            }
        }),
        _ => None,
    }
}

/// Texts one after the other.
pub(super) fn concatenated(parts: Vec<Value>) -> Value {
    let mut all = vec![String::new()];
    // Where it is below, once that is seen, and whether it may be the folder
    // itself, of which more letters make another one.
    let mut below: Option<(Vec<String>, bool)> = None;
    for part in parts {
        match (part, &mut below) {
            (Value::Text(more), None) => {
                let joined = all
                    .iter()
                    .flat_map(|one| more.iter().map(move |other| format!("{one}{other}")));
                match limited(joined) {
                    Value::Text(texts) => all = texts,
                    _ => return Value::Other,
                }
            }
            (Value::Name, None) if all.iter().all(String::is_empty) => {
                below = Some((vec![".".to_owned()], false));
            }
            (Value::Name, None) if all.iter().all(|one| one.ends_with('/')) => {
                below = Some((all.clone(), false));
            }
            (Value::Below(roots), None) if all.iter().all(String::is_empty) => {
                below = Some((roots, true));
            }
            (Value::Text(more), Some((_, may_be_folder)))
                if more.iter().all(|one| {
                    (!*may_be_folder || one.starts_with('/')) && stays(one.trim_start_matches('/'))
                }) =>
            {
                *may_be_folder = false;
            }
            (Value::Name, Some((_, false))) => {}
            _ => return Value::Other,
        }
    }
    match below {
        Some((roots, _)) => Value::Below(roots),
        None => Value::Text(all),
    }
}
