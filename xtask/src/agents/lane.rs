//! The tests with the agents, apart from whoever runs them.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::installation::Installation;
use crate::apart;
use crate::repository::root;

/// The tests' own bounds end long before; this one is for what hangs.
const LONGEST: Duration = Duration::from_secs(2_700);

/// Where the tests are.
const MANIFEST: &str = "tests/e2e/agents/Cargo.toml";

/// Runs all tests with all agents; whether all passed.
pub(super) fn run(agents: &Installation) -> Result<bool> {
    let folder = tempfile::Builder::new().prefix("agents-").tempdir()?;
    // Whoever builds meanwhile does not take the programs away.
    for name in ["countersign", "countersign-hook"] {
        let built = root().join("target/debug").join(name);
        fs::copy(&built, folder.path().join(name))
            .with_context(|| format!("cannot copy {}", built.display()))?;
    }
    let program = folder.path().join("countersign");
    let mut command = Command::new("cargo");
    command
        .current_dir(root())
        .args(["test", "--locked", "--no-fail-fast", "--manifest-path"])
        .arg(root().join(MANIFEST))
        .args(["--features", "real-agents"])
        .env("COUNTERSIGN_E2E_BINARY", &program)
        .env("COUNTERSIGN_E2E_AGENTS", &agents.folder)
        .env("COUNTERSIGN_E2E_NODE", agents.folder.join("bin/node"));
    apart::cargo_tests(&command, folder.path(), LONGEST)
}
