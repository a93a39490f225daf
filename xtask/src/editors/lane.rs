//! The Emacs Lisp tests, each set in one batch Emacs that starts editors,
//! servers and agents.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;

use super::installation::Installation;
use crate::apart;
use crate::repository::root;

/// The tests' own bounds end long before; this one is for what hangs.
const LONGEST: Duration = Duration::from_secs(300);

/// Byte-compiles our package with warnings as errors and checks its
/// documentation; whether nothing was found.
pub(super) fn compiles(emacs: &Installation) -> Result<bool> {
    let folder = tempfile::Builder::new().prefix("emacs-").tempdir()?;
    let mut command = batch(emacs, folder.path(), "tests/e2e/emacs/check.el");
    command.arg(root().join("editors/emacs"));
    apart::tests(&command, folder.path(), LONGEST)
}

/// The tests of our package.
pub(super) fn emacs(emacs: &Installation) -> Result<bool> {
    println!("{}", emacs.version);
    let folder = tempfile::Builder::new().prefix("emacs-").tempdir()?;
    let mut command = batch(emacs, folder.path(), "tests/e2e/emacs/run.el");
    command
        .arg(root().join("target/debug/countersign"))
        .arg(folder.path())
        .arg(emacs.program("emacs"))
        .arg(emacs.program("tmux"));
    tests(emacs, &command, folder.path())
}

/// The tests of Helix, which has `prompts` or `none`.
pub(super) fn helix(emacs: &Installation, helix: &Installation, kind: &str) -> Result<bool> {
    println!("{}", helix.version);
    let folder = tempfile::Builder::new().prefix("helix-").tempdir()?;
    let mut command = batch(emacs, folder.path(), "tests/e2e/helix/run.el");
    command
        .arg(root().join("target/debug/countersign"))
        .arg(folder.path())
        .arg(emacs.program("emacs"))
        .arg(emacs.program("tmux"))
        .arg(helix.program("hx"))
        .arg(kind);
    tests(emacs, &command, folder.path())
}

/// Runs tests, and ends the terminals that they leave behind if they hang:
/// those are away from their process group.
fn tests(emacs: &Installation, command: &Command, folder: &Path) -> Result<bool> {
    let passed = apart::tests(command, folder, LONGEST);
    for file in below(folder).into_iter().flat_map(|inner| below(&inner)) {
        if file
            .metadata()
            .is_ok_and(|data| data.file_type().is_socket())
        {
            let _ = Command::new(emacs.program("tmux"))
                .arg("-S")
                .arg(&file)
                .arg("kill-server")
                .stderr(Stdio::null())
                .status();
        }
    }
    passed
}

/// The folders or files in a folder, if it can be read.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// A batch Emacs that loads a file.
fn batch(emacs: &Installation, folder: &Path, file: &str) -> Command {
    let mut command = Command::new(emacs.program("emacs"));
    command
        .args(["-Q", "--batch", "-l"])
        .arg(root().join(file))
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", folder)
        // For a socket of tmux, which must not meet that of a person.
        .env("TMUX_TMPDIR", folder)
        .env_remove("TMUX");
    for name in ["CONFIG", "DATA", "STATE", "CACHE"] {
        command.env(format!("XDG_{name}_HOME"), folder.join("xdg"));
    }
    command
}
