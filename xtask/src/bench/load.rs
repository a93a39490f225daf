//! Many connections to a server, each with one question under way, driven by
//! one thread that costs little beside the server: it builds nothing anew and
//! looks at every answer.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;

use super::figure::{Figure, Target};
use super::ground::{ALLOW, Wanted, call_id};
use super::memory;
use super::server::Server;
use super::times::{milliseconds, percentile_of};

/// Sessions that the calls are of.
const SESSIONS: usize = 20;

/// Not counted: caches fill.
const WARM_UP: Duration = Duration::from_millis(500);
const MEASURED: Duration = Duration::from_secs(4);

/// A server that says nothing for so long hangs.
const LONGEST: i64 = 10;

/// A hook's request, ready but for the number of the call.
pub(super) struct Question {
    bytes: Vec<u8>,
    number_at: usize,
    wanted: Wanted,
}

impl Question {
    pub(super) fn new(server: &Server<'_>, session: usize, wanted: Wanted) -> Result<Self> {
        let header = json!({
            "protocol": 1,
            "server": server.key,
            "version": "bench",
            "agent": "claude-code",
            "event": "PreToolUse",
            "remaining_ms": 30_000,
            "tighten": null,
        })
        .to_string();
        let payload = server.ground.call(session, 0, wanted).to_string();
        let mut bytes = Vec::new();
        for length in [header.len(), payload.len()] {
            bytes.extend_from_slice(&u32::try_from(length)?.to_be_bytes());
        }
        let id = payload.find(&call_id(0)).context("a call without an id")?;
        let number_at = bytes.len() + header.len() + id;
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(payload.as_bytes());
        Ok(Self {
            bytes,
            number_at,
            wanted,
        })
    }

    fn number(&mut self, number: usize) -> &[u8] {
        let id = call_id(number);
        let (start, end) = (self.number_at, self.number_at + id.len());
        if let Some(place) = self.bytes.get_mut(start..end) {
            place.copy_from_slice(id.as_bytes());
        }
        &self.bytes
    }
}

/// A connection with at most one question under way.
pub(super) struct Connection {
    stream: UnixStream,
    received: Vec<u8>,
    buffer: Vec<u8>,
}

impl Connection {
    pub(super) fn new(server: &Server<'_>) -> Result<Self> {
        Ok(Self {
            stream: server.connect()?,
            received: Vec::new(),
            buffer: vec![0; 16 * 1024],
        })
    }

    fn send(&mut self, question: &mut Question, number: usize) -> Result<()> {
        Ok(self.stream.write_all(question.number(number))?)
    }

    /// Reads once; whether the answer is there wholly. It allows, or something
    /// is wrong.
    fn receive(&mut self, wanted: Wanted) -> Result<bool> {
        let read = self.stream.read(&mut self.buffer)?;
        ensure!(read > 0, "the server ended a connection");
        self.received
            .extend_from_slice(self.buffer.get(..read).unwrap_or_default());
        let Some((header, payload)) = lengths(&self.received) else {
            return Ok(false);
        };
        if self.received.len() < 8 + header + payload {
            return Ok(false);
        }
        let text = String::from_utf8_lossy(&self.received);
        ensure!(text.contains(ALLOW), "{wanted:?}: {text}");
        self.received.clear();
        Ok(true)
    }

    /// Asks and waits.
    pub(super) fn ask(&mut self, question: &mut Question, number: usize) -> Result<()> {
        self.send(question, number)?;
        while !self.receive(question.wanted)? {}
        Ok(())
    }
}

fn lengths(bytes: &[u8]) -> Option<(usize, usize)> {
    let [h0, h1, h2, h3, p0, p1, p2, p3] = *bytes.first_chunk()?;
    let length = |bytes| usize::try_from(u32::from_be_bytes(bytes)).ok();
    Some((length([h0, h1, h2, h3])?, length([p0, p1, p2, p3])?))
}

/// Decisions a second over one and over 64 connections, and what is resident
/// afterwards.
pub(super) fn measure(server: &Server<'_>) -> Result<Vec<Figure>> {
    let mut numbers = 1_000_000..;
    let mut figures = Vec::new();
    for (connections, least) in [(1, 3_000.0), (64, 20_000.0)] {
        let mut times = run(server, connections, &mut numbers)?;
        figures.push(Figure {
            name: format!(
                "decisions a second, {connections} connection{}",
                if connections == 1 { "" } else { "s" }
            ),
            value: times.len() as f64 / MEASURED.as_secs_f64(),
            unit: "",
            target: Target::AtLeast(least),
            besides: format!(
                "p50 {:.2} ms, p99 {:.2} ms",
                milliseconds(percentile_of(&mut times, 50)),
                milliseconds(percentile_of(&mut times, 99))
            ),
        });
    }
    figures.push(Figure {
        target: Target::None,
        ..memory::figure("memory after that".to_owned(), server.pid, 0.0)?
    });
    Ok(figures)
}

/// How long each question took that was asked and answered in the measured
/// time.
fn run(
    server: &Server<'_>,
    connections: usize,
    numbers: &mut impl Iterator<Item = usize>,
) -> Result<Vec<Duration>> {
    let mut questions = Vec::new();
    // Sessions take turns: an agent mostly waits for one call before the next.
    for wanted in [Wanted::Read, Wanted::Test] {
        for session in 0..SESSIONS {
            questions.push(Question::new(server, session, wanted)?);
        }
    }
    let mut asking: Vec<(Connection, Wanted, Instant)> = Vec::new();
    let mut turn = 0;
    let mut ask = |connection: &mut Connection| -> Result<(Wanted, Instant)> {
        let count = questions.len();
        let question = questions.get_mut(turn % count).context("no question")?;
        turn += 1;
        let number = numbers.next().context("no number")?;
        let start = Instant::now();
        connection.send(question, number)?;
        Ok((question.wanted, start))
    };
    let mut watched = Vec::new();
    for _ in 0..connections {
        let mut connection = Connection::new(server)?;
        watched.push(connection.stream.try_clone()?);
        let (wanted, start) = ask(&mut connection)?;
        asking.push((connection, wanted, start));
    }
    let mut watching: Vec<PollFd<'_>> = watched
        .iter()
        .map(|stream| PollFd::new(stream, PollFlags::IN))
        .collect();
    let begin = Instant::now() + WARM_UP;
    let end = begin + MEASURED;
    let mut times = Vec::with_capacity(1 << 18);
    let longest = Timespec {
        tv_sec: LONGEST,
        tv_nsec: 0,
    };
    loop {
        if poll(&mut watching, Some(&longest))? == 0 {
            bail!("the server says nothing any more");
        }
        for (watched, (connection, wanted, start)) in watching.iter().zip(&mut asking) {
            if watched.revents().is_empty() || !connection.receive(*wanted)? {
                continue;
            }
            let now = Instant::now();
            if now >= end {
                return Ok(times);
            }
            if now >= begin {
                times.push(now - *start);
            }
            (*wanted, *start) = ask(connection)?;
        }
    }
}
