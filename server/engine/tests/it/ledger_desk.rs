//! An engine over a store, a clock that the test moves, and calls without a
//! file system.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

use camino::Utf8Path;
use countersign_core::agent::Agent;
use countersign_core::call::{
    Access, Call, Change, CommandText, Operation, PathUse, SessionKey, ShellDialect, Subject,
};
use countersign_core::denials::DenialLimits;
use countersign_core::facts::{Analysis, Facts, OperationFacts};
use countersign_core::ledger::{Footprint, LedgerEntry, LedgerView, Look};
use countersign_core::mode::{AgentMode, ApprovalMode};
use countersign_core::paths::{FileKind, PathFact, ProtectedOptions, ProtectedPaths};
use countersign_core::policy::{LazyProtected, OnUnavailable, Policy, StaticAnalysis};
use countersign_core::rules::RuleSet;
use countersign_core::state::{CallEvent, Millis, ProcessId, StateStore};
use countersign_core::tool::Tool;
use countersign_engine::clock::Clock;
use countersign_engine::events::{AgentEvent, Noted};
use countersign_engine::nesting::Above;
use countersign_engine::request::{Asking, Background, Outcome, Reply, Request};
use countersign_engine::{Engine, Ids, Processes};

pub(crate) const WORKSPACE: &str = "/w";

#[derive(Default)]
pub(crate) struct World {
    now: AtomicI64,
    ids: AtomicU32,
    dead: AtomicBool,
}

impl Clock for World {
    fn now(&self) -> Millis {
        self.now.load(Ordering::Relaxed)
    }
}

impl Ids for World {
    fn next(&self) -> String {
        format!("{:032x}", self.ids.fetch_add(1, Ordering::Relaxed))
    }
}

impl Processes for World {
    fn alive(&self, _: &ProcessId) -> bool {
        !self.dead.load(Ordering::Relaxed)
    }

    fn above(&self, _: &ProcessId) -> Above {
        Above {
            agents: Vec::new(),
            is_whole: true,
        }
    }
}

/// A call with its facts.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) call: Call,
    pub(crate) facts: Facts,
}

pub(crate) struct Desk {
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) engine: Engine,
    pub(crate) world: Arc<World>,
    pub(crate) policy: Policy,
    /// What HEAD is, which looks find.
    pub(crate) head: Option<String>,
    pub(crate) asking: Asking,
}

pub(crate) fn commit(number: u8) -> Option<String> {
    Some(format!("{number:02x}").repeat(20))
}

pub(crate) fn session(name: &str) -> SessionKey {
    SessionKey {
        agent: Agent::ClaudeCode,
        session: name.to_owned(),
        subagent: None,
    }
}

pub(crate) fn process() -> ProcessId {
    ProcessId {
        pid: 7,
        start: 7,
        boot: "boot".to_owned(),
    }
}

fn policy(mode: ApprovalMode, workspace: &str) -> Policy {
    let options = ProtectedOptions {
        home: "/home/u".into(),
        ..ProtectedOptions::default()
    };
    Policy {
        mode,
        rules: RuleSet::default(),
        protected: LazyProtected::new(Box::new(move || ProtectedPaths::new(options))),
        workspaces: vec![workspace.into()],
        home: "/home/u".into(),
        limits: DenialLimits::default(),
        review_credential_reads: false,
        classify_all_shell: false,
        static_analysis: StaticAnalysis::default(),
        run_edited_code: false,
        on_unavailable: OnUnavailable::default(),
        problems: Vec::new(),
    }
}

impl Desk {
    pub(crate) fn new(store: Arc<dyn StateStore>) -> Self {
        let world = Arc::new(World::default());
        world.now.store(1000, Ordering::Relaxed);
        Self::again(store, world)
    }

    /// As another process, or the same one later, would sit down.
    pub(crate) fn again(store: Arc<dyn StateStore>, world: Arc<World>) -> Self {
        let engine = Engine::new(
            Arc::clone(&store),
            Arc::clone(&world) as Arc<dyn Clock>,
            Arc::clone(&world) as Arc<dyn Processes>,
            Arc::clone(&world) as Arc<dyn Ids>,
            Vec::new(),
        );
        Self {
            store,
            engine,
            world,
            policy: policy(ApprovalMode::Yolo, WORKSPACE),
            head: commit(1),
            asking: Asking::Surface,
        }
    }

    pub(crate) fn in_workspace(mut self, workspace: &str) -> Self {
        self.policy = policy(self.policy.mode, workspace);
        self
    }

    pub(crate) fn in_mode(mut self, mode: ApprovalMode) -> Self {
        self.policy = policy(mode, WORKSPACE);
        self
    }

    pub(crate) fn later(&self, by: Millis) -> Millis {
        self.world.now.fetch_add(by, Ordering::Relaxed) + by
    }

    pub(crate) fn kill_agent(&self) {
        self.world.dead.store(true, Ordering::Relaxed);
    }

    pub(crate) fn look(&self) -> Look {
        Look {
            repository: Some("/w/.git".into()),
            head: self.head.clone(),
            at: self.world.now(),
        }
    }

