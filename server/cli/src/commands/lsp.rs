//! `countersign lsp`: the server that an editor starts. It shows what agents
//! want, asks, and answers hooks.

use std::io::IsTerminal as _;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::{Context as _, Result};
use countersign_core::mode::ApprovalMode;
use countersign_core::state::{StateError, StateStore};
use countersign_engine::clock::SystemClock;
use countersign_engine::request::ServerId;
use countersign_guard::Broken;
use countersign_ipc::instance::ServerInstance;
use countersign_lsp::ServeEnd;
use countersign_service::{Component, Journal, Parts, Service, answer_hooks, follow};
use countersign_settings::Places;
use countersign_store::GroupedStore;
use countersign_telemetry::Telemetry;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::Lsp;
use crate::export;
use crate::judge::Judge;

/// Threads that carry messages; decisions have threads of their own.
const WORKERS: usize = 2;

/// Threads that decide at a time, at most.
const DECIDERS: usize = 16;

/// The stack of each thread, in bytes: as much as the hook's own.
const STACK: usize = 8 * 1024 * 1024;

/// How long hooks have at the end to take their answers.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// A mode that a server may start in.
pub(crate) fn starting_mode(name: &str) -> Result<ApprovalMode, String> {
    match name.parse() {
        Ok(ApprovalMode::Yolo) => Err(
            "yolo is chosen in the editor, for one run, and never on the command line".to_owned(),
        ),
        Ok(mode) => Ok(mode),
        Err(error) => Err(format!("{error}")),
    }
}

pub(super) fn run(places: Places, lsp: &Lsp) -> Result<ExitCode> {
    crate::judge::leave_no_core_dump();
    // Standard output belongs to the protocol.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        // Telling on standard error that it cannot be written would be a panic.
        .log_internal_errors(false)
        .init();
    if std::io::stdin().is_terminal() {
        tracing::warn!(
            "this speaks the language server protocol: an editor starts it (docs/editors.md says \
             how); end it with Ctrl-C"
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(DECIDERS)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .context("the server's threads cannot be started")?;
    let telemetry = Telemetry::default();
    let (service, store) = service(places, lsp.approval_mode, &telemetry)?;
    service.give_hooks(crate::hook::user_hooks::variable);
    let end = runtime.block_on(async {
        let hooks = tokio::spawn(hooks(Arc::clone(&service)));
        let following = tokio::spawn(follow(Arc::clone(&service)));
        let exporting = tokio::spawn(export::follow(Arc::clone(&service), telemetry.clone()));
        let input = UntilAsked::new(tokio::io::stdin());
        let end = countersign_lsp::run(Arc::clone(&service), input, tokio::io::stdout()).await;
        following.abort();
        exporting.abort();
        hooks.abort();
        // Its announcement goes with it; aborted is done.
        let _ = hooks.await;
        service.hooks_answered(LAST_ANSWERS).await;
        end
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
    Ok(match end {
        ServeEnd::Exit {
            after_shutdown: true,
        } => ExitCode::SUCCESS,
        ServeEnd::Exit {
            after_shutdown: false,
        }
        | ServeEnd::InputEnded => ExitCode::FAILURE,
        ServeEnd::Failed(why) => anyhow::bail!("the editor's connection failed: {why}"),
    })
}

/// Answers hooks, unless this server must not.
async fn hooks(service: Arc<Service>) {
    if service.refusal().is_some() {
        return;
    }
    if let Err(error) = answer_hooks(Arc::clone(&service), env!("CARGO_PKG_VERSION")).await {
        tracing::error!("{error}");
        service.degrade(Component::Socket, &error.to_string());
    }
}

/// The service, and its state where that can be used.
fn service(
    places: Places,
    mode: Option<ApprovalMode>,
    telemetry: &Telemetry,
) -> Result<(Arc<Service>, Option<Arc<GroupedStore>>)> {
    let instance = ServerInstance::of_this_process()?;
    let mut refusal = under_an_agent();
    let mut grouped = None;
    let (store, journal): (Arc<dyn StateStore>, Arc<dyn Journal>) =
        match GroupedStore::open(&places.state_dir) {
            Ok(store) => {
                let store = Arc::new(store);
                grouped = Some(Arc::clone(&store));
                (Arc::clone(&store) as _, store)
            }
            Err(error) => {
                if let StateError::Unreadable(why) = &error {
                    refusal.get_or_insert_with(|| why.clone());
                }
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
        refusal,
    });
    Ok((service, grouped))
}

/// An agent that could start a server could answer itself through it.
fn under_an_agent() -> Option<String> {
    let (agent, process) = countersign_ipc::under_agent().agent?;
    Some(format!(
        "{} (process {}) started it; a server that an agent starts decides and shows nothing: \
         start the editor from a terminal or desktop of your own",
        agent.name(),
        process.pid
    ))
}

/// The editor's words until this process is asked to end: then they are over,
/// as if the editor had gone, and everything ends in its order.
struct UntilAsked<R> {
    input: R,
    asked: Pin<Box<dyn Future<Output = ()> + Send>>,
    is_over: bool,
}

impl<R> UntilAsked<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            asked: Box::pin(asked_to_end()),
            is_over: false,
        }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for UntilAsked<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.is_over = self.is_over || self.asked.as_mut().poll(context).is_ready();
        if self.is_over {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.input).poll_read(context, buffer)
    }
}

/// Ends when a signal asks this process to end.
async fn asked_to_end() {
    let of = |kind| async move {
        match signal(kind) {
            Ok(mut signals) => drop(signals.recv().await),
            // It ends the process at once, then.
            Err(error) => {
                tracing::warn!("a signal to end is not heard: {error}");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = of(SignalKind::terminate()) => {}
        () = of(SignalKind::interrupt()) => {}
        () = of(SignalKind::hangup()) => {}
    }
}
