//! Asking the servers of the user's editors, in the order in which they may own
//! the call. Before a call was sent, every failure leads on to the next server
//! and at last to deciding alone; afterwards it ends in a block, because
//! nothing may be decided twice.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_agents::{HookOutput, Surroundings};
use countersign_core::mode::ApprovalMode;
use countersign_core::redact;
use countersign_core::search_path::bounded;
use countersign_core::state::ProcessId;
use countersign_core::trace::TraceContext;
use countersign_ipc::client::{AskError, connect, server_acceptable};
use countersign_ipc::discovery::{Announcement, Found, candidates, strictest_mode};
use countersign_ipc::instance::ServerInstance;
use countersign_ipc::wire::{PROTOCOL, Reply, Request};

/// How many servers are asked that serve other folders: a session that began
/// in one of theirs stays theirs wherever the agent moves.
const MOST_OTHERS: usize = 3;

/// How often a server may send the hook on to another one.
const MOST_REDIRECTS: usize = 2;

/// What is kept back of the hook's time to say what went wrong, before its
/// prepared block says only that something did.
const LAST_WORD: Duration = Duration::from_millis(100);

/// How much of a server's reason goes to the log, in bytes.
const MOST_REASON: usize = 400;

/// What the hook has to ask.
pub struct Question<'a> {
    /// Where the servers announce themselves.
    pub runtime_dir: &'a Utf8Path,
    /// The agent's name as on the command line.
    pub agent: &'a str,
    /// The event's name as on the command line.
    pub event: &'a str,
    /// The folder that the session works in.
    pub cwd: &'a Utf8Path,
    /// What the agent said, byte for byte.
    pub payload: &'a [u8],
    /// The process that the hook speaks for, where it is known.
    pub caller: Option<&'a ProcessId>,
    /// A mode that can only tighten.
    pub tighten: Option<ApprovalMode>,
    /// The agent's trace, where it says one.
    pub trace: Option<TraceContext>,
    /// The process below its own that a proxy speaks for; none for a hook.
    pub speaks_for: Option<u32>,
    /// What is known of the agent's environment.
    pub surroundings: &'a Surroundings,
    /// Closed at its other end once nobody waits any more, where that can be.
    pub given_up: Option<BorrowedFd<'a>>,
    /// When the hook gives its prepared block.
    pub deadline: Instant,
}

/// What came of asking.
pub enum Asked {
    /// A server answered.
    Answered(HookOutput),
    /// A server may have decided, and its answer is lost: what to tell.
    Lost(String),
    /// No server decided: the hook decides alone.
    Nobody {
        /// A mode that can only tighten.
        tighten: Option<ApprovalMode>,
    },
}

/// What came of asking one server.
enum Put {
    Answered(HookOutput),
    Lost(String),
    Elsewhere(ServerInstance),
    /// It decided nothing, or may not be asked.
    Passed,
    /// It may be asked and cannot be reached.
    Unreachable,
}

/// The mode that may be had at most where no server decides, by those that serve
/// the event's folder.
pub(crate) fn announced_mode(question: &Question<'_>, found: &Found) -> Option<ApprovalMode> {
    let cwd = canonical(question.cwd);
    let owners = candidates(&found.servers, &cwd);
    ApprovalMode::strictest(question.tighten, strictest_mode(&owners, &cwd))
}

/// Asks those of the servers that were found which may own the event.
pub fn ask(question: &Question<'_>, mut found: Found) -> Asked {
    // A proxy is a server itself.
    let own = std::process::id();
    found
        .servers
        .retain(|server| server.instance.process.pid != own);
    for ignored in &found.ignored {
        tracing::warn!("{ignored}");
    }
    if found.servers.is_empty() {
        let tighten = question.tighten;
        return Asked::Nobody { tighten };
    }
    let cwd = canonical(question.cwd);
    let owners = candidates(&found.servers, &cwd);
    let modes = Modes {
        own: question.tighten,
        owners: &owners,
        cwd: &cwd,
    };
    let tighten = modes.of_all();
    let is_inside = !owners.is_empty();
    let others;
    let servers = if is_inside {
        &owners
    } else {
        others = most_recent(&found.servers);
        &others
    };
    let mut unreachable = None;
    for server in servers {
        match question.put_to(server, &modes) {
            Put::Answered(output) => return Asked::Answered(output),
            Put::Lost(problem) => return Asked::Lost(problem),
            Put::Elsewhere(instance) => {
                return question.follow(instance, &found.servers, &modes);
            }
            Put::Passed => {}
            Put::Unreachable if is_inside => unreachable = Some(server.instance.process.pid),
            Put::Unreachable => {}
        }
    }
    match unreachable {
        // A person may have chosen a stricter mode there than is announced.
        Some(pid) => at_most_default(tighten, &format!("the server of process {pid}")),
        None => Asked::Nobody { tighten },
    }
}

/// Modes that only tighten.
struct Modes<'a> {
    /// The command line's.
    own: Option<ApprovalMode>,
    /// The servers that announce one for the place of the event.
    owners: &'a [&'a Announcement],
    cwd: &'a Utf8Path,
}

