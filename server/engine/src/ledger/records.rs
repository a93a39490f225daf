//! What is on record of a workspace, for the judgement of a command: what a
//! session's agent created from its own content, what is trusted to execute,
//! and what guarded calls wrote.

use std::collections::{HashMap, HashSet};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::{Call, Digest, SessionKey};
use countersign_core::facts::Facts;
use countersign_core::ledger::{LedgerView, Written};
use countersign_core::policy::Policy;
use countersign_core::state::StateError;

use crate::host::Host;
use crate::{Engine, prepare};

/// Most entries of the ledger that are looked at for one question.
const MOST_ENTRIES: usize = 2_000;

/// What one session created at and below a path.
#[derive(Debug, Default)]
pub(crate) struct Own {
    /// Files, with the digest of what the agent wrote. A file counts only as
    /// long as it holds exactly that, so it does not matter who else may have
    /// written it.
    pub(crate) files: HashMap<Utf8PathBuf, Digest>,
    /// Folders; what is in them counts for itself.
    pub(crate) folders: HashSet<Utf8PathBuf>,
}

/// The baseline of a workspace, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Baseline {
    /// What HEAD is now: no guarded call wrote there yet.
    Head,
    /// This commit, in hexadecimal.
    Commit(String),
    /// The empty tree, or not known: nothing is trusted to execute.
    Nothing,
}

/// Tells what is on record. Whatever is not known was not created by the
/// session, and is not trusted.
pub(crate) trait Records {
    /// What the session created at and below a canonical path.
    fn below(&self, path: &Utf8Path) -> Own;

    /// What is trusted to execute in a canonical workspace of the repository
    /// whose objects lie in `repository`.
    fn baseline(&self, workspace: &Utf8Path, repository: &Utf8Path) -> Baseline;

    /// What guarded calls wrote in a canonical folder; none where that cannot
    /// be told.
    fn written(&self, folder: &Utf8Path) -> Option<LedgerView>;
}

/// Where there is no state: nothing was written yet.
pub(crate) struct NoRecords;

impl Records for NoRecords {
    fn below(&self, _: &Utf8Path) -> Own {
        Own::default()
    }

    fn baseline(&self, _: &Utf8Path, _: &Utf8Path) -> Baseline {
        Baseline::Head
    }

    fn written(&self, _: &Utf8Path) -> Option<LedgerView> {
        Some(LedgerView {
            entries: Vec::new(),
            above: Vec::new(),
            in_flight: Vec::new(),
            complete: true,
        })
    }
}

struct OfSession<'a> {
    engine: &'a Engine,
    session: SessionKey,
}

impl Records for OfSession<'_> {
    fn baseline(&self, workspace: &Utf8Path, repository: &Utf8Path) -> Baseline {
        self.engine
            .trusted(workspace, repository)
            .unwrap_or(Baseline::Nothing)
    }

    fn written(&self, folder: &Utf8Path) -> Option<LedgerView> {
        self.engine.ledger(folder, MOST_ENTRIES).ok()
    }

    fn below(&self, path: &Utf8Path) -> Own {
        let mut own = Own::default();
        // A state that cannot be read is an error where it matters.
        let Ok(view) = self.engine.ledger(path, MOST_ENTRIES) else {
            return own;
        };
        for entry in view.entries {
            if entry.session != self.session {
                continue;
            }
            match (entry.what, entry.content) {
                (Written::Created, Some(content)) => {
                    own.files.insert(entry.path, content);
                }
                (Written::MadeFolder, _) => {
                    own.folders.insert(entry.path);
                }
                _ => {}
            }
        }
        own
    }
}

impl Engine {
    /// What is trusted to execute in a workspace. Before the first guarded call
    /// that may write something, in it or in another workspace of the
    /// repository, that is HEAD.
    fn trusted(&self, workspace: &Utf8Path, repository: &Utf8Path) -> Result<Baseline, StateError> {
        let mut found = Baseline::Nothing;
        self.store.read(&mut |transaction| {
            found = match transaction.baseline(workspace)? {
                Some(known) => match (known.repository, known.commit) {
                    (Some(seen), Some(commit)) if seen == repository => Baseline::Commit(commit),
                    _ => Baseline::Nothing,
                },
                None if transaction.kin(workspace, Some(repository))?.is_empty() => Baseline::Head,
                None => Baseline::Nothing,
            };
            Ok(())
        })?;
        Ok(found)
    }

    /// The facts of a call, with what the ledger knows of its session. Not to
    /// be asked for inside a transaction.
    #[must_use]
    pub fn facts(&self, call: &Call, host: &Host, policy: &Policy) -> Facts {
        let records = OfSession {
            engine: self,
            session: call.key.root(),
        };
        prepare::facts_with(call, host, policy, &records)
    }
}
