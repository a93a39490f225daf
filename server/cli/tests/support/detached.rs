//! Starting a process as the child of nobody here: the test may itself run
//! below a coding agent, and no server serves there.

use std::process::{Command, Stdio};

/// Starts a program that goes on when its parent has ended. It has to end by
/// itself.
pub(crate) fn start_detached(words: &[&str]) {
    let status = Command::new("/bin/sh")
        .args(["-c", "\"$@\" </dev/null >/dev/null &", "sh"])
        .args(words)
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{words:?}: {status}");
}
