//! The calls that are shown at places: those that wait for a person, and those
//! that were blocked and are still news.

use std::sync::Arc;

use countersign_core::call::{Access, Call, SessionKey, Subject};
use countersign_core::decision::{BlockReason, Decision, DeniedReason};
use countersign_core::facts::Facts;
use countersign_core::paths::FileKind;
use countersign_core::tool::Tool;
use countersign_service::{CallStory, PendingApproval};
use tower_lsp::lsp_types::{DiagnosticSeverity, Range};

use crate::draw::call_text;
use crate::draw::files::Files;
use crate::draw::place::{self, BEGINNING};
use crate::draw::uri::Target;
use crate::snapshot::Snapshot;

/// Most places in files that one call is shown at.
const MOST_PLACES: usize = 32;

/// A call that is shown.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shown<'a> {
    /// It waits for a person.
    Pending(&'a Arc<PendingApproval>),
    /// It was blocked.
    Blocked(&'a Arc<CallStory>),
}

/// Every call that is shown: what waits, the oldest first, then what was
/// blocked, the newest first.
pub(super) fn shown(snapshot: &Snapshot) -> impl Iterator<Item = Shown<'_>> {
    let pending = snapshot.pending.iter().map(Shown::Pending);
    let blocked = snapshot.attention.iter().rev().map(Shown::Blocked);
    pending.chain(blocked)
}

/// The call of this id, if it is among those that wait or is in a story.
pub(super) fn find<'a>(snapshot: &'a Snapshot, id: &str) -> Option<Shown<'a>> {
    let pending = snapshot.pending.iter().find(|pending| pending.id == id);
    let told = || {
        let stories = snapshot.stories.values().flatten();
        stories
            .chain(&snapshot.attention)
            .find(|call| call.id == id)
    };
    pending
        .map(Shown::Pending)
        .or_else(|| told().map(Shown::Blocked))
}

impl<'a> Shown<'a> {
    /// The guard's id of the call.
    pub(super) fn id(self) -> &'a str {
        match self {
            Self::Pending(pending) => &pending.id,
            Self::Blocked(story) => &story.id,
        }
    }

    /// The session, and the sub-agent in it.
    pub(super) fn key(self) -> &'a SessionKey {
        match self {
            Self::Pending(pending) => &pending.key,
            Self::Blocked(story) => &story.key,
        }
    }

    /// The call with what is known of it, where it is kept.
    pub(super) fn call(self) -> Option<(&'a Call, &'a Facts)> {
        match self {
            Self::Pending(pending) => Some((&pending.call, &pending.facts)),
            Self::Blocked(story) => {
                let (call, facts) = story.call.as_ref()?;
                Some((call, facts))
            }
        }
    }

    /// The reason, from the closed set.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Pending(pending) => pending.reason.as_str(),
            Self::Blocked(story) => story.decision.reason(),
        }
    }

    /// What it is about, on one short line.
    pub(super) fn brief(self) -> String {
        match self {
            Self::Pending(pending) => call_text::brief(&pending.call),
            Self::Blocked(story) => match &story.call {
                Some((call, _)) => call_text::brief(call),
                None => call_text::shortened(&story.subject, 40),
            },
        }
    }

    /// How much it wants to be seen. What a person or the time decided is only
    /// told; what the guard stopped by itself is an error of the agent.
    pub(super) fn severity(self) -> DiagnosticSeverity {
        let decision = match self {
            Self::Pending(_) => return DiagnosticSeverity::WARNING,
            Self::Blocked(story) => &story.decision,
        };
        match decision {
            Decision::Denied { reason, .. } => match reason {
                DeniedReason::ClassifierBlocked => DiagnosticSeverity::ERROR,
                DeniedReason::ClassifierUnavailable => DiagnosticSeverity::WARNING,
            },
            Decision::Block { reason, .. } => match reason {
                BlockReason::RuleDenied
                | BlockReason::StaticBlocked
                | BlockReason::InvalidCall
                | BlockReason::Internal => DiagnosticSeverity::ERROR,
                BlockReason::NoSurface => DiagnosticSeverity::WARNING,
                BlockReason::PlanMode | BlockReason::Person | BlockReason::Timeout => {
                    DiagnosticSeverity::INFORMATION
                }
            },
            Decision::Allow { .. } | Decision::Ask { .. } => DiagnosticSeverity::INFORMATION,
        }
    }

    /// Whether the classifier denied it here, so that a person may grant it.
    pub(super) fn can_be_granted(self) -> bool {
        match self {
            Self::Pending(_) => false,
            Self::Blocked(story) => {
                !story.elsewhere && matches!(story.decision, Decision::Denied { .. })
            }
        }
    }

    /// Whether it would change files, so that there is a change to show.
    pub(super) fn has_change(self) -> bool {
        self.call()
            .is_some_and(|(call, _)| changes(call).next().is_some())
    }

    /// The files that it would change, each with the place; empty for calls
    /// that name none. `wanted` says which files matter: others are not read.
    pub(super) fn places(
        self,
        files: &mut Files,
        wanted: &dyn Fn(&Target) -> bool,
    ) -> Vec<(Target, Range)> {
        let Some((call, facts)) = self.call() else {
            return Vec::new();
        };
        let mut places: Vec<(Target, Range)> = Vec::new();
        for (operation, facts) in call.operations.iter().zip(&facts.operations) {
            let Subject::Paths(uses) = &operation.subject else {
                continue;
            };
            for (path, fact) in uses.iter().zip(&facts.paths) {
                if !path.access.writes() || places.len() >= MOST_PLACES {
                    continue;
                }
                let target = Target::File(fact.canonical.clone());
                if !wanted(&target) {
                    continue;
                }
                let known = match (&path.change, fact.kind, &operation.tool) {
                    // What stands in a cell is not what stands in the file.
                    (_, _, Tool::NotebookEdit) => None,
                    (Some(change), FileKind::File, _) => files
                        .text(&fact.canonical)
                        .map(|text| place::of_change(&text, change)),
                    (Some(_) | None, _, _) => None,
                };
                let found = (target, known.unwrap_or(BEGINNING));
                if !places.contains(&found) {
                    places.push(found);
                }
            }
        }
        places
    }
}

/// Whether a call would change files that it names.
pub(super) fn changes(call: &Call) -> impl Iterator<Item = &countersign_core::call::PathUse> {
    call.operations
        .iter()
        .filter_map(|operation| match &operation.subject {
            Subject::Paths(paths) => Some(paths),
            Subject::Command(_) | Subject::Urls(_) | Subject::Delegate { .. } | Subject::Other => {
                None
            }
        })
        .flatten()
        .filter(|path| match path.access {
            Access::Write | Access::Delete => true,
            Access::Read | Access::ReadTree | Access::List => false,
        })
}
