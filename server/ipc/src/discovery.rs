//! How a hook finds the servers: one private file for each, believed only as
//! long as exactly that process runs.

mod publication;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::mode::ApprovalMode;
use countersign_core::state::Millis;
use serde::{Deserialize, Serialize};

pub use self::publication::{Publication, PublishError, listen};
use crate::instance::{ServerInstance, Stem};
use crate::procfs::ProcessTable;
use crate::runtime::RuntimeFolder;
pub use crate::runtime::RuntimeFolderError;
use crate::wire::PROTOCOL;

/// How many announcements are looked at.
pub const MOST_ANNOUNCEMENTS: usize = 64;

/// The longest announcement, in bytes.
pub const MAX_ANNOUNCEMENT_BYTES: usize = 64 * 1024;

const ANNOUNCEMENT: &str = ".server.json";
pub(crate) const SOCKET: &str = ".sock";
const TEMPORARY: &str = ".tmp";

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// [`PROTOCOL`] of the server.
    pub protocol: u32,
    /// Its version of countersign.
    pub version: String,
    /// Which server it is. The names of its files are derived from this.
    pub instance: ServerInstance,
    /// The folders that it serves.
    pub roots: Vec<Root>,
    /// When a person last did something there.
    pub activity: Millis,
    /// What is not as it should be there, for people; nothing is decided by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub degraded: Vec<Degraded>,
}

/// A part of a server that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degraded {
    /// Its name.
    pub part: String,
    /// Since when.
    pub since: Millis,
    /// What is wrong, masked.
    pub why: String,
}

/// A folder that a server serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// The canonical path.
    pub folder: Utf8PathBuf,
    /// The mode in force there.
    pub mode: ApprovalMode,
}

impl Root {
    fn contains(&self, cwd: &Utf8Path) -> bool {
        // An empty path is the beginning of every other.
        self.folder.is_absolute() && cwd.starts_with(&self.folder)
    }
}

impl Announcement {
    /// How many components the longest root has that contains the folder.
    fn longest_root(&self, cwd: &Utf8Path) -> Option<usize> {
        self.roots
            .iter()
            .filter(|root| root.contains(cwd))
            .map(|root| root.folder.components().count())
            .max()
    }
}

/// What was found in the folder of the servers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The servers that run.
    pub servers: Vec<Announcement>,
    /// What was not believed, each with its name and the reason.
    pub ignored: Vec<String>,
}

/// The servers that announced themselves in the folder and run now. Whether
/// they are reached, and are the ones that listen, is found out by connecting.
#[must_use]
pub fn find(runtime_dir: &Utf8Path) -> Found {
    let mut found = Found::default();
    let folder = match RuntimeFolder::open(runtime_dir) {
        Ok(Some(folder)) => folder,
        Ok(None) => return found,
        Err(error) => {
            found.ignored.push(error.to_string());
            return found;
        }
    };
    let stems = match announced(&folder, &mut found.ignored) {
        Ok(stems) if stems.is_empty() => return found,
        Ok(stems) => stems,
        Err(error) => {
            found.ignored.push(error.to_string());
            return found;
        }
    };
    let table = match ProcessTable::system() {
        Ok(table) => table,
        Err(error) => {
            found.ignored.push(error.to_string());
            return found;
        }
    };
    for stem in stems {
        match read(&folder, &stem).and_then(|announcement| running(table, announcement)) {
            Ok(announcement) => found.servers.push(announcement),
            Err(reason) => {
                let path = folder.path(&format!("{stem}{ANNOUNCEMENT}"));
                found.ignored.push(format!("`{path}` is ignored: {reason}"));
            }
        }
    }
    found
}

/// The servers whose announcements are looked at.
fn announced(
    folder: &RuntimeFolder,
    ignored: &mut Vec<String>,
) -> Result<Vec<Stem>, RuntimeFolderError> {
    let (names, more) = folder.names()?;
    let mut stems = Vec::new();
    let mut left = 0_usize;
    for name in names.iter().filter(|name| name.ends_with(ANNOUNCEMENT)) {
        if stems.len().saturating_add(ignored.len()) >= MOST_ANNOUNCEMENTS {
            left = left.saturating_add(1);
            continue;
        }
        match Stem::of_name(name, ANNOUNCEMENT) {
            Some(stem) => stems.push(stem),
            // Escaped: the name is a stranger's.
            None => ignored.push(format!("{name:?} is ignored: no server gives this name")),
        }
    }
    if left > 0 || more {
        let path = folder.path("");
        ignored.push(format!(
            "`{path}` holds more than {MOST_ANNOUNCEMENTS} announcements or too many names; remove what no server uses"
        ));
    }
    stems.sort_unstable();
    Ok(stems)
}

#[derive(Deserialize)]
struct AnyAnnouncement {
    protocol: u32,
}

/// Reads one announcement; the error says what is wrong with it.
fn read(folder: &RuntimeFolder, stem: &Stem) -> Result<Announcement, String> {
    let bytes = folder.read(&format!("{stem}{ANNOUNCEMENT}"), MAX_ANNOUNCEMENT_BYTES)?;
    let parsed = serde_json::from_slice::<Announcement>(&bytes);
    let protocol = match &parsed {
        Ok(announcement) => Some(announcement.protocol),
        Err(_) => serde_json::from_slice::<AnyAnnouncement>(&bytes)
            .ok()
            .map(|announcement| announcement.protocol),
    };
    match protocol {
        Some(other) if other != PROTOCOL => Err(format!(
            "it speaks protocol {other} and not {PROTOCOL}; use one version of countersign"
        )),
        _ => {
            let announcement =
                parsed.map_err(|error| format!("it holds {}", crate::json::problem(&error)))?;
            if announcement.instance.stem().as_ref() == Some(stem) {
                Ok(announcement)
            } else {
                Err("its name and its content speak of different servers".to_owned())
            }
        }
    }
}

