//! Projects of Node.js in this repository: what they depend on is installed as
//! their lockfiles say, once.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::repository::{root, run};

/// A copy of the lockfile beside what was installed from it; `npm ci` takes it
/// away together with that.
const INSTALLED: &str = "node_modules/.installed-from";

/// Installs what the project in `folder` depends on, unless that was done.
///
/// # Errors
/// When npm is missing or fails, or the project has no lockfile.
pub(crate) fn install(folder: &str) -> Result<()> {
    let project = root().join(folder);
    let lockfile = project.join("package-lock.json");
    let expected = fs::read_to_string(&lockfile)
        .with_context(|| format!("cannot read {}", lockfile.display()))?;
    let installed = project.join(INSTALLED);
    if fs::read_to_string(&installed).is_ok_and(|text| text == expected) {
        return Ok(());
    }
    // No package of ours needs a script of its own to be installed.
    if !npm(folder, &["ci", "--ignore-scripts"])? {
        bail!("npm cannot install what {folder} depends on");
    }
    fs::write(&installed, expected)?;
    Ok(())
}

/// Runs a script of the project; whether it succeeded.
pub(crate) fn script(folder: &str, name: &str) -> Result<bool> {
    install(folder)?;
    npm(folder, &["run", "--silent", name])
}

fn npm(folder: &str, arguments: &[&str]) -> Result<bool> {
    let project: &Path = &root().join(folder);
    let project = project
        .to_str()
        .context("the folder of the repository is not UTF-8")?;
    let mut all = vec!["--prefix", project];
    all.extend(arguments);
    run("npm", &all)
}
