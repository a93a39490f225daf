//! What the tests of discovery and of the client have in common.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::mode::ApprovalMode;
use countersign_core::state::ProcessId;
use countersign_ipc::discovery::{Announcement, Root};
use countersign_ipc::instance::ServerInstance;
use countersign_ipc::peer::process_of;
use countersign_ipc::wire::PROTOCOL;
use tempfile::TempDir;

/// A private folder that goes away with the first value.
pub(crate) fn folder() -> (TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
    mode(&path, 0o700);
    (folder, path)
}

/// A new server of this process.
pub(crate) fn announcement() -> Announcement {
    Announcement {
        protocol: PROTOCOL,
        version: "0.1.0".to_owned(),
        instance: ServerInstance::of_this_process().unwrap(),
        roots: vec![Root {
            folder: Utf8PathBuf::from("/work"),
            mode: ApprovalMode::Default,
        }],
        activity: 1,
        degraded: Vec::new(),
    }
}

/// The same server, said to be run by another process.
pub(crate) fn run_by(process: ProcessId) -> Announcement {
    let mut other = announcement();
    other.instance.process = process;
    other
}

/// What the files of a server are called.
pub(crate) fn name(announcement: &Announcement, ending: &str) -> String {
    let instance = &announcement.instance;
    format!("{}-{}{ending}", instance.process.pid, &instance.key[..16])
}

pub(crate) fn write(path: &Utf8Path, bytes: impl AsRef<[u8]>) {
    fs::write(path, bytes).unwrap();
    mode(path, 0o600);
}

pub(crate) fn mode(path: &Utf8Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Writes an announcement where its server would.
pub(crate) fn announce(folder: &Utf8Path, announcement: &Announcement) -> Utf8PathBuf {
    let path = folder.join(name(announcement, ".server.json"));
    write(&path, serde_json::to_vec(announcement).unwrap());
    path
}

/// A process that runs until it is let go, with one below it.
pub(crate) struct Other {
    child: Child,
    below: u32,
}

impl Other {
    pub(crate) fn start() -> Self {
        Self::start_as("sh")
    }

    /// Starts it under a name of its own.
    pub(crate) fn start_as(name: &str) -> Self {
        let mut command = Command::new("/bin/sh");
        command
            .arg0(name)
            .args(["-c", "/bin/sh -c 'echo $$; read line; exit 0'; exit 0"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let below = line.trim().parse().unwrap();
        Self { child, below }
    }

    /// The pid of the process below it.
    pub(crate) const fn below(&self) -> u32 {
        self.below
    }

    pub(crate) fn process(&self) -> ProcessId {
        process_of(self.child.id()).unwrap()
    }

    /// The process, after it ended.
    pub(crate) fn ended() -> ProcessId {
        Self::start().process()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}
