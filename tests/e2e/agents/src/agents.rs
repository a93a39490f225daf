//! The agents, one file each.

mod claude;
mod codex;
mod gemini;
pub(crate) mod opencode;
mod qwen;

pub use claude::{Claude, ClaudeAtPrompts};
pub use codex::{Codex, CodexAtPrompts};
pub use gemini::Gemini;
pub use opencode::Opencode;
pub use qwen::Qwen;

use serde_json::{Map, Value, json};

use crate::world::World;

/// JSON as a person keeps it: with tabs, and no line end at the end.
pub(crate) fn by_hand(settings: &Value) -> String {
    format!("{settings:#}").replace("  ", "\t")
}

/// The same with comments.
pub(crate) fn commented(settings: &Value) -> String {
    let text = by_hand(settings);
    let text = text.replacen("{\n", "{\n\t// Mine, and to stay as it is.\n", 1);
    format!("// Of my dot files.\n{text}")
}

/// Somebody else's hook before every tool, as these agents have hooks.
pub(crate) fn other_hook(world: &World, event: &str) -> Value {
    let command = world.other_hook();
    json!({ event: [{
        "hooks": [{ "command": command, "type": "command" }],
        "matcher": "*",
    }]})
}

/// Hooks as Claude Code, Codex, Gemini CLI and Qwen Code have them in their files:
/// one command for every tool at each of these events. The timeout is what the
/// agent is told, in its own unit; `seconds` is what the hook is told.
#[must_use]
pub fn hooks(
    world: &World,
    agent: &str,
    events: &[&str],
    matcher: &str,
    timeout: u32,
    seconds: u32,
) -> Value {
    let entries: Map<String, Value> = events
        .iter()
        .map(|event| {
            let hook = json!({
                "type": "command",
                "command": world.hook_line(agent, event, seconds),
                "timeout": timeout,
            });
            let entry = json!([{ "matcher": matcher, "hooks": [hook] }]);
            ((*event).to_owned(), entry)
        })
        .collect();
    Value::Object(entries)
}
