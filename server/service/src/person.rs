//! A person's acts: modes, counters, grants, trust, consent. They come from
//! the surface's own connection and from nowhere else.

use std::sync::Arc;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::approval::AnswerSource;
use countersign_core::call::{Digest, SessionKey};
use countersign_core::ledger::WorkspaceBaseline;
use countersign_core::mode::ApprovalMode;
use countersign_core::state::StateError;
use countersign_engine::ledger::Vouching;
use countersign_engine::prepare;
use countersign_settings::{EditError, Effective, StateFileError, TrustStore};

use crate::grants::GrantError;
use crate::service::{Service, lock};

/// Why an act of a person changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// The workspace is not trusted.
    #[error("{mode} is not used in {workspace}: it is not trusted; trust it first")]
    NotTrusted {
        /// The mode.
        mode: ApprovalMode,
        /// The workspace.
        workspace: Utf8PathBuf,
    },
    /// Auto mode was never explained to this person.
    #[error("auto mode is used for the first time: show its notice and say so")]
    NeedsNotice(Notice),
    /// Yolo is for one session.
    #[error("yolo is for one session: name it")]
    NamesNoSession,
    /// Yolo wants to be confirmed each time.
    #[error("yolo runs everything that no deny rule stops: confirm it")]
    NeedsConfirmation,
    /// No such session.
    #[error("no session {0} is known here")]
    UnknownSession(String),
    /// What was to be accepted is not what is there now.
    #[error("what was shown is not what the settings say now; look again")]
    OtherDigest,
    /// What was to be trusted is not what is checked out.
    #[error("the commit that was shown is not the one that is checked out; look again")]
    OtherCommit,
    /// The settings cannot be written.
    #[error(transparent)]
    Settings(#[from] EditError),
    /// The trust file cannot be written.
    #[error(transparent)]
    Trust(#[from] StateFileError),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The call is not granted.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// This server must not act for a person.
    #[error("this server does nothing for a person: {0}")]
    Refused(String),
    /// The guard itself failed.
    #[error("{0}")]
    Failed(String),
}

/// What a person is told before auto mode is used for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The text.
    pub text: String,
    /// The allow rules that are set aside in auto mode.
    pub set_aside: Vec<String>,
}

/// What a person says along with a choice of mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Said {
    /// The notice about auto mode was shown and accepted.
    pub acknowledged: bool,
    /// Yolo was confirmed.
    pub confirmed: bool,
}

/// What auto mode does, in the words that a person reads first.
pub const AUTO_NOTICE: &str = "In auto mode calls are decided without asking: by your rules, by \
what a command provably does, and by a model if one is configured. You are asked when nothing \
vouches for a call, and after several denials in a row. Deny rules always hold.";

impl Service {
    /// A person chooses the mode of a session, or of all sessions of this
    /// server.
    ///
    /// # Errors
    /// Why the mode stays as it was.
    pub async fn set_mode(
        self: &Arc<Self>,
        session: Option<SessionKey>,
        mode: ApprovalMode,
        said: Said,
    ) -> Result<(), PersonError> {
        self.act(move |service| service.set_mode_now(session, mode, said))
            .await
    }

