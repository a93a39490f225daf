//! `countersign install`: an agent calls the guard from then on. For a person;
//! refuses under an agent.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;
use countersign_install::{
    Edit, Plan, Profile, Scope, Version, Wish, codex_config, disk, needs_trust, program, record,
    target, trust_hooks,
};
use countersign_settings::Places;

use super::{Surroundings, profile_of, questions, refuse_under_agent, told};
use crate::arguments::Install;
use crate::output;

/// What is going to be changed.
pub(super) struct Prepared {
    pub(super) plan: Plan,
    /// Codex's settings, where trust is given too.
    pub(super) trust: Option<Edit>,
    /// Why the agent's version is not known.
    pub(super) unknown_version: Option<String>,
    /// Whether the file lies elsewhere than the agent keeps it by itself.
    pub(super) is_moved: bool,
}

impl Prepared {
    pub(super) fn edits(&self) -> impl Iterator<Item = &Edit> {
        std::iter::once(&self.plan.edit)
            .chain(&self.trust)
            .filter(|edit| !edit.is_nothing())
    }
}

pub(in crate::commands) fn run(places: &Places, install: &Install) -> Result<ExitCode> {
    let profile = profile_of(install.agent)?;
    refuse_under_agent("install")?;
    let folder = crate::commands::current_folder()?;
    let home = install.agents_home.as_deref();
    let surroundings = Surroundings::new(places, &folder, home, true)?;
    let scope = install.scope.into();
    let prepared = prepare(places, &surroundings, profile, scope, install)?;
    let nothing_to_do = prepared.edits().next().is_none();
    if install.dry_run {
        let answer = told::Told::of(profile, scope, &prepared, false);
        return told::installed(&answer, &prepared, None, install.json);
    }
    if !nothing_to_do && !install.yes {
        if install.json || !output::interactive() {
            bail!("nobody is there to agree: look with --dry-run, then say --yes");
        }
        let mut out = output::stdout();
        told::changes(&mut out, prepared.edits())?;
        drop(out);
        if !questions::agreed("Write this?")? {
            writeln!(output::stdout(), "nothing was changed")?;
            return Ok(ExitCode::SUCCESS);
        }
    }
    let place = disk::Place {
        scope,
        workspace: surroundings.workspace.as_deref(),
    };
    for edit in prepared.edits() {
        let without = if edit.path == prepared.plan.edit.path {
            prepared.plan.without.as_deref()
        } else {
            edit.before.as_deref()
        };
        // Trust is kept in the user's settings, whatever the scope.
        let place = if edit.path == prepared.plan.edit.path {
            place
        } else {
            disk::Place {
                scope: Scope::User,
                ..place
            }
        };
        write(places, install, edit, without, place)?;
    }
    questions::mode(places, &folder, install)?;
    questions::classifier(places, &folder, &surroundings.home, install)?;
    let answer = told::Told::of(profile, scope, &prepared, !nothing_to_do);
    let report = surroundings.report(install.agent);
    told::installed(&answer, &prepared, report.as_ref(), install.json)
}

fn prepare(
    places: &Places,
    surroundings: &Surroundings,
    profile: &'static Profile,
    scope: Scope,
    install: &Install,
) -> Result<Prepared> {
    let (version, unknown_version) = match &install.agent_version {
        Some(text) => {
            let version = Version::find(text).with_context(|| {
                format!("--agent-version: `{text}` is no version such as 2.1.329")
            })?;
            (Some(version), None)
        }
        None => surroundings.version(profile),
    };
    let path = surroundings.with_bases(|bases| target(profile.agent, scope, bases))?;
    let by_itself = surroundings.without_variables(|bases| target(profile.agent, scope, bases))?;
    let before = disk::read_plain(&path)?;
    let program = program::hook_program(&surroundings.own, &surroundings.path);
    // Settings and state are then where this command has them.
    let state_home = places
        .relocated
        .then(|| places.config_dir.parent())
        .flatten();
    let wish = Wish {
        program: &program,
        state_home,
        home: &surroundings.home,
        version,
        timeout: install.timeout,
    };
    let plan = countersign_install::install(profile, &path, before.as_deref(), &wish)?;
    let trust = if install.trust_hooks {
        if !needs_trust(profile.agent) {
            bail!(
                "--trust-hooks is for Codex: {} trusts its hooks by itself",
                profile.title
            );
        }
        let config = surroundings.with_bases(codex_config);
        let text = disk::read_plain(&config)?;
        let hooks = plan.edit.after.as_deref().unwrap_or_default();
        Some(trust_hooks(
            &path,
            hooks,
            &config,
            text.as_deref(),
            &surroundings.home,
        )?)
    } else {
        None
    };
    Ok(Prepared {
        plan,
        trust,
        unknown_version,
        is_moved: path != by_itself,
    })
}

/// Writes a change; what the file was is remembered before.
fn write(
    places: &Places,
    install: &Install,
    edit: &Edit,
    without: Option<&str>,
    place: disk::Place<'_>,
) -> Result<()> {
    let state: &Utf8Path = &places.state_dir;
    let known = record::load(state, &edit.path);
    let kept = known
        .clone()
        .filter(|known| known.is_unchanged(edit.before.as_deref().unwrap_or_default()));
    let mut record = record::Record {
        agent: install.agent,
        path: edit.path.clone(),
        after: record::digest(edit.after.as_deref().unwrap_or_default()),
        folders: known.map(|known| known.folders).unwrap_or_default(),
        before: match kept {
            Some(known) => known.before,
            None => without.map(str::to_owned),
        },
    };
    record::keep(state, &record)?;
    let made = disk::apply(edit, place)?;
    if !made.is_empty() {
        record.folders = made;
        record::keep(state, &record)?;
    }
    Ok(())
}
