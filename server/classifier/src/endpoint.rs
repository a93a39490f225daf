//! One endpoint as it is asked: its connections, its queue, what was learned
//! of it, and the attempts of a stage.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_core::decision::UnavailableReason;
use countersign_core::model::{ClassifierSettings, Stage, StageRecord, StageVerdict};
use countersign_core::prompt::Prompt;
use reqwest::Client;
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument as _, debug, debug_span};

use crate::address::{Addresses, may_carry_a_key};
use crate::answer::Answer;
use crate::client;
use crate::codec::{self, Meta, Reply};
use crate::dialect::Dialect;
use crate::failure::{Again, Failure};
use crate::key::{self, Key};
use crate::models::Environment;
use crate::schedule::Schedule;

/// Most questions that wait for an endpoint.
const MOST_WAITING: usize = 1_024;

/// An endpoint.
pub(crate) struct Endpoint {
    settings: ClassifierSettings,
    environment: Arc<Environment>,
    client: OnceCell<Client>,
    places: Semaphore,
    waiting: AtomicUsize,
    dialect: Mutex<Dialect>,
}

/// What a stage came to.
pub(crate) struct StageOutcome {
    /// For the record.
    pub(crate) record: StageRecord,
    /// The model that answered, if the endpoint says.
    pub(crate) model: Option<String>,
    /// The status of the last response.
    pub(crate) status: Option<u16>,
    /// The answer, or why there is none.
    pub(crate) answer: Result<Answer, Failure>,
    /// What must not be shown.
    pub(crate) key: Option<Key>,
}

/// What an exchange is made with.
pub(crate) struct Ready {
    pub(crate) addresses: Addresses,
    pub(crate) key: Option<Key>,
}

/// A stage while it is asked.
struct Asking<'a> {
    settings: &'a ClassifierSettings,
    stage: Stage,
    prompt: &'a Prompt,
    begin: Instant,
    schedule: Schedule,
    /// Requests, with those that were refused for their form.
    requests: u32,
    status: Option<u16>,
    meta: Meta,
}

impl Endpoint {
    /// Without any connection yet.
    pub(crate) fn new(settings: &ClassifierSettings, environment: Arc<Environment>) -> Self {
        Self {
            settings: settings.clone(),
            environment,
            client: OnceCell::new(),
            places: Semaphore::new(usize::try_from(settings.max_concurrent.max(1)).unwrap_or(1)),
            waiting: AtomicUsize::new(0),
            dialect: Mutex::new(Dialect::guess(settings)),
        }
    }

    /// Whether this is the endpoint of the settings.
    pub(crate) fn is_of(&self, settings: &ClassifierSettings) -> bool {
        self.settings == *settings
    }

    /// The time that the settings give a stage, in milliseconds.
    pub(crate) const fn milliseconds(&self, stage: Stage) -> u64 {
        match stage {
            Stage::Fast => self.settings.stage1_ms,
            Stage::Thinking => self.settings.stage2_ms,
        }
    }

    /// Asks one stage, in the style and role of `settings`, which are this
    /// endpoint's in everything else.
    pub(crate) async fn ask(
        &self,
        settings: &ClassifierSettings,
        stage: Stage,
        prompt: &Prompt,
    ) -> StageOutcome {
        let span = debug_span!(
            "classifier_stage",
            stage = stage.as_str(),
            provider = settings.provider.as_str(),
            model = settings.model,
        );
        self.ask_in_span(settings, stage, prompt)
            .instrument(span)
            .await
    }

