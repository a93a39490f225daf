//! Certain harm is blocked; only the user's own literal rule lifts it, and
//! nothing lifts an attack on the guard.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use countersign_core::agent::Agent;
use countersign_core::call::{Call, CommandText, Operation, SessionKey, ShellDialect, Subject};
use countersign_core::decide::{Situation, Step, decide};
use countersign_core::decision::{BlockReason, Decision};
use countersign_core::denials::{Counters, DenialLimits};
use countersign_core::facts::Analysis;
use countersign_core::mode::{AgentMode, ApprovalMode};
use countersign_core::paths::{ProtectedOptions, ProtectedPaths};
use countersign_core::policy::{LazyProtected, OnUnavailable, Policy, StaticAnalysis};
use countersign_core::rules::{Reading, RuleList, RuleOrigin, RuleSet, Scope};
use countersign_core::tool::Tool;
use countersign_engine::host::Host;
use countersign_engine::prepare;

struct Place {
    root: Utf8PathBuf,
    _folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(folder.path().canonicalize().unwrap()).unwrap();
        for name in ["home/.config/countersign", "home/app/.git", "home/app/src"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        Self {
            root,
            _folder: folder,
        }
    }

    fn policy(&self, allowed: Option<(&str, Scope)>) -> Policy {
        let home = self.root.join("home");
        let options = ProtectedOptions {
            home: home.clone(),
            config_dir: home.join(".config/countersign"),
            ..ProtectedOptions::default()
        };
        let rules = allowed.map(|(rule, scope)| {
            let origin = RuleOrigin {
                scope,
                file: None,
                line: None,
                root: home.clone(),
                reading: Reading::Countersign,
            };
            (RuleList::Allow, rule.to_owned(), origin)
        });
        Policy {
            mode: ApprovalMode::Auto,
            rules: RuleSet::compile(rules, &home),
            protected: LazyProtected::new(Box::new(move || ProtectedPaths::new(options))),
            workspaces: vec![home.join("app")],
            home,
            limits: DenialLimits::default(),
            review_credential_reads: false,
            classify_all_shell: false,
            static_analysis: StaticAnalysis::default(),
            run_edited_code: false,
            on_unavailable: OnUnavailable::default(),
            problems: Vec::new(),
        }
    }

    fn step(&self, text: &str, mode: ApprovalMode, policy: &Policy) -> (Analysis, Step) {
        let call = Call {
            key: SessionKey {
                agent: Agent::ClaudeCode,
                session: "a".to_owned(),
                subagent: None,
            },
            id: None,
            raw_tool: "Bash".to_owned(),
            raw_input: serde_json::json!({}),
            cwd: self.root.join("home/app"),
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
        };
        let facts = prepare::facts(&call, &Host::default(), policy);
        let step = decide(&Situation {
            call: &call,
            facts: &facts,
            policy,
            mode,
            counters: Counters::default(),
            granted: false,
            classifier: true,
        });
        (facts.operations[0].analysis.clone(), step)
    }

    fn is_blocked(&self, text: &str, mode: ApprovalMode, policy: &Policy) -> bool {
        matches!(
            self.step(text, mode, policy).1,
            Step::Done(Decision::Block {
                reason: BlockReason::StaticBlocked,
                ..
            })
        )
    }
}

#[test]
fn the_history_of_the_workspace_is_not_deleted_unless_the_user_wrote_it_down() {
    let place = Place::new();
    let text = "rm -rf .git";
    for mode in [
        ApprovalMode::Plan,
        ApprovalMode::Default,
        ApprovalMode::Auto,
    ] {
        assert!(place.is_blocked(text, mode, &place.policy(None)), "{mode}");
    }
    let user = place.policy(Some(("Bash(rm -rf .git)", Scope::User)));
    assert!(!place.is_blocked(text, ApprovalMode::Auto, &user));
    let project = place.policy(Some(("Bash(rm -rf .git)", Scope::Workspace)));
    assert!(place.is_blocked(text, ApprovalMode::Auto, &project));
    let wide = place.policy(Some(("Bash(rm *)", Scope::User)));
    assert!(place.is_blocked(text, ApprovalMode::Auto, &wide));
}

#[test]
fn nothing_lifts_an_attack_on_the_guard() {
    let place = Place::new();
    for text in [
        "rm -rf $HOME/.config/countersign",
        "bash -c 'rm -rf ${HOME}/.config'",
        "rm -rf ~",
        "find ~ -name 'countersign*' -delete",
        "pkill countersign",
        "echo x > \"$HOME/.config/countersign/settings.json\"",
    ] {
        let rule = format!("Bash({text})");
        let policy = place.policy(Some((rule.as_str(), Scope::User)));
        for mode in [ApprovalMode::Auto, ApprovalMode::Yolo] {
            assert!(place.is_blocked(text, mode, &policy), "{mode}: {text}");
        }
    }
}

#[test]
fn what_comes_near_is_looked_at_or_contained() {
    let place = Place::new();
    let policy = place.policy(None);
    for text in [
        "ls $HOME/.config/countersign",
        "rm -rf src/gone",
        "rm -rf *",
        "rm -rf $X/*",
        "find . -exec mv {} .. \\;",
        "find . -name '*.pyc' -delete",
        "git clean -fdx",
    ] {
        let (analysis, _) = place.step(text, ApprovalMode::Auto, &policy);
        assert!(
            !matches!(analysis, Analysis::Blocked { .. }),
            "{text}: {analysis:?}"
        );
        assert!(
            !place.is_blocked(text, ApprovalMode::Yolo, &policy),
            "{text}"
        );
    }
}
