//! Standard prompts (`window/showMessageRequest`), for what a person must say
//! in a client that draws nothing of ours: one approval at a time, in order.
//!
//! A prompt cannot be withdrawn. When what it asks is over, its slot is free,
//! and an answer that still comes is not its answer any more: answers are
//! known by their ticket.

use std::collections::VecDeque;

use camino::Utf8PathBuf;
use countersign_core::call::{Digest, SessionKey};
use countersign_core::mode::ApprovalMode;
use tower_lsp::lsp_types::{MessageActionItem, MessageType, ShowMessageRequestParams};

/// Prompts that wait for their turn, at most.
const MOST_WAITING: usize = 64;

/// What a prompt is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A call waits for approval.
    Approval(String),
    /// The same, after the person saw the whole call elsewhere.
    Confirm(String),
    /// The same, and this rule is remembered.
    Remember {
        /// The guard's id of the call.
        id: String,
        /// The rule.
        rule: String,
    },
    /// A call that the classifier denied may be granted once.
    Grant {
        /// The guard's id of the call.
        id: String,
        /// Whether the person was shown the whole call elsewhere.
        seen: bool,
    },
    /// A workspace may be trusted.
    Trust(Utf8PathBuf),
    /// What is checked out in a workspace may be trusted to execute: this
    /// commit.
    Baseline(Utf8PathBuf, String),
    /// A workspace's settings would loosen, by the set of this digest; whether
    /// the person was shown all of it.
    Consent(Utf8PathBuf, Digest, bool),
    /// Restrictions left a workspace's settings, likewise.
    Removal(Utf8PathBuf, Digest, bool),
    /// A looser mode was chosen.
    Mode {
        /// The mode.
        mode: ApprovalMode,
        /// The session; all if left out.
        session: Option<SessionKey>,
    },
    /// Counters may be reset.
    Reset(Option<SessionKey>),
}

impl Subject {
    /// The approval that it is about, if it is about one.
    pub(crate) fn approval(&self) -> Option<&str> {
        match self {
            Self::Approval(id) | Self::Confirm(id) | Self::Remember { id, .. } => Some(id),
            Self::Grant { .. }
            | Self::Trust(_)
            | Self::Baseline(..)
            | Self::Consent(..)
            | Self::Removal(..)
            | Self::Mode { .. }
            | Self::Reset(_) => None,
        }
    }
}

/// What a click on an action means. `No` comes first in every prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Deny, cancel, not now.
    No,
    /// Do it.
    Yes,
    /// Do it, and remember the one rule that is named, for the session.
    Remember,
    /// Show the whole of it first.
    Show,
    /// Neither yes nor no: ask again when there was time to read.
    Later,
}

/// A prompt as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub(crate) message: String,
    /// The titles, unique, with what each means; the first is a no.
    pub(crate) actions: Vec<(String, Action)>,
}

impl Prompt {
    pub(crate) fn params(&self, typ: MessageType) -> ShowMessageRequestParams {
        ShowMessageRequestParams {
            typ,
            message: self.message.clone(),
            actions: Some(
                self.actions
                    .iter()
                    .map(|(title, _)| MessageActionItem {
                        title: title.clone(),
                        properties: std::collections::HashMap::new(),
                    })
                    .collect(),
            ),
        }
    }

    /// What an answer means: nothing, where it is none of the actions.
    pub(crate) fn meaning(&self, title: Option<&str>) -> Option<Action> {
        let title = title?;
        self.actions
            .iter()
            .find(|(known, _)| known == title)
            .map(|(_, action)| *action)
    }
}

/// Marks one showing of one prompt.
pub(crate) type Ticket = u64;

/// What is shown, and what waits for its turn: one approval at a time, and one
/// of all else, which never keeps an approval waiting: an approval has a
/// deadline, and a question about trust may stay open for hours.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    next_ticket: Ticket,
    approval: Option<(Ticket, Subject)>,
    other: Option<(Ticket, Subject)>,
    waiting: VecDeque<Subject>,
}

impl Queue {
    /// Puts a prompt at the end, unless it is there.
    pub(crate) fn push(&mut self, subject: Subject) {
        let is_shown = [&self.approval, &self.other]
            .into_iter()
            .flatten()
            .any(|(_, known)| *known == subject);
        if !is_shown && !self.waiting.contains(&subject) && self.waiting.len() < MOST_WAITING {
            self.waiting.push_back(subject);
        }
    }

