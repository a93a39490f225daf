//! The examples name what there is.

use countersign_telemetry::names::{ATTRIBUTES, METRICS, MetricKind};
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/telemetry/");

fn read(name: &str) -> String {
    std::fs::read_to_string(format!("{FOLDER}{name}")).unwrap()
}

/// A name as Prometheus writes it.
fn prometheus(name: &str) -> String {
    name.replace(['.', '-'], "_")
}

/// The names under which Prometheus knows our metrics.
fn series() -> Vec<String> {
    METRICS
        .iter()
        .flat_map(|metric| {
            let name = prometheus(metric.name);
            let name = match metric.unit {
                "s" => format!("{name}_seconds"),
                _ => name,
            };
            match metric.kind {
                MetricKind::Counter => vec![format!("{name}_total")],
                MetricKind::Gauge => vec![name],
                MetricKind::Histogram(_) => ["_bucket", "_sum", "_count"]
                    .iter()
                    .map(|part| format!("{name}{part}"))
                    .collect(),
            }
        })
        .collect()
}

fn expressions<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(text) if key == "expr" => found.push(text),
                    _ => expressions(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The words of an expression of PromQL that are names.
fn words(expression: &str) -> Vec<&str> {
    expression
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()))
        .collect()
}

#[test]
fn the_dashboard_shows_metrics_and_labels_that_there_are() {
    let dashboard: Value = serde_json::from_str(&read("dashboard.json")).unwrap();
    let mut found = Vec::new();
    expressions(&dashboard, &mut found);
    assert!(found.len() >= 8, "{found:?}");
    let series = series();
    let labels: Vec<String> = ATTRIBUTES
        .iter()
        .map(|attribute| prometheus(attribute.name))
        .collect();
    const LANGUAGE: [&str; 12] = [
        "sum",
        "by",
        "rate",
        "increase",
        "histogram_quantile",
        "le",
        "clamp_min",
        "or",
        "vector",
        "max",
        "__rate_interval",
        "__range",
    ];
    let mut shown: Vec<&str> = Vec::new();
    for expression in found {
        for word in words(expression) {
            if series.iter().any(|known| known == word) {
                shown.push(word);
                continue;
            }
            let is_known = LANGUAGE.contains(&word)
                || labels.iter().any(|label| label == word)
                || ["m", "h"].contains(&word)
                || ["allow", "input", "output", "traces", "logs"].contains(&word);
            assert!(is_known, "{word} in {expression}");
        }
    }
    for metric in METRICS {
        let name = prometheus(metric.name);
        assert!(
            shown.iter().any(|shown| shown.starts_with(&name)),
            "{name} is not shown"
        );
    }
}

#[test]
fn the_examples_fit_together() {
    let compose = read("compose.yaml");
    for name in [
        "collector.yaml",
        "prometheus.yaml",
        "datasources.yaml",
        "dashboards.yaml",
        "dashboard.json",
    ] {
        assert!(compose.contains(name), "{name}");
        assert!(!read(name).is_empty());
    }
    let collector = read("collector.yaml");
    for port in ["4317", "4318"] {
        assert!(collector.contains(port) && compose.contains(&format!("127.0.0.1:{port}:{port}")));
    }
}
