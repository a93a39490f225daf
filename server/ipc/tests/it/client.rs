//! The hook's side against servers of every kind.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_ipc::client::{AskError, ConnectError, Connection, connect, server_acceptable};
use countersign_ipc::discovery::{Announcement, Publication, listen};
use countersign_ipc::peer::{Peer, agent_above, caller_of, descends_from, peer_of, process_of};
use countersign_ipc::wire::{
    Decoder, MAX_PAYLOAD_BYTES, PROTOCOL, Reply, Request, encode_reply, parse_request,
};
use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::support::{Other, announcement, folder, mode, name, run_by, write};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        crate::trial("a_hook_is_answered_again_and_again", answers),
        crate::trial("the_largest_payload_is_answered", largest),
        crate::trial("a_path_of_any_length_is_reached", long_path),
        crate::trial("a_server_that_ends_is_lost", lost),
        crate::trial("what_is_no_answer_is_malformed", malformed),
        crate::trial("a_request_that_cannot_be_sent_is_malformed", too_much),
        crate::trial("a_silent_server_is_left_at_the_deadline", silent),
        crate::trial("a_dripping_server_is_left_at_the_deadline", dripping),
        crate::trial("nothing_is_asked_after_a_failure", broken),
        crate::trial("another_process_is_not_the_server", foreign_process),
        crate::trial("what_is_not_the_servers_socket_is_not_used", foreign_socket),
        crate::trial("a_server_that_does_not_listen_is_unreachable", unreachable),
        crate::trial("a_full_server_is_busy", busy),
        crate::trial("the_kernel_says_who_is_there", peers),
        crate::trial("a_server_that_the_agent_started_is_refused", acceptable),
    ]
}

/// A generous bound for what should happen.
fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn request(announcement: &Announcement) -> Request {
    Request {
        protocol: PROTOCOL,
        server: announcement.instance.key.clone(),
        version: "0.1.0".to_owned(),
        agent: "claude-code".to_owned(),
        event: "PreToolUse".to_owned(),
        remaining_ms: 1000,
        tighten: None,
        traceparent: None,
        speaks_for: None,
        search_path: None,
        shell: None,
    }
}

/// A server that does `serve` with its first connection.
struct Server {
    folder: Utf8PathBuf,
    announcement: Announcement,
    serving: JoinHandle<()>,
    _publication: Publication,
    _kept: Option<TempDir>,
}

impl Server {
    fn start(serve: impl FnOnce(UnixStream) + Send + 'static) -> Self {
        let (kept, folder) = folder();
        Self {
            _kept: Some(kept),
            ..Self::start_in(&folder, serve)
        }
    }

    fn start_in(folder: &Utf8Path, serve: impl FnOnce(UnixStream) + Send + 'static) -> Self {
        let announcement = announcement();
        let publication = Publication::publish(folder, &announcement).unwrap();
        let listener = listen(&publication).unwrap();
        listener.set_nonblocking(false).unwrap();
        Self {
            folder: folder.to_owned(),
            announcement,
            serving: thread::spawn(move || serve(listener.accept().unwrap().0)),
            _publication: publication,
            _kept: None,
        }
    }

    fn connect(&self) -> Connection {
        connect(&self.folder, &self.announcement, soon()).unwrap()
    }

    fn ask(&self, payload: &[u8], deadline: Instant) -> Result<Reply, AskError> {
        self.connect()
            .ask(&request(&self.announcement), payload, deadline)
    }

    fn end(self) {
        self.serving.join().unwrap();
    }
}

/// Reads a request; `None` at the end of the connection.
fn read_request(stream: &mut UnixStream) -> Option<(Request, Vec<u8>)> {
    let mut decoder = Decoder::default();
    let mut buffer = [0; 4096];
    loop {
        if let Some(frame) = decoder.take().unwrap() {
            assert!(decoder.is_empty());
            return Some((parse_request(&frame.header).unwrap(), frame.payload));
        }
        match stream.read(&mut buffer).unwrap() {
            0 => return None,
            read => decoder.feed(&buffer[..read]),
        }
    }
}

fn refusal(reason: &str) -> Reply {
    Reply::Refused {
        reason: reason.to_owned(),
    }
}

/// Says back what it was asked.
fn echo(mut stream: UnixStream) {
    while let Some((request, payload)) = read_request(&mut stream) {
        let reply = Reply::Answer {
            exit: 2,
            stdout: String::from_utf8(payload).unwrap(),
            stderr: request.event,
        };
        stream.write_all(&encode_reply(&reply).unwrap()).unwrap();
    }
}

fn echoed(payload: &str) -> Reply {
    Reply::Answer {
        exit: 2,
        stdout: payload.to_owned(),
        stderr: "PreToolUse".to_owned(),
    }
}

