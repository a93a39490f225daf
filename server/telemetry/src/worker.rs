//! The thread that makes messages of what was told and sends them. While it
//! sends, the queue fills; what it holds itself is bounded too.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::config::{ExportConfig, Target};
use crate::counts::{Counts, Signal};
use crate::export::{Batch, Exporter};
use crate::metrics::Metrics;
use crate::open::{Open, Place, Waiting};
use crate::told::{Answered, Call, Ending, Told};
use crate::{logs, resource, spans};

/// The first pause after a collector was not there; each further is twice as
/// long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often is looked for calls that waited too long.
const SWEEP: Duration = Duration::from_secs(60);

/// Ends the export: what is not sent until then is dropped.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) until: std::time::Instant,
}

impl Stop {
    fn left(&self) -> Duration {
        self.until
            .saturating_duration_since(std::time::Instant::now())
    }
}

/// What is to be done next.
#[derive(Debug, Clone, Copy)]
enum Next {
    SendHeld,
    SendMetrics,
    Sweep,
}

/// Tells whoever shows how the export does that it does otherwise.
pub(crate) type Notify = Arc<dyn Fn(&Counts) + Send + Sync>;

/// What the thread works with.
pub(crate) struct Worker {
    config: ExportConfig,
    counts: Arc<Counts>,
    metrics: Option<Arc<Metrics>>,
    notify: Notify,
    open: Open,
    spans: Lane<Span>,
    records: Lane<LogRecord>,
    metrics_lane: MetricsLane,
    resource: Resource,
    scope: InstrumentationScope,
}

/// What is held of one signal, and the way that it goes.
struct Lane<T> {
    exporter: Option<Exporter>,
    held: Vec<T>,
    pause: Pause,
}

struct MetricsLane {
    exporter: Option<Exporter>,
    pause: Pause,
}

/// When a collector that was not there is tried again.
#[derive(Debug, Default)]
struct Pause {
    length: Option<Duration>,
    until: Option<Instant>,
}

impl Pause {
    fn is_over(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| until <= now)
    }

    fn longer(&mut self, now: Instant) {
        let length = self
            .length
            .map_or(FIRST_PAUSE, |length| (length * 2).min(LONGEST_PAUSE));
        self.length = Some(length);
        self.until = Some(now + length);
    }

    fn end(&mut self) {
        *self = Self::default();
    }
}

impl Worker {
    /// Needs a runtime.
    ///
    /// # Errors
    /// Why there is no way to a collector.
    pub(crate) fn new(
        config: ExportConfig,
        attributes: &[(String, String)],
        counts: Arc<Counts>,
        metrics: Option<Arc<Metrics>>,
        notify: Notify,
    ) -> Result<Self, String> {
        let exporter = |target: &Option<Target>| target.as_ref().map(Exporter::new).transpose();
        Ok(Self {
            spans: Lane {
                exporter: exporter(&config.traces)?,
                held: Vec::new(),
                pause: Pause::default(),
            },
            records: Lane {
                exporter: exporter(&config.logs)?,
                held: Vec::new(),
                pause: Pause::default(),
            },
            metrics_lane: MetricsLane {
                exporter: exporter(&config.metrics)?,
                pause: Pause::default(),
            },
            resource: resource::message(attributes),
            scope: resource::scope(),
            open: Open::default(),
            config,
            counts,
            metrics,
            notify,
        })
    }

    /// Works until it is told to stop, or nobody is there any more.
    pub(crate) async fn run(
        mut self,
        mut queue: mpsc::Receiver<Told>,
        mut stop: oneshot::Receiver<Stop>,
    ) {
        let mut sending = tokio::time::interval(self.config.every);
        sending.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut measuring = tokio::time::interval_at(
            Instant::now() + self.config.metrics_every,
            self.config.metrics_every,
        );
        measuring.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut sweeping = tokio::time::interval(SWEEP);
        let mut told = Vec::new();
        loop {
            let next = tokio::select! {
                biased;
                asked = &mut stop => {
                    self.stop(queue, asked.ok()).await;
                    return;
                }
                _ = sending.tick() => Next::SendHeld,
                _ = measuring.tick() => Next::SendMetrics,
                _ = sweeping.tick() => Next::Sweep,
                count = queue.recv_many(&mut told, self.config.batch) => {
                    if count == 0 {
                        self.stop(queue, None).await;
                        return;
                    }
                    told.drain(..).for_each(|told| self.take(told));
                    if !self.is_due() {
                        continue;
                    }
                    Next::SendHeld
                }
            };
            let asked = {
                let mut work = std::pin::pin!(self.work(next));
                tokio::select! {
                    biased;
                    asked = &mut stop => {
                        // What is under way is not begun again while it may
                        // still be answered: the collector would have it twice.
                        // Half of the time is kept for everything else.
                        if let Ok(asked) = &asked {
                            let _ = tokio::time::timeout(asked.left() / 2, work).await;
                        }
                        asked.ok()
                    }
                    () = &mut work => continue,
                }
            };
            self.stop(queue, asked).await;
            return;
        }
    }

