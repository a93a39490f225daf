//! A layer: what one source states, with the scope that it counts for.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use countersign_core::rules::{Reading, Scope};

use crate::extract::Stated;

/// What one source states.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) scope: Scope,
    /// The file; none for settings that an editor sent.
    pub(crate) file: Option<Utf8PathBuf>,
    /// The folder that its root-relative paths begin at.
    pub(crate) root: Utf8PathBuf,
    pub(crate) reading: Reading,
    pub(crate) settings: BTreeMap<&'static str, Stated>,
}

impl Layer {
    /// Whether anybody may have written it.
    pub(crate) const fn is_workspace(&self) -> bool {
        is_workspace(self.scope)
    }
}

pub(crate) const fn is_workspace(scope: Scope) -> bool {
    match scope {
        Scope::Workspace | Scope::EditorWorkspace => true,
        Scope::System | Scope::User | Scope::EditorUser | Scope::Session => false,
    }
}
