//! Putting the guard together for one process: places, settings, policy,
//! store, engine.

use std::env;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::mode::ApprovalMode;
use countersign_core::policy::Policy;
use countersign_core::rules::RuleList;
use countersign_core::state::{ProcessId, StateStore};
use countersign_engine::clock::SystemClock;
use countersign_engine::host::Host;
use countersign_engine::observer::{DenialLogger, Observer};
use countersign_engine::policy::{Surroundings, policy};
use countersign_engine::{Engine, Ids, Processes};
use countersign_settings::{EditorLayers, Effective, Loader, Places};

/// What holds in one folder.
pub(crate) struct Guard {
    pub(crate) places: Places,
    pub(crate) host: Host,
    /// The workspace of the folder; none where there is none.
    pub(crate) workspace: Option<Utf8PathBuf>,
    pub(crate) effective: Arc<Effective>,
    pub(crate) policy: Policy,
}

impl Guard {
    /// Reads the settings that hold in `folder`, and keeps what is kept of
    /// them: the last good ones, and what restricts.
    pub(crate) fn in_folder(
        places: Places,
        folder: &Utf8Path,
        tighten: Option<ApprovalMode>,
    ) -> Self {
        let loader = Loader::new(places.clone());
        Self::assemble(places, folder, tighten, loader)
    }

    /// What holds in `folder` for a session that began in the workspace
    /// `began_in`. An agent that moves to another one takes its session along:
    /// only what it began in is inside, and what restricts in either holds.
    pub(crate) fn in_session(
        places: Places,
        began_in: Option<Utf8PathBuf>,
        folder: &Utf8Path,
        tighten: Option<ApprovalMode>,
    ) -> Self {
        let here = Self::in_folder(places, folder, tighten);
        let Some(workspace) = began_in.filter(|began| here.workspace.as_ref() != Some(began))
        else {
            return here;
        };
        let mut loader = Loader::new(here.places.clone());
        let mut effective =
            Effective::clone(&loader.load(Some(&workspace), &EditorLayers::default()));
        restrict(&mut effective, &here.effective);
        let policy = policy(
            &effective,
            &here.places,
            &surroundings(Some(&workspace), Some(here.policy.mode)),
        );
        Self {
            workspace: Some(workspace),
            effective: Arc::new(effective),
            policy,
            ..here
        }
    }

    /// The same as [`Self::in_folder`] without writing anything.
    pub(crate) fn looking_in(places: Places, folder: &Utf8Path) -> Self {
        let loader = Loader::reading_only(places.clone());
        Self::assemble(places, folder, None, loader)
    }

    fn assemble(
        places: Places,
        folder: &Utf8Path,
        tighten: Option<ApprovalMode>,
        mut loader: Loader,
    ) -> Self {
        let host = host(&places);
        let workspace = host.workspace_of(folder, &places.home);
        let effective = loader.load(workspace.as_deref(), &EditorLayers::default());
        let policy = policy(
            &effective,
            &places,
            &surroundings(workspace.as_deref(), tighten),
        );
        Self {
            places,
            host,
            workspace,
            effective,
            policy,
        }
    }
}

fn surroundings(workspace: Option<&Utf8Path>, tighten: Option<ApprovalMode>) -> Surroundings {
    Surroundings {
        workspaces: workspace.iter().map(|path| (*path).to_owned()).collect(),
        programs: own_program().into_iter().collect(),
        path_folders: path_folders(),
        tighten,
    }
}

/// Adds to settings what other settings restrict; their mode is the caller's to
/// mind.
fn restrict(settings: &mut Effective, other: &Effective) {
    let restricting = other
        .rules
        .iter()
        .filter(|(list, _, _)| *list != RuleList::Allow);
    for rule in restricting {
        if !settings.rules.contains(rule) {
            settings.rules.push(rule.clone());
        }
    }
    for (list, more) in [
        (&mut settings.protected_add, &other.protected_add),
        (&mut settings.context_files, &other.context_files),
    ] {
        list.extend(more.iter().cloned());
    }
    settings.problems.extend(other.problems.iter().cloned());
    settings.limits = settings.limits.lower(other.limits);
    settings.review_credential_reads |= other.review_credential_reads;
    settings.classify_all_shell |= other.classify_all_shell;
    settings.static_analysis = settings.static_analysis.max(other.static_analysis);
}

/// The user's places, or those below `--home`.
pub(crate) fn places(home: Option<&Utf8Path>) -> Result<Places> {
    match home {
        Some(home) => Places::below(home),
        None => Places::for_user(),
    }
    .context("cannot tell where settings and state are")
}

/// A host that takes no folder of the guard's own for a workspace.
pub(crate) fn host(places: &Places) -> Host {
    Host::new(vec![
        places.config_dir.clone(),
        places.state_dir.clone(),
        places.runtime_dir.clone(),
    ])
}

/// The folder in which the program was started, as UTF-8.
pub(crate) fn current_folder() -> Result<Utf8PathBuf> {
    let folder = env::current_dir().context("the current folder cannot be read")?;
    Utf8PathBuf::from_path_buf(folder)
        .map_err(|folder| anyhow::anyhow!("the current folder {} is not UTF-8", folder.display()))
}

/// An engine over a store, with the real clock and processes.
pub(crate) fn engine(store: Arc<dyn StateStore>, observers: Vec<Box<dyn Observer>>) -> Engine {
    let mut all: Vec<Box<dyn Observer>> = vec![Box::new(DenialLogger)];
    all.extend(observers);
    Engine::new(
        store,
        Arc::new(SystemClock),
        Arc::new(SystemProcesses),
        Arc::new(RandomIds),
        all,
    )
}

fn own_program() -> Option<Utf8PathBuf> {
    Utf8PathBuf::from_path_buf(env::current_exe().ok()?).ok()
}

/// The folders on PATH. The variable is the agent's to set: a longer list only
/// protects more, and a shorter one takes away nothing that is protected by
/// name or place.
#[expect(
    clippy::disallowed_methods,
    reason = "the variable only adds to what is protected"
)]
fn path_folders() -> Vec<Utf8PathBuf> {
    env::var_os("PATH")
        .map(|path| {
            env::split_paths(&path)
                .filter_map(|folder| Utf8PathBuf::from_path_buf(folder).ok())
                .collect()
        })
        .unwrap_or_default()
}

struct SystemProcesses;

impl Processes for SystemProcesses {
    fn alive(&self, process: &ProcessId) -> bool {
        countersign_ipc::alive(process)
    }
}

/// Ids of 128 random bits, in hexadecimal.
struct RandomIds;

impl Ids for RandomIds {
    fn next(&self) -> String {
        let mut bytes = [0_u8; 16];
        if getrandom::fill(&mut bytes).is_err() {
            // Uniqueness is all that an id needs; it authorises nothing.
            let now = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0, |since| since.as_nanos());
            bytes = (now ^ (u128::from(std::process::id()) << 96)).to_le_bytes();
        }
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
