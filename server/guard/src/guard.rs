//! Putting the guard together: places, settings, policy, engine.

use std::env;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::mode::ApprovalMode;
use countersign_core::own::{HOOK_PROGRAM, PROGRAM};
use countersign_core::policy::Policy;
use countersign_core::rules::{Reading, RuleList, RuleOrigin, Scope};
use countersign_core::state::{ProcessId, StateStore};
use countersign_engine::clock::SystemClock;
use countersign_engine::host::Host;
use countersign_engine::nesting::{Above, AgentAbove};
use countersign_engine::observer::{DenialLogger, Observer};
use countersign_engine::policy::{Surroundings, policy};
use countersign_engine::{Engine, Ids, Processes};
use countersign_settings::{EditorLayers, Effective, Loader, Places, PlacesError};

/// What holds in one folder.
#[derive(Debug)]
pub struct Guard {
    /// Where settings and state are.
    pub places: Places,
    /// The file system.
    pub host: Arc<Host>,
    /// The workspace of the folder; none where there is none.
    pub workspace: Option<Utf8PathBuf>,
    /// The settings that hold.
    pub effective: Arc<Effective>,
    /// The settings as they were loaded, to see whether they still are.
    pub loaded: (Arc<Effective>, Option<Arc<Effective>>),
    /// The same, compiled.
    pub policy: Policy,
    /// What the session's mode is at least as strict as, whoever chose it.
    pub tighten: Option<ApprovalMode>,
}

/// What holds in a folder, but for what one process alone knows.
pub struct Ground {
    /// The workspace of the session.
    pub workspace: Option<Utf8PathBuf>,
    /// The settings that hold there.
    pub effective: Arc<Effective>,
    /// The settings of the folder that an agent moved to, if that is in
    /// another workspace: what they restrict holds too.
    pub visited: Option<Arc<Effective>>,
}

impl Ground {
    /// What holds in `folder` for a session that began in the workspace
    /// `began_in`; see [`Guard::in_session`].
    pub fn find(
        loader: &mut Loader,
        workspace_here: Option<Utf8PathBuf>,
        began_in: Option<Utf8PathBuf>,
        editor: &dyn Fn(Option<&Utf8Path>) -> EditorLayers,
    ) -> Self {
        let here = loader.load(
            workspace_here.as_deref(),
            &editor(workspace_here.as_deref()),
        );
        match began_in.filter(|began| workspace_here.as_ref() != Some(began)) {
            None => Self {
                workspace: workspace_here,
                effective: here,
                visited: None,
            },
            Some(began) => Self {
                effective: loader.load(Some(&began), &editor(Some(&began))),
                workspace: Some(began),
                visited: Some(here),
            },
        }
    }

    /// Whether a guard was made of this same ground.
    pub fn is_still(&self, guard: &Guard) -> bool {
        let (effective, visited) = &guard.loaded;
        Arc::ptr_eq(effective, &self.effective)
            && match (visited, &self.visited) {
                (None, None) => true,
                (Some(one), Some(other)) => Arc::ptr_eq(one, other),
                (Some(_), None) | (None, Some(_)) => false,
            }
    }

    /// The guard of this ground, with rules that a person remembered for the
    /// session.
    pub fn guard(
        &self,
        places: &Places,
        host: Arc<Host>,
        session_rules: &[String],
        tighten: Option<ApprovalMode>,
    ) -> Guard {
        let mut effective = Arc::clone(&self.effective);
        if let Some(visited) = &self.visited {
            restrict(Arc::make_mut(&mut effective), visited);
        }
        if !session_rules.is_empty() {
            remember(Arc::make_mut(&mut effective), session_rules, places);
        }
        let visited = self.visited.as_ref().map(|visited| visited.starting_mode());
        let tighten = ApprovalMode::strictest(visited, tighten);
        let policy = policy(
            &effective,
            places,
            &surroundings(self.workspace.as_deref(), tighten),
        );
        Guard {
            places: places.clone(),
            host,
            workspace: self.workspace.clone(),
            effective,
            loaded: (Arc::clone(&self.effective), self.visited.clone()),
            policy,
            tighten,
        }
    }
}

impl Guard {
    /// The mode of a session for which a person chose `chosen`, if one did:
    /// as the settings let it act here.
    #[must_use]
    pub fn mode(&self, chosen: Option<ApprovalMode>) -> ApprovalMode {
        let mode = chosen.map_or_else(
            || self.effective.starting_mode(),
            |chosen| self.effective.cap(chosen),
        );
        self.tighten.map_or(mode, |tighten| mode.stricter(tighten))
    }

