//! How many questions one agent has open, and how many of them it gave up:
//! no agent takes all places of a model, and none learns by giving up what it
//! would be counted for by waiting.
//!
//! An agent is a root session here, with what it started.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use countersign_core::call::SessionKey;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::service::lock;
use crate::sessions::MOST_SESSIONS;

/// Questions that an agent may give up since its user said something. A person
/// who interrupts an agent takes back all that it just asked at once.
const MOST_GIVEN_UP: usize = 8;

/// How long one that was given up is remembered.
const GIVEN_UP_FOR: Duration = Duration::from_secs(10 * 60);

/// The open questions of all agents.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    of: Mutex<HashMap<SessionKey, Of>>,
}

#[derive(Debug)]
struct Of {
    places: Arc<Semaphore>,
    given_up: Vec<Instant>,
    used: Instant,
}

impl Of {
    fn new(places: usize, now: Instant) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            given_up: Vec::new(),
            used: now,
        }
    }
}

impl Questions {
    /// Waits for one of the agent's own places; of the `all` that the model has,
    /// they are at most half. Held until the question is over.
    pub(crate) async fn place(&self, agent: &SessionKey, all: u32) -> Option<OwnedSemaphorePermit> {
        let places = self.of(agent, Instant::now(), half(all), |of| {
            Arc::clone(&of.places)
        });
        // Nobody closes it.
        places.acquire_owned().await.ok()
    }

    /// The agent gave a question up.
    pub(crate) fn given_up(&self, agent: &SessionKey, now: Instant) {
        self.of(agent, now, 1, |of| of.given_up.push(now));
    }

    /// Whether the agent gave up so many that nothing more is asked for it.
    pub(crate) fn gave_up_too_many(&self, agent: &SessionKey, now: Instant) -> bool {
        let mut all = lock(&self.of);
        let Some(of) = all.get_mut(agent) else {
            return false;
        };
        of.given_up
            .retain(|at| now.saturating_duration_since(*at) < GIVEN_UP_FOR);
        of.given_up.len() >= MOST_GIVEN_UP
    }

    /// The agent's user said something: what was given up until now was theirs
    /// to give up.
    pub(crate) fn user_said_something(&self, agent: &SessionKey) {
        if let Some(of) = lock(&self.of).get_mut(agent) {
            of.given_up.clear();
        }
    }

    fn of<T>(
        &self,
        agent: &SessionKey,
        now: Instant,
        places: usize,
        work: impl FnOnce(&mut Of) -> T,
    ) -> T {
        let mut all = lock(&self.of);
        if all.len() >= MOST_SESSIONS && !all.contains_key(agent) {
            // One that is asking now, or has given up, only where all are.
            let oldest = all
                .iter()
                .min_by_key(|(_, of)| {
                    let is_open = Arc::strong_count(&of.places) > 1;
                    (is_open || !of.given_up.is_empty(), of.used)
                })
                .map(|(agent, _)| agent.clone());
            if let Some(oldest) = oldest {
                all.remove(&oldest);
            }
        }
        let of = all
            .entry(agent.clone())
            .or_insert_with(|| Of::new(places, now));
        of.used = now;
        // Settings may have changed; who holds a place of before keeps it.
        let is_idle = Arc::strong_count(&of.places) == 1;
        if is_idle && of.places.available_permits() != places {
            of.places = Arc::new(Semaphore::new(places));
        }
        work(of)
    }
}

/// Half of the places of a model, and at least one.
fn half(all: u32) -> usize {
    usize::try_from(all / 2)
        .unwrap_or(usize::MAX)
        .clamp(1, Semaphore::MAX_PERMITS)
}

#[cfg(test)]
mod tests {
    use countersign_core::agent::Agent;

    use super::*;

    fn agent(session: &str) -> SessionKey {
        SessionKey {
            agent: Agent::ClaudeCode,
            session: session.to_owned(),
            subagent: None,
        }
    }

    /// Whether a place is free now.
    async fn is_free(questions: &Questions, of: &SessionKey) -> bool {
        tokio::select! {
            biased;
            place = questions.place(of, 5) => place.is_some(),
            () = std::future::ready(()) => false,
        }
    }

    #[tokio::test]
    async fn an_agent_takes_at_most_half_of_the_places() {
        let questions = Questions::default();
        let (one, other) = (agent("s1"), agent("s2"));
        let first = questions.place(&one, 5).await.unwrap();
        let _second = questions.place(&one, 5).await.unwrap();
        assert!(!is_free(&questions, &one).await);
        assert!(
            is_free(&questions, &other).await,
            "another's places are its own"
        );
        drop(first);
        assert!(is_free(&questions, &one).await);
    }

    #[tokio::test]
    async fn there_is_always_one_place() {
        let questions = Questions::default();
        assert!(questions.place(&agent("s1"), 1).await.is_some());
        assert!(questions.place(&agent("s1"), 0).await.is_some());
    }

    #[test]
    fn who_gives_up_many_questions_is_asked_about_no_more_for_a_while() {
        let questions = Questions::default();
        let (one, now) = (agent("s1"), Instant::now());
        for _ in 0..MOST_GIVEN_UP {
            assert!(!questions.gave_up_too_many(&one, now));
            questions.given_up(&one, now);
        }
        assert!(questions.gave_up_too_many(&one, now));
        assert!(!questions.gave_up_too_many(&agent("s2"), now));
        assert!(!questions.gave_up_too_many(&one, now + GIVEN_UP_FOR));
        for _ in 0..MOST_GIVEN_UP {
            questions.given_up(&one, now);
        }
        questions.user_said_something(&one);
        assert!(!questions.gave_up_too_many(&one, now));
    }

    #[test]
    fn many_agents_cost_no_more_memory_and_hide_none_that_gave_up() {
        let questions = Questions::default();
        let (one, now) = (agent("s1"), Instant::now());
        for _ in 0..MOST_GIVEN_UP {
            questions.given_up(&one, now);
        }
        for n in 0..2 * MOST_SESSIONS {
            questions.of(&agent(&format!("n{n}")), now, 1, |_| ());
        }
        assert!(lock(&questions.of).len() <= MOST_SESSIONS);
        assert!(questions.gave_up_too_many(&one, now));
    }
}