fn answers() {
    let server = Server::start(echo);
    let mut connection = server.connect();
    for payload in ["{}", "", "again"] {
        let reply = connection.ask(&request(&server.announcement), payload.as_bytes(), soon());
        assert_eq!(reply, Ok(echoed(payload)));
    }
    drop(connection);
    server.end();
}

fn largest() {
    let server = Server::start(echo);
    let payload = "x".repeat(MAX_PAYLOAD_BYTES - "PreToolUse".len());
    assert!(server.ask(payload.as_bytes(), soon()) == Ok(echoed(&payload)));
    server.end();
}

fn long_path() {
    let (_kept, above) = folder();
    let folder = above.join("long".repeat(50)).join("longer".repeat(40));
    let server = Server::start_in(&folder, echo);
    assert!(folder.as_str().len() > 400);
    assert_eq!(server.ask(b"{}", soon()), Ok(echoed("{}")));
    server.end();
}

fn lost() {
    let half = |bytes: usize| {
        Server::start(move |mut stream| {
            read_request(&mut stream).unwrap();
            let reply = encode_reply(&refusal("half")).unwrap();
            stream.write_all(&reply[..bytes]).unwrap();
        })
    };
    for bytes in [0, 1, 8, 12] {
        let server = half(bytes);
        assert_eq!(server.ask(b"{}", soon()), Err(AskError::Lost), "{bytes}");
        server.end();
    }
    // Before the question was read wholly: the payload fills every buffer.
    let server = Server::start(drop);
    let payload = vec![b'x'; MAX_PAYLOAD_BYTES];
    assert_eq!(server.ask(&payload, soon()), Err(AskError::Lost));
    server.end();
}

fn malformed() {
    let one = encode_reply(&refusal("one")).unwrap();
    let two = [one.clone(), one].concat();
    for bytes in [
        vec![255; 8],
        b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
        vec![0; 8],
        [&[0, 0, 0, 2, 0, 0, 0, 0][..], b"{}"].concat(),
        two,
    ] {
        let server = Server::start(move |mut stream| {
            read_request(&mut stream).unwrap();
            stream.write_all(&bytes).unwrap();
        });
        let error = server.ask(b"{}", soon()).unwrap_err();
        assert!(matches!(error, AskError::Malformed(_)), "{error:?}");
        server.end();
    }
}

fn too_much() {
    let server = Server::start(|mut stream| assert_eq!(read_request(&mut stream), None));
    let payload = vec![b'x'; MAX_PAYLOAD_BYTES + 1];
    let error = server.ask(&payload, soon()).unwrap_err();
    assert!(matches!(error, AskError::Malformed(_)), "{error:?}");
    server.end();
}

/// Holds the connection until the hook leaves.
fn hold(mut stream: UnixStream) {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
}

fn silent() {
    let shortly = || Instant::now() + Duration::from_millis(40);
    let server = Server::start(hold);
    assert_eq!(server.ask(b"{}", shortly()), Err(AskError::Deadline));
    server.end();

    // Nobody accepts or reads: the question does not fit into the buffers.
    let (_kept, folder) = folder();
    let announcement = announcement();
    let publication = Publication::publish(&folder, &announcement).unwrap();
    let _listener = listen(&publication).unwrap();
    let mut connection = connect(&folder, &announcement, soon()).unwrap();
    let payload = vec![b'x'; MAX_PAYLOAD_BYTES];
    assert_eq!(
        connection.ask(&request(&announcement), &payload, shortly()),
        Err(AskError::Deadline)
    );
}

fn dripping() {
    let server = Server::start(|mut stream| {
        let reply = encode_reply(&Reply::Answer {
            exit: 0,
            stdout: "x".repeat(MAX_PAYLOAD_BYTES),
            stderr: String::new(),
        });
        for byte in reply.unwrap() {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            thread::yield_now();
        }
        panic!("the hook waited for everything");
    });
    let deadline = Instant::now() + Duration::from_millis(40);
    assert_eq!(server.ask(b"{}", deadline), Err(AskError::Deadline));
    server.end();
}

fn broken() {
    let server = Server::start(hold);
    let mut connection = server.connect();
    let request = request(&server.announcement);
    let past = Instant::now();
    assert_eq!(
        connection.ask(&request, b"{}", past),
        Err(AskError::Deadline)
    );
    assert_eq!(connection.ask(&request, b"{}", soon()), Err(AskError::Lost));
    drop(connection);
    server.end();
}

fn failure(folder: &Utf8Path, announcement: &Announcement) -> ConnectError {
    connect(folder, announcement, soon()).unwrap_err()
}

