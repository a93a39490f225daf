//! Codex's trust: it runs a hook only if its settings hold the hash of exactly
//! that hook. The hash is made as the measured version makes it.

use camino::Utf8Path;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::refused::Refused;

/// How long Codex waits for a hook without a timeout, in seconds.
const DEFAULT_TIMEOUT: u64 = 600;

/// An event's name as Codex writes it in keys: `pre_tool_use`.
fn label(event: &str) -> String {
    let mut label = String::new();
    for c in event.chars() {
        if c.is_ascii_uppercase() && !label.is_empty() {
            label.push('_');
        }
        label.push(c.to_ascii_lowercase());
    }
    label
}

/// The key of a hook: the file, the event, and where it stands there.
pub(crate) fn key(file: &Utf8Path, event: &str, group: usize, handler: usize) -> String {
    format!("{file}:{}:{group}:{handler}", label(event))
}

/// The hash of a command hook, as Codex compares it.
#[must_use]
pub fn hook_hash(event: &str, matcher: Option<&str>, handler: &Value) -> String {
    let mut hook = json!({
        "type": "command",
        "command": handler.get("command").and_then(Value::as_str).unwrap_or_default(),
        "timeout": handler.get("timeout").and_then(Value::as_u64).unwrap_or(DEFAULT_TIMEOUT).max(1),
        "async": handler.get("async").and_then(Value::as_bool).unwrap_or(false),
    });
    let status = handler.get("statusMessage").and_then(Value::as_str);
    if let (Some(hook), Some(status)) = (hook.as_object_mut(), status) {
        hook.insert("statusMessage".to_owned(), status.into());
    }
    let mut identity = json!({ "event_name": label(event), "hooks": [hook] });
    let has_matcher = !matches!(event, "UserPromptSubmit" | "Stop");
    if let (Some(identity), Some(matcher)) =
        (identity.as_object_mut(), matcher.filter(|_| has_matcher))
    {
        identity.insert("matcher".to_owned(), matcher.into());
    }
    let hash = Sha256::digest(sorted(&identity).as_bytes());
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// JSON without white space and with every object's keys in order, whatever
/// order the map keeps.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.as_str());
            let members: Vec<String> = members
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), sorted(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(sorted).collect();
            format!("[{}]", items.join(","))
        }
        _ => value.to_string(),
    }
}

/// Every command hook of ours in a value of Codex's hooks, with its key and hash.
pub(crate) fn keys(file: &Utf8Path, hooks: &Value, home: &Utf8Path) -> Vec<(String, String)> {
    let mut keys = Vec::new();
    for (event, groups) in hooks.as_object().into_iter().flatten() {
        for (group_index, group) in groups.as_array().into_iter().flatten().enumerate() {
            let matcher = group.get("matcher").and_then(Value::as_str);
            let handlers = group.get("hooks").and_then(Value::as_array);
            for (index, handler) in handlers.into_iter().flatten().enumerate() {
                let command = crate::entries::command_of(handler).unwrap_or_default();
                if crate::command_line::is_ours(&command, home) {
                    let hash = hook_hash(event, matcher, handler);
                    keys.push((key(file, event, group_index, index), hash));
                }
            }
        }
    }
    keys
}

/// Codex's settings with trust for exactly these hooks: key and hash. Everything
/// else stays, comments too.
///
/// # Errors
/// When the settings are broken, or keep something else in that place.
pub(crate) fn trust_edit(
    path: &Utf8Path,
    text: &str,
    trusted: &[(String, String)],
) -> Result<String, Refused> {
    change(path, text, |state| {
        for (key, hash) in trusted {
            let entry = state
                .entry(key)
                .or_insert_with(|| toml_edit::Item::Table(toml_edit::Table::new()));
            let entry = entry
                .as_table_like_mut()
                .ok_or_else(|| format!("`hooks.state.\"{key}\"` is no table; mend it first"))?;
            let is_same = entry
                .get("trusted_hash")
                .and_then(toml_edit::Item::as_str)
                .is_some_and(|known| known == hash);
            if !is_same {
                entry.insert("trusted_hash", toml_edit::value(hash));
            }
        }
        Ok(())
    })
}

/// Codex's settings without what they keep about hooks of ours.
pub(crate) fn distrust(path: &Utf8Path, text: &str, keys: &[String]) -> Result<String, Refused> {
    let table: toml::Table = parse(path, text)?;
    let state = table.get("hooks").and_then(|hooks| hooks.get("state"));
    let is_any = state
        .and_then(toml::Value::as_table)
        .is_some_and(|state| keys.iter().any(|key| state.contains_key(key)));
    if !is_any {
        return Ok(text.to_owned());
    }
    change(path, text, |state| {
        for key in keys {
            state.remove(key);
        }
        Ok(())
    })
}

