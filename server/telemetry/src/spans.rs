//! Spans of what was told: one for each call, with children for its parts.

use std::time::SystemTime;

use countersign_core::mode::ApprovalMode;
use countersign_core::model::StageVerdict;
use countersign_engine::observer::{HookResult, HookRun};
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::{Span, Status, status::StatusCode};

use crate::metrics::verdict;
use crate::names;
use crate::open::Place;
use crate::told::{Asked, Call, Ending, Question, times, trigger};
use crate::value::{Attributes, nanoseconds, random};

/// Sampled, and whether it is known that the parent is of another process.
const SAMPLED: u32 = 0x01;
const PARENT_IS_KNOWN: u32 = 0x100;
const PARENT_IS_REMOTE: u32 = 0x200;

/// A span without what it is about.
fn span(
    name: &str,
    place: Place,
    parent: Option<[u8; 8]>,
    is_remote: bool,
    (begin, end): (SystemTime, SystemTime),
) -> Span {
    let remote = if is_remote { PARENT_IS_REMOTE } else { 0 };
    Span {
        trace_id: place.trace.to_vec(),
        span_id: place.span.to_vec(),
        parent_span_id: parent.map(Vec::from).unwrap_or_default(),
        flags: SAMPLED | PARENT_IS_KNOWN | remote,
        name: name.to_owned(),
        kind: SpanKind::Internal.into(),
        start_time_unix_nano: nanoseconds(begin),
        end_time_unix_nano: nanoseconds(end),
        ..Span::default()
    }
}

fn child(name: &str, parent: Place, times: (SystemTime, SystemTime)) -> Span {
    let place = Place {
        trace: parent.trace,
        span: random(),
    };
    span(name, place, Some(parent.span), false, times)
}

/// The span of a call, whose end is not known yet where it waits; and where it
/// is.
pub(crate) fn call(call: &Call) -> (Span, Place) {
    let place = Place {
        trace: call.trace.map_or_else(random, |trace| trace.trace()),
        span: random(),
    };
    let parent = call.trace.map(|trace| trace.span());
    let times = (call.began, call.decided);
    let mut span = span(names::CALL, place, parent, parent.is_some(), times);
    let mut attributes = Attributes::default();
    attributes
        .text(names::CALL_ID, &call.id)
        .text(names::CALL_DECISION, call.verb)
        .some_text(names::VIA, call.via)
        .some_text(names::REASON, call.reason)
        .text(names::MODE, call.mode.as_str())
        .text(names::AGENT, call.agent)
        .text(names::TOOL, call.tool)
        .some_text(names::SESSION_ID, call.session.clone())
        .some_text(names::RULE_ID, call.rule.clone());
    for (name, holds, value) in [
        (names::SUBAGENT, call.is_subagent, true),
        (names::RECORDED, !call.is_recorded, false),
    ] {
        if holds {
            attributes.flag(name, value);
        }
    }
    auto_mode(&mut attributes, call);
    triggered(&mut attributes, call);
    if !call.waits {
        let outcome = if call.verb == "allow" {
            "allow"
        } else {
            "block"
        };
        attributes.text(names::OUTCOME, outcome);
    }
    if let Some(content) = &call.content {
        attributes
            .text(names::CONTENT_INPUT, &content.input)
            .text(names::CONTENT_DETAIL, &content.detail)
            .text(names::CONTENT_TOOL, &content.tool);
    }
    span.attributes = attributes.into_vec();
    if let Some(denied) = call.denied {
        let mut attributes = Attributes::default();
        attributes.text(names::REASON, denied.as_str());
        span.events.push(Event {
            time_unix_nano: nanoseconds(call.decided),
            name: names::PERMISSION_DENIED.to_owned(),
            attributes: attributes.into_vec(),
            ..Event::default()
        });
    }
    (span, place)
}

/// The counters of every decision in auto mode, and why it asks.
pub(crate) fn auto_mode(attributes: &mut Attributes, call: &Call) {
    if call.mode != ApprovalMode::Auto {
        return;
    }
    attributes
        .count(names::CONSECUTIVE_DENIALS, call.consecutive_denials())
        .count(names::TOTAL_DENIALS, call.counters.total());
    if let Some(asked) = call.asked {
        attributes
            .text(names::FALLBACK_REASON, asked.as_str())
            .some_text(names::CAP_KIND, asked.cap_kind().map(|kind| kind.as_str()));
    }
}

fn triggered(attributes: &mut Attributes, call: &Call) {
    if let Some(asked) = call.asked {
        attributes.text(names::TRIGGER, trigger(asked));
        if asked.cap_kind().is_some() {
            attributes.flag(names::DENIAL_CAP_TRIGGERED, true);
        }
    }
}

/// The parts of deciding, in the order in which they were at work.
pub(crate) fn parts(call: &Call, parent: Place) -> Vec<Span> {
    let mut spans = Vec::new();
    let layers = &call.layers;
    if let (Some(layer), Some(verdict)) = (layers.analysis, layers.verdict) {
        let mut span = child(names::STATIC_ANALYSIS, parent, times(call, layer));
        let mut attributes = Attributes::default();
        attributes.text(names::VERDICT, verdict);
        span.attributes = attributes.into_vec();
        spans.push(span);
    }
    if let Some(layer) = layers.rules {
        let mut span = child(names::RULES, parent, times(call, layer));
        let mut attributes = Attributes::default();
        attributes.some_text(names::RULE_ID, call.rule.clone());
        span.attributes = attributes.into_vec();
        spans.push(span);
    }
    if let Some(question) = &call.question {
        spans.extend(stages(call, question, parent));
    }
    spans
}

