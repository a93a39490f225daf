//! The approvals that are open, and who waits for each: the first valid answer
//! wins, all others find nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use countersign_core::approval::NotAsked;
use countersign_core::call::Digest;
use countersign_core::decision::Decision;
use countersign_core::denials::Counters;
use tokio::sync::oneshot;

use crate::pending::PendingApproval;

/// Most approvals that are open for one root session, and for all.
const MOST_PER_SESSION: usize = 8;
const MOST: usize = 32;

/// How long after it was shown an approval cannot be approved yet: a key that
/// was on its way to something else is no yes.
pub const TOO_SOON: Duration = Duration::from_millis(500);

/// How an approval ended for those who wait.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ended {
    /// This became of the call; with the counters after, where they are known.
    Decided(Decision, Option<Counters>),
    /// What was shown is not what would run now: it is to be asked anew.
    Void,
}

/// Why an answer is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// No such approval is open.
    #[error("no open approval {0}; it was answered, ended or never asked")]
    NotOpen(String),
    /// The nonce is not the one that was shown.
    #[error("the answer to {0} does not carry what its prompt was shown with")]
    WrongNonce(String),
    /// It was shown less than 500 ms ago.
    #[error("{0} was shown only a moment ago; answer again")]
    TooSoon(String),
    /// What was shown has changed; it is asked anew.
    #[error("{0} changed after it was shown; it is asked anew")]
    Changed(String),
    /// A rule was to be remembered that was not offered.
    #[error("the rule `{0}` was not among those that {1} may be remembered with")]
    NotOffered(String, String),
    /// The state cannot be used.
    #[error("{0}")]
    State(String),
}

#[derive(Debug)]
struct Entry {
    approval: Arc<PendingApproval>,
    waiters: Vec<oneshot::Sender<Ended>>,
    waiting: usize,
    shown: Instant,
    /// An answer is being looked at; no other is taken meanwhile.
    claimed: bool,
    /// User hooks are being asked: a surface that goes does not end it.
    asks_hooks: bool,
}

/// Open approvals by id.
#[derive(Debug, Default)]
pub(crate) struct Approvals {
    open: Mutex<HashMap<String, Entry>>,
}

impl Approvals {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens an approval.
    pub(crate) fn open(
        &self,
        approval: Arc<PendingApproval>,
    ) -> Result<oneshot::Receiver<Ended>, NotAsked> {
        let mut open = self.lock();
        let root = approval.key.root();
        let of_session = open
            .values()
            .filter(|entry| entry.approval.key.root() == root)
            .count();
        // An id that is open already is no other call's to take over.
        let is_taken = open.contains_key(&approval.id);
        if is_taken || open.len() >= MOST || of_session >= MOST_PER_SESSION {
            return Err(NotAsked::TooMany);
        }
        let (sender, receiver) = oneshot::channel();
        open.insert(
            approval.id.clone(),
            Entry {
                approval,
                waiters: vec![sender],
                waiting: 1,
                shown: Instant::now(),
                claimed: false,
                asks_hooks: false,
            },
        );
        Ok(receiver)
    }

    /// Waits for an approval that is open already, if it is about this call.
    pub(crate) fn join(
        &self,
        id: &str,
        call: Digest,
    ) -> Option<(Arc<PendingApproval>, oneshot::Receiver<Ended>)> {
        let mut open = self.lock();
        let entry = open
            .get_mut(id)
            .filter(|entry| entry.approval.call.digest() == call)?;
        let (sender, receiver) = oneshot::channel();
        entry.waiters.push(sender);
        entry.waiting += 1;
        Some((Arc::clone(&entry.approval), receiver))
    }

    /// Somebody does not wait any more. Whether that was the last one, and so
    /// nobody would hear an answer.
    pub(crate) fn leave(&self, id: &str) -> bool {
        let mut open = self.lock();
        let Some(entry) = open.get_mut(id) else {
            return false;
        };
        entry.waiting = entry.waiting.saturating_sub(1);
        entry.waiting == 0
    }

