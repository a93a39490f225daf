//! The world of a scenario: a home, a workspace, settings, a store, an engine.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::call::{
    Access, Call, Change, CommandText, Operation, PathUse, SessionKey, ShellDialect, Subject,
};
use countersign_core::classify::{ClassifierAnswer, Verdict};
use countersign_core::denials::Counters;
use countersign_core::mode::{AgentMode, ApprovalMode};
use countersign_core::policy::Policy;
use countersign_core::state::{CallEvent, ModelRecord, ProcessId, SetAside, StateStore as _};
use countersign_core::tool::Tool;
use countersign_engine::Engine;
use countersign_engine::events::{AgentEvent, Noted};
use countersign_engine::host::Host;
use countersign_engine::observer::Resolution;
use countersign_engine::policy::{Surroundings, policy};
use countersign_engine::prepare;
use countersign_engine::request::{Asking, Background, Outcome, Reply, Request};
use countersign_engine::resolve::{Bound, ResolveError};
use countersign_settings::{EditorLayers, Effective, Places, TrustStore};
use countersign_store::{Filter, Store};
use tempfile::TempDir;

use crate::host::{CountingIds, Lines, NamedProcesses, StoppedClock};
use crate::parse::Scenario;

/// Who answers in a script.
const BY_PERSON: AnswerSource = AnswerSource::DemoTerminal;

/// Who acts in a line of the script: `session[/sub-agent][+plan][@process]`.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    key: SessionKey,
    plan: bool,
    process: ProcessId,
}

impl Actor {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let (text, process) = text.split_once('@').unwrap_or((text, "p1"));
        let (text, plan) = match text.strip_suffix("+plan") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (session, subagent) = match text.split_once('/') {
            Some((session, subagent)) => (session, Some(subagent.to_owned())),
            None => (text, None),
        };
        if !session.starts_with('s') {
            bail!("`{text}` is neither a command of the script nor a session (s1, s2 …)");
        }
        Ok(Self {
            key: SessionKey {
                agent: Agent::ClaudeCode,
                session: session.to_owned(),
                subagent,
            },
            plan,
            process: NamedProcesses::id(process),
        })
    }
}

/// An ask that nobody answered yet.
struct Open {
    outcome: Outcome,
    call: Call,
}

pub(crate) struct World {
    _folder: TempDir,
    places: Places,
    workspace: Utf8PathBuf,
    host: Host,
    store: Arc<Store>,
    engine: Engine,
    clock: Arc<StoppedClock>,
    processes: Arc<NamedProcesses>,
    ids: Arc<CountingIds>,
    open: Option<Open>,
    current: Option<SessionKey>,
    pub(crate) lines: Lines,
    pub(crate) trusted: bool,
    /// The mode that a person chose in an editor, for sessions from now on.
    pub(crate) mode: Option<ApprovalMode>,
    pub(crate) classifier: bool,
    pub(crate) asking: Asking,
    pub(crate) verdicts: VecDeque<Verdict>,
}

