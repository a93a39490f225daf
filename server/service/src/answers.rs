//! Approvals from asking to answering: the one way in which a person's yes
//! becomes a decision.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::call::SessionKey;
use countersign_core::decision::Decision;
use countersign_core::denials::Counters;
use countersign_core::mode::ApprovalMode;
use countersign_core::state::Millis;
use countersign_engine::prepare;
use countersign_engine::request::Outcome;
use countersign_engine::resolve::{Bound, ResolveError};

use crate::approvals::{AnswerError, Ended};
use crate::decide::internal;
use crate::effects;
use crate::fatigue::effects_digest;
use crate::incoming::Prepared;
use crate::parts::parts;
use crate::pending::{Choice, Nonce, PendingApproval, Remember};
use crate::remember::RememberError;
use crate::service::Service;
use crate::suggest::suggestions;
use crate::surface::Notice;

/// The longest that an approval waits, whatever the agent's deadline.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// What came of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// What became of the call.
    pub decision: Decision,
    /// What did not go as chosen: a rule that could not be remembered.
    pub warning: Option<String>,
}

impl Service {
    /// Makes the approval that a person is shown, or says why none is.
    pub(crate) fn compose(
        &self,
        prepared: &Prepared,
        outcome: &Outcome,
    ) -> Result<PendingApproval, Answer> {
        let Decision::Ask { reason, detail } = &outcome.decision else {
            return Err(Answer::Aborted);
        };
        let (call, facts, guard) = (&prepared.call, &prepared.facts, &prepared.guard);
        let parts = parts(call, facts, &guard.policy, outcome.mode);
        let effects = effects_digest(call, facts, &parts);
        let now = Instant::now();
        let asked_before =
            self.with_session(&outcome.key, prepared.mode, |session| {
                match session.fatigue.refuses(effects, now) {
                    Some(because) => Err(Answer::NotAsked { because }),
                    None => Ok(session.fatigue.asked_before(effects)),
                }
            })?;
        let expires = prepared.deadline.min(now + LONGEST);
        let asked_at = self.clock.now();
        Ok(PendingApproval {
            id: outcome.call.clone(),
            // Without randomness nobody could prove to have seen the prompt.
            nonce: Nonce::new().ok_or(Answer::NoSurface)?,
            digest: prepare::approval_digest(call, facts),
            key: outcome.key.clone(),
            suggestions: suggestions(call, facts, guard, outcome.mode, *reason, &parts),
            effects: effects::effects(call, facts),
            parts,
            call: Arc::clone(call),
            facts: Arc::clone(facts),
            tool: outcome.tool.clone(),
            mode: outcome.mode,
            reason: *reason,
            detail: detail.clone(),
            counters: outcome.after,
            limits: guard.policy.limits,
            model: outcome.model.clone(),
            asked_before,
            asked_at,
            deadline: asked_at.saturating_add(millis(expires.saturating_duration_since(now))),
            expires,
            workspace: guard.workspace.clone(),
            guard: Arc::clone(guard),
        })
    }

    /// The surface has drawn the approval just now: from here on the half
    /// second counts before which nobody can have read it.
    pub fn shown(&self, id: &str) {
        self.approvals.shown(id);
    }

    /// Everything that waits for a person, the oldest first.
    #[must_use]
    pub fn pending(&self) -> Vec<Arc<PendingApproval>> {
        self.approvals.all()
    }

    /// The approval of this id, if it waits for a person.
    #[must_use]
    pub fn pending_of(&self, id: &str) -> Option<Arc<PendingApproval>> {
        self.approvals.get(id)
    }

    /// A person answers. To approve, the answer must carry the nonce.
    ///
    /// # Errors
    /// Why the answer changed nothing; late, duplicate and foreign ones are
    /// in the journal.
    pub async fn answer(
        self: &Arc<Self>,
        id: &str,
        nonce: Option<&str>,
        choice: Choice,
        source: AnswerSource,
    ) -> Result<Answered, AnswerError> {
        let rules = match &choice {
            Choice::Remember { rules, .. } => rules.as_slice(),
            Choice::Deny { .. }
            | Choice::Approve
            | Choice::ApproveAndSwitchToDefault
            | Choice::Dismiss => &[],
        };
        let claimed = self.approvals.claim(id, nonce, choice.approves(), rules);
        let approval = match claimed {
            Ok(approval) => approval,
            Err(error) => {
                self.journal_ignored(id, &choice, source, &error).await;
                return Err(error);
            }
        };
        self.apply_choice(approval, choice, source).await
    }

    /// A user hook answers. Where somebody else did before, or where what would
    /// run has changed, that is on record and changes nothing.
    pub(crate) async fn hook_answers(self: &Arc<Self>, id: &str, choice: Choice) {
        let source = AnswerSource::Hook;
        let answered = match self.approvals.claim_from_inside(id) {
            Ok(approval) => self.apply_choice(approval, choice, source).await,
            Err(error) => {
                self.journal_ignored(id, &choice, source, &error).await;
                Err(error)
            }
        };
        if let Err(error) = answered {
            tracing::warn!("the answer of a user hook changed nothing: {error}");
        }
    }