    pub(crate) fn decide(&self, wanted: &Wanted, event: CallEvent) -> Outcome {
        self.later(1);
        let look = self.look();
        self.later(1);
        let process = process();
        let request = Request {
            call: &wanted.call,
            facts: &wanted.facts,
            policy: &self.policy,
            mode: self.policy.mode,
            event,
            process: Some(&process),
            asking: self.asking,
            granted: false,
            classifier: false,
            server: None,
            memory: None,
            head: Some(&look),
            spent_micros: 0,
            background: Background::default(),
        };
        match self.engine.decide(&request).unwrap() {
            Reply::Done(outcome) => *outcome,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn begin(&self, wanted: &Wanted) -> Outcome {
        self.decide(wanted, CallEvent::PreTool)
    }

    pub(crate) fn note(&self, key: &SessionKey, event: AgentEvent<'_>) -> Noted {
        self.later(1);
        let limits = DenialLimits::default();
        self.engine
            .note(key, event, Some(&process()), limits)
            .unwrap()
    }

    /// The tool ran; then HEAD is looked at.
    pub(crate) fn result(&self, wanted: &Wanted, failed: bool) -> Noted {
        let call = &wanted.call;
        let noted = self.note(&call.key, AgentEvent::Result { call, failed });
        self.later(1);
        self.engine.look(self.workspace(), &self.look()).unwrap();
        noted
    }

    pub(crate) fn does(&self, wanted: &Wanted) {
        self.begin(wanted);
        self.result(wanted, false);
    }

    pub(crate) fn workspace(&self) -> &Utf8Path {
        &self.policy.workspaces[0]
    }

    pub(crate) fn baseline(&self) -> Option<String> {
        let kept = self.engine.baseline(self.workspace()).unwrap();
        kept.and_then(|kept| kept.commit)
    }

    pub(crate) fn view(&self, under: &str) -> LedgerView {
        self.engine.ledger(under.into(), usize::MAX).unwrap()
    }

    pub(crate) fn entries(&self) -> Vec<LedgerEntry> {
        self.view("/").entries
    }

    pub(crate) fn in_flight(&self) -> usize {
        let mut calls = 0;
        self.store
            .read(&mut |transaction| {
                calls = transaction.in_flight()?.len();
                Ok(())
            })
            .unwrap();
        calls
    }
}

fn wanted(key: &SessionKey, tool: Tool, subject: Subject, facts: OperationFacts) -> Wanted {
    Wanted {
        call: Call {
            key: key.clone(),
            id: None,
            raw_tool: tool.to_string(),
            raw_input: serde_json::json!({}),
            cwd: WORKSPACE.into(),
            search_path: Vec::new(),
            agent_mode: AgentMode::Other,
            operations: vec![Operation {
                tool,
                subject,
                parameters: BTreeMap::new(),
            }],
        },
        facts: Facts {
            operations: vec![facts],
            cwd: Some(WORKSPACE.into()),
        },
    }
}

fn fact(path: &str, access: Access, kind: FileKind) -> PathFact {
    PathFact {
        given: path.to_owned(),
        absolute: path.into(),
        canonical: path.into(),
        access,
        kind,
        links: 1,
    }
}

/// The agent's own tool writes a whole file.
pub(crate) fn write(key: &SessionKey, path: &str, content: &str, kind: FileKind) -> Wanted {
    let path_use = PathUse {
        path: path.to_owned(),
        access: Access::Write,
        change: Some(Change {
            old: String::new(),
            new: content.to_owned(),
        }),
    };
    let facts = OperationFacts {
        paths: vec![fact(path, Access::Write, kind)],
        ..OperationFacts::default()
    };
    wanted(key, Tool::WriteFile, Subject::Paths(vec![path_use]), facts)
}

/// A file or folder is moved by the agent's own tool.
pub(crate) fn moves(key: &SessionKey, from: &str, to: &str, kind: FileKind) -> Wanted {
    let both = [
        (from, Access::Delete, kind),
        (to, Access::Write, FileKind::Missing),
    ];
    let uses = both.map(|(path, access, _)| PathUse {
        path: path.to_owned(),
        access,
        change: None,
    });
    let facts = OperationFacts {
        paths: both
            .map(|(path, access, kind)| fact(path, access, kind))
            .into(),
        ..OperationFacts::default()
    };
    wanted(key, Tool::MoveFile, Subject::Paths(uses.into()), facts)
}

pub(crate) fn reads(key: &SessionKey, path: &str) -> Wanted {
    let path_use = PathUse {
        path: path.to_owned(),
        access: Access::Read,
        change: None,
    };
    let facts = OperationFacts {
        paths: vec![fact(path, Access::Read, FileKind::File)],
        ..OperationFacts::default()
    };
    wanted(key, Tool::ReadFile, Subject::Paths(vec![path_use]), facts)
}

/// A command, and what is known of what it writes.
pub(crate) fn shell(key: &SessionKey, text: &str, commands: Option<Footprint>) -> Wanted {
    let command = CommandText {
        text: text.to_owned(),
        dialect: ShellDialect::Bash,
    };
    let facts = OperationFacts {
        command: Some(countersign_shell::view(&command)),
        analysis: Analysis::NotProven,
        writes: commands,
        ..OperationFacts::default()
    };
    wanted(key, Tool::RunShellCommand, Subject::Command(command), facts)
}

/// A command that moves HEAD and writes nothing else.
pub(crate) fn git(key: &SessionKey, text: &str) -> Wanted {
    let moves = Footprint {
        moves_head: true,
        ..Footprint::default()
    };
    shell(key, text, Some(moves))
}
