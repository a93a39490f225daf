//! `countersign status`: whether each agent's calls are guarded, from its own
//! settings. Only looks.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use countersign_install::{Report, Standing};
use countersign_settings::Places;

use super::{Surroundings, profile_of, told};
use crate::arguments::Status;
use crate::commands::model;
use crate::output;

/// An agent's calls run unguarded although a hook is there.
const UNGUARDED: u8 = 1;

pub(in crate::commands) fn run(places: &Places, status: &Status) -> Result<ExitCode> {
    let folder = crate::commands::current_folder()?;
    let may_start = model::under_an_agent().is_none();
    let home = status.agents_home.as_deref();
    let surroundings = Surroundings::new(places, &folder, home, may_start)?;
    let reports: Vec<Report> = match status.agent {
        Some(agent) => {
            profile_of(agent)?;
            surroundings.report(agent).into_iter().collect()
        }
        None => surroundings.reports(),
    };
    let mut out = output::stdout();
    if status.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&reports)?)?;
    } else if reports.is_empty() {
        writeln!(out, "no agent is found here, and no hook of Countersign")?;
    } else {
        for report in &reports {
            told::report(&mut out, report)?;
        }
    }
    let is_unguarded = reports
        .iter()
        .any(|report| report.standing == Standing::Unguarded);
    Ok(if is_unguarded {
        ExitCode::from(UNGUARDED)
    } else {
        ExitCode::SUCCESS
    })
}
