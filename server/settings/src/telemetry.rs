//! The settings of telemetry as a whole: an endpoint that can be used as it is
//! meant, or none.

use camino::{Utf8Path, Utf8PathBuf};

use crate::assemble::{choice, flag};
use crate::descriptor::{Fixed, Given};
use crate::merge::Merged;
use crate::table::key;

/// What the user and the machine say of telemetry. A workspace has no say in
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetrySettings {
    /// Whether anything may be exported.
    pub enabled: bool,
    /// Where to; none where only the environment says.
    pub endpoint: Option<String>,
    /// The protocol of the endpoint.
    pub protocol: ExportProtocol,
    /// The name of the environment variable that holds the headers. Never the
    /// headers themselves.
    pub headers_env: Option<String>,
    /// A file of certificates (PEM) that are trusted besides the system's.
    pub ca_file: Option<Utf8PathBuf>,
    /// Whether what was asked for, and why it was decided so, is exported too.
    pub include_content: bool,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            enabled: true,
            endpoint: None,
            protocol: ExportProtocol::HttpProtobuf,
            headers_env: None,
            ca_file: None,
            include_content: false,
        }
    }
}

/// How telemetry is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExportProtocol {
    /// Protocol buffers over HTTP.
    HttpProtobuf,
    /// gRPC.
    Grpc,
}

impl ExportProtocol {
    /// Every protocol.
    pub const ALL: [Self; 2] = [Self::HttpProtobuf, Self::Grpc];

    /// The name in settings and in OpenTelemetry's own variables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HttpProtobuf => "http/protobuf",
            Self::Grpc => "grpc",
        }
    }
}

/// What says where to and how.
const ENDPOINT: [&str; 4] = [
    key::TELEMETRY_ENDPOINT,
    key::TELEMETRY_PROTOCOL,
    key::TELEMETRY_HEADERS_ENV,
    key::TELEMETRY_CA_FILE,
];

/// What was meant; nothing is exported where it cannot be read.
pub(crate) fn telemetry(merged: &Merged, home: &Utf8Path) -> TelemetrySettings {
    let is_usable = !ENDPOINT
        .iter()
        .any(|key| merged.scalar(key) == Fixed::Unusable);
    let protocol = choice(merged, key::TELEMETRY_PROTOCOL).and_then(|name| {
        ExportProtocol::ALL
            .into_iter()
            .find(|protocol| protocol.as_str() == name)
    });
    TelemetrySettings {
        enabled: is_usable && flag(merged, key::TELEMETRY_ENABLED, false),
        endpoint: text(merged, key::TELEMETRY_ENDPOINT),
        protocol: protocol.unwrap_or(ExportProtocol::HttpProtobuf),
        headers_env: text(merged, key::TELEMETRY_HEADERS_ENV),
        ca_file: text(merged, key::TELEMETRY_CA_FILE).map(|path| match path.strip_prefix("~/") {
            Some(below) => home.join(below),
            None => path.into(),
        }),
        include_content: flag(merged, key::TELEMETRY_INCLUDE_CONTENT, false),
    }
}

fn text(merged: &Merged, key: &str) -> Option<String> {
    match &merged.chosen(key)?.value {
        Given::Text(text) => Some(text.clone()),
        Given::Fixed(_) => None,
    }
}