    /// Gives an approval that user hooks did not answer to the agent's own
    /// prompt.
    pub(crate) async fn leave_to_agent(
        self: &Arc<Self>,
        approval: &Arc<PendingApproval>,
        prepared: &Prepared,
        outcome: &Outcome,
    ) {
        if self.approvals.claim_from_inside(&approval.id).is_err() {
            return;
        }
        let (work, process) = (Arc::clone(approval), prepared.process.clone());
        let handed = self
            .blocking(move |service| {
                service
                    .engine
                    .hand_to_agent(&work.key, &work.id, process.as_ref())
                    .map_err(|error| error.to_string())
            })
            .await;
        let decision = match handed {
            Ok(Ok(())) => outcome.decision.clone(),
            Ok(Err(problem)) | Err(problem) => internal(problem),
        };
        if let Decision::Ask { .. } = decision {
            self.tell_hooks_waiting(&prepared.guard, outcome);
        }
        self.over(approval, None, Ended::Decided(decision, None));
    }

    /// Applies what somebody chose about an approval that was claimed for it.
    async fn apply_choice(
        self: &Arc<Self>,
        approval: Arc<PendingApproval>,
        choice: Choice,
        source: AnswerSource,
    ) -> Result<Answered, AnswerError> {
        let work = Arc::clone(&approval);
        let settled = self
            .blocking(move |service| service.settle(&work, &choice, source))
            .await
            .unwrap_or_else(|problem| Err(AnswerError::State(problem)));
        match settled {
            Ok((answer, warning, after)) => {
                let decision = answer.decision_by(source);
                let ended = Ended::Decided(decision.clone(), Some(after));
                self.over(&approval, Some(answer), ended);
                Ok(Answered { decision, warning })
            }
            Err(error @ AnswerError::Changed(_)) => {
                self.over(&approval, None, Ended::Void);
                Err(error)
            }
            Err(error) => {
                // What cannot be recorded is no approval; who waits is told so.
                let failed = internal(error.to_string());
                self.over(
                    &approval,
                    Some(Answer::Aborted),
                    Ended::Decided(failed, None),
                );
                Err(error)
            }
        }
    }

    /// Applies a choice; the answer that it became, what went wrong with
    /// remembering, and the counters after.
    fn settle(
        &self,
        approval: &PendingApproval,
        choice: &Choice,
        source: AnswerSource,
    ) -> Result<(Answer, Option<String>, Counters), AnswerError> {
        let call = &approval.call;
        let facts = if choice.approves() {
            prepare::facts(call, &self.guards.host(), &approval.guard.policy)
        } else {
            (*approval.facts).clone()
        };
        let bound = Bound {
            shown: approval.digest,
            now: prepare::approval_digest(call, &facts),
        };
        let answer = match choice {
            Choice::Deny { message } => Answer::Cancel {
                message: message.clone(),
            },
            Choice::Dismiss => Answer::Dismissed,
            Choice::Approve => Answer::ProceedOnce,
            Choice::ApproveAndSwitchToDefault => Answer::ProceedOnceAndSwitchToDefault,
            Choice::Remember { .. } => Answer::ProceedAlways,
        };
        let resolved = self.engine.resolve(
            &approval.key,
            &approval.id,
            bound,
            &answer,
            source,
            approval.limits,
        );
        match resolved {
            Ok(resolution) => {
                self.note_answer(approval, &answer, source, resolution.after);
                if let Choice::ApproveAndSwitchToDefault = choice {
                    // Who plans and wants to be asked goes on planning.
                    let mode = approval.mode.stricter(ApprovalMode::Default);
                    self.with_session(&approval.key, approval.mode, |session| {
                        session.chosen = Some(mode);
                        session.view.mode = mode;
                    });
                }
                let warning = match choice {
                    Choice::Remember { rules, scope } => {
                        self.remembered(approval, rules, *scope, source)
                    }
                    Choice::Deny { .. }
                    | Choice::Approve
                    | Choice::ApproveAndSwitchToDefault
                    | Choice::Dismiss => None,
                };
                Ok((answer, warning, resolution.after))
            }
            Err(ResolveError::NotOpen(id)) => Err(AnswerError::NotOpen(id)),
            Err(ResolveError::Changed(id)) => Err(AnswerError::Changed(id)),
            Err(ResolveError::State(error)) => Err(AnswerError::State(error.to_string())),
        }
    }

    /// Remembers rules after the yes that came with them is recorded; what
    /// went wrong, if something did. Either is in the journal.
    fn remembered(
        &self,
        approval: &PendingApproval,
        rules: &[String],
        scope: Remember,
        source: AnswerSource,
    ) -> Option<String> {
        let place = match scope {
            Remember::Session => "this session",
            Remember::Project => "the workspace's settings",
            Remember::User => "the user's settings",
        };
        let rules_text = rules.join(", ");
        let (what, warning) = match self.remember(approval, rules, scope) {
            Ok(()) => (format!("allowed in {place}: {rules_text}"), None),
            Err(error) => (
                format!("not allowed in {place}: {rules_text}: {error}"),
                Some(error.to_string()),
            ),
        };
        let recorded = self
            .engine
            .person_trusted(Some(&approval.key), &what, source);
        if let Err(error) = recorded {
            tracing::error!("what was remembered is not recorded: {error}");
        }
        warning
    }

