//! What is trusted to execute: tasks and scripts run without review only while
//! no guarded call changed what they run, whatever way the change took.

use std::sync::Arc;

use countersign_core::agent::Agent;
use countersign_core::call::{Access, Call, Change, Operation, PathUse, SessionKey, Subject};
use countersign_core::facts::{Analysis, Facts};
use countersign_core::mode::{AgentMode, ApprovalMode};
use countersign_core::state::CallEvent;
use countersign_core::tool::Tool;
use countersign_engine::ledger::Vouching;
use countersign_engine::prepare::approval_digest;
use countersign_engine::request::{Asking, Background, Reply, Request};
use countersign_store::MemoryStore;

use crate::ledger_desk::{Desk, process};
use crate::project::{Project, policy};

const MAKEFILE: &str = "test:\n\tpython3 run.py\n";
const CHECK: &str = "#!/bin/bash\ngrep -c x run.py\n";

/// A project with a state, in which an agent works.
struct Work {
    project: Project,
    desk: Desk,
}

impl Work {
    fn new() -> Self {
        let project = Project::with(&[
            ("Makefile", MAKEFILE),
            ("run.py", "x = 1\n"),
            ("lib/a.py", "a = 1\n"),
            ("lib/Makefile", MAKEFILE),
            ("logo.png", "png"),
            ("check.sh", CHECK),
            (".gitignore", "cache/\n"),
        ]);
        let mut desk = Desk::new(Arc::new(MemoryStore::new()));
        desk.policy = policy(&project.home, &project.root);
        desk.policy.mode = ApprovalMode::Yolo;
        Self { project, desk }
    }

    fn facts(&self, call: &Call) -> Facts {
        let policy = &self.desk.policy;
        self.desk.engine.facts(call, &self.project.host, policy)
    }

    /// Why a command is not contained; empty where it is.
    fn because(&self, command: &str) -> Vec<String> {
        let facts = self.facts(&self.project.shell(command));
        let of = &facts.operations[0];
        let because: Vec<String> = of
            .found
            .because
            .iter()
            .map(|one| one.reason.clone())
            .collect();
        let is_contained = matches!(of.analysis, Analysis::Contained { .. });
        assert_eq!(is_contained, because.is_empty(), "{command}: {because:?}");
        because
    }

    #[track_caller]
    fn runs(&self, command: &str) {
        let because = self.because(command);
        assert!(because.is_empty(), "{command}: {because:?}");
    }

    #[track_caller]
    fn refuses(&self, command: &str, why: &str) {
        let because = self.because(command).join("; ");
        assert!(because.contains(why), "{command}: {because}");
    }

    /// A call is decided and allowed; what it does is done by the test.
    fn allowed(&self, call: &Call, event: CallEvent) {
        self.desk.later(1);
        let facts = self.facts(call);
        let (host, policy) = (&self.project.host, &self.desk.policy);
        let head = self.desk.engine.head_before(host, policy, call, &facts);
        let request = Request {
            call,
            facts: &facts,
            policy,
            mode: policy.mode,
            event,
            process: Some(&process()),
            asking: Asking::Surface,
            granted: false,
            classifier: false,
            server: None,
            memory: None,
            head: head.as_ref(),
            spent_micros: 0,
            background: Background::default(),
        };
        let reply = self.desk.engine.decide(&request).unwrap();
        assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
    }

    fn ends(&self, call: &Call) {
        let failed = false;
        let event = countersign_engine::events::AgentEvent::Result { call, failed };
        self.desk.note(&call.key, event);
        if let Some(look) = self.desk.engine.head(&self.project.host, &self.desk.policy) {
            let workspace = &self.desk.policy.workspaces[0];
            self.desk.engine.look(workspace, &look).unwrap();
        }
    }

    /// The agent writes a file with its own tool.
    fn writes(&self, session: &str, path: &str, content: &str) {
        let call = Call {
            key: SessionKey {
                agent: Agent::ClaudeCode,
                session: session.to_owned(),
                subagent: None,
            },
            raw_tool: "Write".to_owned(),
            search_path: Vec::new(),
            agent_mode: AgentMode::Other,
            operations: vec![Operation {
                tool: Tool::WriteFile,
                subject: Subject::Paths(vec![PathUse {
                    path: self.project.root.join(path).to_string(),
                    access: Access::Write,
                    change: Some(Change {
                        old: String::new(),
                        new: content.to_owned(),
                    }),
                }]),
                parameters: std::collections::BTreeMap::new(),
            }],
            ..self.project.shell("")
        };
        self.allowed(&call, CallEvent::PreTool);
        self.project.write(path, content);
        self.ends(&call);
    }

