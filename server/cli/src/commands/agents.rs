//! What `install`, `uninstall`, `status` and `doctor` share: where agents keep
//! their settings here, and what those come to.

pub(super) mod install;
mod questions;
pub(super) mod status;
mod told;
pub(super) mod uninstall;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_guard::Guard;
use countersign_install::{
    Bases, Content, Facts, Layer, Profile, Report, Standing, Version, codex_config, disk, layers,
    look, own_folder, profile, program,
};
use countersign_settings::Places;

/// Where agents and their settings are.
#[derive(Debug, Clone)]
pub(super) struct Surroundings {
    /// The home folder in which agents keep their settings.
    pub(super) home: Utf8PathBuf,
    /// The workspace, if this folder is one.
    pub(super) workspace: Option<Utf8PathBuf>,
    /// This program.
    pub(super) own: Utf8PathBuf,
    /// The folders in which programs are looked for.
    pub(super) path: String,
    /// Whether agents' variables count: not for another home than the user's.
    has_variables: bool,
    /// Whether an agent's program may be started to say its version: not under
    /// an agent, which says what is found.
    may_start: bool,
}

/// A variable of the person who runs a command.
#[expect(
    clippy::disallowed_methods,
    reason = "where programs are and where agents keep their settings is said by variables; what \
              is found is only reported, or written for a person whom no agent started"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Surroundings {
    /// Those of this process; `home` in place of the user's home folder.
    pub(super) fn new(
        places: &Places,
        folder: &Utf8Path,
        home: Option<&Utf8Path>,
        may_start: bool,
    ) -> Result<Self> {
        let own = std::env::current_exe().context("the program does not know its own file")?;
        let own = Utf8PathBuf::from_path_buf(own).map_err(|own| {
            anyhow::anyhow!("the program's own file {} is not UTF-8", own.display())
        })?;
        Ok(Self {
            home: match home {
                Some(home) => folder.join(home),
                None => places.home.clone(),
            },
            workspace: Guard::looking_in(places.clone(), folder).workspace,
            own,
            path: variable("PATH").unwrap_or_default(),
            has_variables: home.is_none(),
            may_start,
        })
    }

    fn with_bases<T>(&self, work: impl FnOnce(&Bases<'_>) -> T) -> T {
        let variable = |name: &str| self.has_variables.then(|| variable(name)).flatten();
        work(&Bases {
            home: &self.home,
            workspace: self.workspace.as_deref(),
            machine: Utf8Path::new("/"),
            variable: &variable,
        })
    }

    /// The same as if no variable moved anything.
    fn without_variables<T>(&self, work: impl FnOnce(&Bases<'_>) -> T) -> T {
        let unmoved = Self {
            has_variables: false,
            ..self.clone()
        };
        unmoved.with_bases(work)
    }

    /// The agent's installed version, and why it is not known.
    pub(super) fn version(&self, profile: &Profile) -> (Option<Version>, Option<String>) {
        match program::installed(profile, &self.path, self.may_start) {
            Some(found) => (found.version, found.why_not),
            None => {
                let names = profile.programs.join(" or ");
                (None, Some(format!("{names} is not in the search path")))
            }
        }
    }

    /// What an agent's settings come to; none for an agent that has none.
    pub(super) fn report(&self, agent: Agent) -> Option<Report> {
        let profile = profile(agent)?;
        let mut layers = self.with_bases(|bases| layers(agent, bases));
        disk::read_layers(&mut layers);
        let is_named = layers.iter().any(speaks_of_us);
        // Looking for a version may start a program.
        let version = is_named.then(|| self.version(profile).0).flatten();
        let codex_config = self.with_bases(codex_config);
        let is_here = self.with_bases(|bases| own_folder(agent, bases)).is_dir()
            || profile
                .programs
                .iter()
                .any(|name| program::find(name, &self.path).is_some());
        let binary = |word: &str| program::binary(word, &self.own, &self.path);
        let variable = |name: &str| self.has_variables.then(|| variable(name)).flatten();
        let facts = Facts {
            profile,
            version,
            is_here,
            home: &self.home,
            codex_config: &codex_config,
            workspace: self.workspace.as_deref(),
            variable: &variable,
            binary: &binary,
        };
        Some(look(&facts, &layers))
    }

    /// What the settings of every agent come to that is here, or has a hook.
    pub(super) fn reports(&self) -> Vec<Report> {
        Agent::ALL
            .into_iter()
            .filter_map(|agent| self.report(agent))
            .filter(|report| report.standing != Standing::Absent)
            .collect()
    }
}

fn speaks_of_us(layer: &Layer) -> bool {
    matches!(&layer.content, Content::Text(text) if text.to_lowercase().contains("countersign"))
}

/// What there is to do for an agent that nothing is installed for.
const GENERIC: &str = "any agent that can run a program before a tool can call `countersign hook \
generic`: there is nothing to install. docs/agents/generic.md has what goes in and what comes \
out, with examples in three languages";

/// An agent's profile; what to do where it has none.
fn profile_of(agent: Agent) -> Result<&'static Profile> {
    profile(agent).with_context(|| format!("{agent}: {GENERIC}"))
}

/// Refuses under an agent: what guards it is not for it to change.
fn refuse_under_agent(command: &str) -> Result<()> {
    match countersign_ipc::under_agent().doubt() {
        None => Ok(()),
        Some(why) => anyhow::bail!(
            "{command} is for a person, and {why}; run `countersign {command}` in a terminal of \
             your own"
        ),
    }
}
