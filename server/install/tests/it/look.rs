//! What counts as no guard.

use camino::Utf8Path;
use countersign_core::agent::Agent;
use countersign_install::{
    Bases, Binary, Content, Facts, LayerKind, Level, Report, Standing, Version, layers, look,
    profile, trust_hooks,
};

use crate::support::{HOME, IN_JSON, PROGRAM, installed};

/// A user's files; all others are not there.
struct User {
    agent: Agent,
    files: Vec<(String, String)>,
    version: Option<Version>,
    binary: fn(&str) -> Binary,
}

impl User {
    /// With the hook installed.
    fn new(agent: Agent) -> Self {
        let text = if agent == Agent::Opencode {
            crate::support::plan(agent, None)
                .unwrap()
                .edit
                .after
                .unwrap()
        } else {
            installed(agent, "")
        };
        let mut user = Self {
            agent,
            files: Vec::new(),
            version: Some(Version::new(900, 0, 0)),
            binary: |word| {
                if word == PROGRAM {
                    Binary::This(word.into())
                } else {
                    Binary::Other(word.into())
                }
            },
        };
        user.files.push((user.own_file(), text));
        if agent == Agent::Codex {
            user.trust();
        }
        user
    }

    fn own_file(&self) -> String {
        let name = match self.agent {
            Agent::ClaudeCode => ".claude/settings.json",
            Agent::Qwen => ".qwen/settings.json",
            Agent::Codex => ".codex/hooks.json",
            Agent::Gemini => ".gemini/settings.json",
            Agent::Opencode => ".config/opencode/plugin/countersign.js",
            Agent::Cursor => ".cursor/hooks.json",
            Agent::Vscode | Agent::Generic => ".copilot/hooks/countersign.json",
        };
        format!("{HOME}/{name}")
    }

    fn trust(&mut self) {
        let config = format!("{HOME}/.codex/config.toml");
        let hooks = self.own_file();
        let text = self.files[0].1.clone();
        let edit = trust_hooks(
            Utf8Path::new(&hooks),
            &text,
            Utf8Path::new(&config),
            None,
            Utf8Path::new(HOME),
        );
        self.files.retain(|(file, _)| *file != config);
        self.files.push((config, edit.unwrap().after.unwrap()));
    }

    /// With this changed in the file of hooks.
    #[track_caller]
    fn change(mut self, from: &str, to: &str) -> Self {
        assert!(self.files[0].1.contains(from), "{}", self.files[0].1);
        self.files[0].1 = self.files[0].1.replace(from, to);
        self
    }

    /// With another file.
    fn file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.to_owned()));
        self
    }

    fn look(&self) -> Report {
        let home = Utf8Path::new(HOME);
        let nothing = |_: &str| None;
        let mut layers = layers(
            self.agent,
            &Bases {
                home,
                workspace: Some(Utf8Path::new("/work/shop")),
                machine: Utf8Path::new("/machine"),
                variable: &nothing,
            },
        );
        for (file, text) in &self.files {
            let layer = layers.iter_mut().find(|layer| layer.path == *file);
            let layer = layer.unwrap_or_else(|| panic!("{file} is not read"));
            layer.content = Content::Text(text.clone());
        }
        look(
            &Facts {
                profile: profile(self.agent).unwrap(),
                version: self.version,
                is_here: true,
                home,
                codex_config: Utf8Path::new("/home/ada/.codex/config.toml"),
                binary: &self.binary,
            },
            &layers,
        )
    }

    #[track_caller]
    fn assert_unguarded(&self, part: &str) {
        let report = self.look();
        assert_eq!(report.standing, Standing::Unguarded, "{report:#?}");
        let finding = report
            .findings
            .iter()
            .find(|finding| finding.text.contains(part));
        let finding = finding.unwrap_or_else(|| panic!("no {part:?} in {report:#?}"));
        assert_eq!(finding.level, Level::Unguarded, "{finding:?}");
        assert!(!finding.change.is_empty(), "{finding:?}");
    }

    #[track_caller]
    fn assert_warned(&self, part: &str) {
        let report = self.look();
        assert_eq!(report.standing, Standing::Guarded, "{report:#?}");
        assert!(
            report
                .findings
                .iter()
                .any(|finding| finding.level == Level::Warning && finding.text.contains(part)),
            "no {part:?} in {report:#?}"
        );
    }
}

