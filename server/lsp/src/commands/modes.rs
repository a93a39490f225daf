//! The command that chooses a mode: what is looser than anything it is for is
//! asked first, so that no command loosens by itself.

use countersign_core::call::SessionKey;
use countersign_core::mode::ApprovalMode;
use countersign_service::Said;
use serde_json::Value;
use tower_lsp::jsonrpc::Result;

use super::session_argument;
use crate::actor::Actor;
use crate::prompts::Subject;
use crate::server::{argument, code, failure, invalid};

impl Actor {
    pub(super) fn choose_mode(&mut self, arguments: &[Value]) -> Result<()> {
        let name = argument::<String>(arguments, 0)
            .ok_or_else(|| invalid("the first argument is the mode"))?;
        let mode: ApprovalMode = name.parse().map_err(invalid)?;
        let session = match session_argument(arguments, 1)? {
            Some(key) => Some(self.known_session(&key)?),
            None if mode == ApprovalMode::Yolo => Some(self.only_session()?),
            None => None,
        };
        if self.loosens(mode, session.as_ref()) {
            self.prompt_or_fail(Subject::Mode { mode, session })
        } else {
            self.set_mode(mode, session, Said::default());
            Ok(())
        }
    }

    /// Whether a mode is looser than that of any session it is for, or of any
    /// workspace that is open.
    fn loosens(&self, mode: ApprovalMode, session: Option<&SessionKey>) -> bool {
        let service = self.service();
        let sessions = service
            .sessions()
            .into_iter()
            .filter(|view| session.is_none_or(|key| view.key == *key))
            .flat_map(|view| {
                let of_workspace = view.workspace.map(|folder| service.mode_of(&folder));
                [Some(view.mode), of_workspace]
            })
            .flatten();
        let workspaces: Vec<ApprovalMode> = service
            .workspaces()
            .iter()
            .map(|folder| service.mode_of(folder))
            .collect();
        // With nothing open, a session begins in default mode at most.
        let elsewhere = workspaces.is_empty().then_some(ApprovalMode::Default);
        let strictest = sessions.chain(workspaces).chain(elsewhere).min();
        strictest.is_none_or(|strictest| mode > strictest)
    }

    fn known_session(&self, key: &SessionKey) -> Result<SessionKey> {
        let root = key.root();
        let is_known = self.service().sessions().iter().any(|one| one.key == root);
        let unknown = || failure(code::NOT_FOUND, format!("no session {key} is known here"));
        is_known.then_some(root).ok_or_else(unknown)
    }

    /// The one session that can be meant where none is named.
    fn only_session(&self) -> Result<SessionKey> {
        let mut going_on = self
            .service()
            .sessions()
            .into_iter()
            .filter(|view| !view.ended && !view.elsewhere);
        match (going_on.next(), going_on.next()) {
            (Some(only), None) => Ok(only.key),
            (None, _) | (Some(_), Some(_)) => Err(invalid("yolo is for one session: name it")),
        }
    }
}
