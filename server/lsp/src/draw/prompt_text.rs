//! The one line of an editor's standard prompt. Editors cut it, take newlines
//! out and make links of some Markdown, so that nothing may depend on what
//! they leave: what does not fit is said not to fit.

use countersign_core::call::{Call, Subject};
use countersign_core::decision::AskReason;
use countersign_core::denials::Counters;
use countersign_core::{message, redact};
use countersign_service::PendingApproval;

use crate::draw::call_text;
use crate::draw::markdown::{code_without_links, without_links};
use crate::draw::model_text;
use crate::draw::session_document::{against_limits, times_over};

/// Longest call that is shown whole, in characters.
const FITS: usize = 200;

/// What is shown of a longer one, in characters.
const BEGINNING: usize = 120;

/// Longest words beside the call, in characters.
const WORDS: usize = 240;

/// What a prompt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PromptText {
    /// One line.
    pub(crate) message: String,
    /// Whether the whole call is in it, exactly as it would run. Only then may
    /// the prompt offer to approve.
    pub(crate) fits: bool,
}

/// The prompt of an approval.
pub(crate) fn approval(approval: &PendingApproval) -> PromptText {
    let whole = call_text::as_it_is(&approval.call);
    let fits = fits(&whole);
    let mut message = format!("Countersign: {}", what(approval));
    if !fits {
        message.push_str(&format!(
            " (choose Show to read all {} characters of it)",
            whole.chars().count()
        ));
    }
    let in_workspace = approval.workspace.as_ref() == Some(&approval.call.cwd);
    if !in_workspace {
        message.push_str(&place(&approval.call));
    }
    message.push_str(&for_whom(&approval.call));
    message.push_str(". Asked because ");
    // With these two, the detail says all of it.
    if !matches!(
        approval.reason,
        AskReason::ApprovalMode | AskReason::AskRule
    ) {
        message.push_str(message::why(approval.reason));
        message.push_str(": ");
    }
    message.push_str(&words(&approval.detail));
    if let Some(model) = model_text::in_short(approval.model.as_ref()) {
        message.push_str(&format!(". Judged by {}", words(&model)));
    }
    if approval.asked_before > 0 {
        message.push_str(&format!(
            ". Asked {} before",
            times_over(approval.asked_before)
        ));
    }
    if approval.counters != Counters::default() {
        message.push_str(&format!(
            ". Denials: {}",
            against_limits(approval.counters, approval.limits)
        ));
    }
    PromptText { message, fits }
}

/// What a prompt about a call that was denied says of the call: who wants to do
/// what, and where.
pub(crate) fn denied(call: &Call) -> PromptText {
    let whole = call_text::as_it_is(call);
    let fits = fits(&whole);
    let mut message = what_of(call);
    if !fits {
        message.push_str(&format!(" ({} characters)", whole.chars().count()));
    }
    message.push_str(&place(call));
    message.push_str(&for_whom(call));
    PromptText { message, fits }
}

/// The whole call, line by line.
pub(crate) fn whole(call: &Call) -> String {
    call_text::of_call(call)
}

fn place(call: &Call) -> String {
    format!(" in {}", code_words(call.cwd.as_str()))
}

fn for_whom(call: &Call) -> String {
    call.key
        .subagent
        .as_ref()
        .map(|sub_agent| format!(", for the sub-agent {}", code_words(sub_agent)))
        .unwrap_or_default()
}

/// Who wants to do what, as `claude-code wants to run `make``: the whole call if
/// it fits, else what it is about.
pub(crate) fn what(approval: &PendingApproval) -> String {
    what_of(&approval.call)
}

fn what_of(call: &Call) -> String {
    let whole = call_text::as_it_is(call);
    let wants = wants(call);
    let shown = shown(call, &whole);
    let shown = if fits(&whole) {
        shown.to_owned()
    } else {
        // Of an edit, this is the file.
        let line = shown.lines().next().unwrap_or_default();
        call_text::shortened(&in_order(&line.replace("  ", "␣␣")), BEGINNING)
    };
    format!(
        "{} wants to {wants} {}",
        call.key.agent,
        code_without_links(&shown)
    )
}

/// Whether a text can stand in a prompt exactly as it is.
fn fits(whole: &str) -> bool {
    whole.chars().count() <= FITS && is_shown_as_it_is(whole)
}

/// Whether every editor shows a text of one line character by character, in
/// the order of its characters.
pub(crate) fn is_shown_as_it_is(text: &str) -> bool {
    redact::visible(text) == text
        // Beside a link's syntax, what is shown is not what is there.
        && !text.contains("](")
        // Editors that draw with HTML show several spaces as one.
        && !text.contains("  ")
        && text.trim() == text
        && !text.is_empty()
        && !text.chars().any(is_right_to_left)
}

/// Letters of scripts that are written from right to left change the order in
/// which what stands beside them is drawn, with no control character at all.
const fn is_right_to_left(character: char) -> bool {
    matches!(
        character,
        '\u{590}'..='\u{8ff}'
            | '\u{fb1d}'..='\u{fdff}'
            | '\u{fe70}'..='\u{feff}'
            | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}'
    )
}

/// The text with such letters as escapes.
fn in_order(text: &str) -> String {
    let mut ordered = String::with_capacity(text.len());
    for character in text.chars() {
        if is_right_to_left(character) {
            ordered.push_str(&format!("<U+{:04X}>", u32::from(character)));
        } else {
            ordered.push(character);
        }
    }
    ordered
}

/// What the agent wants, in front of the call's text.
fn wants(call: &Call) -> &'static str {
    match call.operations.as_slice() {
        [operation] => match &operation.subject {
            Subject::Command(_) => "run",
            Subject::Paths(paths) => match paths.as_slice() {
                [path] => call_text::verb(&operation.tool, path),
                _ => "do",
            },
            Subject::Urls(urls) if urls.len() == 1 => "fetch",
            Subject::Urls(_) => "use",
            Subject::Delegate { .. } => "start",
            Subject::Other => "call",
        },
        _ => "do",
    }
}

/// The text without the word that [`wants`] says already.
fn shown<'t>(call: &Call, whole: &'t str) -> &'t str {
    let wants = wants(call);
    match call.operations.as_slice() {
        [operation] if !matches!(operation.subject, Subject::Command(_)) => whole
            .strip_prefix(wants)
            .and_then(|rest| rest.strip_prefix(' '))
            .unwrap_or(whole),
        _ => whole,
    }
}

fn words(text: &str) -> String {
    without_links(&call_text::shortened(text, WORDS))
}

fn code_words(text: &str) -> String {
    code_without_links(&call_text::shortened(text, WORDS))
}
