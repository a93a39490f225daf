//! Names and ids from outside, bounded and safe to print.

use countersign_core::redact::visible;
use reqwest::header::HeaderMap;

use crate::failure::cut;

/// Longest id or name that is kept, in characters.
const ID_CHARACTERS: usize = 200;

/// The headers in which providers and their gateways give a request's id.
const HEADERS: [&str; 5] = [
    "x-request-id",
    "request-id",
    "x-dashscope-request-id",
    "apim-request-id",
    "x-goog-request-id",
];

/// The request's id, if a header gives it.
pub(super) fn from_headers(headers: &HeaderMap) -> Option<String> {
    HEADERS
        .iter()
        .find_map(|name| sound(headers.get(*name)?.to_str().ok()?))
}

/// An id or name as it is kept; none if there is nothing in it.
pub(super) fn sound(id: &str) -> Option<String> {
    let id = id.trim();
    (!id.is_empty()).then(|| {
        let bounded: String = id.chars().take(ID_CHARACTERS + 1).collect();
        cut(&visible(&bounded), ID_CHARACTERS)
    })
}
