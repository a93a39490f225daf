//! A hook that waits for its answer, and what it gets.

use std::sync::mpsc;

use countersign_core::decision::Decision;
use countersign_service::Handled;
use tokio::sync::oneshot;

use super::world::PATIENCE;

/// A hook that waits for its answer.
pub(crate) struct Hook {
    begun: mpsc::Receiver<()>,
    end: mpsc::Receiver<Handled>,
    ended: Option<Handled>,
    give_up: Option<oneshot::Sender<()>>,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) decision: String,
    pub(crate) reason: String,
    pub(crate) detail: String,
    /// The guard's id of the call.
    pub(crate) id: String,
}

impl Outcome {
    /// Both in one, as `allow approval`.
    pub(crate) fn said(&self) -> String {
        format!("{} {}", self.decision, self.reason)
    }
}

impl Hook {
    /// A hook that hears from `begun` when its first step is taken, its answer
    /// from `end`, and gives up by `give_up`.
    pub(crate) const fn new(
        begun: mpsc::Receiver<()>,
        end: mpsc::Receiver<Handled>,
        give_up: oneshot::Sender<()>,
    ) -> Self {
        Self {
            begun,
            end,
            ended: None,
            give_up: Some(give_up),
        }
    }

    /// Waits until everything is done but asking a model or a person.
    #[track_caller]
    pub(crate) fn has_begun(&self) {
        self.begun
            .recv_timeout(PATIENCE)
            .expect("the hook's first step");
    }

    /// Whether it has its answer.
    pub(crate) fn is_over(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = self.end.try_recv().ok();
        }
        self.ended.is_some()
    }

    /// The agent does not wait any more.
    pub(crate) fn gives_up(&mut self) {
        self.give_up.take().unwrap().send(()).unwrap();
    }

    /// Waits for what came of it.
    #[track_caller]
    pub(crate) fn handled(self) -> Handled {
        match self.ended {
            Some(handled) => handled,
            None => self
                .end
                .recv_timeout(PATIENCE)
                .expect("the hook is answered"),
        }
    }

    /// Waits for what became of the call.
    #[track_caller]
    pub(crate) fn outcome(self) -> Outcome {
        let of = |decision: &Decision, id: String| Outcome {
            decision: decision.verb().to_owned(),
            reason: decision.reason().to_owned(),
            detail: decision.detail().to_owned(),
            id,
        };
        match self.handled() {
            Handled::Decided(outcome, decision) => of(&decision, outcome.call),
            Handled::Failed(decision) => of(&decision, String::new()),
            other => panic!("this is no decision: {other:?}"),
        }
    }

    /// Waits for what became of the call, as `allow approval`.
    #[track_caller]
    pub(crate) fn said(self) -> String {
        self.outcome().said()
    }
}