    /// Reads the settings that hold in `folder`, and keeps what is kept of
    /// them: the last good ones, and what restricts.
    #[must_use]
    pub fn in_folder(places: Places, folder: &Utf8Path, tighten: Option<ApprovalMode>) -> Self {
        let loader = Loader::new(places.clone());
        Self::assemble(&places, None, folder, tighten, loader)
    }

    /// What holds in `folder` for a session that began in the workspace
    /// `began_in`. An agent that moves to another one takes its session along:
    /// only what it began in is inside, and what restricts in either holds.
    #[must_use]
    pub fn in_session(
        places: Places,
        began_in: Option<Utf8PathBuf>,
        folder: &Utf8Path,
        tighten: Option<ApprovalMode>,
    ) -> Self {
        let loader = Loader::new(places.clone());
        Self::assemble(&places, began_in, folder, tighten, loader)
    }

    /// The same as [`Self::in_folder`] without writing anything.
    #[must_use]
    pub fn looking_in(places: Places, folder: &Utf8Path) -> Self {
        let loader = Loader::reading_only(places.clone());
        Self::assemble(&places, None, folder, None, loader)
    }

    /// What would hold with these allow rules in addition.
    #[must_use]
    pub fn policy_with(&self, rules: &[String]) -> Policy {
        let mut effective = Effective::clone(&self.effective);
        remember(&mut effective, rules, &self.places);
        policy(
            &effective,
            &self.places,
            &surroundings(self.workspace.as_deref(), self.tighten),
        )
    }

    fn assemble(
        places: &Places,
        began_in: Option<Utf8PathBuf>,
        folder: &Utf8Path,
        tighten: Option<ApprovalMode>,
        mut loader: Loader,
    ) -> Self {
        let host = Arc::new(host(places));
        let here = host.workspace_of(folder, &places.home);
        let began_in = valid_beginning(began_in, here.as_deref(), &host, places);
        let nothing = |_: Option<&Utf8Path>| EditorLayers::default();
        Ground::find(&mut loader, here, began_in, &nothing).guard(places, host, &[], tighten)
    }
}

/// The workspace that the state says a session began in, if it can be one: the
/// state may have been written by anybody who runs as the user, and a folder
/// that is too large must not become a workspace.
pub fn valid_beginning(
    began_in: Option<Utf8PathBuf>,
    here: Option<&Utf8Path>,
    host: &Host,
    places: &Places,
) -> Option<Utf8PathBuf> {
    began_in.filter(|began| {
        here == Some(began) || host.workspace_of(began, &places.home).as_ref() == Some(began)
    })
}

/// Adds allow rules that a person remembered for one session.
fn remember(effective: &mut Effective, rules: &[String], places: &Places) {
    effective.rules.extend(rules.iter().map(|rule| {
        (
            RuleList::Allow,
            rule.clone(),
            RuleOrigin {
                scope: Scope::Session,
                file: None,
                line: None,
                root: places.home.clone(),
                reading: Reading::Countersign,
            },
        )
    }));
}

fn surroundings(workspace: Option<&Utf8Path>, tighten: Option<ApprovalMode>) -> Surroundings {
    Surroundings {
        workspaces: workspace.iter().map(|path| (*path).to_owned()).collect(),
        programs: own_programs(),
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
///
/// # Errors
/// As [`Places::for_user`] and [`Places::below`].
pub fn places(home: Option<&Utf8Path>) -> Result<Places, PlacesError> {
    match home {
        Some(home) => Places::below(home),
        None => Places::for_user(),
    }
}

/// A host that takes no folder of the guard's own for a workspace.
#[must_use]
pub fn host(places: &Places) -> Host {
    Host::new(vec![
        places.config_dir.clone(),
        places.state_dir.clone(),
        places.runtime_dir.clone(),
    ])
}

/// An engine over a store, with the real clock and processes.
#[must_use]
pub fn engine(store: Arc<dyn StateStore>, observers: Vec<Box<dyn Observer>>) -> Engine {
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

/// This program, and those that stand beside it by name: each starts the other.
fn own_programs() -> Vec<Utf8PathBuf> {
    let Some(own) = env::current_exe()
        .ok()
        .and_then(|own| Utf8PathBuf::from_path_buf(own).ok())
    else {
        return Vec::new();
    };
    let beside = [PROGRAM, HOOK_PROGRAM].map(|name| own.with_file_name(name));
    let others = beside.into_iter().filter(|other| *other != own);
    others.chain([own.clone()]).collect()
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

    fn above(&self, process: &ProcessId) -> Above {
        let above = countersign_ipc::agents_above(process);
        Above {
            agents: above
                .agents
                .into_iter()
                .map(|agent| AgentAbove {
                    process: agent.process,
                    may_be_launcher: agent.may_be_launcher,
                })
                .collect(),
            is_whole: above.is_whole,
        }
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
