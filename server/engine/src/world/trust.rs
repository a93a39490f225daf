//! What is trusted to execute: the bytes on disk are what the baseline has at
//! that path. And whether guarded calls changed what a task of the project
//! would run.
//!
//! Every doubt and every error is a no.

use std::fs;
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::effect::Task;
use countersign_core::facts::Loads;
use countersign_core::ledger::{Written, content_digest, may_be_code};
use countersign_core::paths::{FileKind, PathFact};
use countersign_core::policy::Policy;
use countersign_repository::{BlobId, CommitId, Mode, RepositoryError, Tree};
use countersign_shell::{Project, ScriptContent};

use crate::host::{self, Host};
use crate::ledger::{Baseline, Records};

/// Most names that are looked at for one call.
const MOST_NAMES: usize = 10_000;

/// Most bytes that are hashed for one call.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Longest script that is read, in bytes.
const LONGEST_SCRIPT: u64 = 64 * 1024;

/// Most files that a reason names.
const MOST_NAMED: usize = 5;

/// What was found out for one call, within what it may cost.
pub(crate) struct Trust<'a> {
    host: &'a Host,
    policy: &'a Policy,
    records: &'a dyn Records,
    names: usize,
    bytes: u64,
    /// The files that define the tasks that were asked about, and scripts.
    definitions: Vec<Utf8PathBuf>,
    /// What agents changed of what tasks would run; none where that is not
    /// known.
    edited: Option<Vec<Utf8PathBuf>>,
    /// Whether edited code is taken for code as the baseline has it.
    forgives: bool,
}

/// What is trusted in one workspace.
struct Ground {
    /// The canonical workspace.
    workspace: Utf8PathBuf,
    /// The work tree of its repository.
    root: Utf8PathBuf,
    /// The tree of the baseline.
    tree: Tree,
    /// Whether that is what HEAD is.
    is_head: bool,
}

/// Why something is not trusted; in plain words, lower case.
struct Doubt(String);

impl<'a> Trust<'a> {
    pub(crate) fn new(host: &'a Host, policy: &'a Policy, records: &'a dyn Records) -> Self {
        Self {
            host,
            policy,
            records,
            names: MOST_NAMES,
            bytes: MOST_BYTES,
            definitions: Vec::new(),
            edited: Some(Vec::new()),
            forgives: false,
        }
    }

    /// What was found that the call would run or load, to be taken once.
    pub(crate) fn loads(&mut self) -> Loads {
        let mut definitions = std::mem::take(&mut self.definitions);
        definitions.sort();
        definitions.dedup();
        let mut edited = self.edited.replace(Vec::new());
        if let Some(edited) = &mut edited {
            edited.sort();
            edited.dedup();
        }
        Loads {
            edited: edited.filter(|edited| edited.len() <= Loads::MOST),
            definitions,
            but_for_edited: false,
        }
    }

    /// From now on edited code is no reason against a task.
    pub(crate) fn forgive(&mut self, forgives: bool) {
        self.forgives = forgives;
    }

    /// What stands in the way of a task in a canonical folder.
    pub(super) fn project(&mut self, folder: &Utf8Path, task: &Task) -> Project {
        let ground = match self.ground(folder) {
            Ok(ground) => ground,
            Err(doubt) => {
                return Project {
                    root: None,
                    problem: Some(doubt.0),
                };
            }
        };
        // An approval is bound to both, whatever is said first.
        let defined = self.definitions(folder, task, &ground);
        let unchanged = if task.runs_code && !self.policy.run_edited_code && !self.forgives {
            self.all_code(&ground)
        } else {
            Ok(())
        };
        let problem = defined.and(unchanged).err();
        Project {
            root: Some(ground.workspace),
            problem: problem.map(|doubt| doubt.0),
        }
    }

    /// The files that define a task, from its folder up to the workspace: each
    /// that is there is as the baseline has it, and there is one.
    fn definitions(
        &mut self,
        folder: &Utf8Path,
        task: &Task,
        ground: &Ground,
    ) -> Result<(), Doubt> {
        let mut doubt = None;
        let mut found = false;
        let folders = folder
            .ancestors()
            .take_while(|folder| folder.starts_with(&ground.workspace));
        for folder in folders {
            for name in task.defined_by {
                let path = folder.join(name);
                match fs::symlink_metadata(&path) {
                    Err(error) if error.kind() == ErrorKind::NotFound => continue,
                    Err(_) => return Err(Doubt(format!("{path} cannot be looked at"))),
                    Ok(_) => found = true,
                }
                if !self.is_as_baseline(&path, ground)? && doubt.is_none() {
                    doubt = Some(format!(
                        "{} defines it and is not as the baseline has it",
                        seen(&path, ground)
                    ));
                }
                if self.definitions.len() < Loads::MOST {
                    self.definitions.push(path);
                }
            }
        }
        match doubt {
            Some(doubt) => Err(Doubt(doubt)),
            None if found => Ok(()),
            None => Err(Doubt("no file in the workspace defines it".to_owned())),
        }
    }

