//! What the pipeline is told: copied from the engine's outcomes on the thread
//! of a decision, and already only what may leave. It is bounded, and holds no
//! word of an agent, a rule or a model unless the user opted in.

use std::time::{Duration, Instant, SystemTime};

use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::decision::{AskReason, Decision, DeniedReason};
use countersign_core::denials::Counters;
use countersign_core::mode::ApprovalMode;
use countersign_core::model::{ModelRecord, Stage, StageVerdict};
use countersign_core::redact;
use countersign_core::trace::TraceContext;
use countersign_engine::observer::{HookRun, Resolution, denial_log_naming, reset_log};
use countersign_engine::request::{Layer, Layers, Outcome};

use crate::label;
use crate::pseudonym::Pseudonyms;

/// Most of what was asked for that is exported, in bytes.
const INPUT_BYTES: usize = 2 * 1024;

/// Most of a decision's words that is exported, in bytes.
const DETAIL_BYTES: usize = 1024;

/// Most of a tool's own name that is exported, in bytes.
const TOOL_BYTES: usize = 256;

/// Most that is masked, in bytes: as much as the journal keeps.
const LOOKED_AT_BYTES: usize = 16 * 1024;

/// Stages of one question that are told; there are two.
const MOST_STAGES: usize = 4;

/// Something to export.
#[derive(Debug)]
pub(crate) enum Told {
    Call(Box<Call>),
    Answered(Box<Answered>),
    Voided { call: String },
    Hook(Box<HookRun>),
    Unguarded { at: SystemTime },
}

/// A decision.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) agent: &'static str,
    pub(crate) tool: &'static str,
    pub(crate) mode: ApprovalMode,
    pub(crate) session: Option<String>,
    pub(crate) is_subagent: bool,
    /// When the call came in.
    pub(crate) began: SystemTime,
    /// When it was decided.
    pub(crate) decided: SystemTime,
    pub(crate) layers: Layers,
    pub(crate) trace: Option<TraceContext>,
    pub(crate) verb: &'static str,
    pub(crate) via: Option<&'static str>,
    /// Why it was blocked or asked about.
    pub(crate) reason: Option<&'static str>,
    pub(crate) denied: Option<DeniedReason>,
    pub(crate) asked: Option<AskReason>,
    /// Whether somebody is asked and an answer is to come.
    pub(crate) waits: bool,
    pub(crate) counters: Counters,
    pub(crate) question: Option<Question>,
    pub(crate) is_recorded: bool,
    pub(crate) rule: Option<String>,
    pub(crate) log: Option<String>,
    pub(crate) content: Option<Content>,
}

/// What is exported only on request.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub(crate) input: String,
    pub(crate) detail: String,
    pub(crate) tool: String,
}

/// What a classifier was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Question {
    pub(crate) provider: Option<&'static str>,
    pub(crate) requested: Option<String>,
    pub(crate) answered: Option<String>,
    pub(crate) stages: Vec<Asked>,
    /// Why there is no answer, where no stage was asked.
    pub(crate) unavailable: bool,
}

/// One stage.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) stage: Stage,
    pub(crate) verdict: StageVerdict,
    pub(crate) took: Duration,
    pub(crate) attempts: u32,
    pub(crate) request_id: Option<String>,
    pub(crate) message_id: Option<String>,
    pub(crate) input_tokens: Option<u64>,
    pub(crate) cached_tokens: Option<u64>,
    pub(crate) output_tokens: Option<u64>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) call: String,
    pub(crate) at: SystemTime,
    pub(crate) ending: Ending,
    pub(crate) proceeds: bool,
    pub(crate) log: Option<String>,
}

/// How a wait for a person ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) decision: &'static str,
    pub(crate) answer: &'static str,
    pub(crate) source: &'static str,
}

