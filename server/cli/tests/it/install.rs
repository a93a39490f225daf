//! `countersign install`, `uninstall` and `status`, and the hooks that `doctor`
//! tries, as a person runs them: over a home of agents' settings of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8PathBuf;
use serde_json::Value;

use crate::person::with_model;
use crate::support::{AUTO, HOOK, Ran, Sandbox};

/// Every agent that something is installed for, and the file that it reads.
const FILES: &[(&str, &str)] = &[
    ("claude-code", ".claude/settings.json"),
    ("qwen", ".qwen/settings.json"),
    ("codex", ".codex/hooks.json"),
    ("gemini", ".gemini/settings.json"),
    ("opencode", ".config/opencode/plugin/countersign.js"),
    ("cursor", ".cursor/hooks.json"),
    ("vscode", ".copilot/hooks/countersign.json"),
];

/// A person with agents.
struct Person {
    sandbox: Sandbox,
    home: Utf8PathBuf,
}

impl Person {
    fn new() -> Self {
        Self::with(Sandbox::trusted(AUTO))
    }

    fn with(sandbox: Sandbox) -> Self {
        let home = sandbox.workspace.parent().unwrap().join("agents");
        fs::create_dir(&home).unwrap();
        Self { sandbox, home }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let home = ["--agents-home", self.home.as_str()];
        self.sandbox.alone(&[arguments, &home].concat())
    }

    /// As a person who has agreed.
    #[track_caller]
    fn installs(&self, agent: &str, more: &[&str]) -> Ran {
        let words = ["install", agent, "--yes", "--agent-version", "900.0.0"];
        let ran = self.run(&[&words, more].concat());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        ran
    }

    #[track_caller]
    fn uninstalls(&self, agent: &str) -> Ran {
        let ran = self.run(&["uninstall", agent, "--yes"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        ran
    }

    /// Every file below the home of agents, with its text.
    fn files(&self) -> Vec<(Utf8PathBuf, String)> {
        let mut files = Vec::new();
        let mut folders = vec![self.home.clone()];
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir_utf8().unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path().to_owned());
                } else {
                    let text = fs::read_to_string(entry.path()).unwrap();
                    files.push((entry.path().to_owned(), text));
                }
            }
        }
        files.sort();
        files
    }

    fn file(&self, name: &str) -> Utf8PathBuf {
        self.home.join(name)
    }

    fn put(&self, name: &str, text: &str) {
        let file = self.file(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }
}

#[test]
fn what_was_installed_is_called_and_goes_away_without_a_trace() {
    let person = Person::new();
    for (agent, file) in FILES {
        let ran = person.installs(agent, &[]);
        assert!(ran.stdout.contains(file), "{ran:?}");
        let text = person.read(file);
        assert!(text.contains(HOOK), "{text}");
        assert!(
            text.contains(person.sandbox.home.as_str()),
            "settings stay where they are"
        );
        // Again changes nothing.
        let ran = person.installs(agent, &[]);
        assert!(ran.stdout.contains("is as it should be"), "{ran:?}");
        assert_eq!(person.read(file), text);
    }
    assert_eq!(person.files().len(), FILES.len());
    for (agent, _) in FILES {
        let ran = person.uninstalls(agent);
        assert!(ran.stdout.contains("install had made it"), "{ran:?}");
    }
    assert_eq!(
        fs::read_dir(&person.home).unwrap().count(),
        0,
        "folders too"
    );
    let ran = person.uninstalls("qwen");
    assert!(ran.stdout.contains("nothing was changed"), "{ran:?}");
}

#[test]
fn settings_come_back_byte_for_byte_or_keep_what_was_changed_since() {
    let before = "{\r\n\t// mine\r\n\t\"model\" : \"m\", \"hooks\": { \"Stop\": [ ] }\r\n}";
    let person = Person::new();
    let file = ".claude/settings.json";
    person.put(file, before);
    fs::set_permissions(person.file(file), fs::Permissions::from_mode(0o640)).unwrap();
    person.installs("claude-code", &[]);
    // Another timeout is a change of ours.
    person.installs("claude-code", &["--timeout", "300"]);
    assert!(person.read(file).contains("--timeout 300"));
    let ran = person.uninstalls("claude-code");
    assert!(ran.stdout.contains("byte for byte"), "{ran:?}");
    assert_eq!(person.read(file), before);
    let mode = person.file(file).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);

    person.installs("claude-code", &[]);
    let changed = person.read(file).replace("\"m\"", "\"other\"");
    person.put(file, &changed);
    let ran = person.uninstalls("claude-code");
    assert!(ran.stdout.contains("only Countersign's entries"), "{ran:?}");
    let left = person.read(file);
    assert!(
        left.contains("\"other\"") && left.contains("// mine"),
        "{left}"
    );
    assert!(!left.contains("countersign"), "{left}");
}

