//! Claude Code, headless.

use camino::Utf8Path;
use serde_json::json;

use super::hooks;
use crate::agent::{AgentUnderTest, PROMPT};
use crate::detached::Launch;
use crate::model::ToolCall;
use crate::surroundings::program;
use crate::world::World;

/// Claude Code.
#[derive(Debug, Clone, Copy)]
pub struct Claude;

const EVENTS: &[&str] = &[
    "SessionStart",
    "UserPromptSubmit",
    "PreToolUse",
    "PermissionRequest",
    "PostToolUse",
    "SessionEnd",
];

impl AgentUnderTest for Claude {
    fn name(&self) -> &'static str {
        "claude-code"
    }

    fn shell(&self, command: &str) -> ToolCall {
        let input = json!({ "command": command, "description": "does it" });
        ToolCall::new("Bash", input)
    }

    fn write(&self, file: &Utf8Path, content: &str) -> ToolCall {
        ToolCall::new("Write", json!({ "file_path": file, "content": content }))
    }

    fn settle(&self, _world: &World, _model: &str) {}

    fn install(&self, world: &World, timeout: u32) {
        let hooks = hooks(world, self.name(), EVENTS, "*", timeout, timeout);
        let settings = json!({ "hooks": hooks });
        world.write_home(".claude/settings.json", &settings.to_string());
    }

    fn launch(&self, world: &World, model: &str) -> Launch {
        let program = program("claude");
        let words = [
            program.as_str(),
            "-p",
            PROMPT,
            "--allowedTools",
            "Bash,Write,Edit,Read",
        ];
        let mut environment = world.environment();
        for (name, value) in [
            ("ANTHROPIC_BASE_URL", model),
            ("ANTHROPIC_API_KEY", "sk-ant-dummy"),
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
            ("DISABLE_TELEMETRY", "1"),
            ("DISABLE_AUTOUPDATER", "1"),
            ("DISABLE_ERROR_REPORTING", "1"),
        ] {
            environment.push((name.to_owned(), value.to_owned()));
        }
        Launch {
            words: words.map(str::to_owned).to_vec(),
            environment,
            folder: world.workspace(),
        }
    }
}
