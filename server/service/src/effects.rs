//! What a call would do, in plain words, as far as it is known without
//! running it.

use countersign_core::call::{Access, Call, Subject};
use countersign_core::command::{CommandView, Folder};
use countersign_core::facts::Facts;
use countersign_core::redact;

/// Most lines; of more, the last says how many there are.
const MOST: usize = 50;

/// One line for each thing that the call would do; of many the first.
#[must_use]
pub fn effects(call: &Call, facts: &Facts) -> Vec<String> {
    let mut lines = all_effects(call, facts);
    if lines.len() > MOST {
        let more = lines.len() - MOST;
        lines.truncate(MOST);
        lines.push(format!("and {more} more"));
    }
    lines
}

/// One line for each thing that the call would do.
pub(crate) fn all_effects(call: &Call, facts: &Facts) -> Vec<String> {
    let mut lines = Vec::new();
    for (operation, facts) in call.operations.iter().zip(&facts.operations) {
        match &operation.subject {
            Subject::Command(_) => {
                if let Some(view) = &facts.command {
                    of_command(view, &mut lines);
                }
            }
            Subject::Paths(_) => {
                for path in &facts.paths {
                    lines.push(format!("{} {}", verb(path.access), path.canonical));
                }
            }
            Subject::Urls(urls) if urls.is_empty() => {
                lines.push("fetches from a host that is not named".to_owned());
            }
            Subject::Urls(urls) => lines.extend(urls.iter().map(|url| format!("fetches {url}"))),
            Subject::Delegate { kind, .. } => lines.push(format!(
                "starts a sub-agent{}",
                kind.as_ref()
                    .map_or_else(String::new, |kind| format!(" ({kind})"))
            )),
            Subject::Other => lines.push(format!("calls {}", operation.tool)),
        }
    }
    lines.iter().map(|line| redact::visible(line)).collect()
}

fn of_command(view: &CommandView, lines: &mut Vec<String>) {
    for command in crate::parts::simple_commands(Some(view)) {
        match command.base_name() {
            Some(program) => lines.push(format!("runs {program}")),
            None => lines.push("runs a program that is named only when it runs".to_owned()),
        }
        for redirect in &command.redirects {
            let Some(path) = &redirect.path else { continue };
            lines.push(format!("{} {}", verb(path.access), path.canonical));
        }
        if command.folder == Folder::Unknown {
            lines.push("works in a folder that is not known".to_owned());
        }
    }
    for problem in &view.problems {
        lines.push(format!("not wholly understood: {}", problem.reason));
    }
    lines.dedup();
}

const fn verb(access: Access) -> &'static str {
    match access {
        Access::Read => "reads",
        Access::ReadTree => "reads everything in",
        Access::List => "lists",
        Access::Write => "writes",
        Access::Delete => "deletes",
    }
}
