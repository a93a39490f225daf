//! Qwen Code, headless, in its mode that runs everything: its `PreToolUse` comes
//! only for what it would run.

use camino::Utf8Path;
use serde_json::{Value, json};

use super::{commented, hooks, other_hook};
use crate::agent::{AgentUnderTest, PROMPT};
use crate::detached::Launch;
use crate::model::ToolCall;
use crate::surroundings::program;
use crate::world::World;

/// Qwen Code.
#[derive(Debug, Clone, Copy)]
pub struct Qwen;

const EVENTS: &[&str] = &[
    "SessionStart",
    "UserPromptSubmit",
    "PreToolUse",
    "PermissionRequest",
    "PermissionDenied",
    "PostToolUse",
    "PostToolUseFailure",
    "Stop",
    "SessionEnd",
];

const SETTINGS: &str = ".qwen/settings.json";

fn settings() -> Value {
    json!({
        "$version": 4,
        "security": { "auth": { "selectedType": "openai" } },
        "general": { "enableAutoUpdate": false },
        "privacy": { "usageStatisticsEnabled": false },
        "telemetry": { "enabled": false },
        // Its background calls to the model are no part of any case.
        "memory": { "enableManagedAutoMemory": false, "enableManagedAutoDream": false },
    })
}

/// The variables by which it finds the model.
pub(crate) fn environment(world: &World, model: &str) -> Vec<(String, String)> {
    let mut environment = world.environment();
    for (name, value) in [
        ("OPENAI_API_KEY", "dummy".to_owned()),
        ("OPENAI_BASE_URL", format!("{model}/v1")),
        ("OPENAI_MODEL", "mock".to_owned()),
    ] {
        environment.push((name.to_owned(), value));
    }
    environment
}

impl AgentUnderTest for Qwen {
    fn name(&self) -> &'static str {
        "qwen"
    }

    fn shell(&self, command: &str) -> ToolCall {
        let input = json!({ "command": command, "description": "does it", "is_background": false });
        ToolCall::new("run_shell_command", input)
    }

    fn write(&self, file: &Utf8Path, content: &str) -> ToolCall {
        let input = json!({ "file_path": file, "content": content });
        ToolCall::new("write_file", input)
    }

    fn settle(&self, world: &World, _model: &str) {
        if !world.home().join(SETTINGS).exists() {
            world.write_home(SETTINGS, &settings().to_string());
        }
    }

    fn kept(&self, world: &World) -> Vec<(&'static str, String)> {
        let mut settings = settings();
        settings["hooks"] = other_hook(world, "PreToolUse");
        vec![(SETTINGS, commented(&settings))]
    }

    fn install(&self, world: &World, timeout: u32) {
        let mut settings = settings();
        settings["hooks"] = hooks(world, self.name(), EVENTS, "*", timeout, timeout);
        world.write_home(SETTINGS, &settings.to_string());
    }

    fn launch(&self, world: &World, model: &str) -> Launch {
        let program = program("qwen");
        let words = [program.as_str(), "-p", PROMPT, "--approval-mode", "yolo"];
        Launch {
            words: words.map(str::to_owned).to_vec(),
            environment: environment(world, model),
            folder: world.workspace(),
        }
    }
}
