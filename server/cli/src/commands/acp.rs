//! `countersign acp`: stands between an editor and an agent. Where a server of
//! an editor is there, that one decides and asks; else the guard here does, and
//! asks the person before the client.

use std::future::Future;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;
use countersign_acp::{
    AgentProcess, Asked, FindAgent, Over, Question, Servers, Setup, agent_named, exit_code, serve,
};
use countersign_agents::acp;
use countersign_core::mode::ApprovalMode;
use countersign_core::state::StateStore;
use countersign_engine::clock::SystemClock;
use countersign_engine::request::ServerId;
use countersign_guard::Broken;
use countersign_hook::servers;
use countersign_ipc::discovery;
use countersign_ipc::instance::ServerInstance;
use countersign_service::{Journal, Parts, Service, answer_hooks};
use countersign_settings::Places;
use countersign_store::GroupedStore;
use countersign_telemetry::Telemetry;
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::Acp;
use crate::export;
use crate::judge::Judge;

/// Threads that carry messages; decisions have threads of their own.
const WORKERS: usize = 2;

/// Threads that decide or wait for a server, at most: as many as there may be
/// decisions, so that one that waits for a person holds up no other.
const DECIDERS: usize = 96;

/// The stack of each thread, in bytes: as much as the hook's own.
const STACK: usize = 8 * 1024 * 1024;

/// How long hooks have at the end to take their answers.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

pub(super) fn run(places: Places, arguments: &Acp) -> Result<ExitCode> {
    crate::judge::leave_no_core_dump();
    // Standard output belongs to the protocol.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        // Telling on standard error that it cannot be written would be a panic.
        .log_internal_errors(false)
        .init();
    let folder = super::current_folder()?;
    let words: Vec<String> = arguments
        .command
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let agent = arguments.agent.unwrap_or_else(|| agent_named(&words));
    let (program, rest) = arguments
        .command
        .split_first()
        .context("no agent is named: `countersign acp -- <command of the agent>`")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(DECIDERS)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .context("the proxy's threads cannot be started")?;
    let runtime_dir = places.runtime_dir.clone();
    let telemetry = Telemetry::default();
    let (service, store) = service(places, arguments.approval_mode, &telemetry)?;
    service.give_hooks(crate::hook::user_hooks::variable);
    let above = countersign_ipc::under_agent().agent;
    if let Some((above, process)) = &above {
        tracing::warn!(
            "{} (process {}) started this: nobody is asked through it",
            above.name(),
            process.pid
        );
    }
    let code = runtime.block_on(async {
        let (process, output, input) = AgentProcess::start(program, rest, &folder)
            .with_context(|| format!("the agent {} cannot be started", program.display()))?;
        let hooks = above
            .is_none()
            .then(|| tokio::spawn(hooks(Arc::clone(&service))));
        // An agent that starts this does not choose where telemetry goes.
        let exporting = above
            .is_none()
            .then(|| tokio::spawn(export::follow(Arc::clone(&service), telemetry.clone())));
        let setup = Setup {
            agent,
            folder,
            service: Arc::clone(&service),
            servers: Arc::new(EditorServers { runtime_dir }),
            // The agent inherits it.
            surroundings: countersign_hook::surroundings(countersign_hook::variable),
            tighten: arguments.approval_mode,
            find_agent: find(process.id()),
            has_person: above.is_none(),
        };
        let client = (tokio::io::stdin(), tokio::io::stdout());
        let code = tokio::select! {
            over = serve(setup, client, (output, input)) => match over {
                Over::NoRandomness => {
                    tracing::error!("the system gives no random numbers: nobody can be asked safely");
                    process.end(false).await.map(|_| 1)
                }
                Over::Agent => process.end(true).await.map(exit_code),
                Over::AgentGoesOn => process.end(false).await.map(exit_code),
            },
            number = asked_to_end() => {
                process.end(false).await.map(|_| 128_u8.saturating_add(number))
            }
        };
        if let Some(exporting) = exporting {
            exporting.abort();
        }
        if let Some(hooks) = hooks {
            hooks.abort();
            // Its announcement goes with it; aborted is done.
            let _ = hooks.await;
            service.hooks_answered(LAST_ANSWERS).await;
        }
        code.context("how the agent ended cannot be told")
    });
    // A read of standard input that stays open cannot be ended.
    runtime.shutdown_background();
    service.end_hooks(LAST_ANSWERS);
    if let Some(Err(error)) = store.map(|store| store.flush()) {
        tracing::error!("what was allowed last is not recorded: {error}");
    }
    // Last, because nobody waits for it but the process.
    let flushed = telemetry.stop(export::FLUSH);
    if flushed.dropped > 0 || !flushed.in_time {
        tracing::warn!(
            "{} spans and log records were not exported",
            flushed.dropped
        );
    }
    Ok(ExitCode::from(code?))
}

