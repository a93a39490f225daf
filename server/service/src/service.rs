//! The guard of one server: everything that its parts share.

use std::collections::HashSet;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use camino::Utf8PathBuf;
use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::call::SessionKey;
use countersign_core::mode::ApprovalMode;
use countersign_core::state::{Millis, StateError, StateStore};
use countersign_engine::Engine;
use countersign_engine::clock::Clock;
use countersign_engine::request::ServerId;
use countersign_settings::{EditorLayers, JournalLimits, Places};
use countersign_store::{Filter, GroupedStore, JournalRow, Store};
use dashmap::DashMap;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

use crate::approvals::Approvals;
use crate::classifier::Classifier;
use crate::degraded::Degradations;
use crate::grants::Grants;
use crate::guards::{EditorSettings, Guards};
use crate::health::LastQuestion;
use crate::history::Histories;
use crate::hooks::Hooks;
use crate::in_flight::InFlight;
use crate::questions::Questions;
use crate::reuse::Reuse;
use crate::sessions::{LiveSession, MOST_SESSIONS};
use crate::socket::Connections;
use crate::surface::{Notice, SurfaceKind};
use crate::verdicts::Verdicts;

/// What a service is made of.
pub struct Parts {
    /// Where settings and state are.
    pub places: Places,
    /// The state.
    pub store: Arc<dyn StateStore>,
    /// The journal of the same state.
    pub journal: Arc<dyn Journal>,
    /// The engine over the same state.
    pub engine: Engine,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Who judges what nothing else decides, if there is somebody.
    pub classifier: Option<Arc<dyn Classifier>>,
    /// This run of the server.
    pub server: ServerId,
    /// The mode from the command line, in place of the settings'. Yolo is only
    /// ever chosen by a person, for one run.
    pub mode: Option<ApprovalMode>,
    /// Why this server must not decide or show anything, if so.
    pub refusal: Option<String>,
}

/// Reads the journal.
pub trait Journal: Send + Sync {
    /// The rows that a filter chooses, the oldest first.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn rows(&self, filter: &Filter) -> Result<Vec<JournalRow>, StateError>;

    /// Why rows cannot be written just now, if so.
    fn trouble(&self) -> Option<String>;

    /// For how long they could not be, where that is known.
    fn trouble_for(&self) -> Option<Duration> {
        None
    }

    /// A number that is another one after another process wrote.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn changes(&self) -> Result<u64, StateError>;

    /// Keeps the journal within its limits.
    ///
    /// # Errors
    /// When the state cannot be read or written.
    fn retain(&self, limits: JournalLimits, now: Millis) -> Result<(), StateError>;
}

impl Journal for GroupedStore {
    fn rows(&self, filter: &Filter) -> Result<Vec<JournalRow>, StateError> {
        self.journal(filter)
    }

    fn trouble(&self) -> Option<String> {
        self.degraded()
    }

    fn trouble_for(&self) -> Option<Duration> {
        self.degraded_for()
    }

    fn changes(&self) -> Result<u64, StateError> {
        self.changes_by_others()
    }

    fn retain(&self, limits: JournalLimits, now: Millis) -> Result<(), StateError> {
        let (max_age, max_bytes) = limits.retention();
        Self::retain(self, max_age, max_bytes, now).map(|_| ())
    }
}

impl Journal for Store {
    fn rows(&self, filter: &Filter) -> Result<Vec<JournalRow>, StateError> {
        self.journal(filter)
    }

    fn trouble(&self) -> Option<String> {
        self.refusal().map(|error| error.to_string())
    }

    fn changes(&self) -> Result<u64, StateError> {
        let (rows, _) = self.head()?;
        Ok(rows.unsigned_abs())
    }

    fn retain(&self, limits: JournalLimits, now: Millis) -> Result<(), StateError> {
        let (max_age, max_bytes) = limits.retention();
        Self::retain(self, max_age, max_bytes, now).map(|_| ())
    }
}

/// Decides calls for many sessions and asks a person through its surface.
pub struct Service {
    /// This, for what outlives the caller's hold on it.
    pub(crate) me: Weak<Self>,
    pub(crate) hooks: Hooks,
    pub(crate) engine: Engine,
    pub(crate) store: Arc<dyn StateStore>,
    journal: Arc<dyn Journal>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) classifier: Option<Arc<dyn Classifier>>,
    pub(crate) server: ServerId,
    pub(crate) command_line: Option<ApprovalMode>,
    pub(crate) refusal: Option<String>,
    /// Whether sessions belong to this server from their first call on.
    pub(crate) keeps_sessions: AtomicBool,
    pub(crate) guards: Guards,
    pub(crate) approvals: Approvals,
    pub(crate) grants: Grants,
    pub(crate) verdicts: Verdicts,
    pub(crate) histories: Histories,
    pub(crate) in_flight: InFlight,
    pub(crate) questions: Questions,
    pub(crate) last_question: LastQuestion,
    pub(crate) reuse: Reuse,
    /// By root session.
    pub(crate) sessions: DashMap<SessionKey, LiveSession>,
    /// The mode that a person chose for all sessions of this server.
    pub(crate) chosen: Mutex<Option<ApprovalMode>>,
    /// The mode that a person chose for the next session alone.
    pub(crate) next: Mutex<Option<ApprovalMode>>,
    surface: Mutex<Option<Surface>>,
    changed: Changed,
    /// The editor opened or closed folders: hooks find the server by them.
    pub(crate) folders_changed: Notify,
    activity: AtomicI64,
    /// When a person was last told of an unguarded call.
    pub(crate) alarmed: AtomicI64,
    pub(crate) connections: Connections,
    pub(crate) degradations: Degradations,
    /// When this server began.
    pub(crate) started: Millis,
}

