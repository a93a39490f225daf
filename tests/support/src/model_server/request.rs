//! A request as it came, and how it is read from the bytes of a connection.

use std::time::Instant;

use countersign_core::model::Stage;
use serde_json::Value;

use super::dialect::{self, Api, Style};

/// Most headers of a request.
const MOST_HEADERS: usize = 64;

/// A request that a server got.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its number at this server, from 1: the number in its ids.
    pub number: u64,
    /// `POST` or `GET`.
    pub method: String,
    /// What stands behind the method: the path, or the whole URL where the
    /// client takes this server for a proxy.
    pub target: String,
    /// The path, without the query.
    pub path: String,
    /// The headers as they came, in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; null if it is no JSON.
    pub body: Value,
    /// The body's bytes.
    pub raw: Vec<u8>,
    /// The number of its connection, from 1.
    pub connection: usize,
    /// When it had been read whole.
    pub at: Instant,
}

impl Received {
    /// The value of the first header of this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }

    /// The interface that it is of.
    #[must_use]
    pub fn api(&self) -> Api {
        Api::of(self)
    }

    /// The structured-output style that it asks for.
    #[must_use]
    pub fn style(&self) -> Style {
        dialect::style(self.api(), &self.body)
    }

    /// The stage that it is of.
    #[must_use]
    pub fn stage(&self) -> Stage {
        dialect::stage(&self.body)
    }
}

/// Takes the request at the beginning of what was read, its body as bytes only;
/// nothing if it is not whole yet.
pub(super) fn take(read: &mut Vec<u8>) -> Result<Option<Received>, String> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let begin = match parsed.parse(read) {
        Ok(httparse::Status::Complete(begin)) => begin,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(format!("not a request: {error}")),
    };
    let headers: Vec<(String, String)> = parsed
        .headers
        .iter()
        .map(|header| {
            (
                header.name.to_ascii_lowercase(),
                String::from_utf8_lossy(header.value).into_owned(),
            )
        })
        .collect();
    let length: usize = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(Ok(0), |(_, value)| value.parse())
        .map_err(|_| "a length that is no number".to_owned())?;
    if headers.iter().any(|(name, _)| name == "transfer-encoding") {
        return Err("this server reads only bodies of a known length".to_owned());
    }
    let end = begin.saturating_add(length);
    let Some(raw) = read.get(begin..end).map(<[u8]>::to_vec) else {
        return Ok(None);
    };
    let at = Instant::now();
    let target = parsed.path.unwrap_or_default().to_owned();
    let path = match target.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => target.trim_start_matches('/'),
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let received = Received {
        number: 0,
        method: parsed.method.unwrap_or_default().to_owned(),
        path: format!("/{path}"),
        target,
        headers,
        body: Value::Null,
        raw,
        connection: 0,
        at,
    };
    read.drain(..end);
    Ok(Some(received))
}
