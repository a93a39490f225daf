//! What `install`, `uninstall` and `status` say.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use countersign_core::redact;
use countersign_install::{Edit, Level, Profile, Report, Scope, Standing, diff};
use serde::Serialize;

use super::install::Prepared;
use crate::output::{self, ALLOW, ASK, BLOCK, BOLD, DIM, styled};

/// What installing did or would do, for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    agent: &'static str,
    #[serde(skip)]
    title: &'static str,
    scope: Scope,
    file: String,
    changed: bool,
    written: bool,
    events: Vec<Asked>,
    left_out: Vec<&'static str>,
    unknown_version: Option<String>,
    /// Whether a variable moved the agent's folder away from where agents may
    /// not write.
    is_moved: bool,
    diff: String,
}

/// An event, and how long the agent waits at it, in seconds.
#[derive(Debug, Serialize)]
struct Asked {
    event: &'static str,
    timeout: u32,
}

impl Told {
    pub(super) fn of(
        profile: &'static Profile,
        scope: Scope,
        prepared: &Prepared,
        written: bool,
    ) -> Self {
        let plan = &prepared.plan;
        Self {
            agent: profile.agent.as_str(),
            title: profile.title,
            scope,
            file: plan.edit.path.to_string(),
            changed: prepared.edits().next().is_some(),
            written,
            events: plan
                .events
                .iter()
                .map(|(event, timeout)| Asked {
                    event,
                    timeout: *timeout,
                })
                .collect(),
            left_out: plan.left_out.clone(),
            unknown_version: prepared.unknown_version.clone(),
            is_moved: prepared.is_moved,
            diff: prepared.edits().map(diff).collect(),
        }
    }
}

/// Changes as people read them.
pub(super) fn changes<'e>(
    out: &mut impl Write,
    edits: impl Iterator<Item = &'e Edit>,
) -> Result<()> {
    for edit in edits {
        for line in diff(edit).lines() {
            let style = match line.chars().next() {
                Some('+') => ALLOW,
                Some('-') => BLOCK,
                Some('@') => DIM,
                _ => anstyle::Style::new(),
            };
            writeln!(out, "{}", styled(style, line))?;
        }
    }
    Ok(())
}

/// Tells what installing did, and what its result is.
pub(super) fn installed(
    told: &Told,
    prepared: &Prepared,
    report: Option<&Report>,
    json: bool,
) -> Result<ExitCode> {
    let mut out = output::stdout();
    if json {
        let mut answer = serde_json::to_value(told)?;
        if let Some(answer) = answer.as_object_mut() {
            answer.insert("report".to_owned(), serde_json::to_value(report)?);
        }
        writeln!(out, "{}", serde_json::to_string_pretty(&answer)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(why) = &told.unknown_version {
        let why = redact::visible(why);
        writeln!(
            out,
            "{} the version of {} is not known ({why}); only events that every version knows are \
             asked for. `--agent-version` says it.",
            styled(ASK, "!"),
            told.title
        )?;
    }
    if told.is_moved {
        writeln!(
            out,
            "{} a variable moved the settings of {} to a place that is not protected by its name: \
             add its folder to `protectedPaths.add` ({})",
            styled(ASK, "!"),
            told.title,
            redact::visible(&told.file)
        )?;
    }
    if !told.left_out.is_empty() {
        let names = told.left_out.join(", ");
        let line = format!("left out, because this version is not known to know them: {names}");
        writeln!(out, "{}", styled(DIM, &line))?;
    }
    if !told.changed {
        writeln!(out, "{} is as it should be", told.file)?;
    } else if told.written {
        writeln!(out, "{} calls Countersign: {}", told.title, told.file)?;
    } else {
        changes(&mut out, prepared.edits())?;
    }
    if let Some(report) = report {
        self::report(&mut out, report)?;
        if told.written {
            let line = "sessions that run already may have to be started again; \
                        `countersign doctor` tries the hook";
            writeln!(out, "{}", styled(DIM, line))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What was found of an agent.
pub(super) fn report(out: &mut impl Write, report: &Report) -> Result<()> {
    let (mark, style, word) = match report.standing {
        Standing::Guarded => ("✓", ALLOW, "guarded"),
        Standing::Unguarded => ("✗", BLOCK, "UNGUARDED"),
        Standing::NotInstalled => ("–", DIM, "does not call Countersign"),
        Standing::Absent => ("–", DIM, "is not here"),
    };
    let version = report
        .version
        .as_ref()
        .map_or_else(String::new, |version| format!(" {version}"));
    writeln!(
        out,
        "{} {}{version}: {}",
        styled(style, mark),
        styled(BOLD, report.title),
        styled(style, word)
    )?;
    let mut files: Vec<&str> = report.hooks.iter().map(|hook| hook.file.as_str()).collect();
    files.dedup();
    for file in files {
        let events: Vec<&str> = report
            .hooks
            .iter()
            .filter(|hook| hook.file == file)
            .map(|hook| hook.event.as_str())
            .collect();
        let line = format!(
            "    {}: {}",
            redact::visible(file),
            redact::visible(&events.join(", "))
        );
        writeln!(out, "{}", styled(DIM, &line))?;
    }
    for finding in &report.findings {
        let (mark, style) = match finding.level {
            Level::Unguarded => ("✗", BLOCK),
            Level::Warning => ("!", ASK),
            Level::Note => ("·", DIM),
        };
        writeln!(
            out,
            "  {} {}",
            styled(style, mark),
            redact::visible(&finding.text)
        )?;
        if !finding.change.is_empty() {
            writeln!(
                out,
                "    {} {}",
                styled(DIM, "→"),
                redact::visible(&finding.change)
            )?;
        }
    }
    if report.standing == Standing::NotInstalled {
        writeln!(
            out,
            "    {} run `countersign install {}`",
            styled(DIM, "→"),
            report.agent
        )?;
    }
    Ok(())
}
