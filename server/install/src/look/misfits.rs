//! Claude Code leaves out a whole file of settings for one value of a wrong kind,
//! and its hooks with it. The kinds here are those that were measured.

use serde_json::Value;

type Fits = fn(&Value) -> bool;

/// Settings and what they must be. Nothing may be null.
const KINDS: &[(&str, &str, Fits)] = &[
    ("/alwaysThinkingEnabled", "a boolean", Value::is_boolean),
    ("/apiKeyHelper", "a string", Value::is_string),
    ("/autoUpdatesChannel", "a string", Value::is_string),
    ("/cleanupPeriodDays", "a number", Value::is_number),
    ("/disableAllHooks", "a boolean", Value::is_boolean),
    (
        "/enableAllProjectMcpServers",
        "a boolean",
        Value::is_boolean,
    ),
    ("/enabledPlugins", "an object", Value::is_object),
    ("/env", "an object", Value::is_object),
    ("/includeCoAuthoredBy", "a boolean", Value::is_boolean),
    ("/language", "a string", Value::is_string),
    ("/model", "a string", Value::is_string),
    ("/outputStyle", "a string", Value::is_string),
    ("/permissions", "an object", Value::is_object),
    (
        "/permissions/additionalDirectories",
        "a list",
        Value::is_array,
    ),
    ("/permissions/allow", "a list", Value::is_array),
    ("/sandbox", "an object", Value::is_object),
    ("/spinnerTipsEnabled", "a boolean", Value::is_boolean),
    ("/statusLine", "an object", Value::is_object),
];

/// What keeps a file from being taken, if something is known to.
pub(super) fn misfit(settings: &Value) -> Option<String> {
    let misfit = KINDS.iter().find(|(name, _, fits)| {
        let value = settings.pointer(name);
        value.is_some_and(|value| !fits(value))
    });
    if let Some((name, kind, _)) = misfit {
        let name = name.trim_start_matches('/').replace('/', ".");
        return Some(format!("`{name}` is not {kind}"));
    }
    let events = settings.get("hooks")?.as_object()?;
    events.iter().find_map(|(event, groups)| {
        let groups = groups.as_array().into_iter().flatten();
        let mut handlers = groups.flat_map(|group| {
            let handlers = group.get("hooks").and_then(Value::as_array);
            handlers.into_iter().flatten()
        });
        let is_misfit = handlers.any(|handler| {
            let timeout = handler.get("timeout");
            timeout.is_some_and(|timeout| !timeout.is_number())
        });
        is_misfit.then(|| format!("a `timeout` of a hook at {event} is not a number"))
    })
}
