//! A process that stands for a server: announced and listening as a real one,
//! it answers what it is told to, and tells what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use camino::Utf8PathBuf;
use countersign_core::mode::ApprovalMode;
use countersign_core::state::{Millis, ProcessId};
use countersign_ipc::discovery::{Announcement, Publication, Root, listen};
use countersign_ipc::instance::ServerInstance;
use countersign_ipc::wire::{Decoder, PROTOCOL, Reply, Request, encode_reply, parse_request};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::own_program;

/// The argument that makes this program a server.
pub(super) const WORD: &str = "stand-in-server";

/// The limit only ends a test that has failed.
const AT_LAST: Duration = Duration::from_secs(60);

/// How a server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Listening {
    /// As it should be.
    Yes,
    /// There is no socket.
    Never,
    /// There is a socket that nobody listens on any more.
    NoLonger,
    /// As many wait to be accepted as may wait.
    Full,
}

/// What a server does when it is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Behaviour {
    /// Answers.
    Answer {
        exit: i32,
        stdout: String,
        stderr: String,
    },
    /// Answers with the payload on standard output.
    Echo,
    /// Decides nothing.
    Refuse,
    /// Sends the hook on.
    Elsewhere(ServerInstance),
    /// Says nothing, and keeps the connection.
    Silence,
    /// Ends the connection.
    Close,
    /// Writes these bytes and keeps the connection.
    Bytes(Vec<u8>),
    /// Writes these bytes and ends the connection.
    LastBytes(Vec<u8>),
}

/// A server to start.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Setup {
    runtime_dir: Utf8PathBuf,
    control: Utf8PathBuf,
    protocol: u32,
    roots: Vec<Root>,
    activity: Millis,
    listening: Listening,
    behaviour: Behaviour,
}

/// What a server was asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) request: Request,
    pub(crate) payload: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
enum Command {
    Behave(Behaviour),
    Answer,
}

#[derive(Serialize, Deserialize)]
enum Report {
    Ready(Announcement),
    Asked(Asked),
    Here,
}

impl Setup {
    /// A server of the folder, in auto mode, that refuses until it is told
    /// otherwise.
    pub(crate) fn new(runtime_dir: Utf8PathBuf, folder: &camino::Utf8Path) -> Self {
        Self {
            runtime_dir,
            control: Utf8PathBuf::new(),
            protocol: PROTOCOL,
            roots: Vec::new(),
            activity: 1,
            listening: Listening::Yes,
            behaviour: Behaviour::Refuse,
        }
        .with_root(folder, ApprovalMode::Auto)
    }

    pub(crate) fn with_root(mut self, folder: &camino::Utf8Path, mode: ApprovalMode) -> Self {
        self.roots.retain(|root| root.folder != folder);
        self.roots.push(Root {
            folder: folder.to_owned(),
            mode,
        });
        self
    }

    pub(crate) fn used_at(self, activity: Millis) -> Self {
        Self { activity, ..self }
    }

    pub(crate) fn speaking(self, protocol: u32) -> Self {
        Self { protocol, ..self }
    }

    pub(crate) fn listening(self, listening: Listening) -> Self {
        Self { listening, ..self }
    }

    pub(crate) fn that(self, behaviour: Behaviour) -> Self {
        Self { behaviour, ..self }
    }

    /// Starts it as a server of a person's editor.
    pub(crate) fn start(self) -> StandIn {
        self.start_by(super::start_detached)
    }

    /// Has it started by somebody who runs these words.
    pub(crate) fn start_by(mut self, run: impl FnOnce(&[&str])) -> StandIn {
        let folder = tempfile::tempdir().unwrap();
        self.control =
            Utf8PathBuf::from_path_buf(folder.path().join("control")).expect("a plain path");
        let listener = UnixListener::bind(&self.control).unwrap();
        listener.set_nonblocking(true).unwrap();
        let setup = serde_json::to_string(&self).unwrap();
        run(&[&own_program(), WORD, &setup]);
        let mut control = None;
        crate::sandbox::until("the server starts", || {
            control = listener.accept().ok();
            control.is_some()
        });
        let (control, _) = control.unwrap();
        control.set_nonblocking(false).unwrap();
        let reports = reports(control.try_clone().unwrap());
        let Ok(Report::Ready(announcement)) = reports.recv_timeout(AT_LAST) else {
            panic!("a server that is not ready");
        };
        StandIn {
            announcement,
            control,
            reports,
            _folder: folder,
        }
    }
}

/// A server that runs until this is dropped.
pub(crate) struct StandIn {
    pub(crate) announcement: Announcement,
    control: UnixStream,
    reports: Receiver<Report>,
    _folder: TempDir,
}

impl StandIn {
    pub(crate) fn instance(&self) -> ServerInstance {
        self.announcement.instance.clone()
    }

    pub(crate) fn process(&self) -> ProcessId {
        self.announcement.instance.process.clone()
    }

    /// Changes what it does when it is asked, from now on.
    pub(crate) fn behaves(&self, behaviour: Behaviour) {
        tell(&self.control, &Command::Behave(behaviour));
        assert_eq!(self.asked().len(), 0);
    }

