//! User hooks where no server runs them. Those that may answer are waited for,
//! within the agent's time. Those that are only told run below a process of
//! their own, which minds their time after this one has answered: the agent
//! waits for this one, and must not wait for them.

use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::SessionKey;
use countersign_engine::Engine;
use countersign_guard::Guard;
use countersign_hook::log_file;
use countersign_settings::{HookEvent, Places, UserHook};
use countersign_user_hooks::{Done, Firing, Payload, Place, Said, Tools, run};
use serde::{Deserialize, Serialize};

/// The sub-command below which hooks run that nobody waits for.
pub(crate) const COMMAND: &str = "run-user-hooks";

/// What is kept back of the agent's time to apply what hooks said.
const LAST_WORD: Duration = Duration::from_millis(300);

/// The largest job, in bytes: a payload and what stands before it.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// What hooks are told, and which.
#[derive(Serialize, Deserialize)]
struct Job {
    event: String,
    /// What matchers are compared with.
    names: Vec<String>,
    key: Option<SessionKey>,
    call: Option<String>,
    cwd: Utf8PathBuf,
    workspace: Option<Utf8PathBuf>,
    is_whole: bool,
}

/// An event that hooks are told of.
pub(super) struct News<'n> {
    pub(super) event: HookEvent,
    pub(super) names: &'n [String],
    pub(super) key: &'n SessionKey,
    pub(super) call: Option<&'n str>,
    pub(super) cwd: &'n Utf8Path,
}

/// Has hooks told of an event, without waiting for them. Nothing is started
/// where none is configured for it; `payload` is made only if one is.
pub(super) fn tell(guard: &Guard, news: &News<'_>, payload: impl FnOnce() -> Option<Payload>) {
    if Firing::hooks_for(&guard.effective, news.event, news.names).is_empty() {
        return;
    }
    let Some(payload) = payload() else { return };
    let job = Job {
        event: news.event.as_str().to_owned(),
        names: news.names.to_vec(),
        key: Some(news.key.clone()),
        call: news.call.map(str::to_owned),
        cwd: news.cwd.to_owned(),
        workspace: guard.workspace.clone(),
        is_whole: payload.is_whole(),
    };
    if let Err(error) = start(&guard.places, &job, payload.bytes()) {
        tracing::error!("user hooks on {} are not run: {error}", job.event);
    }
}

/// Starts the process that minds the hooks. It gets a file and no pipe, so that
/// nobody waits until it reads.
fn start(places: &Places, job: &Job, payload: &[u8]) -> std::io::Result<()> {
    let mut file = tempfile::tempfile_in(&places.state_dir)?;
    serde_json::to_writer(&mut file, job)?;
    file.write_all(b"\n")?;
    file.write_all(payload)?;
    file.seek(SeekFrom::Start(0))?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(COMMAND);
    if let Some(home) = home_option(places) {
        command.arg("--home").arg(home);
    }
    command
        .current_dir("/")
        .stdin(file)
        // The agent waits until nobody holds these any more.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // What ends the agent's hooks does not end this.
        .process_group(0)
        .spawn()
        .map(|_| ())
}

/// The folder that was given with `--home`, if one was.
fn home_option(places: &Places) -> Option<&Utf8Path> {
    places
        .relocated
        .then(|| places.config_dir.parent())
        .flatten()
}

/// `countersign run-user-hooks`: runs the hooks of the job on standard input
/// and minds their time. What runs is what the settings say, and not what the
/// job says.
pub(crate) fn main(arguments: &[std::ffi::OsString]) -> ExitCode {
    match mind(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("user hooks are not run: {error}");
            ExitCode::FAILURE
        }
    }
}

fn mind(arguments: &[std::ffi::OsString]) -> Result<(), String> {
    let home = match arguments {
        [] => None,
        [option, home] if option == "--home" => Some(home.to_str().ok_or("not UTF-8")?),
        _ => return Err("the only option is --home".to_owned()),
    };
    let places =
        countersign_guard::places(home.map(Utf8Path::new)).map_err(|error| error.to_string())?;
    log_file::install(&places.state_dir);
    let mut input = BufReader::new(std::io::stdin().lock().take(MOST_BYTES));
    let (mut first, mut payload) = (String::new(), Vec::new());
    input
        .read_line(&mut first)
        .and_then(|_| input.read_to_end(&mut payload))
        .map_err(|error| format!("the job cannot be read: {error}"))?;
    let job: Job = serde_json::from_str(&first).map_err(|error| error.to_string())?;
    let event = HookEvent::ALL
        .into_iter()
        .find(|event| event.as_str() == job.event)
        .ok_or("there is no such event")?;
    let guard = Guard::in_session(places.clone(), job.workspace, &job.cwd, None);
    let firing = Firing {
        event,
        hooks: Firing::hooks_for(&guard.effective, event, &job.names),
        payload: Arc::new(Payload::made(payload, job.is_whole)),
        call: job.call,
        place: Arc::new(Place::new(&places, guard.workspace.clone(), &[])),
        deadline: None,
    };
    let done = run_here(firing)?;
    let state = countersign_alone::open(&places.state_dir)?;
    let engine = countersign_guard::engine(state.store, Vec::new());
    record(&engine, job.key.as_ref(), &done);
    Ok(())
}

/// The hooks that are asked about a call.
pub(super) fn of_request(guard: &Guard, names: &[String]) -> Vec<UserHook> {
    Firing::hooks_for(&guard.effective, HookEvent::PermissionRequest, names)
}

/// Asks hooks about a call, until shortly before `deadline`.
pub(super) fn ask(
    guard: &Guard,
    engine: &Engine,
    hooks: Vec<UserHook>,
    payload: Payload,
    (key, call): (&SessionKey, &str),
    deadline: Instant,
) -> Said {
    let left = deadline.saturating_duration_since(Instant::now());
    let until = deadline.checked_sub(LAST_WORD.min(left / 4));
    let firing = Firing {
        event: HookEvent::PermissionRequest,
        hooks,
        payload: Arc::new(payload),
        call: Some(call.to_owned()),
        place: Arc::new(Place::new(&guard.places, guard.workspace.clone(), &[])),
        deadline: until.or(Some(deadline)),
    };
    match run_here(firing) {
        Ok(done) => {
            record(engine, Some(key), &done);
            done.said
        }
        Err(error) => {
            tracing::error!("user hooks are not asked: {error}");
            Said::Nothing
        }
    }
}

fn run_here(firing: Firing) -> Result<Done, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let done = runtime.block_on(run(firing, Tools::new(variable)));
    // A name that is still looked up must not hold up the answer.
    runtime.shutdown_background();
    Ok(done)
}

fn record(engine: &Engine, key: Option<&SessionKey>, done: &Done) {
    for report in &done.reports {
        engine.hook_ran(&report.run);
        let Some(problem) = &report.problem else {
            continue;
        };
        let what = format!("hook {} at {}: {problem}", report.run.event, report.place);
        tracing::warn!("{what}");
        let call = report.run.call.as_deref();
        if let Err(error) = engine.hook_problem(key, call, &what) {
            tracing::error!("what came of a user hook is not recorded: {error}");
        }
    }
}

/// A variable that the user's or the system's settings name for a header.
#[expect(
    clippy::disallowed_methods,
    reason = "only a variable that the user's or the system's settings name"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
