//! A workspace that exists only here, as the analysis sees the outside world.
//!
//! `/work/project` is a repository with a few tracked files; `untracked.txt` in
//! it could not be had back. Temp is empty, home is `/home/dev`.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::LazyLock;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use countersign_core::call::{CommandText, ShellDialect};
use countersign_core::command::Folder;
use countersign_core::effect::{Task, Touch};
use countersign_core::paths::FileKind;
use countersign_shell::{
    Containment, Place, Project, Repository, Scope, ScriptContent, Tree, World,
};

pub const ROOT: &str = "/work/project";
const HOME: &str = "/home/dev";

/// Tracked files, equal to HEAD.
const TRACKED: &[&str] = &[
    "a",
    "a.a",
    "a.b64",
    "a.bin",
    "a.cpio",
    "a.csv",
    "a.gz",
    "a.o",
    "a.out",
    "a.pdf",
    "a.so",
    "a.tar",
    "a.tar.gz",
    "a.txt",
    "a.xz",
    "a.zip",
    "app.log",
    "b",
    "b.txt",
    "main.c",
    "main.cpp",
    "main.o",
    "m.rs",
    "main.rs",
    "other/main.rs",
    "README.md",
    "src/a.txt",
    "src/main.rs",
    "src/x.c",
    "src/x.rs",
    "src/sub/deep.txt",
    "t.cpp",
    "x",
    "x.asm",
    "x.c",
    "x.cpp",
    "x.jpg",
    "x.json",
    "x.o",
    "x.png",
    "x.proto",
    "x.s",
    "odd/-f",
    "odd/a.rs",
    "odd/b.rs",
];

/// Files of which no other copy exists.
const UNTRACKED: &[&str] = &["untracked.txt", "notes/untracked.md"];

/// Protected files and folders.
const PROTECTED: &[&str] = &[
    ".claude",
    ".git",
    ".gitattributes",
    ".vscode",
    "Makefile",
    "package.json",
];

/// Empty folders that nobody misses.
const FOLDERS: &[&str] = &["out"];

/// What holds credentials, wherever the command runs.
const CREDENTIALS: &[&str] = &[
    "/etc/gshadow",
    "/etc/shadow",
    "/home/dev/.aws",
    "/home/dev/.config/gh",
    "/home/dev/.gnupg",
    "/home/dev/.netrc",
    "/home/dev/.ssh",
    "/root",
];

const SYSTEM: &[&str] = &[
    "/bin", "/boot", "/etc", "/lib", "/opt", "/proc", "/run", "/sbin", "/srv", "/sys", "/usr",
    "/var",
];

const OTHERS: &[&str] = &[
    "/etc/passwd",
    "/home/dev/.bashrc",
    "/home/dev/.ssh/id_rsa",
    "/tmp",
    "/usr/bin/ls",
];

const SINKS: &[&str] = &[
    "/dev/null",
    "/dev/stderr",
    "/dev/stdin",
    "/dev/stdout",
    "/dev/tty",
    "/dev/urandom",
    "/dev/zero",
];

/// The workspace, and what lies around it.
pub struct Workspace {
    /// Whether [`LINKS`] are there.
    has_links: bool,
    /// Whether tasks of the project, and [`SCRIPTS`], are trusted.
    is_trusted: bool,
}

/// Whether the command is contained there, and why not. There are no links.
pub fn judged(text: &str) -> Containment {
    judged_by(text, ShellDialect::Bash, false)
}

/// The same where links lead out of the workspace.
pub fn judged_with_links(text: &str, dialect: ShellDialect) -> Containment {
    judged_by(text, dialect, true)
}

/// The same where the project's tasks and scripts are as the baseline has them.
pub fn judged_with_trust(text: &str) -> Containment {
    let world = Workspace {
        has_links: false,
        is_trusted: true,
    };
    judged_in(text, ShellDialect::Bash, &world)
}