    fn remember(
        &self,
        approval: &PendingApproval,
        rules: &[String],
        scope: Remember,
    ) -> Result<(), RememberError> {
        match scope {
            Remember::Session => {
                self.with_session(&approval.key, approval.mode, |session| {
                    session.rules.extend(rules.iter().cloned());
                });
                Ok(())
            }
            Remember::Project | Remember::User => crate::remember::in_file(
                self.places(),
                approval.workspace.as_deref(),
                rules,
                scope,
                &|workspace| self.guards.effective(workspace),
            ),
        }
    }

    /// Ends an approval without a person: its time is over, nobody waits for
    /// it, or nobody can be asked any more. Does nothing where an answer is
    /// just being looked at.
    pub(crate) async fn end(self: &Arc<Self>, id: &str, answer: Answer) {
        let Ok(approval) = self.approvals.claim(id, None, false, &[]) else {
            return;
        };
        let (work, ending) = (Arc::clone(&approval), answer.clone());
        let resolved = self
            .blocking(move |service| {
                let resolved = service.engine.resolve(
                    &work.key,
                    &work.id,
                    Bound {
                        shown: work.digest,
                        now: work.digest,
                    },
                    &ending,
                    AnswerSource::None,
                    work.limits,
                );
                if let Ok(resolution) = &resolved {
                    let source = AnswerSource::None;
                    service.note_answer(&work, &ending, source, resolution.after);
                }
                resolved
                    .map(|resolution| resolution.after)
                    .map_err(|error| error.to_string())
            })
            .await;
        let after = match resolved {
            Ok(Ok(after)) => Some(after),
            Ok(Err(problem)) | Err(problem) => {
                tracing::error!("the end of approval {id} is not recorded: {problem}");
                None
            }
        };
        let ended = Ended::Decided(answer.decision(), after);
        self.over(&approval, Some(answer), ended);
    }

    /// Records that nobody was asked.
    pub(crate) fn settle_unasked(
        &self,
        key: &SessionKey,
        id: &str,
        answer: &Answer,
    ) -> Result<(), String> {
        let zero = countersign_core::call::Digest([0; 32]);
        let nothing = Bound {
            shown: zero,
            now: zero,
        };
        let limits = countersign_core::denials::DenialLimits::default();
        self.engine
            .resolve(key, id, nothing, answer, AnswerSource::None, limits)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    /// Tells who waits and who shows.
    fn over(&self, approval: &PendingApproval, answer: Option<Answer>, ended: Ended) {
        let decision = match &ended {
            // The agent's own prompt asks now: that is no end of the call.
            Ended::Decided(Decision::Ask { .. }, _) | Ended::Void => None,
            Ended::Decided(decision, _) => Some(decision.clone()),
        };
        if let Some(decision) = &decision {
            self.tell_answered(approval, answer.as_ref(), decision);
        }
        self.approvals.finish(&approval.id, &ended);
        self.tell(Notice::Resolved {
            id: approval.id.clone(),
            key: approval.key.clone(),
            answer,
            decision,
        });
        self.mark(Some(&approval.key));
    }

    /// The person is asked from now on.
    pub(crate) fn note_asked(&self, approval: &PendingApproval) {
        let effects = effects_digest(&approval.call, &approval.facts, &approval.parts);
        self.with_session(&approval.key, approval.mode, |session| {
            session.fatigue.asked(effects);
        });
    }

    fn note_answer(
        &self,
        approval: &PendingApproval,
        answer: &Answer,
        source: AnswerSource,
        counters: Counters,
    ) {
        let effects = effects_digest(&approval.call, &approval.facts, &approval.parts);
        self.with_session(&approval.key, approval.mode, |session| {
            // A program does not tire, and its yes is no sign that a person
            // wants to be asked again.
            if source != AnswerSource::Hook {
                session.fatigue.answered(effects, answer, Instant::now());
                session.view.paused = session.fatigue.is_paused();
            }
            if approval.key.subagent.is_none() {
                session.view.counters = counters;
            }
        });
    }

    async fn journal_ignored(
        self: &Arc<Self>,
        id: &str,
        choice: &Choice,
        source: AnswerSource,
        error: &AnswerError,
    ) {
        if matches!(error, AnswerError::TooSoon(_)) {
            return;
        }
        let key = self.approvals.get(id).map(|open| open.key.clone());
        let what = if choice.approves() { "approve" } else { "deny" };
        let id = countersign_core::redact::bounded(id, 64).into_owned();
        // It repeats what was sent.
        let why = error.to_string();
        let why = countersign_core::redact::bounded(&why, 256).into_owned();
        let recorded = self
            .blocking(move |service| {
                service
                    .engine
                    .ignored(key.as_ref(), &id, what, source, &why)
            })
            .await;
        if let Ok(Err(error)) = recorded {
            tracing::error!("an answer without effect is not recorded: {error}");
        }
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}
