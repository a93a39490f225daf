//! `cargo xtask dist`: what people install, made whole and looked into before
//! anybody gets it.

mod contents;
mod manifest;
mod package;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use crate::node;
use crate::repository::{root, run};
use contents::Contents;
use manifest::{Manifest, target_platform};

/// The extension's project.
const EXTENSION: &str = "editors/vscode";

/// Where the server lies in the extension.
const SERVER: &str = "server/countersign";

/// What agents start, beside it.
const HOOK: &str = "server/countersign-hook";

/// Which build of the server goes into a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// For people.
    Release,
    /// For the tests: bigger and slower, but built already.
    Dev,
}

impl Build {
    fn folder(self) -> &'static str {
        match self {
            Self::Release => "target/release",
            Self::Dev => "target/debug",
        }
    }
}

/// Where the extension's package for this platform is, or is going to be.
///
/// # Errors
/// When the extension's manifest cannot be read, or VS Code has no name for
/// this platform.
pub(crate) fn package_path(build: Build) -> Result<PathBuf> {
    let manifest = Manifest::read(&root().join(EXTENSION))?;
    let suffix = match build {
        Build::Release => "",
        Build::Dev => "-dev",
    };
    let name = format!(
        "{}-vscode-{}-{}{suffix}.vsix",
        manifest.name,
        target_platform()?,
        manifest.version
    );
    Ok(root().join("target/dist").join(name))
}

/// Makes the extension's package for this platform, with the server inside,
/// and says where it is.
///
/// # Errors
/// When something cannot be built, a file that the manifest names is missing,
/// or the package does not hold what went into it.
pub(crate) fn vscode(build: Build) -> Result<PathBuf> {
    let mut arguments = vec!["build", "--locked", "--package", "countersign"];
    if build == Build::Release {
        arguments.push("--release");
    }
    ensure!(run("cargo", &arguments)?, "the server cannot be built");
    ensure!(
        node::script(EXTENSION, "build")?,
        "the extension cannot be bundled"
    );

    let project = root().join(EXTENSION);
    let manifest = Manifest::read(&project)?;
    let built = root().join(build.folder());
    let programs = [
        (SERVER, built.join("countersign")),
        (HOOK, built.join("countersign-hook")),
    ];
    let contents = Contents::of(&project, &programs)?;
    manifest.check(&contents)?;

    let path = package_path(build)?;
    let folder = path.parent().context("the package has no folder")?;
    fs::create_dir_all(folder)?;
    package::write(&path, &manifest, &contents, build == Build::Release)?;
    package::check(&path, &manifest, &contents)?;
    let size = fs::metadata(&path)?.len();
    println!(
        "{}: {} files, {:.1} MB",
        path.display(),
        contents.files().len(),
        size as f64 / 1e6
    );
    Ok(path)
}