/// Answers hooks of the agent, so that they and the proxy decide as one.
async fn hooks(service: Arc<Service>) {
    if let Err(error) = answer_hooks(service, env!("CARGO_PKG_VERSION")).await {
        tracing::error!("{error}: the agent's own hooks decide alone");
    }
}

/// The guard of this process, and its state where that can be used. A state
/// that cannot be read blocks every call.
fn service(
    places: Places,
    mode: Option<ApprovalMode>,
    telemetry: &Telemetry,
) -> Result<(Arc<Service>, Option<Arc<GroupedStore>>)> {
    let instance = ServerInstance::of_this_process()?;
    let mut grouped = None;
    let (store, journal): (Arc<dyn StateStore>, Arc<dyn Journal>) =
        match GroupedStore::open(&places.state_dir) {
            Ok(store) => {
                let store = Arc::new(store);
                grouped = Some(Arc::clone(&store));
                (Arc::clone(&store) as _, store)
            }
            Err(error) => {
                tracing::error!("{error}");
                let broken = Arc::new(Broken(error));
                (Arc::clone(&broken) as _, broken)
            }
        };
    let service = Service::new(Parts {
        engine: countersign_guard::engine(Arc::clone(&store), vec![telemetry.observer()]),
        places,
        store,
        journal,
        clock: Arc::new(SystemClock),
        classifier: Some(Arc::new(Judge::default())),
        server: ServerId {
            key: instance.key,
            process: instance.process,
        },
        mode,
        refusal: None,
    });
    Ok((service, grouped))
}

/// Finds the agent below the program that was started.
fn find(started: Option<u32>) -> FindAgent {
    Box::new(move || countersign_ipc::agent_below(started?))
}

/// The servers of the user's editors, over their sockets.
struct EditorServers {
    runtime_dir: Utf8PathBuf,
}

impl Servers for EditorServers {
    fn ask(&self, question: Question) -> Pin<Box<dyn Future<Output = Asked> + Send>> {
        let runtime_dir = self.runtime_dir.clone();
        Box::pin(async move {
            let Ok((waits, heard)) = UnixStream::pair() else {
                return Asked::Lost("no more files can be opened".to_owned());
            };
            let asked = tokio::task::spawn_blocking(move || {
                let found = discovery::find(&runtime_dir);
                let question = servers::Question {
                    runtime_dir: &runtime_dir,
                    agent: question.agent.as_str(),
                    event: acp::EVENT,
                    cwd: &question.cwd,
                    payload: &question.payload,
                    caller: question.speaks_for.as_ref(),
                    tighten: question.tighten,
                    trace: None,
                    speaks_for: question.speaks_for.as_ref().map(|process| process.pid),
                    surroundings: &question.surroundings,
                    given_up: Some(heard.as_fd()),
                    deadline: question.deadline,
                };
                servers::ask(&question, found)
            })
            .await;
            // Until here somebody waited: when this future is dropped before,
            // the other end hears of it.
            drop(waits);
            match asked {
                Ok(servers::Asked::Answered(output)) => Asked::Answered(output),
                Ok(servers::Asked::Lost(problem)) => Asked::Lost(problem),
                Ok(servers::Asked::Nobody { tighten }) => Asked::Nobody { tighten },
                Err(error) => Asked::Lost(format!("asking ended with a failure ({error})")),
            }
        })
    }
}

/// Ends when a signal asks this process to end; the signal's number.
async fn asked_to_end() -> u8 {
    let of = |kind: SignalKind| async move {
        match signal(kind) {
            Ok(mut signals) => drop(signals.recv().await),
            // It ends the process at once, then.
            Err(error) => {
                tracing::warn!("a signal to end is not heard: {error}");
                std::future::pending::<()>().await;
            }
        }
        u8::try_from(kind.as_raw_value()).unwrap_or(u8::MAX)
    };
    tokio::select! {
        number = of(SignalKind::terminate()) => number,
        number = of(SignalKind::interrupt()) => number,
        number = of(SignalKind::hangup()) => number,
    }
}