    fn set_mode_now(
        &self,
        session: Option<SessionKey>,
        mode: ApprovalMode,
        said: Said,
    ) -> Result<(), PersonError> {
        let session = match (session, mode) {
            (None, ApprovalMode::Yolo) => self.only_session()?,
            (session, _) => session,
        };
        let source = self.source();
        let workspaces = match &session {
            Some(key) => {
                let view = self
                    .sessions
                    .get(&key.root())
                    .ok_or_else(|| PersonError::UnknownSession(key.to_string()))?;
                view.view.workspace.iter().cloned().collect()
            }
            None => self.workspaces(),
        };
        let settings: Vec<Arc<Effective>> = workspaces
            .iter()
            .map(|workspace| self.guards.effective(workspace))
            .collect();
        if !mode.allowed_untrusted()
            && let Some(untrusted) = settings.iter().find(|effective| !effective.trusted)
        {
            return Err(PersonError::NotTrusted {
                mode,
                workspace: untrusted.workspace.clone().unwrap_or_default(),
            });
        }
        match mode {
            ApprovalMode::Auto if !self.auto_acknowledged() => {
                if !said.acknowledged {
                    return Err(PersonError::NeedsNotice(self.auto_notice()));
                }
                countersign_settings::acknowledge_auto(self.places())?;
                let what = "what auto mode does was read and accepted";
                self.engine.person_trusted(None, what, source)?;
            }
            ApprovalMode::Yolo if !said.confirmed => return Err(PersonError::NeedsConfirmation),
            ApprovalMode::Yolo
            | ApprovalMode::Auto
            | ApprovalMode::Plan
            | ApprovalMode::Default
            | ApprovalMode::AutoEdit => {}
        }
        let sessions = match session {
            Some(key) => vec![key.root()],
            None if mode == ApprovalMode::Yolo => {
                let what = "yolo mode for the next session";
                self.engine.person_trusted(None, what, source)?;
                *lock(&self.next) = Some(mode);
                Vec::new()
            }
            None => {
                let what = format!("{mode} mode for all sessions of this server");
                self.engine.person_trusted(None, &what, source)?;
                *lock(&self.chosen) = Some(mode);
                // What was chosen last holds for the next session too.
                *lock(&self.next) = None;
                self.sessions.iter().map(|one| one.key().clone()).collect()
            }
        };
        for key in sessions {
            let Some(from) = self.sessions.get(&key).map(|session| session.view.mode) else {
                continue;
            };
            let workspace = self.workspace_of(&key);
            let guard = self
                .guards
                .get(workspace.clone(), &self.folder(workspace), &[], None);
            self.engine
                .person_sets_mode(&key, from, mode, &guard.policy, source)?;
            if let Some(mut session) = self.sessions.get_mut(&key) {
                session.chosen = Some(mode);
                session.view.mode = guard.mode(Some(mode));
                session.person_acts(from != mode);
            }
            self.mark(Some(&key));
        }
        self.mark(None);
        Ok(())
    }

    /// The one session that is meant where none is named; none where there is
    /// no session yet.
    fn only_session(&self) -> Result<Option<SessionKey>, PersonError> {
        let mut going_on = self
            .sessions
            .iter()
            .filter(|session| !session.view.ended)
            .map(|session| session.key().clone());
        match (going_on.next(), going_on.next()) {
            (first, None) => Ok(first),
            (_, Some(_)) => Err(PersonError::NamesNoSession),
        }
    }

    /// A person resets a session's counters, and may be asked again.
    ///
    /// # Errors
    /// Why they stay as they were.
    pub async fn reset_counters(self: &Arc<Self>, key: SessionKey) -> Result<(), PersonError> {
        self.act(move |service| {
            let root = key.root();
            let workspace = service.workspace_of(&root);
            if !service.sessions.contains_key(&root) {
                return Err(PersonError::UnknownSession(key.to_string()));
            }
            let folder = service.folder(workspace.clone());
            let guard = service.guards.get(workspace, &folder, &[], None);
            let source = service.source();
            service
                .engine
                .person_resets_counters(&key, &guard.policy, source)?;
            if let Some(mut session) = service.sessions.get_mut(&root) {
                session.person_acts(true);
            }
            service.mark(Some(&root));
            Ok(())
        })
        .await
    }

    /// A person grants a call that the classifier denied: exactly this one,
    /// once, within ten minutes.
    ///
    /// # Errors
    /// Why it is not granted.
    pub async fn grant(
        self: &Arc<Self>,
        id: String,
        source: AnswerSource,
    ) -> Result<(), PersonError> {
        self.act(move |service| {
            let denied = service
                .grants
                .find(&id)
                .ok_or_else(|| GrantError::NotDenied(id.clone()))?;
            let workspace = service.workspace_of(&denied.key.root());
            let guard = service.guards.get(workspace, &denied.call.cwd, &[], None);
            let facts = prepare::facts(&denied.call, &service.guards.host(), &guard.policy);
            let digest = prepare::approval_digest(&denied.call, &facts);
            let granted = service.grants.grant(&id, digest, Instant::now())?;
            let what = format!("granted once, for 10 minutes: call {id}");
            service
                .engine
                .person_trusted(Some(&granted.key), &what, source)?;
            service.mark(Some(&granted.key));
            Ok(())
        })
        .await
    }