    async fn work(&mut self, what: Next) {
        match what {
            Next::SendHeld => self.send_held().await,
            Next::SendMetrics => self.send_metrics().await,
            Next::Sweep => self.sweep(),
        }
    }

    /// Whether a whole batch is held and may be sent.
    fn is_due(&self) -> bool {
        let now = Instant::now();
        let batch = self.config.batch;
        (self.spans.held.len() >= batch && self.spans.pause.is_over(now))
            || (self.records.held.len() >= batch && self.records.pause.is_over(now))
    }

    fn take(&mut self, told: Told) {
        match told {
            Told::Call(call) => self.decided(*call),
            Told::Answered(answered) => self.answered(&answered),
            Told::Voided { call } => self.ended(&call, Ending::VOID, false, SystemTime::now()),
            Told::Hook(run) => {
                let parent = run.call.as_deref().and_then(|call| self.open.place(call));
                self.hold_span(spans::hook(&run, parent));
            }
            Told::Unguarded { at } => self.hold_record(logs::unguarded(at)),
        }
        self.count_held();
    }

    fn decided(&mut self, mut call: Call) {
        let (span, place) = spans::call(&call);
        self.open.know(&call.id, place);
        for part in spans::parts(&call, place) {
            self.hold_span(part);
        }
        if let Some(line) = call.log.take() {
            self.hold_record(logs::decided(&call, line, place));
        }
        if call.waits {
            if let Some(oldest) = self.open.wait(Waiting { call, span }) {
                self.end(oldest, Ending::UNFINISHED, false, SystemTime::now());
            }
            return;
        }
        if call.asked.is_some() {
            let wait = spans::blocked_on_user(&call, place, Ending::NO_SURFACE, call.decided);
            self.hold_span(wait);
        }
        self.hold_span(span);
    }

    fn answered(&mut self, answered: &Answered) {
        if let Some(line) = &answered.log {
            let place = self.open.place(&answered.call);
            let record = logs::reset(&answered.call, answered.at, line.clone(), place);
            self.hold_record(record);
        }
        self.ended(
            &answered.call,
            answered.ending,
            answered.proceeds,
            answered.at,
        );
    }

    fn ended(&mut self, call: &str, ending: Ending, proceeds: bool, at: SystemTime) {
        if let Some(waiting) = self.open.ends(call) {
            self.end(waiting, ending, proceeds, at);
        }
    }

    fn end(&mut self, waiting: Waiting, ending: Ending, proceeds: bool, at: SystemTime) {
        let Waiting { call, span } = waiting;
        if let Some(place) = place_of(&span) {
            self.hold_span(spans::blocked_on_user(&call, place, ending, at));
        }
        self.hold_span(spans::end(span, proceeds, at));
    }

    fn sweep(&mut self) {
        let now = SystemTime::now();
        for waiting in self.open.forgotten(now) {
            self.end(waiting, Ending::UNFINISHED, false, now);
        }
        self.count_held();
    }

    fn hold_span(&mut self, span: Span) {
        if self.spans.exporter.is_none() {
            return;
        }
        if self.spans.held.len() >= self.config.most_queued {
            self.counts.lost(Signal::Traces, 1);
            return;
        }
        self.spans.held.push(span);
    }

    fn hold_record(&mut self, record: LogRecord) {
        if self.records.exporter.is_none() {
            return;
        }
        if self.records.held.len() >= self.config.most_queued {
            self.counts.lost(Signal::Logs, 1);
            return;
        }
        self.records.held.push(record);
    }

    fn count_held(&self) {
        let held = self.spans.held.len() + self.records.held.len() + self.open.len();
        let held = u64::try_from(held).unwrap_or(u64::MAX);
        self.counts.held.store(held, Ordering::Relaxed);
    }

    /// Sends what is held, a batch at a time, as long as it is taken.
    async fn send_held(&mut self) {
        while self.send_spans().await {}
        while self.send_records().await {}
        self.count_held();
        (self.notify)(&self.counts);
    }

