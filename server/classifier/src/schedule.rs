//! The arithmetic of a stage's time: two attempts inside one deadline.

use std::time::Duration;

use tokio::time::Instant;

use crate::failure::Again;

/// How often an answer is tried for. A request that the endpoint refuses for
/// its form, and that is asked anew in another, is not one of them.
pub(crate) const ATTEMPTS: u32 = 2;

/// The shortest time in which an attempt is worth beginning.
const LEAST: Duration = Duration::from_millis(250);

/// What is waited at least before the second attempt, if the endpoint does not
/// say; as much again comes from chance, so that many do not come back at once.
const PAUSE: Duration = Duration::from_millis(150);

/// A stage's time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    /// When it is over.
    pub(crate) deadline: Instant,
}

impl Schedule {
    /// From now on.
    pub(crate) fn new(now: Instant, milliseconds: u64) -> Self {
        // Settings allow less than an hour; the bound keeps the sum sound.
        let length = Duration::from_millis(milliseconds).min(Duration::from_secs(24 * 3600));
        Self {
            deadline: now + length,
        }
    }

    /// When an attempt that begins now is given up. A first one leaves a third
    /// of the time to the second.
    pub(crate) fn give_up(&self, now: Instant, attempt: u32) -> Instant {
        if attempt >= ATTEMPTS {
            return self.deadline;
        }
        now + self.left(now) * 2 / 3
    }

    /// How long to wait before another attempt after a number of them; none if
    /// there is to be no other. `chance` is between 0 and 1.
    pub(crate) fn pause(
        &self,
        now: Instant,
        attempts: u32,
        again: Again,
        chance: f64,
    ) -> Option<Duration> {
        if attempts >= ATTEMPTS {
            return None;
        }
        let pause = match again {
            Again::Never => return None,
            Again::Now => Duration::ZERO,
            Again::Later(None) => PAUSE + PAUSE.mul_f64(chance.clamp(0.0, 1.0)),
            // Not earlier than was said.
            Again::Later(Some(said)) => said.saturating_add(PAUSE.mul_f64(chance.clamp(0.0, 1.0))),
        };
        (pause.saturating_add(LEAST) <= self.left(now)).then_some(pause)
    }

    /// Whether there is time for an attempt.
    pub(crate) fn has_time(&self, now: Instant) -> bool {
        self.left(now) >= LEAST
    }

    fn left(&self, now: Instant) -> Duration {
        self.deadline.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_first_attempt_leaves_time_for_a_second() {
        let now = Instant::now();
        let schedule = Schedule::new(now, 9_000);
        assert_eq!(schedule.give_up(now, 1), now + Duration::from_secs(6));
        let later = now + Duration::from_secs(6);
        assert_eq!(schedule.give_up(later, 2), now + Duration::from_secs(9));
    }

    #[test]
    fn what_is_final_is_not_tried_again() {
        let now = Instant::now();
        let schedule = Schedule::new(now, 10_000);
        assert_eq!(schedule.pause(now, 1, Again::Never, 0.5), None);
        assert_eq!(schedule.pause(now, 2, Again::Now, 0.5), None);
        assert_eq!(
            schedule.pause(now, 1, Again::Now, 0.5),
            Some(Duration::ZERO)
        );
        let some = schedule.pause(now, 1, Again::Later(None), 0.5);
        assert_eq!(some, Some(Duration::from_millis(225)));
    }

    #[test]
    fn an_endpoint_that_names_a_time_is_not_asked_before_it_or_not_at_all() {
        let now = Instant::now();
        let schedule = Schedule::new(now, 10_000);
        let said = |seconds| Again::Later(Some(Duration::from_secs(seconds)));
        let pause = schedule.pause(now, 1, said(3), 0.0).unwrap();
        assert_eq!(pause, Duration::from_secs(3));
        assert!(schedule.pause(now, 1, said(3), 1.0).unwrap() > pause);
        assert_eq!(schedule.pause(now, 1, said(10), 0.0), None);
        let forever = Again::Later(Some(Duration::MAX));
        assert_eq!(schedule.pause(now, 1, forever, 1.0), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn nothing_goes_beyond_the_deadline(
            length in 0_u64..=u64::MAX,
            passed in 0_u64..100_000,
            attempt in 1_u32..4,
            said in proptest::option::of(0_u64..100_000),
            chance in 0.0_f64..=1.0,
        ) {
            let begin = Instant::now();
            let schedule = Schedule::new(begin, length);
            let now = begin + Duration::from_millis(passed);
            prop_assert!(schedule.give_up(now, attempt) <= schedule.deadline.max(now));
            let again = Again::Later(said.map(Duration::from_millis));
            if let Some(pause) = schedule.pause(now, attempt, again, chance) {
                prop_assert!(now + pause < schedule.deadline);
                prop_assert!(attempt < ATTEMPTS);
            }
        }
    }
}