    /// The agent runs a command, which the test does with `act`.
    fn does(&self, command: &str, act: impl FnOnce(&Project)) {
        let call = self.project.shell(command);
        self.allowed(&call, CallEvent::PreTool);
        act(&self.project);
        self.ends(&call);
    }
}

#[test]
fn a_task_runs_while_nothing_that_it_runs_was_changed() {
    let work = Work::new();
    work.runs("make test");
    work.runs("cd lib && make -j4");
    work.does("make test", |_| {});
    work.runs("make test");
    work.writes("s", "logo.png", "new");
    work.runs("make test 2>&1 | tail -5");
}

#[test]
fn a_task_waits_once_an_agent_edited_code_and_says_which() {
    let work = Work::new();
    work.writes("s", "run.py", "import os\n");
    work.refuses("make test", "agents changed what it may run: run.py");
    // As it was, it is what the baseline has.
    work.writes("s", "run.py", "x = 1\n");
    work.runs("make test");
    work.writes("another", "lib/new.py", "x\n");
    work.refuses("make test", "lib/new.py");
}

#[test]
fn edited_code_runs_where_the_user_wants_that_but_never_an_edited_definition() {
    let mut work = Work::new();
    work.desk.policy.run_edited_code = true;
    work.writes("s", "run.py", "import os\n");
    work.runs("make test");
    work.writes("s", "Makefile", "test:\n\ttrue\n");
    work.refuses(
        "make test",
        "Makefile defines it and is not as the baseline has it",
    );
    work.refuses("cd lib && make", "Makefile defines it");
}

#[test]
fn a_task_without_a_definition_or_a_repository_is_not_run() {
    let work = Work::new();
    work.refuses("npm test", "no file in the workspace defines it");
    work.refuses("cd /tmp && make", "is outside the workspace");
    let bare = Project::bare();
    bare.write("Makefile", MAKEFILE);
    bare.refuses(&["make"]);
    // Nor where another repository begins.
    work.project.write("inner/Makefile", MAKEFILE);
    work.project
        .write("inner/.git/HEAD", "ref: refs/heads/main\n");
    assert!(!work.because("cd inner && make").is_empty());
}

#[test]
fn an_untracked_or_ignored_definition_is_not_trusted() {
    let work = Work::new();
    work.project.write("cache/Makefile", MAKEFILE);
    work.refuses("cd cache && make", "cache/Makefile defines it");
    work.project.write("GNUmakefile", MAKEFILE);
    work.refuses("make", "GNUmakefile defines it");
}

#[test]
fn committing_switching_and_stashing_do_not_launder_a_change() {
    let work = Work::new();
    work.writes("s", "run.py", "import os\n");
    work.does("git commit -am x", |project| project.commit());
    assert!(!work.because("make test").is_empty());
    let work = Work::new();
    work.writes("s", "run.py", "import os\n");
    work.does(
        "git switch -c other && git commit -am x && git switch main",
        |project| {
            project.git(&["switch", "--quiet", "-c", "other"]);
            project.commit();
            project.git(&["switch", "--quiet", "main"]);
        },
    );
    work.runs("make test");
    work.does("git switch other", |project| {
        project.git(&["switch", "--quiet", "other"]);
    });
    assert!(!work.because("make test").is_empty());
}

#[test]
fn moving_copying_and_linking_do_not_launder_a_change() {
    let work = Work::new();
    work.writes("s", "notes.txt", "import os\n");
    work.does("mv notes.txt run.py", |project| {
        std::fs::rename(project.root.join("notes.txt"), project.root.join("run.py")).unwrap();
    });
    assert!(!work.because("make test").is_empty());
    let work = Work::new();
    work.does("ln -sf /tmp/x lib/a.py", |project| {
        std::fs::remove_file(project.root.join("lib/a.py")).unwrap();
        std::os::unix::fs::symlink("/tmp/x", project.root.join("lib/a.py")).unwrap();
    });
    assert!(!work.because("make test").is_empty());
}

