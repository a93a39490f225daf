//! Which agent a command starts, by the names in it.

use countersign_core::agent::Agent;
use countersign_core::state::ProcessId;
use countersign_ipc::{KnownAgent, Process, agent_of};

/// Programs that start a package or another program.
const STARTERS: &[&str] = &[
    "npx", "npm", "pnpm", "pnpx", "yarn", "bunx", "bun", "uvx", "env", "node", "deno", "exec",
    "dlx", "x", "run",
];

/// Packages whose names are not their programs'.
const PACKAGES: &[(&str, Agent)] = &[("opencode-ai", Agent::Opencode)];

/// The agent that a command starts; generic where its names say nothing.
#[must_use]
pub fn agent_named(words: &[String]) -> Agent {
    for (index, word) in words.iter().enumerate() {
        let rest = words.get(index..).unwrap_or_default();
        if let Some(agent) = known(rest).or_else(|| package(word)) {
            return agent;
        }
        let name = word.rsplit('/').next().unwrap_or(word);
        let goes_on = word.starts_with('-') || word.contains('=') || STARTERS.contains(&name);
        if !goes_on {
            break;
        }
    }
    Agent::Generic
}

/// The agent that these arguments would be as a process.
fn known(words: &[String]) -> Option<Agent> {
    let process = Process {
        id: ProcessId {
            pid: 0,
            start: 0,
            boot: String::new(),
        },
        parent: 0,
        session: 0,
        exe: None,
        name: String::new(),
        argv: words.to_vec(),
    };
    supported(agent_of(&process)?)
}

/// The agent of a package: `@scope/name@version`.
fn package(word: &str) -> Option<Agent> {
    let name = word.rsplit('/').next()?;
    let name = name.split('@').next()?;
    let packaged = PACKAGES.iter().find(|(package, _)| *package == name);
    match packaged {
        Some((_, agent)) => Some(*agent),
        None => known(&[name.to_owned()]),
    }
}

const fn supported(agent: KnownAgent) -> Option<Agent> {
    match agent {
        KnownAgent::Supported(agent) => Some(agent),
        KnownAgent::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_known_by_the_commands_that_start_them() {
        for (command, agent) in [
            ("qwen --acp", Agent::Qwen),
            ("/opt/bin/gemini --acp", Agent::Gemini),
            (
                "node /n/node_modules/@google/gemini-cli/dist/index.js --acp",
                Agent::Gemini,
            ),
            ("opencode acp", Agent::Opencode),
            ("npx -y opencode-ai@1.18.33 acp", Agent::Opencode),
            (
                "npx @zed-industries/claude-code-acp@0.16.2",
                Agent::ClaudeCode,
            ),
            ("npx --yes @qwen-code/qwen-code --acp", Agent::Qwen),
            ("env NO_COLOR=1 codex-acp", Agent::Codex),
            ("pnpm dlx @google/gemini-cli", Agent::Gemini),
            ("goose acp", Agent::Generic),
            ("my-agent --with claude", Agent::Generic),
            ("", Agent::Generic),
        ] {
            let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
            assert_eq!(agent_named(&words), agent, "{command}");
        }
    }
}
