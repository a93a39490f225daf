//! The part `neovim`: our plugin in a real Neovim, and the language server in
//! one that has no plugin, beside agents whose hooks wait for the answer.

use anyhow::Result;

use crate::repository::run;
use crate::test::Step;

pub(crate) mod archive;
pub(crate) mod installation;
mod lane;
mod style;

use installation::Installation;

pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "countersign",
        run: || run("cargo", &["build", "--locked", "--package", "countersign"]),
    },
    Step {
        name: "Lua, formatted",
        run: style::is_formatted,
    },
    Step {
        name: "Lua, checked",
        run: || style::is_well(&Installation::of("trixie")?),
    },
    Step {
        name: "Neovim of trixie",
        run: || lane::plain(&Installation::of("trixie")?),
    },
    Step {
        name: "plugin, trixie",
        run: || lane::plugin(&Installation::of("trixie")?),
    },
    Step {
        name: "Neovim of sid",
        run: || latest(lane::plain),
    },
    Step {
        name: "plugin, sid",
        run: || latest(lane::plugin),
    },
];

/// Sid moves: what cannot be installed today, or behaves in another way than
/// yesterday, is reported and says nothing about this repository.
fn latest(tests: fn(&Installation) -> Result<bool>) -> Result<bool> {
    match Installation::of("sid") {
        Ok(neovim) => {
            if !tests(&neovim)? {
                println!("FAILED in the newest Neovim, which does not decide");
            }
        }
        Err(error) => println!("NOT RUN, the suite cannot be installed now: {error:#}"),
    }
    Ok(true)
}
