//! A workspace, settings and the real engine over a real store, with telemetry
//! as its observer and a collector that receives it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::call::{Call, CommandText, Operation, SessionKey, ShellDialect, Subject};
use countersign_core::classify::{ClassifierAnswer, Verdict};
use countersign_core::denials::DenialLimits;
use countersign_core::mode::AgentMode;
use countersign_core::model::{ModelRecord, Stage, StageRecord, StageVerdict};
use countersign_core::state::{CallEvent, ProcessId};
use countersign_core::tool::Tool;
use countersign_core::trace::TraceContext;
use countersign_engine::Engine;
use countersign_engine::prepare;
use countersign_engine::request::{Asking, Background, Layer, Outcome, Reply, Request};
use countersign_engine::resolve::Bound;
use countersign_guard::Guard;
use countersign_settings::{ExportProtocol, Places, TrustStore};
use countersign_store::MemoryStore;
use countersign_telemetry::config::ExportConfig;
use countersign_telemetry::{Flushed, Health, Pseudonyms, Telemetry};
use serde_json::{Value, json};

use crate::collector::{Behaviour, Collector};
use crate::received::Received;

/// The agent's process.
fn process() -> ProcessId {
    ProcessId {
        pid: 7,
        start: 7,
        boot: "boot".to_owned(),
    }
}

/// Both protocols: what is exported is the same.
pub(crate) const PROTOCOLS: [ExportProtocol; 2] = ExportProtocol::ALL;

pub(crate) struct Desk {
    pub(crate) engine: Engine,
    pub(crate) telemetry: Telemetry,
    pub(crate) collector: Collector,
    guard: Guard,
    pub(crate) asking: Asking,
    pub(crate) trace: Option<TraceContext>,
    /// In which order decisions came in.
    pub(crate) event: CallEvent,
    _folder: tempfile::TempDir,
}

/// A call that was decided.
pub(crate) struct Decided {
    pub(crate) call: Call,
    pub(crate) outcome: Outcome,
}

impl Desk {
    pub(crate) fn new(protocol: ExportProtocol) -> Self {
        Self::with(
            &Collector::new(protocol, Behaviour::Takes).into(),
            &json!({}),
        )
    }

    /// With more settings of the user, and a collector of one's own.
    pub(crate) fn with(setup: &Setup, settings: &Value) -> Self {
        Self::at("project", setup, settings)
    }

    pub(crate) fn at(name: &str, setup: &Setup, settings: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let root = root.canonicalize_utf8().unwrap();
        let workspace = root.join(name);
        std::fs::create_dir_all(workspace.join(".git")).unwrap();
        let places = Places {
            system: root.join("system/settings.json"),
            config_dir: root.join("config"),
            state_dir: root.join("state"),
            runtime_dir: root.join("run"),
            home: root,
            relocated: true,
        };
        std::fs::create_dir_all(&places.config_dir).unwrap();
        let mut all = json!({
            "tools": {"approvalMode": "auto"},
            "ui": {"autoModeAcknowledged": true},
        });
        for (key, value) in settings.as_object().unwrap() {
            all[key] = value.clone();
        }
        std::fs::write(places.user_file(), all.to_string()).unwrap();
        TrustStore::new(&places).trust(&workspace).unwrap();
        let pseudonyms = Pseudonyms::of_machine(&places.state_dir).unwrap();
        let telemetry = Telemetry::default();
        let store = Arc::new(MemoryStore::new());
        let engine = countersign_guard::engine(store, vec![telemetry.observer()]);
        let guard = Guard::in_folder(places, &workspace, None);
        let config = setup.config(&guard);
        telemetry
            .start(config, Some(pseudonyms), Duration::ZERO, |_| ())
            .unwrap();
        Self {
            engine,
            telemetry,
            collector: setup.collector.clone(),
            guard,
            asking: Asking::Surface,
            trace: None,
            event: CallEvent::PreTool,
            _folder: folder,
        }
    }

    pub(crate) fn workspace(&self) -> &Utf8PathBuf {
        &self.guard.policy.workspaces[0]
    }

    /// A call of a tool.
    pub(crate) fn call(&self, session: &str, tool: Tool, subject: Subject) -> Call {
        Call {
            key: SessionKey {
                agent: Agent::ClaudeCode,
                session: session.to_owned(),
                subagent: None,
            },
            id: None,
            raw_tool: tool.to_string(),
            raw_input: Value::Null,
            cwd: self.workspace().clone(),
            search_path: Vec::new(),
            agent_mode: AgentMode::Other,
            operations: vec![Operation {
                tool,
                subject,
                parameters: BTreeMap::new(),
            }],
        }
    }

    pub(crate) fn shell(&self, session: &str, text: &str) -> Call {
        let command = CommandText {
            text: text.to_owned(),
            dialect: ShellDialect::Bash,
        };
        self.call(session, Tool::RunShellCommand, Subject::Command(command))
    }

