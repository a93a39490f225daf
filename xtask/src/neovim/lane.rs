//! The Lua tests in one Neovim.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::installation::Installation;
use crate::apart;
use crate::repository::root;

/// The tests' own bounds end long before; this one is for a Neovim that hangs.
const LONGEST: Duration = Duration::from_secs(600);

/// The server in a Neovim without a plugin; whether all passed.
pub(super) fn plain(neovim: &Installation) -> Result<bool> {
    let folder = tempfile::Builder::new().prefix("neovim-").tempdir()?;
    let command = tests(neovim, "tests/e2e/neovim/run.lua", folder.path())?;
    apart::tests(&command, folder.path(), LONGEST)
}

/// The plugin, in Neovims that are driven through a terminal; whether all passed.
pub(super) fn plugin(neovim: &Installation) -> Result<bool> {
    let folder = tempfile::Builder::new().prefix("nv-").tempdir()?;
    let mut command = tests(neovim, "tests/e2e/neovim/plugin/run.lua", folder.path())?;
    command.arg(neovim.tmux());
    let passed = apart::tests(&command, folder.path(), LONGEST);
    // It is away from the process group, and does not end if the tests hang.
    let _ = Command::new(neovim.tmux())
        .arg("-S")
        .arg(folder.path().join("tmux"))
        .arg("kill-server")
        .stderr(Stdio::null())
        .status();
    passed
}

/// A Neovim that runs a file of tests.
fn tests(neovim: &Installation, file: &str, folder: &Path) -> Result<Command> {
    println!("{}", neovim.version);
    // Whoever builds meanwhile does not take the program away.
    let built = root().join("target/debug/countersign");
    let program = folder.join("countersign");
    fs::copy(&built, &program).with_context(|| format!("cannot copy {}", built.display()))?;
    let mut command = Command::new(neovim.program());
    command
        .args(["--headless", "--clean", "-l"])
        .arg(root().join(file))
        .arg(program)
        .arg(folder)
        .envs(neovim.variables()?)
        .env("LC_ALL", "C.UTF-8")
        .env("NVIM_LOG_FILE", folder.join("neovim.log"))
        .env_remove("TMUX");
    for name in ["CONFIG", "DATA", "STATE", "CACHE"] {
        command.env(format!("XDG_{name}_HOME"), folder.join("xdg"));
    }
    Ok(command)
}
