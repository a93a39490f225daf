//! Why a call was decided as it was, and what an edit would change.

use countersign_core::call::{Access, Call, Change, Subject};
use countersign_core::denials::Counters;
use countersign_core::state::{ModelRecord, Record, RecordKind};
use countersign_core::{message, redact};
use countersign_service::explain::{how_to_change, how_to_change_ask};
use countersign_service::{CallStory, PendingApproval};
use countersign_store::JournalRow;

use crate::draw::call_text;
use crate::draw::calls::{self, Shown};
use crate::draw::files::Files;
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

/// A title and a unified diff of what the call would change, as far as it can
/// be said: against the files as they are now, whole-file writes and edits
/// alike; where the text that would go away is not in the file, the bare
/// change. None for calls that change no file they name.
pub(crate) fn change(approval: &PendingApproval, files: &mut Files) -> Option<(String, String)> {
    let call = &approval.call;
    let count = calls::changes(call).count();
    let first = calls::changes(call).next()?;
    let title = match count {
        1 => format!("Proposed change: {}", redact::visible(&first.path)),
        count => format!(
            "Proposed changes: {} and {} more",
            redact::visible(&first.path),
            count.saturating_sub(1)
        ),
    };
    Some((title, diff(call, approval, files)))
}

fn diff(call: &Call, approval: &PendingApproval, files: &mut Files) -> String {
    let mut text = String::new();
    // Several edits of one file build on each other.
    let mut so_far: Vec<(String, String)> = Vec::new();
    for (operation, facts) in call.operations.iter().zip(&approval.facts.operations) {
        let Subject::Paths(uses) = &operation.subject else {
            continue;
        };
        let whole_cells = operation.tool == countersign_core::tool::Tool::NotebookEdit;
        for (path, fact) in uses.iter().zip(&facts.paths) {
            let name = redact::visible(fact.canonical.as_str());
            match (path.access, &path.change) {
                (Access::Write, Some(change)) => {
                    let known = so_far.iter().find(|(one, _)| *one == name);
                    let now = match known {
                        Some((_, text)) => Some(text.clone()),
                        None => files.text(&fact.canonical).map(|text| text.to_string()),
                    };
                    let now = now.filter(|_| !whole_cells);
                    let (before, after) = before_and_after(now, change);
                    text.push_str(&unified(&name, &before, &after));
                    so_far.retain(|(one, _)| *one != name);
                    so_far.push((name, after));
                }
                (Access::Write, None) => text.push_str(&format!("write {name}\n")),
                (Access::Delete, _) => text.push_str(&format!("delete {name}\n")),
                (Access::Read | Access::ReadTree | Access::List, _) => {}
            }
        }
    }
    redact::visible_lines(&text)
}

/// The whole text before and after a change, or only what changes.
fn before_and_after(now: Option<String>, change: &Change) -> (String, String) {
    match now {
        _ if change.old.is_empty() => (now.unwrap_or_default(), change.new.clone()),
        Some(now) if now.contains(&change.old) => {
            let after = now.replacen(&change.old, &change.new, 1);
            (now, after)
        }
        Some(_) | None => (change.old.clone(), change.new.clone()),
    }
}

fn unified(name: &str, before: &str, after: &str) -> String {
    let diff = call_text::compare(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("{name} (now)"), &format!("{name} (proposed)"))
        .to_string();
    if diff.is_empty() {
        format!("{name}: no difference\n")
    } else {
        diff
    }
}
