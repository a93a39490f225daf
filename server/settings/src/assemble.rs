//! Merged values become typed ones, within the limits of the classifier's
//! prompt.

use std::collections::HashSet;

use camino::Utf8Path;
use countersign_core::denials::DenialLimits;
use countersign_core::policy::{OnUnavailable, StaticAnalysis};
use countersign_core::rules::{RuleList, RuleOrigin};

use crate::classifier::classifier;
use crate::descriptor::Fixed;
use crate::effective::{Effective, Hints, ImportFrom, JournalLimits, RunEditedCode};
use crate::hooks::{HookEvent, hooks};
use crate::layer::is_workspace;
use crate::merge::{Entry, Merged};
use crate::problem::{Problems, SettingsProblem};
use crate::table::key;
use crate::telemetry::telemetry;

/// The longest hint, in characters.
pub(crate) const LONGEST_HINT: usize = 200;
/// The most hints in a list; soft denies and the older denies together.
pub(crate) const MOST_HINTS: usize = 50;
/// The most facts about the surroundings.
pub(crate) const MOST_FACTS: usize = 20;

/// The settings that hold, without what only the loader knows.
pub(crate) fn assemble(
    mut merged: Merged,
    home: &Utf8Path,
    mut problems: Vec<SettingsProblem>,
) -> Effective {
    let mut soft_deny = merged.take_list(key::HINTS_SOFT_DENY);
    soft_deny.extend(merged.take_list(key::HINTS_DENY));
    // What a workspace says must not push the user's own over the limit.
    soft_deny.sort_by_key(|entry| is_workspace(entry.origin.scope));
    let hints = Hints {
        allow: prose(
            merged.take_list(key::HINTS_ALLOW),
            "hints.allow",
            MOST_HINTS,
            &mut problems,
        ),
        soft_deny: prose(soft_deny, "hints.softDeny", MOST_HINTS, &mut problems),
        hard_deny: prose(
            merged.take_list(key::HINTS_HARD_DENY),
            "hints.hardDeny",
            MOST_HINTS,
            &mut problems,
        ),
    };
    let environment = prose(
        merged.take_list(key::ENVIRONMENT),
        "environment",
        MOST_FACTS,
        &mut problems,
    );
    let hooks = HookEvent::ALL
        .into_iter()
        .flat_map(|event| hooks(event, merged.take_list(event.key()), &mut problems))
        .collect();
    Effective {
        workspace: None,
        trusted: false,
        rules: rules(&mut merged),
        approval_mode: approval_mode(&merged),
        auto_acknowledged: flag(&merged, key::ACKNOWLEDGED, false),
        limits: limits(&merged),
        hints,
        environment,
        protected_add: texts(merged.take_list(key::PROTECTED_ADD)),
        protected_remove: texts(merged.take_list(key::PROTECTED_REMOVE)),
        context_files: texts(merged.take_list(key::CONTEXT_FILES)),
        review_credential_reads: flag(&merged, key::REVIEW_CREDENTIAL_READS, true),
        classify_all_shell: flag(&merged, key::CLASSIFY_ALL_SHELL, true),
        static_analysis: match choice(&merged, key::STATIC_ANALYSIS) {
            Some("contained") => StaticAnalysis::Contained,
            Some("read-only") => StaticAnalysis::ReadOnly,
            _ => StaticAnalysis::Off,
        },
        run_edited_code: match choice(&merged, key::RUN_EDITED_CODE) {
            Some("allow") => RunEditedCode::Allow,
            _ => RunEditedCode::Review,
        },
        on_unavailable: match choice(&merged, key::ON_UNAVAILABLE) {
            Some("ask") => OnUnavailable::Ask,
            _ => OnUnavailable::Block,
        },
        classifier: classifier(&merged, home, &mut problems),
        mcp_forwarding: texts(merged.take_list(key::MCP_FORWARDING)),
        hooks,
        disable_all_hooks: flag(&merged, key::DISABLE_ALL_HOOKS, true),
        journal: JournalLimits {
            retention_days: count(&merged, key::RETENTION),
            max_megabytes: count(&merged, key::MEGABYTES),
        },
        telemetry: telemetry(&merged, home),
        import: texts(merged.take_list(key::IMPORT))
            .iter()
            .filter_map(|name| {
                [ImportFrom::Qwen, ImportFrom::Claude]
                    .into_iter()
                    .find(|from| from.as_str() == name)
            })
            .collect(),
        loosening: merged.loosening,
        pending_consent: merged.pending,
        withdrawn: Vec::new(),
        kept_tightening: merged.kept,
        problems,
        degraded: None,
    }
}

