//! The sessions that the client opened: where each works, and in which of the
//! agent's own modes.

use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_agents::acp::{ModeKind, asking_modes, mode_kind};
use countersign_core::agent::Agent;
use serde_json::Value;

use crate::calls::Calls;
use crate::options::{self, ModeOption};

/// Sessions that are known at a time.
const MOST: usize = 64;

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) cwd: Utf8PathBuf,
    /// The agent's own mode, as it said last.
    pub(crate) mode: Option<String>,
    /// The modes that it has.
    available: Vec<String>,
    /// The configuration option that the mode is, where the agent has modes in no
    /// other way.
    pub(crate) mode_option: Option<String>,
    /// The options that are about models.
    about_models: Vec<String>,
    /// Whether the agent tells an earlier conversation just now.
    pub(crate) is_replayed: bool,
    /// Whether it was told already that the agent decides alone.
    pub(crate) told_of_mode: bool,
    pub(crate) calls: Calls,
    used: u64,
}

/// All sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    agent: Agent,
    /// Where the proxy runs: the folder of a session that is not known.
    home: Utf8PathBuf,
    known: HashMap<String, Session>,
    uses: u64,
}

/// What to do about a mode.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ModeChange {
    /// Nothing.
    Fine,
    /// The agent would decide alone: it is put into this mode instead.
    Instead(String),
    /// The same, and it has no mode in which it asks.
    Loose,
}

impl Sessions {
    pub(crate) fn new(agent: Agent, home: Utf8PathBuf) -> Self {
        Self {
            agent,
            home,
            known: HashMap::new(),
            uses: 0,
        }
    }

    pub(crate) fn is_known(&self, id: &str) -> bool {
        self.known.contains_key(id)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(String::as_str)
    }

    /// The session of this id, known from now on.
    pub(crate) fn get(&mut self, id: &str) -> &mut Session {
        self.uses += 1;
        if self.known.len() >= MOST && !self.known.contains_key(id) {
            let oldest = self.known.iter().min_by_key(|(_, session)| session.used);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                self.known.remove(&oldest);
            }
        }
        let (home, used) = (&self.home, self.uses);
        let session = self
            .known
            .entry(id.to_owned())
            .or_insert_with(|| Session::new(home.clone()));
        session.used = used;
        session
    }

    /// A session works in this folder. One that is no absolute path is none.
    pub(crate) fn works_in(&mut self, id: &str, cwd: Option<&Utf8Path>) {
        let cwd = cwd.filter(|cwd| cwd.is_absolute()).map(Utf8Path::to_owned);
        let session = self.get(id);
        if let Some(cwd) = cwd {
            session.cwd = cwd;
        }
    }

    /// What the result of opening a session says of its modes.
    pub(crate) fn opened(&mut self, id: &str, result: &Value) -> ModeChange {
        let text = |value: &Value, field: &str| Some(value.get(field)?.as_str()?.to_owned());
        let session = self.get(id);
        session.is_replayed = false;
        let modes = result.get("modes");
        if let Some(modes) = modes {
            session.mode_option = None;
            let available = modes.get("availableModes").and_then(Value::as_array);
            session.available = available
                .into_iter()
                .flatten()
                .filter_map(|mode| text(mode, "id"))
                .collect();
        }
        let of_options = match result.get("configOptions") {
            Some(options) => self.options_are(id, options),
            None => ModeChange::Fine,
        };
        match modes.and_then(|modes| text(modes, "currentModeId")) {
            Some(current) => self.is_in(id, &current),
            None => of_options,
        }
    }

    /// What the agent says that its configuration options are now.
    pub(crate) fn options_are(&mut self, id: &str, options: &Value) -> ModeChange {
        let session = self.get(id);
        session.about_models = options::about_models(options);
        let Some(mode) = ModeOption::of(options) else {
            return ModeChange::Fine;
        };
        if session.available.is_empty() || session.mode_option.is_some() {
            session.available = mode.values;
            session.mode_option = Some(mode.id);
        }
        match mode.current {
            Some(current) => self.is_in(id, &current),
            None => ModeChange::Fine,
        }
    }

    /// What would let the agent decide alone, if setting an option to this would.
    pub(crate) fn loosened_by(&self, id: &str, option: &str, value: &Value) -> Option<String> {
        let session = self.known.get(id);
        let is_about_models = session.is_some_and(|session| {
            let mut known = session.about_models.iter();
            known.any(|known| known == option)
        });
        let loosening = options::loosening(self.agent, option, value);
        loosening.filter(|_| !is_about_models).map(str::to_owned)
    }

    /// Whether an option is the session's mode.
    pub(crate) fn is_mode(&self, id: &str, option: &str) -> bool {
        let known = self
            .known
            .get(id)
            .and_then(|one| one.mode_option.as_deref());
        options::is_mode(option) || known == Some(option)
    }

    /// A session's agent is in this mode now.
    pub(crate) fn is_in(&mut self, id: &str, mode: &str) -> ModeChange {
        let agent = self.agent;
        let session = self.get(id);
        session.mode = Some(mode.to_owned());
        if mode_kind(agent, mode) != ModeKind::Loosens {
            session.told_of_mode = false;
            return ModeChange::Fine;
        }
        let instead = asking_modes(agent)
            .find(|mode| session.available.iter().any(|available| available == mode))
            .map(str::to_owned)
            .or_else(|| {
                let mut asking = session.available.iter();
                asking
                    .find(|mode| mode_kind(agent, mode) == ModeKind::Asks)
                    .cloned()
            });
        instead.map_or(ModeChange::Loose, ModeChange::Instead)
    }

    /// Whether a session's agent plans.
    pub(crate) fn plans(&mut self, id: &str) -> bool {
        let agent = self.agent;
        let mode = self.get(id).mode.as_deref();
        mode.is_some_and(|mode| mode_kind(agent, mode) == ModeKind::Plan)
    }

    /// Whether a mode would let the agent decide alone.
    pub(crate) fn loosens(&self, mode: &str) -> bool {
        mode_kind(self.agent, mode) == ModeKind::Loosens
    }
}

impl Session {
    fn new(cwd: Utf8PathBuf) -> Self {
        Self {
            cwd,
            mode: None,
            available: Vec::new(),
            mode_option: None,
            about_models: Vec::new(),
            is_replayed: false,
            told_of_mode: false,
            calls: Calls::default(),
            used: 0,
        }
    }
}