    /// Takes the approval for an answer that also remembers these rules: until
    /// it is finished, no other answer is taken, and no deadline ends it.
    pub(crate) fn claim(
        &self,
        id: &str,
        nonce: Option<&str>,
        approves: bool,
        remembers: &[String],
    ) -> Result<Arc<PendingApproval>, AnswerError> {
        let mut open = self.lock();
        let entry = open
            .get_mut(id)
            .filter(|entry| !entry.claimed)
            .ok_or_else(|| AnswerError::NotOpen(id.to_owned()))?;
        let fits = match nonce {
            Some(sent) => entry.approval.nonce.is(sent),
            None => !approves,
        };
        if !fits {
            return Err(AnswerError::WrongNonce(id.to_owned()));
        }
        let offered = &entry.approval.suggestions;
        if let Some(foreign) = remembers.iter().find(|rule| !offered.contains(rule)) {
            return Err(AnswerError::NotOffered(foreign.clone(), id.to_owned()));
        }
        if approves && entry.shown.elapsed() < TOO_SOON {
            return Err(AnswerError::TooSoon(id.to_owned()));
        }
        entry.claimed = true;
        Ok(Arc::clone(&entry.approval))
    }

    /// Takes the approval for the guard's own side: for what a user hook said,
    /// or where nobody is asked any more. Needs no nonce: none leaves this
    /// process for it.
    pub(crate) fn claim_from_inside(&self, id: &str) -> Result<Arc<PendingApproval>, AnswerError> {
        let mut open = self.lock();
        let entry = open
            .get_mut(id)
            .filter(|entry| !entry.claimed)
            .ok_or_else(|| AnswerError::NotOpen(id.to_owned()))?;
        entry.claimed = true;
        Ok(Arc::clone(&entry.approval))
    }

    /// User hooks are asked from now on; what is returned hears when the
    /// approval is over. None if it is over already.
    pub(crate) fn asks_hooks(&self, id: &str) -> Option<oneshot::Receiver<Ended>> {
        let mut open = self.lock();
        let entry = open.get_mut(id)?;
        entry.asks_hooks = true;
        let (sender, receiver) = oneshot::channel();
        entry.waiters.push(sender);
        Some(receiver)
    }

    /// User hooks had nothing to say. Whether the approval is still open.
    pub(crate) fn hooks_are_over(&self, id: &str) -> bool {
        let mut open = self.lock();
        let Some(entry) = open.get_mut(id) else {
            return false;
        };
        entry.asks_hooks = false;
        !entry.claimed
    }

    /// Everything that is open and about which no user hook is being asked.
    pub(crate) fn without_hooks(&self) -> Vec<Arc<PendingApproval>> {
        let open = self.lock();
        open.values()
            .filter(|entry| !entry.asks_hooks)
            .map(|entry| Arc::clone(&entry.approval))
            .collect()
    }

    /// The approval is over.
    pub(crate) fn finish(&self, id: &str, ended: &Ended) {
        let Some(entry) = self.lock().remove(id) else {
            return;
        };
        for waiter in entry.waiters {
            // Who does not wait any more does not hear it.
            let _ = waiter.send(ended.clone());
        }
    }

    /// It is shown to a person from now on.
    pub(crate) fn shown(&self, id: &str) {
        if let Some(entry) = self.lock().get_mut(id) {
            entry.shown = Instant::now();
        }
    }

    /// The approval of this id, if it is open.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<PendingApproval>> {
        Some(Arc::clone(&self.lock().get(id)?.approval))
    }

    /// Everything that is open, the oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<PendingApproval>> {
        let mut all: Vec<_> = self
            .lock()
            .values()
            .map(|entry| Arc::clone(&entry.approval))
            .collect();
        all.sort_by(|a, b| (a.asked_at, &a.id).cmp(&(b.asked_at, &b.id)));
        all
    }
}
