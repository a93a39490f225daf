//! Sparing a person: what was just rejected is not asked again, and who did
//! not answer three times is left alone.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use countersign_core::approval::{Answer, NotAsked};
use countersign_core::call::{Call, Digest, Subject};
use countersign_core::command::SimpleCommand;
use countersign_core::facts::Facts;

use crate::parts::Part;

/// How long a rejection holds without another user message.
const REJECTED_FOR: Duration = Duration::from_secs(10 * 60);

/// So many rejections or timeouts in a row pause asking.
const MOST_IN_A_ROW: u32 = 3;

/// What is remembered of one session.
const MOST_REMEMBERED: usize = 64;

/// What a session asked of its person so far.
#[derive(Debug, Default)]
pub(crate) struct Fatigue {
    rejected: VecDeque<(Digest, Instant)>,
    asked: VecDeque<(Digest, u32)>,
    in_a_row: u32,
}

impl Fatigue {
    /// Why a person must not be asked about this, if so.
    pub(crate) fn refuses(&mut self, effects: Digest, now: Instant) -> Option<NotAsked> {
        self.rejected
            .retain(|(_, at)| now.saturating_duration_since(*at) < REJECTED_FOR);
        if self.rejected.iter().any(|(known, _)| *known == effects) {
            return Some(NotAsked::RejectedBefore);
        }
        self.is_paused().then_some(NotAsked::Paused)
    }

    /// How often this was asked before.
    pub(crate) fn asked_before(&self, effects: Digest) -> u32 {
        let known = self.asked.iter().find(|(known, _)| *known == effects);
        known.map_or(0, |(_, times)| *times)
    }

    /// Counts an asking.
    pub(crate) fn asked(&mut self, effects: Digest) {
        if let Some((_, times)) = self.asked.iter_mut().find(|(known, _)| *known == effects) {
            *times = times.saturating_add(1);
            return;
        }
        if self.asked.len() >= MOST_REMEMBERED {
            self.asked.pop_front();
        }
        self.asked.push_back((effects, 1));
    }

    /// Takes note of how an asking ended.
    pub(crate) fn answered(&mut self, effects: Digest, answer: &Answer, now: Instant) {
        match answer {
            Answer::ProceedOnce | Answer::ProceedAlways | Answer::ProceedOnceAndSwitchToDefault => {
                self.person_acts()
            }
            Answer::Cancel { .. } | Answer::Dismissed => {
                if self.rejected.len() >= MOST_REMEMBERED {
                    self.rejected.pop_front();
                }
                self.rejected.push_back((effects, now));
                self.in_a_row = self.in_a_row.saturating_add(1);
            }
            Answer::Timeout => self.in_a_row = self.in_a_row.saturating_add(1),
            Answer::Aborted | Answer::NoSurface | Answer::NotAsked { .. } => {}
        }
    }

    /// A message of the user: what was rejected may be asked again.
    pub(crate) fn user_message(&mut self) {
        self.rejected.clear();
        self.person_acts();
    }

    /// A person did something about the session.
    pub(crate) fn person_acts(&mut self) {
        self.in_a_row = 0;
    }

    /// Whether a person's no would be forgotten with this.
    pub(crate) fn remembers(&self) -> bool {
        self.in_a_row > 0 || !self.rejected.is_empty()
    }

    /// Whether asking is paused.
    pub(crate) const fn is_paused(&self) -> bool {
        self.in_a_row >= MOST_IN_A_ROW
    }
}