impl Ending {
    /// Nobody could be asked.
    pub(crate) const NO_SURFACE: Self = Self::aborted("no_surface");
    /// What was shown has changed.
    pub(crate) const VOID: Self = Self::aborted("void");
    /// No answer was heard of.
    pub(crate) const UNFINISHED: Self = Self::aborted("unfinished");

    const fn aborted(answer: &'static str) -> Self {
        Self {
            decision: "aborted",
            answer,
            source: "none",
        }
    }

    fn of(answer: &Answer, source: AnswerSource) -> Self {
        let decision = match answer {
            Answer::ProceedOnce
            | Answer::ProceedAlways
            | Answer::ProceedOnceAndSwitchToDefault
            | Answer::Cancel { .. }
            | Answer::Timeout
            | Answer::Aborted => answer.as_str(),
            Answer::Dismissed => "cancel",
            Answer::NoSurface | Answer::NotAsked { .. } => "aborted",
        };
        Self {
            decision,
            answer: answer.as_str(),
            source: source.as_str(),
        }
    }
}

/// What is asked of a person because of a cap is named for that.
pub(crate) const fn trigger(reason: AskReason) -> &'static str {
    match reason.cap_kind() {
        Some(_) => crate::names::DENIAL_CAP_TRIGGERED,
        None => reason.as_str(),
    }
}

impl Call {
    /// What may be told of an outcome; `include_content` is the user's opt-in.
    pub(crate) fn of(
        outcome: &Outcome,
        pseudonyms: Option<&Pseudonyms>,
        include_content: bool,
    ) -> Self {
        let decided = SystemTime::now();
        let elapsed = outcome
            .started
            .map_or(Duration::ZERO, |started| Instant::now() - started);
        let tool = label::tool(&outcome.tool);
        let is_ask = outcome.asked.is_some() || matches!(outcome.decision, Decision::Ask { .. });
        let asked = outcome.asked.or(match &outcome.decision {
            Decision::Ask { reason, .. } => Some(*reason),
            Decision::Allow { .. } | Decision::Denied { .. } | Decision::Block { .. } => None,
        });
        let detail = outcome.decision.detail();
        Self {
            id: outcome.call.clone(),
            agent: outcome.key.agent.as_str(),
            tool,
            mode: outcome.mode,
            session: pseudonyms.map(|pseudonyms| pseudonyms.session(&outcome.key)),
            is_subagent: outcome.key.subagent.is_some(),
            began: decided.checked_sub(elapsed).unwrap_or(decided),
            decided,
            layers: outcome.layers,
            trace: outcome.trace,
            verb: if is_ask {
                "ask"
            } else {
                outcome.decision.verb()
            },
            via: match &outcome.decision {
                Decision::Allow { via, .. } => Some(via.as_str()),
                Decision::Denied { .. } | Decision::Block { .. } | Decision::Ask { .. } => None,
            },
            reason: match (asked, &outcome.decision) {
                (Some(reason), _) => Some(reason.as_str()),
                (None, Decision::Allow { .. }) => None,
                (None, decision) => Some(decision.reason()),
            },
            denied: match &outcome.decision {
                Decision::Denied { reason, .. } => Some(*reason),
                Decision::Allow { .. } | Decision::Block { .. } | Decision::Ask { .. } => None,
            },
            asked,
            waits: matches!(outcome.decision, Decision::Ask { .. }),
            counters: outcome.after,
            question: outcome.model.as_ref().map(Question::of),
            is_recorded: outcome.recorded,
            rule: is_of_a_rule(&outcome.decision, asked)
                .then(|| pseudonyms.map(|pseudonyms| pseudonyms.rule(rule_in(detail))))
                .flatten(),
            log: denial_log_naming(outcome, tool),
            content: include_content.then(|| Content {
                input: shown(&outcome.subject, INPUT_BYTES),
                detail: shown(detail, DETAIL_BYTES),
                tool: shown(&outcome.tool.to_string(), TOOL_BYTES),
            }),
        }
    }