    /// A person trusts a workspace, or takes that back.
    ///
    /// # Errors
    /// Why it stays as it was.
    pub async fn trust(
        self: &Arc<Self>,
        workspace: Utf8PathBuf,
        trusted: bool,
        source: AnswerSource,
    ) -> Result<(), PersonError> {
        self.act(move |service| {
            let store = TrustStore::new(service.places());
            let what = if trusted {
                store.trust(&workspace)?;
                format!("trusted: {workspace}")
            } else {
                store.untrust(&workspace)?;
                format!("no longer trusted: {workspace}")
            };
            service.engine.person_trusted(None, &what, source)?;
            service.mark(None);
            Ok(())
        })
        .await
    }

    /// A person says that the commit which is checked out in a workspace is
    /// trusted to execute: exactly the one they were shown.
    ///
    /// # Errors
    /// Why the baseline stays what it was.
    pub async fn set_baseline(
        self: &Arc<Self>,
        workspace: Utf8PathBuf,
        commit: String,
        vouching: Vouching,
        source: AnswerSource,
    ) -> Result<(), PersonError> {
        self.act(move |service| {
            let guard = service.guards.of_workspace(&workspace);
            let look = service.engine.head(&service.guards.host(), &guard.policy);
            let look = look.filter(|look| look.head.as_ref() == Some(&commit));
            let look = look.ok_or(PersonError::OtherCommit)?;
            service
                .engine
                .person_sets_baseline(None, &workspace, &look, vouching, source)?;
            service.mark(None);
            Ok(())
        })
        .await
    }

    /// What is trusted to execute in a workspace, and the commit that is
    /// checked out; none before a guarded call could have written something.
    #[must_use]
    pub fn baseline(&self, workspace: &Utf8Path) -> Option<(WorkspaceBaseline, Option<String>)> {
        let known = self.engine.baseline(workspace).ok()??;
        Some((known, self.head_of(workspace)))
    }

    /// The commit that is checked out in a workspace, in hexadecimal.
    #[must_use]
    pub fn head_of(&self, workspace: &Utf8Path) -> Option<String> {
        let guard = self.guards.of_workspace(workspace);
        self.engine
            .head(&self.guards.host(), &guard.policy)
            .and_then(|look| look.head)
    }

    /// A person accepts what a workspace's settings would loosen: exactly the
    /// set with this digest.
    ///
    /// # Errors
    /// Why nothing is accepted.
    pub async fn consent(
        self: &Arc<Self>,
        workspace: Utf8PathBuf,
        digest: Digest,
        source: AnswerSource,
    ) -> Result<(), PersonError> {
        self.accept(
            workspace,
            digest,
            source,
            "accepted what it loosens",
            Effective::consent_digest,
            |store, workspace, effective, digest| {
                store.consent(workspace, &effective.loosening, digest)
            },
        )
        .await
    }

    /// A person confirms that restrictions that left a workspace's settings
    /// are gone: exactly the set with this digest.
    ///
    /// # Errors
    /// Why they still hold.
    pub async fn confirm_removal(
        self: &Arc<Self>,
        workspace: Utf8PathBuf,
        digest: Digest,
        source: AnswerSource,
    ) -> Result<(), PersonError> {
        self.accept(
            workspace,
            digest,
            source,
            "dropped its restrictions",
            Effective::removal_digest,
            |store, workspace, effective, digest| {
                store.confirm_removal(workspace, &effective.kept_tightening, digest)
            },
        )
        .await
    }