    /// Decides a call; `verdict` is what the classifier would say of it, if it
    /// is asked.
    pub(crate) fn decide(&self, call: Call, verdict: Option<&Verdict>) -> Decided {
        let started = Instant::now();
        let policy = &self.guard.policy;
        let facts = self.engine.facts(&call, &self.guard.host, policy);
        let process = process();
        let request = Request {
            call: &call,
            facts: &facts,
            policy,
            mode: policy.mode,
            event: self.event,
            process: Some(&process),
            asking: self.asking,
            granted: false,
            classifier: verdict.is_some(),
            server: None,
            memory: None,
            head: None,
            spent_micros: 0,
            background: Background {
                started: Some(started),
                trace: self.trace,
                analysis: Some(Layer::since(started, started)),
                ..Background::default()
            },
        };
        let outcome = match self.engine.decide(&request).unwrap() {
            Reply::Done(outcome) => *outcome,
            Reply::Classify => {
                let asked = Request {
                    background: Background {
                        rules: Some(Layer::since(started, started)),
                        classifier: Some(Layer::since(started, started)),
                        ..request.background
                    },
                    ..request
                };
                let answer = answer(verdict.unwrap());
                self.engine.conclude(&asked, &answer).unwrap()
            }
            Reply::NoOpinion => panic!("the guard has no opinion on {call:?}"),
        };
        Decided { call, outcome }
    }

    /// A shell command, judged like that if it is.
    pub(crate) fn run(&self, session: &str, text: &str, verdict: &Verdict) -> Decided {
        self.decide(self.shell(session, text), Some(verdict))
    }

    pub(crate) fn answer(&self, decided: &Decided, answer: &Answer, source: AnswerSource) {
        let facts = prepare::facts(&decided.call, &self.guard.host, &self.guard.policy);
        let digest = prepare::approval_digest(&decided.call, &facts);
        let bound = Bound {
            shown: digest,
            now: digest,
        };
        let (key, id) = (&decided.outcome.key, &decided.outcome.call);
        self.engine
            .resolve(key, id, bound, answer, source, self.limits())
            .unwrap();
    }

    /// Something that was shown has changed.
    pub(crate) fn void(&self, decided: &Decided) {
        let digest = |byte| countersign_core::call::Digest([byte; 32]);
        let bound = Bound {
            shown: digest(1),
            now: digest(2),
        };
        let (key, id) = (&decided.outcome.key, &decided.outcome.call);
        let refused = self.engine.resolve(
            key,
            id,
            bound,
            &Answer::ProceedOnce,
            AnswerSource::Vscode,
            self.limits(),
        );
        assert!(refused.is_err());
    }

    fn limits(&self) -> DenialLimits {
        self.guard.policy.limits
    }

    pub(crate) fn process(&self) -> ProcessId {
        process()
    }

    pub(crate) fn health(&self) -> Health {
        self.telemetry.health().unwrap()
    }

    pub(crate) fn stop(&self, within: Duration) -> Flushed {
        self.telemetry.stop(within)
    }

    /// Everything that the collector received, as documented.
    pub(crate) fn finish(self) -> Received {
        let flushed = self.stop(Duration::from_secs(20));
        assert!(flushed.in_time && flushed.dropped == 0, "{flushed:?}");
        let received = self.collector.received();
        received.is_as_documented();
        received
    }
}

/// Where a desk exports to.
pub(crate) struct Setup {
    collector: Collector,
    more: Vec<(&'static str, String)>,
}

impl From<Collector> for Setup {
    fn from(collector: Collector) -> Self {
        Self {
            collector,
            more: Vec::new(),
        }
    }
}

impl Setup {
    pub(crate) fn and(mut self, name: &'static str, value: &str) -> Self {
        self.more.push((name, value.to_owned()));
        self
    }

    fn config(&self, guard: &Guard) -> ExportConfig {
        let mut variables: BTreeMap<&str, String> =
            self.collector.variables().into_iter().collect();
        variables.extend(self.more.iter().cloned());
        ExportConfig::find(&guard.effective.telemetry, &|name| {
            variables.get(name).cloned()
        })
        .unwrap()
        .unwrap()
    }
}

pub(crate) fn blocked() -> Verdict {
    Verdict::Block {
        reason: "SECRET-reason of a model".to_owned(),
    }
}

/// An answer of a model with everything that is kept of one.
fn answer(verdict: &Verdict) -> ClassifierAnswer {
    let stage = |stage, verdict| StageRecord {
        stage,
        verdict,
        millis: 0,
        attempts: 1,
        request_id: Some(format!("req_{stage}")),
        message_id: Some(format!("msg_{stage}")),
        input_tokens: Some(1_200),
        cached_tokens: Some(1_000),
        output_tokens: Some(20),
    };
    let (stages, problem) = match verdict {
        Verdict::Allow => (vec![stage(Stage::Fast, StageVerdict::Allow)], None),
        Verdict::Block { .. } => (
            vec![
                stage(Stage::Fast, StageVerdict::Block),
                stage(Stage::Thinking, StageVerdict::Block),
            ],
            None,
        ),
        Verdict::Unavailable(why) => (
            vec![StageRecord {
                input_tokens: None,
                cached_tokens: None,
                output_tokens: None,
                message_id: None,
                ..stage(Stage::Fast, StageVerdict::Unavailable(*why))
            }],
            Some("https://SECRET-endpoint was not there".to_owned()),
        ),
    };
    let last = stages.last().cloned();
    ClassifierAnswer {
        verdict: verdict.clone(),
        model: ModelRecord {
            stage: last.as_ref().map(|stage| stage.stage.to_string()),
            model: Some("guard-large-2026".to_owned()),
            requested: Some("guard-large".to_owned()),
            provider: Some("openai".to_owned()),
            request_id: last.as_ref().and_then(|stage| stage.request_id.clone()),
            message_id: last.and_then(|stage| stage.message_id),
            stages,
            problem,
            ..ModelRecord::default()
        },
    }
}
