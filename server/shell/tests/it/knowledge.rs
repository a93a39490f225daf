//! The examples in `knowledge/*.toml` are true.

use std::fs;
use std::path::Path;

use toml::{Table, Value};

use crate::workspace::{is_contained, judged, judged_with_trust};

/// A command of the knowledge base with its examples and those of its
/// sub-commands.
struct Entry {
    file: String,
    names: Vec<String>,
    contained: Vec<String>,
    not_contained: Vec<String>,
    /// Contained only where the project is trusted.
    trusted: Vec<String>,
}

fn texts(table: &Table, key: &str) -> Vec<String> {
    let texts = table.get(key).and_then(Value::as_array);
    texts
        .into_iter()
        .flatten()
        .map(|text| text.as_str().expect("a text").to_owned())
        .collect()
}

fn examples(command: &Table, entry: &mut Entry) {
    entry.contained.extend(texts(command, "contained"));
    entry.not_contained.extend(texts(command, "not_contained"));
    entry.trusted.extend(texts(command, "trusted"));
    let sub_commands = command.get("sub").and_then(Value::as_array);
    for sub in sub_commands.into_iter().flatten() {
        examples(sub.as_table().expect("a sub-command"), entry);
    }
}

fn entries() -> Vec<Entry> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge");
    let mut entries = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let table: Table = fs::read_to_string(&path).unwrap().parse().unwrap();
        for command in table.get("command").and_then(Value::as_array).unwrap() {
            let command = command.as_table().unwrap();
            let mut entry = Entry {
                file: path.file_name().unwrap().to_string_lossy().into_owned(),
                names: texts(command, "names"),
                contained: Vec::new(),
                not_contained: Vec::new(),
                trusted: Vec::new(),
            };
            examples(command, &mut entry);
            entries.push(entry);
        }
    }
    entries
}

/// Those of the knowledge base that are not contained.
pub fn not_contained_examples() -> Vec<String> {
    let entries = entries();
    entries
        .into_iter()
        .flat_map(|entry| entry.not_contained.into_iter().chain(entry.trusted))
        .collect()
}

/// Those of the knowledge base that are contained.
pub fn contained_examples() -> Vec<String> {
    let entries = entries();
    entries
        .into_iter()
        .flat_map(|entry| entry.contained)
        .collect()
}

#[test]
fn every_example_is_judged_as_it_says() {
    let mut wrong = Vec::new();
    for entry in entries() {
        for text in &entry.contained {
            let because = judged(text).because;
            if let Some(first) = because.first() {
                wrong.push(format!(
                    "{}: `{text}` is not contained: {}",
                    entry.file, first.reason
                ));
            }
        }
        for text in &entry.not_contained {
            if is_contained(text) || judged_with_trust(text).because.is_empty() {
                wrong.push(format!("{}: `{text}` is contained", entry.file));
            }
        }
        for text in &entry.trusted {
            if is_contained(text) {
                wrong.push(format!(
                    "{}: `{text}` is contained without trust",
                    entry.file
                ));
            }
            if let Some(first) = judged_with_trust(text).because.first() {
                wrong.push(format!(
                    "{}: `{text}` is not contained with trust: {}",
                    entry.file, first.reason
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_command_has_an_example_that_names_it() {
    let mut without = Vec::new();
    for entry in entries() {
        let named = entry
            .contained
            .iter()
            .chain(&entry.not_contained)
            .chain(&entry.trusted)
            .any(|text| {
                text.split([' ', '/', '\'', '(', '|']).any(|word| {
                    entry
                        .names
                        .iter()
                        .any(|name| word.starts_with(name.as_str()))
                })
            });
        if !named {
            without.push(format!("{}: {}", entry.file, entry.names.join(", ")));
        }
    }
    assert!(without.is_empty(), "{}", without.join("\n"));
}
