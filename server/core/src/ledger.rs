//! What guarded calls may have written, as plain data: the entries of the
//! ledger, how two entries of one path become one, and what a call would add.
//!
//! Whatever is forgotten or not known makes things stricter: a path without an
//! entry was not created by a session, and a folder whose entries are not
//! complete counts as possibly written.

mod baseline;
mod view;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::call::{Digest, SessionKey};
use crate::state::{Millis, ProcessId};

pub use baseline::{BaselineBy, Look, Looked, Restless, WorkspaceBaseline, looked};
pub use view::{LedgerView, may_be_code};

/// Most paths that one call is taken to write; one with more may write
/// anything in its workspace.
pub const MOST_WRITES: usize = 512;

/// Longest path of an entry, in bytes; a call that writes a longer one may
/// write anything in its workspace.
pub const LONGEST_PATH: usize = 4096;

/// Longest text that says why a call may write anything, in bytes.
const LONGEST_WHY: usize = 300;

/// How long a call may be in flight, in milliseconds: an agent that dies, or
/// never reports a result, must not hold a workspace for ever.
pub const IN_FLIGHT_FOR: Millis = 6 * 60 * 60 * 1000;

/// What may happen to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// A file comes into being: nothing was there when the call was decided.
    Created,
    /// A file's content changes.
    Changed,
    /// It goes away.
    Deleted,
    /// It comes from, or goes to, another place.
    Moved,
    /// A folder comes into being.
    MadeFolder,
    /// Anything at the path and below it may be written: what exactly is not
    /// known.
    Unbounded,
}

/// What one call may do to one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedWrite {
    /// The canonical path.
    pub path: Utf8PathBuf,
    /// What may happen to it.
    pub what: Written,
    /// The digest ([`content_digest`]) of the whole file as it will be, where
    /// the call itself says it: the agent's own content, never what a program
    /// makes.
    pub content: Option<Digest>,
}

/// Everything that one call may write.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Footprint {
    /// The paths.
    pub writes: Vec<PlannedWrite>,
    /// Why the call may write anything in its workspace, and leave processes
    /// behind, if it may.
    pub unbounded: Option<String>,
    /// Whether it may move what HEAD names, in this or another repository,
    /// now or in the background.
    pub moves_head: bool,
    /// Whether it only starts others whose calls are decided one by one.
    pub delegates: bool,
}

impl Footprint {
    /// The footprint of a call that may write anything.
    #[must_use]
    pub fn anything(why: impl Into<String>) -> Self {
        Self {
            unbounded: Some(why.into()),
            moves_head: true,
            ..Self::default()
        }
    }

    /// Whether the call changes nothing, so that it need not be waited for.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.writes.is_empty() && self.unbounded.is_none() && !self.moves_head && !self.delegates
    }

    /// Takes up what another part of the call may write.
    pub fn absorb(&mut self, other: Self) {
        self.writes.extend(other.writes);
        if self.unbounded.is_none() {
            self.unbounded = other.unbounded;
        }
        self.moves_head |= other.moves_head;
        self.delegates |= other.delegates;
    }

    /// The same within the bounds of the ledger: too much becomes anything.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        let mut known = std::collections::HashSet::new();
        self.writes.retain(|write| known.insert(write.clone_key()));
        let is_too_long = |write: &PlannedWrite| {
            write.path.as_str().len() > LONGEST_PATH || !write.path.is_absolute()
        };
        if self.writes.len() > MOST_WRITES {
            self.absorb(Self::anything(format!("more than {MOST_WRITES} paths")));
        } else if self.writes.iter().any(is_too_long) {
            self.absorb(Self::anything("a path that cannot be kept"));
        }
        self.writes.retain(|write| !is_too_long(write));
        self.writes.truncate(MOST_WRITES);
        // What moves below `.git` may be what HEAD names.
        self.moves_head |= self.unbounded.is_some()
            || self.writes.iter().any(|write| {
                write
                    .path
                    .iter()
                    .any(|part| part.eq_ignore_ascii_case(".git"))
            });
        if let Some(why) = &mut self.unbounded {
            *why = crate::redact::bounded(why, LONGEST_WHY).into_owned();
        }
        self
    }

    /// What tells two footprints apart.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut parts: Vec<Vec<u8>> = vec![
            format!(
                "{} {} {}",
                self.moves_head,
                self.delegates,
                self.unbounded.is_some()
            )
            .into_bytes(),
        ];
        for write in &self.writes {
            parts.push(write.path.as_str().as_bytes().to_vec());
            parts.push(format!("{:?} {:?}", write.what, write.content).into_bytes());
        }
        Digest::of_parts(parts.iter().map(Vec::as_slice))
    }

    /// The entries that the call adds; `workspace` is where it may write
    /// anything, if it may.
    #[must_use]
    pub fn entries(&self, by: &Author<'_>) -> Vec<LedgerEntry> {
        let mut entries: Vec<LedgerEntry> = self
            .writes
            .iter()
            .map(|write| by.entry(&write.path, write.what, write.content, None))
            .collect();
        entries.extend(self.mark(by));
        entries
    }

    /// The entry that says that anything may have been written.
    #[must_use]
    pub fn mark(&self, by: &Author<'_>) -> Option<LedgerEntry> {
        let why = self.unbounded.clone()?;
        Some(by.entry(by.workspace, Written::Unbounded, None, Some(why)))
    }
}

