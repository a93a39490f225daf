//! opencode, headless, with everything allowed by its own permissions. It has no
//! hooks that run a command: our plugin does that.

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::agent::{AgentUnderTest, PROMPT};
use crate::detached::Launch;
use crate::model::ToolCall;
use crate::surroundings::program;
use crate::world::World;

/// opencode.
#[derive(Debug, Clone, Copy)]
pub struct Opencode;

/// The plugin as it is in the source.
const PLUGIN: &str = include_str!("../../../../../server/agents/assets/opencode/countersign.js");

/// Its folder of settings in the home.
const SETTINGS: &str = ".config/opencode";

/// Somebody else's plugin, which calls nothing and is heard of.
const OTHER: &str = r#"// Somebody else's.
import { appendFileSync } from "node:fs"

export const Other = async () => ({
  "tool.execute.before": async () => appendFileSync(HEARD, "called\n"),
})
"#;

/// Its variables, with one answer of its own permissions to everything, and with
/// more settings.
pub(crate) fn environment(
    world: &World,
    model: &str,
    permission: &str,
    more: &[(&str, Value)],
) -> Vec<(String, String)> {
    let mut config = json!({
        "autoupdate": false,
        "share": "disabled",
        "model": "mock/mock",
        "small_model": "mock/mock",
        "provider": { "mock": {
            "npm": "@ai-sdk/openai-compatible",
            "name": "mock",
            "options": { "baseURL": format!("{model}/v1"), "apiKey": "dummy" },
            "models": { "mock": {
                "name": "mock",
                "tool_call": true,
                "limit": { "context": 100_000, "output": 8_000 },
            }},
        }},
        "permission": {
            "bash": permission,
            "edit": permission,
            "external_directory": permission,
        },
    });
    for (name, value) in more {
        config[*name] = value.clone();
    }
    let mut environment = world.environment();
    for (name, value) in [
        ("OPENCODE_CONFIG_CONTENT", config.to_string()),
        ("OPENCODE_DISABLE_AUTOUPDATE", "1".to_owned()),
        ("OPENCODE_DISABLE_LSP_DOWNLOAD", "1".to_owned()),
        ("OPENCODE_DISABLE_MODELS_FETCH", "1".to_owned()),
    ] {
        environment.push((name.to_owned(), value));
    }
    environment
}

impl AgentUnderTest for Opencode {
    fn name(&self) -> &'static str {
        "opencode"
    }

    fn shell(&self, command: &str) -> ToolCall {
        let input = json!({ "command": command, "description": "does it" });
        ToolCall::new("bash", input)
    }

    fn write(&self, file: &Utf8Path, content: &str) -> ToolCall {
        ToolCall::new("write", json!({ "filePath": file, "content": content }))
    }

    /// At its first start it would have npm install the types of plugins, and
    /// wait for that. It does not where they seem to be there.
    fn settle(&self, world: &World, _model: &str) {
        let needed = json!({ "dependencies": { "@opencode-ai/plugin": "*" } });
        let lockfile = json!({ "lockfileVersion": 3, "packages": { "": needed } });
        let path = |name: &str| format!("{SETTINGS}/{name}");
        world.write_home(&path("package-lock.json"), &lockfile.to_string());
        world.write_home(&path("node_modules/.package-lock.json"), "{}");
    }

    fn install(&self, world: &World, timeout: u32) {
        let filled_in = [
            ("PROGRAM = \"countersign\"", json!(world.hook_program())),
            ("OPTIONS = []", json!(["--home", world.guard()])),
            ("TIMEOUT_SECONDS = 600", json!(timeout)),
        ];
        let text = filled_in
            .iter()
            .fold(PLUGIN.to_owned(), |text, (line, value)| {
                fill(&text, line, value)
            });
        world.write_home(&format!("{SETTINGS}/plugin/countersign.js"), &text);
    }

    fn kept(&self, world: &World) -> Vec<(&'static str, String)> {
        let heard = json!(world.other_hook_log()).to_string();
        let other = OTHER.replace("HEARD", &heard);
        vec![(".config/opencode/plugin/other.js", other)]
    }

    fn launch(&self, world: &World, model: &str) -> Launch {
        let program = program("opencode");
        let words = [program.as_str(), "run", PROMPT];
        Launch {
            words: words.map(str::to_owned).to_vec(),
            environment: environment(world, model, "allow", &[]),
            folder: world.workspace(),
        }
    }
}

/// A constant of the plugin with another value.
fn fill(text: &str, line: &str, value: &Value) -> String {
    assert_eq!(text.matches(line).count(), 1, "{line}");
    let name = line.split(' ').next().unwrap_or_default();
    text.replace(line, &format!("{name} = {value}"))
}
