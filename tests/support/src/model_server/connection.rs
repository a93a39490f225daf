//! One connection: requests are read one after the other, and answered with
//! exactly the bytes, pauses and ends that the script says.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::dialect;
use super::rendering::{Rendered, models, render};
use super::reply::{Reply, Sent};
use super::request::{self, Received};
use super::state::Shared;

/// Between two bytes of what comes slowly.
const PAUSE: Duration = Duration::from_millis(20);

/// Fewest bytes of one chunk of a body in pieces.
const PIECE: usize = 7;

/// Most pieces of a body.
const PIECES: usize = 500;

/// Bytes of one write of an endless body.
const FLOOD: usize = 64 * 1024;

/// Serves every connection until it is dropped.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((socket, _)) = listener.accept().await {
        let number = shared.change(|state| {
            state.seen.connections += 1;
            state.seen.open += 1;
            state.seen.connections
        });
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // A client that goes away is no fault of the server.
            let _ = serve(socket, number, &shared).await;
            shared.change(|state| state.seen.open -= 1);
        });
    }
}

async fn serve(mut socket: TcpStream, connection: usize, shared: &Shared) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut read = Vec::new();
    loop {
        let Some(request) = next(&mut socket, &mut read).await? else {
            return Ok(());
        };
        // Reading JSON takes time too, and is the server's.
        let begin = request.at;
        let (request, reply) = taken(request, connection, shared);
        let close = reply.as_ref().is_some_and(|reply| reply.close);
        let sent = answer(&mut socket, &request, reply).await;
        shared.change(|state| {
            state.seen.under_way -= 1;
            match &sent {
                Ok(_) => state.seen.answered += 1,
                Err(_) => state.seen.abandoned += 1,
            }
            state.times.insert(request.number, begin.elapsed());
        });
        if sent? == Afterwards::Close || close {
            return Ok(());
        }
    }
}

/// The next request; nothing if the client is done.
async fn next(socket: &mut TcpStream, read: &mut Vec<u8>) -> io::Result<Option<Received>> {
    loop {
        match request::take(read) {
            Ok(Some(request)) => return Ok(Some(request)),
            Ok(None) => {}
            Err(why) => {
                let text = format!(
                    "HTTP/1.1 400 Bad Request\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{why}",
                    why.len()
                );
                socket.write_all(text.as_bytes()).await?;
                return Ok(None);
            }
        }
        if socket.read_buf(read).await? == 0 {
            return Ok(None);
        }
    }
}

/// Counts a request and takes what the script says to it.
fn taken(mut request: Received, connection: usize, shared: &Shared) -> (Received, Option<Reply>) {
    request.connection = connection;
    shared.change(|state| {
        let seen = &mut state.seen;
        seen.requests += 1;
        seen.under_way += 1;
        seen.most_under_way = seen.most_under_way.max(seen.under_way);
        request.number = u64::try_from(seen.requests).unwrap_or(u64::MAX);
        let reply = if dialect::asks_for_models(&request) {
            state.models.clone()
        } else if dialect::is_question(&request) {
            let scripted = state.queue.pop_front().or_else(|| state.always.clone());
            Some(scripted.unwrap_or_else(unscripted))
        } else {
            Some(Reply::raw(404, "text/plain", "no such path"))
        };
        let kept = state.requests.len() < state.keep;
        // Nobody asks what stands in the body: a benchmark wants its time back.
        if kept || !reply.as_ref().is_some_and(Reply::is_raw) {
            request.body = serde_json::from_slice(&request.raw).unwrap_or_default();
        }
        if kept {
            state.requests.push(request.clone());
        }
        (request, reply)
    })
}

fn unscripted() -> Reply {
    Reply::raw(500, "text/plain", "the test scripted no reply")
}

/// Whether more requests are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Afterwards {
    Next,
    Close,
}