struct Surface {
    kind: SurfaceKind,
    can_ask: bool,
    sender: UnboundedSender<Notice>,
}

/// What is to be drawn anew. A set and not a queue, so that a surface that is
/// slow misses steps and costs no memory.
#[derive(Default)]
pub struct Changed {
    sessions: Mutex<HashSet<SessionKey>>,
    notify: Notify,
}

impl Changed {
    pub(crate) fn mark(&self, session: Option<&SessionKey>) {
        if let Some(session) = session {
            let mut sessions = lock(&self.sessions);
            if sessions.len() < MOST_SESSIONS {
                sessions.insert(session.root());
            }
        }
        self.notify.notify_one();
    }

    /// Waits until something changed; the sessions that did.
    pub async fn wait(&self) -> HashSet<SessionKey> {
        self.notify.notified().await;
        std::mem::take(&mut *lock(&self.sessions))
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Service {
    /// A service without a surface.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            hooks: Hooks::default(),
            started: parts.clock.now(),
            guards: Guards::new(parts.places),
            engine: parts.engine,
            store: parts.store,
            journal: parts.journal,
            clock: parts.clock,
            classifier: parts.classifier,
            server: parts.server,
            command_line: parts.mode.filter(|mode| *mode != ApprovalMode::Yolo),
            refusal: parts.refusal,
            keeps_sessions: AtomicBool::new(true),
            approvals: Approvals::default(),
            grants: Grants::default(),
            verdicts: Verdicts::default(),
            histories: Histories::default(),
            in_flight: InFlight::default(),
            questions: Questions::default(),
            last_question: LastQuestion::default(),
            reuse: Reuse::default(),
            sessions: DashMap::new(),
            chosen: Mutex::default(),
            next: Mutex::default(),
            surface: Mutex::default(),
            changed: Changed::default(),
            folders_changed: Notify::new(),
            activity: AtomicI64::new(0),
            alarmed: AtomicI64::new(0),
            connections: Connections::default(),
            degradations: Degradations::default(),
        })
    }

    /// Leaves sessions to the server of an editor that comes later: for a
    /// service that only stands in while there is none.
    pub fn leaves_sessions_free(&self) {
        self.keeps_sessions.store(false, Ordering::Relaxed);
    }

    /// Where settings and state are.
    #[must_use]
    pub fn places(&self) -> &Places {
        self.guards.places()
    }

    /// This run of the server.
    #[must_use]
    pub const fn server(&self) -> &ServerId {
        &self.server
    }

    /// The time, in milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// A person used the editor just now.
    pub fn is_used(&self) {
        self.activity.store(self.now(), Ordering::Relaxed);
    }

    /// When a person last used the editor, in milliseconds since 1970; 0 if
    /// that is not known.
    #[must_use]
    pub fn activity(&self) -> Millis {
        self.activity.load(Ordering::Relaxed)
    }

    /// The journal, to look at.
    #[must_use]
    pub fn journal(&self) -> &dyn Journal {
        &*self.journal
    }

    /// Why this server decides and shows nothing, if so.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// A surface is there from now on, and replaces the one before.
    pub fn connect(&self, kind: SurfaceKind, can_ask: bool, sender: UnboundedSender<Notice>) {
        *lock(&self.surface) = Some(Surface {
            kind,
            can_ask,
            sender,
        });
        self.folders_changed.notify_one();
        self.changed.mark(None);
    }

    /// The surface turned out not to be able to ask.
    pub fn cannot_ask(&self) {
        if let Some(surface) = &mut *lock(&self.surface) {
            surface.can_ask = false;
        }
        self.changed.mark(None);
    }

    /// The surface is gone: who waits for its person waits no longer.
    pub async fn disconnect(self: &Arc<Self>) {
        *lock(&self.surface) = None;
        self.nobody_answers().await;
    }

    /// Whoever waits for a person waits no longer: there is nobody.
    pub async fn nobody_answers(self: &Arc<Self>) {
        for approval in self.approvals.without_hooks() {
            self.end(&approval.id, Answer::NoSurface).await;
        }
    }

    /// Whether a person can be asked through a surface.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        self.refusal.is_none() && lock(&self.surface).as_ref().is_some_and(|one| one.can_ask)
    }

    /// What the surface is, if there is one.
    #[must_use]
    pub fn surface_kind(&self) -> Option<SurfaceKind> {
        lock(&self.surface).as_ref().map(|surface| surface.kind)
    }

    /// What a person's acts through the surface are recorded as.
    pub(crate) fn source(&self) -> AnswerSource {
        self.surface_kind()
            .map_or(AnswerSource::None, SurfaceKind::source)
    }

    /// What is to be drawn anew.
    #[must_use]
    pub const fn changed(&self) -> &Changed {
        &self.changed
    }

    /// What the editor says of its folders and settings. The folders are made
    /// canonical; one that does not exist is left out.
    pub fn set_editor(&self, roots: &[Utf8PathBuf], layers: EditorLayers) {
        let roots = roots
            .iter()
            .filter_map(|root| root.canonicalize_utf8().ok())
            .collect();
        self.guards.set_editor(EditorSettings { roots, layers });
        self.folders_changed.notify_one();
        self.changed.mark(None);
    }

    /// The canonical folders that are open in the editor.
    #[must_use]
    pub fn roots(&self) -> Vec<Utf8PathBuf> {
        self.guards.editor().roots.clone()
    }

    pub(crate) fn tell(&self, notice: Notice) {
        if let Some(surface) = &*lock(&self.surface) {
            // A surface that is gone hears nothing.
            let _ = surface.sender.send(notice);
        }
    }

    pub(crate) fn mark(&self, session: Option<&SessionKey>) {
        self.changed.mark(session);
    }

    /// Runs `work`, which may wait for files and for the state, where it holds
    /// up nobody.
    pub(crate) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, String> {
        let service = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&service))
            .await
            .map_err(|error| format!("the decision ended with a failure ({error})"))
    }

    /// The same on this thread, whose other work another one takes over: the way
    /// to another thread and back is longer than most decisions.
    pub(crate) async fn blocking_here<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, String> {
        // Only this kind of runtime has somebody to take it over.
        if Handle::current().runtime_flavor() != RuntimeFlavor::MultiThread {
            return self.blocking(work).await;
        }
        here(|| work(self))
    }

    /// Changes what is known of a session; it is known from then on.
    pub(crate) fn with_session<T>(
        &self,
        key: &SessionKey,
        mode: ApprovalMode,
        change: impl FnOnce(&mut LiveSession) -> T,
    ) -> T {
        let root = key.root();
        if self.sessions.len() >= MOST_SESSIONS && !self.sessions.contains_key(&root) {
            self.forget_oldest();
        }
        let now = self.clock.now();
        let mut session = self
            .sessions
            .entry(root.clone())
            .or_insert_with(|| LiveSession::new(root, mode, now));
        change(&mut session)
    }

    /// Forgets the session that was seen longest ago, but for one in which a
    /// person chose something; one in which they said no only where there is no
    /// other, so that many new ids make nobody ask the same again. Those that are
    /// paused go only when there are far too many.
    fn forget_oldest(&self) {
        let far_too_many = self.sessions.len() >= 4 * MOST_SESSIONS;
        let oldest = self
            .sessions
            .iter()
            .filter(|session| {
                session.chosen.is_none() && (far_too_many || !session.fatigue.is_paused())
            })
            .min_by_key(|session| (session.fatigue.remembers(), session.view.seen))
            .map(|session| session.key().clone());
        if let Some(oldest) = oldest {
            self.sessions.remove(&oldest);
        }
    }
}

/// What a panic left behind is whole: every change is one assignment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs work that may wait on this thread of a runtime that has several.
fn here<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // As on a thread of its own, a panic is the end of this decision and of
    // nothing else.
    tokio::task::block_in_place(|| panic::catch_unwind(AssertUnwindSafe(work)))
        .map_err(|_| "the decision ended with a failure (a panic)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::here;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn work_that_waits_holds_up_nobody_and_work_that_panics_ends_alone() {
        let (sends, receives) = std::sync::mpsc::channel();
        // On the only worker, which waits for it.
        let other = tokio::spawn(async move { sends.send(7) });
        let waited = tokio::spawn(async move { here(|| receives.recv()) });
        assert_eq!(waited.await.unwrap(), Ok(Ok(7)));
        other.await.unwrap().unwrap();
        let failed = tokio::spawn(async { here(|| -> u8 { panic!("vines") }) });
        let problem = failed.await.unwrap().unwrap_err();
        assert!(problem.contains("ended with a failure"), "{problem}");
        assert_eq!(tokio::spawn(async { here(|| 8) }).await.unwrap(), Ok(8));
    }
}
