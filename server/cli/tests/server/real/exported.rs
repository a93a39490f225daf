//! Telemetry of a real server: what a person's editor says is exported, what an
//! agent says is not listened to, but for where its spans hang.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use libtest_mimic::Trial;
use rustix::process::Signal;

use super::{BUILD, EVENT, shell};
use crate::sandbox::{AUTO, CLAUDE, Sandbox, until};
use crate::support::{Agent, Desk, start_detached};
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("what_a_server_decides_joins_the_agents_trace", joins),
        trial("an_agents_environment_exports_nothing", nothing),
    ]
}

/// The agent's trace, and its id as it is sent.
const TRACEPARENT: &str = "TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;

/// Takes whatever is sent over HTTP.
struct Collector {
    address: SocketAddr,
    received: Arc<Mutex<Vec<u8>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || take(stream, &kept));
            }
        });
        Self { address, received }
    }

    /// Where it is, as a variable.
    fn variable(&self) -> String {
        format!("OTEL_EXPORTER_OTLP_ENDPOINT=http://{}", self.address)
    }

    fn got(&self, bytes: &[u8]) -> bool {
        let received = self.received.lock().unwrap();
        received.windows(bytes.len()).any(|window| window == bytes)
    }
}

/// Keeps what is sent and answers once a request's body is there.
fn take(mut stream: TcpStream, kept: &Mutex<Vec<u8>>) {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        request.extend_from_slice(&chunk[..read]);
        kept.lock().unwrap().extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        let Some((head, _)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let (_, length) = head.split_once("content-length: ").unwrap();
        let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
        if request.len() >= head.len() + 4 + length {
            request.clear();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        }
    }
}

fn joins() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let collector = Collector::start();
    let variable = collector.variable();
    let editor = ["/usr/bin/env", &variable, "OTEL_BSP_SCHEDULE_DELAY=20"];
    let desk = Desk::started_by(&sandbox, &sandbox.workspace, |words| {
        start_detached(&[&editor[..], words].concat());
    });
    desk.wait_until_announced(&sandbox.workspace);
    let hook = sandbox.hook_words(CLAUDE, EVENT);
    let words = [&["/usr/bin/env", TRACEPARENT][..], &hook].concat();
    let call = shell(&sandbox, "uproot vines").to_string();
    // The server begins to export a moment after it began.
    until("the agent's trace arrives", || {
        agent.begin(&words, &call).ended().assert_block(EVENT);
        collector.got(&TRACE.to_be_bytes())
    });
    desk.end(Signal::TERM);
    assert!(collector.got(b"countersign.tool") && collector.got(b"rule_denied"));
    // The end sends everything, metrics too.
    assert!(collector.got(b"countersign.decisions"));
    for word in ["uproot", "vines", sandbox.home.as_str()] {
        assert!(!collector.got(word.as_bytes()), "{word}");
    }
}

fn nothing() {
    let sandbox = Sandbox::trusted(AUTO);
    let agent = Agent::start(&sandbox);
    let collector = Collector::start();
    let variable = collector.variable();
    let hook = sandbox.hook_words(CLAUDE, EVENT);
    let words = [&["/usr/bin/env", &variable, TRACEPARENT][..], &hook].concat();
    let call = shell(&sandbox, "uproot vines").to_string();
    agent.begin(&words, &call).ended().assert_block(EVENT);
    let mut desk = Desk::open(&sandbox);
    let build = shell(&sandbox, BUILD).to_string();
    let asked = agent.begin(&words, &build);
    let approval = desk.approval();
    desk.deny(&approval);
    asked.ended().assert_block(EVENT);
    desk.end(Signal::TERM);
    assert!(collector.received.lock().unwrap().is_empty());
}
