//! One event on its way to the hooks that it is for.

use std::sync::Arc;
use std::time::Instant;

use camino::Utf8PathBuf;
use countersign_core::call::Call;
use countersign_core::rules::aliases;
use countersign_settings::{Effective, HookEvent, HookSurroundings, Places, TrustStore, UserHook};

use crate::environment::Person;
use crate::payload::Payload;

/// Where hooks run, and which folders are an agent's to write.
#[derive(Debug, Clone)]
pub struct Place {
    /// The user, as the user database knows them.
    pub person: Person,
    /// The guard's own folder of settings: hooks may be kept in it.
    pub config_dir: Utf8PathBuf,
    /// The workspace of the session, if it has one.
    pub workspace: Option<Utf8PathBuf>,
    /// Canonical folders in which agents may write: hooks of the user must
    /// name nothing in them.
    pub workspaces: Vec<Utf8PathBuf>,
}

impl Place {
    /// The user's place, for a session in `workspace`. Reads which folders the
    /// user trusts.
    #[must_use]
    pub fn new(places: &Places, workspace: Option<Utf8PathBuf>, others: &[Utf8PathBuf]) -> Self {
        let trusted = TrustStore::new(places).folders().unwrap_or_else(|error| {
            tracing::warn!("trusted folders are not known to user hooks: {error}");
            Vec::new()
        });
        let workspaces = workspace
            .iter()
            .cloned()
            .chain(others.iter().cloned())
            .chain(trusted.iter().map(|folder| folder.path().to_owned()))
            .collect();
        Self {
            person: Person::of(&places.home),
            config_dir: places.config_dir.clone(),
            workspace,
            workspaces,
        }
    }

    pub(crate) fn surroundings(&self) -> HookSurroundings<'_> {
        HookSurroundings {
            home: &self.person.home,
            workspace: self.workspace.as_deref(),
            config_dir: &self.config_dir,
        }
    }
}

/// An event, and the hooks that are told of it.
#[derive(Debug, Clone)]
pub struct Firing {
    /// The event.
    pub event: HookEvent,
    /// The hooks that it is for.
    pub hooks: Vec<UserHook>,
    /// What they are told.
    pub payload: Arc<Payload>,
    /// The guard's id of the call, if it is about one.
    pub call: Option<String>,
    /// Where they run.
    pub place: Arc<Place>,
    /// When an answer is of no use any more; their own times hold in any case.
    pub deadline: Option<Instant>,
}

impl Firing {
    /// The hooks on an event that are for one of these names.
    #[must_use]
    pub fn hooks_for(effective: &Effective, event: HookEvent, names: &[String]) -> Vec<UserHook> {
        effective
            .hooks_on(event)
            .filter(|hook| hook.matcher.matches(names.iter().map(String::as_str)))
            .cloned()
            .collect()
    }
}

/// The names that a matcher may call the tools of a call by.
#[must_use]
pub fn names_of(call: &Call) -> Vec<String> {
    let mut names: Vec<String> = call
        .operations
        .iter()
        .flat_map(|operation| {
            std::iter::once(operation.tool.to_string()).chain(aliases(&operation.tool))
        })
        .collect();
    if names.is_empty() {
        names.push(call.raw_tool.clone());
    }
    names.sort();
    names.dedup();
    names
}
