//! Rules that a person may have remembered with an approval: as narrow as the
//! call itself, and offered only if they really would have allowed it.

use countersign_core::call::{Access, Call, Subject};
use countersign_core::command::SimpleCommand;
use countersign_core::decision::{AskReason, Decision, Via};
use countersign_core::facts::Facts;
use countersign_core::mode::ApprovalMode;
use countersign_core::rules::{Reading, Rule, RuleList, RuleOrigin, Scope};
use countersign_core::tool::Tool;

use crate::guard::Guard;
use crate::parts::{Part, simple_commands, static_decision};

/// Longest rule that is suggested, in bytes: a person must be able to read it.
const LONGEST: usize = 400;

/// Most rules for one call.
const MOST: usize = 8;

/// The rules that would cover exactly this call, one for each part that is not
/// already fine; none where nothing may be remembered, or where even they
/// would not allow it.
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
    let Some(mut rules) = literal_rules(call, facts, parts) else {
        return Vec::new();
    };
    rules.sort();
    rules.dedup();
    let fits = |rule: &String| rule.len() <= LONGEST && !rule.chars().any(|c| c.is_control());
    if rules.is_empty() || rules.len() > MOST || !rules.iter().all(fits) {
        return Vec::new();
    }
    if allow_it(&rules, call, facts, guard, mode) {
        rules
    } else {
        Vec::new()
    }
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
fn literal_rules(call: &Call, facts: &Facts, parts: &[Part]) -> Option<Vec<String>> {
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
                        rules.push(command_rule(command)?);
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
