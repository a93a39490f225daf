//! User hooks as settings declare them: one entry for each program or address,
//! whole in its text, so that a consent to the text is a consent to all of it.

mod bind;
mod matcher;
mod read;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use camino::Utf8PathBuf;
use countersign_core::call::Digest;
use countersign_core::redact;
use serde::{Deserialize, Serialize};

use crate::effective::Source;
use crate::merge::Entry;
use crate::problem::{Position, Problems, SettingsProblem};
use crate::table::key;

pub(crate) use bind::bind;
pub use bind::{Surroundings as HookSurroundings, WORKSPACE_VARIABLE, bound_files, paths_inside};
pub use matcher::Matcher;
pub(crate) use read::items;

/// How long a hook may take if its entry does not say, in seconds.
pub const DEFAULT_TIMEOUT: u64 = 60;

/// The longest time that an entry may give, in seconds.
pub const LONGEST_TIMEOUT: u64 = 600;

/// Most hooks of one event; those of the strongest layers stay.
pub const MOST_HOOKS: usize = 32;

/// What a hook can be on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HookEvent {
    /// The classifier blocked a call, or gave no answer.
    PermissionDenied,
    /// A person must be asked about a call.
    PermissionRequest,
    /// Something waits for a person, or is not as it should be.
    Notification,
    /// A session of an agent began or goes on.
    SessionStart,
    /// A session of an agent ended.
    SessionEnd,
}

impl HookEvent {
    /// Every event, in the order of the documentation.
    pub const ALL: [Self; 5] = [
        Self::PermissionDenied,
        Self::PermissionRequest,
        Self::Notification,
        Self::SessionStart,
        Self::SessionEnd,
    ];

    /// The name in settings and payloads.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PermissionDenied => "PermissionDenied",
            Self::PermissionRequest => "PermissionRequest",
            Self::Notification => "Notification",
            Self::SessionStart => "SessionStart",
            Self::SessionEnd => "SessionEnd",
        }
    }

    /// The setting that lists its hooks.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::PermissionDenied => key::HOOKS_DENIED,
            Self::PermissionRequest => key::HOOKS_REQUEST,
            Self::Notification => key::HOOKS_NOTIFICATION,
            Self::SessionStart => key::HOOKS_START,
            Self::SessionEnd => key::HOOKS_END,
        }
    }
}

/// What a hook does.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum HookAction {
    /// A command line for `/bin/sh`.
    Command {
        /// The command line.
        command: String,
    },
    /// An address that is sent the event.
    Http {
        /// The address; with `http` only on this machine. Its path is often a
        /// secret.
        url: String,
        /// What is sent besides, by name. `$NAME` stands for a variable of
        /// `allowed_env_vars`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
        /// The environment variables that headers may name.
        #[serde(
            default,
            rename = "allowedEnvVars",
            skip_serializing_if = "Vec::is_empty"
        )]
        allowed_env_vars: Vec<String>,
    },
}

impl HookAction {
    /// The name in settings and telemetry.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Command { .. } => "command",
            Self::Http { .. } => "http",
        }
    }

    /// What may be shown of it anywhere: of an address only the server, because
    /// its path may be a secret; a command masked.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Command { command } => redact::mask(command).into_owned(),
            Self::Http { url, .. } => match url::Url::parse(url) {
                Ok(url) => format!("{}/…", url.origin().ascii_serialization()),
                Err(_) => "an address".to_owned(),
            },
        }
    }
}

impl fmt::Debug for HookAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:?})", self.kind(), self.shown())
    }
}

/// A hook that counts.
#[derive(Debug, Clone, PartialEq)]
pub struct UserHook {
    /// What it is on.
    pub event: HookEvent,
    /// For which tools, or for which kinds of the event.
    pub matcher: Matcher,
    /// What it does.
    pub action: HookAction,
    /// How long it may take.
    pub timeout: Duration,
    /// The files in the workspace that its command names, as they were when a
    /// person accepted it; none for hooks of the user and the machine, whose
    /// commands must name no such file.
    pub files: BTreeMap<Utf8PathBuf, Digest>,
    /// Where it stands.
    pub source: Source,
}

impl UserHook {
    /// Whether anybody may have written it: then it may say no, and never yes.
    #[must_use]
    pub const fn is_of_workspace(&self) -> bool {
        crate::layer::is_workspace(self.source.scope)
    }

    /// Its scope, as telemetry and people see it.
    #[must_use]
    pub const fn scope(&self) -> &'static str {
        use countersign_core::rules::Scope;
        match self.source.scope {
            Scope::System => "system",
            Scope::User | Scope::EditorUser | Scope::Session => "user",
            Scope::Workspace | Scope::EditorWorkspace => "workspace",
        }
    }

    /// Its place, for messages.
    #[must_use]
    pub fn place(&self) -> String {
        match (&self.source.file, self.source.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            (Some(file), None) => file.to_string(),
            (None, _) => "the settings of the editor".to_owned(),
        }
    }
}

/// A hook as the text of its entry: in one spelling, so that the same hook has
/// the same text wherever it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Definition {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) matcher: String,
    #[serde(flatten)]
    pub(crate) action: HookAction,
    pub(crate) timeout: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) files: BTreeMap<Utf8PathBuf, Digest>,
}

impl Definition {
    pub(crate) fn text(&self) -> String {
        // A map of strings cannot fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(crate) fn of(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// The hooks of an event.
pub(crate) fn hooks(
    event: HookEvent,
    entries: Vec<Entry>,
    problems: &mut Vec<SettingsProblem>,
) -> Vec<UserHook> {
    let mut hooks = Vec::new();
    for entry in entries {
        let Some(hook) = hook(event, &entry) else {
            continue;
        };
        if hooks.len() == MOST_HOOKS {
            let at = match (entry.origin.line, entry.column) {
                (Some(line), Some(column)) => Some(Position { line, column }),
                _ => None,
            };
            Problems::new(entry.origin.file.as_deref(), problems).warning(
                at,
                format!(
                    "{}: more than {MOST_HOOKS} hooks; this and all later ones are left out",
                    event.key()
                ),
            );
            break;
        }
        hooks.push(hook);
    }
    hooks
}

fn hook(event: HookEvent, entry: &Entry) -> Option<UserHook> {
    let definition = Definition::of(&entry.text)?;
    Some(UserHook {
        event,
        matcher: Matcher::new(&definition.matcher).ok()?,
        action: definition.action,
        timeout: Duration::from_secs(definition.timeout),
        files: definition.files,
        source: Source {
            scope: entry.origin.scope,
            file: entry.origin.file.clone(),
            line: entry.origin.line,
        },
    })
}

/// A hook that a workspace offers and nobody accepted, as people see it; none
/// where the entry is something else.
#[must_use]
pub fn offered(
    entry: &crate::WorkspaceEntry,
) -> Option<(HookEvent, Matcher, HookAction, Duration)> {
    let event = HookEvent::ALL
        .into_iter()
        .find(|event| event.key() == entry.key)?;
    let definition = Definition::of(&entry.text)?;
    let matcher = Matcher::new(&definition.matcher).ok()?;
    let timeout = Duration::from_secs(definition.timeout);
    Some((event, matcher, definition.action, timeout))
}