#[test]
fn looking_first_shows_the_difference_and_writes_nothing() {
    let person = Person::new();
    person.put(".gemini/settings.json", "{\n  \"mine\": 1\n}\n");
    let before = person.files();
    let ran = person.run(&["install", "gemini", "--dry-run"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.contains("+++ ") && ran.stdout.contains("+  \"hooks\": {"),
        "{ran:?}"
    );
    let ran = person.run(&["install", "gemini", "--dry-run", "--json"]);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&told["changed"], &told["written"]),
        (&true.into(), &false.into())
    );
    assert!(told["diff"].as_str().unwrap().contains("BeforeTool"));
    // Nobody is there to agree.
    person
        .run(&["install", "gemini"])
        .assert_failure(1, &["--dry-run", "--yes"]);
    assert_eq!(person.files(), before);
    assert!(!person.sandbox.state_dir().join("installed").exists());
}

#[test]
fn an_agent_may_look_and_neither_install_nor_take_out() {
    let person = Person::new();
    person.installs("claude-code", &[]);
    let before = person.files();
    let home = ["--agents-home", person.home.as_str()];
    for command in ["install", "uninstall"] {
        for more in [&["--yes"][..], &["--dry-run"]] {
            let words = [&[command, "claude-code"], more, &home].concat();
            let ran = person.sandbox.below_an_agent(&words);
            assert_eq!(ran.code, 1, "{ran:?}");
            let refusal = format!("{command} is for a person");
            assert!(ran.stderr.contains(&refusal), "{ran:?}");
            assert!(ran.stderr.contains("terminal of your own"), "{ran:?}");
        }
    }
    assert_eq!(person.files(), before);
    let ran = person
        .sandbox
        .below_an_agent(&[&["status"], &home[..]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("Claude Code"), "{ran:?}");
}

#[test]
fn codex_is_unguarded_until_its_hooks_are_trusted() {
    let person = Person::new();
    person.put(".codex/config.toml", "model = \"m\" # mine\n");
    let ran = person.installs("codex", &[]);
    assert!(
        ran.stdout.contains("UNGUARDED") && ran.stdout.contains("/hooks"),
        "{ran:?}"
    );
    assert_eq!(person.read(".codex/config.toml"), "model = \"m\" # mine\n");
    let ran = person.run(&["status", "codex"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("not trusted"), "{ran:?}");

    person.installs("codex", &["--trust-hooks"]);
    let config = person.read(".codex/config.toml");
    assert!(config.starts_with("model = \"m\" # mine\n"), "{config}");
    assert!(
        config.contains("hooks.json:pre_tool_use:0:0\"]\ntrusted_hash = \"sha256:"),
        "{config}"
    );
    let ran = person.run(&["status", "codex", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report[0]["standing"], "guarded");

    person.uninstalls("codex");
    assert_eq!(person.read(".codex/config.toml"), "model = \"m\" # mine\n");
    assert!(!person.file(".codex/hooks.json").exists());
    person
        .run(&["install", "qwen", "--yes", "--trust-hooks"])
        .assert_failure(1, &["--trust-hooks is for Codex"]);
}

#[test]
fn a_project_is_touched_only_in_its_own_scope() {
    let person = Person::new();
    let project = person.sandbox.workspace.clone();
    person.installs("cursor", &[]);
    assert!(!project.join(".cursor").exists());
    person.uninstalls("cursor");
    person.installs("cursor", &["--scope", "project"]);
    assert!(project.join(".cursor/hooks.json").exists());
    assert_eq!(person.files(), []);
    let ran = person.run(&["uninstall", "cursor", "--yes", "--scope", "project"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!project.join(".cursor").exists());
}

#[test]
fn a_broken_file_is_named_with_its_line_and_left_alone() {
    let person = Person::new();
    person.put(".claude/settings.json", "{\n  \"a\": 1\n  \"b\": 2\n}\n");
    let before = person.files();
    for command in ["install", "uninstall"] {
        let ran = person.run(&[command, "claude-code", "--yes"]);
        ran.assert_failure(1, &["settings.json:2:9: ", "nothing was written"]);
    }
    assert_eq!(person.files(), before);
}

#[test]
fn the_mode_and_the_classifier_are_taken_where_the_command_line_says_so() {
    let person = Person::with(Sandbox::new());
    let settings = serde_json::json!({ "env": {
        "ANTHROPIC_BASE_URL": "https://models.example.org",
        "ANTHROPIC_MODEL": "big-model",
        "ANTHROPIC_API_KEY": "sk-ant-api03-not-a-real-key-but-long-enough-0123456789",
    }});
    person.put(".claude/settings.json", &settings.to_string());
    person.sandbox.settings("{\n  // mine\n}\n");
    person.installs("claude-code", &[]);
    let user = person.sandbox.places().user_file();
    assert_eq!(
        fs::read_to_string(&user).unwrap(),
        "{\n  // mine\n}\n",
        "nobody was asked"
    );
    let ran = person.installs("claude-code", &["--mode", "auto", "--classifier"]);
    assert!(ran.stdout.contains("In auto mode"), "{ran:?}");
    assert!(!ran.stdout.contains("not-a-real-key"), "{ran:?}");
    let text = fs::read_to_string(&user).unwrap();
    for part in [
        "// mine",
        "\"approvalMode\": \"auto\"",
        "\"autoModeAcknowledged\": true",
        "\"model\": \"big-model\"",
        "https://models.example.org",
        "ANTHROPIC_API_KEY",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert!(!text.contains("not-a-real-key"), "{text}");
    person
        .run(&["install", "claude-code", "--yes", "--mode", "yolo"])
        .assert_failure(2, &["yolo"]);
}

#[test]
fn a_program_of_ones_own_is_told_what_to_call() {
    let person = Person::new();
    for command in ["install", "uninstall", "status"] {
        person
            .run(&[command, "generic"])
            .assert_failure(1, &["nothing to install", "docs/agents/generic.md"]);
    }
}

#[test]
fn what_the_agents_own_reader_does_not_take_is_no_guard() {
    for (agent, file, before) in [
        ("claude-code", ".claude/settings.json", "{ // mine\n}\n"),
        ("claude-code", ".claude/settings.json", "{ \"a\": 1, }\n"),
        ("qwen", ".qwen/settings.json", "{ \"a\": 1, }\n"),
        ("gemini", ".gemini/settings.json", "\u{feff}{}\n"),
        ("codex", ".codex/hooks.json", "\u{feff}{}\n"),
    ] {
        let person = Person::new();
        person.put(file, before);
        let is_codex = agent == "codex";
        let ran = person.installs(agent, if is_codex { &["--trust-hooks"] } else { &[] });
        assert!(ran.stdout.contains("UNGUARDED"), "{ran:?}");
        let ran = person.run(&["status", agent]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stdout.contains("does not read"), "{ran:?}");
        person.uninstalls(agent);
        assert_eq!(person.read(file), before);
    }
    // What it takes is a guard.
    let person = Person::new();
    person.put(".qwen/settings.json", "{ // mine\n}\n");
    person.installs("qwen", &[]);
    assert_eq!(person.run(&["status", "qwen"]).code, 0);
}

#[test]
fn doctor_tries_every_hook_and_leaves_no_mark() {
    let person = Person::new();
    for (agent, _) in FILES {
        person.installs(
            agent,
            if *agent == "codex" {
                &["--trust-hooks"]
            } else {
                &[]
            },
        );
    }
    let ran = person.run(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    for (agent, _) in FILES {
        let of_agent: Vec<&Value> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|finding| finding["check"] == *agent)
            .collect();
        assert_eq!(of_agent.len(), 1, "{of_agent:#?}");
        assert_eq!(of_agent[0]["status"], "ok", "{of_agent:#?}");
        let detail = of_agent[0]["detail"].as_str().unwrap();
        assert!(detail.contains("blocks what must be blocked"), "{detail}");
    }
    assert!(!person.sandbox.database().exists(), "nothing was recorded");
}

#[test]
fn doctor_finds_a_hook_that_lets_everything_pass() {
    let person = Person::with(Sandbox::trusted(&with_model("http://127.0.0.1:9/v1", "")));
    let program = person.home.join("bin/countersign");
    person.put("bin/countersign", "#!/bin/sh\ncat >/dev/null\nexit 0\n");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    person.installs("claude-code", &[]);
    let file = ".claude/settings.json";
    person.put(file, &person.read(file).replace(HOOK, program.as_str()));
    let ran = person.run(&["doctor"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout
            .contains("✗ claude-code  unguarded: the hook of PreToolUse did not block"),
        "{ran:?}"
    );
    // Under an agent, nothing that settings name is started.
    let home = ["--agents-home", person.home.as_str()];
    let ran = person
        .sandbox
        .below_an_agent(&[&["doctor"], &home[..]].concat());
    assert!(!ran.stdout.contains("did not block"), "{ran:?}");
    assert!(ran.stdout.contains("another binary"), "{ran:?}");
    // And a missing one is no guard.
    fs::remove_file(&program).unwrap();
    let ran = person.run(&["doctor"]);
    assert!(
        ran.stdout.contains("✗ claude-code  unguarded: ") && ran.stdout.contains("there is no"),
        "{ran:?}"
    );
}
