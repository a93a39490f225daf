//! Everything that a decision needs from the outside world, found out before
//! it by the engine.

use crate::command::CommandView;
use crate::paths::PathFact;

/// The facts of a call, one entry for each of its operations, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// The facts of each operation.
    pub operations: Vec<OperationFacts>,
}

/// The facts of one operation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OperationFacts {
    /// The parsed command, for shell tools.
    pub command: Option<CommandView>,
    /// The paths that the operation names, for file tools; in the order of
    /// [`crate::call::Subject::Paths`].
    pub paths: Vec<PathFact>,
    /// What static analysis proves of the command.
    pub analysis: Analysis,
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
