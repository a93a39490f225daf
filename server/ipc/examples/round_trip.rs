//! Measures what asking a server costs a hook: `cargo run -p countersign-ipc
//! --example round_trip`. The server is a thread that answers at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::mode::ApprovalMode;
use countersign_ipc::client::{connect, server_acceptable};
use countersign_ipc::discovery::{Announcement, Publication, Root, candidates, find, listen};
use countersign_ipc::instance::ServerInstance;
use countersign_ipc::wire::{Decoder, PROTOCOL, Reply, Request, encode_reply};

const ROUNDS: usize = 2000;

fn main() {
    let kept = tempfile::tempdir().unwrap();
    let folder = Utf8PathBuf::from_path_buf(kept.path().join("run")).unwrap();
    let announcement = Announcement {
        protocol: PROTOCOL,
        version: "0.1.0".to_owned(),
        instance: ServerInstance::of_this_process().unwrap(),
        roots: vec![Root {
            folder: Utf8PathBuf::from("/work"),
            mode: ApprovalMode::Auto,
        }],
        activity: 1,
        degraded: Vec::new(),
    };
    let publication = Publication::publish(&folder, &announcement).unwrap();
    let listener = listen(&publication).unwrap();
    listener.set_nonblocking(false).unwrap();
    std::thread::spawn(move || {
        let reply = encode_reply(&Reply::Answer {
            exit: 0,
            stdout: "{}".to_owned(),
            stderr: String::new(),
        })
        .unwrap();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut decoder = Decoder::default();
            let mut buffer = [0; 4096];
            while decoder.take().unwrap().is_none() {
                let read = stream.read(&mut buffer).unwrap();
                decoder.feed(buffer.get(..read).unwrap());
            }
            stream.write_all(&reply).unwrap();
        }
    });

    let mut times: [Vec<Duration>; 5] = Default::default();
    for _ in 0..ROUNDS {
        let steps = round(&folder);
        for (times, step) in times.iter_mut().zip(steps) {
            times.push(step);
        }
    }
    let depth = countersign_ipc::ancestors(std::process::id())
        .processes
        .len();
    println!("median of {ROUNDS}, {depth} processes from the server upward");
    for (name, mut times) in ["find", "acceptable", "connect", "ask", "all"]
        .iter()
        .zip(times)
    {
        times.sort_unstable();
        println!("{name:>10} {:?}", times.get(ROUNDS / 2).unwrap());
    }
}

fn round(folder: &Utf8Path) -> [Duration; 5] {
    let start = Instant::now();
    let found = find(folder);
    let servers = candidates(&found.servers, Utf8Path::new("/work/project"));
    let server = servers.first().unwrap();
    let after_find = start.elapsed();
    server_acceptable(server, None).unwrap();
    let after_acceptable = start.elapsed();
    let deadline = start + Duration::from_secs(10);
    let mut connection = connect(folder, server, deadline).unwrap();
    let after_connect = start.elapsed();
    let request = Request {
        protocol: PROTOCOL,
        server: server.instance.key.clone(),
        version: "0.1.0".to_owned(),
        agent: "claude-code".to_owned(),
        event: "PreToolUse".to_owned(),
        remaining_ms: 10_000,
        tighten: None,
        traceparent: None,
        speaks_for: None,
        search_path: None,
        shell: None,
    };
    connection.ask(&request, &[b' '; 500], deadline).unwrap();
    let all = start.elapsed();
    [
        after_find,
        after_acceptable - after_find,
        after_connect - after_acceptable,
        all - after_connect,
        all,
    ]
}
