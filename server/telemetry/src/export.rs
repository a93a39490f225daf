//! Sending what was collected to a collector: one attempt, bounded in time and
//! in what is read of the answer. Trying again is the caller's.

mod grpc;
mod http;

use std::time::Duration;

use countersign_settings::ExportProtocol;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use self::http::Http;
use crate::config::Target;
use crate::counts::Signal;
use grpc::Grpc;

/// Largest answer of a collector, in bytes.
const ANSWER_BYTES: usize = 64 * 1024;

/// What the exporter calls itself.
const USER_AGENT: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));

/// Something to send.
#[derive(Debug, Clone)]
pub(crate) enum Batch {
    Traces(ExportTraceServiceRequest),
    Logs(ExportLogsServiceRequest),
    Metrics(ExportMetricsServiceRequest),
}

impl Batch {
    pub(crate) const fn signal(&self) -> Signal {
        match self {
            Self::Traces(_) => Signal::Traces,
            Self::Logs(_) => Signal::Logs,
            Self::Metrics(_) => Signal::Metrics,
        }
    }
}

/// A collector took a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Taken {
    /// How many items of it the collector did not want.
    pub(crate) rejected: u64,
}

/// A batch was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Why, for people; nothing in a collector's own words.
    pub(crate) why: String,
    /// Whether it may be taken later.
    pub(crate) again: bool,
}

impl Failure {
    fn passing(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            again: true,
        }
    }

    fn lasting(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            again: false,
        }
    }
}

/// A way to a collector.
#[derive(Debug)]
pub(crate) struct Exporter {
    way: Way,
    timeout: Duration,
}

#[derive(Debug)]
enum Way {
    Http(Http),
    Grpc(Grpc),
}

impl Exporter {
    /// Without any connection; those are made when something is sent. Needs a
    /// runtime.
    ///
    /// # Errors
    /// Why there is no way.
    pub(crate) fn new(target: &Target) -> Result<Self, String> {
        Ok(Self {
            way: match target.protocol {
                ExportProtocol::HttpProtobuf => Way::Http(Http::new(target)?),
                ExportProtocol::Grpc => Way::Grpc(Grpc::new(target)?),
            },
            timeout: target.timeout,
        })
    }

    /// Sends a batch once.
    pub(crate) async fn send(&self, batch: Batch) -> Result<Taken, Failure> {
        let sent = async {
            match &self.way {
                Way::Http(http) => http.send(batch).await,
                Way::Grpc(grpc) => grpc.send(batch).await,
            }
        };
        tokio::time::timeout(self.timeout, sent)
            .await
            .unwrap_or_else(|_| {
                Err(Failure::passing(format!(
                    "the collector did not answer within {} ms",
                    self.timeout.as_millis()
                )))
            })
    }
}

/// Items that a collector says it did not want; never less than none.
fn rejected(count: i64) -> Taken {
    Taken {
        rejected: u64::try_from(count).unwrap_or(0),
    }
}
