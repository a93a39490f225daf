//! The words of diagnostics, plain text.

use countersign_core::{message, redact};
use countersign_service::{CallStory, PendingApproval, SessionView};

use crate::draw::call_text;
use crate::draw::calls::Shown;
use crate::draw::session_document::{against_limits, times_over};

/// Most characters of a call in a diagnostic. The session's document has all
/// of it.
const MOST_CHARACTERS: usize = 4_000;

/// Most parts that are told.
const MOST_PARTS: usize = 20;

/// Most characters of words that are not the call itself.
const MOST_WORDS: usize = 600;

/// What a diagnostic says of a call.
pub(super) fn of_call(shown: Shown<'_>) -> String {
    match shown {
        Shown::Pending(pending) => waiting(pending),
        Shown::Blocked(story) => blocked(story),
    }
}

/// What it says at a further place of the same call.
pub(super) fn also_here(shown: Shown<'_>) -> String {
    let what = match shown {
        Shown::Pending(_) => "the same call would change this too; it waits for you",
        Shown::Blocked(_) => "the same call would have changed this too; it was blocked",
    };
    format!("{}: {what}", shown.key().agent)
}

fn waiting(pending: &PendingApproval) -> String {
    let mut text = format!(
        "{} waits for you: it wants to do this in {}\n{}\nAsked because {}: {}",
        pending.key.agent,
        redact::visible(pending.call.cwd.as_str()),
        at_most(&call_text::text_of(pending), MOST_CHARACTERS),
        message::why(pending.reason),
        words(&pending.detail),
    );
    let unclear = pending.parts.iter().filter(|part| !part.fine);
    // With one part only, that is the call itself.
    for part in unclear.take(if pending.parts.len() > 1 {
        MOST_PARTS
    } else {
        0
    }) {
        text.push_str(&format!("\n? {}: {}", words(&part.text), words(&part.why)));
    }
    if pending.asked_before > 0 {
        text.push_str(&format!(
            "\nAsked {} before",
            times_over(pending.asked_before)
        ));
    }
    text
}

fn blocked(story: &CallStory) -> String {
    let call = match &story.call {
        Some((call, _)) => call_text::masked(call),
        None => redact::visible_lines(&story.subject),
    };
    let mut text = format!(
        "{} was blocked ({}): {}\n{}",
        story.key.agent,
        story.decision.reason(),
        words(&redact::mask(story.decision.detail())),
        at_most(&call, MOST_CHARACTERS),
    );
    if let Some(asked) = story.asked {
        text.push_str(&format!("\nAsked because {}", message::why(asked)));
    }
    text
}

/// What it says of counters above zero.
pub(super) fn of_counters(session: &SessionView) -> String {
    let what_next = match session.counters.armed(session.limits) {
        Some(_) => "; the next call that nothing else decides asks you",
        None => "",
    };
    format!(
        "{} in session {}: denials: {}{what_next}",
        session.key.agent,
        words(&session.key.session),
        against_limits(session.counters, session.limits),
    )
}

fn words(text: &str) -> String {
    redact::visible(&at_most(text, MOST_WORDS))
}

fn at_most(text: &str, most: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(most) else {
        return text.to_owned();
    };
    let (kept, cut) = text.split_at(end);
    format!(
        "{kept}… [cut: {} more characters; the session's document has all]",
        cut.chars().count()
    )
}
