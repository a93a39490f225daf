//! What `cargo metadata` says, as far as the lints ask.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::repository::{output, root};

#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
    workspace_members: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Package {
    id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    manifest_path: String,
    pub(super) dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// None for the ordinary ones, else `dev` or `build`.
    pub(super) kind: Option<String>,
}

impl Metadata {
    /// The crates of this workspace.
    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }

    /// Everybody else's.
    pub(super) fn foreign(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| !self.workspace_members.contains(&package.id))
    }
}

impl Package {
    /// The manifest from the root of the workspace.
    pub(super) fn manifest(&self) -> String {
        let path = Path::new(&self.manifest_path);
        path.strip_prefix(root())
            .unwrap_or(path)
            .display()
            .to_string()
    }
}

/// Reads it for the systems that are supported, so that nothing is fetched
/// for others.
pub(super) fn read() -> Result<Metadata> {
    let json = output(
        "cargo",
        &[
            "metadata",
            "--locked",
            "--format-version",
            "1",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
            "--filter-platform",
            "aarch64-apple-darwin",
        ],
    )?;
    serde_json::from_str(&json).context("cannot read what cargo metadata printed")
}