    /// What it was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        tell(&self.control, &Command::Answer);
        let mut all = Vec::new();
        loop {
            match self.reports.recv_timeout(AT_LAST) {
                Ok(Report::Asked(asked)) => all.push(asked),
                Ok(Report::Here) => return all,
                Ok(Report::Ready(_)) | Err(_) => panic!("a server that is gone"),
            }
        }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // Its end is what it does then; what it wrote goes away with it.
        let _ = self.control.shutdown(std::net::Shutdown::Write);
        while self.reports.recv_timeout(AT_LAST).is_ok() {}
    }
}

fn reports(control: UnixStream) -> Receiver<Report> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(control).lines().map_while(Result::ok) {
            if sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                return;
            }
        }
    });
    receiver
}

fn tell(mut control: &UnixStream, what: &impl Serialize) {
    let line = serde_json::to_string(what).unwrap() + "\n";
    control.write_all(line.as_bytes()).unwrap();
}

/// What the server's process does, until nobody tells it anything any more.
pub(super) fn serve(setup: &str) {
    let setup: Setup = serde_json::from_str(setup).unwrap();
    let control = UnixStream::connect(&setup.control).unwrap();
    let announcement = Announcement {
        protocol: setup.protocol,
        version: "0.1.0".to_owned(),
        instance: ServerInstance::of_this_process().unwrap(),
        roots: setup.roots,
        activity: setup.activity,
        degraded: Vec::new(),
    };
    let publication = Publication::publish(&setup.runtime_dir, &announcement).unwrap();
    let behaviour = Arc::new(Mutex::new(setup.behaviour));
    let reporter = Arc::new(Mutex::new(control.try_clone().unwrap()));
    let mut kept = Vec::new();
    match setup.listening {
        Listening::Never => {}
        Listening::NoLonger => drop(listen(&publication).unwrap()),
        Listening::Full => {
            let listener = listen(&publication).unwrap();
            // One may wait, and does.
            rustix::net::listen(&listener, 0).unwrap();
            kept.push(UnixStream::connect(publication.socket_path()).unwrap());
            std::mem::forget(listener);
        }
        Listening::Yes => {
            let listener = listen(&publication).unwrap();
            listener.set_nonblocking(false).unwrap();
            let (behaviour, reporter) = (Arc::clone(&behaviour), Arc::clone(&reporter));
            thread::spawn(move || {
                for stream in listener.incoming() {
                    let (behaviour, reporter) = (Arc::clone(&behaviour), Arc::clone(&reporter));
                    thread::spawn(move || answer(stream.unwrap(), &behaviour, &reporter));
                }
            });
        }
    }
    tell(&reporter.lock().unwrap(), &Report::Ready(announcement));
    for line in BufReader::new(control).lines().map_while(Result::ok) {
        match serde_json::from_str(&line).unwrap() {
            Command::Behave(now) => *behaviour.lock().unwrap() = now,
            Command::Answer => tell(&reporter.lock().unwrap(), &Report::Here),
        }
    }
}

/// Answers one hook. A hook that is gone is none of its business.
fn answer(mut stream: UnixStream, behaviour: &Mutex<Behaviour>, reporter: &Mutex<UnixStream>) {
    let mut decoder = Decoder::default();
    let mut buffer = [0; 16 * 1024];
    let frame = loop {
        if let Some(frame) = decoder.take().unwrap() {
            break frame;
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(read) => decoder.feed(&buffer[..read]),
        }
    };
    let behaviour = behaviour.lock().unwrap().clone();
    let reply = match &behaviour {
        Behaviour::Answer {
            exit,
            stdout,
            stderr,
        } => Some(Reply::Answer {
            exit: *exit,
            stdout: stdout.clone(),
            stderr: stderr.clone(),
        }),
        Behaviour::Echo => Some(Reply::Answer {
            exit: 0,
            stdout: String::from_utf8(frame.payload.clone()).unwrap(),
            stderr: String::new(),
        }),
        Behaviour::Refuse => Some(Reply::Refused {
            reason: "this server\nhas no opinion".to_owned(),
        }),
        Behaviour::Elsewhere(instance) => Some(Reply::Elsewhere {
            instance: instance.clone(),
        }),
        Behaviour::Silence | Behaviour::Close | Behaviour::Bytes(_) | Behaviour::LastBytes(_) => {
            None
        }
    };
    let asked = Asked {
        request: parse_request(&frame.header).unwrap(),
        payload: frame.payload,
    };
    tell(&reporter.lock().unwrap(), &Report::Asked(asked));
    if let Some(reply) = reply {
        let _ = stream.write_all(&encode_reply(&reply).unwrap());
    }
    match behaviour {
        Behaviour::Close => return,
        Behaviour::LastBytes(bytes) => {
            let _ = stream.write_all(&bytes);
            return;
        }
        Behaviour::Bytes(bytes) => {
            let _ = stream.write_all(&bytes);
        }
        _ => {}
    }
    // Until the hook is gone.
    let _ = stream.read_to_end(&mut Vec::new());
}
