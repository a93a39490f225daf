//! Recognises coding agents among processes.
//!
//! Judged are the executable, the name a process was started under, and for
//! interpreters the script: never environment variables, which a child can
//! change, and never other arguments, because an editor that has a file called
//! `claude` open is no agent. A process that pretends to be an agent is taken
//! for one; that can only make the guard stricter.

use std::path::{Component, Path};

use countersign_core::agent::Agent;

use crate::process::Process;

/// A coding agent that a process turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KnownAgent {
    /// An agent that the guard has an adapter for.
    Supported(Agent),
    /// Another agent, by its program's name.
    Other(&'static str),
}

impl KnownAgent {
    /// The name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Supported(agent) => agent.as_str(),
            Self::Other(name) => name,
        }
    }
}

use KnownAgent::{Other, Supported};

/// Programs and scripts by their base name, without an extension.
const PROGRAMS: &[(&str, KnownAgent)] = &[
    ("claude", Supported(Agent::ClaudeCode)),
    ("claude-code", Supported(Agent::ClaudeCode)),
    ("claude-agent-acp", Supported(Agent::ClaudeCode)),
    ("claude-code-acp", Supported(Agent::ClaudeCode)),
    ("qwen", Supported(Agent::Qwen)),
    ("qwen-code", Supported(Agent::Qwen)),
    ("codex", Supported(Agent::Codex)),
    ("codex-acp", Supported(Agent::Codex)),
    ("codex-app-server", Supported(Agent::Codex)),
    ("codex-exec", Supported(Agent::Codex)),
    ("codex-linux-sandbox", Supported(Agent::Codex)),
    ("codex-mcp-server", Supported(Agent::Codex)),
    ("codex-tui", Supported(Agent::Codex)),
    ("gemini", Supported(Agent::Gemini)),
    ("gemini-cli", Supported(Agent::Gemini)),
    ("opencode", Supported(Agent::Opencode)),
    ("cursor-agent", Supported(Agent::Cursor)),
    ("copilot", Supported(Agent::Vscode)),
    ("aider", Other("aider")),
    ("amp", Other("amp")),
    ("auggie", Other("auggie")),
    ("cline", Other("cline")),
    ("codebuff", Other("codebuff")),
    ("crush", Other("crush")),
    ("droid", Other("droid")),
    ("goose", Other("goose")),
    ("goosed", Other("goose")),
    ("iflow", Other("iflow")),
    ("kilocode", Other("kilocode")),
    ("kimi", Other("kimi")),
    ("kiro-cli", Other("kiro-cli")),
    ("openhands", Other("openhands")),
    ("plandex", Other("plandex")),
];

/// Packages by the folder below `node_modules` that their scripts lie in.
const PACKAGES: &[(&[&str], KnownAgent)] = &[
    (
        &["@anthropic-ai", "claude-code"],
        Supported(Agent::ClaudeCode),
    ),
    (
        &["@anthropic-ai", "claude-agent-sdk"],
        Supported(Agent::ClaudeCode),
    ),
    (&["@qwen-code", "qwen-code"], Supported(Agent::Qwen)),
    (&["@openai", "codex"], Supported(Agent::Codex)),
    (&["@google", "gemini-cli"], Supported(Agent::Gemini)),
    (&["opencode-ai"], Supported(Agent::Opencode)),
    (&["@github", "copilot"], Supported(Agent::Vscode)),
    (&["@sourcegraph", "amp"], Other("amp")),
    (&["@augmentcode", "auggie"], Other("auggie")),
    (&["@charmland", "crush"], Other("crush")),
    (&["@continuedev", "cli"], Other("continue")),
    (&["@iflow-ai", "iflow-cli"], Other("iflow")),
    (&["@kilocode", "cli"], Other("kilocode")),
    (&["cline"], Other("cline")),
    (&["codebuff"], Other("codebuff")),
    (&["forgecode"], Other("forge")),
];

/// Folders of installers that keep one folder per version, so that neither
/// the executable nor its own name says which program it is.
const VERSIONED: &[(&[&str], KnownAgent)] = &[
    (&["claude", "versions"], Supported(Agent::ClaudeCode)),
    (&["cursor-agent", "versions"], Supported(Agent::Cursor)),
];

/// The agent that a process is, as far as it can be told.
#[must_use]
pub fn agent_of(process: &Process) -> Option<KnownAgent> {
    let exe = process.exe.as_deref();
    let started_as = started_as(process);
    if let Some(agent) = exe.and_then(installed_by_version) {
        return Some(agent);
    }
    for name in exe
        .and_then(base_name)
        .into_iter()
        .chain(started_as.clone())
    {
        if let Some(agent) = by_name(name) {
            return Some(agent);
        }
    }
    let interpreter = exe
        .and_then(base_name)
        .into_iter()
        .chain(started_as)
        .find_map(Interpreter::of)?;
    match interpreter.script(&process.argv)? {
        Script::File(path) => by_script(Path::new(path)),
        Script::Module(module) => by_name(module.split('.').next()?),
    }
}