#[test]
fn what_install_writes_guards() {
    for agent in IN_JSON.into_iter().chain([Agent::Opencode]) {
        let report = User::new(agent).look();
        assert_eq!(report.standing, Standing::Guarded, "{report:#?}");
        assert!(
            report
                .findings
                .iter()
                .all(|finding| finding.level == Level::Note),
            "{report:#?}"
        );
        assert!(report.hooks.iter().any(|hook| hook.decides));
        assert!(report.hooks.iter().all(|hook| hook.is_sound));
    }
}

#[test]
fn an_agent_without_a_hook_is_told_apart_from_one_that_is_not_there() {
    let mut user = User::new(Agent::Gemini);
    user.files.clear();
    assert_eq!(user.look().standing, Standing::NotInstalled);
}

#[test]
fn hooks_that_are_switched_off_guard_nothing() {
    let claude = || User::new(Agent::ClaudeCode);
    let off = "{ \"disableAllHooks\": true }";
    for file in [
        "/work/shop/.claude/settings.json",
        "/work/shop/.claude/settings.local.json",
        "/machine/etc/claude-code/managed-settings.json",
    ] {
        claude()
            .file(file, off)
            .assert_unguarded("`disableAllHooks` is true");
    }
    let report = claude()
        .file("/work/shop/.claude/settings.json", off)
        .file(
            "/work/shop/.claude/settings.local.json",
            "{ \"disableAllHooks\": false }",
        )
        .look();
    assert_eq!(
        report.standing,
        Standing::Guarded,
        "the strongest file counts"
    );
    claude()
        .file(
            "/machine/etc/claude-code/managed-settings.json",
            "{ \"allowManagedHooksOnly\": true }",
        )
        .assert_unguarded("only the machine's own hooks");
    User::new(Agent::Qwen)
        .file("/work/shop/.qwen/settings.json", off)
        .assert_unguarded("`disableAllHooks` is true");
    let gemini = || User::new(Agent::Gemini);
    gemini()
        .file(
            "/work/shop/.gemini/settings.json",
            "{\"hooksConfig\":{\"enabled\":false}}",
        )
        .assert_unguarded("`hooksConfig.enabled` is false");
    gemini()
        .file(
            "/work/shop/.gemini/settings.json",
            "{\"tools\":{\"enableHooks\":false}}",
        )
        .assert_unguarded("`tools.enableHooks` is false");
    gemini()
        .file(
            "/work/shop/.gemini/settings.json",
            "{\"hooksConfig\":{\"disabled\":[\"countersign\"]}}",
        )
        .assert_unguarded("disabled in /work/shop");
    User::new(Agent::Vscode)
        .file(
            "/home/ada/.config/Code/User/settings.json",
            "{ // mine\n \"chat.hookFilesLocations\": { \"~/.copilot/hooks\": false } }",
        )
        .assert_unguarded("`chat.hookFilesLocations`");
}

#[test]
fn codex_runs_only_what_is_trusted() {
    let user = User::new(Agent::Codex);
    let config = user.files[1].1.clone();
    let with = |text: &str| {
        let mut user = User::new(Agent::Codex);
        user.files[1].1 = text.to_owned();
        user
    };
    with("").assert_unguarded("not trusted");
    with(&config.replace("sha256:", "sha256:0")).assert_unguarded("changed since it was trusted");
    User::new(Agent::Codex)
        .change("--timeout 600", "--timeout 599")
        .assert_unguarded("changed since it was trusted");
    with(&format!("{config}\n[features]\nhooks = false\n"))
        .assert_unguarded("`features.hooks` is false");
    let off = config.replacen("trusted_hash", "enabled = false\ntrusted_hash", 1);
    with(&off).assert_unguarded("switched off");
    User::new(Agent::Codex)
        .file(
            "/machine/etc/codex/requirements.toml",
            "allow_managed_hooks_only = true\n",
        )
        .assert_unguarded("only the machine's own hooks");
}

