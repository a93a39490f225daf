//! Rules that a person may have remembered with an approval: no wider than what
//! does the same as the call, and offered only if they really would have
//! allowed it.

use countersign_core::call::{Access, Call, Subject};
use countersign_core::command::{SimpleCommand, Word};
use countersign_core::decision::{AskReason, Decision, Via};
use countersign_core::facts::Facts;
use countersign_core::mode::ApprovalMode;
use countersign_core::programs;
use countersign_core::rules::{Reading, Rule, RuleList, RuleOrigin, Scope};
use countersign_core::tool::Tool;
use countersign_guard::Guard;

use crate::parts::{Part, simple_commands, static_decision};

/// Longest rule that is suggested, in bytes: a person must be able to read it.
const LONGEST: usize = 400;

/// Most rules for one call.
const MOST: usize = 8;

/// The rules that would cover this call, one for each part that is not already
/// fine; none where nothing may be remembered, or where even they would not
/// allow it. A rule has a wildcard only where everything that it may stand for
/// does the same; else it is the line itself.
#[must_use]
pub(crate) fn suggestions(
    call: &Call,
    facts: &Facts,
    guard: &Guard,
    mode: ApprovalMode,
    reason: AskReason,
    parts: &[Part],
) -> Vec<String> {
    if !reason.may_remember() {
        return Vec::new();
    }
    let fits = |rule: &String| rule.len() <= LONGEST && !rule.chars().any(|c| c.is_control());
    for width in [Width::Generalised, Width::Literal] {
        let Some(mut rules) = rules(call, facts, parts, width) else {
            continue;
        };
        rules.sort();
        rules.dedup();
        if !rules.is_empty()
            && rules.len() <= MOST
            && rules.iter().all(fits)
            && allow_it(&rules, call, facts, guard, mode)
        {
            return rules;
        }
    }
    Vec::new()
}

/// How much a rule for a command covers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Width {
    /// All words that change nothing about what the command does.
    Generalised,
    /// Exactly these words.
    Literal,
}

/// Whether the call would be allowed by a rule if these rules were there.
fn allow_it(
    rules: &[String],
    call: &Call,
    facts: &Facts,
    guard: &Guard,
    mode: ApprovalMode,
) -> bool {
    let home = &guard.policy.home;
    let origin = RuleOrigin {
        scope: Scope::Session,
        file: None,
        line: None,
        root: home.clone(),
        reading: Reading::Countersign,
    };
    let sound = |text: &String| {
        let rule = Rule::new(RuleList::Allow, text.clone(), origin.clone(), home);
        rule.error().is_none() && rule.over_broad().is_none()
    };
    if !rules.iter().all(sound) {
        return false;
    }
    matches!(
        static_decision(call, facts, &guard.policy_with(rules), mode),
        Decision::Allow { via: Via::Rule, .. }
    )
}

/// One rule for each part that is not fine; `None` where a part cannot be said
/// literally.
fn rules(call: &Call, facts: &Facts, parts: &[Part], width: Width) -> Option<Vec<String>> {
    let mut rules = Vec::new();
    let mut parts = parts.iter();
    for (operation, facts) in call.operations.iter().zip(&facts.operations) {
        match &operation.subject {
            Subject::Command(_) => {
                let view = facts.command.as_ref()?;
                if !view.problems.is_empty() {
                    return None;
                }
                for command in simple_commands(Some(view)) {
                    if !parts.next()?.fine {
                        let wide = (width == Width::Generalised)
                            .then(|| generalised(command))
                            .flatten();
                        rules.push(match wide {
                            Some(rule) => rule,
                            None => command_rule(command)?,
                        });
                    }
                }
            }
            Subject::Paths(uses) => {
                for path in &facts.paths {
                    let part = parts.next()?;
                    if part.fine {
                        continue;
                    }
                    let name = match path.access {
                        Access::Read | Access::ReadTree | Access::List => "Read",
                        Access::Write | Access::Delete => "Edit",
                    };
                    rules.push(format!("{name}(/{})", plain_path(path.canonical.as_str())?));
                }
                if uses.len() != facts.paths.len() {
                    return None;
                }
            }
            Subject::Urls(urls) => {
                for text in urls {
                    let url = url_host(text)?;
                    rules.push(format!("WebFetch(domain:{url})"));
                }
                if urls.is_empty() {
                    return None;
                }
            }
            Subject::Delegate { .. } => return None,
            Subject::Other => match &operation.tool {
                Tool::Mcp { .. } => rules.push(operation.tool.to_string()),
                _ => return None,
            },
        }
    }
    Some(rules)
}

/// `Bash(… *)` where the words begin with a command that does the same whatever
/// harmless words follow, and harmless words do.
fn generalised(command: &SimpleCommand) -> Option<String> {
    if !command.assignments.is_empty() {
        return None;
    }
    let words: Option<Vec<&str>> = command.words.iter().map(Word::literal).collect();
    let words = words?;
    let fixed = programs::fixed_command(words.iter().copied())?;
    let rest = words.iter().skip(fixed.words.len());
    fixed
        .uncovered(rest.map(|word| (*word, true)))
        .is_none()
        .then(|| format!("Bash({} *)", fixed.words.join(" ")))
}

/// `Bash(…)` with exactly these words.
fn command_rule(command: &SimpleCommand) -> Option<String> {
    if !command.assignments.is_empty() {
        return None;
    }
    let words: Option<Vec<String>> = command
        .words
        .iter()
        .map(|word| word.literal().and_then(quoted))
        .collect();
    let words = words.filter(|words| !words.is_empty())?;
    Some(format!("Bash({})", words.join(" ")))
}

/// A word as it can stand in a rule without meaning more than itself.
fn quoted(word: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) && !word.ends_with(":*") {
        return Some(word.to_owned());
    }
    (!word.contains('\'')).then(|| format!("'{word}'"))
}

/// A path without characters that mean more in a rule.
fn plain_path(path: &str) -> Option<&str> {
    let special = ['*', '?', '[', ']', '{', '}', '\\', '(', ')', '!'];
    (!path.contains(special)).then_some(path)
}

/// The host of a plain URL.
fn url_host(text: &str) -> Option<&str> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#']).next()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    (!host.is_empty() && host.chars().all(is_plain)).then_some(host)
}
