use std::collections::BTreeMap;

use super::*;

fn find(
    settings: &TelemetrySettings,
    variables: &[(&str, &str)],
) -> Result<Option<ExportConfig>, ConfigError> {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    ExportConfig::find(settings, &|name| {
        variables.get(name).map(|value| (*value).to_owned())
    })
}

fn found(variables: &[(&str, &str)]) -> ExportConfig {
    find(&TelemetrySettings::default(), variables)
        .unwrap()
        .unwrap()
}

fn endpoint(target: Option<&Target>) -> &str {
    target.unwrap().endpoint.as_str()
}

#[test]
fn nothing_is_exported_unless_somebody_says_so() {
    let off = TelemetrySettings::default();
    for variables in [
        &[][..],
        &[
            ("OTEL_SERVICE_NAME", "x"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=b"),
        ],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1"),
            ("OTEL_SDK_DISABLED", "TRUE"),
        ],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1"),
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_LOGS_EXPORTER", "none"),
        ],
    ] {
        assert_eq!(find(&off, variables), Ok(None), "{variables:?}");
    }
    let switched_off = TelemetrySettings {
        enabled: false,
        endpoint: Some("http://c:1".to_owned()),
        ..off
    };
    let wanted = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1")];
    assert_eq!(find(&switched_off, &wanted), Ok(None));
}

#[test]
fn the_standard_variables_say_where_to() {
    let config = found(&[
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "https://collector:4318/base/",
        ),
        (
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
            "http://localhost:9/logs",
        ),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "metrics:4317"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=a%20b,bad,service.name=x"),
        ("OTEL_SERVICE_NAME", "guard"),
    ]);
    assert_eq!(
        endpoint(config.traces.as_ref()),
        "https://collector:4318/base/v1/traces"
    );
    assert_eq!(endpoint(config.logs.as_ref()), "http://localhost:9/logs");
    assert_eq!(endpoint(config.metrics.as_ref()), "https://metrics:4317/");
    assert_eq!(config.traces.unwrap().timeout, Duration::from_millis(2_500));
    assert_eq!(
        config.resource,
        [("team", "a b"), ("service.name", "guard")].map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
    assert!(!config.include_content);
    let config = found(&[
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ]);
    assert_eq!(endpoint(config.traces.as_ref()), "http://localhost:4317/");
    assert_eq!((config.metrics, config.logs), (None, None));
}

#[test]
fn what_the_environment_keeps_for_one_collector_goes_to_no_other() {
    let settings = TelemetrySettings {
        endpoint: Some("https://mine:4318".to_owned()),
        headers_env: Some("MY_HEADERS".to_owned()),
        ..TelemetrySettings::default()
    };
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://theirs:4317"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=theirs"),
        ("MY_HEADERS", "Authorization=Bearer%20mine"),
    ];
    let config = find(&settings, &variables).unwrap().unwrap();
    for target in [config.traces, config.metrics, config.logs] {
        let target = target.unwrap();
        assert_eq!(target.protocol, ExportProtocol::HttpProtobuf);
        assert!(
            target
                .endpoint
                .as_str()
                .starts_with("https://mine:4318/v1/")
        );
        assert_eq!(target.headers["authorization"], "Bearer mine");
        assert!(!format!("{target:?}").contains("Bearer"), "{target:?}");
    }
}

#[test]
fn what_cannot_be_done_as_wanted_is_not_done_otherwise() {
    let settings = |endpoint: &str| TelemetrySettings {
        endpoint: Some(endpoint.to_owned()),
        headers_env: Some("MY_HEADERS".to_owned()),
        ..TelemetrySettings::default()
    };
    let refused = |settings: &TelemetrySettings, variables: &[(&str, &str)]| {
        let error = find(settings, variables).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
        error
    };
    let missing = refused(&settings("https://c:1"), &[]);
    assert!(missing.contains("MY_HEADERS"), "{missing}");
    let clear = refused(&settings("http://c:1"), &[("MY_HEADERS", "a=hunter2")]);
    assert!(
        clear.contains("telemetry.endpoint is not encrypted"),
        "{clear}"
    );
    assert!(
        find(
            &settings("http://127.0.0.1:1"),
            &[("MY_HEADERS", "a=hunter2")]
        )
        .is_ok()
    );
    for headers in ["hunter2", "a b=hunter2", "host=hunter2", "a=hunter2%0ax"] {
        refused(&settings("https://c:1"), &[("MY_HEADERS", headers)]);
    }
    let none = TelemetrySettings::default();
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://user:hunter2@c:1"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
    ] {
        refused(&none, &[(name, value)]);
    }
    let json = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
    ];
    assert!(refused(&none, &json).contains("OTEL_EXPORTER_OTLP_PROTOCOL"));
}

#[test]
fn sizes_stay_within_bounds_whatever_the_environment_says() {
    let config = found(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "99999999999"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "-1"),
        ("OTEL_BSP_SCHEDULE_DELAY", "0"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "soon"),
    ]);
    assert_eq!((config.most_queued, config.batch), (65_536, 512));
    assert_eq!(config.every, Duration::from_millis(10));
    assert_eq!(config.metrics_every, Duration::from_secs(60));
}