/// What makes two askings the same for a person: the parts that were not fine,
/// or the places and contents of an edit; not who asks and not where in a
/// longer command it stands.
pub(crate) fn effects_digest(call: &Call, facts: &Facts, parts: &[Part]) -> Digest {
    let mut texts: Vec<Vec<u8>> = Vec::new();
    let mut part = parts.iter();
    for (operation, facts) in call.operations.iter().zip(&facts.operations) {
        texts.push(operation.tool.to_string().into_bytes());
        match &operation.subject {
            Subject::Command(command) => {
                let commands =
                    crate::parts::simple_commands(facts.command.as_ref()).collect::<Vec<_>>();
                let whole = facts
                    .command
                    .as_ref()
                    .is_none_or(|view| !view.problems.is_empty());
                if whole || commands.is_empty() {
                    texts.push(command.text.clone().into_bytes());
                }
                for command in commands {
                    if part.next().is_none_or(|part| !part.fine) {
                        texts.push(words(command).into_bytes());
                    }
                }
            }
            Subject::Paths(uses) => {
                for (path, fact) in uses.iter().zip(&facts.paths) {
                    part.next();
                    texts.push(format!("{:?} {}", path.access, fact.canonical).into_bytes());
                    if let Some(change) = &path.change {
                        texts.push(change.old.clone().into_bytes());
                        texts.push(change.new.clone().into_bytes());
                    }
                }
            }
            Subject::Urls(urls) => texts.extend(urls.iter().map(|url| url.clone().into_bytes())),
            Subject::Delegate { .. } | Subject::Other => {
                texts.push(call.raw_input.to_string().into_bytes());
            }
        }
    }
    Digest::of_parts(texts.iter().map(Vec::as_slice))
}

/// A command's words and redirects without the places where they stand.
fn words(command: &SimpleCommand) -> String {
    let words = command.words.iter().map(|word| &word.value);
    let assignments = command
        .assignments
        .iter()
        .map(|assignment| (&assignment.name, &assignment.value));
    let redirects = command.redirects.iter().map(|redirect| {
        let target = redirect.target.as_ref().map(|word| &word.value);
        let path = redirect.path.as_ref().map(|path| &path.canonical);
        (redirect.kind, target, path)
    });
    format!(
        "{:?}{:?}{:?}",
        words.collect::<Vec<_>>(),
        assignments.collect::<Vec<_>>(),
        redirects.collect::<Vec<_>>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Digest {
        Digest::of_parts([text.as_bytes()])
    }

    #[test]
    fn what_was_rejected_is_not_asked_again_before_a_message_or_ten_minutes() {
        let mut fatigue = Fatigue::default();
        let now = Instant::now();
        let (a, b) = (digest("a"), digest("b"));
        fatigue.answered(a, &Answer::Cancel { message: None }, now);
        assert_eq!(fatigue.refuses(a, now), Some(NotAsked::RejectedBefore));
        assert_eq!(fatigue.refuses(b, now), None);
        assert_eq!(fatigue.refuses(a, now + REJECTED_FOR), None);
        fatigue.answered(a, &Answer::Cancel { message: None }, now);
        fatigue.user_message();
        assert_eq!(fatigue.refuses(a, now), None);
    }

    #[test]
    fn three_in_a_row_pause_until_a_person_acts() {
        let mut fatigue = Fatigue::default();
        let now = Instant::now();
        for text in ["a", "b"] {
            fatigue.answered(digest(text), &Answer::Timeout, now);
        }
        assert_eq!(fatigue.refuses(digest("x"), now), None);
        fatigue.answered(digest("c"), &Answer::Dismissed, now);
        assert_eq!(fatigue.refuses(digest("x"), now), Some(NotAsked::Paused));
        fatigue.person_acts();
        assert_eq!(fatigue.refuses(digest("x"), now), None);
    }

    #[test]
    fn an_approval_in_between_starts_the_count_anew_and_an_abort_does_not_count() {
        let mut fatigue = Fatigue::default();
        let now = Instant::now();
        for answer in [
            Answer::Timeout,
            Answer::Timeout,
            Answer::Aborted,
            Answer::ProceedOnce,
            Answer::Timeout,
            Answer::Timeout,
        ] {
            fatigue.answered(digest("a"), &answer, now);
        }
        assert!(!fatigue.is_paused());
    }

    #[test]
    fn a_prompt_knows_how_often_the_same_was_asked() {
        let mut fatigue = Fatigue::default();
        for times in 0..3 {
            assert_eq!(fatigue.asked_before(digest("a")), times);
            fatigue.asked(digest("a"));
        }
        assert_eq!(fatigue.asked_before(digest("b")), 0);
        for n in 0..200 {
            fatigue.asked(digest(&n.to_string()));
        }
        assert!(fatigue.asked.len() <= MOST_REMEMBERED);
    }
}