impl PlannedWrite {
    fn clone_key(&self) -> (Utf8PathBuf, Written, Option<Digest>) {
        (self.path.clone(), self.what, self.content)
    }
}

/// Whose call an entry is of.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    /// The workspace of the call.
    pub workspace: &'a Utf8Path,
    /// The session or sub-agent.
    pub key: &'a SessionKey,
    /// The guard's id of the call.
    pub call: &'a str,
    /// When.
    pub now: Millis,
}

impl Author<'_> {
    fn entry(
        &self,
        path: &Utf8Path,
        what: Written,
        content: Option<Digest>,
        why: Option<String>,
    ) -> LedgerEntry {
        LedgerEntry {
            path: path.to_owned(),
            session: self.key.root(),
            call: self.call.to_owned(),
            what,
            since: self.now,
            time: self.now,
            confirmed: false,
            content,
            why,
        }
    }

    /// The entry of a workspace in which more was written than is kept.
    #[must_use]
    pub fn overflow(&self, most: usize) -> LedgerEntry {
        let why = format!("more than {most} paths were written");
        self.entry(self.workspace, Written::Unbounded, None, Some(why))
    }
}

/// What is known of one path that guarded calls may have written: one entry
/// for each path, over all agents and sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The canonical path.
    pub path: Utf8PathBuf,
    /// The root session of the last call that may have written it.
    pub session: SessionKey,
    /// The guard's id of that call.
    pub call: String,
    /// What may have happened to it, over all calls ([`folded`]).
    pub what: Written,
    /// When a call was first allowed to write it.
    pub since: Millis,
    /// When one was last allowed to.
    pub time: Millis,
    /// Whether a result says that the last call ran.
    pub confirmed: bool,
    /// The digest of the file's whole content, where the last call itself
    /// gave it.
    pub content: Option<Digest>,
    /// Why what was written is not known, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What two entries of one path come to, the later one second.
///
/// That anything below a path may have been written is never taken back. What
/// one session created stays its creation only while nobody else writes it.
#[must_use]
pub fn folded(before: Option<LedgerEntry>, later: LedgerEntry) -> LedgerEntry {
    let Some(before) = before else {
        return later;
    };
    // A call that was recorded when it was asked, and again when it was
    // allowed, adds nothing.
    if before.call == later.call && (before.what, before.content) == (later.what, later.content) {
        return before;
    }
    let since = before.since;
    let what = match (before.what, later.what) {
        (Written::Unbounded, _) | (_, Written::Unbounded) => Written::Unbounded,
        (Written::Created, Written::Changed) if before.session == later.session => Written::Created,
        (_, what) => what,
    };
    LedgerEntry {
        what,
        since,
        content: later.content.filter(|_| before.call != later.call),
        why: later.why.or(before.why),
        ..later
    }
}

/// A call that was allowed and of which no result came yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// The guard's id of the call.
    pub call: String,
    /// The session or sub-agent.
    pub key: SessionKey,
    /// The workspace of the call.
    pub workspace: Utf8PathBuf,
    /// The agent's process, where it is known.
    pub process: Option<ProcessId>,
    /// When it was allowed.
    pub since: Millis,
    /// Whether it may write anything in its workspace.
    pub unbounded: bool,
    /// Whether it may move HEAD.
    pub moves_head: bool,
}

impl InFlight {
    /// Whether the call may still be running. A clock that was set back lets
    /// no call end early.
    #[must_use]
    pub fn may_run(&self, now: Millis, alive: impl Fn(&ProcessId) -> bool) -> bool {
        now.saturating_sub(self.since) < IN_FLIGHT_FOR && self.process.as_ref().is_none_or(alive)
    }
}

/// The digest of a file's whole content, as entries have it.
#[must_use]
pub fn content_digest(content: &[u8]) -> Digest {
    Digest::of_parts([content])
}

/// Whether one of two canonical folders lies in the other, or they are the same.
#[must_use]
pub fn overlap(one: &Utf8Path, other: &Utf8Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

#[cfg(test)]
mod tests;
