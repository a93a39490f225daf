//! What surfaces are told, and what they are.

use std::sync::Arc;

use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::call::SessionKey;
use countersign_core::decision::Decision;

use crate::pending::PendingApproval;

/// A surface that shows approvals to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SurfaceKind {
    /// Our extension in Visual Studio Code or an editor made from it.
    Vscode,
    /// Our plugin in Neovim.
    Neovim,
    /// Another editor that draws approvals itself.
    Other,
    /// An editor without anything of ours: its standard prompt.
    StandardPrompt,
    /// The client of an agent that our proxy stands before.
    Acp,
}

impl SurfaceKind {
    /// What an answer from it is recorded as.
    #[must_use]
    pub const fn source(self) -> AnswerSource {
        match self {
            Self::Vscode => AnswerSource::Vscode,
            Self::Neovim => AnswerSource::Neovim,
            Self::Other => AnswerSource::OtherEditor,
            Self::StandardPrompt => AnswerSource::StandardPrompt,
            Self::Acp => AnswerSource::Acp,
        }
    }
}

/// What happened, for the surface to show. Sent in order; never waited for.
/// What only changes a drawing is in [`crate::Changed`].
#[derive(Debug, Clone)]
pub enum Notice {
    /// A person is asked.
    Asked(Arc<PendingApproval>),
    /// An approval is over: close what shows it.
    Resolved {
        /// The guard's id of the call.
        id: String,
        /// The session.
        key: SessionKey,
        /// How it ended; none if what was shown has changed and it is asked anew.
        answer: Option<Answer>,
        /// What became of the call; none as above.
        decision: Option<Decision>,
    },
    /// A person should read this, and has nothing to choose.
    Tell(String),
}
