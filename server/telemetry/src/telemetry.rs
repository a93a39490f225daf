//! The handle: an observer of the engine that is always there, and an export
//! that is there while somebody wants it.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use countersign_core::classify::denial_event;
use countersign_engine::events::Noted;
use countersign_engine::observer::{HookRun, Observer, Resolution};
use countersign_engine::request::Outcome;
use tokio::sync::{mpsc, oneshot};

use crate::config::ExportConfig;
use crate::counts::{Counts, Health, Signal};
use crate::metrics::Metrics;
use crate::pseudonym::Pseudonyms;
use crate::resource;
use crate::told::{Answered, Call, Ending, Told};
use crate::worker::{Notify, Stop, Worker};

/// What the thread that exports is called.
const THREAD: &str = "telemetry";

/// Exports what observers are told; off until it is configured.
#[derive(Clone, Default)]
pub struct Telemetry {
    pipeline: Arc<RwLock<Option<Arc<Pipeline>>>>,
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry")
            .field("is_on", &self.pipeline().is_some())
            .finish()
    }
}

/// What came of flushing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flushed {
    /// Spans and log records that were dropped since the export began.
    pub dropped: u64,
    /// Whether the export ended in its time. If not, its thread ends with the
    /// process.
    pub in_time: bool,
}

/// An export at work.
struct Pipeline {
    queue: mpsc::Sender<Told>,
    wants_events: bool,
    metrics: Option<Arc<Metrics>>,
    counts: Arc<Counts>,
    pseudonyms: Option<Pseudonyms>,
    include_content: bool,
    ending: std::sync::Mutex<Option<(oneshot::Sender<Stop>, JoinHandle<()>)>>,
}

impl Telemetry {
    /// What to give to the engine.
    #[must_use]
    pub fn observer(&self) -> Box<dyn Observer> {
        Box::new(self.clone())
    }

    /// Begins to export, in place of what was exported before; that is flushed
    /// first, within `flush`.
    ///
    /// Without `pseudonyms` sessions and rules have none. `notify` is told how
    /// the export does, on the thread that exports; it must not wait.
    ///
    /// # Errors
    /// Why it cannot be done; then nothing is exported.
    pub fn start(
        &self,
        config: ExportConfig,
        pseudonyms: Option<Pseudonyms>,
        flush: Duration,
        notify: impl Fn(&Health) + Send + Sync + 'static,
    ) -> Result<(), String> {
        self.stop(flush);
        let pipeline = Pipeline::new(config, pseudonyms, notify)?;
        *self.lock() = Some(Arc::new(pipeline));
        Ok(())
    }

    /// Sends everything within `flush` and exports nothing any more.
    pub fn stop(&self, flush: Duration) -> Flushed {
        // Whoever is told something from here on finds nobody.
        let pipeline = self.lock().take();
        match pipeline {
            Some(pipeline) => pipeline.stop(flush),
            None => Flushed {
                dropped: 0,
                in_time: true,
            },
        }
    }

    /// How the export does; none where there is none.
    #[must_use]
    pub fn health(&self) -> Option<Health> {
        self.pipeline().map(|pipeline| pipeline.health())
    }

