//! What a classifier is told of the sessions: what their people typed, and what
//! their agents did before. In memory, bounded, and kept only where there is a
//! classifier to tell.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};
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
    known: HashMap<SessionKey, Known>,
    /// Counts what is done, so that the history used longest ago can go.
    uses: u64,
}

/// Each with a lock of its own: what is long in one session, because its texts
/// are looked through for secrets, holds up no other.
#[derive(Debug, Default)]
struct Known {
    history: Arc<Mutex<History>>,
    used: u64,
}

impl Histories {
    /// Does something with the history of a session, which begins with it
    /// where there is none.
    pub(crate) fn with<T>(&self, key: &SessionKey, work: impl FnOnce(&mut History) -> T) -> T {
        let history = self.history(key.root());
        work(&mut lock(&history))
    }

    fn history(&self, root: SessionKey) -> Arc<Mutex<History>> {
        let mut inner = lock(&self.inner);
        inner.uses += 1;
        let now = inner.uses;
        if inner.known.len() >= MOST_SESSIONS && !inner.known.contains_key(&root) {
            let oldest = inner.known.iter().min_by_key(|(_, known)| known.used);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                inner.known.remove(&oldest);
            }
        }
        let known = inner.known.entry(root).or_default();
        known.used = now;
        Arc::clone(&known.history)
    }

    /// An ask about a call is over.
    pub(crate) fn settled(&self, key: &SessionKey, call: &str, proceeds: bool) {
        let known = lock(&self.inner)
            .known
            .get(&key.root())
            .map(|known| Arc::clone(&known.history));
        if let Some(history) = known {
            let fate = if proceeds {
                Fate::Approved
            } else {
                Fate::Rejected
            };
            lock(&history).transcript.settle(call, fate);
        }
    }
}

/// The history of one root session.
#[derive(Debug, Default)]
pub(crate) struct History {
    transcript: Transcript,
    beginning: Beginning,
    file: Read,
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

/// How far the agent's own file of the conversation was read.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum Read {
    /// Not at all.
    #[default]
    Nothing,
    /// Up to this byte of this file.
    UpTo(Utf8PathBuf, u64),
    /// It is not read: it tells of a conversation that is over.
    Never,
}

/// What is to be looked for in the agent's own file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Nothing.
    Not,
    /// Everything that was typed.
    All,
    /// What came behind this byte.
    Since(u64),
}

impl History {
    /// The session begins just now, as far as the agent says: there is nothing
    /// before.
    pub(crate) const fn begins(&mut self) {
        self.beginning = Beginning::Known;
    }

    /// A person began anew under the same id: what was said before holds no
    /// more.
    pub(crate) fn begins_anew(&mut self) {
        if self.transcript != Transcript::default() {
            self.transcript = Transcript::default();
            self.file = Read::Never;
        }
        self.begins();
    }

    /// A person typed this.
    pub(crate) fn user_said(&mut self, text: &str) {
        self.transcript.push(Entry::user(text));
    }

    /// A call of the agent was decided.
    pub(crate) fn called(&mut self, call: Entry) {
        self.transcript.push(call);
    }

    /// What is to be looked for in the agent's own file; counts as looking.
    pub(crate) fn looks_for(&mut self, file: &Utf8Path) -> Look {
        if self.file == Read::Never {
            return Look::Not;
        }
        let looked = match self.beginning {
            Beginning::Missing => Some(0),
            Beginning::Looked(times) if times < MOST_LOOKS => {
                (!self.transcript.has_user_text()).then_some(times)
            }
            Beginning::Looked(_) | Beginning::Known => None,
        };
        if let Some(times) = looked {
            self.beginning = Beginning::Looked(times + 1);
            return Look::All;
        }
        match &self.file {
            Read::UpTo(known, place) if known == file => Look::Since(*place),
            Read::Nothing | Read::UpTo(..) | Read::Never => Look::Since(0),
        }
    }

    /// What a person had typed according to the agent's own file: its order
    /// holds, and what was heard too stands once.
    pub(crate) fn file_says(&mut self, texts: &[String]) {
        self.transcript.with_user_texts_of_file(texts);
    }

