//! `docs/telemetry.md`, from the table of names.

use std::fmt::Write as _;

use crate::names::{ATTRIBUTES, Attribute, EVENTS, LOGS, METRICS, MetricKind, Name, SPANS};

/// What stands before the tables.
const BEFORE: &str = include_str!("document/before.txt");

/// What stands after them.
const AFTER: &str = include_str!("document/after.txt");

/// The page about telemetry.
#[must_use]
pub fn document() -> String {
    let mut page = String::from(
        "<!-- Generated from server/telemetry; change it there and run \
         `UPDATE_DOCS=1 cargo test -p countersign-telemetry`. -->\n\n",
    );
    page.push_str(BEFORE);
    names(&mut page, "Spans", SPANS);
    names(&mut page, "Events of spans", EVENTS);
    names(&mut page, "Log records", LOGS);
    page.push_str("\n## Metrics\n\n| name | kind | unit | meaning |\n|---|---|---|---|\n");
    for metric in METRICS {
        let _ = writeln!(
            page,
            "| `{}` | {} | `{}` | {} |",
            metric.name,
            metric.kind.as_str(),
            metric.unit,
            metric.doc
        );
    }
    page.push_str("\nBoundaries of the histograms' buckets:\n\n");
    for metric in METRICS {
        if let MetricKind::Histogram(boundaries) = metric.kind {
            let boundaries: Vec<String> = boundaries.iter().map(f64::to_string).collect();
            let _ = writeln!(page, "- `{}`: {}", metric.name, boundaries.join(", "));
        }
    }
    attributes(&mut page, "Attributes", |attribute| !attribute.content);
    attributes(&mut page, "Attributes on request", |attribute| {
        attribute.content
    });
    page.push_str(AFTER);
    page
}

fn names(page: &mut String, title: &str, names: &[Name]) {
    let _ = write!(page, "\n## {title}\n\n| name | meaning |\n|---|---|\n");
    for name in names {
        let _ = writeln!(page, "| `{}` | {} |", name.name, name.doc);
    }
}

fn attributes(page: &mut String, title: &str, wanted: impl Fn(&Attribute) -> bool) {
    let _ = write!(
        page,
        "\n## {title}\n\n| name | type and values | on | meaning |\n|---|---|---|---|\n"
    );
    for attribute in ATTRIBUTES.iter().filter(|attribute| wanted(attribute)) {
        let on: Vec<String> = attribute.on.iter().map(|on| format!("`{on}`")).collect();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            attribute.name,
            attribute.values,
            on.join(", "),
            attribute.doc
        );
    }
}
