//! Codex, headless.

use camino::Utf8Path;
use countersign_install::hook_hash;
use serde_json::json;

use super::{by_hand, hooks};
use crate::agent::{AgentUnderTest, PROMPT};
use crate::detached::Launch;
use crate::model::ToolCall;
use crate::surroundings::program;
use crate::world::World;

/// Codex without its sandbox.
#[derive(Debug, Clone, Copy)]
pub struct Codex;

/// Codex in its sandbox, with a model that wants out of it every time, and a guard
/// that is asked only then. Where the guard says nothing, another model of Codex
/// decides, which refuses.
#[derive(Debug, Clone, Copy)]
pub struct CodexAtPrompts;

const AT_PROMPTS: &[&str] = &["SessionStart", "PermissionRequest"];

const NAME: &str = "codex";

const HOOKS: &str = ".codex/hooks.json";

const SETTINGS: &str = ".codex/config.toml";

/// Stands only in what Codex asks the model that decides for the user.
const GUARDIAN: &str = "user_authorization";

const REFUSAL: &str = r#"{"risk_level":"high","user_authorization":"low","outcome":"deny","rationale":"the test says so"}"#;

/// As Codex has its model write files: a patch in a here-document.
fn patch(file: &Utf8Path, content: &str) -> String {
    let lines: Vec<String> = content.lines().map(|line| format!("+{line}")).collect();
    let lines = lines.join("\n");
    let patch = format!("*** Begin Patch\n*** Add File: {file}\n{lines}\n*** End Patch");
    format!("apply_patch <<'PATCH'\n{patch}\nPATCH\n")
}

/// What it has to know of the model but where it is: that changes from run to run,
/// and the trust in hooks stands in the same file.
const CONFIG: &str = r#"model = "mock"
model_provider = "mock"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.mock]
name = "mock"
base_url = "http://127.0.0.1:9/v1"
wire_api = "responses"
env_key = "MOCK_KEY"
request_max_retries = 0
stream_max_retries = 0
supports_websockets = false
"#;

fn settle(world: &World) {
    if !world.home().join(SETTINGS).exists() {
        world.write_home(SETTINGS, CONFIG);
    }
}

fn launch(world: &World, model: &str, arguments: &[&str]) -> Launch {
    let program = program("codex");
    let provider = format!("model_providers.mock.base_url=\"{model}/v1\"");
    let begin = [
        program.as_str(),
        "exec",
        "--skip-git-repo-check",
        "-c",
        &provider,
    ];
    let mut environment = world.environment();
    environment.push(("CODEX_HOME".to_owned(), world.home().join(".codex").into()));
    environment.push(("MOCK_KEY".to_owned(), "dummy".to_owned()));
    Launch {
        words: [&begin[..], arguments, &[PROMPT]]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        environment,
        folder: world.workspace(),
    }
}

impl AgentUnderTest for Codex {
    fn name(&self) -> &'static str {
        NAME
    }

    fn shell(&self, command: &str) -> ToolCall {
        ToolCall::new("exec_command", json!({ "cmd": command }))
    }

    fn write(&self, file: &Utf8Path, content: &str) -> ToolCall {
        self.shell(&patch(file, content))
    }

    fn settle(&self, world: &World, _model: &str) {
        settle(world);
    }

    /// Of two hooks of somebody else, the person trusts the first alone.
    fn kept(&self, world: &World) -> Vec<(&'static str, String)> {
        let trusted = json!({ "type": "command", "command": world.other_hook() });
        let other = format!("{} untrusted", world.other_hook());
        let untrusted = json!({ "type": "command", "command": other });
        let groups = [&trusted, &untrusted].map(|hook| json!({ "matcher": "*", "hooks": [hook] }));
        let hooks = json!({ "hooks": { "PreToolUse": groups } });
        let hash = hook_hash("PreToolUse", Some("*"), &trusted);
        let file = world.home().join(HOOKS);
        let trust = format!(
            "# Looked at and found good.\n\
             [hooks.state.\"{file}:pre_tool_use:0:0\"]\ntrusted_hash='{hash}'  # mine"
        );
        vec![
            // It takes no comments.
            (HOOKS, by_hand(&hooks)),
            (SETTINGS, format!("{CONFIG}\n{trust}\n\n")),
        ]
    }

    fn install_flags(&self) -> &'static [&'static str] {
        &["--trust-hooks"]
    }

    fn spoilt(&self, settings: &str) -> Option<String> {
        Some(format!("// It takes no comments.\n{settings}"))
    }

    fn launch(&self, world: &World, model: &str) -> Launch {
        launch(world, model, &["--sandbox", "danger-full-access"])
    }
}

impl AgentUnderTest for CodexAtPrompts {
    fn name(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> &'static str {
        "codex-at-prompts"
    }

    fn runs_unasked(&self) -> bool {
        false
    }

    fn asides(&self) -> &'static [(&'static str, &'static str)] {
        &[(GUARDIAN, REFUSAL)]
    }

    fn shell(&self, command: &str) -> ToolCall {
        let input = json!({
            "cmd": command,
            "sandbox_permissions": "require_escalated",
            "justification": "it grows outside",
        });
        ToolCall::new("exec_command", input)
    }

    /// By a command: its sandbox lets patches of the workspace through, without
    /// asking.
    fn write(&self, file: &Utf8Path, content: &str) -> ToolCall {
        let (line, folder) = (content.trim(), file.parent().unwrap_or(file));
        self.shell(&format!("mkdir -p {folder} && echo '{line}' > {file}"))
    }

    fn settle(&self, world: &World, _model: &str) {
        settle(world);
    }

    fn install(&self, world: &World, timeout: u32) {
        let hooks = hooks(world, NAME, AT_PROMPTS, ".*", timeout, timeout);
        world.write_home(HOOKS, &json!({ "hooks": hooks }).to_string());
    }

    fn launch(&self, world: &World, model: &str) -> Launch {
        let arguments = ["--dangerously-bypass-hook-trust", "--approve-for-me"];
        launch(world, model, &arguments)
    }
}
