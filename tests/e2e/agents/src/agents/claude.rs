//! Claude Code, headless.

use camino::Utf8Path;
use serde_json::json;

use super::{by_hand, hooks, other_hook};
use crate::agent::{AgentUnderTest, PROMPT};
use crate::detached::Launch;
use crate::model::ToolCall;
use crate::surroundings::program;
use crate::world::World;

/// Claude Code, whose own permissions let every tool run.
#[derive(Debug, Clone, Copy)]
pub struct Claude;

/// Claude Code in its default mode, with a guard that is asked only where Claude
/// Code itself would ask.
#[derive(Debug, Clone, Copy)]
pub struct ClaudeAtPrompts;

const AT_PROMPTS: &[&str] = &["SessionStart", "PermissionRequest", "SessionEnd"];

const NAME: &str = "claude-code";

const SETTINGS: &str = ".claude/settings.json";

fn shell(command: &str) -> ToolCall {
    let input = json!({ "command": command, "description": "does it" });
    ToolCall::new("Bash", input)
}

fn write(file: &Utf8Path, content: &str) -> ToolCall {
    ToolCall::new("Write", json!({ "file_path": file, "content": content }))
}

fn launch(world: &World, model: &str, arguments: &[&str]) -> Launch {
    let program = program("claude");
    let words = [program.as_str(), "-p", PROMPT].into_iter();
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
        words: words
            .chain(arguments.iter().copied())
            .map(str::to_owned)
            .collect(),
        environment,
        folder: world.workspace(),
    }
}

impl AgentUnderTest for Claude {
    fn name(&self) -> &'static str {
        NAME
    }

    fn shell(&self, command: &str) -> ToolCall {
        shell(command)
    }

    fn write(&self, file: &Utf8Path, content: &str) -> ToolCall {
        write(file, content)
    }

    fn settle(&self, _world: &World, _model: &str) {}

    fn kept(&self, world: &World) -> Vec<(&'static str, String)> {
        let settings = json!({
            "includeCoAuthoredBy": false,
            "hooks": other_hook(world, "PreToolUse"),
        });
        vec![(SETTINGS, by_hand(&settings))]
    }

    fn spoilt(&self, settings: &str) -> Option<String> {
        Some(format!("// It takes no comments.\n{settings}"))
    }

    fn launch(&self, world: &World, model: &str) -> Launch {
        launch(world, model, &["--allowedTools", "Bash,Write,Edit,Read"])
    }
}

impl AgentUnderTest for ClaudeAtPrompts {
    fn name(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> &'static str {
        "claude-code-at-prompts"
    }

    fn runs_unasked(&self) -> bool {
        false
    }

    fn shell(&self, command: &str) -> ToolCall {
        shell(command)
    }

    fn write(&self, file: &Utf8Path, content: &str) -> ToolCall {
        write(file, content)
    }

    fn settle(&self, _world: &World, _model: &str) {}

    fn install(&self, world: &World, timeout: u32) {
        let hooks = hooks(world, NAME, AT_PROMPTS, "*", timeout, timeout);
        let settings = json!({ "hooks": hooks });
        world.write_home(SETTINGS, &settings.to_string());
    }

    fn launch(&self, world: &World, model: &str) -> Launch {
        launch(world, model, &[])
    }
}
