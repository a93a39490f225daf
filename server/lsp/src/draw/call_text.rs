//! A call as text for people: all of it, because who approves it must have
//! seen all of it.

use std::time::Duration;

use countersign_core::call::{Access, Call, Change, Operation, PathUse, Subject};
use countersign_core::redact;
use countersign_core::tool::Tool;
use countersign_service::PendingApproval;
use similar::{Algorithm, ChangeTag, TextDiff};

mod parameters;

/// How long the lines of one change are compared; beyond that, what is shown
/// is still all of it, with more lines marked than needed.
const COMPARING: Duration = Duration::from_millis(50);

/// The whole call of an approval: the command, or each file with its change, or
/// URLs, or tool and input. Control and bidirectional characters are written
/// as escapes; nothing is masked or left out.
pub(crate) fn text_of(approval: &PendingApproval) -> String {
    of_call(&approval.call)
}

/// The same of any call.
pub(super) fn of_call(call: &Call) -> String {
    redact::visible_lines(&as_it_is(call))
}

/// The same with what looks like a secret masked: for calls that will not run
/// any more.
pub(super) fn masked(call: &Call) -> String {
    redact::visible_lines(&redact::mask(&as_it_is(call)))
}

/// The same with every character as the agent sent it, but for paths that
/// stand in a line of their own.
pub(super) fn as_it_is(call: &Call) -> String {
    let mut text = String::new();
    for operation in &call.operations {
        if !text.is_empty() {
            text.push('\n');
        }
        of_operation(call, operation, &mut text);
        end_line(&mut text);
    }
    for parameter in parameters::beside(call) {
        text.push_str(&parameter);
        text.push('\n');
    }
    text.pop();
    text
}

/// Where the text of each operation begins in [`as_it_is`], in bytes.
pub(super) fn beginnings(call: &Call) -> Vec<usize> {
    let mut text = String::new();
    let mut beginnings = Vec::new();
    for operation in &call.operations {
        if !text.is_empty() {
            text.push('\n');
        }
        beginnings.push(text.len());
        of_operation(call, operation, &mut text);
        end_line(&mut text);
    }
    beginnings
}

fn of_operation(call: &Call, operation: &Operation, text: &mut String) {
    match &operation.subject {
        Subject::Command(command) => text.push_str(&command.text),
        Subject::Paths(paths) => {
            for path in paths {
                end_line(text);
                text.push_str(verb(&operation.tool, path));
                text.push(' ');
                text.push_str(&redact::visible(&path.path));
                if let Some(change) = &path.change {
                    text.push('\n');
                    of_change(change, text);
                }
            }
        }
        Subject::Urls(urls) => {
            for url in urls {
                end_line(text);
                text.push_str("fetch ");
                text.push_str(url);
            }
            if urls.is_empty() {
                text.push_str(&format!("{}, from no named host", operation.tool));
            }
        }
        Subject::Delegate { kind, prompt } => {
            let kind = kind.as_deref().unwrap_or("no kind named");
            text.push_str(&format!("{} ({}):\n{prompt}", operation.tool, kind));
        }
        Subject::Other => {
            text.push_str(&operation.tool.to_string());
            if call.raw_tool != operation.tool.to_string() {
                text.push_str(&format!(" (the agent's {})", call.raw_tool));
            }
            text.push('\n');
            let input = serde_json::to_string_pretty(&call.raw_input);
            text.push_str(&input.unwrap_or_else(|_| call.raw_input.to_string()));
        }
    }
}

/// What is done to a path, in a word.
pub(super) fn verb(tool: &Tool, path: &PathUse) -> &'static str {
    match path.access {
        Access::Read => "read",
        Access::ReadTree => "read all of",
        Access::List => "list",
        Access::Delete => "delete",
        Access::Write => match &path.change {
            Some(change) if !change.old.is_empty() => "edit",
            Some(_) if *tool == Tool::NotebookEdit => "change a cell of",
            Some(_) | None => "write",
        },
    }
}

/// Every line of a change: those that go with `-`, those that come with `+`,
/// those that stay with a space before them.
fn of_change(change: &Change, text: &mut String) {
    let lines = compare(&change.old, &change.new);
    for line in lines.iter_all_changes() {
        text.push(match line.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        });
        text.push_str(line.value());
        end_line(text);
    }
}

/// The lines of two texts side by side.
pub(super) fn compare<'t>(old: &'t str, new: &'t str) -> TextDiff<'t, 't, 't, str> {
    TextDiff::configure()
        .algorithm(Algorithm::Myers)
        .timeout(COMPARING)
        .diff_lines(old, new)
}

fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

/// What a call is about on one short line, for titles: masked, at most 40
/// characters, none that deceives.
pub(super) fn brief(call: &Call) -> String {
    let subject = call
        .operations
        .first()
        .map(|operation| match &operation.subject {
            Subject::Command(command) => command.text.clone(),
            Subject::Paths(paths) => paths.first().map_or_else(
                || operation.tool.to_string(),
                |path| format!("{} {}", verb(&operation.tool, path), path.path),
            ),
            Subject::Urls(urls) => urls
                .first()
                .map_or_else(|| operation.tool.to_string(), |url| format!("fetch {url}")),
            Subject::Delegate { kind, .. } => {
                format!("{} {}", operation.tool, kind.as_deref().unwrap_or_default())
            }
            Subject::Other => operation.tool.to_string(),
        });
    shortened(&redact::mask(&subject.unwrap_or_default()), 40)
}

/// The text on one line of at most so many characters, with a mark where it
/// was cut.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let line = redact::visible(text.trim());
    if line.chars().count() <= most {
        return line;
    }
    let kept: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}
