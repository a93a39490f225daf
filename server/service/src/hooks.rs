//! User hooks in the server: told of events without anybody waiting, and asked
//! beside the surface, with answers that go the way of a person's.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use countersign_agents::HookEvent as AgentHookEvent;
use countersign_core::call::SessionKey;
use countersign_core::decision::Decision;
use countersign_engine::observer::HookResult;
use countersign_engine::request::{Asking, Outcome};
use countersign_guard::Guard;
use countersign_settings::{HookEvent, UserHook};
use countersign_user_hooks::{
    CallInput, Done, Firing, Payload, Place, Report, Runner, Running, Said, Variables, names_of,
};
use tokio::sync::oneshot;

use crate::degraded::Component;
use crate::hook_payloads::{
    News, WAITING, about, denied_payload, news_payload, session_payload, waiting_payload,
};
use crate::incoming::Prepared;
use crate::pending::{Choice, PendingApproval};
use crate::service::{Service, lock};
use crate::surface::Notice;

/// How long a hook's words are not shown again.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// What is kept back of a call's time for who is asked after the hooks.
const LAST_WORD: Duration = Duration::from_millis(500);

/// Most hooks of which it is known when they were last told of.
const MOST_TOLD: usize = 256;

/// The hooks of a server.
#[derive(Debug, Default)]
pub(crate) struct Hooks {
    runner: OnceLock<Runner>,
    /// When a person was last told something of the hook at this place.
    told: Mutex<HashMap<String, Instant>>,
    /// Those that failed at their last run, and where and why.
    failing: Mutex<BTreeMap<String, String>>,
}

impl Hooks {
    fn runner(&self) -> &Runner {
        self.runner.get_or_init(|| Runner::new(|_| None))
    }
}

impl Service {
    /// Where user hooks' headers take the variables that they name. Without
    /// this there are none; to be said before anything else.
    pub fn give_hooks(&self, variables: Variables) {
        // Said twice, the first holds.
        let _ = self.hooks.runner.set(Runner::new(variables));
    }

    /// Ends the hooks that still run. Not from a task.
    pub fn end_hooks(&self, within: Duration) {
        if let Some(runner) = self.hooks.runner.get() {
            runner.end(within);
        }
    }

    /// The hooks that are asked about a call before, or beside, a person.
    pub(crate) fn request_hooks(&self, prepared: &Prepared) -> Vec<UserHook> {
        let effective = &prepared.guard.effective;
        if effective
            .hooks_on(HookEvent::PermissionRequest)
            .next()
            .is_none()
        {
            return Vec::new();
        }
        let names = names_of(&prepared.call);
        Firing::hooks_for(effective, HookEvent::PermissionRequest, &names)
    }

    /// Has hooks asked first where no surface of ours asks: the rest then comes
    /// after them.
    pub(crate) fn put_hooks_first(&self, prepared: &mut Prepared) {
        if prepared.asking == Asking::Surface || self.request_hooks(prepared).is_empty() {
            return;
        }
        match self.engine.is_with_agent(&prepared.call, prepared.event) {
            Ok(false) => {
                prepared.without_hooks = Some(prepared.asking);
                prepared.asking = Asking::Surface;
            }
            // It was put to them at its earlier event.
            Ok(true) => {}
            Err(error) => tracing::error!("user hooks are not asked: {error}"),
        }
    }

    /// A call was decided: those that the classifier denied are told to hooks,
    /// and nobody waits for these.
    pub(crate) fn tell_hooks_decided(&self, prepared: &Prepared, outcome: &Outcome) {
        if outcome.joined {
            return;
        }
        match &outcome.decision {
            Decision::Denied { .. } => {
                let event = HookEvent::PermissionDenied;
                let names = names_of(&prepared.call);
                let hooks = Firing::hooks_for(&prepared.guard.effective, event, &names);
                if !hooks.is_empty()
                    && let Some(payload) = denied_payload(&prepared.call, &prepared.guard, outcome)
                {
                    self.fire(event, hooks, payload, &prepared.guard, outcome);
                }
            }
            Decision::Ask { .. } if prepared.asking == Asking::Delegate => {
                self.tell_hooks_waiting(&prepared.guard, outcome);
            }
            Decision::Ask { .. } | Decision::Allow { .. } | Decision::Block { .. } => {}
        }
    }