    /// Guarded calls changed nothing that a task could run, in its workspace or
    /// in another one of the session: projects load one another.
    fn all_code(&mut self, ground: &Ground) -> Result<(), Doubt> {
        let mut doubt = self.code(ground).err();
        let others: Vec<Utf8PathBuf> = self
            .policy
            .workspaces
            .iter()
            .filter(|other| **other != ground.workspace)
            .cloned()
            .collect();
        for other in others {
            let is_untouched = self.records.written(&other).is_some_and(|written| {
                !written.is_possibly_written()
                    && !written.entries.iter().any(|entry| may_be_code(&entry.path))
            });
            if is_untouched {
                continue;
            }
            let unchanged = match self.ground(&other) {
                Ok(ground) if ground.workspace == other => self.code(&ground),
                _ => {
                    self.edited = None;
                    Err(Doubt(format!("agents may have changed {other}")))
                }
            };
            doubt = doubt.or(unchanged.err());
        }
        doubt.map_or(Ok(()), Err)
    }

    /// The same of one workspace.
    fn code(&mut self, ground: &Ground) -> Result<(), Doubt> {
        if !ground.is_head {
            self.edited = None;
            return Err(Doubt(
                "HEAD is not the baseline any more: a person can set it anew".to_owned(),
            ));
        }
        let Some(written) = self.records.written(&ground.workspace) else {
            self.edited = None;
            return Err(Doubt(
                "what agents changed in the workspace cannot be told".to_owned(),
            ));
        };
        if let Some(running) = written.in_flight.first() {
            self.edited = None;
            return Err(Doubt(format!(
                "a call of {} is running that may change anything",
                running.key.agent
            )));
        }
        let is_anything = written.is_possibly_written();
        let mut edited = Vec::new();
        if is_anything && let Err(doubt) = self.all_that_differ(ground, &mut edited) {
            self.edited = None;
            return Err(doubt);
        }
        for entry in &written.entries {
            let is_there = entry.what != Written::Unbounded && may_be_code(&entry.path);
            if is_there && !edited.contains(&entry.path) && self.differs(&entry.path, ground)? {
                edited.push(entry.path.clone());
            }
        }
        if edited.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = edited
            .iter()
            .take(MOST_NAMED)
            .map(|path| seen(path, ground))
            .collect();
        let more = match edited.len() - names.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        if let Some(all) = &mut self.edited {
            all.extend(edited);
        }
        let names = names.join(", ");
        Err(Doubt(if is_anything {
            format!("agents may have changed what it may run: {names}{more}")
        } else {
            format!("agents changed what it may run: {names}{more}")
        }))
    }

    /// Whether what is at a path is something else than in the baseline.
    fn differs(&mut self, path: &Utf8Path, ground: &Ground) -> Result<bool, Doubt> {
        match fs::symlink_metadata(path) {
            // What is in it has entries of its own.
            Ok(metadata) if metadata.is_dir() => Ok(false),
            Ok(_) => Ok(!self.is_as_baseline(path, ground)?),
            Err(_) => {
                let inside = path.strip_prefix(&ground.root).map_err(|_| unclear(path))?;
                let known = ground.tree.blob(inside).map_err(|_| unclear(path))?;
                Ok(known.is_some())
            }
        }
    }

    /// The files of the workspace that may be code and are not as the baseline
    /// has them, those that are gone included.
    fn all_that_differ(
        &mut self,
        ground: &Ground,
        found: &mut Vec<Utf8PathBuf>,
    ) -> Result<(), Doubt> {
        let inside = ground
            .workspace
            .strip_prefix(&ground.root)
            .map_err(|_| unclear(&ground.workspace))?;
        let known = ground
            .tree
            .entries_below(inside)
            .map_err(|_| unclear(&ground.workspace))?;
        for entry in known {
            self.look()?;
            let path = ground.root.join(&entry.path);
            if may_be_code(&path) && fs::symlink_metadata(&path).is_err() {
                found.push(path);
            }
        }
        let mut folders = vec![ground.workspace.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(|_| unclear(&folder))? {
                let entry = entry.map_err(|_| unclear(&folder))?;
                let name = entry
                    .file_name()
                    .into_string()
                    .map_err(|_| unclear(&folder))?;
                let path = folder.join(name);
                self.look()?;
                if found.len() > Loads::MOST {
                    return Err(Doubt(format!(
                        "agents may have changed anything in the workspace: more than {} files \
                         are not as the baseline has them",
                        Loads::MOST
                    )));
                }
                if path == ground.root.join(".git") {
                    continue;
                }
                let kind = entry.file_type().map_err(|_| unclear(&path))?;
                if kind.is_dir() {
                    folders.push(path);
                } else if may_be_code(&path) && !self.is_as_baseline(&path, ground)? {
                    found.push(path);
                }
            }
        }
        Ok(())
    }

    /// Counts a name that is looked at.
    fn look(&mut self) -> Result<(), Doubt> {
        self.names = self
            .names
            .checked_sub(1)
            .ok_or_else(|| Doubt("agents may have changed anything in the workspace".to_owned()))?;
        Ok(())
    }