async fn answer(
    socket: &mut TcpStream,
    request: &Received,
    reply: Option<Reply>,
) -> io::Result<Afterwards> {
    let Some(reply) = reply else {
        let list = models(request);
        return whole(socket, &list, list.body.len()).await;
    };
    if let Some(gate) = &reply.gate {
        unless_gone(socket, gate.opened()).await?;
    }
    if !reply.delay.is_zero() {
        unless_gone(socket, tokio::time::sleep(reply.delay)).await?;
    }
    let rendered = render(&reply, request);
    let length = rendered.body.len();
    match reply.sent {
        Sent::Whole => whole(socket, &rendered, length).await,
        Sent::Pieces => {
            let mut bytes = head(&rendered, None);
            socket.write_all(&bytes).await?;
            for piece in rendered.body.chunks(PIECE.max(length / PIECES)) {
                bytes = format!("{:x}\r\n", piece.len()).into_bytes();
                bytes.extend_from_slice(piece);
                bytes.extend_from_slice(b"\r\n");
                socket.write_all(&bytes).await?;
            }
            socket.write_all(b"0\r\n\r\n").await?;
            Ok(Afterwards::Next)
        }
        Sent::EndlessHeader => dribble(socket, b"HTTP/1.1 200 OK\r\nx-slow: ", b"z").await,
        Sent::EndlessSpace => dribble(socket, &head(&rendered, None), b"1\r\n \r\n").await,
        Sent::Flood => {
            socket.write_all(&head(&rendered, None)).await?;
            let mut chunk = format!("{FLOOD:x}\r\n").into_bytes();
            chunk.resize(chunk.len() + FLOOD, b' ');
            chunk.extend_from_slice(b"\r\n");
            loop {
                socket.write_all(&chunk).await?;
            }
        }
        Sent::ResetBeforeHeaders => {
            socket.set_zero_linger()?;
            Ok(Afterwards::Close)
        }
        Sent::ResetAfterHeaders | Sent::CloseInBody => {
            let mut bytes = head(&rendered, Some(length));
            bytes.extend_from_slice(rendered.body.get(..length / 2).unwrap_or_default());
            socket.write_all(&bytes).await?;
            if reply.sent == Sent::ResetAfterHeaders {
                socket.set_zero_linger()?;
            }
            Ok(Afterwards::Close)
        }
        Sent::Never => {
            unless_gone(socket, std::future::pending::<()>()).await?;
            Ok(Afterwards::Close)
        }
    }
}

async fn whole(
    socket: &mut TcpStream,
    rendered: &Rendered,
    length: usize,
) -> io::Result<Afterwards> {
    let mut bytes = head(rendered, Some(length));
    bytes.extend_from_slice(&rendered.body);
    socket.write_all(&bytes).await?;
    Ok(Afterwards::Next)
}

/// The status line and the headers; without a length the body comes in chunks.
fn head(rendered: &Rendered, length: Option<usize>) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} scripted\r\n", rendered.status);
    for (name, value) in &rendered.headers {
        // Writing into a string does not fail.
        let _ = write!(head, "{name}: {value}\r\n");
    }
    match length {
        Some(length) => {
            let _ = write!(head, "content-length: {length}\r\n\r\n");
        }
        None => head.push_str("transfer-encoding: chunked\r\n\r\n"),
    }
    head.into_bytes()
}

/// Sends the beginning, and then the same again and again, until the client has
/// enough.
async fn dribble(socket: &mut TcpStream, begin: &[u8], again: &[u8]) -> io::Result<Afterwards> {
    socket.write_all(begin).await?;
    loop {
        unless_gone(socket, tokio::time::sleep(PAUSE)).await?;
        socket.write_all(again).await?;
    }
}

/// Waits for something, and no longer than the client does. A client that says
/// more before it has its answer breaks HTTP as this product uses it, and
/// counts as gone.
async fn unless_gone(
    socket: &mut TcpStream,
    waited_for: impl Future<Output = ()>,
) -> io::Result<()> {
    tokio::select! {
        () = waited_for => Ok(()),
        _ = socket.read_u8() => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}
