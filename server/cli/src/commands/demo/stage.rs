//! The demo's own folder, state and guard.

use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use countersign_agents::{CallStage, EventKind, decode};
use countersign_core::agent::Agent;
use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::call::{Call, Subject};
use countersign_core::classify::ClassifierAnswer;
use countersign_core::redact;
use countersign_core::state::{CallEvent, ModelRecord, ProcessId};
use countersign_engine::Engine;
use countersign_engine::observer::Resolution;
use countersign_engine::prepare;
use countersign_engine::request::{Asking, Background, Outcome, Reply, Request};
use countersign_engine::resolve::Bound;
use countersign_guard::Guard;
use countersign_settings::{Places, TrustStore};
use countersign_store::Store;
use serde_json::json;
use tempfile::TempDir;

use super::script::{FILES, SETTINGS, Scene};

/// Where the demo plays.
pub(super) struct Stage {
    _folder: TempDir,
    workspace: Utf8PathBuf,
    guard: Guard,
    store: Arc<Store>,
    engine: Engine,
}

/// A scene that was played.
pub(super) struct Played {
    pub(super) outcome: Outcome,
    /// What the call asked for, as people read it.
    pub(super) subject: String,
    /// What was decided, in plain words, without the demo's folder.
    pub(super) detail: String,
    call: Call,
}

impl Stage {
    pub(super) fn new() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("countersign-demo-")
            .tempdir()?;
        let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize()?)
            .ok()
            .context("the temporary folder is not UTF-8")?;
        let workspace = root.join("project");
        fs::create_dir_all(workspace.join(".git"))?;
        for (path, text) in FILES {
            let path = workspace.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, text)?;
        }
        let places = Places {
            system: root.join("system/settings.json"),
            config_dir: root.join("config"),
            state_dir: root.join("state"),
            runtime_dir: root.join("run"),
            home: root,
            relocated: true,
        };
        fs::create_dir_all(&places.config_dir)?;
        fs::write(places.user_file(), SETTINGS)?;
        TrustStore::new(&places).trust(&workspace)?;
        let store = Arc::new(Store::open(&places.state_dir)?);
        let engine = countersign_guard::engine(store.clone(), Vec::new());
        let guard = Guard::in_folder(places, &workspace, None);
        Ok(Self {
            _folder: folder,
            workspace,
            guard,
            store,
            engine,
        })
    }

    pub(super) fn workspace(&self) -> &Utf8Path {
        &self.workspace
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Decides a scene's call, from the agent's JSON on.
    pub(super) fn play(&self, scene: &Scene) -> Result<Played> {
        let payload = payload(scene, &self.workspace).to_string();
        let event = decode(scene.agent, scene.event, payload.as_bytes())
            .with_context(|| format!("the demo's call of {}", scene.agent))?;
        let EventKind::Call {
            stage: CallStage::PreTool,
            call,
        } = event.kind
        else {
            bail!("the demo's event {} is no call", scene.event);
        };
        let Guard { host, policy, .. } = &self.guard;
        let facts = self.engine.facts(&call, host, policy);
        let head = self.engine.head_before(host, policy, &call, &facts);
        let process = ProcessId {
            pid: std::process::id(),
            start: 0,
            boot: "demo".to_owned(),
        };
        let request = Request {
            call: &call,
            facts: &facts,
            policy: &self.guard.policy,
            mode: self.guard.policy.mode,
            event: CallEvent::PreTool,
            process: Some(&process),
            asking: Asking::Surface,
            granted: false,
            classifier: scene.recorded.is_some(),
            server: None,
            memory: None,
            head: head.as_ref(),
            spent_micros: 0,
            background: Background::default(),
        };
        let outcome = match self.engine.decide(&request)? {
            Reply::Done(outcome) => *outcome,
            Reply::Classify => self.engine.conclude(&request, &recorded(scene)?)?,
            Reply::NoOpinion => bail!("the guard has no opinion on the demo's {}", scene.tool),
        };
        let subject = subject(&call, &self.workspace);
        let detail = redact::visible(outcome.decision.detail())
            .replace(&format!("{}/", self.workspace), "")
            .replace(self.guard.places.home.as_str(), "~");
        Ok(Played {
            outcome,
            subject,
            detail,
            call,
        })
    }

    /// Answers a scene's ask, with what the call and its files are now.
    pub(super) fn resolve(
        &self,
        played: &Played,
        answer: &Answer,
        source: AnswerSource,
    ) -> Result<Resolution> {
        let facts = prepare::facts(&played.call, &self.guard.host, &self.guard.policy);
        let now = prepare::approval_digest(&played.call, &facts);
        Ok(self.engine.resolve(
            &played.outcome.key,
            &played.outcome.call,
            Bound {
                shown: played.outcome.approval.unwrap_or(now),
                now,
            },
            answer,
            source,
            self.guard.policy.limits,
        )?)
    }
}

fn recorded(scene: &Scene) -> Result<ClassifierAnswer> {
    Ok(ClassifierAnswer {
        verdict: scene.recorded.clone().context("no recorded verdict")?,
        model: ModelRecord {
            stage: Some("thinking".to_owned()),
            recorded: true,
            ..ModelRecord::default()
        },
    })
}

/// The JSON that the agent would send its hook.
fn payload(scene: &Scene, workspace: &Utf8Path) -> serde_json::Value {
    let session = format!("demo-{}", scene.agent);
    let mut payload = json!({
        "session_id": session,
        "transcript_path": format!("{workspace}/../{session}.jsonl"),
        "cwd": workspace,
        "hook_event_name": scene.event,
        "tool_name": scene.tool,
        "tool_input": scene.input,
    });
    let more = match scene.agent {
        Agent::Codex => json!({
            "turn_id": "demo-turn",
            "model": "demo",
            "permission_mode": "default",
            "tool_use_id": "call_demo",
        }),
        Agent::Gemini => json!({ "timestamp": "2026-11-21T09:00:00.000Z" }),
        Agent::ClaudeCode
        | Agent::Qwen
        | Agent::Opencode
        | Agent::Cursor
        | Agent::Vscode
        | Agent::Generic => json!({ "permission_mode": "default" }),
    };
    if let (Some(payload), Some(more)) = (payload.as_object_mut(), more.as_object()) {
        payload.extend(more.clone());
    }
    payload
}

/// The command, or the paths relative to the workspace.
fn subject(call: &Call, workspace: &Utf8Path) -> String {
    call.operations
        .iter()
        .map(|operation| match &operation.subject {
            Subject::Command(command) => command.text.clone(),
            Subject::Paths(paths) => paths
                .iter()
                .map(|path| {
                    Utf8Path::new(&path.path)
                        .strip_prefix(workspace)
                        .map_or_else(|_| path.path.clone(), ToString::to_string)
                })
                .collect::<Vec<_>>()
                .join(", "),
            Subject::Urls(urls) => urls.join(", "),
            Subject::Delegate { prompt, .. } => prompt.clone(),
            Subject::Other => String::new(),
        })
        .collect::<Vec<_>>()
        .join("\n")
}
