//! Code lenses: what can be done with waiting calls and with counters in a
//! session's document, and how often rules matched in settings files.

use countersign_core::denials::Counters;
use countersign_core::rules::Rule;
use countersign_core::state::Millis;
use serde_json::{Value, json};
use tower_lsp::lsp_types::{CodeLens, Command, Position, Range, Url};

pub(crate) use crate::draw::rule_stats::RuleStats;

use crate::draw::diagnostics::settings_rules;
use crate::draw::place;
use crate::draw::session_document;
use crate::draw::times;
use crate::draw::uri::Target;
use crate::protocol::{SessionName, commands};
use crate::snapshot::Snapshot;

/// Most lenses of one document.
const MOST: usize = 500;

/// The lenses of a document. `text` is what an editor has of a settings file,
/// which may be newer than what was read; without it the lines are those that
/// were read.
pub(crate) fn at(
    snapshot: &Snapshot,
    uri: &Url,
    stats: &RuleStats,
    text: Option<&str>,
) -> Vec<CodeLens> {
    let mut lenses = match Target::of(uri) {
        Some(Target::Session(key)) => of_session(snapshot, &key),
        Some(Target::File(file)) => settings_rules(snapshot, &file)
            .into_iter()
            .filter_map(|rule| of_rule(rule, stats, text, snapshot.now))
            .collect(),
        None => Vec::new(),
    };
    lenses.truncate(MOST);
    lenses
}

fn lens(range: Range, title: &str, command: &str, arguments: Vec<Value>) -> CodeLens {
    CodeLens {
        range,
        command: Some(Command {
            title: title.to_owned(),
            command: command.to_owned(),
            arguments: (!arguments.is_empty()).then_some(arguments),
        }),
        data: None,
    }
}

fn of_session(snapshot: &Snapshot, key: &countersign_core::call::SessionKey) -> Vec<CodeLens> {
    let document = session_document::render(snapshot, key);
    let mut lenses = Vec::new();
    let session = snapshot.sessions.iter().find(|one| one.key == *key);
    if session.is_some_and(|one| one.counters != Counters::default() && !one.elsewhere) {
        let name = SessionName {
            agent: key.agent.to_string(),
            session: key.session.clone(),
            subagent: None,
        };
        lenses.push(lens(
            document.counters,
            "reset counters",
            commands::RESET_COUNTERS,
            vec![json!(name)],
        ));
    }
    let waiting = snapshot
        .pending
        .iter()
        .filter(|pending| pending.key.root() == *key);
    for pending in waiting {
        let Some(anchor) = document.anchor(&pending.id) else {
            continue;
        };
        for (title, command) in [
            ("Deny", commands::DENY),
            ("Approve once…", commands::APPROVE),
            ("Explain", commands::EXPLAIN),
        ] {
            lenses.push(lens(
                anchor.heading,
                title,
                command,
                vec![json!(pending.id)],
            ));
        }
    }
    lenses
}

/// A lens that does nothing when it is clicked: an empty command is drawn as
/// text.
fn of_rule(rule: &Rule, stats: &RuleStats, text: Option<&str>, now: Millis) -> Option<CodeLens> {
    let said = rule.origin().line;
    let line = match text {
        Some(text) => place::line_of_rule(text, said, rule.text())?,
        None => said?.saturating_sub(1),
    };
    let start = Position::new(line, 0);
    Some(lens(
        Range::new(start, start),
        &how_often(rule, stats, now),
        "",
        Vec::new(),
    ))
}

/// `matched 12 times, last 3 min ago`
pub(super) fn how_often(rule: &Rule, stats: &RuleStats, now: Millis) -> String {
    match stats.matched(rule) {
        None => "not matched lately".to_owned(),
        Some(matched) => format!(
            "matched {}, last {}",
            session_document::times_over(matched.count),
            times::ago(matched.last, now)
        ),
    }
}
