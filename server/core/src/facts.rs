//! Everything that a decision needs from the outside world, found out before
//! it by the engine.

use camino::{Utf8Path, Utf8PathBuf};

use crate::command::CommandView;
use crate::ledger::Footprint;
use crate::paths::PathFact;

/// The facts of a call, one entry for each of its operations, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// The facts of each operation.
    pub operations: Vec<OperationFacts>,
    /// Where the call's folder really is; none where that cannot be told.
    pub cwd: Option<Utf8PathBuf>,
}

/// The facts of one operation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OperationFacts {
    /// The parsed command, for shell tools.
    pub command: Option<CommandView>,
    /// The paths that the operation names, for file tools; in the order of
    /// [`crate::call::Subject::Paths`].
    pub paths: Vec<PathFact>,
    /// What lies below folders that would be read as a whole.
    pub trees: Vec<TreeFact>,
    /// What static analysis proves of the command.
    pub analysis: Analysis,
    /// What the command may write, where analysis looked at it.
    pub writes: Option<Footprint>,
}

/// What lies below a folder, as far as deny and ask rules speak of it. A
/// folder without such a fact is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFact {
    /// The canonical folder.
    pub root: Utf8PathBuf,
    /// The paths in it of which a deny or ask rule speaks.
    pub restricted: Vec<Utf8PathBuf>,
    /// Whether everything in it was looked at.
    pub complete: bool,
}

impl OperationFacts {
    /// What is known of the folder and everything below it.
    #[must_use]
    pub fn tree(&self, root: &Utf8Path) -> Option<&TreeFact> {
        self.trees.iter().find(|tree| tree.root == root)
    }
}

/// What static analysis proves of a command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Analysis {
    /// Nothing is proven: the command may do anything.
    #[default]
    NotProven,
    /// Every effect is contained.
    Contained {
        /// Whether every effect is a read.
        read_only: bool,
    },
    /// Certain harm, or an attack on the guard itself.
    Blocked {
        /// What it would do, in plain words.
        reason: String,
        /// Whether it is the guard that is attacked: holds in every mode.
        guard: bool,
    },
}
