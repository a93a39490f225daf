//! What a call would do, in plain words, as far as it is known without
//! running it.

use std::borrow::Cow;

use camino::Utf8Path;
use countersign_core::call::{Access, Call, Subject};
use countersign_core::command::{CommandView, SimpleCommand};
use countersign_core::effect::{self, Effect, EffectKind, Line, Target, Told, Touch};
use countersign_core::facts::{Facts, OperationFacts};
use countersign_core::paths::PathFact;
use countersign_core::redact;

/// Most lines; of more, the last says how many there are.
const MOST: usize = 50;

/// Most lines about what is not proven.
const MOST_REASONS: usize = 20;

/// One line for each thing that the call would do, and after those of a command
/// why it is not contained; of many the first.
#[must_use]
pub fn effects(call: &Call, facts: &Facts) -> Vec<String> {
    first(all_effects(call, facts), MOST)
}

/// One line for each thing that the call would do.
pub(crate) fn all_effects(call: &Call, facts: &Facts) -> Vec<String> {
    let mut lines = Vec::new();
    for (operation, operation_facts) in call.operations.iter().zip(&facts.operations) {
        match &operation.subject {
            Subject::Command(_) => of_command(call, facts, operation_facts, &mut lines),
            Subject::Paths(_) => {
                for path in &operation_facts.paths {
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

/// What a command would do, before why it is not contained: each has room
/// however much there is of the other.
fn of_command(call: &Call, facts: &Facts, of: &OperationFacts, lines: &mut Vec<String>) {
    let reasons = first(unproven(of), MOST_REASONS);
    let effects = command_effects(call, facts, of)
        .into_iter()
        .map(|line| line.text)
        .collect();
    lines.extend(first(effects, MOST - reasons.len()));
    lines.extend(reasons);
}

/// The effects of a shell command in lines, with what in its text causes them,
/// and whether they are why it is not contained. At most 51 lines.
#[must_use]
pub fn command_effects(call: &Call, facts: &Facts, of: &OperationFacts) -> Vec<Line> {
    let cwd = facts.cwd.as_deref().unwrap_or(&call.cwd);
    let reasons = of.found.reasons();
    let places: Vec<Option<Cow<'_, str>>> = of
        .found
        .effects
        .iter()
        .map(|effect| place(effect, of.command.as_ref(), cwd))
        .collect();
    let told: Vec<Told<'_>> = of
        .found
        .effects
        .iter()
        .zip(&places)
        .map(|(effect, place)| Told {
            effect,
            place: place.as_deref(),
            matters: reasons.meet(&effect.span),
        })
        .collect();
    let mut lines = effect::lines(&told);
    if of.found.left_out > 0 {
        lines.push(Line {
            text: format!(
                "does {} more things, which are not listed",
                of.found.left_out
            ),
            spans: Vec::new(),
            matters: !of.found.because.is_empty(),
        });
    }
    lines
}

/// Why a command is not contained; each reason once.
fn unproven(of: &OperationFacts) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for reason in &of.found.because {
        let line = format!("not proven: {}", reason.reason);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

/// Where links lead, which the words of a command do not say: seen from the
/// call's folder. `None` where the words say it, or nothing else is known.
fn place<'f>(
    effect: &Effect,
    view: Option<&'f CommandView>,
    cwd: &Utf8Path,
) -> Option<Cow<'f, str>> {
    let EffectKind::Path {
        touch,
        target: Target::Path { text, .. },
    } = &effect.kind
    else {
        return None;
    };
    // It is the link itself that goes away.
    if matches!(
        touch,
        Touch::Delete | Touch::DeleteFolder | Touch::DeleteTree | Touch::MoveFrom
    ) {
        return None;
    }
    let command = view?.commands.get(effect.command)?;
    let path = resolved(command, text)?;
    if path.canonical == path.absolute {
        return None;
    }
    Some(match path.canonical.strip_prefix(cwd) {
        Ok(below) if below != "" => Cow::Borrowed(below.as_str()),
        _ => Cow::Borrowed(path.canonical.as_str()),
    })
}

/// What a word of the command, or the target of a redirect, means as a path.
fn resolved<'f>(command: &'f SimpleCommand, text: &str) -> Option<&'f PathFact> {
    let redirects = command
        .redirects
        .iter()
        .filter_map(|redirect| redirect.path.as_ref());
    let operands = command.operands.iter().map(|operand| &operand.path);
    redirects
        .chain(operands)
        .chain(&command.program)
        .find(|path| path.given == text)
}

/// The first lines; of more than `most` the last says how many there are.
fn first(mut lines: Vec<String>, most: usize) -> Vec<String> {
    if lines.len() > most {
        let kept = most.saturating_sub(1);
        let more = lines.len() - kept;
        lines.truncate(kept);
        lines.push(format!("and {more} more"));
    }
    lines
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