fn judged_by(text: &str, dialect: ShellDialect, has_links: bool) -> Containment {
    let world = Workspace {
        has_links,
        is_trusted: false,
    };
    judged_in(text, dialect, &world)
}

fn judged_in(text: &str, dialect: ShellDialect, world: &Workspace) -> Containment {
    let view = countersign_shell::view(&CommandText {
        text: text.to_owned(),
        dialect,
    });
    countersign_shell::contain(&countersign_shell::effects(&view), world)
}

/// Scripts of the project, below its folder.
const SCRIPTS: &[(&str, &str)] = &[
    (
        "src/check.sh",
        "#!/usr/bin/env bash\nset -eu\ncat a.txt | wc -l\n",
    ),
    (
        "src/clean.sh",
        "#!/bin/bash\nrm -rf out/x\ntouch out/done\n",
    ),
    ("src/outer.sh", "cd src\nbash check.sh && ./clean.sh\n"),
    ("src/takes.sh", "#!/bin/bash\nrm -rf \"$1\"\n"),
    ("src/reads.sh", "#!/bin/bash\necho \"$1\"\ncat a.txt\n"),
    ("src/sends.sh", "#!/bin/sh\ncurl https://example.com\n"),
    ("src/python.sh", "#!/usr/bin/env python3\nprint(1)\n"),
    ("src/options.sh", "#!/bin/bash -c\nls\n"),
    ("src/itself.sh", "#!/bin/bash\n./src/itself.sh\n"),
    ("src/sets.sh", "cd /\n"),
    ("src/commits.sh", "git commit -m x\n"),
];

pub fn is_contained(text: &str) -> bool {
    judged(text).because.is_empty()
}

#[track_caller]
pub fn assert_contained(text: &str) {
    let found = judged_with_links(text, ShellDialect::Bash);
    assert!(found.because.is_empty(), "{text}: {:?}", found.because);
}

#[track_caller]
pub fn assert_not_contained(text: &str) {
    let found = judged_with_links(text, ShellDialect::Bash);
    assert!(!found.because.is_empty(), "{text}");
}

/// Links, and where they lead.
const LINKS: &[(&str, &str)] = &[
    ("/work/project/away", "/elsewhere"),
    ("/work/project/.cargo", "/work/project/out"),
];

/// Without `.` and `..`.
fn lexical(path: &Utf8Path) -> Utf8PathBuf {
    let mut out = Utf8PathBuf::from("/");
    for part in path.components() {
        match part {
            Utf8Component::Normal(name) => out.push(name),
            Utf8Component::ParentDir => {
                out.pop();
            }
            _ => {}
        }
    }
    out
}

fn resolve(text: &str, from: &Utf8Path) -> Option<Utf8PathBuf> {
    let path = match text.strip_prefix('~') {
        None => from.join(text),
        Some("") => Utf8PathBuf::from(HOME),
        Some(rest) => Utf8Path::new(HOME).join(rest.strip_prefix('/')?),
    };
    Some(lexical(&path))
}

fn folder(folder: &Folder) -> Option<Utf8PathBuf> {
    match folder {
        Folder::Call => Some(ROOT.into()),
        Folder::Moved(steps) => steps
            .iter()
            .try_fold(Utf8PathBuf::from(ROOT), |at, step| resolve(step, &at)),
        Folder::Unknown => None,
    }
}

fn locate(text: &str, at: &Folder) -> Option<Utf8PathBuf> {
    match folder(at) {
        Some(folder) => resolve(text, &folder),
        None if text.starts_with(['/', '~']) => resolve(text, Utf8Path::new("/")),
        None => None,
    }
}

/// All files and folders that exist, with the folders above them.
static EXISTING: LazyLock<BTreeSet<Utf8PathBuf>> = LazyLock::new(|| {
    let inside = TRACKED
        .iter()
        .chain(UNTRACKED)
        .chain(PROTECTED)
        .chain(FOLDERS)
        .map(|name| Utf8Path::new(ROOT).join(name));
    let around = CREDENTIALS.iter().chain(SYSTEM).chain(SINKS).chain(OTHERS);
    inside
        .chain(around.map(Utf8PathBuf::from))
        .flat_map(|path| path.ancestors().map(Utf8Path::to_owned).collect::<Vec<_>>())
        .collect()
});

