//! A folder of the shape of `/proc`, so that tests say which processes there are.

use std::fs;
use std::os::unix::fs::symlink;

use crate::process::Chain;
use crate::procfs::ProcessTable;

/// A folder of the shape of `/proc` that the test fills.
pub(crate) struct Fake(pub(crate) tempfile::TempDir);

impl Fake {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let boot = root.path().join("sys/kernel/random");
        fs::create_dir_all(&boot).unwrap();
        fs::write(boot.join("boot_id"), "boot-1\n").unwrap();
        let fake = Self(root);
        let own = fake.0.path().join(std::process::id().to_string());
        fs::create_dir_all(own.join("ns")).unwrap();
        symlink("user:[4026531837]", own.join("ns/user")).unwrap();
        fake
    }

    /// Adds a process that started at `pid` ticks, in the session of
    /// process 2.
    pub(crate) fn with(self, pid: u32, parent: u32, name: &str, exe: &str, argv: &str) -> Self {
        self.with_start(pid, parent, name, exe, argv, u64::from(pid))
    }

    pub(crate) fn with_start(
        self,
        pid: u32,
        parent: u32,
        name: &str,
        exe: &str,
        argv: &str,
        start: u64,
    ) -> Self {
        let folder = self.0.path().join(pid.to_string());
        fs::create_dir_all(&folder).unwrap();
        let stat =
            format!("{pid} ({name}) S {parent} 1 2 0 1 0 1 2 3 4 5 6 7 8 20 0 1 0 {start} 0\n");
        fs::write(folder.join("stat"), stat).unwrap();
        fs::write(folder.join("cmdline"), argv.replace(' ', "\0") + "\0").unwrap();
        symlink(exe, folder.join("exe")).unwrap();
        self
    }

    pub(crate) fn table(&self) -> ProcessTable {
        ProcessTable::at(self.0.path()).unwrap()
    }

    pub(crate) fn chain(&self, pid: u32) -> Chain {
        self.table().ancestors(pid)
    }
}

/// A person's shell in a terminal.
pub(crate) fn desktop() -> Fake {
    Fake::new()
        .with(1, 0, "systemd", "/usr/lib/systemd/systemd", "/sbin/init")
        .with_start(90, 1, "terminal", "/usr/bin/terminal", "terminal", 1)
        .with(2, 90, "bash", "/usr/bin/bash", "-bash")
}
