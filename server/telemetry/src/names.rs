//! Every name that leaves the machine, once: spans, attributes, events and
//! metrics, each with what it means. `docs/telemetry.md` comes from here.

/// A name of a span, an event of a span or a log record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// An attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// The name.
    pub name: &'static str,
    /// The type, and the values where they are few.
    pub values: &'static str,
    /// The spans, log records and metrics that may have it.
    pub on: &'static [&'static str],
    /// What it means.
    pub doc: &'static str,
    /// Whether it says something in the agent's, a rule's or a model's words,
    /// and so is exported only on request.
    pub content: bool,
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// The name.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: MetricKind,
    /// The unit, as UCUM writes it.
    pub unit: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// The kinds of metrics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Is looked at when it is exported.
    Gauge,
    /// How values are spread over these boundaries.
    Histogram(&'static [f64]),
}

impl MetricKind {
    /// The name in the documentation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

macro_rules! names {
    ($(#[$doc:meta])* $table:ident: $($ident:ident = $name:literal: $text:literal;)*) => {
        $(#[doc = $text] pub const $ident: &str = $name;)*

        $(#[$doc])*
        pub const $table: &[Name] = &[$(Name { name: $ident, doc: $text }),*];
    };
}

macro_rules! attributes {
    ($($ident:ident = $name:literal, $values:literal, [$($on:expr),*], $content:literal: $text:literal;)*) => {
        $(#[doc = $text] pub const $ident: &str = $name;)*

        /// Every attribute, in the order of the documentation.
        pub const ATTRIBUTES: &[Attribute] = &[$(Attribute {
            name: $ident,
            values: $values,
            on: &[$($on),*],
            doc: $text,
            content: $content,
        }),*];
    };
}

macro_rules! metrics {
    ($($ident:ident = $name:literal, $kind:expr, $unit:literal: $text:literal;)*) => {
        $(#[doc = $text] pub const $ident: Metric = Metric {
            name: $name,
            kind: $kind,
            unit: $unit,
            doc: $text,
        };)*

        /// Every metric, in the order of the documentation.
        pub const METRICS: &[Metric] = &[$($ident),*];
    };
}

names! {
    /// Every span.
    SPANS:
    CALL = "countersign.tool": "One call that an agent wants to make, from when it came in until it is known what becomes of it. A child of the agent's own span where it says one in `TRACEPARENT`. A later event of the same call has no span of its own.";
    STATIC_ANALYSIS = "countersign.static_analysis": "Finding out what a shell command would do, paths and repositories included. Of other tools there is none.";
    RULES = "countersign.rules": "The order of decisions: rules, static blocks, fast paths, safe tools, grants, caps.";
    CLASSIFIER = "countersign.classifier": "One stage of the classifier, all its attempts included. Where nobody could be asked, one span without a stage says why.";
    HOOK = "countersign.hook": "One user hook.";
    BLOCKED_ON_USER = "countersign.tool.blocked_on_user": "The wait for a person, from asking to the answer. There also where a hook answered, and, without length, where nobody could be asked.";
}

names! {
    /// Every event of a span.
    EVENTS:
    PERMISSION_DENIED = "PermissionDenied": "The classifier denied the call: it said no, or gave no answer. Of blocks by rules, static analysis, plan mode or a person, and of asks, there is none.";
}

names! {
    /// Every log record, by its event name.
    LOGS:
    LOG_BLOCKED = "countersign.auto_mode.blocked": "Warning: a call was blocked in auto mode.";
    LOG_FALLBACK = "countersign.auto_mode.fallback": "Warning: a call in auto mode goes to a person.";
    LOG_RESET = "countersign.auto_mode.counters_reset": "Warning: an approval cleared denial counters.";
    LOG_UNGUARDED = "countersign.unguarded": "Error: an agent ran a tool that was never decided.";
}

/// The attributes' places, for readability below.
mod on {
    pub(super) const DECISIONS: &str = super::DECISIONS.name;
    pub(super) const DECISION_DURATION: &str = super::DECISION_DURATION.name;
    pub(super) const DENIALS: &str = super::DENIALS.name;
    pub(super) const FALLBACKS: &str = super::FALLBACKS.name;
    pub(super) const APPROVAL_DURATION: &str = super::APPROVAL_DURATION.name;
    pub(super) const OPERATION_DURATION: &str = super::OPERATION_DURATION.name;
    pub(super) const TOKEN_USAGE: &str = super::TOKEN_USAGE.name;
    pub(super) const HOOK_DURATION: &str = super::HOOK_DURATION.name;
    pub(super) const DROPPED: &str = super::DROPPED.name;
}

attributes! {
    FALLBACK_REASON = "qwen-code.auto_mode.fallback_reason", "string: `ask_rule`, `rule_malformed`, `consecutive_block`, `consecutive_unavailable`, `total_denial`, `no_classifier`, `classifier_unavailable`, `unprojected`", [CALL, BLOCKED_ON_USER, LOG_FALLBACK], false: "Why a call in auto mode goes to a person. Only on an ask.";
    CAP_KIND = "qwen-code.auto_mode.cap_kind", "string: `consecutive`, `total`", [CALL, BLOCKED_ON_USER, LOG_FALLBACK], false: "Which kind of denial cap forced the ask. Only where one did.";
    CONSECUTIVE_DENIALS = "qwen-code.auto_mode.consecutive_denials", "int", [CALL, BLOCKED_ON_USER, LOG_BLOCKED, LOG_FALLBACK], false: "Denials in a row after the decision: the counter of the cap that forced it, else the larger of the two consecutive counters. On every decision in auto mode.";
    TOTAL_DENIALS = "qwen-code.auto_mode.total_denials", "int", [CALL, BLOCKED_ON_USER, LOG_BLOCKED, LOG_FALLBACK], false: "Denials of the session after the decision: blocks and unavailable answers. On every decision in auto mode.";
    DENIAL_CAP_TRIGGERED = "denial_cap_triggered", "boolean: `true`", [CALL, BLOCKED_ON_USER], false: "A denial cap forced the ask. Absent otherwise. On the call's span too, so that it is there when no dialog opens.";
    TRIGGER = "trigger", "string: `denial_cap_triggered`, else the reason of the ask", [CALL, BLOCKED_ON_USER, on::APPROVAL_DURATION], false: "What made the wait for a person begin.";
    DECISION = "decision", "string: `proceed_once`, `proceed_always`, `proceed_once_and_switch_to_default`, `cancel`, `timeout`, `aborted`", [BLOCKED_ON_USER, on::APPROVAL_DURATION], false: "How the wait for a person ended.";
    SOURCE = "source", "string: `vscode`, `neovim`, `other_editor`, `standard_prompt`, `hook`, `acp`, `agent`, `none`", [BLOCKED_ON_USER, on::APPROVAL_DURATION], false: "Where the answer came from; `none` where nobody gave one.";
    DURATION_MS = "duration_ms", "double", [BLOCKED_ON_USER], false: "How long the wait was, in milliseconds.";
    ANSWER = "countersign.answer", "string: as `decision`, and `dismissed`, `no_surface`, `not_asked`, `void`, `unfinished`", [BLOCKED_ON_USER], false: "The answer more exactly: `dismissed` is a `cancel`; `no_surface`, `not_asked`, `void` (what was shown has changed) and `unfinished` (no answer was heard of) are `aborted`.";
    CALL_DECISION = "countersign.decision", "string: `allow`, `block`, `ask`", [CALL, on::DECISIONS, on::DECISION_DURATION], false: "What was decided. An ask stays one also where nobody could be asked.";
    VIA = "countersign.via", "string: `rule`, `accept_edits`, `safe_tool`, `static`, `grant`, `classifier`, `approval`, `yolo`, `plan`; in metrics also `none`", [CALL, on::DECISIONS], false: "The layer that allowed the call.";
    REASON = "countersign.reason", "string", [CALL, PERMISSION_DENIED, LOG_BLOCKED, on::DENIALS, on::FALLBACKS], false: "Why the call was blocked or asked about: a member of a closed set.";
    OUTCOME = "countersign.outcome", "string: `allow`, `block`", [CALL], false: "What became of the call in the end.";
    MODE = "countersign.mode", "string: `plan`, `default`, `auto-edit`, `auto`, `yolo`", [CALL, on::DECISIONS], false: "The approval mode in force.";
    AGENT = "countersign.agent", "string: `claude-code`, `qwen`, `codex`, `gemini`, `opencode`, `cursor`, `vscode`, `generic`", [CALL, on::DECISIONS, on::DENIALS, on::FALLBACKS], false: "The agent, as the hook was installed for it.";
    TOOL = "countersign.tool", "string: a canonical tool, `mcp`, `other`", [CALL, LOG_BLOCKED, on::DECISIONS, on::DENIALS], false: "The tool. Tools of MCP servers are all `mcp` and unknown ones all `other`, because their names are anybody's words.";
    CALL_ID = "countersign.call.id", "string: 32 hexadecimal digits", [CALL, LOG_BLOCKED, LOG_FALLBACK, LOG_RESET], false: "The guard's own id of the call, as in `countersign explain`.";
    SESSION_ID = "session.id", "string: 16 hexadecimal digits", [CALL, BLOCKED_ON_USER], false: "A pseudonym of the session: a digest of its id under a random key of this machine. Never the agent's own id.";
    SUBAGENT = "countersign.subagent", "boolean: `true`", [CALL], false: "A sub-agent makes the call. Absent otherwise.";
    RECORDED = "countersign.recorded", "boolean: `false`", [CALL], false: "The decision could not be recorded, and so was made as in default mode. Absent otherwise.";
    RULE_ID = "countersign.rule.id", "string: 16 hexadecimal digits", [CALL, RULES], false: "A pseudonym of the rule that decided, and its place, as for `session.id`.";
    VERDICT = "countersign.static_analysis.verdict", "string: `contained`, `read_only`, `blocked`, `not_proven`", [STATIC_ANALYSIS], false: "What is proven of the command.";
    STAGE = "countersign.classifier.stage", "string: `fast`, `thinking`", [CLASSIFIER, on::OPERATION_DURATION, on::TOKEN_USAGE], false: "The stage of the classifier.";
    STAGE_VERDICT = "countersign.classifier.verdict", "string: `allow`, `block`, `unavailable`", [CLASSIFIER, on::OPERATION_DURATION], false: "What the stage said.";
    ATTEMPTS = "countersign.classifier.attempts", "int", [CLASSIFIER], false: "How often the endpoint was asked.";
    REQUEST_ID = "countersign.classifier.request_id", "string", [CLASSIFIER], false: "The provider's id of the request, where it gives one.";
    ERROR_TYPE = "error.type", "string: `timeout`, `transport`, `http_status`, `parse`, `schema`, `context_overflow`, `refusal`", [CLASSIFIER, on::OPERATION_DURATION], false: "Why there is no answer.";
    GEN_AI_OPERATION = "gen_ai.operation.name", "string: `chat`", [CLASSIFIER, on::OPERATION_DURATION, on::TOKEN_USAGE], false: "As OpenTelemetry's conventions for generative AI have it.";
    GEN_AI_PROVIDER = "gen_ai.provider.name", "string: `openai`, `anthropic`, `gcp.gemini`", [CLASSIFIER, on::OPERATION_DURATION, on::TOKEN_USAGE], false: "The interface of the endpoint.";
    GEN_AI_REQUEST_MODEL = "gen_ai.request.model", "string", [CLASSIFIER, on::OPERATION_DURATION, on::TOKEN_USAGE], false: "The model of the settings. A name that could be a path is `other`.";
    GEN_AI_RESPONSE_MODEL = "gen_ai.response.model", "string", [CLASSIFIER], false: "The model that answered, as the endpoint names it. A name that could be a path is `other`.";
    GEN_AI_RESPONSE_ID = "gen_ai.response.id", "string", [CLASSIFIER], false: "The provider's id of the message.";
    GEN_AI_INPUT_TOKENS = "gen_ai.usage.input_tokens", "int", [CLASSIFIER], false: "Tokens that were read, with those from the cache.";
    GEN_AI_CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens", "int", [CLASSIFIER], false: "Those of them that came from the provider's cache.";
    GEN_AI_OUTPUT_TOKENS = "gen_ai.usage.output_tokens", "int", [CLASSIFIER], false: "Tokens that were written.";
    GEN_AI_TOKEN_TYPE = "gen_ai.token.type", "string: `input`, `output`", [on::TOKEN_USAGE], false: "Which tokens are counted.";
    HOOK_EVENT = "hook_event", "string: `PermissionDenied`, `PermissionRequest`, `Notification`, `SessionStart`, `SessionEnd`", [HOOK, on::HOOK_DURATION], false: "The event that the hook ran on.";
    HOOK_KIND = "countersign.hook.kind", "string: `command`, `http`", [HOOK], false: "How the hook is run.";
    HOOK_SCOPE = "countersign.hook.scope", "string: `system`, `user`, `workspace`", [HOOK], false: "Whose settings name the hook.";
    HOOK_RESULT = "countersign.hook.result", "string: `silent`, `allow`, `deny`, `warning`, `timeout`, `failed`", [HOOK, on::HOOK_DURATION], false: "What came of the hook.";
    HOOK_STATUS = "countersign.hook.status", "int", [HOOK], false: "Its exit status or HTTP status, where it had one.";
    SIGNAL = "countersign.telemetry.signal", "string: `traces`, `logs`", [on::DROPPED], false: "What was dropped.";
    CONTENT_INPUT = "countersign.content.input", "string", [CALL], true: "What was asked for: the command, the paths, the URLs. Secrets that are recognised are masked; at most 2 KiB.";
    CONTENT_DETAIL = "countersign.content.detail", "string", [CALL], true: "Why it was decided so, in plain words: the rule with its place, the model's reason. Masked; at most 1 KiB.";
    CONTENT_TOOL = "countersign.content.tool", "string", [CALL], true: "The tool's own name. Masked; at most 256 bytes.";
}

/// Seconds: decisions take from microseconds to as long as a person does.
const DECISION_SECONDS: &[f64] = &[
    0.000_02, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1,
    0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// Seconds, as the conventions for generative AI recommend.
const OPERATION_SECONDS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/// Tokens, as the conventions for generative AI recommend.
const TOKENS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
];

/// Seconds that people take.
const ANSWER_SECONDS: &[f64] = &[
    0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0,
];

/// Seconds that hooks take.
const HOOK_SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

metrics! {
    DECISIONS = "countersign.decisions", MetricKind::Counter, "{decision}": "Decisions, by what was decided, the layer that allowed, agent, tool and mode.";
    DECISION_DURATION = "countersign.decision.duration", MetricKind::Histogram(DECISION_SECONDS), "s": "From when a call came in until it was decided, the classifier included and the wait for a person not.";
    DENIALS = "countersign.denials", MetricKind::Counter, "{denial}": "Denials that count: blocks in auto mode and unavailable answers, by reason, agent and tool.";
    FALLBACKS = "countersign.fallbacks", MetricKind::Counter, "{call}": "Calls that went to a person, by reason and agent.";
    APPROVALS_PENDING = "countersign.approvals.pending", MetricKind::Gauge, "{approval}": "Calls that wait for a person now.";
    APPROVAL_DURATION = "countersign.approval.duration", MetricKind::Histogram(ANSWER_SECONDS), "s": "How long answers took, by trigger, answer and source.";
    OPERATION_DURATION = "gen_ai.client.operation.duration", MetricKind::Histogram(OPERATION_SECONDS), "s": "How long stages of the classifier took, by stage and model.";
    TOKEN_USAGE = "gen_ai.client.token.usage", MetricKind::Histogram(TOKENS), "{token}": "Tokens that stages of the classifier read and wrote, by stage and model.";
    HOOK_DURATION = "countersign.hook.duration", MetricKind::Histogram(HOOK_SECONDS), "s": "How long user hooks took, by event and result.";
    UNGUARDED = "countersign.unguarded", MetricKind::Counter, "{call}": "Tools that ran without a decision: the hook is not asked for every call.";
    DROPPED = "countersign.telemetry.dropped", MetricKind::Counter, "{item}": "Spans and log records that were dropped because the collector was down, slow or refused them.";
}
