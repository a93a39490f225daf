//! Everything that drawing needs, as it is at one moment: so that diagnostics,
//! actions, documents and hovers of one moment agree, and drawing is pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::SessionKey;
use countersign_core::state::Millis;
use countersign_guard::Guard;
use countersign_service::{CallStory, PendingApproval, Service, SessionView};

/// What there is to draw.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    /// What waits for a person, the oldest first.
    pub(crate) pending: Vec<Arc<PendingApproval>>,
    /// What was blocked and is still news, the oldest first.
    pub(crate) attention: Vec<Arc<CallStory>>,
    /// The sessions, the one seen last first.
    pub(crate) sessions: Vec<SessionView>,
    /// Their stories, the oldest call first.
    pub(crate) stories: BTreeMap<SessionKey, Vec<Arc<CallStory>>>,
    /// The workspaces that are open, with what holds in them.
    pub(crate) workspaces: Vec<(Utf8PathBuf, Arc<Guard>)>,
    /// The user's settings file.
    pub(crate) user_file: Utf8PathBuf,
    /// When.
    pub(crate) now: Millis,
}

impl Snapshot {
    /// Takes it. Reads settings files where they changed.
    pub(crate) fn take(service: &Service) -> Self {
        let sessions = service.sessions();
        Self {
            pending: service.pending(),
            attention: service.attention(),
            stories: sessions
                .iter()
                .map(|session| (session.key.clone(), service.story(&session.key)))
                .collect(),
            sessions,
            workspaces: service
                .workspaces()
                .into_iter()
                .map(|workspace| {
                    let guard = service.guard(&workspace);
                    (workspace, guard)
                })
                .collect(),
            user_file: service.places().user_file(),
            now: service.now(),
        }
    }

    /// The settings file in which what concerns a session is shown to clients
    /// that show no documents of ours: that of its workspace, if it is open,
    /// else the user's.
    pub(crate) fn settings_file(&self, workspace: Option<&Utf8Path>) -> Utf8PathBuf {
        self.workspaces
            .iter()
            .map(|(folder, _)| folder.as_path())
            .find(|folder| workspace.is_none_or(|workspace| *folder == workspace))
            .map_or_else(
                || self.user_file.clone(),
                countersign_settings::Places::workspace_file,
            )
    }
}
