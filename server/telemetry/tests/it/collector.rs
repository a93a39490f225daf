//! A collector in the test, over HTTP and over gRPC: it keeps what it receives,
//! byte for byte, and answers as it is told.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use countersign_settings::ExportProtocol;
use prost::Message as _;

use crate::received::Received;

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// It takes everything.
    Takes,
    /// It takes a batch and says that it did not want so many of its items.
    Rejects(i64),
    /// It answers with an error: a status of HTTP, or one of gRPC.
    Refuses(u16),
    /// It never answers.
    Hangs,
    /// It takes everything, and says so when it is let; see
    /// [`Collector::lets_answer`].
    Waits,
}

#[derive(Clone)]
pub(crate) struct Collector {
    address: SocketAddr,
    protocol: ExportProtocol,
    received: Arc<Mutex<Received>>,
    may_answer: Arc<AtomicBool>,
}

/// How often a collector looks whether it may answer.
const LOOKS_EVERY: Duration = Duration::from_millis(2);

/// What a connection of a collector works with.
#[derive(Clone)]
struct Works {
    kept: Arc<Mutex<Received>>,
    may_answer: Arc<AtomicBool>,
    behaviour: Behaviour,
}

impl Works {
    fn waits(&self) -> bool {
        self.behaviour == Behaviour::Waits && !self.may_answer.load(Ordering::Acquire)
    }
}

impl Collector {
    pub(crate) fn new(protocol: ExportProtocol, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Received::default()));
        let may_answer = Arc::new(AtomicBool::new(false));
        let works = Works {
            kept: Arc::clone(&received),
            may_answer: Arc::clone(&may_answer),
            behaviour,
        };
        std::thread::spawn(move || match protocol {
            ExportProtocol::HttpProtobuf => {
                for stream in listener.incoming().flatten() {
                    let works = works.clone();
                    std::thread::spawn(move || http(stream, &works));
                }
            }
            ExportProtocol::Grpc => grpc(listener, &works),
        });
        Self {
            address,
            protocol,
            received,
            may_answer,
        }
    }

    /// One that is not there.
    pub(crate) fn down(protocol: ExportProtocol) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            address: listener.local_addr().unwrap(),
            protocol,
            received: Arc::default(),
            may_answer: Arc::default(),
        }
    }

    /// One that waits answers from now on.
    pub(crate) fn lets_answer(&self) {
        self.may_answer.store(true, Ordering::Release);
    }

    /// What a person's editor would have in its environment.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                format!("http://{}", self.address),
            ),
            (
                "OTEL_EXPORTER_OTLP_PROTOCOL",
                self.protocol.as_str().to_owned(),
            ),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=me".to_owned()),
        ]
    }

    pub(crate) fn received(&self) -> Received {
        self.received.lock().unwrap().clone()
    }
}

/// HTTP 1.1 with a length, which is all that the exporter speaks.
fn http(mut stream: TcpStream, works: &Works) {
    let mut buffer = Vec::new();
    loop {
        let (header, length, path) = loop {
            let mut headers = [httparse::EMPTY_HEADER; 32];
            let mut request = httparse::Request::new(&mut headers);
            if let Ok(httparse::Status::Complete(end)) = request.parse(&buffer) {
                let length = request
                    .headers
                    .iter()
                    .find(|header| header.name.eq_ignore_ascii_case("content-length"))
                    .and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok())
                    .unwrap_or(0);
                break (end, length, request.path.unwrap().to_owned());
            }
            if !more(&mut stream, &mut buffer) {
                return;
            }
        };
        while buffer.len() < header + length {
            if !more(&mut stream, &mut buffer) {
                return;
            }
        }
        let head = String::from_utf8_lossy(&buffer[..header]).into_owned();
        let body = buffer[header..header + length].to_vec();
        buffer.drain(..header + length);
        works.kept.lock().unwrap().take(&path, &head, &body);
        while works.waits() {
            std::thread::sleep(LOOKS_EVERY);
        }
        let (status, answer) = match works.behaviour {
            Behaviour::Hangs => loop {
                std::thread::park();
            },
            Behaviour::Takes | Behaviour::Waits => (200, Vec::new()),
            Behaviour::Rejects(count) => (200, partial(&path, count)),
            Behaviour::Refuses(status) => (status, b"SECRET words of a collector".to_vec()),
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        if stream.write_all(head.as_bytes()).is_err() || stream.write_all(&answer).is_err() {
            return;
        }
    }
}

fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> bool {
    let mut chunk = [0; 4096];
    match stream.read(&mut chunk) {
        Ok(0) | Err(_) => false,
        Ok(read) => {
            buffer.extend_from_slice(&chunk[..read]);
            true
        }
    }
}

/// The answer to a batch of which some was not wanted; the field is the same
/// in all three.
fn partial(path: &str, count: i64) -> Vec<u8> {
    use opentelemetry_proto::tonic::collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceResponse,
    };
    if path.contains("etrics") {
        return Vec::new();
    }
    ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: count,
            error_message: "SECRET words of a collector".to_owned(),
        }),
    }
    .encode_to_vec()
}

fn grpc(listener: TcpListener, works: &Works) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    listener.set_nonblocking(true).unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let works = works.clone();
            tokio::spawn(async move {
                let Ok(mut connection) = h2::server::handshake(stream).await else {
                    return;
                };
                while let Some(Ok((request, respond))) = connection.accept().await {
                    tokio::spawn(call(request, respond, works.clone()));
                }
            });
        }
    });
}

async fn call(
    request: http::Request<h2::RecvStream>,
    mut respond: h2::server::SendResponse<Bytes>,
    works: Works,
) -> Result<(), Infallible> {
    let (head, mut body) = request.into_parts();
    let mut bytes = BytesMut::new();
    while let Some(Ok(data)) = body.data().await {
        let _ = body.flow_control().release_capacity(data.len());
        bytes.extend_from_slice(&data);
    }
    let path = head.uri.path().to_owned();
    // Behind a byte about compression and four for the length.
    let head = format!("{:?}", head.headers);
    works.kept.lock().unwrap().take(&path, &head, &bytes[5..]);
    while works.waits() {
        tokio::time::sleep(LOOKS_EVERY).await;
    }
    let (status, answer) = match works.behaviour {
        Behaviour::Hangs => std::future::pending().await,
        Behaviour::Takes | Behaviour::Waits => (0, Some(Vec::new())),
        Behaviour::Rejects(count) => (0, Some(partial(&path, count))),
        Behaviour::Refuses(status) => (status, None),
    };
    let response = http::Response::builder()
        .header("content-type", "application/grpc")
        .body(())
        .unwrap();
    let mut stream = respond.send_response(response, false).unwrap();
    if let Some(answer) = answer {
        let mut frame = vec![0];
        frame.extend_from_slice(&u32::try_from(answer.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(&answer);
        stream.send_data(frame.into(), false).unwrap();
    }
    let mut trailers = http::HeaderMap::new();
    trailers.insert("grpc-status", status.into());
    stream.send_trailers(trailers).unwrap();
    Ok(())
}