fn kind(path: &Utf8Path) -> FileKind {
    let is_listed_folder = |name: &str| {
        FOLDERS.contains(&name) || name == ".git" || name == ".claude" || name == ".vscode"
    };
    let name = path.strip_prefix(ROOT).map(Utf8Path::as_str).ok();
    let is_parent = EXISTING
        .range::<Utf8Path, _>((Bound::Excluded(path), Bound::Unbounded))
        .next()
        .is_some_and(|next| next.starts_with(path));
    let is_folder = SYSTEM.contains(&path.as_str()) || path == "/tmp";
    if is_parent || is_folder || name.is_some_and(is_listed_folder) {
        FileKind::Directory
    } else if EXISTING.contains(path) {
        FileKind::File
    } else {
        FileKind::Missing
    }
}

fn can_be_had_back(path: &Utf8Path) -> bool {
    let mut lost = UNTRACKED
        .iter()
        .chain(PROTECTED)
        .map(|name| Utf8Path::new(ROOT).join(name));
    kind(path) == FileKind::Missing
        || path.starts_with(ROOT)
            && !lost.any(|name| name.starts_with(path) || path.starts_with(name))
}

fn scope(path: &Utf8Path, touch: Touch) -> Scope {
    let is_tree = matches!(touch, Touch::ReadTree | Touch::DeleteTree | Touch::MoveFrom);
    let meets = |place: &Utf8Path| {
        let (own, place) = (path.as_str().to_lowercase(), place.as_str().to_lowercase());
        let (own, place) = (Utf8Path::new(&own), Utf8Path::new(&place));
        own.starts_with(place) || is_tree && place.starts_with(own)
    };
    let lies_in = |places: &[&str]| places.iter().any(|place| path.starts_with(place));
    if SINKS.contains(&path.as_str()) {
        return Scope::Sink;
    }
    if path.starts_with("/dev") {
        return Scope::Device;
    }
    let is_env = path
        .file_name()
        .is_some_and(|name| name.starts_with(".env"));
    if is_env && path.starts_with(ROOT) && !matches!(touch, Touch::List | Touch::ListTree) {
        return Scope::Credential("may hold credentials".to_owned());
    }
    if !matches!(touch, Touch::List | Touch::ListTree)
        && CREDENTIALS.iter().any(|place| meets(Utf8Path::new(place)))
    {
        return Scope::Credential("holds credentials".to_owned());
    }
    let mut protected = PROTECTED.iter().map(|name| Utf8Path::new(ROOT).join(name));
    if touch.changes() && protected.any(|place| meets(&place)) {
        return Scope::Protected("it says what is run".to_owned());
    }
    if path.starts_with(ROOT) {
        Scope::Workspace
    } else if path.starts_with("/tmp") {
        Scope::Temp
    } else if path.starts_with(HOME) {
        Scope::Home
    } else if lies_in(SYSTEM) {
        Scope::System
    } else {
        Scope::Outside
    }
}

impl Workspace {
    /// Without links.
    pub const PLAIN: Self = Self {
        has_links: false,
        is_trusted: false,
    };

    fn links(&self) -> &'static [(&'static str, &'static str)] {
        if self.has_links { LINKS } else { &[] }
    }

    /// Where a path leads.
    fn followed(&self, path: &Utf8Path, touch: Touch) -> Utf8PathBuf {
        let is_link_itself = matches!(touch, Touch::Delete | Touch::DeleteTree | Touch::MoveFrom);
        for (link, target) in self.links() {
            if let Ok(rest) = path.strip_prefix(link)
                && !(is_link_itself && rest.as_str().is_empty())
            {
                return Utf8Path::new(target).join(rest);
            }
        }
        path.to_owned()
    }
}

