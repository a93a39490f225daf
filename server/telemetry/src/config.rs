//! What is exported, where to and how: from the user's and the machine's
//! settings, and from the standard `OTEL_*` variables of a server that an
//! editor started. The environment comes in as a function, so that nobody else
//! reads it.

mod headers;

use std::time::Duration;

use camino::Utf8PathBuf;
use countersign_settings::{ExportProtocol, TelemetrySettings};
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::counts::Signal;

/// Reads a variable.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Attributes of the resource that the environment may name.
const MOST_RESOURCE_ATTRIBUTES: usize = 64;

/// Longest name and value of one of them, in bytes.
const LONGEST_RESOURCE_ATTRIBUTE: usize = 256;

/// What is exported. Equal where exporting is the same.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportConfig {
    /// Where traces go; none where they are not exported.
    pub traces: Option<Target>,
    /// Where metrics go.
    pub metrics: Option<Target>,
    /// Where log records go.
    pub logs: Option<Target>,
    /// Whether what was asked for, and why it was decided so, is exported.
    pub include_content: bool,
    /// What the user says of this machine: names and values.
    pub resource: Vec<(String, String)>,
    /// How often spans and log records are sent.
    pub every: Duration,
    /// How often metrics are sent.
    pub metrics_every: Duration,
    /// Most items in the queue, and most that are held to be sent, each.
    pub most_queued: usize,
    /// Most items that are sent at once.
    pub batch: usize,
}

/// Where something goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The protocol.
    pub protocol: ExportProtocol,
    /// The whole URL.
    pub endpoint: Url,
    /// What is sent along; marked as sensitive, so that it is not printed.
    pub headers: HeaderMap,
    /// How long one export may take.
    pub timeout: Duration,
    /// Certificates that are trusted besides the system's.
    pub ca_file: Option<Utf8PathBuf>,
}

/// Why nothing is exported although somebody wants it. Repeats no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("telemetry is not exported: {source_name} {problem}")]
pub struct ConfigError {
    /// The setting or the variable.
    pub source_name: String,
    /// What is wrong and the remedy.
    pub problem: String,
}

fn wrong(source: impl Into<String>, problem: impl Into<String>) -> ConfigError {
    ConfigError {
        source_name: source.into(),
        problem: problem.into(),
    }
}

impl ExportConfig {
    /// What is wanted; none where nobody wants anything.
    ///
    /// An endpoint of the settings is taken with the settings' protocol and
    /// headers alone: a secret of the environment goes nowhere but where the
    /// environment says.
    ///
    /// # Errors
    /// When something is wanted and cannot be done as it is wanted.
    pub fn find(
        settings: &TelemetrySettings,
        environment: Environment<'_>,
    ) -> Result<Option<Self>, ConfigError> {
        // An empty variable is as if it were not set.
        let variable = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        let is_disabled = variable("OTEL_SDK_DISABLED")
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
        if !settings.enabled || is_disabled {
            return Ok(None);
        }
        let of = |signal: Signal| -> Result<Option<Target>, ConfigError> {
            let wanted = wanted(signal, &variable)?;
            match &settings.endpoint {
                _ if wanted == Some(false) => Ok(None),
                Some(endpoint) => from_settings(settings, endpoint, signal, &variable).map(Some),
                None => from_environment(signal, wanted == Some(true), &variable),
            }
        };
        let sampled_out = variable("OTEL_TRACES_SAMPLER").is_some_and(|sampler| {
            matches!(sampler.trim(), "always_off" | "parentbased_always_off")
        });
        let traces = of(Signal::Traces)?.filter(|_| !sampled_out);
        let (metrics, logs) = (of(Signal::Metrics)?, of(Signal::Logs)?);
        if traces.is_none() && metrics.is_none() && logs.is_none() {
            return Ok(None);
        }
        let milliseconds = |name: &str, default, least, most| {
            Duration::from_millis(number(&variable, name, default, least, most))
        };
        let most_queued = number(&variable, "OTEL_BSP_MAX_QUEUE_SIZE", 2_048, 16, 65_536);
        let most_queued = usize::try_from(most_queued).unwrap_or(2_048);
        let batch = number(&variable, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, 1, 8_192);
        Ok(Some(Self {
            traces,
            metrics,
            logs,
            include_content: settings.include_content,
            resource: resource(&variable),
            every: milliseconds("OTEL_BSP_SCHEDULE_DELAY", 5_000, 10, 600_000),
            metrics_every: milliseconds("OTEL_METRIC_EXPORT_INTERVAL", 60_000, 10, 3_600_000),
            most_queued,
            batch: usize::try_from(batch).unwrap_or(512).min(most_queued),
        }))
    }
}

