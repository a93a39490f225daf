//! What the machine must have beside Node.js: a browser that shows VS Code, a
//! font, and what VS Code searches with.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::neovim::archive::quietly;

/// Packages of Debian, each with a file by which it is known to be there.
const PACKAGES: &[(&str, &str)] = &[
    ("chromium", "/usr/bin/chromium"),
    (
        "fonts-dejavu-core",
        "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
    ),
    ("ripgrep", "/usr/bin/rg"),
];

/// Installs what is missing.
///
/// # Errors
/// When something is missing and cannot be installed, because the archive
/// cannot be had or this is not root.
pub(super) fn prepare() -> Result<()> {
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|(_, file)| !Path::new(file).exists())
        .map(|(package, _)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {} with apt-get", missing.join(", "));
    let apt = || {
        let mut command = Command::new("apt-get");
        command.args(["-q", "-y"]).stdin(Stdio::null());
        command
    };
    let failed = "the part `vscode` needs a machine where apt-get can install packages";
    quietly(apt().arg("update")).context(failed)?;
    let install = ["install", "--no-install-recommends"];
    quietly(apt().args(install).args(&missing)).context(failed)?;
    Ok(())
}
