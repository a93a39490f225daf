//! The part `editors`: Emacs with our package and without, and Helix, as real
//! programs beside an agent whose hook waits for the answer.

use anyhow::Result;

use crate::repository::run;
use crate::test::Step;

mod installation;
mod lane;

use installation::Installation;

pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "countersign",
        run: || run("cargo", &["build", "--locked", "--package", "countersign"]),
    },
    Step {
        name: "countersign.el",
        run: || lane::compiles(&Installation::of_emacs()?),
    },
    Step {
        name: "Emacs of trixie",
        run: || lane::emacs(&Installation::of_emacs()?),
    },
    Step {
        name: "Helix of trixie",
        run: || helix("trixie", "none"),
    },
    Step {
        name: "Helix of sid",
        run: || helix("sid", "prompts"),
    },
];

/// `kind` is what that Helix has of prompts. The tests of Helix are written in Emacs Lisp, so that both editors share
/// the agent, the terminal and what waits.
fn helix(suite: &str, kind: &str) -> Result<bool> {
    let helix = Installation::of_helix(suite)?;
    lane::helix(&Installation::of_emacs()?, &helix, kind)
}
