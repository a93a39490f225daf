//! The pages about agents are generated.

use std::fs;
use std::path::Path;

use countersign_agents::documents;

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "whoever runs the tests may set variables"
)]
fn the_pages_are_fresh() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for (name, text) in documents::all() {
        let path = docs.join(&name);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let page = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            page == text,
            "docs/{name} is stale; run `UPDATE_DOCS=1 cargo test -p countersign-agents`"
        );
    }
}
