//! The baseline of a workspace, and when a change of HEAD may move it.
//!
//! The baseline is what is trusted to execute, so a commit that an agent made
//! must never become it. HEAD is looked at before each call is decided and
//! after each result. A change moves the baseline by itself only if *all* of
//! this holds:
//!
//! * the look before found HEAD at the baseline: a commit on top of an agent's
//!   commit would carry the agent's along;
//! * between the two looks no guarded call of the repository was in flight,
//!   nor is one now;
//! * since the baseline was set, no call was allowed there that could move
//!   HEAD, or of which nobody knows what it does: such a call may have left a
//!   process behind that commits when nobody looks.
//!
//! All else is left to a person.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::{Footprint, overlap};
use crate::state::Millis;

/// HEAD of a workspace's repository, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The canonical folder that holds the repository's objects and branches,
    /// which its linked work trees share; none where there is no repository.
    pub repository: Option<Utf8PathBuf>,
    /// The commit in hexadecimal; none where there is none.
    pub head: Option<String>,
    /// When it was read: before whatever the look comes with.
    pub at: Millis,
}

/// Who set a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaselineBy {
    /// It was HEAD when the workspace's first session was seen.
    FirstSeen,
    /// It follows from the baseline of another workspace: of the same
    /// repository, or around this one.
    Inherited,
    /// Nobody looked at HEAD before a call was allowed that could move it:
    /// nothing is trusted to execute.
    Unseen,
    /// HEAD changed while no guarded call could have changed it.
    QuietChange,
    /// A person said so.
    Person,
}

impl BaselineBy {
    /// In plain words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstSeen => "HEAD when the first session was seen",
            Self::Inherited => "as in another workspace of the repository, or around this one",
            Self::Unseen => "HEAD was not looked at in time",
            Self::QuietChange => "HEAD changed while no guarded call was in flight",
            Self::Person => "set by a person",
        }
    }
}

/// Why no change of HEAD is believed to be a person's any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restless {
    /// Since when.
    pub since: Millis,
    /// Which call, in plain words.
    pub why: String,
}

/// What is kept of a workspace: the commit whose files are trusted to
/// execute, and what is needed to tell whether it may move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceBaseline {
    /// The canonical folder.
    pub workspace: Utf8PathBuf,
    /// Its repository, as it was first seen ([`Look::repository`]).
    pub repository: Option<Utf8PathBuf>,
    /// The commit in hexadecimal; none: the empty tree, nothing is trusted.
    pub commit: Option<String>,
    /// Since when it is the baseline.
    pub since: Millis,
    /// Who set it.
    pub by: BaselineBy,
    /// HEAD as it was last found.
    pub head: Option<String>,
    /// When HEAD was last looked at, as far as that matters.
    pub looked: Millis,
    /// When a guarded call last began or ended.
    pub active: Millis,
    /// Why no quiet change is believed until a person acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restless: Option<Restless>,
    /// Whether a call is on record that may have written anything in the
    /// workspace, and all its kin know of it.
    #[serde(default)]
    pub marked: bool,
}

impl WorkspaceBaseline {
    /// Whether what happens in a workspace may move the HEAD of this one.
    #[must_use]
    pub fn is_kin(&self, workspace: &Utf8Path, repository: Option<&Utf8Path>) -> bool {
        overlap(&self.workspace, workspace)
            || repository.is_some() && self.repository.as_deref() == repository
    }

    /// Whether a look finds HEAD where it was.
    #[must_use]
    pub fn is_at(&self, look: &Look) -> bool {
        commit(look) == self.head
    }

    /// Whether a look has nothing to add: HEAD is where it was, and whether
    /// that was quiet is known, or does not matter.
    #[must_use]
    pub fn is_settled(&self, look: &Look) -> bool {
        self.is_at(look) && (self.active < self.looked || self.restless.is_some())
    }

    /// Whether a call adds nothing to what is on record of the workspace and
    /// its kin: it writes no path that is known, no change of HEAD is believed
    /// anyway, and anything may have been written.
    #[must_use]
    pub fn covers(&self, footprint: &Footprint) -> bool {
        footprint.writes.is_empty() && self.restless.is_some() && self.marked
    }

    /// A call began or ended.
    pub fn stirred(&mut self, now: Millis) {
        self.active = self.active.max(now);
    }

    /// A call was allowed that may move HEAD now or later. The first one
    /// stays on record.
    pub fn unsettled(&mut self, now: Millis, why: &str) {
        self.restless.get_or_insert_with(|| Restless {
            since: now,
            why: why.to_owned(),
        });
    }

