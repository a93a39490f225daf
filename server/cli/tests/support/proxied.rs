//! `countersign acp` between two ends that are both this test: a client at its
//! standard input and output, and what stands for an agent, which passes on what
//! it reads and writes what it is told. The proxy is nobody's child here: what
//! an agent started would ask nobody.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::Shutdown;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::state::ProcessId;
use countersign_ipc::peer::{peer_of, process_of};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{own_program, start_detached};
use crate::sandbox::{PROGRAM, Sandbox, until};

/// The argument that makes this program a proxy at a socket.
pub(super) const WORD: &str = "at-a-client";

/// The argument that makes it what stands for an agent.
pub(super) const AGENT_WORD: &str = "stand-in-acp-agent";

/// Leaves the status of what it runs in the file `$0`.
const KEEPS_STATUS: &str = r#""$@"; echo $? > "$0.new"; mv "$0.new" "$0""#;

/// The limit only ends a test that has failed.
const AT_LAST: Duration = Duration::from_secs(30);

/// One end: what the client, or what the agent, hears and says.
pub(crate) struct End {
    input: BufReader<UnixStream>,
    output: UnixStream,
}

impl End {
    fn of(socket: UnixStream) -> Self {
        socket.set_nonblocking(false).unwrap();
        socket.set_read_timeout(Some(AT_LAST)).unwrap();
        socket.set_write_timeout(Some(AT_LAST)).unwrap();
        Self {
            output: socket.try_clone().unwrap(),
            input: BufReader::new(socket),
        }
    }

    pub(crate) fn says_bytes(&mut self, bytes: &[u8]) {
        self.output.write_all(bytes).unwrap();
    }

    pub(crate) fn says(&mut self, message: &Value) {
        self.says_bytes(format!("{message}\n").as_bytes());
    }

    /// The next line with its end; none when nothing is said any more.
    #[track_caller]
    pub(crate) fn hears_line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        self.input.read_until(b'\n', &mut line).unwrap();
        (!line.is_empty()).then_some(line)
    }

    #[track_caller]
    pub(crate) fn hears(&mut self) -> Value {
        let line = self.hears_line().expect("nothing is said any more");
        serde_json::from_slice(&line).unwrap()
    }

    /// Hears everything until nothing is said any more.
    #[track_caller]
    pub(crate) fn hears_the_end(&mut self) {
        while self.hears_line().is_some() {}
    }

    /// Says no more, and still hears.
    pub(crate) fn closes(&self) {
        self.output.shutdown(Shutdown::Write).unwrap();
    }

    /// What is written to this end.
    pub(crate) fn writer(&self) -> UnixStream {
        self.output.try_clone().unwrap()
    }
}

/// A proxy with both ends; everything ends when this is dropped.
pub(crate) struct Proxied {
    pub(crate) client: End,
    pub(crate) agent: End,
    orders: BufReader<UnixStream>,
    process: ProcessId,
    status: Utf8PathBuf,
}

impl Proxied {
    /// Before what stands for Qwen Code, in the sandbox's workspace.
    pub(crate) fn start(sandbox: &Sandbox) -> Self {
        let folder = folder(sandbox);
        let log = folder.join("log");
        Self::logging_to(sandbox, &folder, &log)
    }

    /// The same, with everything that the proxy logs going to a full disk.
    pub(crate) fn on_a_full_disk(sandbox: &Sandbox) -> Self {
        Self::logging_to(sandbox, &folder(sandbox), Utf8Path::new("/dev/full"))
    }

    fn logging_to(sandbox: &Sandbox, folder: &Utf8Path, log: &Utf8Path) -> Self {
        let (at_client, clients) = listener(folder, "client");
        let (at_agent, agents) = listener(folder, "agent");
        let status = folder.join("status");
        let program = own_program();
        let (workspace, home) = (sandbox.workspace.as_str(), sandbox.home.as_str());
        start_detached(&[
            "/bin/sh",
            "-c",
            KEEPS_STATUS,
            status.as_str(),
            &program,
            WORD,
            at_client.as_str(),
            log.as_str(),
            workspace,
            home,
            &program,
            AGENT_WORD,
            at_agent.as_str(),
        ]);
        let client = accepted(&clients);
        let process = process_of(peer_of(&client).unwrap().pid).unwrap();
        let agent = accepted(&agents);
        let orders = BufReader::new(accepted(&agents));
        orders.get_ref().set_nonblocking(false).unwrap();
        orders.get_ref().set_read_timeout(Some(AT_LAST)).unwrap();
        Self {
            client: End::of(client),
            agent: End::of(agent),
            orders,
            process,
            status,
        }
    }

