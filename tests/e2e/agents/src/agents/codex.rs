//! Codex, headless, without its sandbox.

use camino::Utf8Path;
use serde_json::json;

use super::hooks;
use crate::agent::{AgentUnderTest, PROMPT};
use crate::detached::Launch;
use crate::model::ToolCall;
use crate::surroundings::program;
use crate::world::World;

/// Codex.
#[derive(Debug, Clone, Copy)]
pub struct Codex;

const EVENTS: &[&str] = &[
    "SessionStart",
    "UserPromptSubmit",
    "PreToolUse",
    "PermissionRequest",
    "PostToolUse",
];

impl AgentUnderTest for Codex {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn shell(&self, command: &str) -> ToolCall {
        ToolCall::new("exec_command", json!({ "cmd": command }))
    }

    /// As Codex has its model write files: a patch in a here-document.
    fn write(&self, file: &Utf8Path, content: &str) -> ToolCall {
        let lines: Vec<String> = content.lines().map(|line| format!("+{line}")).collect();
        let lines = lines.join("\n");
        let patch = format!("*** Begin Patch\n*** Add File: {file}\n{lines}\n*** End Patch");
        self.shell(&format!("apply_patch <<'PATCH'\n{patch}\nPATCH\n"))
    }

    fn settle(&self, world: &World, model: &str) {
        let config = format!(
            r#"model = "mock"
model_provider = "mock"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.mock]
name = "mock"
base_url = "{model}/v1"
wire_api = "responses"
env_key = "MOCK_KEY"
request_max_retries = 0
stream_max_retries = 0
supports_websockets = false
"#
        );
        world.write_home(".codex/config.toml", &config);
    }

    fn install(&self, world: &World, timeout: u32) {
        let hooks = hooks(world, self.name(), EVENTS, ".*", timeout, timeout);
        world.write_home(".codex/hooks.json", &json!({ "hooks": hooks }).to_string());
    }

    fn launch(&self, world: &World, _model: &str) -> Launch {
        let program = program("codex");
        let words = [
            program.as_str(),
            "exec",
            "--skip-git-repo-check",
            "--dangerously-bypass-hook-trust",
            "--sandbox",
            "danger-full-access",
            PROMPT,
        ]
        .map(str::to_owned)
        .to_vec();
        let mut environment = world.environment();
        environment.push(("CODEX_HOME".to_owned(), world.home().join(".codex").into()));
        environment.push(("MOCK_KEY".to_owned(), "dummy".to_owned()));
        Launch {
            words,
            environment,
            folder: world.workspace(),
        }
    }
}