impl World for Workspace {
    fn place(&self, text: &str, folder: &Folder, touch: Touch) -> Place {
        let Some(written) = locate(text, folder) else {
            return Place {
                path: text.into(),
                written: text.into(),
                scope: Scope::Unknown,
                kind: FileKind::Unresolvable,
                can_be_had_back: false,
            };
        };
        let path = self.followed(&written, touch);
        Place {
            scope: scope(&path, touch),
            kind: kind(&path),
            can_be_had_back: can_be_had_back(&path),
            path,
            written,
        }
    }

    fn task(&self, task: &Task) -> Project {
        let is_inside = folder(&task.folder).is_some_and(|path| path.starts_with(ROOT));
        Project {
            root: Some(ROOT.into()),
            problem: (!self.is_trusted || !is_inside).then(|| "it is not trusted".to_owned()),
        }
    }

    fn script(&self, text: &str, at: &Folder) -> Result<ScriptContent, String> {
        let path = locate(text, at).ok_or("where it lies is not known")?;
        let script = SCRIPTS
            .iter()
            .find(|(name, _)| self.is_trusted && Utf8Path::new(ROOT).join(name) == path);
        script
            .map(|(_, text)| ScriptContent {
                path,
                text: (*text).to_owned(),
            })
            .ok_or_else(|| format!("`{text}` is not trusted"))
    }

    fn expand(&self, pattern: &str, at: &Folder) -> Option<Vec<String>> {
        let (root, rest, before) = match pattern.strip_prefix('/') {
            Some(rest) => (Utf8PathBuf::from("/"), rest, "/"),
            None if pattern.starts_with('~') => (HOME.into(), pattern.strip_prefix("~/")?, "~/"),
            None => match pattern.strip_prefix("./") {
                Some(rest) => (folder(at)?, rest, "./"),
                None => (folder(at)?, pattern, ""),
            },
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let mut found: Vec<String> = EXISTING
            .iter()
            .filter_map(|path| {
                let below = path.strip_prefix(&root).ok()?;
                let names: Vec<&str> = below.iter().take(parts.len()).collect();
                let fits = names.len() == parts.len()
                    && names
                        .iter()
                        .zip(&parts)
                        .all(|(name, part)| fits(part, name));
                fits.then(|| format!("{before}{}", names.join("/")))
            })
            .collect();
        found.sort();
        found.dedup();
        if found.is_empty() {
            found.push(pattern.replace('\\', ""));
        }
        Some(found)
    }

    fn tree(&self, text: &str, folder: &Folder) -> Option<Tree> {
        locate(text, folder).map(|path| Tree {
            links_lead_out: self
                .links()
                .iter()
                .any(|(link, _)| Utf8Path::new(link).starts_with(&path)),
            has_odd_names: false,
        })
    }

    fn repository(&self, at: &Folder) -> Repository {
        let inside = folder(at).is_some_and(|path| path.starts_with(ROOT));
        Repository {
            problem: (!inside).then(|| "another repository".to_owned()),
            hooks: Vec::new(),
            hooks_folders: vec![Utf8Path::new(ROOT).join(".git/hooks")],
        }
    }
}

/// Whether a name fits one part of a pattern: `*`, `?`, and brackets, which fit
/// any character here.
fn fits(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    fits_from(&pattern, &name)
}

fn fits_from(pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        (['*', rest @ ..], _) => (0..=name.len()).any(|skipped| fits_from(rest, &name[skipped..])),
        (['?', rest @ ..], [_, left @ ..]) => fits_from(rest, left),
        (['[', rest @ ..], [_, left @ ..]) => {
            let end = rest.iter().position(|next| *next == ']');
            end.is_some_and(|end| fits_from(&rest[end + 1..], left))
        }
        (['\\', own, rest @ ..], [next, left @ ..]) | ([own, rest @ ..], [next, left @ ..]) => {
            own == next && fits_from(rest, left)
        }
        _ => false,
    }
}