    /// Whether the regular file at a path holds what the baseline has there.
    fn is_as_baseline(&mut self, path: &Utf8Path, ground: &Ground) -> Result<bool, Doubt> {
        let inside = path.strip_prefix(&ground.root).map_err(|_| unclear(path))?;
        let known = ground.tree.blob(inside).map_err(|_| unclear(path))?;
        let Some((blob, Mode::File | Mode::Executable)) = known else {
            return Ok(false);
        };
        let metadata = fs::symlink_metadata(path).map_err(|_| unclear(path))?;
        if !metadata.is_file() {
            return Ok(false);
        }
        self.bytes = self
            .bytes
            .checked_sub(metadata.len())
            .ok_or_else(|| unclear(path))?;
        let there = self.host.repositories.blob_id_of_file(path);
        Ok(there.map_err(|_| unclear(path))? == Some(blob))
    }

    /// Whether a path is a file of the workspace that is not as the baseline has
    /// it.
    pub(crate) fn is_changed(&mut self, fact: &PathFact) -> bool {
        let path = &fact.canonical;
        let folder = path.parent().unwrap_or(path);
        if fact.kind != FileKind::File || self.workspace(folder).is_err() {
            return false;
        }
        let is_as_baseline = self
            .ground(folder)
            .and_then(|ground| self.is_as_baseline(path, &ground));
        !is_as_baseline.unwrap_or(false)
    }

    /// What the script at a path holds, if that is what the baseline has there,
    /// or what a call of an agent gave for it.
    pub(super) fn script(&mut self, fact: &PathFact) -> Result<ScriptContent, String> {
        let path = &fact.canonical;
        if fact.kind != FileKind::File {
            return Err(format!("`{}` is no file that can be read", fact.given));
        }
        let folder = path.parent().unwrap_or(path);
        let workspace = self.workspace(folder).map_err(|doubt| doubt.0)?;
        let bytes = host::content(path, LONGEST_SCRIPT)
            .ok_or_else(|| format!("{path} is too long to be read as a script"))?;
        let written = self.records.written(path);
        let is_quiet = self
            .records
            .written(&workspace)
            .is_some_and(|written| written.in_flight.is_empty());
        if !is_quiet {
            return Err(format!(
                "a call is running that may change {path} before it runs"
            ));
        }
        let is_given =
            written.is_some_and(|written| written.is_known_content(path, content_digest(&bytes)));
        if !is_given && !self.is_baseline_content(path, &bytes) {
            return Err(format!(
                "{path} is neither as the baseline has it nor what an agent's call gave"
            ));
        }
        let text = String::from_utf8(bytes).map_err(|_| format!("{path} is no text"))?;
        if self.definitions.len() < Loads::MOST {
            self.definitions.push(path.clone());
        }
        Ok(ScriptContent {
            path: path.clone(),
            text,
        })
    }

    fn is_baseline_content(&self, path: &Utf8Path, bytes: &[u8]) -> bool {
        let Some(folder) = path.parent() else {
            return false;
        };
        let Ok(ground) = self.ground(folder) else {
            return false;
        };
        let Ok(inside) = path.strip_prefix(&ground.root) else {
            return false;
        };
        match (ground.tree.blob(inside), BlobId::of(bytes)) {
            (Ok(Some((blob, Mode::File | Mode::Executable))), Ok(there)) => blob == there,
            _ => false,
        }
    }

    /// The workspace that a canonical folder lies in.
    fn workspace(&self, folder: &Utf8Path) -> Result<Utf8PathBuf, Doubt> {
        self.policy
            .workspaces
            .iter()
            .filter(|workspace| folder.starts_with(workspace))
            .max_by_key(|workspace| workspace.components().count())
            .cloned()
            .ok_or_else(|| Doubt(format!("{folder} is outside the workspace")))
    }

    /// What is trusted where a canonical folder lies.
    fn ground(&self, folder: &Utf8Path) -> Result<Ground, Doubt> {
        let workspace = self.workspace(folder)?;
        let nothing = || Doubt("nothing in the workspace is trusted to execute".to_owned());
        let failed = |_: RepositoryError| Doubt("the repository cannot be read".to_owned());
        let repository = self
            .host
            .repositories
            .discover(folder, &self.policy.home)
            .map_err(failed)?
            .ok_or_else(nothing)?;
        if !repository.is_plain() || !workspace.starts_with(repository.root()) {
            return Err(nothing());
        }
        let head = repository.head().map_err(failed)?;
        let baseline = match self.records.baseline(&workspace, repository.common_dir()) {
            Baseline::Head => head,
            Baseline::Commit(commit) => CommitId::from_hex(&commit),
            Baseline::Nothing => None,
        }
        .ok_or_else(nothing)?;
        Ok(Ground {
            tree: repository.tree(baseline).map_err(failed)?,
            root: repository.root().to_owned(),
            is_head: head == Some(baseline),
            workspace,
        })
    }
}

fn unclear(path: &Utf8Path) -> Doubt {
    Doubt(format!(
        "{path} cannot be told to be as the baseline has it"
    ))
}

/// A path as people in the workspace know it.
fn seen(path: &Utf8Path, ground: &Ground) -> String {
    path.strip_prefix(&ground.workspace)
        .unwrap_or(path)
        .to_string()
}
