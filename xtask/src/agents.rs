//! The part `agents`: real coding agents, each with our hooks or behind our
//! proxy, against a scripted model. Nothing in it leaves this machine but the
//! installation.

use crate::repository::run;
use crate::test::Step;

mod installation;
mod lane;

use installation::Installation;

/// The agents, each a project of npm below `tests/e2e/agents/packages`.
const AGENTS: &[Agent] = &[
    Agent {
        name: "claude-code",
        package: "@anthropic-ai/claude-code",
        program: "claude",
        script: Some("install.cjs"),
    },
    Agent {
        name: "codex",
        package: "@openai/codex",
        program: "codex",
        script: None,
    },
    Agent {
        name: "gemini",
        package: "@google/gemini-cli",
        program: "gemini",
        script: None,
    },
    Agent {
        name: "qwen",
        package: "@qwen-code/qwen-code",
        program: "qwen",
        script: None,
    },
    Agent {
        name: "opencode",
        package: "opencode-ai",
        program: "opencode",
        script: Some("postinstall.mjs"),
    },
];

/// An agent that is installed with npm.
#[derive(Debug)]
struct Agent {
    /// The folder of its project.
    name: &'static str,
    /// The package that holds it.
    package: &'static str,
    /// The program that the package brings.
    program: &'static str,
    /// What the package itself runs to put its program into place.
    script: Option<&'static str>,
}

pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "countersign",
        run: || run("cargo", &["build", "--locked", "--package", "countersign"]),
    },
    Step {
        name: "agents",
        run: || Installation::of(AGENTS).map(|_| true),
    },
    Step {
        name: "tests",
        run: || lane::run(&Installation::of(AGENTS)?),
    },
];
