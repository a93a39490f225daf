use countersign_telemetry::document;
use countersign_telemetry::names::{ATTRIBUTES, EVENTS, LOGS, METRICS, SPANS};

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "whoever runs the tests may set variables"
)]
fn the_page_about_telemetry_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/telemetry.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, document()).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == document(),
        "docs/telemetry.md is stale; run `UPDATE_DOCS=1 cargo test -p countersign-telemetry`"
    );
}

#[test]
fn every_name_is_there_once_and_documented() {
    let page = document();
    for mut names in [
        ATTRIBUTES
            .iter()
            .map(|known| known.name)
            .collect::<Vec<_>>(),
        SPANS.iter().map(|known| known.name).collect(),
        EVENTS.iter().map(|known| known.name).collect(),
        LOGS.iter().map(|known| known.name).collect(),
        METRICS.iter().map(|known| known.name).collect(),
    ] {
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for name in names {
            assert!(page.contains(&format!("| `{name}` |")), "{name}");
        }
    }
    for attribute in ATTRIBUTES {
        assert!(
            !attribute.on.is_empty() && attribute.doc.ends_with('.'),
            "{}",
            attribute.name
        );
    }
}
