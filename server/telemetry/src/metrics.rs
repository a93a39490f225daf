//! Metrics: counted where decisions are made, so that they are right also when
//! the queue is full, and over labels from small sets only.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use countersign_core::denials::DenialEvent;
use countersign_core::model::StageVerdict;
use countersign_engine::observer::HookRun;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter, MeterProvider as _};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{
    InstrumentKind, ManualReader, Pipeline, SdkMeterProvider, Temporality,
};

use crate::counts::{Counts, Signal};
use crate::names::{self, Metric, MetricKind};
use crate::told::{Answered, Call, Ending, Question, trigger};

/// Calls that wait for a person, as far as they are counted.
const MOST_PENDING: usize = 4_096;

/// How long an answer is waited for: longer than any deadline. A call whose
/// agent never says what became of it does not wait for ever.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(30 * 60);

/// The instruments and what collects them.
pub(crate) struct Metrics {
    /// Kept, because instruments end with it.
    _provider: SdkMeterProvider,
    reader: Arc<ManualReader>,
    decisions: Counter<u64>,
    decision_duration: Histogram<f64>,
    denials: Counter<u64>,
    fallbacks: Counter<u64>,
    approval_duration: Histogram<f64>,
    operation_duration: Histogram<f64>,
    token_usage: Histogram<u64>,
    hook_duration: Histogram<f64>,
    unguarded: Counter<u64>,
    pending: Arc<Pending>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// The calls that wait, with when each was asked about and why.
#[derive(Debug, Default)]
struct Pending(Mutex<HashMap<String, (SystemTime, &'static str)>>);

impl Pending {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (SystemTime, &'static str)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self, call: &Call, trigger: &'static str) {
        let mut pending = self.lock();
        if pending.len() >= MOST_PENDING {
            forget_old(&mut pending);
        }
        if pending.len() < MOST_PENDING {
            pending.insert(call.id.clone(), (call.decided, trigger));
        }
    }

    fn count(&self) -> u64 {
        let mut pending = self.lock();
        forget_old(&mut pending);
        u64::try_from(pending.len()).unwrap_or(u64::MAX)
    }
}

fn forget_old(pending: &mut HashMap<String, (SystemTime, &'static str)>) {
    let now = SystemTime::now();
    // One from the future, by a clock that jumped, is as new as can be.
    pending.retain(|_, (asked, _)| {
        now.duration_since(*asked)
            .is_ok_and(|waits| waits < LONGEST_WAIT)
            || *asked > now
    });
}

/// A reader that both the provider and the exporter hold.
#[derive(Debug, Clone)]
struct Shared(Arc<ManualReader>);

impl MetricReader for Shared {
    fn register_pipeline(&self, pipeline: std::sync::Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}

impl Metrics {
    pub(crate) fn new(resource: Resource, counts: &Arc<Counts>) -> Self {
        let reader = Arc::new(ManualReader::builder().build());
        let provider = SdkMeterProvider::builder()
            .with_resource(resource)
            .with_reader(Shared(Arc::clone(&reader)))
            .build();
        let scope = opentelemetry::InstrumentationScope::builder(crate::resource::SCOPE)
            .with_version(crate::resource::VERSION)
            .build();
        let meter = provider.meter_with_scope(scope);
        let pending = Arc::new(Pending::default());
        let waiting = Arc::clone(&pending);
        meter
            .u64_observable_gauge(names::APPROVALS_PENDING.name)
            .with_unit(names::APPROVALS_PENDING.unit)
            .with_description(names::APPROVALS_PENDING.doc)
            .with_callback(move |observer| observer.observe(waiting.count(), &[]))
            .build();
        let counts = Arc::clone(counts);
        meter
            .u64_observable_counter(names::DROPPED.name)
            .with_unit(names::DROPPED.unit)
            .with_description(names::DROPPED.doc)
            .with_callback(move |observer| {
                for signal in [Signal::Traces, Signal::Logs] {
                    let label = KeyValue::new(names::SIGNAL, signal.as_str());
                    observer.observe(counts.dropped_of(signal), &[label]);
                }
            })
            .build();
        Self {
            decisions: counter(&meter, &names::DECISIONS),
            decision_duration: seconds(&meter, &names::DECISION_DURATION),
            denials: counter(&meter, &names::DENIALS),
            fallbacks: counter(&meter, &names::FALLBACKS),
            approval_duration: seconds(&meter, &names::APPROVAL_DURATION),
            operation_duration: seconds(&meter, &names::OPERATION_DURATION),
            token_usage: meter
                .u64_histogram(names::TOKEN_USAGE.name)
                .with_unit(names::TOKEN_USAGE.unit)
                .with_description(names::TOKEN_USAGE.doc)
                .with_boundaries(boundaries(&names::TOKEN_USAGE))
                .build(),
            hook_duration: seconds(&meter, &names::HOOK_DURATION),
            unguarded: counter(&meter, &names::UNGUARDED),
            pending,
            reader,
            _provider: provider,
        }
    }

    /// A decision; a call that was decided before is not counted again.
    pub(crate) fn decided(&self, call: &Call, event: Option<DenialEvent>) {
        let agent = KeyValue::new(names::AGENT, call.agent);
        let tool = KeyValue::new(names::TOOL, call.tool);
        let decision = KeyValue::new(names::CALL_DECISION, call.verb);
        self.decisions.add(
            1,
            &[
                decision.clone(),
                KeyValue::new(names::VIA, call.via.unwrap_or("none")),
                agent.clone(),
                tool.clone(),
                KeyValue::new(names::MODE, call.mode.as_str()),
            ],
        );
        if let Ok(took) = call.decided.duration_since(call.began) {
            self.decision_duration
                .record(took.as_secs_f64(), &[decision]);
        }
        let is_denial = matches!(event, Some(DenialEvent::Block | DenialEvent::Unavailable));
        if let Some(reason) = call.reason.filter(|_| is_denial) {
            let reason = KeyValue::new(names::REASON, reason);
            self.denials.add(1, &[reason, agent.clone(), tool]);
        }
        if let Some(asked) = call.asked {
            let reason = KeyValue::new(names::REASON, asked.as_str());
            self.fallbacks.add(1, &[reason, agent]);
            if call.waits {
                self.pending.asked(call, trigger(asked));
            }
        }
        if let Some(question) = &call.question {
            self.asked_a_model(question);
        }
    }

    fn asked_a_model(&self, question: &Question) {
        for asked in &question.stages {
            let mut labels = vec![
                KeyValue::new(names::STAGE, asked.stage.as_str()),
                KeyValue::new(names::GEN_AI_OPERATION, "chat"),
            ];
            if let Some(provider) = question.provider {
                labels.push(KeyValue::new(names::GEN_AI_PROVIDER, provider));
            }
            // Not the name that the endpoint gives: that is anybody's.
            if let Some(model) = &question.requested {
                labels.push(KeyValue::new(names::GEN_AI_REQUEST_MODEL, model.clone()));
            }
            for (kind, tokens) in [
                ("input", asked.input_tokens),
                ("output", asked.output_tokens),
            ] {
                if let Some(tokens) = tokens {
                    let mut labels = labels.clone();
                    labels.push(KeyValue::new(names::GEN_AI_TOKEN_TYPE, kind));
                    self.token_usage.record(tokens, &labels);
                }
            }
            let (verdict, error) = verdict(asked.verdict);
            labels.push(KeyValue::new(names::STAGE_VERDICT, verdict));
            if let Some(error) = error {
                labels.push(KeyValue::new(names::ERROR_TYPE, error));
            }
            self.operation_duration
                .record(asked.took.as_secs_f64(), &labels);
        }
    }

    pub(crate) fn answered(&self, answered: &Answered) {
        self.ended(&answered.call, answered.ending, answered.at);
    }

    /// The wait for a person is over.
    pub(crate) fn ended(&self, call: &str, ending: Ending, at: SystemTime) {
        let Some((asked, trigger)) = self.pending.lock().remove(call) else {
            return;
        };
        let took = at.duration_since(asked).unwrap_or_default();
        self.approval_duration.record(
            took.as_secs_f64(),
            &[
                KeyValue::new(names::TRIGGER, trigger),
                KeyValue::new(names::DECISION, ending.decision),
                KeyValue::new(names::SOURCE, ending.source),
            ],
        );
    }

    pub(crate) fn hook_ran(&self, run: &HookRun) {
        self.hook_duration.record(
            run.took.as_secs_f64(),
            &[
                KeyValue::new(names::HOOK_EVENT, run.event),
                KeyValue::new(names::HOOK_RESULT, run.result.as_str()),
            ],
        );
    }

    /// A tool ran that nobody decided about.
    pub(crate) fn unguarded(&self) {
        self.unguarded.add(1, &[]);
    }

    /// What there is to send now.
    pub(crate) fn collect(&self) -> Option<ExportMetricsServiceRequest> {
        let mut metrics = ResourceMetrics::default();
        self.reader.collect(&mut metrics).ok()?;
        Some(ExportMetricsServiceRequest::from(&metrics))
    }
}

/// What a stage said, and why not where it said nothing.
pub(crate) const fn verdict(verdict: StageVerdict) -> (&'static str, Option<&'static str>) {
    match verdict {
        StageVerdict::Allow => ("allow", None),
        StageVerdict::Block => ("block", None),
        StageVerdict::Unavailable(reason) => ("unavailable", Some(reason.as_str())),
    }
}

fn counter(meter: &Meter, metric: &Metric) -> Counter<u64> {
    meter
        .u64_counter(metric.name)
        .with_unit(metric.unit)
        .with_description(metric.doc)
        .build()
}

fn seconds(meter: &Meter, metric: &Metric) -> Histogram<f64> {
    meter
        .f64_histogram(metric.name)
        .with_unit(metric.unit)
        .with_description(metric.doc)
        .with_boundaries(boundaries(metric))
        .build()
}

fn boundaries(metric: &Metric) -> Vec<f64> {
    match metric.kind {
        MetricKind::Histogram(boundaries) => boundaries.to_vec(),
        MetricKind::Counter | MetricKind::Gauge => Vec::new(),
    }
}
