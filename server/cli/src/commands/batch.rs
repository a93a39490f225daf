//! `countersign check --batch`: JSON lines in, one verdict a line out. Always
//! decided as auto in a trusted workspace, on static layers only; a stable
//! format that other tools build on.

use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_core::call::{Call, CommandText, Operation, SessionKey, ShellDialect, Subject};
use countersign_core::decision::{BlockReason, Decision};
use countersign_core::mode::{AgentMode, ApprovalMode};
use countersign_core::policy::Policy;
use countersign_core::tool::Tool;
use countersign_engine::policy::{Surroundings, policy};
use countersign_engine::prepare;
use countersign_service::{effects, static_decision};
use countersign_settings::{Effective, Places};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A line that cannot be read; the batch goes on.
const BAD_LINE: u8 = 1;

/// Most effects that are told of one command.
const MOST_EFFECTS: usize = 20;

#[derive(Deserialize)]
struct Row {
    id: Value,
    command: String,
    cwd: Option<Utf8PathBuf>,
}

#[derive(Serialize)]
struct Verdict<'a> {
    id: &'a Value,
    verdict: &'static str,
    via: Option<&'static str>,
    reason: Option<&'static str>,
    effects: &'a [String],
    us: u64,
}

/// Decides every line of standard input.
pub(super) fn run(workspace: Option<&Utf8Path>) -> Result<ExitCode> {
    let folder = crate::commands::current_folder()?;
    let workspace = workspace.map_or_else(|| folder.clone(), |workspace| folder.join(workspace));
    let places = Places::for_user().context("cannot tell where settings and state are")?;
    let host = countersign_guard::host(&places);
    // As the host sees it: a workspace reached through a link is its target.
    let workspace = host
        .resolve(
            workspace.as_str(),
            &folder,
            &places.home,
            countersign_core::call::Access::List,
        )
        .canonical;
    let policy = batch_policy(&places, &workspace);

    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut all_read = true;
    for line in std::io::stdin().lock().split(b'\n') {
        let line = line.context("standard input cannot be read")?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let Ok(row) = serde_json::from_slice::<Row>(&line) else {
            all_read = false;
            // The id, if at least that can be read.
            let id = serde_json::from_slice::<Value>(&line)
                .ok()
                .and_then(|row| row.get("id").cloned())
                .unwrap_or(Value::Null);
            write(
                &mut out,
                &Verdict {
                    id: &id,
                    verdict: "review",
                    via: None,
                    reason: Some(BlockReason::InvalidCall.as_str()),
                    effects: &[],
                    us: 0,
                },
            )?;
            continue;
        };
        let cwd = row
            .cwd
            .as_ref()
            .map_or_else(|| workspace.clone(), |cwd| workspace.join(cwd));
        let call = shell_call(&row.command, cwd);
        let started = Instant::now();
        let facts = prepare::facts(&call, &host, &policy);
        let decision = static_decision(&call, &facts, &policy, policy.mode);
        let us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut effects = effects(&call, &facts);
        if effects.len() > MOST_EFFECTS {
            let more = effects.len() - (MOST_EFFECTS - 1);
            effects.truncate(MOST_EFFECTS - 1);
            effects.push(format!("and {more} more"));
        }
        write(
            &mut out,
            &Verdict {
                id: &row.id,
                verdict: verdict(&decision),
                via: decision.is_allow().then(|| decision.reason()),
                reason: (!decision.is_allow()).then(|| decision.reason()),
                effects: &effects,
                us,
            },
        )?;
    }
    out.flush()?;
    Ok(if all_read {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(BAD_LINE)
    })
}

fn write(out: &mut impl std::io::Write, verdict: &Verdict<'_>) -> Result<()> {
    serde_json::to_writer(&mut *out, verdict)?;
    writeln!(out)?;
    Ok(())
}

/// The policy of a batch: no settings file, auto, trusted.
fn batch_policy(places: &Places, workspace: &Utf8Path) -> Policy {
    Policy {
        mode: ApprovalMode::Auto,
        ..policy(
            &Effective::default(),
            places,
            &Surroundings {
                workspaces: vec![workspace.to_owned()],
                ..Surroundings::default()
            },
        )
    }
}

/// A call of the shell tool, of no agent in particular.
pub(super) fn shell_call(command: &str, cwd: Utf8PathBuf) -> Call {
    Call {
        key: SessionKey {
            agent: Agent::Generic,
            session: "check".to_owned(),
            subagent: None,
        },
        id: None,
        raw_tool: Tool::RunShellCommand.to_string(),
        raw_input: Value::Null,
        cwd,
        search_path: Vec::new(),
        agent_mode: AgentMode::Other,
        operations: vec![Operation {
            tool: Tool::RunShellCommand,
            subject: Subject::Command(CommandText {
                text: command.to_owned(),
                dialect: ShellDialect::Bash,
            }),
            parameters: std::collections::BTreeMap::new(),
        }],
    }
}

/// The verdict of a decision: what is not allowed and not blocked wants a
/// review, by a model or a person.
pub(super) fn verdict(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allow { .. } => "allow",
        Decision::Denied { .. } | Decision::Block { .. } => "block",
        Decision::Ask { .. } => "review",
    }
}
