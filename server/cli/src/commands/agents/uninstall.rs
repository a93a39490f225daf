//! `countersign uninstall`: an agent's settings as they were before. For a
//! person; refuses under an agent.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Result, bail};
use countersign_install::{
    Edit, Scope, codex_config, disk, distrust_hooks, needs_trust, record, target,
};
use countersign_settings::Places;
use serde_json::json;

use super::{Surroundings, profile_of, questions, refuse_under_agent, told};
use crate::arguments::Uninstall;
use crate::output::{self, DIM, styled};

/// A change, and the folders that may go with it.
struct Removal {
    edit: Edit,
    folders: Vec<camino::Utf8PathBuf>,
    /// Whether the file becomes byte for byte what it was.
    is_restored: bool,
    scope: Scope,
}

pub(in crate::commands) fn run(places: &Places, uninstall: &Uninstall) -> Result<ExitCode> {
    let profile = profile_of(uninstall.agent)?;
    refuse_under_agent("uninstall")?;
    let folder = crate::commands::current_folder()?;
    let home = uninstall.agents_home.as_deref();
    let surroundings = Surroundings::new(places, &folder, home, true)?;
    let scope = uninstall.scope.into();
    let path = surroundings.with_bases(|bases| target(profile.agent, scope, bases))?;
    let mut removals = Vec::new();
    if let Some(text) = disk::read_plain(&path)? {
        if needs_trust(profile.agent) {
            let config = surroundings.with_bases(codex_config);
            if let Some(now) = disk::read_plain(&config)? {
                let known = record::load(&places.state_dir, &config);
                let unchanged = known.filter(|known| known.is_unchanged(&now));
                let is_restored = unchanged.is_some();
                let edit = match unchanged {
                    Some(known) => Edit {
                        path: config.clone(),
                        before: Some(now),
                        after: known.before,
                    },
                    None => distrust_hooks(&path, &text, &config, &now, &surroundings.home)?,
                };
                removals.push(Removal {
                    edit,
                    folders: Vec::new(),
                    is_restored,
                    scope: Scope::User,
                });
            }
        }
        let known = record::load(&places.state_dir, &path);
        let made = known.as_ref().is_some_and(|known| known.before.is_none());
        let unchanged = known.as_ref().filter(|known| known.is_unchanged(&text));
        let recorded = unchanged.map(|known| known.before.as_deref());
        let edit = countersign_install::uninstall(
            profile,
            &path,
            &text,
            recorded,
            made,
            &surroundings.home,
        )?;
        removals.push(Removal {
            is_restored: recorded.is_some(),
            edit,
            folders: known.map(|known| known.folders).unwrap_or_default(),
            scope,
        });
    }
    removals.retain(|removal| !removal.edit.is_nothing());
    if !uninstall.dry_run && !uninstall.yes && !removals.is_empty() {
        if uninstall.json || !output::interactive() {
            bail!("nobody is there to agree: look with --dry-run, then say --yes");
        }
        let mut out = output::stdout();
        told::changes(&mut out, removals.iter().map(|removal| &removal.edit))?;
        drop(out);
        if !questions::agreed("Write this?")? {
            writeln!(output::stdout(), "nothing was changed")?;
            return Ok(ExitCode::SUCCESS);
        }
    }
    if !uninstall.dry_run {
        for removal in &removals {
            let place = disk::Place {
                scope: removal.scope,
                workspace: surroundings.workspace.as_deref(),
            };
            disk::apply(&removal.edit, place)?;
            if removal.edit.after.is_none() {
                disk::remove_folders(&removal.folders);
            }
            record::forget(&places.state_dir, &removal.edit.path)?;
        }
    }
    tell(profile.title, uninstall, &removals)
}

fn tell(title: &str, uninstall: &Uninstall, removals: &[Removal]) -> Result<ExitCode> {
    let mut out = output::stdout();
    if uninstall.json {
        let files: Vec<_> = removals
            .iter()
            .map(|removal| {
                json!({
                    "file": removal.edit.path,
                    "removed": removal.edit.after.is_none(),
                    "restored": removal.is_restored,
                    "diff": countersign_install::diff(&removal.edit),
                })
            })
            .collect();
        let report = json!({
            "agent": uninstall.agent,
            "changed": !removals.is_empty(),
            "written": !removals.is_empty() && !uninstall.dry_run,
            "files": files,
        });
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if removals.is_empty() {
        writeln!(
            out,
            "{title} has no hook of Countersign there; nothing was changed"
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    if uninstall.dry_run {
        told::changes(&mut out, removals.iter().map(|removal| &removal.edit))?;
        return Ok(ExitCode::SUCCESS);
    }
    for removal in removals {
        let how = if removal.edit.after.is_none() {
            "is removed; install had made it"
        } else if removal.is_restored {
            "is byte for byte what it was"
        } else {
            "was changed since: only Countersign's entries are out of it"
        };
        writeln!(out, "{} {how}", removal.edit.path)?;
    }
    let line =
        format!("{title} does not call Countersign from there any more: nothing of it is guarded");
    writeln!(out, "{}", styled(DIM, &line))?;
    Ok(ExitCode::SUCCESS)
}