    fn pipeline(&self) -> Option<Arc<Pipeline>> {
        self.pipeline
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn lock(&self) -> std::sync::RwLockWriteGuard<'_, Option<Arc<Pipeline>>> {
        self.pipeline
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pipeline {
    fn new(
        config: ExportConfig,
        pseudonyms: Option<Pseudonyms>,
        notify: impl Fn(&Health) + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let counts = Arc::new(Counts::default());
        let attributes = resource::attributes(&config);
        let metrics = config
            .metrics
            .is_some()
            .then(|| Arc::new(Metrics::new(resource::sdk(&attributes), &counts)));
        let (queue, receiver) = mpsc::channel(config.most_queued);
        let (stop, stopping) = oneshot::channel();
        let wants_events = config.traces.is_some() || config.logs.is_some();
        let include_content = config.include_content;
        let watched = queue.downgrade();
        let notify: Notify = Arc::new(move |counts: &Counts| {
            let queued = watched.upgrade().map_or(0, |queue| queued(&queue));
            notify(&counts.health(queued));
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("the export cannot be run: {error}"))?;
        let worker = {
            let _entered = runtime.enter();
            Worker::new(
                config,
                &attributes,
                Arc::clone(&counts),
                metrics.clone(),
                notify,
            )?
        };
        let thread = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || runtime.block_on(worker.run(receiver, stopping)))
            .map_err(|error| format!("the export cannot be run: {error}"))?;
        Ok(Self {
            queue,
            wants_events,
            metrics,
            counts,
            pseudonyms,
            include_content,
            ending: std::sync::Mutex::new(Some((stop, thread))),
        })
    }

    /// Never waits: what does not fit is dropped and counted.
    fn tell(&self, told: Told) {
        if !self.wants_events {
            return;
        }
        if self.queue.try_send(told).is_err() {
            self.counts.lost(Signal::Traces, 1);
        }
    }

    fn health(&self) -> Health {
        self.counts.health(queued(&self.queue))
    }

    fn stop(&self, flush: Duration) -> Flushed {
        let ending = self
            .ending
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let in_time = ending.is_none_or(|(stop, thread)| ends(stop, thread, flush));
        Flushed {
            dropped: self.counts.dropped(),
            in_time,
        }
    }
}

/// Has the thread send everything; whether it ended in its time.
fn ends(stop: oneshot::Sender<Stop>, thread: JoinHandle<()>, flush: Duration) -> bool {
    let until = Instant::now() + flush;
    // What counts what it could not send needs a moment, too.
    let asked = Stop {
        until: until - flush / 8,
    };
    if stop.send(asked).is_err() {
        return thread.is_finished();
    }
    while !thread.is_finished() {
        if Instant::now() >= until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    thread.join().is_ok()
}

fn queued(queue: &mpsc::Sender<Told>) -> usize {
    queue.max_capacity() - queue.capacity()
}

impl Observer for Telemetry {
    fn decided(&self, outcome: &Outcome) {
        // The later event of a call that was decided before.
        if outcome.joined {
            return;
        }
        let Some(pipeline) = self.pipeline() else {
            return;
        };
        let call = Call::of(
            outcome,
            pipeline.pseudonyms.as_ref(),
            pipeline.include_content,
        );
        if let Some(metrics) = &pipeline.metrics {
            metrics.decided(&call, denial_event(&outcome.decision, outcome.mode));
        }
        pipeline.tell(Told::Call(Box::new(call)));
    }

    fn resolved(&self, resolution: &Resolution) {
        let Some(pipeline) = self.pipeline() else {
            return;
        };
        let answered = Answered::of(resolution);
        if let Some(metrics) = &pipeline.metrics {
            metrics.answered(&answered);
        }
        pipeline.tell(Told::Answered(Box::new(answered)));
    }

    fn voided(&self, call: &str) {
        let Some(pipeline) = self.pipeline() else {
            return;
        };
        if let Some(metrics) = &pipeline.metrics {
            metrics.ended(call, Ending::VOID, SystemTime::now());
        }
        pipeline.tell(Told::Voided {
            call: call.to_owned(),
        });
    }

    fn hook_ran(&self, run: &HookRun) {
        let Some(pipeline) = self.pipeline() else {
            return;
        };
        if let Some(metrics) = &pipeline.metrics {
            metrics.hook_ran(run);
        }
        pipeline.tell(Told::Hook(Box::new(run.clone())));
    }

    fn noted(&self, noted: &Noted) {
        if !noted.unguarded {
            return;
        }
        let Some(pipeline) = self.pipeline() else {
            return;
        };
        if let Some(metrics) = &pipeline.metrics {
            metrics.unguarded();
        }
        pipeline.tell(Told::Unguarded {
            at: SystemTime::now(),
        });
    }
}
