//! Calls whose spans may still get children: those that wait for an answer,
//! and, for hooks that report late, those that ended a while ago. Bounded.

use std::collections::{HashMap, VecDeque};
use std::time::SystemTime;

use opentelemetry_proto::tonic::trace::v1::Span;

use crate::metrics::LONGEST_WAIT;
use crate::told::Call;

/// Calls that wait at a time, at most: of more, the one that waits longest is
/// ended.
pub(crate) const MOST_OPEN: usize = 1_024;

/// Calls that are remembered at a time, at most.
const MOST_KNOWN: usize = 2_048;

/// Where a span hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) trace: [u8; 16],
    pub(crate) span: [u8; 8],
}

/// A call that waits for an answer.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) call: Call,
    pub(crate) span: Span,
}

/// The calls that are not over, and where those that are were.
#[derive(Debug, Default)]
pub(crate) struct Open {
    waiting: HashMap<String, Waiting>,
    known: HashMap<String, Place>,
    order: VecDeque<String>,
}

impl Open {
    /// Remembers where the span of a call is.
    pub(crate) fn know(&mut self, call: &str, place: Place) {
        if self.known.insert(call.to_owned(), place).is_none() {
            self.order.push_back(call.to_owned());
        }
        while self.order.len() > MOST_KNOWN {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }

    /// Where the span of a call is, if that is remembered.
    pub(crate) fn place(&self, call: &str) -> Option<Place> {
        self.known.get(call).copied()
    }

    /// A call waits from now on; the one that makes room for it.
    pub(crate) fn wait(&mut self, waiting: Waiting) -> Option<Waiting> {
        let evicted = (self.waiting.len() >= MOST_OPEN)
            .then(|| {
                let oldest = self
                    .waiting
                    .iter()
                    .min_by_key(|(_, waiting)| waiting.call.decided)
                    .map(|(id, _)| id.clone());
                oldest.and_then(|oldest| self.waiting.remove(&oldest))
            })
            .flatten();
        self.waiting.insert(waiting.call.id.clone(), waiting);
        evicted
    }

    /// The call that waited, if it did.
    pub(crate) fn ends(&mut self, call: &str) -> Option<Waiting> {
        self.waiting.remove(call)
    }

    /// The calls that waited too long.
    pub(crate) fn forgotten(&mut self, now: SystemTime) -> Vec<Waiting> {
        self.waiting
            .extract_if(|_, waiting| {
                now.duration_since(waiting.call.decided)
                    .is_ok_and(|waits| waits >= LONGEST_WAIT)
            })
            .map(|(_, waiting)| waiting)
            .collect()
    }

    /// Every call that waits.
    pub(crate) fn all(&mut self) -> Vec<Waiting> {
        self.waiting.drain().map(|(_, waiting)| waiting).collect()
    }

    /// How many calls wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}