fn running(table: &ProcessTable, announcement: Announcement) -> Result<Announcement, String> {
    if table.alive(&announcement.instance.process) {
        Ok(announcement)
    } else {
        Err("its process does not run any more".to_owned())
    }
}

/// The servers that may own a call in this folder (a canonical path), the one
/// that owns it first: longest root that contains the folder, then most recent
/// activity, then lowest pid.
#[must_use]
pub fn candidates<'a>(servers: &'a [Announcement], cwd: &Utf8Path) -> Vec<&'a Announcement> {
    let mut candidates: Vec<(usize, &Announcement)> = servers
        .iter()
        .filter_map(|server| Some((server.longest_root(cwd)?, server)))
        .collect();
    // The key only makes the order the same everywhere.
    candidates.sort_by(|(a_length, a), (b_length, b)| {
        b_length
            .cmp(a_length)
            .then(b.activity.cmp(&a.activity))
            .then(a.instance.process.pid.cmp(&b.instance.process.pid))
            .then_with(|| a.instance.key.cmp(&b.instance.key))
    });
    candidates.into_iter().map(|(_, server)| server).collect()
}

/// The strictest mode that any of the servers has in force in this folder or
/// above it (a canonical path). It is only good for tightening: a root within
/// another one, or another server, never loosens.
#[must_use]
pub fn strictest_mode(candidates: &[&Announcement], cwd: &Utf8Path) -> Option<ApprovalMode> {
    candidates
        .iter()
        .flat_map(|server| &server.roots)
        .filter(|root| root.contains(cwd))
        .map(|root| root.mode)
        .reduce(ApprovalMode::stricter)
}

#[cfg(test)]
mod tests {
    use countersign_core::state::ProcessId;

    use super::*;

    fn server(pid: u32, activity: Millis, roots: &[(&str, ApprovalMode)]) -> Announcement {
        Announcement {
            protocol: PROTOCOL,
            version: "0.1.0".to_owned(),
            instance: ServerInstance {
                process: ProcessId {
                    pid,
                    start: 1,
                    boot: "b".to_owned(),
                },
                key: format!("{pid:032x}"),
            },
            roots: roots
                .iter()
                .map(|(folder, mode)| Root {
                    folder: Utf8PathBuf::from(*folder),
                    mode: *mode,
                })
                .collect(),
            activity,
            degraded: Vec::new(),
        }
    }

    fn order(servers: &[Announcement], cwd: &str) -> Vec<u32> {
        candidates(servers, Utf8Path::new(cwd))
            .iter()
            .map(|server| server.instance.process.pid)
            .collect()
    }

    use ApprovalMode::{Auto, AutoEdit, Default, Plan, Yolo};

    #[test]
    fn the_longest_root_owns_a_call_then_the_latest_activity_then_the_lowest_pid() {
        let servers = [
            server(1, 90, &[("/w", Auto)]),
            server(2, 10, &[("/w/sub", Auto), ("/w", Auto)]),
            server(3, 20, &[("/other", Auto), ("/w/sub", Auto)]),
            server(5, 20, &[("/w/sub", Auto)]),
            server(4, 20, &[("/w/sub", Auto)]),
            server(6, 99, &[("/", Auto)]),
            server(7, 99, &[]),
        ];
        assert_eq!(order(&servers, "/w/sub/deep"), [3, 4, 5, 2, 1, 6]);
        assert_eq!(order(&servers, "/w/sub"), [3, 4, 5, 2, 1, 6]);
        assert_eq!(order(&servers, "/w"), [1, 2, 6]);
    }

    #[test]
    fn a_root_contains_whole_components_only() {
        let servers = [
            server(1, 0, &[("/w/pro", Auto)]),
            server(2, 0, &[("", Auto), ("w", Auto), (".", Auto)]),
            server(3, 0, &[("/w/project/../..", Auto)]),
        ];
        assert_eq!(order(&servers, "/w/project"), [] as [u32; 0]);
    }

    #[test]
    fn another_server_and_a_root_within_only_tighten() {
        let servers = [
            server(
                1,
                0,
                &[("/w", Auto), ("/w/loose", Yolo), ("/w/strict", Plan)],
            ),
            server(2, 0, &[("/w/loose/deep", Default), ("/elsewhere", Plan)]),
            server(3, 0, &[("/e", AutoEdit)]),
        ];
        let mode = |cwd: &str| {
            let cwd = Utf8Path::new(cwd);
            strictest_mode(&candidates(&servers, cwd), cwd)
        };
        assert_eq!(mode("/w"), Some(Auto));
        assert_eq!(mode("/w/loose"), Some(Auto));
        assert_eq!(mode("/w/strict/x"), Some(Plan));
        assert_eq!(mode("/w/loose/deep"), Some(Default));
        assert_eq!(mode("/e"), Some(AutoEdit));
        assert_eq!(mode("/nobody"), None);
    }
}
