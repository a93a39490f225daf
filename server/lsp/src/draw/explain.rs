//! Why a call was decided as it was.

use countersign_core::denials::Counters;
use countersign_core::state::{ModelRecord, Record, RecordKind};
use countersign_core::{message, redact};
use countersign_service::explain::{how_to_change, how_to_change_ask};
use countersign_service::{CallStory, PendingApproval};
use countersign_store::JournalRow;

use crate::draw::call_text;
use crate::draw::calls::{self, Shown};
use crate::draw::markdown::{block, code};
use crate::draw::model_text;
use crate::draw::session_document::{against_limits, in_past, language, times_over};
use crate::draw::times;
use crate::snapshot::Snapshot;

/// Most rows that are told.
const MOST_ROWS: usize = 100;

/// Explains a call as Markdown; `rows` are those of the journal that are of
/// this call (others are passed over), the oldest first. None where neither
/// they nor the snapshot know it.
pub(crate) fn markdown(snapshot: &Snapshot, id: &str, rows: &[JournalRow]) -> Option<String> {
    let rows: Vec<&Record> = rows
        .iter()
        .map(|row| &row.record)
        .filter(|record| record.call.as_deref() == Some(id))
        .take(MOST_ROWS)
        .collect();
    let decided = rows.iter().find(|row| row.kind == RecordKind::Decision);
    let mut page = String::new();
    match (calls::find(snapshot, id), decided) {
        (Some(Shown::Pending(pending)), _) => of_pending(&mut page, pending),
        (Some(Shown::Blocked(story)), _) => of_story(&mut page, story),
        (None, Some(row)) => of_row(&mut page, row),
        (None, None) => return None,
    }
    if let Some(row) = decided {
        decision_row(&mut page, row);
    }
    for row in rows.iter().filter(|row| row.kind != RecordKind::Decision) {
        later_row(&mut page, row);
    }
    page.push_str(&format!("- Id: {}\n", code(id)));
    Some(page)
}

fn of_pending(page: &mut String, pending: &PendingApproval) {
    page.push_str(&format!(
        "**{} waits for you** ({})\n\n",
        pending.key.agent, pending.reason
    ));
    page.push_str(&block(
        language(pending),
        &call_text::as_it_is(&pending.call),
    ));
    page.push_str(&format!(
        "\n- Why: {}: {}\n- In {}\n- Mode: {}\n",
        message::why(pending.reason),
        code(&pending.detail),
        code(pending.call.cwd.as_str()),
        pending.mode
    ));
    for part in &pending.parts {
        let mark = if part.fine { '✓' } else { '?' };
        page.push_str(&format!(
            "- {mark} {}: {}\n",
            code(&part.text),
            code(&part.why)
        ));
    }
    for effect in &pending.effects {
        page.push_str(&format!("- Effect: {}\n", code(effect)));
    }
    judged(page, pending.model.as_ref());
    page.push_str(&format!(
        "- Denials: {}\n",
        against_limits(pending.counters, pending.limits)
    ));
    if pending.asked_before > 0 {
        page.push_str(&format!(
            "- Asked {} before\n",
            times_over(pending.asked_before)
        ));
    }
    let rules: Vec<String> = pending.suggestions.iter().map(|rule| code(rule)).collect();
    page.push_str(&format!(
        "- How to change it: {}\n",
        if rules.is_empty() {
            how_to_change_ask(pending.reason).to_owned()
        } else {
            format!("approve and remember {}", rules.join(", "))
        }
    ));
}

fn of_story(page: &mut String, story: &CallStory) {
    page.push_str(&format!(
        "**{} {}: {}** ({})\n\n",
        story.key.agent,
        code(&story.tool),
        in_past(&story.decision),
        story.decision.reason()
    ));
    let text = match &story.call {
        Some((call, _)) => call_text::masked(call),
        None => story.subject.clone(),
    };
    page.push_str(&block("text", &text));
    page.push_str(&format!(
        "\n- Why: {}\n- Mode: {}\n- When: {}\n",
        code(&redact::mask(story.decision.detail())),
        story.mode,
        times::shown(story.time)
    ));
    if let Some(asked) = story.asked {
        page.push_str(&format!(
            "- You were asked because {}\n",
            message::why(asked)
        ));
    }
    if let Some(answer) = story.answer {
        page.push_str(&format!("- Answer: {answer}\n"));
    }
    if let Some((call, facts)) = &story.call {
        for effect in countersign_service::effects(call, facts) {
            page.push_str(&format!("- Effect: {}\n", code(&redact::mask(&effect))));
        }
    }
    judged(page, story.model.as_ref());
    page.push_str(&format!(
        "- How to change it: {}\n",
        how_to_change(&story.decision)
    ));
}

/// Who judged it, if a model did.
fn judged(page: &mut String, model: Option<&ModelRecord>) {
    for line in model_text::lines(model) {
        page.push_str(&line);
        page.push('\n');
    }
}

fn of_row(page: &mut String, row: &Record) {
    let word = |text: &Option<String>| code(text.as_deref().unwrap_or("unknown"));
    page.push_str(&format!(
        "**{}: {}** ({})\n\n",
        word(&row.tool),
        word(&row.decision),
        word(&row.reason)
    ));
    page.push_str(&block("text", row.subject.as_deref().unwrap_or_default()));
    page.push_str(&format!(
        "\n- Why: {}\n- When: {}\n",
        word(&row.detail),
        times::shown(row.time)
    ));
    if let Some(mode) = row.mode {
        page.push_str(&format!("- Mode: {mode}\n"));
    }
    for effect in &row.effects {
        page.push_str(&format!("- Effect: {}\n", code(effect)));
    }
    judged(page, row.model.as_ref());
}

/// What the journal alone knows of the decision.
fn decision_row(page: &mut String, row: &Record) {
    counters(page, row);
    if let Some(micros) = row.micros {
        page.push_str(&format!("- Decided in {micros} µs\n"));
    }
}

/// What became of it.
fn later_row(page: &mut String, row: &Record) {
    page.push_str(&format!(
        "- {}: {}",
        times::shown(row.time),
        row.kind.as_str()
    ));
    for word in [&row.reason, &row.detail].into_iter().flatten() {
        page.push_str(&format!(", {}", code(word)));
    }
    if let Some(source) = &row.source {
        page.push_str(&format!(", by {}", code(source)));
    }
    page.push('\n');
    counters(page, row);
}

fn counters(page: &mut String, row: &Record) {
    let (Some(before), Some(after)) = (row.before, row.after) else {
        return;
    };
    if before == after && after == Counters::default() {
        return;
    }
    page.push_str(&format!("- Counters: {before}"));
    if before != after {
        page.push_str(&format!(" → {after}"));
    }
    page.push('\n');
}