/// A socket that is private, wherever a server of any name would have it.
fn bind(path: &Utf8Path) -> UnixListener {
    let listener = UnixListener::bind(path).unwrap();
    mode(path, 0o600);
    listener
}

fn foreign_process() {
    let (_kept, folder) = folder();
    let other = Other::start();
    let announced = run_by(other.process());
    let _listener = bind(&folder.join(name(&announced, ".sock")));
    let error = failure(&folder, &announced);
    let own = format!("process {} listens", std::process::id());
    assert!(
        matches!(&error, ConnectError::Foreign(reason) if reason.contains(&own)),
        "{error}"
    );
}

fn foreign_socket() {
    let (_kept, folder) = folder();
    let announced = announcement();
    let socket = folder.join(name(&announced, ".sock"));
    let is_foreign = || {
        let error = failure(&folder, &announced);
        assert!(matches!(error, ConnectError::Foreign(_)), "{error}");
    };
    let elsewhere = folder.join("elsewhere");
    let listener = bind(&elsewhere);
    symlink(&elsewhere, &socket).unwrap();
    is_foreign();
    std::fs::remove_file(&socket).unwrap();
    write(&socket, "");
    is_foreign();
    std::fs::rename(&elsewhere, &socket).unwrap();
    mode(&socket, 0o660);
    is_foreign();
    mode(&socket, 0o600);
    connect(&folder, &announced, soon()).unwrap();
    mode(&folder, 0o755);
    is_foreign();
    mode(&folder, 0o700);
    drop(listener);

    let mut no_key = announced.clone();
    no_key.instance.key = format!("{}/../../xxxxxxxxx", &no_key.instance.key[..16]);
    let error = failure(&folder, &no_key);
    assert!(matches!(error, ConnectError::Foreign(_)), "{error}");
}

fn unreachable() {
    let (_kept, folder) = folder();
    let announced = announcement();
    let is_unreachable = |folder: &Utf8Path| {
        let error = failure(folder, &announced);
        assert!(matches!(error, ConnectError::Unreachable(_)), "{error}");
    };
    is_unreachable(&folder.join("none"));
    is_unreachable(&folder);
    drop(bind(&folder.join(name(&announced, ".sock"))));
    is_unreachable(&folder);
}

fn busy() {
    let (_kept, folder) = folder();
    let announced = announcement();
    let listener = bind(&folder.join(name(&announced, ".sock")));
    rustix::net::listen(&listener, 0).unwrap();
    let mut waiting = Vec::new();
    let error = loop {
        match connect(&folder, &announced, soon()) {
            Ok(connection) => waiting.push(connection),
            Err(error) => break error,
        }
        assert!(waiting.len() < 10, "nobody accepts them");
    };
    assert_eq!(error, ConnectError::Busy);
    // At the deadline nothing is waited for.
    let past = connect(&folder, &announced, Instant::now());
    assert_eq!(past.unwrap_err(), ConnectError::Busy);
}

fn peers() {
    let (one, _other) = UnixStream::pair().unwrap();
    let own = Peer {
        pid: std::process::id(),
        uid: rustix::process::geteuid().as_raw(),
    };
    assert_eq!(peer_of(&one).unwrap(), own);
    assert!(peer_of(std::fs::File::open("/dev/null").unwrap()).is_err());

    let this = process_of(std::process::id()).unwrap();
    assert_eq!(process_of(Other::ended().pid), None);
    let shell = Other::start();
    let process = shell.process();
    // Shells only start others: what speaks is this process.
    assert_eq!(caller_of(shell.below()), Some(this.clone()));
    for pid in [process.pid, shell.below()] {
        assert!(descends_from(pid, &this));
    }
    assert!(descends_from(shell.below(), &process));
    assert!(!descends_from(process.pid, &process), "not of itself");
    assert!(!descends_from(this.pid, &process));
}

fn acceptable() {
    let this = process_of(std::process::id()).unwrap();
    let shell = Other::start();
    let reason = server_acceptable(&run_by(shell.process()), Some(&this)).unwrap_err();
    assert!(reason.contains("the agent that made the call"), "{reason}");
    let reason = server_acceptable(&announcement(), Some(&this)).unwrap_err();
    assert!(reason.contains("the agent that made the call"), "{reason}");

    let agent = Other::start_as("/usr/local/bin/claude");
    let (found, process) = agent_above(agent.below()).unwrap();
    assert_eq!((found.name(), process), ("claude-code", agent.process()));
    for server in [agent.process(), process_of(agent.below()).unwrap()] {
        let reason = server_acceptable(&run_by(server), None).unwrap_err();
        assert!(reason.contains("runs under claude-code"), "{reason}");
    }
    let ended = server_acceptable(&run_by(Other::ended()), None).unwrap_err();
    assert!(ended.contains("cannot be looked at"), "{ended}");
}
