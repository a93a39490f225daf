//! OTLP over gRPC.

use http::HeaderMap;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};

use super::{ANSWER_BYTES, Batch, Failure, Taken, USER_AGENT, rejected};
use crate::config::Target;

/// A collector that is spoken to over gRPC.
#[derive(Debug)]
pub(super) struct Grpc {
    channel: Channel,
    headers: HeaderMap,
}

impl Grpc {
    pub(super) fn new(target: &Target) -> Result<Self, String> {
        let unusable =
            |error: tonic::transport::Error| format!("the gRPC client cannot be made: {error}");
        let mut endpoint = Endpoint::from_shared(target.endpoint.to_string())
            .and_then(|endpoint| endpoint.user_agent(USER_AGENT))
            .map_err(unusable)?
            .connect_timeout(target.timeout)
            .timeout(target.timeout);
        if target.endpoint.scheme() == "https" {
            let mut tls = ClientTlsConfig::new().with_native_roots();
            if let Some(path) = &target.ca_file {
                tls = tls.ca_certificate(Certificate::from_pem(crate::trust::read(path)?));
            }
            endpoint = endpoint.tls_config(tls).map_err(unusable)?;
        }
        Ok(Self {
            channel: endpoint.connect_lazy(),
            headers: target.headers.clone(),
        })
    }

    pub(super) async fn send(&self, batch: Batch) -> Result<Taken, Failure> {
        let channel = self.channel.clone();
        let count = match batch {
            Batch::Traces(request) => TraceServiceClient::new(channel)
                .max_decoding_message_size(ANSWER_BYTES)
                .export(self.with_headers(request))
                .await
                .map(|answer| Some(answer.into_inner().partial_success?.rejected_spans)),
            Batch::Logs(request) => LogsServiceClient::new(channel)
                .max_decoding_message_size(ANSWER_BYTES)
                .export(self.with_headers(request))
                .await
                .map(|answer| Some(answer.into_inner().partial_success?.rejected_log_records)),
            Batch::Metrics(request) => MetricsServiceClient::new(channel)
                .max_decoding_message_size(ANSWER_BYTES)
                .export(self.with_headers(request))
                .await
                .map(|answer| Some(answer.into_inner().partial_success?.rejected_data_points)),
        };
        count
            .map(|count| rejected(count.unwrap_or(0)))
            .map_err(|status| failure(&status))
    }

    fn with_headers<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        *request.metadata_mut() = MetadataMap::from_headers(self.headers.clone());
        request
    }
}

/// Which failures pass is the protocol's to say.
fn failure(status: &Status) -> Failure {
    let why = match status.code() {
        // That is how a connection that cannot be made looks.
        Code::Unavailable => "the collector cannot be reached, or has no time".to_owned(),
        code => format!("the collector answered with gRPC status {code:?}"),
    };
    match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => Failure::passing(why),
        Code::Ok
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Unimplemented
        | Code::Internal
        | Code::Unauthenticated => Failure::lasting(why),
    }
}
