//! `countersign trust`: a person trusts a workspace and accepts what its
//! settings would loosen. Refuses under an agent, and without a terminal.

use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::redact;
use countersign_core::state::{Record, RecordKind, StateStore as _};
use countersign_engine::clock::{Clock as _, SystemClock};
use countersign_guard::Guard;
use countersign_settings::{Effective, Places, TrustStore, WorkspaceEntry};
use countersign_store::Store;

use crate::arguments::Trust;
use crate::output::{self, ASK, BOLD, DIM, styled};

pub(super) fn run(places: &Places, trust: &Trust) -> Result<ExitCode> {
    let folder = crate::commands::current_folder()?;
    let folder = match &trust.workspace {
        Some(workspace) => folder.join(workspace),
        None => folder,
    };
    let guard = Guard::looking_in(places.clone(), &folder);
    let Some(workspace) = guard.workspace.clone() else {
        bail!("{folder} is no workspace: go to a project's folder, or name one");
    };
    if trust.show {
        return show(&guard.effective, &workspace);
    }
    if let Some(why) = countersign_ipc::under_agent().doubt() {
        bail!(
            "trust is for a person, and {why}; run `countersign trust` in a terminal of your own"
        );
    }
    let store = TrustStore::new(places);
    if trust.revoke {
        store.untrust(&workspace)?;
        record(places, &format!("no longer trusted: {workspace}"))?;
        writeln!(output::stdout(), "{workspace} is no longer trusted")?;
        return Ok(ExitCode::SUCCESS);
    }
    if !output::interactive() {
        bail!("trust is given at a terminal; standard input or output is none");
    }
    give(places, &store, &guard.effective, &workspace)
}

/// Trust first, then consent: two questions, each answered with a full yes.
fn give(
    places: &Places,
    store: &TrustStore,
    effective: &Effective,
    workspace: &Utf8Path,
) -> Result<ExitCode> {
    let mut out = output::stdout();
    if effective.trusted {
        writeln!(out, "{workspace} is trusted already")?;
    } else {
        writeln!(
            out,
            "{}\n\nIn a trusted workspace auto, auto-edit and yolo may be used, and agents may edit its \
             files without asking. What its own settings would loosen is asked next.\n",
            styled(BOLD, &format!("Trust {workspace}?"))
        )?;
        if !confirmed()? {
            writeln!(output::stdout(), "not trusted; nothing was changed")?;
            return Ok(ExitCode::SUCCESS);
        }
        store.trust(workspace)?;
        record(places, &format!("trusted: {workspace}"))?;
        writeln!(output::stdout(), "{workspace} is trusted")?;
    }
    // What waits is only known once the workspace is trusted.
    let effective = Guard::looking_in(places.clone(), workspace).effective;
    if effective.pending_consent.is_empty() && effective.kept_tightening.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    consent(places, store, &effective, workspace)
}

fn consent(
    places: &Places,
    store: &TrustStore,
    effective: &Effective,
    workspace: &Utf8Path,
) -> Result<ExitCode> {
    if !effective.pending_consent.is_empty() {
        let mut out = output::stdout();
        writeln!(
            out,
            "\n{}\n",
            styled(BOLD, "Its settings would loosen; accept exactly this?")
        )?;
        entries(&mut out, "+", &effective.pending_consent)?;
        entries(&mut out, "-", &effective.withdrawn)?;
        writeln!(out)?;
        drop(out);
        if confirmed()? {
            store.consent(workspace, &effective.loosening, effective.consent_digest())?;
            record(
                places,
                &format!("accepted for {workspace}: {}", effective.consent_digest()),
            )?;
            writeln!(output::stdout(), "accepted")?;
        } else {
            writeln!(output::stdout(), "not accepted; these entries do not count")?;
        }
    }
    if !effective.kept_tightening.is_empty() {
        let mut out = output::stdout();
        writeln!(
            out,
            "\n{}\n",
            styled(
                BOLD,
                "These restrictions were removed from its settings and still hold; drop them?"
            )
        )?;
        entries(&mut out, "-", &effective.kept_tightening)?;
        writeln!(out)?;
        drop(out);
        if confirmed()? {
            store.confirm_removal(
                workspace,
                &effective.kept_tightening,
                effective.removal_digest(),
            )?;
            record(places, &format!("dropped restrictions of {workspace}"))?;
            writeln!(output::stdout(), "dropped")?;
        } else {
            writeln!(output::stdout(), "kept; they still hold")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn entries(out: &mut impl std::io::Write, sign: &str, list: &[WorkspaceEntry]) -> Result<()> {
    for entry in list {
        writeln!(
            out,
            "  {} {}: {}{}",
            styled(ASK, sign),
            entry.key,
            // Shown whole: what is accepted must be seen.
            redact::visible(&entry.text),
            styled(DIM, &place(entry)),
        )?;
    }
    Ok(())
}

fn place(entry: &WorkspaceEntry) -> String {
    match (&entry.file, entry.line) {
        (Some(file), Some(line)) => format!("  ({file}:{line})"),
        (Some(file), None) => format!("  ({file})"),
        (None, _) => String::new(),
    }
}

/// Only the whole word is a yes; everything else, an empty line too, is a no.
fn confirmed() -> Result<bool> {
    let mut out = output::stdout();
    write!(
        out,
        "{} ",
        styled(ASK, "Type yes to agree, anything else is no:")
    )?;
    out.flush()?;
    drop(out);
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("the answer cannot be read")?;
    Ok(line.trim() == "yes")
}

fn show(effective: &Effective, workspace: &Utf8PathBuf) -> Result<ExitCode> {
    let mut out = output::stdout();
    let trusted = if effective.trusted {
        styled(output::ALLOW, "trusted")
    } else {
        styled(ASK, "not trusted")
    };
    writeln!(out, "{workspace}: {trusted}")?;
    if !effective.pending_consent.is_empty() {
        writeln!(out, "waiting for your consent:")?;
        entries(&mut out, "+", &effective.pending_consent)?;
    }
    if !effective.kept_tightening.is_empty() {
        writeln!(out, "removed from its settings, still in force:")?;
        entries(&mut out, "-", &effective.kept_tightening)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn record(places: &Places, what: &str) -> Result<()> {
    let store = Arc::new(Store::open(&places.state_dir)?);
    store.transition(&mut |transaction| {
        transaction.append(&Record {
            detail: Some(what.to_owned()),
            source: Some("terminal".to_owned()),
            ..Record::of(RecordKind::Trust, SystemClock.now())
        })
    })?;
    Ok(())
}
