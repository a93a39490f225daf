//! Which file systems act when they are touched: automounts, which may hang,
//! and `/proc`, whose links lead elsewhere than they say.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use camino::Utf8Path;

/// The kernel's list of mounts, as seen by this process.
const MOUNT_TABLE: &str = "/proc/self/mountinfo";

/// What a file system means for a path on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileSystem {
    /// `autofs`: looking up a name in it may mount something.
    Automount,
    /// `procfs`.
    Process,
    /// Any other.
    Other,
}

/// The mounted file systems by device number, read when a path first crosses
/// into one that is not known.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    known: Mutex<HashMap<u64, FileSystem>>,
}

impl Mounts {
    /// The file system with this device number. One that the table does not
    /// name (or a machine without a table) is like any other.
    pub(super) fn file_system(&self, device: u64) -> FileSystem {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file_system) = known.get(&device) {
            return *file_system;
        }
        let table = std::fs::read_to_string(MOUNT_TABLE).unwrap_or_default();
        for mount in mounts(&table) {
            known.insert(mount.device, mount.file_system);
        }
        *known.entry(device).or_insert(FileSystem::Other)
    }

    /// Whether something other than an automount is mounted at exactly this
    /// path: then entering it mounts nothing.
    pub(super) fn is_mounted(&self, path: &Utf8Path) -> bool {
        let table = std::fs::read_to_string(MOUNT_TABLE).unwrap_or_default();
        is_mounted(&table, path)
    }
}

fn is_mounted(table: &str, path: &Utf8Path) -> bool {
    mounts(table)
        .any(|mount| mount.file_system != FileSystem::Automount && mount.point == path.as_str())
}

struct Mount {
    device: u64,
    point: String,
    file_system: FileSystem,
}

/// The lines of the table (proc(5), `/proc/pid/mountinfo`): id, parent,
/// major:minor, root, mount point, options, optional fields, `-`, type, …
fn mounts(table: &str) -> impl Iterator<Item = Mount> {
    table.lines().filter_map(|line| {
        let (mount, rest) = line.split_once(" - ")?;
        let mut fields = mount.split(' ').skip(2);
        let (major, minor) = fields.next()?.split_once(':')?;
        let point = unescaped(fields.nth(1)?);
        let file_system = match rest.split(' ').next()? {
            "autofs" => FileSystem::Automount,
            "proc" => FileSystem::Process,
            _ => FileSystem::Other,
        };
        Some(Mount {
            device: device_number(major.parse().ok()?, minor.parse().ok()?),
            point,
            file_system,
        })
    })
}

/// The device number as `lstat` tells it.
#[cfg(target_os = "linux")]
fn device_number(major: u32, minor: u32) -> u64 {
    rustix::fs::makedev(major, minor)
}

/// Other systems have no such table.
#[cfg(not(target_os = "linux"))]
fn device_number(_major: u32, _minor: u32) -> u64 {
    0
}

/// Blanks and backslashes in a mount point are written as octal escapes.
fn unescaped(point: &str) -> String {
    [
        (r"\040", " "),
        (r"\011", "\t"),
        (r"\012", "\n"),
        (r"\134", r"\"),
    ]
    .into_iter()
    .fold(point.to_owned(), |point, (escape, character)| {
        point.replace(escape, character)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /proc rw,nosuid - proc proc rw
30 22 0:45 / /home rw,relatime shared:9 master:2 - autofs auto.home rw,fd=6
31 30 0:52 / /home/ann\\040lee rw - nfs4 server:/ann rw
32 22 0:46 / /direct rw - autofs auto.direct rw
33 32 0:53 / /direct rw - nfs4 server:/x rw
garbage
34 22 x:y / /odd rw - autofs a rw
";

    #[test]
    fn the_table_is_read_by_its_fields() {
        let read: Vec<_> = mounts(TABLE)
            .map(|mount| (mount.point, mount.file_system))
            .collect();
        assert_eq!(read.len(), 6);
        assert!(read.contains(&("/proc".into(), FileSystem::Process)));
        assert!(read.contains(&("/home".into(), FileSystem::Automount)));
        assert!(read.contains(&("/home/ann lee".into(), FileSystem::Other)));
    }

    #[test]
    fn an_automount_that_is_mounted_is_entered() {
        assert!(is_mounted(TABLE, Utf8Path::new("/home/ann lee")));
        assert!(is_mounted(TABLE, Utf8Path::new("/direct")));
        assert!(!is_mounted(TABLE, Utf8Path::new("/home/bob")));
        assert!(!is_mounted(TABLE, Utf8Path::new("/home")));
        assert!(!is_mounted("", Utf8Path::new("/home")));
    }

    #[test]
    fn devices_are_looked_up_once_and_default_to_others() {
        let mounts = Mounts::default();
        assert_eq!(mounts.file_system(u64::MAX), FileSystem::Other);
        let proc = rustix::fs::lstat("/proc/uptime").unwrap().st_dev;
        assert_eq!(mounts.file_system(proc), FileSystem::Process);
    }
}