#[test]
fn what_git_says_of_a_file_does_not_make_it_trusted() {
    let work = Work::new();
    work.writes("s", "run.py", "import os\n");
    work.project
        .git(&["update-index", "--assume-unchanged", "run.py"]);
    work.project
        .git(&["update-index", "--skip-worktree", "run.py"]);
    assert!(!work.because("make test").is_empty());
    let times = std::fs::metadata(work.project.root.join("Makefile")).unwrap();
    work.writes("s", "Makefile", "test:\n\tpython3 own.py\n");
    let file = std::fs::File::options()
        .write(true)
        .open(work.project.root.join("Makefile"))
        .unwrap();
    file.set_modified(times.modified().unwrap()).unwrap();
    work.refuses("make test", "Makefile defines it");
}

#[test]
fn after_a_program_that_may_write_anything_the_files_themselves_are_looked_at() {
    let work = Work::new();
    work.does("python3 anything.py", |_| {});
    work.runs("make test");
    work.does("python3 anything.py", |project| {
        project.write("lib/a.py", "import os\n")
    });
    work.refuses("make test", "may have changed what it may run: lib/a.py");
    work.does("python3 anything.py", |project| {
        std::fs::remove_file(project.root.join("run.py")).unwrap();
    });
    work.refuses("make test", "run.py, lib/a.py");
    let work = Work::new();
    // What git ignores may run as well.
    work.does("python3 anything.py", |project| {
        project.write("cache/x.py", "import os\n")
    });
    work.refuses("make test", "cache/x.py");
}

#[test]
fn while_a_program_runs_that_may_write_anything_nothing_is_trusted() {
    let work = Work::new();
    let call = work.project.shell("python3 anything.py");
    work.allowed(&call, CallEvent::PreTool);
    work.refuses("make test", "is running that may change anything");
    work.refuses("./check.sh", "is running that may change");
    work.ends(&call);
    work.runs("make test");
}

#[test]
fn code_in_another_workspace_of_the_session_counts_as_well() {
    let mut work = Work::new();
    let other = work.project.home.join("library");
    std::fs::create_dir(&other).unwrap();
    work.desk.policy.workspaces.push(other.clone());
    work.runs("make test");
    work.writes("s", "../library/lib.py", "import os\n");
    work.refuses("make test", &format!("agents may have changed {other}"));
    // A task that runs no code of the project only needs its own definition.
    work.project.write("go.mod", "module x\n");
    work.refuses("go vet ./...", "go.mod defines it");
}

#[test]
fn a_person_sets_the_baseline_anew() {
    let work = Work::new();
    work.writes("s", "run.py", "import os\n");
    work.does("git commit -am x", |project| project.commit());
    assert!(!work.because("make test").is_empty());
    let look = work
        .desk
        .engine
        .head(&work.project.host, &work.desk.policy)
        .unwrap();
    let source = countersign_core::approval::AnswerSource::Neovim;
    let workspace = &work.desk.policy.workspaces[0];
    let set =
        work.desk
            .engine
            .person_sets_baseline(None, workspace, &look, Vouching::Commit, source);
    set.unwrap();
    work.runs("make test");
}

#[test]
fn a_script_runs_if_it_is_trusted_or_all_of_it_is_known() {
    let work = Work::new();
    work.runs("./check.sh");
    work.runs("bash check.sh x");
    work.writes("s", "own.sh", CHECK);
    work.runs("bash own.sh");
    work.writes("s", "bad.sh", "curl https://example.com/x\n");
    work.refuses("bash bad.sh", "in `bad.sh`");
    // Somebody else changed what the agent gave.
    work.project.write("own.sh", "ls\n");
    work.refuses("bash own.sh", "nor what an agent's call gave");
    work.project.write("check.sh", "ls\n");
    work.refuses("./check.sh", "neither as the baseline has it");
    work.refuses("bash /tmp/x.sh", "`/tmp/x.sh`");
}

#[test]
fn an_approval_is_bound_to_what_a_task_would_run() {
    let work = Work::new();
    work.writes("s", "run.py", "import os\n");
    let call = work.project.shell("make test");
    let before = approval_digest(&call, &work.facts(&call));
    assert_eq!(before, approval_digest(&call, &work.facts(&call)));
    work.project.write("Makefile", "test:\n\ttrue\n");
    let after = approval_digest(&call, &work.facts(&call));
    assert_ne!(before, after, "the definition counts");
    work.project.write("run.py", "import sys\n");
    assert_ne!(
        after,
        approval_digest(&call, &work.facts(&call)),
        "edited code counts"
    );
}
