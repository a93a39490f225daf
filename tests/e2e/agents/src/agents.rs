//! The agents, one file each.

mod claude;
mod codex;
mod gemini;

pub use claude::Claude;
pub use codex::Codex;
pub use gemini::Gemini;

use serde_json::{Map, Value, json};

use crate::world::World;

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