#[test]
fn a_hook_that_leaves_tools_out_guards_not_all() {
    let claude = || User::new(Agent::ClaudeCode);
    claude()
        .change(
            "\"PreToolUse\": [\n      {",
            "\"PreToolUse\": [\n      {\n        \"matcher\": \"Bash|Edit\",",
        )
        .assert_unguarded("\"Bash|Edit\" leaves tools out");
    for (field, part) in [
        ("\"async\": true", "`async`"),
        ("\"if\": \"Bash(git *)\"", "`if`"),
    ] {
        claude()
            .change(
                "\"type\": \"command\",",
                &format!("\"type\": \"command\", {field},"),
            )
            .assert_unguarded(part);
    }
    claude()
        .change("\"type\": \"command\"", "\"type\": \"prompt\"")
        .assert_unguarded("`type`");
    claude()
        .change("\"PreToolUse\"", "\"PostToolUse2\"")
        .assert_unguarded("no event of that name");
    User::new(Agent::Cursor)
        .change("\"beforeMCPExecution\"", "\"afterMCPExecution\"")
        .assert_unguarded("beforeMCPExecution has no hook");
    User::new(Agent::Cursor)
        .change("\"failClosed\": true", "\"failClosed\": false")
        .assert_warned("`failClosed`");
}

#[test]
fn a_hook_that_is_too_slow_for_its_agent_guards_nothing() {
    User::new(Agent::ClaudeCode)
        .change("\"timeout\": 600", "\"timeout\": 60")
        .assert_unguarded("waits 60 s, the hook takes up to 600 s");
    User::new(Agent::Gemini)
        .change("\"timeout\": 600000", "\"timeout\": 600")
        .assert_unguarded("counts milliseconds");
    User::new(Agent::Qwen)
        .change("\"timeout\": 600", "\"timeout\": 1000")
        .assert_unguarded("waits 1 s");
    User::new(Agent::Vscode)
        .change("\"timeout\": 600,", "")
        .change("\"timeoutSec\": 600", "\"x\": 1")
        .assert_unguarded("waits 30 s");
    User::new(Agent::ClaudeCode)
        .change("--timeout 600", "--timeout 20")
        .assert_warned("little time");
}

#[test]
fn a_command_that_is_not_simply_this_hook_guards_nothing() {
    let claude = || User::new(Agent::ClaudeCode);
    claude()
        .change("--timeout 600\"", "--timeout 600 || true\"")
        .assert_unguarded("does more than call");
    claude()
        .change("hook claude-code", "hook qwen")
        .assert_unguarded("\"qwen\" calls it");
    claude()
        .change("--event PreToolUse", "--event PostToolUse")
        .assert_unguarded("told of the event \"PostToolUse\"");
    let mut missing = claude();
    missing.binary = |_| Binary::Missing;
    missing.assert_unguarded("there is no /usr/local/bin/countersign");
    missing.binary = |_| Binary::NotRunnable;
    missing.assert_unguarded("cannot be run");
    missing.binary = |_| Binary::Relative;
    missing.assert_unguarded("whatever folder");
    missing.binary = |word| Binary::Other(word.into());
    missing.assert_warned("another binary");
    claude()
        .change("/usr/local/bin/countersign hook", "nice countersign hook")
        .assert_warned("starts the hook");
}

#[test]
fn an_event_that_is_too_new_for_the_version_takes_all_hooks_along() {
    let mut user = User::new(Agent::ClaudeCode);
    user.version = Some(Version::new(2, 1, 44));
    user.assert_unguarded("may leave out every hook of the file");
}

#[test]
fn a_file_that_cannot_be_read_guards_nothing() {
    let mut user = User::new(Agent::ClaudeCode);
    user.files[0].1.push('}');
    user.assert_unguarded("settings.json cannot be read");
    User::new(Agent::ClaudeCode)
        .file("/work/shop/.claude/settings.json", "{")
        .assert_warned("cannot be read");
}

#[test]
fn a_hook_that_is_there_twice_is_told() {
    let text = User::new(Agent::ClaudeCode).files[0].1.clone();
    User::new(Agent::ClaudeCode)
        .file("/work/shop/.claude/settings.json", &text)
        .assert_warned("twice");
    let report = User::new(Agent::ClaudeCode)
        .file("/work/shop/.claude/settings.json", &text)
        .look();
    assert!(
        report
            .hooks
            .iter()
            .any(|hook| hook.layer == LayerKind::Project)
    );
}

#[test]
fn a_plugin_that_was_changed_guards_nothing() {
    User::new(Agent::Opencode)
        .change("SIGKILL", "SIGCONT")
        .assert_unguarded("not the plugin of this version");
    let mut other = User::new(Agent::Opencode);
    other.binary = |word| Binary::Other(word.into());
    other.assert_warned("another binary");
    let mut mine = User::new(Agent::Opencode);
    mine.files[0].1 = "export const Mine = 1\n".to_owned();
    mine.assert_unguarded("did not write");
}
