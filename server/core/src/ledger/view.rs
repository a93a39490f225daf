//! What the ledger says about a folder: the questions that containment asks.

use camino::Utf8Path;

use super::{InFlight, LedgerEntry, Written};
use crate::call::{Digest, SessionKey};

/// Files that nothing executes, loads or builds from: images, fonts, print.
/// Text is not among them, because tools run what is in it (doc tests).
const NO_CODE: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "webp", "ico", "bmp", "tiff", "pdf", "woff", "woff2", "ttf",
    "otf", "mp3", "mp4", "wav", "webm",
];

/// Whether a file may be code, or decide what code does. Unknown is yes.
#[must_use]
pub fn may_be_code(path: &Utf8Path) -> bool {
    path.extension()
        .is_none_or(|extension| !NO_CODE.contains(&extension.to_ascii_lowercase().as_str()))
}

/// What the ledger knows of a folder and everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerView {
    /// The entries at the folder and below it, by path.
    pub entries: Vec<LedgerEntry>,
    /// The entries of folders above it that say that anything below them may
    /// have been written.
    pub above: Vec<LedgerEntry>,
    /// The calls in flight that may write anything in a workspace that holds
    /// the folder, or lies in it.
    pub in_flight: Vec<InFlight>,
    /// Whether these are all of them.
    pub complete: bool,
}

impl LedgerView {
    /// Whether anything in the folder may have been written without an entry
    /// of its own. Then entries do not say which files differ from the
    /// baseline; only the files themselves do.
    #[must_use]
    pub fn is_possibly_written(&self) -> bool {
        !self.complete || !self.in_flight.is_empty() || self.marks().next().is_some()
    }

    /// The entries that say that anything may have been written.
    pub fn marks(&self) -> impl Iterator<Item = &LedgerEntry> {
        let below = self.entries.iter();
        self.above
            .iter()
            .chain(below.filter(|entry| entry.what == Written::Unbounded))
    }

    /// The entries whose file `differs` from the baseline.
    pub fn differing<'v>(
        &'v self,
        mut differs: impl FnMut(&Utf8Path) -> bool + 'v,
    ) -> impl Iterator<Item = &'v LedgerEntry> + 'v {
        self.entries
            .iter()
            .filter(move |entry| differs(&entry.path))
    }

    /// The entries of files that may be code and `differ` from the baseline:
    /// gone, new or other bytes.
    pub fn code_that_differs<'v>(
        &'v self,
        differs: impl FnMut(&Utf8Path) -> bool + 'v,
    ) -> impl Iterator<Item = &'v LedgerEntry> + 'v {
        self.differing(differs)
            .filter(|entry| may_be_code(&entry.path))
    }

    /// Whether this session's agent created the file from its own content and
    /// it is still that content, so that its loss can be had back. `content`
    /// is what is on disk ([`super::content_digest`]).
    ///
    /// That something else may have written it too does not matter: the bytes
    /// are the agent's.
    #[must_use]
    pub fn is_own_creation(&self, path: &Utf8Path, session: &SessionKey, content: Digest) -> bool {
        self.entries.iter().any(|entry| {
            entry.path == path
                && entry.what == Written::Created
                && entry.session == session.root()
                && entry.content == Some(content)
        })
    }

    /// Whether every byte of the file is known to be what an agent's call
    /// gave: then it can be read and judged as that call's content.
    #[must_use]
    pub fn is_known_content(&self, path: &Utf8Path, content: Digest) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.path == path && entry.content == Some(content))
    }
}
