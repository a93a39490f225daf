//! Whether each agent's calls are guarded: what its own settings come to, and
//! whether its hook blocks what must be blocked.

use countersign_install::{Level, Report, Standing};

use super::canary;
use super::finding::Finding;
use crate::commands::agents::Surroundings;

/// What there is to say of every agent that is here. With `may_run`, each
/// hook is tried.
pub(super) fn of_agents(surroundings: &Surroundings, may_run: bool) -> Vec<Finding> {
    let reports = surroundings.reports();
    if reports.is_empty() {
        return vec![Finding::skipped(
            "agents",
            "none of those that are known is here",
        )];
    }
    reports
        .iter()
        .flat_map(|report| of_agent(report, surroundings, may_run))
        .collect()
}

fn of_agent(report: &Report, surroundings: &Surroundings, may_run: bool) -> Vec<Finding> {
    let agent = report.agent;
    if report.standing == Standing::NotInstalled {
        let detail = format!(
            "{} does not call Countersign; `countersign install {agent}` has it do so",
            report.title
        );
        return vec![Finding::skipped(agent, detail)];
    }
    let mut findings: Vec<Finding> = report
        .findings
        .iter()
        .filter_map(|finding| match finding.level {
            Level::Unguarded => Some(Finding::broken(
                agent,
                format!("unguarded: {}", finding.text),
                finding.change.clone(),
            )),
            Level::Warning => Some(Finding::warning(
                agent,
                finding.text.clone(),
                finding.change.clone(),
            )),
            Level::Note => None,
        })
        .collect();
    if may_run {
        findings.extend(canaries(report, surroundings));
    }
    if report.standing == Standing::Guarded && !findings.iter().any(Finding::is_broken) {
        let version = report.version.as_deref().unwrap_or("of an unknown version");
        let tried = if may_run {
            "its hook blocks what must be blocked"
        } else {
            "its hook was not tried here"
        };
        findings.insert(
            0,
            Finding::ok(
                agent,
                format!("{} {version} is guarded: {tried}", report.title),
            ),
        );
    }
    findings
}

/// Tries every hook at which calls are decided.
fn canaries(report: &Report, surroundings: &Surroundings) -> Vec<Finding> {
    let agent = report.agent;
    let install = format!("see `countersign log`, and run `countersign install {agent}` again");
    report
        .hooks
        .iter()
        .filter_map(|hook| match canary::blocks(agent, hook, surroundings) {
            Ok(canary::Tried::Blocked | canary::Tried::NoCanary) => None,
            Ok(canary::Tried::Not(why)) => Some(Finding::warning(
                agent,
                format!("the hook of {} was not tried: {why}", hook.event),
                format!("run `countersign install {agent}`"),
            )),
            Err(why) => Some(Finding::broken(
                agent,
                format!(
                    "unguarded: the hook of {} did not block a call that must be blocked: {why}",
                    hook.event
                ),
                install.clone(),
            )),
        })
        .collect()
}
