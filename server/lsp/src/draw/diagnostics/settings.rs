//! What is wrong with settings files: rules that cannot be read, that name no
//! known tool or that could match nearly anything, and whatever else their
//! loading found.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::redact;
use countersign_core::rules::Rule;
use countersign_settings::{SettingsProblem, Severity};
use tower_lsp::lsp_types::{Diagnostic, DiagnosticSeverity, NumberOrString};

use crate::draw::diagnostics::{About, Drawing};
use crate::draw::place;
use crate::draw::uri::Target;
use crate::snapshot::Snapshot;

/// Something that is wrong at a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: Utf8PathBuf,
    line: Option<u32>,
    column: Option<u32>,
    rule: Option<String>,
    code: &'static str,
    is_error: bool,
    message: String,
}

/// The same file counts for several workspaces; what is wrong with it is said
/// once.
pub(super) fn draw(drawing: &mut Drawing<'_>) {
    let mut findings = BTreeSet::new();
    let mut kept = BTreeSet::new();
    for (_, guard) in &drawing.snapshot.workspaces {
        kept.extend(
            guard
                .effective
                .kept_tightening
                .iter()
                .map(|entry| &entry.text),
        );
        let rules = &guard.policy.rules;
        findings.extend(rules.problems().filter_map(problem));
        findings.extend(rules.over_broad().filter_map(over_broad));
        findings.extend(guard.effective.problems.iter().filter_map(other));
    }
    for finding in findings {
        let target = Target::File(finding.file.clone());
        if !(drawing.wanted)(&target) {
            continue;
        }
        let text = drawing.files.text(&finding.file).unwrap_or_default();
        // It holds until a person drops it, and stands nowhere any more.
        let is_gone = finding.rule.as_ref().is_some_and(|rule| {
            kept.contains(rule) && place::line_of_rule(&text, finding.line, rule).is_none()
        });
        if is_gone {
            continue;
        }
        let range = match &finding.rule {
            Some(rule) => place::of_rule(&text, finding.line, rule),
            None => place::of_problem(&text, finding.line, finding.column),
        };
        let severity = if finding.is_error {
            DiagnosticSeverity::ERROR
        } else {
            DiagnosticSeverity::WARNING
        };
        let diagnostic = Diagnostic {
            range,
            severity: Some(severity),
            code: Some(NumberOrString::String(finding.code.to_owned())),
            message: finding.message,
            ..Diagnostic::default()
        };
        drawing.push(target, diagnostic, About::Settings);
    }
}

fn problem(rule: &Rule) -> Option<Finding> {
    let error = rule.error()?;
    let (code, what_holds) = match (rule.is_malformed(), rule.list().as_str()) {
        (false, _) => ("unknown_tool", "it holds for a tool of exactly this name"),
        (true, "allow") => ("rule_malformed", "it allows nothing"),
        (true, _) => (
            "rule_malformed",
            "until it is mended, calls of its tool ask",
        ),
    };
    Some(Finding {
        file: rule.origin().file.clone()?,
        line: rule.origin().line,
        column: None,
        rule: Some(rule.text().to_owned()),
        code,
        is_error: rule.is_malformed(),
        message: redact::visible(&format!("{error}; {what_holds}")),
    })
}

fn over_broad(rule: &Rule) -> Option<Finding> {
    let reason = rule.over_broad()?;
    Some(Finding {
        file: rule.origin().file.clone()?,
        line: rule.origin().line,
        column: None,
        rule: Some(rule.text().to_owned()),
        code: "over_broad_rule",
        is_error: false,
        message: redact::visible(&format!(
            "this rule {reason}; it is set aside while in auto mode"
        )),
    })
}

fn other(problem: &SettingsProblem) -> Option<Finding> {
    Some(Finding {
        file: problem.file.clone()?,
        line: problem.line,
        column: problem.column,
        rule: None,
        code: "settings",
        is_error: problem.severity == Severity::Error,
        message: redact::visible(&problem.message),
    })
}

/// The rules that stand in a settings file, each once.
pub(in crate::draw) fn rules_in<'a>(snapshot: &'a Snapshot, file: &Utf8Path) -> Vec<&'a Rule> {
    let mut known = BTreeSet::new();
    let mut rules: Vec<&Rule> = snapshot
        .workspaces
        .iter()
        .flat_map(|(_, guard)| guard.policy.rules.rules())
        .filter(|rule| rule.origin().file.as_deref() == Some(file))
        .filter(|rule| known.insert((rule.origin().line, rule.list(), rule.text())))
        .collect();
    rules.sort_by_key(|rule| rule.origin().line);
    rules
}

/// What is wrong with a rule, in words, if anything is.
pub(in crate::draw) fn wrong_with(rule: &Rule) -> Option<String> {
    let finding = problem(rule).or_else(|| over_broad(rule))?;
    Some(finding.message)
}
