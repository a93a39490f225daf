//! What the classifier adds to the model's own time, how many connections it
//! takes, and whether its memory stays flat. Prints lines that `cargo xtask
//! bench` reads: `figure`, name, value, unit, most, and what else is told, with
//! tabs between them. `--quick` makes few calls.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use countersign_classifier::{Environment, Models};
use countersign_core::classify::Verdict;
use countersign_core::model::{ClassifierSettings, InstructionRole, Provider, StructuredOutput};
use countersign_core::prompt::Prompt;
use countersign_test_support::model_server::{MODEL, ModelServer, Reply};

/// A fast model's time.
const MODEL_TIME: Duration = Duration::from_millis(20);

/// Calls at a time, when there are many.
const MANY: usize = 64;

/// Calls over which memory must stay flat, and calls of one round of them.
const MEMORY_CALLS: usize = 10_000;
const ROUND: usize = 1_000;

/// What the classifier may add, in milliseconds, and grow by, in MiB.
const MOST_ADDED: f64 = 2.0;
const MOST_GROWTH: f64 = 2.0;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let fewer = if quick { 20 } else { 1 };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let bench = Bench::start();
    runtime.block_on(async {
        // Connections open, caches fill.
        bench.server.always(answer());
        bench.calls(ROUND / fewer, MANY).await;
        for (at_a_time, model_time, calls) in [
            (1, MODEL_TIME, 200),
            (MANY, MODEL_TIME, 100 * MANY),
            (1, Duration::ZERO, 2_000),
            (MANY, Duration::ZERO, 100 * MANY),
        ] {
            bench.server.always(answer().after(model_time));
            let calls = (calls / fewer).max(at_a_time);
            let begin = Instant::now();
            let added = bench.calls(calls, at_a_time).await;
            bench.tell(added, begin.elapsed(), at_a_time, model_time);
        }
        bench.memory(fewer).await;
    });
    let seen = bench.server.seen();
    figure(
        &format!("classifier, connections of {} calls", seen.requests),
        seen.connections as f64,
        "",
        // One may be opened while another becomes free.
        Some(2.0 * MANY as f64),
        &format!("at most {MANY} calls at a time"),
    );
}

struct Bench {
    server: ModelServer,
    models: Models,
    settings: ClassifierSettings,
    prompt: Prompt,
}

impl Bench {
    fn start() -> Self {
        let server = ModelServer::start();
        server.keep_at_most(0);
        let settings = ClassifierSettings {
            provider: Provider::OpenaiCompatible,
            base_url: format!("{}/v1", server.url()),
            model: MODEL.to_owned(),
            structured_output: StructuredOutput::JsonSchema,
            instruction_role: InstructionRole::System,
            api_key_env: None,
            proxy: None,
            ca_file: None,
            stage1_ms: 60_000,
            stage2_ms: 60_000,
            max_concurrent: u32::try_from(MANY).unwrap(),
        };
        // As long as those of a conversation in its middle.
        let line = "- {\"tool\":\"shell\",\"arguments\":{\"command\":\"cargo test\"}}\n";
        Self {
            server,
            models: Models::new(Environment {
                key: |_| None,
                proxies: false,
            }),
            settings,
            prompt: Prompt {
                system: "A call is judged by what it does, not by what it says.\n".repeat(200),
                content: line.repeat(300),
            },
        }
    }

    /// That many calls, that many at a time; what each took above the server's
    /// own time, sorted.
    async fn calls(&self, calls: usize, at_a_time: usize) -> Vec<Duration> {
        drop(self.server.take_times());
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..at_a_time {
            let (models, settings) = (self.models.clone(), self.settings.clone());
            let prompt = self.prompt.clone();
            let own_calls = calls / at_a_time;
            // Sessions do not call in step.
            let offset =
                MODEL_TIME * u32::try_from(caller).unwrap() / u32::try_from(at_a_time).unwrap();
            callers.spawn(async move {
                tokio::time::sleep(offset).await;
                let mut times = Vec::with_capacity(own_calls);
                for _ in 0..own_calls {
                    let begin = Instant::now();
                    let answer = models.ask(&settings, &prompt).await;
                    let elapsed = begin.elapsed();
                    assert_eq!(answer.verdict, Verdict::Allow, "{answer:?}");
                    let id = answer.model.request_id.expect("the server's id");
                    let number: u64 = id.trim_start_matches("req-").parse().unwrap();
                    times.push((number, elapsed));
                }
                times
            });
        }
        let times: Vec<_> = callers.join_all().await.into_iter().flatten().collect();
        self.server.until(|seen| seen.under_way == 0).await;
        let own: BTreeMap<u64, Duration> = self.server.take_times().into_iter().collect();
        let mut added: Vec<Duration> = times
            .into_iter()
            .map(|(number, elapsed)| elapsed.saturating_sub(own[&number]))
            .collect();
        added.sort_unstable();
        added
    }

    fn tell(&self, added: Vec<Duration>, wall: Duration, at_a_time: usize, model_time: Duration) {
        let a_second = added.len() as f64 / wall.as_secs_f64();
        let (half, nearly_all) = (percentile(&added, 50), percentile(&added, 99));
        // Without a pause, many calls at a time wait for the processor only.
        let target = (at_a_time == 1 || !model_time.is_zero()).then_some(MOST_ADDED);
        figure(
            &format!(
                "classifier, p99 added to a model's {} ms, {at_a_time} at a time",
                model_time.as_millis()
            ),
            nearly_all,
            "ms",
            target,
            &format!("p50 {half:.2} ms, {a_second:.0} calls a second"),
        );
    }

    /// How much is resident more after many calls than before.
    async fn memory(&self, fewer: usize) {
        self.server.always(answer());
        self.calls(ROUND, MANY).await;
        let before = resident();
        let rounds = (MEMORY_CALLS / fewer).div_ceil(ROUND);
        for _ in 0..rounds {
            self.calls(ROUND, MANY).await;
        }
        let after = resident();
        figure(
            &format!("classifier, memory grown over {} calls", rounds * ROUND),
            (after - before).max(0.0),
            "MiB",
            Some(MOST_GROWTH),
            &format!("{before:.1} MiB before, {after:.1} MiB after, with the model server"),
        );
    }
}

/// An allow that the server need not make anew for every call: reading what was
/// asked would take it longer than the classifier takes to ask.
fn answer() -> Reply {
    Reply::raw(
        200,
        "application/json",
        r#"{"id":"chatcmpl-1","model":"scripted-model","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"{\"shouldBlock\":false}"}}],"usage":{"prompt_tokens":9000,"completion_tokens":6}}"#,
    )
}

/// The value below which that many in a hundred lie, in milliseconds.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted[rank.saturating_sub(1)].as_secs_f64() * 1_000.0
}

/// What this process holds, in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
    kibibytes.unwrap().trim().parse::<f64>().unwrap() / 1024.0
}

fn figure(name: &str, value: f64, unit: &str, most: Option<f64>, besides: &str) {
    let most = most.map_or(String::new(), |most| most.to_string());
    println!("figure\t{name}\t{value}\t{unit}\t{most}\t{besides}");
}
