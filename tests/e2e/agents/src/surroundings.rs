//! Where the agents and the program under test are: `cargo xtask test agents`
//! says it in variables, and without them the places that it uses are looked at.

use camino::{Utf8Path, Utf8PathBuf};

/// The program under test.
pub const BINARY: &str = "COUNTERSIGN_E2E_BINARY";

/// The folder of the agents; their programs are in `bin`.
pub const AGENTS: &str = "COUNTERSIGN_E2E_AGENTS";

/// A Node that is new enough for all of them (22).
pub const NODE: &str = "COUNTERSIGN_E2E_NODE";

/// What to do where one is missing.
const INSTALL: &str = "run `cargo xtask test agents`, which installs them";

/// The program under test: `target/debug/countersign` if nothing is said.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn binary() -> Utf8PathBuf {
    let binary = named(BINARY).unwrap_or_else(|| repository().join("target/debug/countersign"));
    existing(binary, "build it with `cargo build -p countersign`")
}

/// What agents start, beside it.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn hook() -> Utf8PathBuf {
    existing(
        binary().with_file_name("countersign-hook"),
        "build it with `cargo build -p countersign`",
    )
}

/// The folder of the agents' programs, and of the Node that they run on.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn programs() -> Utf8PathBuf {
    let folder = named(AGENTS).unwrap_or_else(|| repository().join("target/e2e/agents"));
    existing(folder.join("bin"), INSTALL)
}

/// The program of an agent, by its own name. Not what it links to: a guard knows
/// the agent by this name.
///
/// # Panics
/// When it is not installed.
#[must_use]
pub fn program(name: &str) -> Utf8PathBuf {
    let program = programs().join(name);
    assert!(program.exists(), "no {program}; {INSTALL}");
    program
}

/// The Node that runs the agents which are scripts: the one beside their programs
/// if nothing is said.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn node() -> Utf8PathBuf {
    let node = named(NODE).unwrap_or_else(|| programs().join("node"));
    existing(node, INSTALL)
}

/// This repository.
fn repository() -> Utf8PathBuf {
    let mut folder = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    for _ in 0..3 {
        folder.pop();
    }
    folder
}

fn existing(path: Utf8PathBuf, remedy: &str) -> Utf8PathBuf {
    match path.canonicalize_utf8() {
        Ok(path) => path,
        Err(error) => panic!("{path}: {error}; {remedy}"),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests are told where the agents are; nothing is decided by it"
)]
fn named(variable: &str) -> Option<Utf8PathBuf> {
    let value = std::env::var(variable).ok()?;
    let path = Utf8Path::new(&value);
    assert!(
        path.is_absolute(),
        "{variable} is no absolute path: {value}"
    );
    Some(path.to_owned())
}