    /// The baseline that a person sets.
    #[must_use]
    pub fn set_by_person(workspace: &Utf8Path, look: &Look, now: Millis) -> Self {
        Self {
            by: BaselineBy::Person,
            since: now,
            ..Self::first(workspace, look)
        }
    }

    /// The baseline of a workspace in which a call may move HEAD before
    /// anybody looked at it.
    #[must_use]
    pub fn unseen(workspace: &Utf8Path, now: Millis) -> Self {
        Self {
            workspace: workspace.to_owned(),
            repository: None,
            commit: None,
            since: now,
            by: BaselineBy::Unseen,
            head: None,
            looked: 0,
            active: now,
            restless: None,
            marked: false,
        }
    }

    fn first(workspace: &Utf8Path, look: &Look) -> Self {
        let head = commit(look);
        Self {
            workspace: workspace.to_owned(),
            repository: look.repository.clone(),
            commit: head.clone(),
            since: look.at,
            by: BaselineBy::FirstSeen,
            head,
            looked: look.at,
            active: 0,
            restless: None,
            marked: false,
        }
    }
}

/// What comes of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// Nothing that must be kept.
    Same,
    /// This is to be kept; the baseline is what it was.
    Noted(WorkspaceBaseline),
    /// This is to be kept, and the baseline is new.
    Moved(WorkspaceBaseline),
}

/// Only a full name is one: of SHA-1 or SHA-256.
fn commit(look: &Look) -> Option<String> {
    let name = look.head.as_ref()?;
    let is_name =
        matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_name.then(|| name.to_ascii_lowercase())
}

/// What a look at a workspace comes to.
///
/// `known` is what is kept of it, `kin` what is kept of the others that
/// [`WorkspaceBaseline::is_kin`], `in_flight` whether a call of any of them
/// may be running, or was until this very moment.
#[must_use]
pub fn looked(
    workspace: &Utf8Path,
    known: Option<&WorkspaceBaseline>,
    kin: &[WorkspaceBaseline],
    look: &Look,
    in_flight: bool,
) -> Looked {
    let Some(known) = known else {
        return Looked::Moved(begin(workspace, kin, look));
    };
    // Of two looks the one that read earlier may be told later.
    if look.at < known.looked {
        return Looked::Same;
    }
    let head = commit(look);
    let was_quiet = !in_flight && known.active < known.looked && known.restless.is_none();
    let is_same_repository = known.repository.is_none() || known.repository == look.repository;
    if head == known.head {
        // Only what happens from here on can be a quiet change.
        let settles = !in_flight && known.active >= known.looked && look.at > known.active;
        return if settles {
            Looked::Noted(WorkspaceBaseline {
                looked: look.at,
                ..known.clone()
            })
        } else {
            Looked::Same
        };
    }
    let mut now = WorkspaceBaseline {
        repository: known.repository.clone().or_else(|| look.repository.clone()),
        head: head.clone(),
        looked: look.at,
        ..known.clone()
    };
    if head == known.commit || !was_quiet || known.head != known.commit || !is_same_repository {
        return Looked::Noted(now);
    }
    now.commit = head;
    now.since = look.at;
    now.by = BaselineBy::QuietChange;
    Looked::Moved(now)
}

/// The first baseline of a workspace. Opening a second workspace in a
/// repository is no way around the first one's baseline, and a repository in a
/// workspace where anything may have happened has none.
fn begin(workspace: &Utf8Path, kin: &[WorkspaceBaseline], look: &Look) -> WorkspaceBaseline {
    let first = WorkspaceBaseline::first(workspace, look);
    let is_same = |other: &WorkspaceBaseline| {
        look.repository.is_some() && other.repository == look.repository
    };
    let inherited = |other: &WorkspaceBaseline, commit: Option<String>| WorkspaceBaseline {
        commit,
        by: BaselineBy::Inherited,
        active: other.active,
        restless: other.restless.clone(),
        ..first.clone()
    };
    let oldest = kin
        .iter()
        .filter(|other| is_same(other))
        .min_by_key(|other| other.since);
    if let Some(other) = oldest {
        return inherited(other, other.commit.clone());
    }
    let around = kin
        .iter()
        .find(|other| workspace.starts_with(&other.workspace) && other.restless.is_some());
    match around {
        Some(other) => inherited(other, None),
        None => first,
    }
}
