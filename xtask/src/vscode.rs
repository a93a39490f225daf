//! The part `vscode`: the extension as it is shipped, in a real VS Code, beside
//! an agent whose hook waits for the answer.

use anyhow::Result;

use crate::dist::{self, Build};
use crate::node;
use crate::repository::run;
use crate::test::Step;

mod installation;
mod lane;
mod machine;

use installation::{Installation, Version};

/// The extension's project.
const EXTENSION: &str = "editors/vscode";

/// The tests' project.
const TESTS: &str = "tests/e2e/vscode";

/// The oldest that we test with, and the one whose screenshots are not kept:
/// VS Code 1.100.
const OLDER: Version = Version {
    server: "4.100.3",
    own_node: false,
};

/// VS Code 1.139. It needs a newer Node.js than most systems have.
const NEWER: Version = Version {
    server: "4.139.1",
    own_node: true,
};

pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "countersign",
        run: || run("cargo", &["build", "--locked", "--package", "countersign"]),
    },
    Step {
        name: "eslint",
        run: || node::script(EXTENSION, "lint"),
    },
    Step {
        name: "types",
        run: || Ok(node::script(EXTENSION, "check")? & node::script(TESTS, "check")?),
    },
    Step {
        name: "vitest",
        run: || node::script(EXTENSION, "test"),
    },
    Step {
        name: "package",
        run: || dist::vscode(Build::Dev).map(|_| true),
    },
    Step {
        name: "VS Code 1.100",
        run: || lane::run(&Installation::of(&OLDER)?),
    },
    Step {
        name: "VS Code 1.139",
        run: || lane::run(&Installation::of(&NEWER)?),
    },
];

/// Runs the tests in the newer VS Code and takes their screenshots for the
/// extension's README; whether the tests passed.
///
/// # Errors
/// When the extension cannot be packaged, or VS Code not be installed.
pub(crate) fn images() -> Result<bool> {
    for step in STEPS.iter().filter(|step| step.name == "countersign") {
        if !(step.run)()? {
            return Ok(false);
        }
    }
    dist::vscode(Build::Dev)?;
    let vscode = Installation::of(&NEWER)?;
    Ok(lane::run(&vscode)? && lane::keep_images(&vscode)?)
}