    /// A person is asked, here or by the agent itself.
    pub(crate) fn tell_hooks_waiting(&self, guard: &Guard, outcome: &Outcome) {
        let event = HookEvent::Notification;
        let hooks = Firing::hooks_for(&guard.effective, event, &[WAITING.to_owned()]);
        if !hooks.is_empty() {
            self.fire(
                event,
                hooks,
                waiting_payload(guard, outcome),
                guard,
                outcome,
            );
        }
    }

    /// A part of the guard is not as it should be. What is wrong with hooks is
    /// not told to hooks.
    pub(crate) fn tell_hooks_degraded(&self, part: Component, why: &str) {
        if matches!(part, Component::Hooks | Component::Guard) {
            return;
        }
        let message = format!("Countersign is degraded ({part}): {why}");
        self.tell_hooks_of_all("degraded", None, &message);
    }

    /// A tool ran that nobody decided about.
    pub(crate) fn tell_hooks_unguarded(&self, key: &SessionKey, message: &str) {
        self.tell_hooks_of_all("unguarded", Some(key), message);
    }

    fn tell_hooks_of_all(&self, kind: &str, key: Option<&SessionKey>, message: &str) {
        let guard = self.guards.anywhere();
        let more = [("message", message)];
        self.tell_hooks(
            &guard,
            &News {
                event: HookEvent::Notification,
                key,
                cwd: None,
                kind,
                more: &more,
            },
        );
    }

    /// A session began or ended, by the word of its agent.
    pub(crate) fn tell_hooks_session(&self, event: &AgentHookEvent, guard: &Guard) {
        let Some((on, kind, payload)) = session_payload(event, guard) else {
            return;
        };
        let hooks = Firing::hooks_for(&guard.effective, on, &[kind]);
        if !hooks.is_empty() {
            let firing = self.firing(on, hooks, payload, guard, None, None);
            self.begin_hooks(firing, Some(event.key.clone()));
        }
    }

    fn tell_hooks(&self, guard: &Guard, news: &News<'_>) {
        let kinds = [news.kind.to_owned()];
        let hooks = Firing::hooks_for(&guard.effective, news.event, &kinds);
        if hooks.is_empty() {
            return;
        }
        let payload = news_payload(guard, news);
        let firing = self.firing(news.event, hooks, payload, guard, None, None);
        self.begin_hooks(firing, news.key.cloned());
    }

    fn fire(
        &self,
        event: HookEvent,
        hooks: Vec<UserHook>,
        payload: Payload,
        guard: &Guard,
        outcome: &Outcome,
    ) {
        let call = Some(outcome.call.clone());
        let firing = self.firing(event, hooks, payload, guard, call, None);
        self.begin_hooks(firing, Some(outcome.key.clone()));
    }

    fn firing(
        &self,
        event: HookEvent,
        hooks: Vec<UserHook>,
        payload: Payload,
        guard: &Guard,
        call: Option<String>,
        deadline: Option<Instant>,
    ) -> Firing {
        let place = Place::new(&guard.places, guard.workspace.clone(), &self.roots());
        Firing {
            event,
            hooks,
            payload: Arc::new(payload),
            call,
            place: Arc::new(place),
            deadline,
        }
    }

    fn begin_hooks(&self, firing: Firing, key: Option<SessionKey>) {
        let me = self.me.clone();
        let _running = self.hooks.runner().begin(firing, move |done| {
            if let Some(service) = me.upgrade() {
                service.hooks_ended(key.as_ref(), &done.reports);
            }
        });
    }

    /// Asks hooks about an open approval, beside whoever else is asked. Whether
    /// there are any.
    pub(crate) fn ask_hooks(
        self: &Arc<Self>,
        prepared: &Prepared,
        outcome: &Outcome,
        approval: &Arc<PendingApproval>,
    ) -> bool {
        let hooks = self.request_hooks(prepared);
        if hooks.is_empty() {
            return false;
        }
        let Some(over) = self.approvals.asks_hooks(&approval.id) else {
            return false;
        };
        let event = HookEvent::PermissionRequest;
        let input = CallInput {
            id: &approval.id,
            call: &approval.call,
            tool: &approval.tool,
            reason: approval.reason.as_str(),
            detail: &approval.detail,
            effects: Some(&approval.effects),
            suggestions: Some(&approval.suggestions),
            counters: approval.counters,
            model: approval.model.as_ref(),
        };
        let about = about(&prepared.call, &prepared.guard, outcome, event);
        let payload = Payload::of_call(&about, &input);
        let until = approval.expires.min(prepared.deadline);
        let left = until.saturating_duration_since(Instant::now());
        let deadline = until.checked_sub(LAST_WORD.min(left / 4)).unwrap_or(until);
        let call = Some(approval.id.clone());
        let (guard, deadline) = (&prepared.guard, Some(deadline));
        let firing = self.firing(event, hooks, payload, guard, call, deadline);
        let (sender, done) = oneshot::channel();
        let running = self.hooks.runner().begin(firing, move |done| {
            // Nobody hears it if the approval is over.
            let _ = sender.send(done);
        });
        let (service, approval) = (Arc::clone(self), Arc::clone(approval));
        let without = prepared.clone();
        let outcome = outcome.clone();
        tokio::spawn(async move {
            let running = Ended(running);
            tokio::select! {
                done = done => {
                    let done = done.unwrap_or(Done { said: Said::Nothing, reports: Vec::new() });
                    service.hooks_said(&approval, done, &without, &outcome).await;
                }
                // Somebody else answered, or nobody waits any more.
                _ = over => {}
            }
            drop(running);
        });
        true
    }

