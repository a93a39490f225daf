//! A workspace that exists only here, as the analysis sees the outside world.
//!
//! `/work/project` is a repository with a few tracked files; `untracked.txt` in
//! it could not be had back. Temp is empty, home is `/home/dev`.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use countersign_core::call::{CommandText, ShellDialect};
use countersign_core::command::Folder;
use countersign_core::effect::Touch;
use countersign_core::paths::FileKind;
use countersign_shell::{Containment, Place, Repository, Scope, Tree, World};

pub const ROOT: &str = "/work/project";
const HOME: &str = "/home/dev";

/// Tracked files, equal to HEAD.
const TRACKED: &[&str] = &[
    "a", "a.a", "a.b64", "a.bin", "a.cpio", "a.csv", "a.gz", "a.o", "a.out", "a.pdf", "a.so",
    "a.tar", "a.tar.gz", "a.txt", "a.xz", "a.zip", "app.log", "b", "b.txt", "main.c", "main.cpp",
    "main.o", "m.rs", "main.rs", "other/main.rs", "README.md", "src/a.txt", "src/main.rs",
    "src/x.c", "src/x.rs", "src/sub/deep.txt", "t.cpp", "x", "x.asm", "x.c", "x.cpp", "x.jpg",
    "x.json", "x.o", "x.png", "x.proto", "x.s",
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
pub struct Workspace;

/// Whether the command is contained there, and why not.
pub fn judged(text: &str) -> Containment {
    judged_in(text, ShellDialect::Bash)
}

pub fn judged_in(text: &str, dialect: ShellDialect) -> Containment {
    let view = countersign_shell::view(&CommandText {
        text: text.to_owned(),
        dialect,
    });
    countersign_shell::contain(&countersign_shell::effects(&view), &Workspace)
}

pub fn is_contained(text: &str) -> bool {
    judged(text).because.is_empty()
}

#[track_caller]
pub fn assert_contained(text: &str) {
    let found = judged(text);
    assert!(found.because.is_empty(), "{text}: {:?}", found.because);
}

#[track_caller]
pub fn assert_not_contained(text: &str) {
    assert!(!is_contained(text), "{text}");
}

/// Without `.` and `..`; there are no links.
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

/// All files and folders that exist, but for the parents of them.
fn existing() -> impl Iterator<Item = Utf8PathBuf> {
    let inside = TRACKED
        .iter()
        .chain(UNTRACKED)
        .chain(PROTECTED)
        .chain(FOLDERS)
        .map(|name| Utf8Path::new(ROOT).join(name));
    let around = CREDENTIALS
        .iter()
        .chain(SYSTEM)
        .chain(SINKS)
        .chain(&["/etc/passwd", "/usr/bin/ls", "/tmp", "/home/dev/.bashrc"])
        .map(Utf8PathBuf::from);
    inside.chain(around)
}

fn kind(path: &Utf8Path) -> FileKind {
    let is_listed_folder = |name: &str| {
        FOLDERS.contains(&name) || name == ".git" || name == ".claude" || name == ".vscode"
    };
    let name = path.strip_prefix(ROOT).map(Utf8Path::as_str).ok();
    let is_parent = existing().any(|other| other != path && other.starts_with(path));
    let is_folder = SYSTEM.contains(&path.as_str()) || path == "/tmp" || path == "/";
    if is_parent || is_folder || name.is_some_and(is_listed_folder) {
        FileKind::Directory
    } else if existing().any(|other| other == path) {
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
    let is_tree = matches!(
        touch,
        Touch::ReadTree | Touch::DeleteTree | Touch::MoveFrom
    );
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
    let is_env = path.file_name().is_some_and(|name| name.starts_with(".env"));
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

impl World for Workspace {
    fn place(&self, text: &str, folder: &Folder, touch: Touch) -> Place {
        let Some(path) = locate(text, folder) else {
            return Place {
                path: text.into(),
                scope: Scope::Unknown,
                kind: FileKind::Unresolvable,
                can_be_had_back: false,
                is_trusted_to_execute: false,
            };
        };
        Place {
            scope: scope(&path, touch),
            kind: kind(&path),
            can_be_had_back: can_be_had_back(&path),
            is_trusted_to_execute: false,
            path,
        }
    }

    fn expand(&self, pattern: &str, at: &Folder) -> Option<Vec<String>> {
        let (root, rest, before) = match pattern.strip_prefix('/') {
            Some(rest) => (Utf8PathBuf::from("/"), rest, "/"),
            None if pattern.starts_with('~') => {
                (HOME.into(), pattern.strip_prefix("~/")?, "~/")
            }
            None => (folder(at)?, pattern, ""),
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let mut found: Vec<String> = existing()
            .filter_map(|path| {
                let below = path.strip_prefix(&root).ok()?;
                let names: Vec<&str> = below.iter().take(parts.len()).collect();
                let fits = names.len() == parts.len()
                    && names.iter().zip(&parts).all(|(name, part)| fits(part, name));
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
        locate(text, folder).map(|_| Tree {
            links_lead_out: false,
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
        (['*', rest @ ..], _) => {
            (0..=name.len()).any(|skipped| fits_from(rest, &name[skipped..]))
        }
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
