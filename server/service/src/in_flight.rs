//! Questions that a classifier is just being asked: two events of one call are
//! one question and one count, also while the answer is on its way.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use countersign_core::call::{Call, Digest, SessionKey};
use countersign_core::state::CallEvent;
use countersign_engine::request::Outcome;
use tokio::sync::watch;

use crate::service::lock;

/// Answers that are remembered for events that were on their way to the
/// question while it was answered.
const MOST_ENDED: usize = 64;

/// What came of a question.
#[derive(Debug)]
pub(crate) struct Concluded {
    pub(crate) outcome: Outcome,
    /// The event for which it was asked.
    pub(crate) event: CallEvent,
}

/// The questions that are open.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    open: Vec<Open>,
    ended: VecDeque<Ended>,
    next: u64,
}

/// What makes two events those of one call.
#[derive(Debug, Clone)]
struct Of {
    key: SessionKey,
    digest: Digest,
    id: Option<String>,
    event: CallEvent,
}

impl Of {
    fn call(call: &Call, event: CallEvent) -> Self {
        Self {
            key: call.key.clone(),
            digest: call.digest(),
            id: call.id.clone(),
            event,
        }
    }

    /// Of one kind of event there is one for each call: another one is the same
    /// only if both name the same id. Of two kinds the ids differ only if both
    /// name one.
    fn is(&self, other: &Self) -> bool {
        let same_id = match (&self.id, &other.id) {
            (Some(one), Some(other)) => one == other,
            (None, _) | (_, None) => self.event != other.event,
        };
        same_id && self.key == other.key && self.digest == other.digest
    }
}

#[derive(Debug)]
struct Open {
    number: u64,
    of: Of,
    told: watch::Receiver<Option<Arc<Concluded>>>,
}

#[derive(Debug)]
struct Ended {
    of: Of,
    at: Instant,
    concluded: Arc<Concluded>,
}

/// How an event comes to its answer.
#[derive(Debug)]
pub(crate) enum Turn<'a> {
    /// It asks.
    Asks(Asks<'a>),
    /// Another event of the same call asks; wait for what comes of it.
    Waits(watch::Receiver<Option<Arc<Concluded>>>),
    /// Another event of the same call was answered a moment ago.
    Answered(Arc<Concluded>),
}

impl InFlight {
    /// An event whose call was decided, as far as that is possible without a
    /// model, at `decided`: what was concluded before it knows already.
    pub(crate) fn enter(&self, call: &Call, event: CallEvent, decided: Instant) -> Turn<'_> {
        let of = Of::call(call, event);
        let mut inner = lock(&self.inner);
        if let Some(open) = inner.open.iter().find(|open| open.of.is(&of)) {
            return Turn::Waits(open.told.clone());
        }
        let mut ended = inner.ended.iter().rev();
        if let Some(ended) = ended.find(|ended| ended.at >= decided && ended.of.is(&of)) {
            return Turn::Answered(Arc::clone(&ended.concluded));
        }
        let (teller, told) = watch::channel(None);
        let number = inner.next;
        inner.next += 1;
        inner.open.push(Open {
            number,
            of: of.clone(),
            told,
        });
        Turn::Asks(Asks {
            all: self,
            number,
            of,
            teller,
        })
    }
}

/// The event that asks. Dropped without an answer, the next one asks.
#[derive(Debug)]
pub(crate) struct Asks<'a> {
    all: &'a InFlight,
    number: u64,
    of: Of,
    teller: watch::Sender<Option<Arc<Concluded>>>,
}

impl Asks<'_> {
    /// The answer was applied.
    pub(crate) fn concluded(self, concluded: Concluded) {
        let concluded = Arc::new(concluded);
        let mut inner = lock(&self.all.inner);
        if inner.ended.len() >= MOST_ENDED {
            inner.ended.pop_front();
        }
        inner.ended.push_back(Ended {
            of: self.of.clone(),
            at: Instant::now(),
            concluded: Arc::clone(&concluded),
        });
        drop(inner);
        // Nobody may wait.
        let _ = self.teller.send(Some(concluded));
    }
}

impl Drop for Asks<'_> {
    fn drop(&mut self) {
        lock(&self.all.inner)
            .open
            .retain(|open| open.number != self.number);
    }
}

/// Waits for what comes of another event's question; none if that event went
/// away before.
pub(crate) async fn told(
    mut told: watch::Receiver<Option<Arc<Concluded>>>,
) -> Option<Arc<Concluded>> {
    let answered = told.wait_for(Option::is_some).await.ok()?;
    (*answered).clone()
}

#[cfg(test)]
mod tests {
    use countersign_core::agent::Agent;
    use countersign_core::mode::AgentMode;

    use super::*;

    use CallEvent::{PermissionRequest, PreTool};

    fn call(id: Option<&str>) -> Call {
        Call {
            key: SessionKey {
                agent: Agent::Gemini,
                session: "s".to_owned(),
                subagent: None,
            },
            id: id.map(str::to_owned),
            raw_tool: "run_shell_command".to_owned(),
            raw_input: serde_json::json!({ "command": "git push" }),
            cwd: "/work".into(),
            search_path: Vec::new(),
            agent_mode: AgentMode::Other,
            operations: Vec::new(),
        }
    }

    /// Whether an event waits for what comes of one that asks.
    fn waits(one: (&Call, CallEvent), other: (&Call, CallEvent)) -> bool {
        let in_flight = InFlight::default();
        let now = Instant::now();
        let first = in_flight.enter(one.0, one.1, now);
        assert!(matches!(first, Turn::Asks(_)));
        let second = in_flight.enter(other.0, other.1, now);
        matches!(second, Turn::Waits(_))
    }

    #[test]
    fn two_kinds_of_event_are_of_one_call_unless_their_ids_say_otherwise() {
        let (named, other, unnamed) = (call(Some("a")), call(Some("b")), call(None));
        assert!(waits((&named, PreTool), (&named, PermissionRequest)));
        assert!(waits((&named, PreTool), (&unnamed, PermissionRequest)));
        assert!(waits((&unnamed, PermissionRequest), (&named, PreTool)));
        assert!(!waits((&named, PreTool), (&other, PermissionRequest)));
    }

    #[test]
    fn the_same_kind_twice_is_of_one_call_only_by_its_id() {
        let (named, other, unnamed) = (call(Some("a")), call(Some("b")), call(None));
        assert!(waits((&named, PreTool), (&named, PreTool)));
        assert!(!waits((&named, PreTool), (&other, PreTool)));
        assert!(!waits((&unnamed, PreTool), (&unnamed, PreTool)));
        assert!(!waits((&named, PreTool), (&unnamed, PreTool)));
    }

    #[test]
    fn another_folder_session_or_sub_agent_is_another_call() {
        let one = call(None);
        let moved = Call {
            cwd: "/elsewhere".into(),
            ..one.clone()
        };
        let mut below = one.clone();
        below.key.subagent = Some("a1".to_owned());
        let mut elsewhere = one.clone();
        elsewhere.key.session = "t".to_owned();
        for other in [moved, below, elsewhere] {
            assert!(!waits((&one, PreTool), (&other, PermissionRequest)));
        }
    }

    #[test]
    fn who_goes_away_before_an_answer_leaves_the_question_to_the_next() {
        let in_flight = InFlight::default();
        let (one, now) = (call(Some("a")), Instant::now());
        drop(in_flight.enter(&one, PreTool, now));
        let next = in_flight.enter(&one, PermissionRequest, now);
        assert!(matches!(next, Turn::Asks(_)));
    }
}
