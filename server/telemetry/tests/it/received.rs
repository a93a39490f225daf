//! What a collector received, decoded, and what every test looks for in it.

use std::collections::BTreeMap;

use countersign_telemetry::names::{ATTRIBUTES, EVENTS, LOGS, METRICS, SPANS};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric, number_data_point};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    /// Everything, headers too.
    pub(crate) raw: Vec<Vec<u8>>,
    pub(crate) spans: Vec<Span>,
    pub(crate) logs: Vec<LogRecord>,
    /// The last of each export.
    pub(crate) metrics: Vec<Metric>,
    pub(crate) resource: BTreeMap<String, String>,
}

/// One point of a metric: its labels, and its value or how many values it has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: u64,
    pub(crate) sum: f64,
    pub(crate) bounds: usize,
}

impl Received {
    pub(crate) fn take(&mut self, path: &str, head: &str, body: &[u8]) {
        assert!(head.contains("x-tenant"), "{head}");
        self.raw.push(head.as_bytes().to_vec());
        self.raw.push(body.to_vec());
        match path {
            "/v1/traces" | "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => {
                let request = ExportTraceServiceRequest::decode(body).unwrap();
                for resource in request.resource_spans {
                    self.resource = texts(&resource.resource.unwrap().attributes);
                    for scope in resource.scope_spans {
                        assert_eq!(scope.scope.unwrap().name, "countersign");
                        self.spans.extend(scope.spans);
                    }
                }
            }
            "/v1/logs" | "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => {
                let request = ExportLogsServiceRequest::decode(body).unwrap();
                for resource in request.resource_logs {
                    for scope in resource.scope_logs {
                        self.logs.extend(scope.log_records);
                    }
                }
            }
            "/v1/metrics" | "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => {
                let request = ExportMetricsServiceRequest::decode(body).unwrap();
                self.metrics = request
                    .resource_metrics
                    .into_iter()
                    .flat_map(|resource| resource.scope_metrics)
                    .flat_map(|scope| scope.metrics)
                    .collect();
            }
            other => panic!("{other}"),
        }
    }

    pub(crate) fn named(&self, name: &str) -> Vec<&Span> {
        self.spans.iter().filter(|span| span.name == name).collect()
    }

    /// The only span of that name.
    #[track_caller]
    pub(crate) fn only(&self, name: &str) -> &Span {
        let found = self.named(name);
        assert_eq!(found.len(), 1, "{name}: {:?}", self.spans);
        found[0]
    }

    /// The spans right below another.
    pub(crate) fn below(&self, parent: &Span) -> Vec<&Span> {
        self.spans
            .iter()
            .filter(|span| {
                span.parent_span_id == parent.span_id && span.trace_id == parent.trace_id
            })
            .collect()
    }

    pub(crate) fn log(&self, event: &str) -> Vec<&LogRecord> {
        let of = |record: &&LogRecord| record.event_name == event;
        self.logs.iter().filter(of).collect()
    }

    pub(crate) fn points(&self, name: &str) -> Vec<Point> {
        let Some(metric) = self.metrics.iter().find(|metric| metric.name == name) else {
            return Vec::new();
        };
        let number = |value: Option<number_data_point::Value>| match value {
            Some(number_data_point::Value::AsInt(value)) => u64::try_from(value).unwrap(),
            other => panic!("{name}: {other:?}"),
        };
        let plain = |labels: &[KeyValue], value| Point {
            labels: texts(labels),
            value,
            sum: 0.0,
            bounds: 0,
        };
        match metric.data.clone().unwrap() {
            metric::Data::Sum(sum) => {
                assert!(sum.is_monotonic, "{name}");
                sum.data_points
                    .iter()
                    .map(|point| plain(&point.attributes, number(point.value)))
                    .collect()
            }
            metric::Data::Gauge(gauge) => gauge
                .data_points
                .iter()
                .map(|point| plain(&point.attributes, number(point.value)))
                .collect(),
            metric::Data::Histogram(histogram) => histogram
                .data_points
                .iter()
                .map(|point| Point {
                    labels: texts(&point.attributes),
                    value: point.count,
                    sum: point.sum.unwrap(),
                    bounds: point.explicit_bounds.len(),
                })
                .collect(),
            other => panic!("{name}: {other:?}"),
        }
    }

    /// Nothing has a name that is not documented, or stands where the document
    /// does not say.
    pub(crate) fn is_as_documented(&self) {
        let attributes = |place: &str, given: &[KeyValue]| {
            for attribute in given {
                let known = ATTRIBUTES.iter().find(|known| known.name == attribute.key);
                let known = known.unwrap_or_else(|| panic!("{} is not documented", attribute.key));
                assert!(known.on.contains(&place), "{} on {place}", known.name);
            }
        };
        for span in &self.spans {
            assert!(
                SPANS.iter().any(|known| known.name == span.name),
                "{}",
                span.name
            );
            attributes(&span.name, &span.attributes);
            for event in &span.events {
                assert!(EVENTS.iter().any(|known| known.name == event.name));
                attributes(&event.name, &event.attributes);
            }
            assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
            assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8));
        }
        for record in &self.logs {
            assert!(LOGS.iter().any(|known| known.name == record.event_name));
            attributes(&record.event_name, &record.attributes);
        }
        for metric in &self.metrics {
            let known = METRICS.iter().find(|known| known.name == metric.name);
            let known = known.unwrap_or_else(|| panic!("{} is not documented", metric.name));
            assert_eq!(
                (metric.unit.as_str(), metric.description.as_str()),
                (known.unit, known.doc)
            );
            for point in self.points(&metric.name) {
                for label in point.labels.keys() {
                    let known = ATTRIBUTES.iter().find(|known| known.name == label).unwrap();
                    assert!(
                        known.on.contains(&metric.name.as_str()),
                        "{label} on {}",
                        metric.name
                    );
                }
            }
        }
    }
}

/// What an attribute says, as text.
pub(crate) fn said(attributes: &[KeyValue], name: &str) -> Option<String> {
    texts(attributes).remove(name)
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for attribute in attributes {
        let value = attribute
            .value
            .as_ref()
            .and_then(|value| value.value.clone());
        let text = match value.unwrap() {
            any_value::Value::StringValue(text) => text,
            any_value::Value::IntValue(number) => number.to_string(),
            any_value::Value::BoolValue(flag) => flag.to_string(),
            any_value::Value::DoubleValue(number) => number.to_string(),
            other => panic!("{}: {other:?}", attribute.key),
        };
        let twice = all.insert(attribute.key.clone(), text);
        assert_eq!(twice, None, "{} stands there twice", attribute.key);
    }
    all
}