/// The stages of the classifier, one after the other until it was done: what
/// was before the first was waiting for a place.
fn stages(call: &Call, question: &Question, parent: Place) -> Vec<Span> {
    let whole = call.layers.classifier.map(|layer| times(call, layer));
    let (from, until) = whole.unwrap_or((call.decided, call.decided));
    if question.stages.is_empty() {
        if !question.unavailable {
            // An answer that was recorded earlier.
            return Vec::new();
        }
        let mut span = client(child(names::CLASSIFIER, parent, (from, until)));
        let mut attributes = general(question);
        attributes
            .text(names::STAGE_VERDICT, "unavailable")
            .text(names::ERROR_TYPE, "timeout");
        span.attributes = attributes.into_vec();
        span.status = Some(error());
        return vec![span];
    }
    let mut end = until;
    let mut spans: Vec<Span> = question
        .stages
        .iter()
        .rev()
        .map(|asked| {
            let begin = end
                .checked_sub(asked.took)
                .unwrap_or(end)
                .max(from)
                .min(end);
            let span = stage(question, asked, parent, (begin, end));
            end = begin;
            span
        })
        .collect();
    spans.reverse();
    spans
}

fn stage(
    question: &Question,
    asked: &Asked,
    parent: Place,
    times: (SystemTime, SystemTime),
) -> Span {
    let mut span = client(child(names::CLASSIFIER, parent, times));
    let (said, why) = verdict(asked.verdict);
    let mut attributes = general(question);
    attributes
        .text(names::STAGE, asked.stage.as_str())
        .text(names::STAGE_VERDICT, said)
        .some_text(names::ERROR_TYPE, why)
        .count(names::ATTEMPTS, asked.attempts)
        .some_text(names::REQUEST_ID, asked.request_id.clone())
        .some_text(names::GEN_AI_RESPONSE_ID, asked.message_id.clone())
        .some_count(names::GEN_AI_INPUT_TOKENS, asked.input_tokens)
        .some_count(names::GEN_AI_CACHED_TOKENS, asked.cached_tokens)
        .some_count(names::GEN_AI_OUTPUT_TOKENS, asked.output_tokens);
    if !matches!(asked.verdict, StageVerdict::Unavailable(_)) {
        attributes.some_text(names::GEN_AI_RESPONSE_MODEL, question.answered.clone());
    } else {
        span.status = Some(error());
    }
    span.attributes = attributes.into_vec();
    span
}

fn client(span: Span) -> Span {
    Span {
        kind: SpanKind::Client.into(),
        ..span
    }
}

fn general(question: &Question) -> Attributes {
    let mut attributes = Attributes::default();
    attributes
        .text(names::GEN_AI_OPERATION, "chat")
        .some_text(names::GEN_AI_PROVIDER, question.provider)
        .some_text(names::GEN_AI_REQUEST_MODEL, question.requested.clone());
    attributes
}

/// That something failed; the attributes say what.
fn error() -> Status {
    Status {
        message: String::new(),
        code: StatusCode::Error.into(),
    }
}

/// The wait for a person, from the decision until its end.
pub(crate) fn blocked_on_user(
    call: &Call,
    parent: Place,
    ending: Ending,
    until: SystemTime,
) -> Span {
    let until = until.max(call.decided);
    let mut span = child(names::BLOCKED_ON_USER, parent, (call.decided, until));
    let took = until.duration_since(call.decided).unwrap_or_default();
    let mut attributes = Attributes::default();
    attributes
        .some_text(names::SESSION_ID, call.session.clone())
        .text(names::DECISION, ending.decision)
        .text(names::ANSWER, ending.answer)
        .text(names::SOURCE, ending.source)
        .number(names::DURATION_MS, took.as_secs_f64() * 1_000.0);
    auto_mode(&mut attributes, call);
    triggered(&mut attributes, call);
    span.attributes = attributes.into_vec();
    span
}

/// What became of a call that waited.
pub(crate) fn end(mut span: Span, proceeds: bool, until: SystemTime) -> Span {
    let mut attributes = Attributes::default();
    attributes.text(names::OUTCOME, if proceeds { "allow" } else { "block" });
    span.attributes.extend(attributes.into_vec());
    span.end_time_unix_nano = nanoseconds(until).max(span.end_time_unix_nano);
    span
}

/// A user hook; of a call that is not remembered, or of none, a trace of its
/// own.
pub(crate) fn hook(run: &HookRun, parent: Option<Place>) -> Span {
    let end = run.began.checked_add(run.took).unwrap_or(run.began);
    let times = (run.began, end);
    let mut span = match parent {
        Some(parent) => child(names::HOOK, parent, times),
        None => {
            let place = Place {
                trace: random(),
                span: random(),
            };
            span(names::HOOK, place, None, false, times)
        }
    };
    let mut attributes = Attributes::default();
    attributes
        .text(names::HOOK_EVENT, run.event)
        .text(names::HOOK_KIND, run.kind)
        .text(names::HOOK_SCOPE, run.scope)
        .text(names::HOOK_RESULT, run.result.as_str());
    if let Some(status) = run.status {
        attributes.count(names::HOOK_STATUS, status);
    }
    span.attributes = attributes.into_vec();
    if matches!(run.result, HookResult::Timeout | HookResult::Failed) {
        span.status = Some(error());
    }
    span
}
