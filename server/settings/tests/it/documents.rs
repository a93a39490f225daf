use countersign_settings::{DESCRIPTORS, document, schema};

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "whoever runs the tests may set variables"
)]
fn the_page_about_settings_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, document()).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == document(),
        "docs/settings.md is stale; run `UPDATE_DOCS=1 cargo test -p countersign-settings`"
    );
}

#[test]
fn the_schema_knows_every_setting() {
    let schema = schema();
    for setting in DESCRIPTORS {
        let pointer = format!("/properties/{}", setting.key.replace('.', "/properties/"));
        let property = schema
            .pointer(&pointer)
            .unwrap_or_else(|| panic!("{pointer}"));
        assert_eq!(property["description"], setting.doc);
    }
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(
        schema
            .pointer("/properties/permissions/additionalProperties")
            .unwrap(),
        false
    );
}