/// The names that the process was started under: the base name of its first
/// argument, or, where a title replaced all arguments, of the title's first
/// word. The short name speaks only where there is nothing else.
fn started_as(process: &Process) -> impl Iterator<Item = &str> + Clone {
    let first = process.argv.first().map(String::as_str);
    let title = first
        .filter(|_| process.argv.len() == 1)
        .and_then(|title| title.split_ascii_whitespace().next());
    let name = first.is_none().then_some(process.name.as_str());
    first
        .into_iter()
        .chain(title)
        .chain(name)
        .filter_map(|name| base_name(Path::new(name.strip_prefix('-').unwrap_or(name))))
}

/// The base name of a program or script, for lists of names.
pub(crate) fn base_name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn by_name(name: &str) -> Option<KnownAgent> {
    // Codex's release archives name the platform: `codex-x86_64-…`.
    let name = match name.strip_prefix("codex-") {
        Some(rest) if rest.starts_with("x86_64-") || rest.starts_with("aarch64-") => "codex",
        _ => name,
    };
    PROGRAMS
        .iter()
        .find(|(program, _)| *program == name)
        .map(|(_, agent)| *agent)
}

fn by_script(path: &Path) -> Option<KnownAgent> {
    let name = base_name(path)?;
    let stem = [".js", ".mjs", ".cjs", ".py", ".sh"]
        .iter()
        .find_map(|extension| name.strip_suffix(extension))
        .unwrap_or(name);
    by_name(stem)
        .or_else(|| {
            PACKAGES
                .iter()
                .find(|(folder, _)| lies_in(path, &[&["node_modules"], *folder]))
                .map(|(_, agent)| *agent)
        })
        .or_else(|| installed_by_version(path))
}

fn installed_by_version(path: &Path) -> Option<KnownAgent> {
    VERSIONED
        .iter()
        .find(|(folder, _)| lies_in(path, &[*folder]))
        .map(|(_, agent)| *agent)
}

