//! Gemini CLI, headless.

use camino::Utf8Path;
use serde_json::{Value, json};

use super::{commented, other_hook};
use crate::agent::{AgentUnderTest, PROMPT};
use crate::detached::Launch;
use crate::model::ToolCall;
use crate::surroundings::program;
use crate::world::World;

/// Gemini CLI.
#[derive(Debug, Clone, Copy)]
pub struct Gemini;

const SETTINGS: &str = ".gemini/settings.json";

fn settings() -> Value {
    json!({
        "security": {
            "auth": { "selectedType": "gemini-api-key" },
            "folderTrust": { "enabled": false },
        },
        "general": { "enableAutoUpdate": false },
        "privacy": { "usageStatisticsEnabled": false },
        "telemetry": { "enabled": false },
        "tools": { "enableHooks": true },
        "hooksConfig": { "enabled": true },
    })
}

impl AgentUnderTest for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn shell(&self, command: &str) -> ToolCall {
        let input = json!({ "command": command, "description": "does it" });
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
        settings["hooks"] = other_hook(world, "BeforeTool");
        vec![(SETTINGS, commented(&settings))]
    }

    fn launch(&self, world: &World, model: &str) -> Launch {
        let program = program("gemini");
        let words = [
            program.as_str(),
            "--prompt",
            PROMPT,
            "--model",
            "gemini-2.5-flash",
            "--approval-mode",
            "yolo",
        ]
        .map(str::to_owned)
        .to_vec();
        let mut environment = world.environment();
        for (name, value) in [
            ("GEMINI_API_KEY", "dummy"),
            ("GOOGLE_GEMINI_BASE_URL", model),
            ("GEMINI_CLI_TRUST_WORKSPACE", "true"),
        ] {
            environment.push((name.to_owned(), value.to_owned()));
        }
        Launch {
            words,
            environment,
            folder: world.workspace(),
        }
    }
}
