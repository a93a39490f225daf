//! One address: sent the event, and asked nothing else. Redirects lead to no
//! other server, and no proxy is used: an agent could name one.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, StatusCode, Url};
use tokio::sync::OnceCell;

use crate::command::MOST_OUTPUT;
use crate::payload::Payload;
use crate::runner::Variables;
use crate::tls;

/// Longest time for a connection; the hook's own time may end before it.
const CONNECT: Duration = Duration::from_secs(10);

/// Most redirects within one server.
const MOST_REDIRECTS: usize = 3;

/// The clients, each made when it is first needed.
#[derive(Default)]
pub(crate) struct Clients {
    here: OnceCell<Client>,
    elsewhere: OnceCell<Client>,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// What an address is told, and how.
pub(crate) struct Message<'m> {
    pub(crate) url: &'m str,
    pub(crate) headers: &'m BTreeMap<String, String>,
    pub(crate) allowed: &'m [String],
    pub(crate) payload: &'m Payload,
}

/// Sends.
///
/// # Errors
/// Why there is no answer, in plain words that name neither the path of the
/// address nor a header.
pub(crate) async fn send(
    clients: &Clients,
    variables: Variables,
    message: &Message<'_>,
) -> Result<Answered, String> {
    let url = Url::parse(message.url).map_err(|_| "its address is none".to_owned())?;
    let headers = headers(message, variables)?;
    let over_tls = url.scheme() == "https";
    let client = if over_tls {
        &clients.elsewhere
    } else {
        &clients.here
    };
    let client = client.get_or_try_init(|| build(over_tls)).await?;
    let mut response = client
        .post(url)
        .headers(headers)
        .header(CONTENT_TYPE, "application/json")
        .body(message.payload.bytes.clone())
        .send()
        .await
        .map_err(cause)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(cause)? {
        if body.len().saturating_add(chunk.len()) > MOST_OUTPUT {
            return Err("its answer is longer than 1 MiB".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answered {
        status: response.status().as_u16(),
        body,
    })
}

async fn build(over_tls: bool) -> Result<Client, String> {
    // Reads files.
    let tls = tokio::task::spawn_blocking(move || tls::config(over_tls))
        .await
        .map_err(|error| error.to_string())??;
    Client::builder()
        .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::custom(redirected))
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(CONNECT)
        .no_proxy()
        .tls_backend_preconfigured(tls)
        .build()
        .map_err(cause)
}

fn redirected(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let is_same = attempt
        .previous()
        .first()
        .is_some_and(|first| first.origin() == attempt.url().origin());
    // Others turn what is sent into a question without a body.
    let keeps = matches!(
        attempt.status(),
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
    );
    if !is_same {
        attempt.error("it redirects to another server, which is not followed")
    } else if !keeps {
        attempt.error("it redirects with a status other than 307 or 308")
    } else if attempt.previous().len() > MOST_REDIRECTS {
        attempt.error("it redirects too often")
    } else {
        attempt.follow()
    }
}

fn headers(message: &Message<'_>, variables: Variables) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in message.headers {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| "a header's name is none".to_owned())?;
        let value = filled_in(value, message.allowed, variables)?;
        let mut value = HeaderValue::from_str(&value)
            .map_err(|_| format!("the value of the header {name} cannot be sent"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// The value with `$NAME` and `${NAME}` replaced, where the name is allowed.
fn filled_in(value: &str, allowed: &[String], variables: Variables) -> Result<String, String> {
    let mut pieces = value.split('$');
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = name_in(piece);
        if !allowed.iter().any(|one| one == name) {
            filled.push('$');
            filled.push_str(piece);
            continue;
        }
        let Some(text) = variables(name).filter(|text| !text.is_empty()) else {
            return Err(format!(
                "the environment variable {name} of a header is not set"
            ));
        };
        filled.push_str(&text);
        filled.push_str(rest);
    }
    Ok(filled)
}

/// The name that follows a `$`, perhaps in braces, and what comes after it.
fn name_in(piece: &str) -> (&str, &str) {
    if let Some((name, rest)) = piece
        .strip_prefix('{')
        .and_then(|inner| inner.split_once('}'))
    {
        return (name, rest);
    }
    let end = piece
        .find(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
        .unwrap_or(piece.len());
    piece.split_at(end)
}

/// The innermost cause; the error's own text names the address.
#[allow(
    clippy::needless_pass_by_value,
    reason = "it is the last that is done with it"
)]
fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    let mut source = error.source();
    while let Some(inner) = source {
        innermost = inner;
        source = inner.source();
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_variables_are_filled_in() {
        let variables: Variables = |name| match name {
            "TOKEN" => Some("abc".to_owned()),
            "TOKEN_TWO" => Some("def".to_owned()),
            _ => None,
        };
        let allowed = [
            "TOKEN".to_owned(),
            "TOKEN_TWO".to_owned(),
            "GONE".to_owned(),
        ];
        for (value, expected) in [
            ("Bearer $TOKEN", "Bearer abc"),
            ("${TOKEN}-$TOKEN_TWO", "abc-def"),
            ("$HOME costs $5", "$HOME costs $5"),
        ] {
            assert_eq!(filled_in(value, &allowed, variables).unwrap(), expected);
        }
        assert_eq!(filled_in("$TOKEN", &[], variables).unwrap(), "$TOKEN");
        let problem = filled_in("$GONE", &allowed, variables).unwrap_err();
        assert!(problem.contains("GONE"));
    }
}