/// A whole number within bounds; what is none is as if it were not there.
fn number(
    variable: &dyn Fn(&str) -> Option<String>,
    name: &str,
    default: u64,
    least: u64,
    most: u64,
) -> u64 {
    variable(name)
        .and_then(|value| value.trim().parse().ok())
        .unwrap_or(default)
        .clamp(least, most)
}

/// The part of variables' names that says which signal.
const fn infix(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "TRACES",
        Signal::Metrics => "METRICS",
        Signal::Logs => "LOGS",
    }
}

/// Whether the environment says yes or no to a signal.
fn wanted(
    signal: Signal,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<bool>, ConfigError> {
    let name = format!("OTEL_{}_EXPORTER", infix(signal));
    match variable(&name).as_deref().map(str::trim) {
        None => Ok(None),
        Some("none") => Ok(Some(false)),
        Some(list) if list.split(',').any(|one| one.trim() == "otlp") => Ok(Some(true)),
        Some(_) => Err(wrong(
            name,
            "names an exporter that is not there; use otlp or none",
        )),
    }
}

fn from_settings(
    settings: &TelemetrySettings,
    endpoint: &str,
    signal: Signal,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Target, ConfigError> {
    const ENDPOINT: &str = "telemetry.endpoint";
    let base = parse(ENDPOINT, endpoint)?;
    let headers = match &settings.headers_env {
        None => HeaderMap::new(),
        Some(name) => {
            let text = variable(name).ok_or_else(|| {
                wrong(
                    "telemetry.headersEnv",
                    format!("names the variable {name}, which is not set; set it where the editor is started, or leave out the setting"),
                )
            })?;
            headers::parse(&text).map_err(|problem| wrong(name.clone(), problem))?
        }
    };
    if !headers.is_empty() && base.scheme() == "http" && !is_loopback(&base) {
        return Err(wrong(
            ENDPOINT,
            "is not encrypted, and the headers of `telemetry.headersEnv` would be readable on the way; use https, or leave the headers out",
        ));
    }
    Ok(Target {
        endpoint: match settings.protocol {
            ExportProtocol::HttpProtobuf => below(base, signal),
            ExportProtocol::Grpc => base,
        },
        protocol: settings.protocol,
        headers,
        timeout: timeout(signal, variable),
        ca_file: settings.ca_file.clone(),
    })
}

fn from_environment(
    signal: Signal,
    is_wanted: bool,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Target>, ConfigError> {
    let own = |what: &str| format!("OTEL_EXPORTER_OTLP_{}_{what}", infix(signal));
    let all = |what: &str| format!("OTEL_EXPORTER_OTLP_{what}");
    // With the name of the variable that says it.
    let say = |what: &str| {
        [own(what), all(what)]
            .into_iter()
            .find_map(|name| variable(&name).map(|value| (name, value)))
    };
    let protocol = match say("PROTOCOL") {
        None => ExportProtocol::HttpProtobuf,
        Some((name, value)) => match value.trim() {
            "grpc" => ExportProtocol::Grpc,
            "http/protobuf" => ExportProtocol::HttpProtobuf,
            _ => {
                return Err(wrong(
                    name,
                    "names no protocol that is known; use http/protobuf or grpc",
                ));
            }
        },
    };
    let endpoint = match (
        variable(&own("ENDPOINT")),
        variable(&all("ENDPOINT")),
        protocol,
    ) {
        (Some(own_endpoint), _, ExportProtocol::HttpProtobuf) => {
            parse(&own("ENDPOINT"), own_endpoint.trim())?
        }
        (None, Some(base), ExportProtocol::HttpProtobuf) => {
            below(parse(&all("ENDPOINT"), base.trim())?, signal)
        }
        (Some(endpoint), _, ExportProtocol::Grpc) => {
            let name = own("ENDPOINT");
            grpc(
                &name,
                endpoint.trim(),
                say("INSECURE").map(|(_, value)| value),
            )?
        }
        (None, Some(endpoint), ExportProtocol::Grpc) => {
            let name = all("ENDPOINT");
            grpc(
                &name,
                endpoint.trim(),
                say("INSECURE").map(|(_, value)| value),
            )?
        }
        (None, None, _) if !is_wanted => return Ok(None),
        (None, None, ExportProtocol::HttpProtobuf) => {
            below(parse("", "http://localhost:4318")?, signal)
        }
        (None, None, ExportProtocol::Grpc) => parse("", "http://localhost:4317")?,
    };
    let headers = match say("HEADERS") {
        None => HeaderMap::new(),
        Some((name, text)) => headers::parse(&text).map_err(|problem| wrong(name, problem))?,
    };
    Ok(Some(Target {
        protocol,
        endpoint,
        headers,
        timeout: timeout(signal, variable),
        ca_file: say("CERTIFICATE").map(|(_, path)| Utf8PathBuf::from(path.trim())),
    }))
}

/// gRPC's endpoint may go without a scheme.
fn grpc(source: &str, endpoint: &str, insecure: Option<String>) -> Result<Url, ConfigError> {
    if endpoint.contains("://") {
        return parse(source, endpoint);
    }
    let is_insecure = insecure.is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
    let scheme = if is_insecure { "http" } else { "https" };
    parse(source, &format!("{scheme}://{endpoint}"))
}

fn timeout(signal: Signal, variable: &dyn Fn(&str) -> Option<String>) -> Duration {
    let all = number(variable, "OTEL_EXPORTER_OTLP_TIMEOUT", 10_000, 100, 60_000);
    let own = format!("OTEL_EXPORTER_OTLP_{}_TIMEOUT", infix(signal));
    Duration::from_millis(number(variable, &own, all, 100, 60_000))
}

fn parse(source: &str, text: &str) -> Result<Url, ConfigError> {
    let expected = "is no URL that begins with http:// or https://";
    let url = Url::parse(text).map_err(|_| wrong(source, expected))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(wrong(source, expected));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            source,
            "has a user name or password in it; send them as a header",
        ));
    }
    Ok(url)
}

/// The signal's place below an endpoint that is for all.
fn below(mut base: Url, signal: Signal) -> Url {
    let path = format!(
        "{}/v1/{}",
        base.path().trim_end_matches('/'),
        signal.as_str()
    );
    base.set_path(&path);
    base
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// `name=value,name=value`, percent-encoded.
fn resource(variable: &dyn Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let text = variable("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let decoded = |text: &str| {
        let text = percent_decode_str(text.trim()).decode_utf8().ok()?;
        (!text.is_empty() && text.len() <= LONGEST_RESOURCE_ATTRIBUTE).then(|| text.into_owned())
    };
    let mut all: Vec<(String, String)> = text
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .filter_map(|(name, value)| Some((decoded(name)?, decoded(value)?)))
        .take(MOST_RESOURCE_ATTRIBUTES)
        .collect();
    if let Some(name) = variable("OTEL_SERVICE_NAME").and_then(|name| decoded(&name)) {
        all.retain(|(known, _)| known != "service.name");
        all.push(("service.name".to_owned(), name));
    }
    all
}

#[cfg(test)]
mod tests;
