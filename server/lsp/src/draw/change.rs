//! What a call would change in files: as a unified diff for people who read
//! text, and file by file for editors that draw the two sides themselves.

use countersign_core::call::{Access, Call, Change, Subject};
use countersign_core::facts::Facts;
use countersign_core::redact;
use countersign_core::tool::Tool;
use countersign_service::PendingApproval;

use crate::draw::call_text;
use crate::draw::calls;
use crate::draw::files::Files;
use crate::protocol::{FileChange, FileChangeKind};

/// Most bytes of all sides together that go to an editor; sides beyond are left
/// out, and the call's text still has all that changes.
const MOST: usize = 16 * 1024 * 1024;

/// What one operation would do to one file.
struct Step {
    /// With everything visible.
    name: String,
    kind: FileChangeKind,
    before: Option<String>,
    after: Option<String>,
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
    let mut text = String::new();
    for step in steps(call, &approval.facts, files) {
        match (step.kind, &step.before, &step.after) {
            (FileChangeKind::Delete, _, _) => text.push_str(&format!("delete {}\n", step.name)),
            (_, Some(before), Some(after)) => text.push_str(&unified(&step.name, before, after)),
            (_, _, _) => text.push_str(&format!("write {}\n", step.name)),
        }
    }
    Some((title, redact::visible_lines(&text)))
}

/// The files that a call would change, in the order of the call, each once
/// where its whole text is known. Characters that cannot be seen are escapes.
pub(crate) fn of_files(call: &Call, facts: &Facts, files: &mut Files) -> Vec<FileChange> {
    let mut changes: Vec<FileChange> = Vec::new();
    for step in steps(call, facts, files) {
        let known = changes.iter_mut().find(|known| {
            known.path == step.name
                && known.kind == FileChangeKind::Write
                && step.kind == FileChangeKind::Write
        });
        match known {
            Some(known) => known.after = step.after,
            None => changes.push(FileChange {
                path: step.name,
                kind: step.kind,
                before: step.before,
                after: step.after,
            }),
        }
    }
    let mut left = MOST;
    for change in &mut changes {
        for side in [&mut change.before, &mut change.after] {
            let text = side.take().map(|text| redact::visible_lines(&text));
            *side = text.filter(|text| {
                let fits = text.len() <= left;
                left = left.saturating_sub(text.len());
                fits
            });
        }
    }
    changes
}

fn steps(call: &Call, facts: &Facts, files: &mut Files) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (operation, facts) in call.operations.iter().zip(&facts.operations) {
        let Subject::Paths(uses) = &operation.subject else {
            continue;
        };
        let whole_cells = operation.tool == Tool::NotebookEdit;
        for (path, fact) in uses.iter().zip(&facts.paths) {
            let name = redact::visible(fact.canonical.as_str());
            // Several edits of one file build on each other.
            let known = steps
                .iter()
                .rev()
                .find(|step| step.name == name)
                .and_then(|step| step.after.clone());
            let now = || known.or_else(|| Some(files.text(&fact.canonical)?.to_string()));
            let (kind, before, after) = match (path.access, &path.change) {
                (Access::Write, Some(change)) => {
                    let (kind, before, after) = if whole_cells {
                        // What stands in a cell is not what stands in the file.
                        (FileChangeKind::Part, change.old.clone(), change.new.clone())
                    } else {
                        before_and_after(now(), change)
                    };
                    (kind, Some(before), Some(after))
                }
                (Access::Write, None) => (FileChangeKind::Write, None, None),
                (Access::Delete, _) => (FileChangeKind::Delete, now(), None),
                (Access::Read | Access::ReadTree | Access::List, _) => continue,
            };
            steps.push(Step {
                name,
                kind,
                before,
                after,
            });
        }
    }
    steps
}

/// The whole text before and after a change, or only what changes.
fn before_and_after(now: Option<String>, change: &Change) -> (FileChangeKind, String, String) {
    match now {
        _ if change.old.is_empty() => (
            FileChangeKind::Write,
            now.unwrap_or_default(),
            change.new.clone(),
        ),
        Some(now) if now.contains(&change.old) => {
            let after = now.replacen(&change.old, &change.new, 1);
            (FileChangeKind::Write, now, after)
        }
        Some(_) | None => (FileChangeKind::Part, change.old.clone(), change.new.clone()),
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
