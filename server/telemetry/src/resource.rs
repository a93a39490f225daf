//! Who exports: this version, this run, and what the user says of the machine.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_sdk::Resource as SdkResource;

use crate::config::ExportConfig;
use crate::value::{Attributes, hex, random};

/// What records it.
pub(crate) const SCOPE: &str = "countersign";

/// The version of it.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The attributes of the resource, each once.
pub(crate) fn attributes(config: &ExportConfig) -> Vec<(String, String)> {
    let mut all = vec![
        ("service.name".to_owned(), "countersign".to_owned()),
        ("service.version".to_owned(), VERSION.to_owned()),
        ("service.instance.id".to_owned(), hex(&random::<16>())),
    ];
    for (name, value) in &config.resource {
        all.retain(|(known, _)| known != name);
        all.push((name.clone(), value.clone()));
    }
    all
}

/// The resource of spans and log records.
pub(crate) fn message(attributes: &[(String, String)]) -> Resource {
    let mut all = Attributes::default();
    for (name, value) in attributes {
        all.text(name, value);
    }
    Resource {
        attributes: all.into_vec(),
        ..Resource::default()
    }
}

/// The resource of metrics.
pub(crate) fn sdk(attributes: &[(String, String)]) -> SdkResource {
    SdkResource::builder_empty()
        .with_attributes(
            attributes
                .iter()
                .map(|(name, value)| opentelemetry::KeyValue::new(name.clone(), value.clone())),
        )
        .build()
}

/// What made spans and log records.
pub(crate) fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: SCOPE.to_owned(),
        version: VERSION.to_owned(),
        ..InstrumentationScope::default()
    }
}
