//! The protocol as clients see it: `protocol.rs`, the golden files in
//! `tests/protocol` and `docs/protocol.md` say the same.

use std::collections::BTreeSet;

use countersign_lsp::protocol::commands;
use serde_json::Value;

mod goldens;
mod live;
mod messages;
mod page;
mod source;

use goldens::Shown;
use messages::{Message, Payload};
use page::Sources;
use source::{Constant, constants, types};

const PROTOCOL: &str = include_str!("../../src/protocol.rs");
const SERVER: &str = include_str!("../../src/server.rs");

/// The error codes, with what they mean.
fn constants_of_codes() -> Vec<Constant> {
    let mut codes = constants(SERVER);
    codes.retain(|constant| constant.module == "code");
    codes
}

/// A golden file.
fn golden(name: &str) -> Value {
    let text = std::fs::read_to_string(goldens::folder().join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Reads and writes a golden file as this type: nothing is lost or added.
fn goes_round(payload: Payload, name: &str) -> Value {
    let value = golden(name);
    let again = (payload.again)(value.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(again, value, "{name}: read and written again");
    value
}

/// Every golden file of the messages with its type.
fn files(messages: &[Message]) -> Vec<(Payload, String)> {
    let all = goldens::all();
    let mut files = Vec::new();
    for message in messages {
        for (what, payload) in [("params", message.params), ("result", message.result)] {
            let Some(payload) = payload else { continue };
            let found = goldens::of(&all, &message.folder, what);
            let plain = format!("{}/{what}.json", message.folder);
            assert!(all.contains_key(&plain), "there is no {plain}");
            files.extend(found.iter().map(|(name, _)| (payload, (*name).to_owned())));
        }
    }
    files
}

/// What stands beside the messages of ours, with its types.
fn other_files() -> Vec<(Payload, String)> {
    let mut others = files(&messages::others());
    others.extend(
        goldens::of(&goldens::all(), "capabilities", "client")
            .iter()
            .map(|(name, _)| (messages::declaration(), (*name).to_owned())),
    );
    others.extend(
        constants_of_codes()
            .iter()
            .map(|code| (messages::error(), page::error_file(code))),
    );
    others
}

#[test]
fn every_method_has_types() {
    let known: BTreeSet<String> = messages::methods()
        .iter()
        .filter_map(|message| message.constant)
        .map(str::to_owned)
        .collect();
    let written: BTreeSet<String> = constants(PROTOCOL)
        .iter()
        .filter(|constant| constant.module != "commands")
        .map(Constant::path)
        .collect();
    assert_eq!(known, written);
}

#[test]
fn every_command_is_advertised() {
    let constants = constants(PROTOCOL);
    let written: Vec<_> = constants
        .iter()
        .filter(|constant| constant.module == "commands")
        .map(|constant| constant.value.as_str())
        .collect();
    assert_eq!(commands::ALL.as_slice(), written);
}

#[test]
fn golden_files_are_read_and_written_without_loss() {
    let ours = files(&messages::methods());
    for (payload, name) in ours.iter().chain(&other_files()) {
        goes_round(*payload, name);
    }
}

#[test]
fn every_golden_file_belongs_to_a_message() {
    let known: BTreeSet<String> = files(&messages::methods())
        .into_iter()
        .chain(other_files())
        .map(|(_, name)| name)
        .collect();
    let there: BTreeSet<String> = goldens::all().into_keys().collect();
    let strays: Vec<_> = there.symmetric_difference(&known).collect();
    assert!(strays.is_empty(), "these belong to no message: {strays:?}");
}

#[test]
fn golden_files_show_every_type_with_and_without_what_is_optional() {
    let types = types(PROTOCOL);
    let mut shown = Shown::default();
    for (payload, name) in files(&messages::methods()) {
        let value = golden(&name);
        if payload.name == "()" {
            assert_eq!(value, Value::Null, "{name}");
        } else {
            shown.see(&types, payload.name, &value, &name);
        }
    }
    let declared = messages::declaration();
    for (name, _) in goldens::of(&goldens::all(), "capabilities", "client") {
        shown.see(&types, declared.name, &golden(name), name);
    }
    assert_eq!(shown.missing(&types), [] as [&str; 0]);
}

#[test]
fn errors_have_the_codes_of_the_server() {
    for code in constants_of_codes() {
        let golden = golden(&page::error_file(&code));
        let number: i64 = code.value.replace('_', "").parse().unwrap();
        assert_eq!(golden["code"], number, "{}", code.name);
    }
}

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "whoever runs the tests may set variables"
)]
fn the_page_about_the_protocol_is_up_to_date() {
    let sources = Sources {
        constants: constants(PROTOCOL),
        types: types(PROTOCOL),
        codes: constants_of_codes(),
        methods: messages::methods(),
        goldens: goldens::all(),
    };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (renewed, parts) = page::renewed(&page, &sources);
    let there: BTreeSet<String> = parts.iter().cloned().collect();
    assert_eq!(there, sources.parts(), "the generated parts of {path}");
    assert_eq!(parts.len(), there.len(), "a part stands twice in {path}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &renewed).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap();
    assert!(
        page == renewed,
        "docs/protocol.md is stale; run `UPDATE_DOCS=1 cargo test -p countersign-lsp`"
    );
}
