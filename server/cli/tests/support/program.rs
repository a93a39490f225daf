//! Programs that an agent was allowed to run, and that then turn against the
//! guard: they run hooks, speak to the server's socket, or listen in its place.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use camino::Utf8Path;
use countersign_ipc::wire::{Decoder, Reply, parse_reply};

use super::{Agent, own_program};
use crate::sandbox::Ran;

/// The argument that makes this program one that runs others.
pub(super) const RUNS: &str = "program-that-runs";
/// The same, taken for a known agent by its name.
pub(super) const RUNS_AS: &str = "program-that-runs-as";
/// The argument that makes it one that says something to a socket.
pub(super) const SAYS: &str = "program-that-says";
/// The argument that makes it one that listens on a socket.
pub(super) const LISTENS: &str = "program-that-listens";

/// How a program of the agent runs something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Below {
    /// As its own child, like any interpreter or build tool.
    Program,
    /// As the child of what is taken for another agent of this name.
    Named(&'static str),
}

impl Below {
    /// Every way.
    pub(crate) const ALL: [Self; 3] = [
        Self::Program,
        Self::Named("claude"),
        Self::Named("/usr/local/bin/codex"),
    ];

    /// The words of a program of the agent that runs these.
    pub(crate) fn words<'a>(self, program: &'a str, words: &[&'a str]) -> Vec<&'a str> {
        let own: &[&str] = match self {
            Self::Program => &[RUNS],
            Self::Named(name) => &[RUNS_AS, name],
        };
        [&[program], own, words].concat()
    }

    /// Has a program of the agent run these words to their end.
    #[track_caller]
    pub(crate) fn run(self, agent: &Agent, words: &[&str], input: &str) -> Ran {
        let program = own_program();
        agent.begin(&self.words(&program, words), input).ended()
    }
}

/// Has a program of the agent say these bytes to a socket: the answer, if there
/// is one.
#[track_caller]
pub(crate) fn says(agent: &Agent, socket: &Utf8Path, bytes: &[u8]) -> Option<Reply> {
    let program = own_program();
    let input = serde_json::to_string(bytes).unwrap();
    let words = [program.as_str(), SAYS, socket.as_str()];
    let ran = agent.begin(&words, &input).ended();
    assert_eq!(ran.code, 0, "{ran:?}");
    let answer: Vec<u8> = serde_json::from_str(&ran.stdout).unwrap();
    let mut decoder = Decoder::default();
    decoder.feed(&answer);
    let frame = decoder.take().unwrap()?;
    Some(parse_reply(frame).unwrap())
}

/// Has a program of the agent listen on a socket, and say these bytes to
/// everybody. It ends with the file.
pub(crate) fn listens(agent: &Agent, socket: &Utf8Path, bytes: &[u8]) {
    let program = own_program();
    let input = serde_json::to_string(bytes).unwrap();
    drop(agent.begin(&[&program, LISTENS, socket.as_str()], &input));
    crate::sandbox::until("it listens", || socket.exists());
}

pub(super) fn serve_running(words: &[String]) {
    let (program, arguments) = words.split_first().unwrap();
    end_as(Command::new(program).args(arguments));
}

pub(super) fn serve_running_as(words: &[String]) {
    let (name, words) = words.split_first().unwrap();
    let mut command = Command::new("/bin/sh");
    // The last command of a script would replace the shell.
    command
        .arg0(name)
        .args(["-c", "\"$@\"; exit $?", "sh"])
        .args(words);
    end_as(&mut command);
}

/// Runs a child with this process's own streams and ends as it does.
#[expect(
    clippy::disallowed_methods,
    reason = "the status is all that it has to say"
)]
fn end_as(command: &mut Command) {
    let status = command.stdin(Stdio::inherit()).status().unwrap();
    std::process::exit(status.code().unwrap_or(99));
}

fn input() -> Vec<u8> {
    serde_json::from_reader(std::io::stdin()).unwrap()
}

pub(super) fn serve_saying(socket: &str) {
    let mut stream = UnixStream::connect(socket).unwrap();
    let limit = Some(Duration::from_secs(30));
    stream.set_read_timeout(limit).unwrap();
    // A server that has heard enough closes the connection.
    let _ = stream.write_all(&input());
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let mut decoder = Decoder::default();
        decoder.feed(&answer);
        if !matches!(decoder.take(), Ok(None)) {
            break;
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(read) => answer.extend(&buffer[..read]),
        }
    }
    let answer = serde_json::to_string(&answer).unwrap();
    std::io::stdout().write_all(answer.as_bytes()).unwrap();
}

pub(super) fn serve_listening(socket: &str) {
    let bytes = input();
    let listener = UnixListener::bind(socket).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(socket, private).unwrap();
    listener.set_nonblocking(true).unwrap();
    while Utf8Path::new(socket).exists() {
        if let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.write_all(&bytes);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