/// Whether the folders stand one below the other, in this order, above `path`.
fn lies_in(path: &Path, folders: &[&[&str]]) -> bool {
    let folders: Vec<&str> = folders.concat();
    let above: Vec<&str> = path
        .parent()
        .into_iter()
        .flat_map(Path::components)
        .filter_map(|component| match component {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    above
        .windows(folders.len())
        .any(|window| window == folders.as_slice())
}

/// A program that runs another one, so that its script says what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interpreter {
    JavaScript,
    Python,
    /// The dynamic loader or an emulator: the argument is the program.
    Loader,
}

#[derive(Debug, PartialEq, Eq)]
enum Script<'a> {
    File(&'a str),
    Module(&'a str),
}

impl Interpreter {
    fn of(name: &str) -> Option<Self> {
        if name.starts_with("ld-linux") || name.starts_with("ld-musl") || name.starts_with("qemu-")
        {
            return Some(Self::Loader);
        }
        // `python3.12`, `node-22`.
        let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
        match name {
            "node" | "nodejs" | "bun" | "deno" => Some(Self::JavaScript),
            "python" | "pypy" => Some(Self::Python),
            _ => None,
        }
    }

    /// The options after which the next argument is the option's value.
    const fn options_with_value(self) -> &'static [&'static str] {
        match self {
            Self::JavaScript => &[
                "-r",
                "--require",
                "--import",
                "--loader",
                "--experimental-loader",
                "-C",
                "--conditions",
                "--title",
                "--input-type",
                "--preload",
                "--cwd",
            ],
            Self::Python => &["-X", "-W", "--check-hash-based-pycs"],
            Self::Loader => &["--library-path", "--argv0", "--preload", "-L", "-0", "-E"],
        }
    }

    fn script(self, argv: &[String]) -> Option<Script<'_>> {
        let mut arguments = argv.iter().skip(1).map(String::as_str);
        while let Some(argument) = arguments.next() {
            match (self, argument) {
                (Self::Python, "-m") => return arguments.next().map(Script::Module),
                // Code on the command line: there is no script.
                (Self::Python, "-c")
                | (Self::JavaScript, "-e" | "--eval" | "-p" | "--print" | "-pe") => return None,
                (Self::JavaScript, "run" | "x") => {}
                (_, option) if self.options_with_value().contains(&option) => {
                    arguments.next();
                }
                (_, option) if option.starts_with('-') => {}
                (_, script) => return Some(Script::File(script)),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use countersign_core::state::ProcessId;

    use super::*;

    fn process(exe: &str, argv: &[&str]) -> Process {
        Process {
            id: ProcessId {
                pid: 2,
                start: 1,
                boot: "b".to_owned(),
            },
            parent: 1,
            session: 2,
            exe: (!exe.is_empty()).then(|| PathBuf::from(exe)),
            name: "name".to_owned(),
            argv: argv.iter().map(|argument| (*argument).to_owned()).collect(),
        }
    }

    fn found(exe: &str, argv: &[&str]) -> Option<&'static str> {
        agent_of(&process(exe, argv)).map(KnownAgent::name)
    }

    #[test]
    fn agents_are_recognised_however_they_were_installed() {
        let node = "/usr/bin/node";
        let cases: &[(&str, &[&str], &str)] = &[
            ("/opt/claude", &["claude"], "claude-code"),
            (
                "/home/u/.local/share/claude/versions/2.1.0",
                &["/x/y"],
                "claude-code",
            ),
            (
                "/home/u/.local/share/claude/versions/2.1.0",
                &[],
                "claude-code",
            ),
            (
                "",
                &["/home/u/.local/bin/claude", "-p", "hi"],
                "claude-code",
            ),
            (node, &["claude"], "claude-code"),
            (
                node,
                &[
                    "node",
                    "--no-warnings",
                    "-r",
                    "/x/pre.js",
                    "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js",
                ],
                "claude-code",
            ),
            (node, &["node", "/usr/local/bin/qwen", "--acp"], "qwen"),
            (
                node,
                &["node", "/n/node_modules/@qwen-code/qwen-code/cli.js"],
                "qwen",
            ),
            (
                node,
                &["node", "/n/node_modules/@openai/codex/bin/codex.js"],
                "codex",
            ),
            (
                "/n/vendor/x86_64-unknown-linux-musl/codex/codex",
                &["codex", "exec"],
                "codex",
            ),
            ("/o/codex-x86_64-unknown-linux-musl", &["./cx"], "codex"),
            (
                node,
                &[
                    "node",
                    "--max-old-space-size=8192",
                    "/n/node_modules/@google/gemini-cli/dist/index.js",
                ],
                "gemini",
            ),
            (
                "/n/node_modules/opencode-linux-x64/bin/opencode",
                &["opencode"],
                "opencode",
            ),
            (
                "/home/u/.local/share/cursor-agent/versions/9/node",
                &["/home/u/.local/bin/agent", "--use-system-ca", "index.js"],
                "cursor",
            ),
            (
                "/usr/bin/python3.12",
                &["python3.12", "/home/u/.local/bin/aider"],
                "aider",
            ),
            (
                "/usr/bin/python3",
                &["python3", "-X", "utf8", "-m", "aider"],
                "aider",
            ),
            (
                "/usr/bin/bun",
                &[
                    "bun",
                    "run",
                    "/n/node_modules/@sourcegraph/amp/dist/main.js",
                ],
                "amp",
            ),
            (
                "/lib64/ld-linux-x86-64.so.2",
                &["ld", "/opt/claude"],
                "claude-code",
            ),
            ("/usr/bin/bash", &["claude", "-c", "true"], "claude-code"),
        ];
        for (exe, argv, agent) in cases {
            assert_eq!(found(exe, argv), Some(*agent), "{exe} {argv:?}");
        }
    }

    #[test]
    fn mentioning_an_agent_does_not_make_one() {
        let cases: &[(&str, &[&str])] = &[
            ("/usr/bin/vim", &["vim", "claude"]),
            ("/usr/bin/vim", &["vim", "/home/u/.claude/settings.json"]),
            ("/usr/bin/bash", &["bash", "/home/u/bin/claude"]),
            ("/usr/bin/bash", &["-bash"]),
            (
                "/usr/bin/less",
                &["less", "/n/node_modules/@anthropic-ai/claude-code/cli.js"],
            ),
            ("/usr/bin/node", &["node", "/srv/app.js", "claude"]),
            (
                "/usr/bin/node",
                &["node", "-e", "1", "/usr/local/bin/claude"],
            ),
            (
                "/usr/bin/node",
                &["node", "--require", "/usr/local/bin/claude", "/srv/app.js"],
            ),
            (
                "/usr/bin/node",
                &["node", "/home/u/@openai/codex/scripts/build.mjs"],
            ),
            ("/usr/bin/python3", &["python3", "-c", "1", "aider"]),
            ("/usr/bin/python3", &["python3", "manage.py", "-m", "aider"]),
            ("/home/claude/bin/zed", &["zed"]),
            ("/usr/share/cursor/cursor", &["cursor", "."]),
            ("/usr/share/code/code", &["code", "claude"]),
            ("/usr/bin/tmux", &["tmux", "new", "-s", "claude"]),
            ("/usr/bin/claudette", &["claudette"]),
            ("", &[]),
        ];
        for (exe, argv) in cases {
            assert_eq!(found(exe, argv), None, "{exe} {argv:?}");
        }
    }

    #[test]
    fn the_short_name_speaks_only_where_there_is_nothing_else() {
        let mut bare = process("", &[]);
        bare.name = "claude".to_owned();
        assert_eq!(agent_of(&bare), Some(Supported(Agent::ClaudeCode)));
        let mut script = process("/usr/bin/bash", &["/bin/bash", "/home/u/bin/claude"]);
        script.name = "claude".to_owned();
        assert_eq!(agent_of(&script), None);
    }
}
