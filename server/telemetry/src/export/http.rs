//! OTLP as protocol buffers over HTTP.

use http::header::{CONTENT_TYPE, HeaderMap};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use url::Url;

use super::{ANSWER_BYTES, Batch, Failure, Taken, USER_AGENT, rejected};
use crate::config::{Target, is_loopback};
use crate::counts::Signal;

/// A collector that is spoken to over HTTP.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    endpoint: Url,
    headers: HeaderMap,
}

impl Http {
    pub(super) fn new(target: &Target) -> Result<Self, String> {
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            // What is exported goes where the user says, and nowhere else.
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_max_idle_per_host(1)
            .connect_timeout(target.timeout)
            .timeout(target.timeout);
        if is_loopback(&target.endpoint) {
            builder = builder.no_proxy();
        }
        // The system's certificates are many, and only read where they count: a
        // proxy in front of an endpoint without TLS is spoken to without it, too.
        let tls = if target.endpoint.scheme() == "https" {
            crate::trust::config(target.ca_file.as_deref())?
        } else {
            crate::trust::nobody()?
        };
        builder = builder.tls_backend_preconfigured(tls);
        Ok(Self {
            client: builder
                .build()
                .map_err(|error| format!("the HTTP client cannot be made: {}", cause(error)))?,
            endpoint: target.endpoint.clone(),
            headers: target.headers.clone(),
        })
    }

    pub(super) async fn send(&self, batch: Batch) -> Result<Taken, Failure> {
        let signal = batch.signal();
        let body = match batch {
            Batch::Traces(request) => request.encode_to_vec(),
            Batch::Logs(request) => request.encode_to_vec(),
            Batch::Metrics(request) => request.encode_to_vec(),
        };
        let mut response = self
            .client
            .post(self.endpoint.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, "application/x-protobuf")
            .body(body)
            .send()
            .await
            .map_err(|error| {
                Failure::passing(format!("the collector cannot be reached: {}", cause(error)))
            })?;
        let status = response.status();
        if !status.is_success() {
            let why = format!("the collector answered with status {}", status.as_u16());
            let again = matches!(
                status,
                StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::BAD_GATEWAY
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT
            );
            return Err(if again {
                Failure::passing(why)
            } else {
                Failure::lasting(why)
            });
        }
        let mut answer = Vec::new();
        // It has the batch: what else it says, and cannot say wholly, is no
        // reason to send it again.
        while let Ok(Some(chunk)) = response.chunk().await {
            if answer.len().saturating_add(chunk.len()) > ANSWER_BYTES {
                return Ok(Taken::default());
            }
            answer.extend_from_slice(&chunk);
        }
        Ok(taken(signal, &answer))
    }
}

/// What an answer says was not wanted. One that is none says nothing.
fn taken(signal: Signal, answer: &[u8]) -> Taken {
    let count = match signal {
        Signal::Traces => ExportTraceServiceResponse::decode(answer)
            .ok()
            .and_then(|answer| Some(answer.partial_success?.rejected_spans)),
        Signal::Logs => ExportLogsServiceResponse::decode(answer)
            .ok()
            .and_then(|answer| Some(answer.partial_success?.rejected_log_records)),
        Signal::Metrics => ExportMetricsServiceResponse::decode(answer)
            .ok()
            .and_then(|answer| Some(answer.partial_success?.rejected_data_points)),
    };
    rejected(count.unwrap_or(0))
}

/// What went wrong at last, without the URL.
fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
