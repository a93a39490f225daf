//! Code actions: what a person can do with the calls at a place.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tower_lsp::lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, Command, Diagnostic, Range, Url,
};

use crate::client::ClientCapabilities;
use crate::draw::calls::{self, Shown};
use crate::draw::diagnostics::{self, About};
use crate::draw::files::Files;
use crate::draw::markdown;
use crate::draw::place;
use crate::draw::session_document;
use crate::draw::uri::Target;
use crate::protocol::commands;
use crate::snapshot::Snapshot;

/// Most calls at one place that actions are offered for.
const MOST_CALLS: usize = 16;

/// The actions for the calls that are shown in a line of the range: every
/// "Deny" first, and nothing preferred. Decided by the place alone, because
/// editors differ in which diagnostics they send along.
pub(crate) fn at(
    snapshot: &Snapshot,
    client: &ClientCapabilities,
    files: &mut Files,
    uri: &Url,
    range: Range,
) -> Vec<CodeActionOrCommand> {
    let Some(target) = Target::of(uri) else {
        return Vec::new();
    };
    let found = calls_at(snapshot, client, files, &target, range);
    let several = found.len() > 1;
    let mut offers: Vec<Offer> = found
        .iter()
        .flat_map(|(shown, diagnostics)| offers(*shown, diagnostics, several))
        .collect();
    offers.sort_by_key(|offer| offer.command != commands::DENY);
    let mut titles = BTreeSet::new();
    offers
        .into_iter()
        .map(|offer| offer.action(&mut titles))
        .collect()
}

/// The calls at a place, each with its diagnostics there: those that wait
/// first.
pub(super) fn calls_at<'a>(
    snapshot: &'a Snapshot,
    client: &ClientCapabilities,
    files: &mut Files,
    target: &Target,
    range: Range,
) -> Vec<(Shown<'a>, Vec<Diagnostic>)> {
    let mut found: Vec<(Shown<'a>, Vec<Diagnostic>)> = Vec::new();
    let mut add = |id: &str, diagnostic: Option<Diagnostic>| {
        let known = found.iter_mut().find(|(shown, _)| shown.id() == id);
        if let Some((_, diagnostics)) = known {
            diagnostics.extend(diagnostic);
        } else if found.len() < MOST_CALLS
            && let Some(shown) = calls::find(snapshot, id)
        {
            found.push((shown, diagnostic.into_iter().collect()));
        }
    };
    for drawn in diagnostics::of(snapshot, client, files, target) {
        if let About::Call(id) = &drawn.about
            && place::share_a_line(drawn.diagnostic.range, range)
        {
            add(id, Some(drawn.diagnostic));
        }
    }
    if let Target::Session(key) = target {
        for anchor in session_document::render(snapshot, key).anchors {
            if place::share_a_line(anchor.section, range) {
                add(&anchor.id, None);
            }
        }
    }
    found
}

/// Something that is offered for a call.
struct Offer {
    title: String,
    command: &'static str,
    arguments: Vec<Value>,
    diagnostics: Vec<Diagnostic>,
}

impl Offer {
    /// Editors exist that find an action again by its title.
    fn action(self, titles: &mut BTreeSet<String>) -> CodeActionOrCommand {
        let mut title = self.title.clone();
        let mut number = 1;
        while !titles.insert(title.clone()) {
            number += 1;
            title = format!("{} ({number})", self.title);
        }
        CodeActionOrCommand::CodeAction(CodeAction {
            title: title.clone(),
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: (!self.diagnostics.is_empty()).then_some(self.diagnostics),
            command: Some(Command {
                title,
                command: self.command.to_owned(),
                arguments: Some(self.arguments),
            }),
            ..CodeAction::default()
        })
    }
}

fn offers(shown: Shown<'_>, diagnostics: &[Diagnostic], several: bool) -> Vec<Offer> {
    let mut offers = Vec::new();
    let mut offer = |title: &str, command: &'static str, rule: Option<&String>| {
        let title = if several {
            format!("{title}: {}", shown.brief())
        } else {
            title.to_owned()
        };
        let mut arguments = vec![json!(shown.id())];
        arguments.extend(rule.map(|rule| json!(rule)));
        offers.push(Offer {
            title,
            command,
            arguments,
            diagnostics: diagnostics.to_vec(),
        });
    };
    match shown {
        Shown::Pending(pending) => {
            offer("Deny", commands::DENY, None);
            offer("Approve once", commands::APPROVE, None);
            if let [rule] = pending.suggestions.as_slice() {
                let title = format!("Approve and remember {}", markdown::code(rule));
                offer(&title, commands::REMEMBER, Some(rule));
            }
            if shown.has_change() {
                offer("Show proposed change", commands::SHOW_CHANGE, None);
            }
            offer("Explain", commands::EXPLAIN, None);
        }
        // What explains comes first: an editor may take the first one for meant.
        Shown::Blocked(_) => {
            offer("Explain", commands::EXPLAIN, None);
            if shown.can_be_granted() {
                offer("Allow this exact call once", commands::GRANT, None);
            }
        }
    }
    offers
}