/// What Codex's settings say, as JSON.
pub(crate) fn parse(path: &Utf8Path, text: &str) -> Result<toml::Table, Refused> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        broken(path, text, at, error.message())
    })
}

fn broken(path: &Utf8Path, text: &str, at: usize, problem: &str) -> Refused {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    Refused::Broken {
        file: path.to_owned(),
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
        problem: problem.trim().replace('\n', " "),
    }
}

fn change(
    path: &Utf8Path,
    text: &str,
    work: impl FnOnce(&mut toml_edit::Table) -> Result<(), String>,
) -> Result<String, Refused> {
    parse(path, text)?;
    let mut document: toml_edit::DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| {
            let at = error.span().map_or(0, |span| span.start);
            broken(path, text, at, error.message())
        })?;
    let shape = |problem: String| Refused::Shape {
        file: path.to_owned(),
        problem,
    };
    let hidden = || {
        let mut table = toml_edit::Table::new();
        table.set_implicit(true);
        toml_edit::Item::Table(table)
    };
    let no_table = |name: &str| {
        shape(format!(
            "`{name}` is no table; write it as `[{name}]` first"
        ))
    };
    let hooks = document
        .entry("hooks")
        .or_insert_with(hidden)
        .as_table_mut()
        .ok_or_else(|| no_table("hooks"))?;
    let state = hooks
        .entry("state")
        .or_insert_with(hidden)
        .as_table_mut()
        .ok_or_else(|| no_table("hooks.state"))?;
    work(state).map_err(shape)?;
    if state.is_empty() && state.is_implicit() {
        hooks.remove("state");
    }
    if hooks.is_empty() && hooks.is_implicit() {
        document.remove("hooks");
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_that_codex_compares() {
        // Asked from Codex 0.169.0 (`hooks/list` of its app server).
        let command = "'/opt/my dir/countersign' hook codex --event PreToolUse --timeout 600";
        let handler = json!({ "type": "command", "command": command, "timeout": 600 });
        assert_eq!(
            hook_hash("PreToolUse", None, &handler),
            "sha256:1797cd5be45a93094a947841ee272e34be55b5834aa7179402b6320245e06b03"
        );
        let handler = json!({ "command": "echo x", "timeout": 5 });
        assert_eq!(
            hook_hash("Stop", None, &handler),
            "sha256:5b1b90e9a0c654770a532d515408df1638fb0a2a188a230dfcee275b14ce1d50"
        );
        let with = hook_hash("PreToolUse", Some("Bash"), &handler);
        assert_ne!(with, hook_hash("PreToolUse", None, &handler));
    }

    #[test]
    fn trust_goes_in_and_out_and_everything_else_stays() {
        let path = Utf8Path::new("/home/ada/.codex/config.toml");
        let before = "# mine\nmodel = \"m\" # best\n\n[hooks.state.\"/x:stop:0:0\"]\n\
                      trusted_hash = \"sha256:1\"\n";
        let trusted = vec![(
            "/h/hooks.json:pre_tool_use:0:0".to_owned(),
            "sha256:2".to_owned(),
        )];
        let after = trust_edit(path, before, &trusted).unwrap();
        assert!(after.starts_with(before), "{after}");
        assert!(
            after.contains(
                "[hooks.state.\"/h/hooks.json:pre_tool_use:0:0\"]\ntrusted_hash = \"sha256:2\""
            ),
            "{after}"
        );
        assert_eq!(trust_edit(path, &after, &trusted).unwrap(), after);
        let keys = vec![trusted[0].0.clone()];
        let out = distrust(path, &after, &keys).unwrap();
        assert_eq!(out.trim_end(), before.trim_end());
        let fresh = trust_edit(path, "", &trusted).unwrap();
        assert_eq!(distrust(path, &fresh, &keys).unwrap(), "");
    }

    #[test]
    fn broken_settings_are_refused_with_their_place() {
        let path = Utf8Path::new("/c.toml");
        let error = trust_edit(path, "a = 1\nb = = 2\n", &[])
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("/c.toml:2:"), "{error}");
        let error = trust_edit(path, "hooks = 3\n", &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("`hooks` is no table"), "{error}");
    }
}
