//! The HTTP client of an endpoint, and one exchange with it.

use std::error::Error as _;
use std::time::Duration;

use countersign_core::decision::UnavailableReason;
use countersign_core::model::ClassifierSettings;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, Proxy, RequestBuilder, StatusCode};
use url::Url;

use crate::address::is_loopback;
use crate::failure::{Again, Failure};
use crate::models::Environment;
use crate::trust::{self, System};

/// Longest body of a response, in bytes after it is unpacked.
const BODY_BYTES: usize = 1024 * 1024;

/// Longest time for a connection; a stage's deadline may come before it.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(90);

/// Makes a client. Reads files: the settings' and the system's certificates.
pub(crate) fn build(
    settings: &ClassifierSettings,
    environment: &Environment,
    url: &Url,
) -> Result<Client, Failure> {
    let mut builder = Client::builder()
        .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
        // The key goes where the settings say, and nowhere else.
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(usize::try_from(settings.max_concurrent).unwrap_or(usize::MAX))
        .tcp_nodelay(true);
    let mut over_tls = url.scheme() == "https";
    // A proxy has no way to this machine.
    match &settings.proxy {
        _ if is_loopback(url) => builder = builder.no_proxy(),
        Some(proxy) => {
            let (proxy, tls) = proxy_of(proxy)?;
            over_tls |= tls;
            builder = builder.proxy(proxy);
        }
        None if environment.proxies => over_tls = true,
        None => builder = builder.no_proxy(),
    }
    let system = match (over_tls, environment.proxies) {
        (false, _) => System::Nobody,
        (true, false) => System::Files,
        (true, true) => System::Environment,
    };
    let tls = trust::config(system, settings.ca_file.as_deref())?;
    builder
        .tls_backend_preconfigured(tls)
        .build()
        .map_err(|error| {
            Failure::new(
                UnavailableReason::Transport,
                format!("the HTTP client cannot be made: {}", cause(error)),
            )
        })
}

/// The settings' proxy, and whether it is spoken to over TLS. Its credentials
/// leave the URL, which libraries print.
fn proxy_of(proxy: &str) -> Result<(Proxy, bool), Failure> {
    let unusable = || {
        Failure::new(
            UnavailableReason::Transport,
            "permissions.autoMode.classifier.proxy is not the URL of a proxy",
        )
        .remedy("name it as http://host:port, https://host:port or socks5://host:port")
    };
    let mut url = Url::parse(proxy).map_err(|_| unusable())?;
    let tls = url.scheme() == "https";
    let decoded = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .into_owned()
    };
    let user = decoded(url.username());
    let password = decoded(url.password().unwrap_or_default());
    let http = matches!(url.scheme(), "http" | "https");
    if http {
        url.set_username("").map_err(|()| unusable())?;
        url.set_password(None).map_err(|()| unusable())?;
    }
    let mut proxy = Proxy::all(url).map_err(|_| unusable())?;
    if http && !(user.is_empty() && password.is_empty()) {
        proxy = proxy.basic_auth(&user, &password);
    }
    Ok((proxy, tls))
}

/// A response with its whole body.
pub(crate) struct Response {
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body, unpacked; at most 1 MiB.
    pub(crate) body: Vec<u8>,
}

/// Asks a question.
pub(crate) async fn post(
    client: &Client,
    url: &Url,
    headers: HeaderMap,
    body: Vec<u8>,
) -> Result<Response, Failure> {
    let request = client
        .post(url.clone())
        .headers(headers)
        .header(CONTENT_TYPE, "application/json")
        .body(body);
    exchange(request, url).await
}

/// Looks something up.
pub(crate) async fn get(
    client: &Client,
    url: &Url,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    exchange(client.get(url.clone()).headers(headers), url).await
}

async fn exchange(request: RequestBuilder, url: &Url) -> Result<Response, Failure> {
    let mut response = request
        .header(ACCEPT, "application/json")
        .send()
        .await
        .map_err(|error| not_sent(error, url))?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken_off)? {
        if body.len().saturating_add(chunk.len()) > BODY_BYTES {
            return Err(Failure::new(
                UnavailableReason::Parse,
                "the endpoint's response is longer than 1 MiB",
            )
            .again(Again::Now)
            .remedy("check permissions.autoMode.classifier.baseUrl"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response {
        status: response.status(),
        headers: std::mem::take(response.headers_mut()),
        body,
    })
}

fn not_sent(error: reqwest::Error, url: &Url) -> Failure {
    let connecting = error.is_connect();
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let cause = cause(error);
    let remedy = if cause.contains("certificate") {
        "name the file of the certificates to trust in permissions.autoMode.classifier.caFile"
    } else if connecting {
        "see that the server runs, and check permissions.autoMode.classifier.baseUrl and proxy"
    } else {
        "try again later, or choose another endpoint"
    };
    let what = if connecting {
        format!("no connection to {host}:{port}: {cause}")
    } else {
        format!("the connection to {host}:{port} failed: {cause}")
    };
    Failure::new(UnavailableReason::Transport, what)
        .remedy(remedy)
        .again(Again::Later(None))
}

fn broken_off(error: reqwest::Error) -> Failure {
    Failure::new(
        UnavailableReason::Transport,
        format!("the response broke off: {}", cause(error)),
    )
    .remedy("try again later, or choose another endpoint")
    .again(Again::Later(None))
}

/// The innermost cause. The error's own text names the URL, and what lies
/// between only says that something failed.
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
