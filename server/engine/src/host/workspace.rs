//! Which folder a call works in: what is inside it may be edited without a
//! model, so that a folder that is too large must not become one.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::Access;
use countersign_core::paths::{FileKind, PathFact, credential, lies_in};

use super::Host;

/// Direct children of the root that belong to the system or hold many people's
/// things.
const SYSTEM: &[&str] = &[
    "Applications",
    "Library",
    "Network",
    "System",
    "Users",
    "Volumes",
    "afs",
    "bin",
    "boot",
    "cores",
    "dev",
    "efi",
    "etc",
    "export",
    "home",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "lost+found",
    "media",
    "mnt",
    "net",
    "nix",
    "opt",
    "private",
    "proc",
    "root",
    "run",
    "sbin",
    "snap",
    "srv",
    "sys",
    "tmp",
    "usr",
    "var",
];

/// Folders of the system in which nothing is a workspace, however deep.
const NEVER_BELOW: &[&str] = &[
    "/Library",
    "/System",
    "/bin",
    "/boot",
    "/efi",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/private/etc",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/usr/bin",
    "/usr/include",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/local/sbin",
    "/usr/local/etc",
    "/var/cache",
    "/var/db",
    "/var/log",
    "/var/run",
    "/var/spool",
];

/// Folders of the system whose children may be workspaces, and they not.
const NEVER_ITSELF: &[&str] = &[
    "/private/tmp",
    "/private/var",
    "/usr/local",
    "/usr/share",
    "/usr/src",
    "/var/lib",
    "/var/tmp",
    "/var/folders",
    "/var/home",
    "/dev/shm",
];

impl Host {
    /// The workspace that a call in `cwd` works in, as a canonical path: the
    /// nearest folder upwards that has `.git` or `.countersign`, else `cwd`
    /// itself.
    ///
    /// `None` where nothing may count as inside: the root and the system's
    /// folders, the home folder, its parents and other people's, folders that
    /// are or hold credential stores, the guard's own folders, and a `cwd`
    /// that is no folder. What a `.git` file points to makes nothing inside.
    #[must_use]
    pub fn workspace_of(&self, cwd: &Utf8Path, home: &Utf8Path) -> Option<Utf8PathBuf> {
        let fact = self.resolve(cwd.as_str(), Utf8Path::new("/"), home, Access::List);
        if fact.kind != FileKind::Directory {
            return None;
        }
        let cwd = fact.canonical;
        let home = self.canonical(home).unwrap_or_else(|| home.to_owned());
        let own = self.own_folders();
        let mut allowed = cwd
            .ancestors()
            .take_while(|folder| may_be_workspace(folder, &home, own))
            .peekable();
        allowed.peek()?;
        let marked = allowed.find(|folder| {
            [".git", ".countersign"]
                .iter()
                .any(|mark| rustix::fs::lstat(folder.join(mark).as_str()).is_ok())
        });
        Some(marked.unwrap_or(&cwd).to_owned())
    }

    /// Where the guard's own folders really are.
    fn own_folders(&self) -> &[Utf8PathBuf] {
        self.own.get_or_init(|| {
            // Each folder on the way is looked at once.
            let canonicals = self.canonicals();
            let real = |path: &Utf8PathBuf| canonicals.of(path).unwrap_or_else(|| path.clone());
            self.guard_folders.iter().map(real).collect()
        })
    }
}

/// Whether a folder may be a workspace. It, `home` and the guard's `own` folders
/// are canonical, so that their names are compared as they are written: this is
/// asked several times for every call.
fn may_be_workspace(folder: &Utf8Path, home: &Utf8Path, own: &[Utf8PathBuf]) -> bool {
    let Some(parent) = folder.parent() else {
        return false;
    };
    let written = folder.as_str();
    let named = |names: &[&str]| names.contains(&written);
    let system = parent.parent().is_none()
        && folder
            .file_name()
            .is_some_and(|name| SYSTEM.contains(&name));
    let below = |names: &[&str]| {
        names.iter().any(|name| {
            let rest = written.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    // A workspace that held a store would make reading it nobody's
    // business. This also rules out the home folder and its parents.
    let everything = PathFact {
        given: folder.to_string(),
        absolute: folder.to_owned(),
        canonical: folder.to_owned(),
        access: Access::ReadTree,
        kind: FileKind::Directory,
        links: 1,
    };
    !system
        && !named(NEVER_ITSELF)
        && !below(NEVER_BELOW)
        && credential(&everything, &[], home).is_none()
        && !folder
            .components()
            .any(|component| component.as_str().eq_ignore_ascii_case(".countersign"))
        && !own.iter().any(|own| lies_in(own, folder))
}
