//! Hovers: a call, counters or a rule explained where they are shown.

use tower_lsp::lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position, Range, Url};

use crate::client::ClientCapabilities;
use crate::draw::diagnostics::{self, About, settings_rules, wrong_with};
use crate::draw::explain;
use crate::draw::files::Files;
use crate::draw::lens::how_often;
use crate::draw::markdown::code;
use crate::draw::place;
use crate::draw::rule_stats::RuleStats;
use crate::draw::session_document;
use crate::draw::uri::Target;
use crate::snapshot::Snapshot;

/// Most things that are explained at one place.
const MOST: usize = 4;

/// What there is to explain at a position.
pub(crate) fn at(
    snapshot: &Snapshot,
    client: &ClientCapabilities,
    files: &mut Files,
    uri: &Url,
    position: Position,
    stats: &RuleStats,
) -> Option<Hover> {
    let target = Target::of(uri)?;
    let mut said: Vec<(Range, String)> = Vec::new();
    let mut calls: Vec<String> = Vec::new();
    for drawn in diagnostics::of(snapshot, client, files, &target) {
        let range = drawn.diagnostic.range;
        if !contains(range, position) {
            continue;
        }
        match drawn.about {
            About::Call(id) => {
                if !calls.contains(&id) {
                    said.extend(explain::markdown(snapshot, &id, &[]).map(|text| (range, text)));
                    calls.push(id);
                }
            }
            About::Counters(_) => said.push((range, code(&drawn.diagnostic.message))),
            // Below, with the rule.
            About::Settings => {}
        }
    }
    match &target {
        Target::Session(key) => {
            for anchor in session_document::render(snapshot, key).anchors {
                if contains(anchor.heading, position) && !calls.contains(&anchor.id) {
                    let text = explain::markdown(snapshot, &anchor.id, &[]);
                    said.extend(text.map(|text| (anchor.heading, text)));
                    calls.push(anchor.id);
                }
            }
        }
        Target::File(file) => {
            let rules = settings_rules(snapshot, file);
            let text = (!rules.is_empty()).then(|| files.text(file)).flatten();
            for rule in rules {
                let text = text.as_deref().unwrap_or_default();
                let range = place::of_rule(text, rule.origin().line, rule.text());
                if rule.origin().line.is_some() && contains(range, position) {
                    let mut words = format!(
                        "{} rule {}: {}",
                        rule.list(),
                        code(rule.text()),
                        how_often(rule, stats, snapshot.now)
                    );
                    if let Some(wrong) = wrong_with(rule) {
                        words.push_str(&format!("\n\n{}", code(&wrong)));
                    }
                    said.push((range, words));
                }
            }
        }
    }
    said.truncate(MOST);
    let range = said.first().map(|(range, _)| *range)?;
    let texts: Vec<String> = said.into_iter().map(|(_, text)| text).collect();
    Some(Hover {
        contents: HoverContents::Markup(MarkupContent {
            kind: MarkupKind::Markdown,
            value: texts.join("\n\n---\n\n"),
        }),
        range: Some(range),
    })
}

/// An empty range is its whole line: there is nothing to point at.
fn contains(range: Range, position: Position) -> bool {
    if range.start == range.end {
        return range.start.line == position.line;
    }
    range.start <= position && position <= range.end
}