    /// What stands for the agent is told to do something.
    pub(crate) fn orders(&mut self, order: &str) {
        writeln!(self.orders.get_mut(), "{order}").unwrap();
    }

    /// What stands for the agent starts a child that does not end by itself.
    pub(crate) fn has_a_child(&mut self) -> ProcessId {
        self.orders("child");
        let mut line = String::new();
        self.orders.read_line(&mut line).unwrap();
        process_of(line.trim().parse().unwrap()).unwrap()
    }

    /// The process that stands for the agent.
    pub(crate) fn agent_process(&self) -> ProcessId {
        process_of(peer_of(self.orders.get_ref()).unwrap().pid).unwrap()
    }

    /// The proxy's process.
    pub(crate) fn process(&self) -> &ProcessId {
        &self.process
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.pid).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Waits until the proxy has ended: its status, 128 and more for the signal
    /// that ended it.
    #[track_caller]
    pub(crate) fn status(&self) -> i32 {
        until("the proxy ends", || self.status.exists());
        let status = fs::read_to_string(&self.status).unwrap();
        status.trim().parse().unwrap()
    }
}

fn folder(sandbox: &Sandbox) -> Utf8PathBuf {
    let folder = tempfile::Builder::new()
        .prefix("acp-")
        .tempdir_in(sandbox.workspace.parent().unwrap())
        .unwrap();
    Utf8PathBuf::from_path_buf(folder.keep()).unwrap()
}

fn listener(folder: &Utf8Path, name: &str) -> (Utf8PathBuf, UnixListener) {
    let path = folder.join(name);
    let listener = UnixListener::bind(&path).unwrap();
    listener.set_nonblocking(true).unwrap();
    (path, listener)
}

#[track_caller]
fn accepted(listener: &UnixListener) -> UnixStream {
    let mut socket = None;
    until("somebody connects", || {
        socket = listener.accept().ok();
        socket.is_some()
    });
    socket.unwrap().0
}

/// What the proxy's process does before it becomes one.
pub(super) fn serve(arguments: &[String]) {
    let [control, log, workspace, home, agent @ ..] = arguments else {
        panic!("{arguments:?}");
    };
    let socket = OwnedFd::from(UnixStream::connect(control).unwrap());
    let error = Command::new(PROGRAM)
        .args(["--home", home, "acp", "--agent", "qwen", "--"])
        .args(agent)
        .current_dir(workspace)
        .stdin(Stdio::from(socket.try_clone().unwrap()))
        .stdout(Stdio::from(socket))
        .stderr(Stdio::from(File::create(log).unwrap()))
        .exec();
    panic!("{PROGRAM}: {error}");
}

/// What stands for the agent: its standard input and output are the first
/// connection, its orders come over the second.
#[expect(
    clippy::disallowed_methods,
    reason = "the status is what it is told to end with"
)]
pub(super) fn serve_agent(control: &str) {
    let data = UnixStream::connect(control).unwrap();
    let orders = UnixStream::connect(control).unwrap();
    let mut to_test = data.try_clone().unwrap();
    thread::spawn(move || {
        let _ = pass(&mut std::io::stdin().lock(), &mut to_test);
        let _ = to_test.shutdown(Shutdown::Write);
    });
    thread::spawn(move || {
        let output = std::io::stdout().as_fd().try_clone_to_owned().unwrap();
        let (mut from_test, mut output) = (data, File::from(output));
        let _ = pass(&mut from_test, &mut output);
    });
    let mut answers = orders.try_clone().unwrap();
    // The end of the orders is the end of the test.
    for order in BufReader::new(orders).lines() {
        match order.unwrap().split_once(' ') {
            Some(("exit", status)) => std::process::exit(status.parse().unwrap()),
            Some(("signal", number)) => {
                let signal = Signal::from_named_raw(number.parse().unwrap()).unwrap();
                kill_process(rustix::process::getpid(), signal).unwrap();
            }
            // It ends with the test, too, if nobody ends it before.
            _ => {
                let mut child = Command::new("/bin/sh")
                    .args(["-c", "while kill -0 $1; do sleep 1; done", "sh"])
                    .arg(std::os::unix::process::parent_id().to_string())
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .spawn()
                    .unwrap();
                writeln!(answers, "{}", child.id()).unwrap();
                thread::spawn(move || child.wait());
            }
        }
    }
}

/// Passes on what comes, as it comes.
fn pass(from: &mut impl Read, to: &mut impl std::io::Write) -> std::io::Result<()> {
    let mut buffer = [0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        to.write_all(buffer.get(..read).unwrap_or_default())?;
    }
}
