//! The part `neovim`: the language server in a real Neovim that has no plugin,
//! beside an agent whose hook waits for the answer.

use anyhow::Result;

use crate::repository::run;
use crate::test::Step;

pub(crate) mod archive;
pub(crate) mod installation;
mod lane;

use installation::Installation;

pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "countersign",
        run: || run("cargo", &["build", "--locked", "--package", "countersign"]),
    },
    Step {
        name: "Neovim of trixie",
        run: || lane::run(&Installation::of("trixie")?),
    },
    Step {
        name: "Neovim of sid",
        run: latest,
    },
];

/// Sid moves: what cannot be installed today says nothing about this
/// repository. A test that fails in it does.
fn latest() -> Result<bool> {
    match Installation::of("sid") {
        Ok(neovim) => lane::run(&neovim),
        Err(error) => {
            println!("NOT RUN, the suite cannot be installed now: {error:#}");
            Ok(true)
        }
    }
}
