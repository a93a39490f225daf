//! Diagnostics: what waits or was blocked at its place, counters that run
//! against a cap, and what is wrong with settings. They are made anew from
//! what there is, so that what is over vanishes.

mod messages;
mod settings;

pub(crate) use crate::draw::files::Files;
pub(super) use settings::{rules_in as settings_rules, wrong_with};

use std::collections::BTreeMap;

use camino::Utf8Path;
use countersign_core::call::SessionKey;
use countersign_core::denials::Counters;
use serde_json::json;
use tower_lsp::lsp_types::{Diagnostic, DiagnosticSeverity, NumberOrString, Range, Url};

use crate::client::ClientCapabilities;
use crate::draw::calls::{self, Shown};
use crate::draw::place;
use crate::draw::session_document::{self, Document};
use crate::draw::uri::Target;
use crate::snapshot::Snapshot;

/// Who says it.
const SOURCE: &str = "countersign";

/// Most diagnostics of one file.
const MOST_PER_FILE: usize = 200;

/// Most diagnostics of one drawing.
const MOST: usize = 4_000;

/// The diagnostics of every document that has some.
pub(crate) fn all(
    snapshot: &Snapshot,
    client: &ClientCapabilities,
    files: &mut Files,
) -> BTreeMap<Url, Vec<Diagnostic>> {
    let mut documents: BTreeMap<Url, Vec<Diagnostic>> = BTreeMap::new();
    for drawn in draw(snapshot, client, files, &|_| true) {
        if let Some(uri) = drawn.target.uri() {
            documents.entry(uri).or_default().push(drawn.diagnostic);
        }
    }
    documents
}

/// A diagnostic and what it is about.
#[derive(Debug, Clone)]
pub(super) struct Drawn {
    pub(super) target: Target,
    pub(super) diagnostic: Diagnostic,
    pub(super) about: About,
}

/// What a diagnostic is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    /// The call of this id.
    Call(String),
    /// The counters of this session.
    Counters(SessionKey),
    /// A settings file.
    Settings,
}

/// The diagnostics of one document, as [`all`] has them.
pub(super) fn of(
    snapshot: &Snapshot,
    client: &ClientCapabilities,
    files: &mut Files,
    target: &Target,
) -> Vec<Drawn> {
    draw(snapshot, client, files, &|one| one == target)
}

/// What matters most comes first, and is kept where there is too much.
fn draw(
    snapshot: &Snapshot,
    client: &ClientCapabilities,
    files: &mut Files,
    wanted: &dyn Fn(&Target) -> bool,
) -> Vec<Drawn> {
    let mut drawing = Drawing {
        snapshot,
        client,
        files,
        wanted,
        documents: BTreeMap::new(),
        counts: BTreeMap::new(),
        drawn: Vec::new(),
    };
    for shown in calls::shown(snapshot) {
        drawing.call(shown);
    }
    drawing.counters();
    settings::draw(&mut drawing);
    drawing.drawn
}

struct Drawing<'a> {
    snapshot: &'a Snapshot,
    client: &'a ClientCapabilities,
    files: &'a mut Files,
    wanted: &'a dyn Fn(&Target) -> bool,
    documents: BTreeMap<SessionKey, Document>,
    counts: BTreeMap<Target, usize>,
    drawn: Vec<Drawn>,
}

impl Drawing<'_> {
    fn push(&mut self, target: Target, diagnostic: Diagnostic, about: About) {
        let count = self.counts.entry(target.clone()).or_default();
        if *count >= MOST_PER_FILE || self.drawn.len() >= MOST || !(self.wanted)(&target) {
            return;
        }
        *count += 1;
        self.drawn.push(Drawn {
            target,
            diagnostic: Diagnostic {
                source: Some(SOURCE.to_owned()),
                ..diagnostic
            },
            about,
        });
    }

    fn call(&mut self, shown: Shown<'_>) {
        let places = if shown.has_change() {
            shown.places(self.files, self.wanted)
        } else {
            let workspace = self.workspace_of(shown);
            self.without_file(shown.key(), workspace.as_deref(), Some(shown.id()))
        };
        let mut said: Vec<Target> = Vec::new();
        for (target, range) in places {
            let message = if said.contains(&target) {
                messages::also_here(shown)
            } else {
                messages::of_call(shown)
            };
            said.push(target.clone());
            let diagnostic = Diagnostic {
                range,
                severity: Some(shown.severity()),
                code: Some(NumberOrString::String(shown.reason().to_owned())),
                message,
                data: Some(json!({ "id": shown.id() })),
                ..Diagnostic::default()
            };
            self.push(target, diagnostic, About::Call(shown.id().to_owned()));
        }
    }

    fn workspace_of(&self, shown: Shown<'_>) -> Option<camino::Utf8PathBuf> {
        if let Shown::Pending(pending) = shown {
            return pending.workspace.clone();
        }
        let key = shown.key().root();
        let session = self.snapshot.sessions.iter().find(|one| one.key == key)?;
        session.workspace.clone()
    }

    /// Where what belongs to no file is shown: in the session's document, at
    /// the call or at the counters; and in a settings file, at its rules.
    fn without_file(
        &mut self,
        key: &SessionKey,
        workspace: Option<&Utf8Path>,
        call: Option<&str>,
    ) -> Vec<(Target, Range)> {
        let mut places = Vec::new();
        let key = key.root();
        let document = Target::Session(key.clone());
        if self.client.draws_session_documents() && (self.wanted)(&document) {
            let snapshot = self.snapshot;
            let page = self
                .documents
                .entry(key.clone())
                .or_insert_with(|| session_document::render(snapshot, &key));
            let range = match call {
                None => page.counters,
                Some(id) => page
                    .anchor(id)
                    .map_or(place::BEGINNING, |anchor| anchor.heading),
            };
            places.push((document, range));
        }
        if self.client.needs_settings_file() {
            let file = self.snapshot.settings_file(workspace);
            let target = Target::File(file.clone());
            if (self.wanted)(&target) {
                let text = self.files.text(&file);
                let range = text.map_or(place::BEGINNING, |text| place::of_permissions(&text));
                places.push((target, range));
            }
        }
        places
    }

    fn counters(&mut self) {
        let snapshot = self.snapshot;
        for session in &snapshot.sessions {
            if session.ended || session.counters == Counters::default() {
                continue;
            }
            let armed = session.counters.armed(session.limits);
            let code = armed.map_or("denial_counters", |reason| reason.as_str());
            let places = self.without_file(&session.key, session.workspace.as_deref(), None);
            for (target, range) in places {
                let diagnostic = Diagnostic {
                    range,
                    severity: Some(DiagnosticSeverity::INFORMATION),
                    code: Some(NumberOrString::String(code.to_owned())),
                    message: messages::of_counters(session),
                    ..Diagnostic::default()
                };
                self.push(target, diagnostic, About::Counters(session.key.clone()));
            }
        }
    }
}