    async fn ask_in_span(
        &self,
        settings: &ClassifierSettings,
        stage: Stage,
        prompt: &Prompt,
    ) -> StageOutcome {
        let begin = Instant::now();
        let mut asking = Asking {
            settings,
            stage,
            prompt,
            begin,
            schedule: Schedule::new(begin, self.milliseconds(stage)),
            requests: 0,
            status: None,
            meta: Meta::default(),
        };
        let (answer, key) = match self.ready() {
            Ok(ready) => (self.attempts(&mut asking, &ready).await, ready.key),
            Err(failure) => (Err(failure), None),
        };
        let scrubbed = |text: Option<String>| match &key {
            Some(key) => text.map(|text| key.scrub(&text)),
            None => text,
        };
        let answer = match (answer, &key) {
            (Ok(Answer::Block(reason)), Some(key)) => Ok(Answer::Block(key.scrub(&reason))),
            (answer, _) => answer,
        };
        let verdict = match &answer {
            Ok(Answer::Allow) => StageVerdict::Allow,
            Ok(Answer::Block(_)) => StageVerdict::Block,
            Err(failure) => StageVerdict::Unavailable(failure.reason),
        };
        let millis = whole_millis(begin.elapsed());
        debug!(
            verdict = verdict.as_str(),
            attempts = asking.requests,
            status = asking.status,
            latency_ms = millis,
            "the model was asked"
        );
        StageOutcome {
            record: StageRecord {
                stage,
                verdict,
                millis,
                attempts: asking.requests,
                request_id: scrubbed(asking.meta.request_id),
                message_id: scrubbed(asking.meta.message_id),
                input_tokens: asking.meta.input_tokens,
                cached_tokens: asking.meta.cached_tokens,
                output_tokens: asking.meta.output_tokens,
            },
            model: scrubbed(asking.meta.model),
            status: asking.status,
            answer,
            key,
        }
    }

    /// What is needed before anything is sent.
    pub(crate) fn ready(&self) -> Result<Ready, Failure> {
        let addresses = Addresses::of(&self.settings)?;
        if self.settings.api_key_env.is_some() {
            may_carry_a_key(&addresses.questions)?;
        }
        let key = key::read(&self.settings, &self.environment)?;
        Ok(Ready { addresses, key })
    }

    async fn attempts(&self, asking: &mut Asking<'_>, ready: &Ready) -> Result<Answer, Failure> {
        // Kept over the pauses, too: who is told to wait makes no room for more.
        let _place = self.place(asking.schedule).await?;
        let mut attempt = 1;
        loop {
            let dialect = self.dialect();
            let (answer, learned) = match self.attempt(asking, ready, attempt, &dialect).await {
                Ok(reply) => (reply.answer, reply.dialect),
                Err(failure) => (Err(failure), None),
            };
            let failure = match answer {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            debug!(
                attempt,
                status = asking.status,
                reason = failure.reason.as_str(),
                "an attempt failed"
            );
            let now = Instant::now();
            // Bounded: an endpoint teaches only so much.
            if let Some(learned) = learned
                && asking.schedule.has_time(now)
            {
                self.learn(dialect, learned);
                continue;
            }
            let chance = fastrand::f64();
            let Some(pause) = asking.schedule.pause(now, attempt, failure.again, chance) else {
                return Err(failure);
            };
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            attempt += 1;
        }
    }

    async fn attempt(
        &self,
        asking: &mut Asking<'_>,
        ready: &Ready,
        attempt: u32,
        dialect: &Dialect,
    ) -> Result<Reply, Failure> {
        let client = self.client(asking.schedule.deadline, ready).await?;
        let body = codec::encode(asking.settings, dialect, asking.stage, asking.prompt);
        let headers = codec::headers(asking.settings, ready.key.as_ref());
        let give_up = asking.schedule.give_up(Instant::now(), attempt);
        asking.requests = asking.requests.saturating_add(1);
        asking.status = None;
        let response = timeout_at(
            give_up,
            client::post(&client, &ready.addresses.questions, headers, body),
        )
        .await
        .map_err(|_| too_late(asking.stage, asking.begin.elapsed()))??;
        asking.status = Some(response.status.as_u16());
        let reply = codec::decode(
            asking.settings,
            dialect,
            asking.stage,
            response.status,
            &response.headers,
            &response.body,
        );
        asking.note(&reply.meta);
        Ok(reply)
    }

    /// A place at the endpoint, or a failure when too many wait or the time is
    /// over. It is free again when it is dropped.
    pub(crate) async fn place(&self, schedule: Schedule) -> Result<SemaphorePermit<'_>, Failure> {
        if let Ok(permit) = self.places.try_acquire() {
            return Ok(permit);
        }
        let _waiting = Waiting::new(&self.waiting).ok_or_else(|| {
            queue_failure(format!(
                "{MOST_WAITING} questions already wait for the endpoint"
            ))
        })?;
        match timeout_at(schedule.deadline, self.places.acquire()).await {
            Ok(Ok(permit)) if schedule.has_time(Instant::now()) => Ok(permit),
            // The semaphore is never closed.
            Ok(Ok(_) | Err(_)) | Err(_) => Err(queue_failure(
                "the stage's time was over before other questions were answered".to_owned(),
            )),
        }
    }

