// Reads what inline Python may use and writes it as Rust. Part of the build
// script.

use std::fmt::Write as _;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Library {
    builtins: Names,
    module: Vec<Module>,
    attributes: Attributes,
    library: Standard,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    harmless: String,
    paths: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Module {
    name: String,
    harmless: String,
    #[serde(default)]
    paths: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attributes {
    harmless: String,
    paths: String,
    two_arguments: String,
    no_arguments: String,
    methods: String,
    reserved: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Standard {
    names: String,
}

/// The tables as Rust, or what is wrong in which file.
pub(crate) fn compile(file: &str, text: &str) -> Result<String, String> {
    let library: Library = toml::from_str(text).map_err(|problem| format!("{file}: {problem}"))?;
    let mut modules = library.module;
    modules.sort_by(|one, other| one.name.cmp(&other.name));
    let mut out = String::from("pub(in crate::python) static MODULES: &[Module] = &[\n");
    for module in &modules {
        let harmless = names(&module.harmless);
        let paths = paths(&module.paths).map_err(|problem| format!("{file}: {problem}"))?;
        let name = &module.name;
        let _ = writeln!(
            out,
            "    Module {{ name: {name:?}, harmless: {harmless}, paths: {paths} }},"
        );
    }
    out.push_str("];\n");
    let builtins = Module {
        name: String::new(),
        harmless: library.builtins.harmless,
        paths: library.builtins.paths,
    };
    let _ = writeln!(
        out,
        "pub(in crate::python) static BUILTINS: Module = Module {{ name: \"\", harmless: {}, paths: {} }};",
        names(&builtins.harmless),
        paths(&builtins.paths)?
    );
    let attributes = library.attributes;
    for (constant, text) in [
        ("ATTRIBUTES", &attributes.harmless),
        ("TWO_ARGUMENTS", &attributes.two_arguments),
        ("NO_ARGUMENTS", &attributes.no_arguments),
        ("METHODS", &attributes.methods),
        ("RESERVED", &attributes.reserved),
        ("LIBRARY", &library.library.names),
    ] {
        let _ = writeln!(
            out,
            "pub(in crate::python) static {constant}: &[&str] = {};",
            names(text)
        );
    }
    let _ = writeln!(
        out,
        "pub(in crate::python) static PATH_METHODS: &[(&str, Use)] = {};",
        paths(&attributes.paths)?
    );
    Ok(out)
}

/// Sorted, so that they can be searched.
fn names(text: &str) -> String {
    let mut names: Vec<&str> = text.split_whitespace().collect();
    names.sort_unstable();
    names.dedup();
    format!("&{names:?}")
}

fn paths(text: &str) -> Result<String, String> {
    let mut out = String::from("&[");
    for pair in text.split_whitespace() {
        let (name, what) = pair
            .split_once(':')
            .ok_or_else(|| format!("`{pair}` does not say what is done with the path"))?;
        let what = match what {
            "look" => "Look",
            "list" => "List",
            "list_tree" => "ListTree",
            "find" => "Find",
            "find_below" => "FindBelow",
            "read" => "Read",
            "write" => "Write",
            "edit" => "Edit",
            "delete" => "Delete",
            "delete_folder" => "DeleteFolder",
            "delete_tree" => "DeleteTree",
            "make_folder" => "MakeFolder",
            "open" => "Open",
            "open_bytes" => "OpenBytes",
            "open_archive" => "OpenArchive",
            "open_path" => "OpenPath",
            _ => {
                return Err(format!(
                    "`{what}` is not something that is done with a path"
                ));
            }
        };
        let _ = write!(out, "({name:?}, Use::{what}), ");
    }
    out.push(']');
    Ok(out)
}
