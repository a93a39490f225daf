//! A workspace on disk with a repository that plain git made, away from
//! everybody's configuration, and what analysis says of commands in it.

use std::collections::BTreeMap;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_core::call::{Call, CommandText, Operation, SessionKey, ShellDialect, Subject};
use countersign_core::denials::DenialLimits;
use countersign_core::facts::{Analysis, Facts};
use countersign_core::mode::{AgentMode, ApprovalMode};
use countersign_core::paths::{ProtectedOptions, ProtectedPaths};
use countersign_core::policy::{LazyProtected, OnUnavailable, Policy, StaticAnalysis};
use countersign_core::rules::RuleSet;
use countersign_core::tool::Tool;
use countersign_engine::host::Host;
use countersign_engine::prepare;

pub(crate) struct Project {
    _folder: tempfile::TempDir,
    pub(crate) home: Utf8PathBuf,
    pub(crate) root: Utf8PathBuf,
    pub(crate) host: Host,
    pub(crate) policy: Policy,
}

impl Project {
    /// A workspace without a repository.
    pub(crate) fn bare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(folder.path())
            .unwrap()
            .canonicalize_utf8()
            .unwrap();
        let root = home.join("project");
        std::fs::create_dir(&root).unwrap();
        let policy = policy(&home, &root);
        Self {
            _folder: folder,
            home,
            root,
            host: Host::default(),
            policy,
        }
    }

    /// A workspace with these files in one commit.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let project = Self::bare();
        project.git(&["init", "--quiet", "--initial-branch=main"]);
        for (path, text) in files {
            project.write(path, text);
        }
        project.commit();
        project
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=x"]);
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        for name in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_CONFIG_GLOBAL",
        ] {
            command.env_remove(name);
        }
        let output = command
            .current_dir(&self.root)
            .env("HOME", &self.home)
            .env("XDG_CONFIG_HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "A")
            .env("GIT_AUTHOR_EMAIL", "a@example.com")
            .env("GIT_COMMITTER_NAME", "A")
            .env("GIT_COMMITTER_EMAIL", "a@example.com")
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn shell(&self, text: &str) -> Call {
        Call {
            key: SessionKey {
                agent: Agent::ClaudeCode,
                session: "s".to_owned(),
                subagent: None,
            },
            id: None,
            raw_tool: "Bash".to_owned(),
            raw_input: serde_json::json!({ "command": text }),
            cwd: self.root.clone(),
            search_path: Vec::new(),
            agent_mode: AgentMode::Other,
            operations: vec![Operation {
                tool: Tool::RunShellCommand,
                subject: Subject::Command(CommandText {
                    text: text.to_owned(),
                    dialect: ShellDialect::Bash,
                }),
                parameters: BTreeMap::new(),
            }],
        }
    }

    pub(crate) fn facts(&self, call: &Call) -> Facts {
        prepare::facts(call, &self.host, &self.policy)
    }

    /// Whether a command is contained.
    pub(crate) fn contains(&self, text: &str) -> bool {
        let facts = self.facts(&self.shell(text));
        matches!(facts.operations[0].analysis, Analysis::Contained { .. })
    }

    pub(crate) fn allows(&self, commands: &[&str]) {
        for text in commands {
            let facts = self.facts(&self.shell(text));
            let because = &facts.operations[0].found.because;
            assert!(self.contains(text), "{text} is not contained: {because:?}");
        }
    }

    pub(crate) fn refuses(&self, commands: &[&str]) {
        for text in commands {
            assert!(!self.contains(text), "{text} is contained");
        }
    }
}

pub(crate) fn policy(home: &Utf8Path, root: &Utf8Path) -> Policy {
    let options = ProtectedOptions {
        home: home.to_owned(),
        workspaces: vec![root.to_owned()],
        ..ProtectedOptions::default()
    };
    Policy {
        mode: ApprovalMode::Auto,
        rules: RuleSet::default(),
        protected: LazyProtected::new(Box::new(move || ProtectedPaths::new(options))),
        workspaces: vec![root.to_owned()],
        home: home.to_owned(),
        limits: DenialLimits::default(),
        review_credential_reads: false,
        classify_all_shell: false,
        static_analysis: StaticAnalysis::default(),
        run_edited_code: false,
        on_unavailable: OnUnavailable::default(),
        problems: Vec::new(),
    }
}