impl World {
    pub(crate) fn new(scenario: &Scenario) -> Result<Self> {
        let folder = TempDir::new()?;
        let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize()?)
            .ok()
            .context("the temporary folder is not UTF-8")?;
        let home = root.join("home");
        let workspace = home.join("work/project");
        fs::create_dir_all(workspace.join(".git"))?;
        let places = Places {
            system: root.join("etc/settings.json"),
            config_dir: home.join("config"),
            state_dir: home.join("state"),
            runtime_dir: home.join("run"),
            home: home.clone(),
            relocated: false,
        };
        for (path, text) in &scenario.files {
            write(&workspace.join(path), text)?;
        }
        for (path, text) in &scenario.home_files {
            write(&home.join(path), text)?;
        }
        for (link, target) in &scenario.links {
            let target = target.replace("~", home.as_str());
            std::os::unix::fs::symlink(target, workspace.join(link))?;
        }
        for (link, file) in &scenario.hard_links {
            fs::hard_link(workspace.join(file), workspace.join(link))?;
        }
        if let Some(text) = &scenario.user_settings {
            write(&places.user_file(), text)?;
        }
        if let Some(text) = &scenario.workspace_settings {
            write(&Places::workspace_file(&workspace), text)?;
        }
        let clock = Arc::new(StoppedClock::new());
        let processes = Arc::new(NamedProcesses::default());
        let ids = Arc::new(CountingIds::default());
        let lines = Lines::default();
        let (store, engine) = start(&places, &clock, &processes, &ids, &lines)?;
        Ok(Self {
            _folder: folder,
            places,
            workspace,
            host: Host::default(),
            store,
            engine,
            clock,
            processes,
            ids,
            open: None,
            current: None,
            lines,
            trusted: true,
            mode: None,
            classifier: true,
            asking: Asking::Surface,
            verdicts: VecDeque::new(),
        })
    }

    /// Server and store end and begin again.
    pub(crate) fn restart(&mut self) -> Result<()> {
        let (store, engine) = start(
            &self.places,
            &self.clock,
            &self.processes,
            &self.ids,
            &self.lines,
        )?;
        self.store = store;
        self.engine = engine;
        Ok(())
    }

    pub(crate) fn wait(&self, millis: i64) {
        self.clock.advance(millis);
    }

    pub(crate) fn process_exits(&self, name: &str) {
        self.processes.exits(name);
    }

    pub(crate) fn write_settings(&self, layer: &str, text: &str) -> Result<()> {
        let file = match layer {
            "user" => self.places.user_file(),
            "workspace" => Places::workspace_file(&self.workspace),
            _ => bail!("settings of the user or the workspace"),
        };
        write(&file, text)
    }

    pub(crate) fn write_file(&self, path: &str, text: &str) -> Result<()> {
        write(&self.workspace.join(path), text)
    }

    /// A person accepts what the workspace's settings would loosen.
    pub(crate) fn consent(&self) -> Result<()> {
        let effective = self.effective()?;
        TrustStore::new(&self.places)
            .consent(
                &self.workspace,
                &effective.loosening,
                effective.consent_digest(),
            )
            .context("consent")?;
        Ok(())
    }

    fn effective(&self) -> Result<Effective> {
        let trust = TrustStore::new(&self.places);
        if trust.is_trusted(&self.workspace)? != self.trusted {
            if self.trusted {
                trust.trust(&self.workspace)?;
            } else {
                trust.untrust(&self.workspace)?;
            }
        }
        Ok(countersign_settings::load(
            &self.places,
            Some(&self.workspace),
            &EditorLayers::default(),
        ))
    }

    fn policy(&self) -> Result<Policy> {
        let effective = self.effective()?;
        let mut policy = policy(
            &effective,
            &self.places,
            &Surroundings {
                workspaces: vec![self.workspace.clone()],
                ..Surroundings::default()
            },
        );
        if let Some(mode) = self.mode {
            policy.mode = effective.cap(mode);
        }
        Ok(policy)
    }

    /// A call as a line of the script names it.
    pub(crate) fn call(&self, actor: &Actor, line: &str) -> Result<Call> {
        let (tool, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (tool, id) = match tool.split_once('#') {
            Some((tool, id)) => (tool, Some(id.to_owned())),
            None => (tool, None),
        };
        let path = |text: &str, access, change| PathUse {
            path: text.to_owned(),
            access,
            change,
        };
        let (tool, subject) = match tool {
            "shell" => (
                Tool::RunShellCommand,
                Subject::Command(CommandText {
                    text: unescaped(rest),
                    dialect: ShellDialect::Bash,
                }),
            ),
            "read" => (
                Tool::ReadFile,
                Subject::Paths(vec![path(rest, Access::Read, None)]),
            ),
            "grep" => (
                Tool::GrepSearch,
                Subject::Paths(vec![path(rest, Access::ReadTree, None)]),
            ),
            "list" => (
                Tool::ListDirectory,
                Subject::Paths(vec![path(rest, Access::List, None)]),
            ),
            "write" => {
                let (file, text) = rest.split_once(' ').unwrap_or((rest, ""));
                let change = Change {
                    old: String::new(),
                    new: repeated(text)?,
                };
                (
                    Tool::WriteFile,
                    Subject::Paths(vec![path(file, Access::Write, Some(change))]),
                )
            }
            "edit" => {
                let (file, change) = rest.split_once(' ').context("edit FILE OLD -> NEW")?;
                let (old, new) = change.split_once(" -> ").context("edit FILE OLD -> NEW")?;
                let change = Change {
                    old: repeated(old)?,
                    new: repeated(new)?,
                };
                (
                    Tool::Edit,
                    Subject::Paths(vec![path(file, Access::Write, Some(change))]),
                )
            }
            "delete" => (
                Tool::DeleteFile,
                Subject::Paths(vec![path(rest, Access::Delete, None)]),
            ),
            "fetch" => (Tool::WebFetch, Subject::Urls(vec![rest.to_owned()])),
            "agent" => {
                let (kind, prompt) = rest.split_once(' ').context("agent TYPE PROMPT")?;
                (
                    Tool::Agent,
                    Subject::Delegate {
                        kind: Some(kind.to_owned()),
                        prompt: prompt.to_owned(),
                    },
                )
            }
            "tool" => {
                let (name, _) = rest.split_once(' ').unwrap_or((rest, ""));
                (Tool::from_canonical(name), Subject::Other)
            }
            _ => bail!("unknown tool `{tool}`"),
        };
        Ok(Call {
            key: actor.key.clone(),
            id,
            raw_tool: tool.to_string(),
            raw_input: serde_json::json!({ "text": rest }),
            cwd: self.workspace.clone(),
            search_path: Vec::new(),
            agent_mode: if actor.plan {
                AgentMode::Plan
            } else {
                AgentMode::Other
            },
            operations: vec![Operation {
                tool,
                subject,
                parameters: BTreeMap::new(),
            }],
        })
    }

    pub(crate) fn decide(&mut self, actor: &Actor, call: &Call, event: CallEvent) -> Result<Reply> {
        self.current = Some(actor.key.clone());
        let policy = self.policy()?;
        let facts = self.engine.facts(call, &self.host, &policy);
        let head = self.engine.head_before(&self.host, &policy, call, &facts);
        let request = Request {
            call,
            facts: &facts,
            policy: &policy,
            mode: policy.mode,
            event,
            process: Some(&actor.process),
            asking: self.asking,
            granted: false,
            classifier: self.classifier,
            head: head.as_ref(),
            spent_micros: 0,
            background: Background::default(),
            server: None,
            memory: None,
        };
        let reply = match self.engine.decide(&request)? {
            Reply::Classify => match self.verdicts.pop_front() {
                Some(verdict) => Reply::Done(Box::new(self.engine.conclude(
                    &request,
                    &ClassifierAnswer {
                        verdict,
                        model: ModelRecord {
                            recorded: true,
                            ..ModelRecord::default()
                        },
                    },
                )?)),
                None => Reply::Classify,
            },
            reply => reply,
        };
        if let Reply::Done(outcome) = &reply
            && outcome.asked.is_some()
        {
            self.open = Some(Open {
                outcome: (**outcome).clone(),
                call: call.clone(),
            });
        }
        Ok(reply)
    }

    /// Answers the last ask, as a surface would: with what the call and its
    /// files are now.
    pub(crate) fn resolve(&self, answer: &Answer) -> Result<Result<Resolution, ResolveError>> {
        let open = self.open.as_ref().context("nothing was asked")?;
        let facts = prepare::facts(&open.call, &self.host, &self.policy()?);
        let now = prepare::approval_digest(&open.call, &facts);
        Ok(self.engine.resolve(
            &open.outcome.key,
            &open.outcome.call,
            Bound {
                shown: open.outcome.approval.unwrap_or(now),
                now,
            },
            answer,
            AnswerSource::DemoTerminal,
            self.policy()?.limits,
        ))
    }

    pub(crate) fn note(&mut self, actor: &Actor, event: AgentEvent<'_>) -> Result<Noted> {
        self.current = Some(actor.key.clone());
        let policy = self.policy()?;
        let noted = self
            .engine
            .note(&actor.key, event, Some(&actor.process), policy.limits)?;
        self.engine.look_after(&noted, &self.host, &policy)?;
        Ok(noted)
    }

    pub(crate) fn person_resets(&self) -> Result<()> {
        Ok(self
            .engine
            .person_resets_counters(self.session()?, &self.policy()?, BY_PERSON)?)
    }

    pub(crate) fn person_sets_mode(&self, from: ApprovalMode, to: ApprovalMode) -> Result<()> {
        Ok(self
            .engine
            .person_sets_mode(self.session()?, from, to, &self.policy()?, BY_PERSON)?)
    }

    fn session(&self) -> Result<&SessionKey> {
        self.current.as_ref().context("no session has acted yet")
    }

    /// The counters that hold for the session that acted last.
    pub(crate) fn counters(&self) -> Result<Counters> {
        let key = self.session()?.clone();
        let mut counters = Counters::default();
        self.store.transition(&mut |transaction| {
            if let Some(state) = transaction.session(&key)? {
                counters = state.counters;
            }
            if key.subagent.is_some()
                && let Some(root) = transaction.session(&key.root())?
            {
                counters.total_block = root.counters.total_block;
                counters.total_unavailable = root.counters.total_unavailable;
            }
            Ok(())
        })?;
        Ok(counters)
    }

    pub(crate) fn set_aside(&self) -> Result<Vec<SetAside>> {
        let mut entries = Vec::new();
        self.store.transition(&mut |transaction| {
            entries = transaction.set_aside()?;
            Ok(())
        })?;
        Ok(entries)
    }

    /// How many rows of a kind the journal has.
    pub(crate) fn journal_rows(&self, kind: &str) -> Result<usize> {
        let rows = self.store.journal(&Filter::default())?;
        self.store.verify()?;
        Ok(rows
            .iter()
            .filter(|row| serde_json::to_value(row.record.kind).is_ok_and(|value| value == kind))
            .count())
    }
}

fn start(
    places: &Places,
    clock: &Arc<StoppedClock>,
    processes: &Arc<NamedProcesses>,
    ids: &Arc<CountingIds>,
    lines: &Lines,
) -> Result<(Arc<Store>, Engine)> {
    let store = Arc::new(Store::open(&places.state_dir)?);
    let engine = Engine::new(
        store.clone(),
        clock.clone(),
        processes.clone(),
        ids.clone(),
        vec![Box::new(lines.clone())],
    );
    Ok((store, engine))
}

fn write(path: &Utf8Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {path}"))
}

/// A file's text; `<X*5000>` is a letter five thousand times.
fn repeated(text: &str) -> Result<String> {
    let inner = text
        .strip_prefix('<')
        .and_then(|text| text.strip_suffix('>'))
        .and_then(|text| text.split_once('*'));
    Ok(match inner {
        Some((text, times)) => text.repeat(times.parse().context("<TEXT*TIMES>")?),
        None => text.to_owned(),
    })
}

/// A command with `<NL>` and `<CR>` for line breaks: a line of the script holds
/// no others.
fn unescaped(text: &str) -> String {
    text.replace("<NL>", "\n").replace("<CR>", "\r")
}