    /// What hooks said to an approval, applied as an answer is.
    async fn hooks_said(
        self: &Arc<Self>,
        approval: &Arc<PendingApproval>,
        done: Done,
        prepared: &Prepared,
        outcome: &Outcome,
    ) {
        let choice = match done.said {
            Said::Allow => Some(Choice::Approve),
            Said::Deny { message } => Some(Choice::Deny {
                message: Some(match message {
                    Some(message) => format!("a user hook said no: {message}"),
                    None => "a user hook said no".to_owned(),
                }),
            }),
            Said::Nothing => None,
        };
        let id = approval.id.clone();
        if let Some(choice) = choice {
            self.hook_answers(&id, choice).await;
        } else if self.approvals.hooks_are_over(&id) && !self.can_ask() {
            // Whoever was to be asked without hooks is asked now.
            if prepared.without_hooks == Some(Asking::Delegate) {
                self.leave_to_agent(approval, prepared, outcome).await;
            } else {
                self.end(&id, countersign_core::approval::Answer::NoSurface)
                    .await;
            }
        }
        let key = approval.key.clone();
        let recorded = self
            .blocking(move |service| service.hooks_ended(Some(&key), &done.reports))
            .await;
        if let Err(problem) = recorded {
            tracing::error!("what came of user hooks is not recorded: {problem}");
        }
    }

    /// Hooks ended: who watches is told, and what went wrong is on record and
    /// shown. May wait for the state.
    fn hooks_ended(&self, key: Option<&SessionKey>, reports: &[Report]) {
        for report in reports {
            self.engine.hook_ran(&report.run);
            self.note_health(report);
            let Some(problem) = &report.problem else {
                continue;
            };
            let what = format!("hook {} at {}: {problem}", report.run.event, report.place);
            tracing::warn!("{what}");
            let call = report.run.call.as_deref();
            if let Err(error) = self.engine.hook_problem(key, call, &what) {
                tracing::error!("what came of a user hook is not recorded: {error}");
            }
            if self.may_tell_of(&report.place) {
                self.tell(Notice::Tell(format!("Countersign: {what}")));
            }
        }
    }

    /// An agent must not be able to bury everything else in what hooks say.
    fn may_tell_of(&self, place: &str) -> bool {
        let now = Instant::now();
        let mut told = lock(&self.hooks.told);
        told.retain(|_, at| now.duration_since(*at) < TOLD_EVERY);
        if told.contains_key(place) || told.len() >= MOST_TOLD {
            return false;
        }
        told.insert(place.to_owned(), now);
        true
    }

    fn note_health(&self, report: &Report) {
        let fails = matches!(report.run.result, HookResult::Timeout | HookResult::Failed);
        let why = {
            let mut failing = lock(&self.hooks.failing);
            match (&report.problem, fails) {
                (Some(problem), true) if failing.len() < MOST_TOLD => {
                    let what = format!("{}: {problem}", report.run.event);
                    failing.insert(report.id.clone(), format!("{}: {what}", report.place));
                }
                _ => drop(failing.remove(&report.id)),
            }
            failing
                .iter()
                .next()
                .map(|(_, what)| format!("a user hook fails ({what})"))
        };
        match why {
            Some(why) => self.degrade(Component::Hooks, &why),
            None => self.well_again(Component::Hooks),
        }
    }
}

/// Hooks that end with this.
struct Ended(Running);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.end();
    }
}
