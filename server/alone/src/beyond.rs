//! What deciding alone needs that not every program has.

use camino::Utf8Path;
use countersign_agents::HookEvent;
use countersign_core::call::Call;
use countersign_core::decision::Decision;
use countersign_engine::request::{Asking, Outcome, Request};
use countersign_guard::Guard;
use countersign_hook::Undecided;
use countersign_settings::{Places, UserHook};

use crate::deciding::{Deciding, Ground};

/// Models and user hooks, and what else needs more than this crate.
///
/// What concerns user hooks does nothing unless it is said otherwise: who does
/// not run them refuses in [`Beyond::user_hooks`], before anything is decided.
pub trait Beyond: Sized {
    /// The user's places, or those below the folder of `--home`.
    ///
    /// # Errors
    /// Why they are not known: the event is blocked.
    fn places(&self, home: Option<&Utf8Path>) -> Result<Places, String>;

    /// Called where user hooks are configured, before anything comes of the
    /// event.
    ///
    /// # Errors
    /// Why the event cannot be decided here: it is blocked.
    fn user_hooks(&self, alone: &Undecided<'_>) -> Result<(), String>;

    /// Asks a model about a call for which the engine said so, and applies its
    /// answer.
    ///
    /// # Errors
    /// Why the call cannot be decided: it is blocked.
    fn judge(
        &self,
        deciding: &Deciding<'_, Self>,
        request: &Request<'_>,
        ground: &Ground,
    ) -> Result<Judged, String>;

    /// Tells user hooks that a session began or ended.
    fn tell_session(&self, _guard: &Guard, _event: &HookEvent) {}

    /// The user hooks that are asked first, if a person must be asked.
    fn asked_first(
        &self,
        _deciding: &Deciding<'_, Self>,
        request: &Request<'_>,
        _guard: &Guard,
    ) -> First {
        First::nobody(request)
    }

    /// Tells user hooks what was decided, and asks them where a person must be
    /// asked. None if what would run has changed while they were asked: then
    /// the call is decided anew.
    ///
    /// # Errors
    /// When the state cannot be used: nothing may be decided.
    fn with_hooks(
        &self,
        _deciding: &Deciding<'_, Self>,
        _request: &Request<'_>,
        _guard: &Guard,
        _first: First,
        outcome: &Outcome,
    ) -> Result<Option<Decision>, String> {
        Ok(Some(outcome.decision.clone()))
    }

    /// Tells user hooks what was decided, where they are to know.
    fn tell_hooks(&self, _call: &Call, _guard: &Guard, _outcome: &Outcome) {}
}

/// What came of asking a model.
pub enum Judged {
    /// The answer was applied.
    Decided(Box<Outcome>),
    /// It was about what is not so any more: the call is decided anew on this.
    Void(Box<Ground>),
}

/// Who is asked before the agent's own prompt, or before nobody.
pub struct First {
    /// The user hooks.
    pub hooks: Vec<UserHook>,
    /// How a person is asked after them.
    pub otherwise: Asking,
}

impl First {
    /// No user hook is asked about the call of this request.
    #[must_use]
    pub const fn nobody(request: &Request<'_>) -> Self {
        Self {
            hooks: Vec::new(),
            otherwise: request.asking,
        }
    }

    /// The request as it is to be decided: an ask stays open for the hooks.
    #[must_use]
    pub fn request<'r>(&self, request: &Request<'r>) -> Request<'r> {
        Request {
            asking: if self.hooks.is_empty() {
                self.otherwise
            } else {
                Asking::Surface
            },
            ..*request
        }
    }
}
