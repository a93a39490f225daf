//! Reads processes from the process file system of Linux.
//!
//! Every file is opened below one descriptor without crossing into another
//! mount, so that nothing mounted over a part of it is believed.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;

use countersign_core::state::ProcessId;
use rustix::fs::{CWD, Mode, OFlags, PROC_SUPER_MAGIC, ResolveFlags};
use rustix::io::Errno;

use crate::process::{Chain, ChainEnd, Process, Unavailable};
use crate::stat::{Stat, arguments, executable};

/// The user namespace that the kernel starts with; its number is part of the
/// kernel's interface (`PROC_USER_INIT_INO`).
const FIRST_USER_NAMESPACE: &[u8] = b"user:[4026531837]";

/// The longest chain that is followed.
const DEEPEST: usize = 64;

/// The processes that can be seen from here.
#[derive(Debug)]
pub(crate) struct ProcessTable {
    directory: OwnedFd,
    boot: String,
    in_own_namespace: bool,
}

/// Opened once: a hook asks several questions, and a server asks them of every
/// hook.
static SYSTEM: OnceLock<ProcessTable> = OnceLock::new();

/// Bytes that are read at once.
const READ_AT_ONCE: usize = 4 * 1024;

impl ProcessTable {
    /// The processes of this system.
    pub(crate) fn system() -> Result<&'static Self, Unavailable> {
        match SYSTEM.get() {
            Some(table) => Ok(table),
            None => Self::open_system().map(|table| SYSTEM.get_or_init(|| table)),
        }
    }

    fn open_system() -> Result<Self, Unavailable> {
        let table = Self::at(Path::new("/proc"))?;
        let kind = rustix::fs::fstatfs(&table.directory)
            .map_err(|error| unreadable(Path::new("/proc"), error))?;
        if kind.f_type != PROC_SUPER_MAGIC {
            return Err(Unavailable::Unreadable {
                place: "/proc".to_owned(),
                problem: "it is not a process file system".to_owned(),
            });
        }
        Ok(table)
    }

    /// The processes below a folder of the shape of `/proc`.
    pub(crate) fn at(root: &Path) -> Result<Self, Unavailable> {
        let directory = rustix::fs::openat(
            CWD,
            root,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(|error| unreadable(root, error))?;
        // Containers mount over `/proc/sys`, so this one file may be in
        // another mount. It only tells boots apart.
        let boot_file = root.join("sys/kernel/random/boot_id");
        let boot = std::fs::read_to_string(&boot_file)
            .map_err(|error| unreadable(&boot_file, error))?
            .trim()
            .to_owned();
        let mut table = Self {
            directory,
            boot,
            in_own_namespace: true,
        };
        let namespace = format!("{}/ns/user", std::process::id());
        table.in_own_namespace = link(&table.directory, &namespace)
            .is_none_or(|namespace| namespace != FIRST_USER_NAMESPACE);
        Ok(table)
    }

    /// Which boot of the machine this is.
    pub(crate) fn boot(&self) -> &str {
        &self.boot
    }

    /// Whether exactly this process still runs.
    pub(crate) fn alive(&self, id: &ProcessId) -> bool {
        id.boot == self.boot
            && self
                .stat(id.pid)
                .is_some_and(|stat| stat.start == id.start && !stat.is_dead())
    }

    /// The process of this pid, if it runs.
    pub(crate) fn identity(&self, pid: u32) -> Option<ProcessId> {
        let stat = self.stat(pid).filter(|stat| !stat.is_dead())?;
        Some(ProcessId {
            pid,
            start: stat.start,
            boot: self.boot.clone(),
        })
    }

    /// Whether a process descends from exactly that one. Reads nothing but who
    /// is whose parent.
    pub(crate) fn descends_from(&self, pid: u32, ancestor: &ProcessId) -> bool {
        if ancestor.boot != self.boot {
            return false;
        }
        let Some(mut child) = self.stat(pid) else {
            return false;
        };
        for _ in 1..DEEPEST {
            let Some(parent) = self.stat(child.parent) else {
                return false;
            };
            // A parent is older than its child, and nothing above the ancestor
            // is younger than it.
            if parent.start > child.start || parent.start < ancestor.start {
                return false;
            }
            if parent.pid == ancestor.pid {
                return parent.start == ancestor.start;
            }
            child = parent;
        }
        false
    }

    /// The process of this pid, read as a whole: everything comes from below one
    /// descriptor, which stays this process's when another one takes its pid.
    pub(crate) fn process(&self, pid: u32) -> Option<Process> {
        let entry = open(
            &self.directory,
            &pid.to_string(),
            OFlags::PATH | OFlags::DIRECTORY,
            ResolveFlags::NO_SYMLINKS,
        )?;
        let stat = stat(&entry, "stat", pid)?;
        let exe = link(&entry, "exe").and_then(|link| executable(&link));
        let argv = arguments(&read(&entry, "cmdline", 16 * 1024)?);
        Some(Process {
            id: ProcessId {
                pid,
                start: stat.start,
                boot: self.boot.clone(),
            },
            parent: stat.parent,
            session: stat.session,
            exe,
            name: stat.name,
            argv,
        })
    }

    /// The process of this pid and everything above it.
    pub(crate) fn ancestors(&self, pid: u32) -> Chain {
        self.ancestors_until(pid, |_| false)
    }

    /// The same, ended at the first process above `pid` that is `enough`.
    pub(crate) fn ancestors_until(&self, pid: u32, enough: impl Fn(&Process) -> bool) -> Chain {
        let mut processes: Vec<Process> = Vec::new();
        let mut next = pid;
        let end = loop {
            if processes.len() >= DEEPEST {
                break ChainEnd::TooDeep;
            }
            let Some(process) = self.process(next) else {
                break ChainEnd::Hidden;
            };
            // A parent is older than its child. If it is not, the true parent
            // ended and the pid was given to somebody else.
            if let Some(child) = processes.last()
                && process.id.start > child.id.start
            {
                break ChainEnd::Hidden;
            }
            next = process.parent;
            let is_enough = !processes.is_empty() && enough(&process);
            processes.push(process);
            if is_enough {
                break ChainEnd::Unknown;
            }
            if next == 0 {
                break if self.in_own_namespace {
                    ChainEnd::Namespace
                } else {
                    ChainEnd::Complete
                };
            }
        };
        Chain { processes, end }
    }

    /// The processes that this one started and that run. Looks at all that
    /// there are: for rare questions.
    pub(crate) fn children(&self, pid: u32) -> Vec<u32> {
        let Some(directory) = open(
            &self.directory,
            ".",
            OFlags::RDONLY | OFlags::DIRECTORY,
            ResolveFlags::NO_SYMLINKS,
        ) else {
            return Vec::new();
        };
        let Ok(entries) = rustix::fs::Dir::read_from(&directory) else {
            return Vec::new();
        };
        entries
            .filter_map(|entry| entry.ok()?.file_name().to_str().ok()?.parse().ok())
            .filter(|candidate| {
                self.stat(*candidate)
                    .is_some_and(|stat| stat.parent == pid && !stat.is_dead())
            })
            .collect()
    }

    fn stat(&self, pid: u32) -> Option<Stat> {
        stat(&self.directory, &format!("{pid}/stat"), pid)
    }
}

