//! The HTTP of the model server: one request after the other on a connection,
//! with bodies of a known length or in chunks, packed or not.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use super::conversation::Api;
use super::{Request, Shared, speech};

/// Most headers of a request.
const MOST_HEADERS: usize = 96;

/// Most bytes of a request's head.
const MOST_HEAD: u64 = 256 * 1024;

/// Most bytes of a body: the agents' prompts are far below.
const MOST_BODY: u64 = 64 << 20;

/// An answer.
pub(super) struct Answer {
    pub(super) content_type: &'static str,
    pub(super) body: String,
}

/// Serves a connection until its client is done or says what is no HTTP.
pub(super) fn serve(socket: &TcpStream, shared: &Shared) {
    // A client that goes away is no fault of the server.
    let _ = serve_all(socket, shared);
}

fn serve_all(mut socket: &TcpStream, shared: &Shared) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut reader = BufReader::new(socket);
    while let Some(request) = next(&mut reader)? {
        let answer = speech::answer(&request, &shared.script());
        // Kept before it is answered: whoever has the answer finds the request.
        let is_head = request.method == "HEAD";
        shared.received(request);
        let Answer { content_type, body } = answer;
        let length = body.len();
        let mut bytes = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
        )
        .into_bytes();
        if !is_head {
            bytes.extend_from_slice(body.as_bytes());
        }
        socket.write_all(&bytes)?;
    }
    Ok(())
}

/// The next request; nothing if the client is done.
fn next(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    loop {
        let before = head.len();
        reader.take(MOST_HEAD).read_until(b'\n', &mut head)?;
        if head.len() == before {
            return Ok(None);
        }
        if head.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    parsed.parse(&head).map_err(io::Error::other)?;
    let header = |name: &str| {
        let found = parsed
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| String::from_utf8_lossy(header.value).to_ascii_lowercase())
    };
    let raw = if header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        chunks(reader)?
    } else {
        let length = header("content-length").map_or(Ok(0), |length| length.parse());
        let mut raw = Vec::new();
        let length = length.map_err(io::Error::other)?;
        reader.take(MOST_BODY.min(length)).read_to_end(&mut raw)?;
        raw
    };
    let raw = match header("content-encoding").as_deref() {
        Some("gzip") => {
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(raw.as_slice())
                .take(MOST_BODY)
                .read_to_end(&mut unpacked)?;
            unpacked
        }
        _ => raw,
    };
    Ok(Some(Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        body: serde_json::from_slice(&raw).unwrap_or(Value::Null),
    }))
}

/// A body in chunks.
fn chunks(reader: &mut BufReader<&TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
        reader.take(size.min(MOST_BODY)).read_to_end(&mut body)?;
        let mut end = String::new();
        reader.read_line(&mut end)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

/// JSON.
pub(super) fn json(body: &Value) -> Answer {
    Answer {
        content_type: "application/json",
        body: body.to_string(),
    }
}

/// Server-sent events: with their names where the interface has them, and with
/// an end where it has one.
pub(super) fn events(events: &[Value], api: Api) -> Answer {
    let mut body = String::new();
    for event in events {
        if let (Api::Messages | Api::Responses, Some(name)) = (api, event["type"].as_str()) {
            body.push_str(&format!("event: {name}\n"));
        }
        body.push_str(&format!("data: {event}\n\n"));
    }
    if api == Api::Chat {
        body.push_str("data: [DONE]\n\n");
    }
    Answer {
        content_type: "text/event-stream",
        body,
    }
}