    /// The number that is told as consecutive denials: that of the cap that
    /// forced an ask, else the larger of the two.
    pub(crate) fn consecutive_denials(&self) -> u32 {
        let counters = &self.counters;
        match self.asked {
            Some(AskReason::ConsecutiveBlock) => counters.consecutive_block,
            Some(AskReason::ConsecutiveUnavailable) => counters.consecutive_unavailable,
            Some(
                AskReason::AskRule
                | AskReason::RuleMalformed
                | AskReason::TotalDenial
                | AskReason::NoClassifier
                | AskReason::ClassifierUnavailable
                | AskReason::Unprojected
                | AskReason::ApprovalMode,
            )
            | None => counters
                .consecutive_block
                .max(counters.consecutive_unavailable),
        }
    }
}

/// Whether the words of a decision are a rule's.
fn is_of_a_rule(decision: &Decision, asked: Option<AskReason>) -> bool {
    use countersign_core::decision::{BlockReason, Via};
    match decision {
        Decision::Allow { via, .. } => *via == Via::Rule,
        Decision::Block { reason, .. } if asked.is_none() => *reason == BlockReason::RuleDenied,
        Decision::Ask { .. } => {
            matches!(asked, Some(AskReason::AskRule | AskReason::RuleMalformed))
        }
        Decision::Block { .. } | Decision::Denied { .. } => false,
    }
}

/// The rule in the words of a decision, without what it matched.
fn rule_in(detail: &str) -> &str {
    [" matches ", " may match "]
        .into_iter()
        .filter_map(|word| detail.split_once(word))
        .map(|(rule, _)| rule)
        .min_by_key(|rule| rule.len())
        .unwrap_or(detail)
}

/// A text of others on request: masked first, so that nothing that is cut off
/// in the middle escapes the mask.
fn shown(text: &str, most: usize) -> String {
    let looked_at = redact::bounded(text, LOOKED_AT_BYTES);
    redact::bounded(&redact::mask(&looked_at), most).into_owned()
}

impl Question {
    fn of(model: &ModelRecord) -> Self {
        let answered = model.model.as_deref().map(label::model);
        let requested = model.requested.as_deref().map(label::model);
        Self {
            provider: model.provider.as_deref().and_then(provider),
            requested,
            answered,
            stages: model
                .stages
                .iter()
                .take(MOST_STAGES)
                .map(|stage| Asked {
                    stage: stage.stage,
                    verdict: stage.verdict,
                    took: Duration::from_millis(stage.millis),
                    attempts: stage.attempts,
                    request_id: stage.request_id.as_deref().and_then(label::id),
                    message_id: stage.message_id.as_deref().and_then(label::id),
                    input_tokens: stage.input_tokens,
                    cached_tokens: stage.cached_tokens,
                    output_tokens: stage.output_tokens,
                })
                .collect(),
            unavailable: model.problem.is_some(),
        }
    }
}

/// The names of providers are few.
fn provider(name: &str) -> Option<&'static str> {
    countersign_core::model::Provider::ALL
        .into_iter()
        .map(countersign_core::model::Provider::telemetry_name)
        .find(|known| *known == name)
}

impl Answered {
    pub(crate) fn of(resolution: &Resolution) -> Self {
        Self {
            call: resolution.call.clone(),
            at: SystemTime::now(),
            ending: Ending::of(&resolution.answer, resolution.source),
            proceeds: resolution.answer.proceeds(),
            log: reset_log(resolution),
        }
    }
}

/// When a part was at work, within the whole.
pub(crate) fn times(call: &Call, layer: Layer) -> (SystemTime, SystemTime) {
    let begin = call.began.checked_add(layer.after).unwrap_or(call.began);
    let begin = begin.min(call.decided);
    let end = begin.checked_add(layer.took).unwrap_or(begin);
    (begin, end.min(call.decided).max(begin))
}