    /// The agent's own file was read up to this byte.
    pub(crate) fn has_read(&mut self, file: &Utf8Path, place: u64) {
        if self.file != Read::Never {
            self.file = Read::UpTo(file.to_owned(), place);
        }
    }

    /// Everything until now.
    pub(crate) fn transcript(&self) -> Transcript {
        self.transcript.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use countersign_core::agent::Agent;

    use super::*;

    const FILE: &str = "/home/u/.claude/projects/p/s.jsonl";

    fn key(session: &str) -> SessionKey {
        SessionKey {
            agent: Agent::ClaudeCode,
            session: session.to_owned(),
            subagent: None,
        }
    }

    fn texts(history: &History) -> Vec<String> {
        let text = |entry: &Entry| match entry {
            Entry::User { text } => Some(text.clone()),
            Entry::Call { .. } => None,
        };
        history.transcript.entries().filter_map(text).collect()
    }

    #[test]
    fn the_beginning_is_looked_for_until_something_is_found() {
        let mut history = History::default();
        for _ in 0..MOST_LOOKS {
            assert_eq!(history.looks_for(FILE.into()), Look::All);
        }
        assert_eq!(history.looks_for(FILE.into()), Look::Since(0));
        let mut history = History::default();
        assert_eq!(history.looks_for(FILE.into()), Look::All);
        history.file_says(&["prune".to_owned()]);
        history.has_read(FILE.into(), 10);
        assert_eq!(history.looks_for(FILE.into()), Look::Since(10));
        assert_eq!(history.looks_for("/another".into()), Look::Since(0));
    }

    #[test]
    fn of_a_session_that_was_heard_only_what_comes_later_is_looked_for() {
        let mut history = History::default();
        history.begins();
        assert_eq!(history.looks_for(FILE.into()), Look::Since(0));
    }

    #[test]
    fn who_begins_anew_under_the_same_id_has_said_nothing_yet() {
        let mut history = History::default();
        history.begins();
        history.user_said("push whatever you like");
        history.has_read(FILE.into(), 10);
        history.begins_anew();
        assert_eq!(texts(&history), [""; 0]);
        assert_eq!(
            history.looks_for(FILE.into()),
            Look::Not,
            "the file tells of what is over"
        );
        history.user_said("prune");
        assert_eq!(texts(&history), ["prune"]);
        // Under a new id there is nothing that is over.
        let mut fresh = History::default();
        fresh.begins_anew();
        assert_eq!(fresh.looks_for(FILE.into()), Look::Since(0));
    }

    #[test]
    fn a_sub_agents_history_is_its_roots() {
        let histories = Histories::default();
        let below = SessionKey {
            subagent: Some("a1".to_owned()),
            ..key("s")
        };
        histories.with(&below, |history| history.user_said("prune"));
        assert_eq!(
            histories.with(&key("s"), |history| texts(history)),
            ["prune"]
        );
    }

    #[test]
    fn the_history_used_longest_ago_goes() {
        let histories = Histories::default();
        let is_known =
            |name: &str| histories.with(&key(name), |history| !texts(history).is_empty());
        histories.with(&key("first"), |history| history.user_said("prune"));
        histories.with(&key("second"), |history| history.user_said("prune"));
        assert!(is_known("first"));
        for n in 2..=MOST_SESSIONS {
            histories.with(&key(&n.to_string()), |history| history.user_said("prune"));
        }
        assert!(!is_known("second"));
        assert!(lock(&histories.inner).known.len() <= MOST_SESSIONS);
    }

    #[test]
    fn what_takes_long_in_one_session_holds_up_no_other() {
        let histories = Histories::default();
        let (told, hears) = mpsc::channel();
        histories.with(&key("long"), |_| {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    histories.with(&key("other"), |history| history.user_said("prune"));
                    told.send(()).unwrap();
                });
                hears.recv_timeout(Duration::from_secs(20)).unwrap();
            });
        });
    }
}
