use std::fs;
use std::path::Path;

use toml::{Table, Value};

use super::*;

fn library() -> Table {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge/python/library.toml");
    fs::read_to_string(file).unwrap().parse().unwrap()
}

fn words<'t>(table: &'t Value, key: &str) -> Vec<&'t str> {
    let text = table.get(key).and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect()
}

/// What the file calls it.
fn written(does: Use) -> String {
    let mut name = String::new();
    for letter in format!("{does:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

fn assert_holds(module: Module, table: &Value) {
    let name = module.name;
    let mut all = words(table, "harmless");
    for name in &all {
        assert_eq!(module.member(name).unwrap().does, None, "{name}");
    }
    for pair in words(table, "paths") {
        let (name, does) = pair.split_once(':').unwrap();
        let member = module.member(name).unwrap();
        assert_eq!((member.name, member.module), (name, module.name));
        assert_eq!(written(member.does.unwrap()), does, "{name}");
        all.push(name);
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(module.members.numbers().len(), all.len(), "{name}");
    assert!(module.member("no_such_name").is_none());
}

#[test]
fn every_module_and_built_in_has_what_the_file_says_and_no_more() {
    let library = library();
    assert_holds(BUILTINS, &library["builtins"]);
    let modules = library["module"].as_array().unwrap();
    assert_eq!(compiled::MODULES.numbers().len(), modules.len());
    for table in modules {
        let name = table["name"].as_str().unwrap();
        let found = module(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(found.name, name);
        assert_holds(found, table);
        if let Some((package, _)) = name.rsplit_once('.') {
            assert!(is_package(package), "{package}");
        }
    }
    assert!(module("").is_none());
    assert!(module("oss").is_none());
    assert!(!is_package("o"));
    assert!(!is_package("json.decoder"));
}

#[test]
fn every_list_of_names_has_what_the_file_says_and_no_more() {
    let library = library();
    let attributes = &library["attributes"];
    for (names, table, key) in [
        (ATTRIBUTES, attributes, "harmless"),
        (TWO_ARGUMENTS, attributes, "two_arguments"),
        (NO_ARGUMENTS, attributes, "no_arguments"),
        (METHODS, attributes, "methods"),
        (RESERVED, attributes, "reserved"),
        (compiled::LIBRARY, &library["library"], "names"),
    ] {
        let mut written = words(table, key);
        assert!(!written.is_empty(), "{key}");
        written.sort_unstable();
        written.dedup();
        let compiled: Vec<_> = names
            .numbers()
            .filter_map(|number| compiled::TEXTS.get(number))
            .collect();
        assert_eq!(compiled, written, "{key}");
        assert!(written.iter().all(|name| names.contains(name)), "{key}");
        assert!(!names.contains("no_such_name"), "{key}");
    }
    let paths = words(attributes, "paths");
    assert_eq!(compiled::PATH_METHODS.numbers().len(), paths.len());
    for pair in paths {
        let (name, does) = pair.split_once(':').unwrap();
        assert_eq!(written(path_method(name).unwrap()), does, "{name}");
    }
    assert_eq!(path_method("no_such_name"), None);
}