fn rules(merged: &mut Merged) -> Vec<(RuleList, String, RuleOrigin)> {
    [
        (RuleList::Deny, key::DENY),
        (RuleList::Ask, key::ASK),
        (RuleList::Allow, key::ALLOW),
    ]
    .into_iter()
    .flat_map(|(list, key)| {
        merged
            .take_list(key)
            .into_iter()
            .map(move |entry| (list, entry.text, entry.origin))
    })
    .collect()
}

fn approval_mode(
    merged: &Merged,
) -> Option<(
    countersign_core::mode::ApprovalMode,
    crate::effective::Source,
)> {
    let Fixed::Choice(name) = merged.scalar(key::APPROVAL_MODE) else {
        return None;
    };
    let source = merged.chosen(key::APPROVAL_MODE)?.source.clone()?;
    Some((name.parse().ok()?, source))
}

fn limits(merged: &Merged) -> DenialLimits {
    let limit = |key| u32::try_from(count(merged, key)).unwrap_or(1).max(1);
    DenialLimits {
        consecutive_block: limit(key::LIMIT_BLOCK),
        consecutive_unavailable: limit(key::LIMIT_UNAVAILABLE),
        total: limit(key::LIMIT_TOTAL),
    }
}

pub(crate) fn flag(merged: &Merged, key: &'static str, otherwise: bool) -> bool {
    match merged.scalar(key) {
        Fixed::Flag(flag) => flag,
        Fixed::Nothing | Fixed::Choice(_) | Fixed::Count(_) | Fixed::Unusable => otherwise,
    }
}

pub(crate) fn choice(merged: &Merged, key: &'static str) -> Option<&'static str> {
    match merged.scalar(key) {
        Fixed::Choice(word) => Some(word),
        Fixed::Nothing | Fixed::Flag(_) | Fixed::Count(_) | Fixed::Unusable => None,
    }
}

pub(crate) fn count(merged: &Merged, key: &'static str) -> u64 {
    match merged.scalar(key) {
        Fixed::Count(count) => count,
        Fixed::Nothing | Fixed::Flag(_) | Fixed::Choice(_) | Fixed::Unusable => 1,
    }
}

fn texts(entries: Vec<Entry>) -> Vec<String> {
    entries.into_iter().map(|entry| entry.text).collect()
}

/// Sentences within their limits; the strongest layers' come first and stay.
fn prose(
    entries: Vec<Entry>,
    name: &str,
    most: usize,
    problems: &mut Vec<SettingsProblem>,
) -> Vec<String> {
    let mut kept = Vec::new();
    let mut known = HashSet::new();
    for entry in entries {
        let mut at = Problems::new(entry.origin.file.as_deref(), problems);
        let place = match (entry.origin.line, entry.column) {
            (Some(line), Some(column)) => Some(crate::problem::Position { line, column }),
            _ => None,
        };
        let text: String = entry.text.chars().take(LONGEST_HINT).collect();
        if text.len() < entry.text.len() {
            at.warning(
                place,
                format!(
                    "{name}: an entry is longer than {LONGEST_HINT} characters; the rest is cut off"
                ),
            );
        }
        if !known.insert(text.clone()) {
            continue;
        }
        if kept.len() == most {
            at.warning(
                place,
                format!("{name}: more than {most} entries; this and all later ones are left out"),
            );
            break;
        }
        kept.push(text);
    }
    kept
}