    /// Keeps what a person accepts of a workspace's settings, if it is what
    /// they were shown.
    async fn accept(
        self: &Arc<Self>,
        workspace: Utf8PathBuf,
        digest: Digest,
        source: AnswerSource,
        what: &'static str,
        is_there: fn(&Effective) -> Digest,
        keep: fn(&TrustStore, &Utf8Path, &Effective, Digest) -> Result<(), StateFileError>,
    ) -> Result<(), PersonError> {
        self.act(move |service| {
            let effective = service.guards.effective(&workspace);
            if is_there(&effective) != digest {
                return Err(PersonError::OtherDigest);
            }
            let store = TrustStore::new(service.places());
            keep(&store, &workspace, &effective, digest)?;
            let what = format!("{what}: {workspace}: {digest}");
            service.engine.person_trusted(None, &what, source)?;
            service.mark(None);
            Ok(())
        })
        .await
    }

    async fn act<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, PersonError> + Send + 'static,
    ) -> Result<T, PersonError> {
        // Whoever started this server speaks for no person.
        if let Some(refusal) = self.refusal() {
            return Err(PersonError::Refused(refusal.to_owned()));
        }
        self.blocking(work)
            .await
            .unwrap_or_else(|problem| Err(PersonError::Failed(problem)))
    }

    /// What a person is told before auto mode is used for the first time.
    #[must_use]
    pub fn auto_notice(&self) -> Notice {
        let mut set_aside: Vec<String> = self
            .workspaces()
            .iter()
            .flat_map(|workspace| {
                let guard = self.guards.of_workspace(workspace);
                let rules = guard.policy.rules.over_broad();
                rules.map(ToString::to_string).collect::<Vec<_>>()
            })
            .collect();
        set_aside.sort();
        set_aside.dedup();
        Notice {
            text: AUTO_NOTICE.to_owned(),
            set_aside,
        }
    }

    /// Whether the person accepted the notice of auto mode once.
    #[must_use]
    pub fn auto_acknowledged(&self) -> bool {
        match self.workspaces().first() {
            Some(workspace) => self.guards.effective(workspace).auto_acknowledged,
            None => false,
        }
    }

    /// The workspaces of the folders that are open in the editor.
    #[must_use]
    pub fn workspaces(&self) -> Vec<Utf8PathBuf> {
        let host = self.guards.host();
        let mut workspaces: Vec<_> = self
            .roots()
            .iter()
            .filter_map(|root| host.workspace_of(root, &self.places().home))
            .collect();
        workspaces.dedup();
        workspaces
    }

    /// The settings that hold in a workspace.
    #[must_use]
    pub fn settings(&self, workspace: &Utf8Path) -> Arc<Effective> {
        self.guards.effective(workspace)
    }

    /// The guard of a workspace: its settings, compiled.
    #[must_use]
    pub fn guard(&self, workspace: &Utf8Path) -> Arc<countersign_guard::Guard> {
        self.guards.of_workspace(workspace)
    }

    /// The mode that sessions of a workspace start in, as things are now.
    #[must_use]
    pub fn mode_of(&self, workspace: &Utf8Path) -> ApprovalMode {
        self.mode_by(&self.guards.of_workspace(workspace), None)
    }

    /// The same of the next session alone, for which a person may have chosen
    /// another one.
    #[must_use]
    pub fn next_mode_of(&self, workspace: &Utf8Path) -> ApprovalMode {
        let next = *lock(&self.next);
        self.mode_by(&self.guards.of_workspace(workspace), next)
    }

    /// The mode that is in force in a folder that is open.
    pub(crate) fn mode_at(&self, folder: &Utf8Path) -> ApprovalMode {
        self.mode_by(&self.guards.get(None, folder, &[], None), None)
    }

    fn workspace_of(&self, key: &SessionKey) -> Option<Utf8PathBuf> {
        self.sessions.get(key)?.view.workspace.clone()
    }

    /// A folder to look at settings from.
    fn folder(&self, workspace: Option<Utf8PathBuf>) -> Utf8PathBuf {
        workspace.unwrap_or_else(|| self.places().home.clone())
    }
}