fn stat(directory: impl AsFd, path: &str, pid: u32) -> Option<Stat> {
    let stat = Stat::parse(&read(directory, path, READ_AT_ONCE)?)?;
    (stat.pid == pid).then_some(stat)
}

/// The first bytes of a file, at most so many.
fn read(directory: impl AsFd, path: &str, most: usize) -> Option<Vec<u8>> {
    let file = open(directory, path, OFlags::RDONLY, ResolveFlags::NO_SYMLINKS)?;
    let mut bytes = Vec::with_capacity(READ_AT_ONCE);
    loop {
        match rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes)) {
            Ok(0) => break,
            Ok(_) if bytes.len() >= most => break,
            // The kernel fills the room as long as there is something, so there
            // is no more: a hook reads dozens of these files.
            Ok(_) if bytes.len() < bytes.capacity() => break,
            Ok(_) => bytes.reserve(READ_AT_ONCE),
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
    bytes.truncate(most);
    Some(bytes)
}

fn link(directory: impl AsFd, path: &str) -> Option<Vec<u8>> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW;
    let link = open(directory, path, flags, ResolveFlags::empty())?;
    rustix::fs::readlinkat(link, "", Vec::new())
        .ok()
        .map(std::ffi::CString::into_bytes)
}

fn open(directory: impl AsFd, path: &str, flags: OFlags, resolve: ResolveFlags) -> Option<OwnedFd> {
    let flags = flags | OFlags::CLOEXEC;
    let resolve = resolve | ResolveFlags::NO_XDEV | ResolveFlags::BENEATH;
    loop {
        match rustix::fs::openat2(directory.as_fd(), path, flags, Mode::empty(), resolve) {
            Ok(file) => return Some(file),
            // The kernel's word for "something moved meanwhile".
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

fn unreadable(place: &Path, problem: impl std::fmt::Display) -> Unavailable {
    Unavailable::Unreadable {
        place: place.display().to_string(),
        problem: problem.to_string(),
    }
}
