//! Finding out where a path really leads, name by name.
//!
//! `std::fs::canonicalize` answers nothing for what does not exist, follows
//! the links of `/proc`, which lead where their text does not say, and waits
//! for automounts.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::paths::FileKind;
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use super::Host;
use super::mounts::FileSystem;

/// Most links that one path may lead through, as in Linux.
const LINKS: usize = 40;

/// Most names that are looked at for one path, those of links included.
const NAMES: usize = 8192;

/// Where a path leads.
pub(super) struct Walked {
    pub(super) path: Utf8PathBuf,
    pub(super) kind: FileKind,
    /// Hard links of a regular file; 1 for all else.
    pub(super) links: u64,
}

/// A folder or file on the way.
struct Level {
    /// Device number of the file system.
    device: u64,
    file_system: FileSystem,
    kind: FileKind,
    links: u64,
}

/// Why the walk ends before the path does.
enum Stop {
    Unresolvable,
    Remote,
}

struct Walk<'a> {
    host: &'a Host,
    /// Names still to come, the next one last.
    ahead: Vec<String>,
    /// Where the walk is: absolute, without links.
    at: Vec<(String, Level)>,
    root: Level,
    links_followed: usize,
    follow_last: bool,
}

impl Host {
    /// Where an absolute path leads. With `follow_last`, the last name is
    /// followed if it is a link.
    pub(super) fn walk(&self, path: &Utf8Path, follow_last: bool) -> Walked {
        let root = match rustix::fs::lstat("/") {
            Ok(stat) => Level {
                device: device(&stat),
                file_system: FileSystem::Other,
                kind: FileKind::Directory,
                links: 1,
            },
            Err(_) => {
                return Walked {
                    path: path.to_owned(),
                    kind: FileKind::Unresolvable,
                    links: 1,
                };
            }
        };
        let mut walk = Walk {
            host: self,
            ahead: path.as_str().rsplit('/').map(str::to_owned).collect(),
            at: Vec::new(),
            root,
            links_followed: 0,
            follow_last,
        };
        let stop = walk.run();
        walk.arrived(stop)
    }
}

impl Walk<'_> {
    fn run(&mut self) -> Option<Stop> {
        let mut names = 0;
        while let Some(name) = self.ahead.pop() {
            names += 1;
            if names > NAMES {
                return Some(Stop::Unresolvable);
            }
            match name.as_str() {
                "" | "." => {}
                ".." => {
                    self.at.pop();
                }
                _ => {
                    if let Err(stop) = self.enter(name) {
                        return Some(stop);
                    }
                }
            }
        }
        None
    }

    fn here(&self) -> &Level {
        self.at.last().map_or(&self.root, |(_, level)| level)
    }

    /// Goes on to `name`; the name is on the path afterwards, unless it is a
    /// link that is followed.
    fn enter(&mut self, name: String) -> Result<(), Stop> {
        let parent = self.here();
        let (parent_device, file_system, parent_kind) =
            (parent.device, parent.file_system, parent.kind);
        let unknown = |kind| Level {
            device: parent_device,
            file_system,
            kind,
            links: 1,
        };
        if parent_kind == FileKind::Missing {
            self.at.push((name, unknown(FileKind::Missing)));
            return Ok(());
        }
        let path = self.path_with(&name);
        if file_system == FileSystem::Automount && !self.host.mounts.is_mounted(&path) {
            self.at.push((name, unknown(FileKind::Remote)));
            return Err(Stop::Remote);
        }
        let stat = match rustix::fs::lstat(path.as_str()) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => {
                self.at.push((name, unknown(FileKind::Missing)));
                return Ok(());
            }
            // No permission, a file where a folder should be, a name that is
            // too long, an error of the disk.
            Err(_) => {
                self.at.push((name, unknown(FileKind::Unresolvable)));
                return Err(Stop::Unresolvable);
            }
        };
        let last = self.ahead.iter().all(|name| name.is_empty());
        if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink && (self.follow_last || !last)
        {
            return self.follow(name, &path, file_system);
        }
        let entered = device(&stat);
        let file_system = if entered == parent_device {
            file_system
        } else {
            self.host.mounts.file_system(entered)
        };
        let (kind, links) = describe(&stat);
        self.at.push((
            name,
            Level {
                device: entered,
                file_system,
                kind,
                links,
            },
        ));
        Ok(())
    }

    fn follow(&mut self, name: String, path: &Utf8Path, on: FileSystem) -> Result<(), Stop> {
        let target = self.target(path, on);
        let Some(target) = target else {
            let Level { device, .. } = *self.here();
            self.at.push((
                name,
                Level {
                    device,
                    file_system: on,
                    kind: FileKind::Unresolvable,
                    links: 1,
                },
            ));
            return Err(Stop::Unresolvable);
        };
        if target.starts_with('/') {
            self.at.clear();
        }
        self.ahead.extend(target.rsplit('/').map(str::to_owned));
        Ok(())
    }

    /// The text of the link, if it says where it leads.
    fn target(&mut self, path: &Utf8Path, on: FileSystem) -> Option<String> {
        self.links_followed += 1;
        if self.links_followed > LINKS {
            return None;
        }
        let target = rustix::fs::readlink(path.as_str(), Vec::new()).ok()?;
        let target = target
            .into_string()
            .ok()
            .filter(|target| !target.is_empty())?;
        // The links of /proc to folders and open files of processes: they lead
        // to the thing itself, in whatever namespace. Those that only lead
        // around in /proc (`self`, `mounts`) are relative and mean their text.
        let magic = on == FileSystem::Process && (target.starts_with('/') || target.contains(':'));
        (!magic).then_some(target)
    }

    fn path_with(&self, name: &str) -> Utf8PathBuf {
        let mut path = self.path();
        path.push(name);
        path
    }

    fn path(&self) -> Utf8PathBuf {
        let mut text = String::new();
        for (name, _) in &self.at {
            text.push('/');
            text.push_str(name);
        }
        Utf8PathBuf::from(if text.is_empty() { "/" } else { &text })
    }

    fn arrived(mut self, stop: Option<Stop>) -> Walked {
        let kind = match stop {
            None => self.here().kind,
            Some(Stop::Unresolvable) => FileKind::Unresolvable,
            Some(Stop::Remote) => FileKind::Remote,
        };
        let links = self.here().links;
        // What was not walked is taken by its text.
        let mut path = self.path();
        while let Some(name) = self.ahead.pop() {
            match name.as_str() {
                "" | "." => {}
                ".." => {
                    path.pop();
                }
                name => path.push(name),
            }
        }
        Walked { path, kind, links }
    }
}

/// The integer types of `stat` differ between systems.
#[allow(clippy::unnecessary_cast)]
fn device(stat: &Stat) -> u64 {
    stat.st_dev as u64
}

#[allow(clippy::useless_conversion)]
fn describe(stat: &Stat) -> (FileKind, u64) {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => (FileKind::File, stat.st_nlink.into()),
        // Only where the link itself is meant.
        FileType::Symlink => (FileKind::File, 1),
        FileType::Directory => (FileKind::Directory, 1),
        FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => (FileKind::Special, 1),
    }
}
