//! What a classifier is told of the sessions: what their people typed, and what
//! their agents did before. In memory, bounded, and kept only where there is a
//! classifier to tell.

use std::collections::HashMap;
use std::sync::Mutex;

use countersign_core::call::SessionKey;
use countersign_core::transcript::{Entry, Fate, Transcript};

use crate::service::lock;
use crate::sessions::MOST_SESSIONS;

/// How often the beginning of one session is looked for in its agent's file
/// while nothing is found there.
const MOST_LOOKS: u32 = 8;

/// The histories of all root sessions; a sub-agent's calls stand in its root's.
#[derive(Debug, Default)]
pub(crate) struct Histories {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    known: HashMap<SessionKey, History>,
    /// Counts what is done, so that the history used longest ago can go.
    uses: u64,
}

impl Histories {
    /// Does something with the history of a session, which begins with it
    /// where there is none.
    pub(crate) fn with<T>(&self, key: &SessionKey, work: impl FnOnce(&mut History) -> T) -> T {
        let root = key.root();
        let mut inner = lock(&self.inner);
        inner.uses += 1;
        let now = inner.uses;
        if inner.known.len() >= MOST_SESSIONS && !inner.known.contains_key(&root) {
            let oldest = inner.known.iter().min_by_key(|(_, history)| history.used);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                inner.known.remove(&oldest);
            }
        }
        let history = inner.known.entry(root).or_default();
        history.used = now;
        work(history)
    }

    /// An ask about a call is over.
    pub(crate) fn settled(&self, key: &SessionKey, call: &str, proceeds: bool) {
        if let Some(history) = lock(&self.inner).known.get_mut(&key.root()) {
            let fate = if proceeds {
                Fate::Approved
            } else {
                Fate::Rejected
            };
            history.transcript.settle(call, fate);
        }
    }
}

/// The history of one root session.
#[derive(Debug, Default)]
pub(crate) struct History {
    transcript: Transcript,
    beginning: Beginning,
    used: u64,
}

/// Whether the beginning of a session is known.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Beginning {
    /// It went on before anything was heard of it.
    #[default]
    Missing,
    /// It was looked for, this many times.
    Looked(u32),
    /// It was heard.
    Known,
}

impl History {
    /// The session begins just now: there is nothing before.
    pub(crate) const fn begins(&mut self) {
        self.beginning = Beginning::Known;
    }

    /// A person typed this.
    pub(crate) fn user_said(&mut self, text: &str) {
        self.transcript.push(Entry::user(text));
    }

    /// A call of the agent was decided.
    pub(crate) fn called(&mut self, call: Entry) {
        self.transcript.push(call);
    }

    /// Whether the beginning of the session is to be looked for in the agent's
    /// own file; counts as looking.
    pub(crate) fn looks_for_beginning(&mut self) -> bool {
        let looked = match self.beginning {
            Beginning::Known => return false,
            Beginning::Missing => 0,
            Beginning::Looked(times) if times < MOST_LOOKS => times,
            Beginning::Looked(_) => return false,
        };
        if looked > 0 && self.transcript.has_user_text() {
            return false;
        }
        self.beginning = Beginning::Looked(looked + 1);
        true
    }

    /// What a person had typed before anything was heard of the session, and
    /// perhaps what was heard too: that stands once.
    pub(crate) fn began_with(&mut self, texts: Vec<String>) {
        self.transcript.with_earlier_user_texts(texts);
    }

    /// Everything until now.
    pub(crate) fn transcript(&self) -> Transcript {
        self.transcript.clone()
    }
}