    /// The client; made when it is first needed, away from the threads that
    /// must not wait for files. What could not be made is tried anew.
    pub(crate) async fn client(&self, deadline: Instant, ready: &Ready) -> Result<Client, Failure> {
        let make = self.client.get_or_try_init(|| async {
            let settings = self.settings.clone();
            let environment = Arc::clone(&self.environment);
            let url = ready.addresses.questions.clone();
            tokio::task::spawn_blocking(move || client::build(&settings, &environment, &url))
                .await
                .unwrap_or_else(|_| {
                    Err(Failure::new(
                        UnavailableReason::Transport,
                        "the HTTP client cannot be made",
                    ))
                })
        });
        match timeout_at(deadline, make).await {
            Ok(client) => client.cloned(),
            Err(_) => Err(Failure::new(
                UnavailableReason::Timeout,
                "reading the system's certificates took too long",
            )),
        }
    }

    fn dialect(&self) -> Dialect {
        *self.dialect.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what was learned, unless another question learned meanwhile.
    fn learn(&self, asked_in: Dialect, learned: Dialect) {
        let mut dialect = self.dialect.lock().unwrap_or_else(PoisonError::into_inner);
        if *dialect == asked_in {
            *dialect = learned;
        }
    }
}

impl Asking<'_> {
    /// The last response's ids, and the tokens of all.
    fn note(&mut self, meta: &Meta) {
        let sum = |old: Option<u64>, new: Option<u64>| match (old, new) {
            (Some(old), Some(new)) => Some(old.saturating_add(new)),
            (old, new) => old.or(new),
        };
        self.meta = Meta {
            model: meta.model.clone().or_else(|| self.meta.model.take()),
            request_id: meta.request_id.clone(),
            message_id: meta.message_id.clone(),
            input_tokens: sum(self.meta.input_tokens, meta.input_tokens),
            cached_tokens: sum(self.meta.cached_tokens, meta.cached_tokens),
            output_tokens: sum(self.meta.output_tokens, meta.output_tokens),
        };
    }
}

/// One of those that wait; counted until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Option<Self> {
        count
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |waiting| {
                (waiting < MOST_WAITING).then_some(waiting + 1)
            })
            .ok()
            .map(|_| Self(count))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn queue_failure(what: String) -> Failure {
    Failure::new(UnavailableReason::Timeout, what).remedy(
        "raise permissions.autoMode.classifier.maxConcurrent if the endpoint can take it, or \
         choose a faster model",
    )
}

/// No answer until now, a while after the stage began.
pub(crate) fn too_late(stage: Stage, waited: Duration) -> Failure {
    let setting = match stage {
        Stage::Fast => "stage1Ms",
        Stage::Thinking => "stage2Ms",
    };
    Failure::new(
        UnavailableReason::Timeout,
        format!("no answer within {:.1} s", waited.as_secs_f64()),
    )
    .again(Again::Now)
    .remedy(format!(
        "choose a faster model, or raise permissions.autoMode.classifier.timeouts.{setting}"
    ))
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