    /// The prompt to show now, if there is one and its slot is free. Approvals
    /// come first; all else waits until none is left.
    pub(crate) fn next(&mut self) -> Option<(Ticket, Subject)> {
        if self.approval.is_some() {
            return None;
        }
        let is_approval = |subject: &Subject| subject.approval().is_some();
        let position = match self.waiting.iter().position(is_approval) {
            Some(position) => position,
            None if self.other.is_none() => 0,
            None => return None,
        };
        let subject = self.waiting.remove(position)?;
        Some(self.show(subject))
    }

    /// A person asked for this prompt: it is shown at once. What was shown
    /// before may be out of sight; it comes again later, if it still waits.
    pub(crate) fn show_now(&mut self, subject: Subject) -> (Ticket, Subject) {
        let before = self.slot(&subject).take();
        if let Some((_, before)) = before
            && before != subject
            && (before.approval().is_none() || before.approval() != subject.approval())
        {
            self.waiting.push_front(before);
        }
        self.waiting.retain(|waiting| *waiting != subject);
        self.show(subject)
    }

    fn slot(&mut self, subject: &Subject) -> &mut Option<(Ticket, Subject)> {
        match subject.approval() {
            Some(_) => &mut self.approval,
            None => &mut self.other,
        }
    }

    fn show(&mut self, subject: Subject) -> (Ticket, Subject) {
        self.next_ticket += 1;
        let shown = (self.next_ticket, subject);
        *self.slot(&shown.1) = Some(shown.clone());
        shown
    }

    /// The subject that an answer with this ticket is about; none where the
    /// prompt is over or was replaced.
    pub(crate) fn answered(&mut self, ticket: Ticket) -> Option<Subject> {
        [&mut self.approval, &mut self.other]
            .into_iter()
            .find_map(|slot| slot.take_if(|(shown, _)| *shown == ticket))
            .map(|(_, subject)| subject)
    }

    /// An approval is over: its prompt's slot is free.
    pub(crate) fn over(&mut self, id: &str) {
        self.approval
            .take_if(|(_, subject)| subject.approval() == Some(id));
        self.waiting
            .retain(|subject| subject.approval() != Some(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approval(id: &str) -> Subject {
        Subject::Approval(id.to_owned())
    }

    #[test]
    fn one_prompt_at_a_time_in_order() {
        let mut queue = Queue::default();
        queue.push(approval("a"));
        queue.push(approval("b"));
        queue.push(approval("a"));
        let (ticket, subject) = queue.next().unwrap();
        assert_eq!(subject, approval("a"));
        assert!(queue.next().is_none());
        assert_eq!(queue.answered(ticket), Some(approval("a")));
        assert_eq!(queue.next().unwrap().1, approval("b"));
    }

    #[test]
    fn a_slot_is_freed_when_its_approval_is_over_and_a_late_answer_means_nothing() {
        let mut queue = Queue::default();
        queue.push(approval("a"));
        queue.push(approval("b"));
        let (late, _) = queue.next().unwrap();
        queue.over("a");
        let (ticket, subject) = queue.next().unwrap();
        assert_eq!(subject, approval("b"));
        assert_eq!(queue.answered(late), None);
        assert_eq!(queue.answered(ticket), Some(approval("b")));
        assert_eq!(queue.answered(ticket), None, "answered twice");
    }

    #[test]
    fn what_a_person_asks_for_is_shown_at_once_and_the_rest_comes_back() {
        let mut queue = Queue::default();
        queue.push(approval("a"));
        let (first, _) = queue.next().unwrap();
        let (second, _) = queue.show_now(Subject::Confirm("b".to_owned()));
        assert_eq!(queue.answered(first), None);
        assert!(queue.answered(second).is_some());
        assert_eq!(queue.next().unwrap().1, approval("a"));
        let (_, subject) = queue.show_now(Subject::Confirm("a".to_owned()));
        assert_eq!(subject, Subject::Confirm("a".to_owned()));
        assert!(
            queue.waiting.is_empty(),
            "the same approval is not asked twice"
        );
    }

    #[test]
    fn a_question_about_trust_keeps_no_approval_waiting() {
        let mut queue = Queue::default();
        let trust = Subject::Trust("/work".into());
        queue.push(trust.clone());
        queue.push(approval("a"));
        assert_eq!(queue.next().unwrap().1, approval("a"));
        queue.over("a");
        let (ticket, subject) = queue.next().unwrap();
        assert_eq!(subject, trust);
        queue.push(Subject::Reset(None));
        assert!(queue.next().is_none(), "one other question at a time");
        queue.push(approval("b"));
        assert_eq!(queue.next().unwrap().1, approval("b"));
        assert_eq!(queue.answered(ticket), Some(trust));
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut queue = Queue::default();
        for n in 0..1_000 {
            queue.push(approval(&n.to_string()));
        }
        assert_eq!(queue.waiting.len(), MOST_WAITING);
    }
}
