//! What a session's agent created from its own content, so that its loss can
//! be had back.

use std::collections::{HashMap, HashSet};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::{Call, Digest, SessionKey};
use countersign_core::facts::Facts;
use countersign_core::ledger::Written;
use countersign_core::policy::Policy;

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

/// Tells what a session created. Whatever is not known was not created by it.
pub(crate) trait Creations {
    /// What it created at and below a canonical path.
    fn below(&self, path: &Utf8Path) -> Own;
}

/// Where no session is known.
pub(crate) struct NoCreations;

impl Creations for NoCreations {
    fn below(&self, _: &Utf8Path) -> Own {
        Own::default()
    }
}

struct OfSession<'a> {
    engine: &'a Engine,
    session: SessionKey,
}

impl Creations for OfSession<'_> {
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
    /// The facts of a call, with what the ledger knows of its session. Not to
    /// be asked for inside a transaction.
    #[must_use]
    pub fn facts(&self, call: &Call, host: &Host, policy: &Policy) -> Facts {
        let creations = OfSession {
            engine: self,
            session: call.key.root(),
        };
        prepare::facts_with(call, host, policy, &creations)
    }
}