impl Modes<'_> {
    /// The strictest of all, for a hook that decides alone.
    fn of_all(&self) -> Option<ApprovalMode> {
        ApprovalMode::strictest(self.own, strictest_mode(self.owners, self.cwd))
    }

    /// The strictest of all but that server's own: it knows better what a person
    /// chose there, also for a single session, than its announcement does.
    fn beside(&self, server: &Announcement) -> Option<ApprovalMode> {
        let others: Vec<&Announcement> = self
            .owners
            .iter()
            .filter(|other| other.instance != server.instance)
            .copied()
            .collect();
        ApprovalMode::strictest(self.own, strictest_mode(&others, self.cwd))
    }
}

impl Question<'_> {
    /// Asks the server that a session belongs to, as another server said.
    fn follow(
        &self,
        mut instance: ServerInstance,
        servers: &[Announcement],
        modes: &Modes<'_>,
    ) -> Asked {
        for _ in 0..MOST_REDIRECTS {
            let Some(server) = servers.iter().find(|server| server.instance == instance) else {
                break;
            };
            match self.put_to(server, modes) {
                Put::Answered(output) => return Asked::Answered(output),
                Put::Lost(problem) => return Asked::Lost(problem),
                Put::Elsewhere(next) => instance = next,
                Put::Passed | Put::Unreachable => break,
            }
        }
        let owner = format!(
            "the session's own server (process {})",
            instance.process.pid
        );
        at_most_default(modes.of_all(), &owner)
    }

    fn put_to(&self, server: &Announcement, modes: &Modes<'_>) -> Put {
        let pid = server.instance.process.pid;
        // Before it is known whether it may be asked: the server looks at this
        // process meanwhile. Nothing is said to it yet.
        let connected = connect(self.runtime_dir, server, self.deadline);
        if let Err(reason) = server_acceptable(server, self.caller) {
            tracing::warn!("a server is not asked: {reason}");
            return Put::Passed;
        }
        let mut connection = match connected {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!("the server of process {pid} is not asked: {error}");
                return Put::Unreachable;
            }
        };
        if let Some(given_up) = self.given_up {
            match given_up.try_clone_to_owned() {
                Ok(given_up) => connection = connection.until(given_up),
                Err(error) => tracing::warn!("giving up will not be heard: {error}"),
            }
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        let request = Request {
            protocol: PROTOCOL,
            server: server.instance.key.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            agent: self.agent.to_owned(),
            event: self.event.to_owned(),
            remaining_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
            tighten: modes.beside(server),
            traceparent: self.trace.map(String::from),
            speaks_for: self.speaks_for,
            search_path: self.surroundings.search_path.as_deref().map(looked_at),
            shell: self.surroundings.shell.as_deref().map(name_of),
        };
        let until = self.deadline - LAST_WORD.min(left / 4);
        match connection.ask(&request, self.payload, until) {
            // What else an agent does with another status is not known.
            Ok(Reply::Answer {
                exit: exit @ (0 | 2),
                stdout,
                stderr,
            }) => Put::Answered(HookOutput {
                stdout: stdout.into_bytes(),
                stderr: stderr.into_bytes(),
                exit,
            }),
            Ok(Reply::Answer { exit, .. }) => {
                let problem = format!("an answer never ends with status {exit}");
                Put::Lost(lost(pid, &AskError::Malformed(problem)))
            }
            Ok(Reply::Elsewhere { instance }) => Put::Elsewhere(instance),
            Ok(Reply::Refused { reason }) => {
                let reason = redact::bounded(&reason, MOST_REASON);
                let reason = redact::visible(&reason);
                tracing::warn!("the server of process {pid} decides nothing here: {reason}");
                Put::Passed
            }
            Err(error) => Put::Lost(lost(pid, &error)),
        }
    }
}

/// So much of a PATH as is looked at.
fn looked_at(path: &str) -> String {
    bounded(path).into_owned()
}

/// The name of a program, so much of it as could be a shell's.
fn name_of(path: &str) -> String {
    const MOST_CHARACTERS: usize = 64;
    let name = path.rsplit('/').next().unwrap_or_default();
    name.chars().take(MOST_CHARACTERS).collect()
}

/// What the agent is told when an answer is lost.
fn lost(pid: u32, error: &AskError) -> String {
    let server = format!("the Countersign server of your editor (process {pid})");
    let remedy = "try again, or restart the editor";
    match error {
        AskError::Lost => format!("{server} was lost while it decided; {remedy}"),
        AskError::Deadline => format!("{server} did not answer in time; {remedy}"),
        AskError::Malformed(problem) => {
            format!("{server} gave an answer that is none ({problem}); {remedy}")
        }
    }
}

/// Deciding alone although there is a server that should have decided.
fn at_most_default(tighten: Option<ApprovalMode>, server: &str) -> Asked {
    tracing::warn!(
        "{server} could not be asked: the mode is at most default; restart the editor if this \
         stays so"
    );
    Asked::Nobody {
        tighten: ApprovalMode::strictest(tighten, Some(ApprovalMode::Default)),
    }
}

/// The folder as the servers' roots are written; as the agent says it where it
/// cannot be found.
fn canonical(folder: &Utf8Path) -> Utf8PathBuf {
    folder
        .canonicalize_utf8()
        .unwrap_or_else(|_| folder.to_owned())
}

/// The servers that a person used last.
fn most_recent(servers: &[Announcement]) -> Vec<&Announcement> {
    let mut servers: Vec<&Announcement> = servers.iter().collect();
    servers.sort_by(|one, other| {
        other
            .activity
            .cmp(&one.activity)
            .then(one.instance.process.pid.cmp(&other.instance.process.pid))
    });
    servers.truncate(MOST_OTHERS);
    servers
}