    /// Sends a batch of spans; whether there is another to send now.
    ///
    /// What is sent stays held until it is known what came of it: a step that
    /// is broken off loses nothing.
    async fn send_spans(&mut self) -> bool {
        let Some(exporter) = &self.spans.exporter else {
            return false;
        };
        let count = self.spans.held.len().min(self.config.batch);
        if count == 0 || !self.spans.pause.is_over(Instant::now()) {
            return false;
        }
        let batch = self.spans.held.iter().take(count).cloned().collect();
        let request = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(self.resource.clone()),
                scope_spans: vec![ScopeSpans {
                    scope: Some(self.scope.clone()),
                    spans: batch,
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }],
        };
        let batch = Batch::Traces(request);
        let sent = send(exporter, batch, count, &mut self.spans.pause, &self.counts).await;
        if sent.is_over {
            self.spans.held.drain(..count);
        }
        sent.goes_on && !self.spans.held.is_empty()
    }

    /// The same of log records.
    async fn send_records(&mut self) -> bool {
        let Some(exporter) = &self.records.exporter else {
            return false;
        };
        let count = self.records.held.len().min(self.config.batch);
        if count == 0 || !self.records.pause.is_over(Instant::now()) {
            return false;
        }
        let batch = self.records.held.iter().take(count).cloned().collect();
        let request = ExportLogsServiceRequest {
            resource_logs: vec![ResourceLogs {
                resource: Some(self.resource.clone()),
                scope_logs: vec![ScopeLogs {
                    scope: Some(self.scope.clone()),
                    log_records: batch,
                    ..ScopeLogs::default()
                }],
                ..ResourceLogs::default()
            }],
        };
        let batch = Batch::Logs(request);
        let sent = send(
            exporter,
            batch,
            count,
            &mut self.records.pause,
            &self.counts,
        )
        .await;
        if sent.is_over {
            self.records.held.drain(..count);
        }
        sent.goes_on && !self.records.held.is_empty()
    }

    async fn send_metrics(&mut self) {
        let lane = &mut self.metrics_lane;
        let (Some(exporter), Some(metrics)) = (&lane.exporter, &self.metrics) else {
            return;
        };
        if !lane.pause.is_over(Instant::now()) {
            return;
        }
        let request: Option<ExportMetricsServiceRequest> = metrics.collect();
        if let Some(request) = request {
            let batch = Batch::Metrics(request);
            send(exporter, batch, 0, &mut lane.pause, &self.counts).await;
            (self.notify)(&self.counts);
        }
    }

    /// Sends everything in the time that is left; the rest is dropped and
    /// counted.
    async fn stop(mut self, mut queue: mpsc::Receiver<Told>, stop: Option<Stop>) {
        queue.close();
        while let Ok(told) = queue.try_recv() {
            self.take(told);
        }
        let now = SystemTime::now();
        for waiting in self.open.all() {
            self.end(waiting, Ending::UNFINISHED, false, now);
        }
        let Some(stop) = stop else {
            self.give_up();
            return;
        };
        // The pauses are for those who have time.
        self.spans.pause.end();
        self.records.pause.end();
        self.metrics_lane.pause.end();
        let all = async {
            self.send_metrics().await;
            self.send_held().await;
        };
        let _ = tokio::time::timeout_at(stop.until.into(), all).await;
        self.give_up();
    }

    fn give_up(&mut self) {
        self.counts.lost(Signal::Traces, self.spans.held.len());
        self.counts.lost(Signal::Logs, self.records.held.len());
        self.spans.held.clear();
        self.records.held.clear();
        self.count_held();
    }
}

/// What came of sending.
struct Sent {
    /// Whether the batch is done with: taken, or never wanted.
    is_over: bool,
    /// Whether another may be sent now.
    goes_on: bool,
}

async fn send(
    exporter: &Exporter,
    batch: Batch,
    items: usize,
    pause: &mut Pause,
    counts: &Counts,
) -> Sent {
    let signal = batch.signal();
    match exporter.send(batch).await {
        Ok(taken) => {
            pause.end();
            let rejected = usize::try_from(taken.rejected)
                .unwrap_or(usize::MAX)
                .min(items);
            let exported = u64::try_from(items - rejected).unwrap_or(u64::MAX);
            counts.exported.fetch_add(exported, Ordering::Relaxed);
            counts.lost(signal, rejected);
            if taken.rejected > 0 {
                let why = format!("the collector did not want some of the {}", signal.as_str());
                counts.fails(signal, why);
            } else {
                counts.works(signal);
            }
            Sent {
                is_over: true,
                goes_on: true,
            }
        }
        Err(failure) => {
            counts.fails(signal, failure.why);
            pause.longer(Instant::now());
            if !failure.again {
                counts.lost(signal, items);
            }
            Sent {
                is_over: !failure.again,
                goes_on: false,
            }
        }
    }
}

fn place_of(span: &Span) -> Option<Place> {
    Some(Place {
        trace: span.trace_id.as_slice().try_into().ok()?,
        span: span.span_id.as_slice().try_into().ok()?,
    })
}
