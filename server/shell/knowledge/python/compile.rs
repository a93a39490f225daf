// Reads what inline Python may use and writes it as Rust in which nothing is an
// address. Part of the build script.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use super::packed;

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

/// Names, sorted so that they can be searched, each with the variant of `Use`
/// that it has, if any.
type List = BTreeMap<String, Option<&'static str>>;

/// All lists one behind the other.
#[derive(Default)]
struct Lists {
    names: Vec<String>,
    uses: Vec<Option<&'static str>>,
}

impl Lists {
    /// Appends a list and gives it as Rust.
    fn add(&mut self, list: List) -> String {
        let begin = self.names.len();
        for (name, does) in list {
            self.names.push(name);
            self.uses.push(does);
        }
        format!("Names::new({begin}, {})", self.names.len())
    }
}

/// The tables as Rust, or what is wrong in which file.
pub(crate) fn compile(file: &str, text: &str) -> Result<String, String> {
    let library: Library = toml::from_str(text).map_err(|problem| format!("{file}: {problem}"))?;
    tables(library).map_err(|problem| format!("{file}: {problem}"))
}

fn tables(library: Library) -> Result<String, String> {
    let mut lists = Lists::default();
    let mut modules = BTreeMap::new();
    for module in library.module {
        let members = list(&module.harmless, &module.paths)
            .map_err(|problem| format!("{}: {problem}", module.name))?;
        let members = lists.add(members);
        if modules.insert(module.name.clone(), members).is_some() {
            return Err(format!("`{}` is described twice", module.name));
        }
    }
    let mut out = String::new();
    let builtins = list(&library.builtins.harmless, &library.builtins.paths)?;
    let attributes = library.attributes;
    for (constant, names) in [
        ("BUILTIN_NAMES", builtins),
        ("ATTRIBUTES", list(&attributes.harmless, "")?),
        ("TWO_ARGUMENTS", list(&attributes.two_arguments, "")?),
        ("NO_ARGUMENTS", list(&attributes.no_arguments, "")?),
        ("METHODS", list(&attributes.methods, "")?),
        ("RESERVED", list(&attributes.reserved, "")?),
        ("LIBRARY", list(&library.library.names, "")?),
        ("PATH_METHODS", list("", &attributes.paths)?),
        (
            "MODULES",
            modules.keys().map(|name| (name.clone(), None)).collect(),
        ),
    ] {
        let list = lists.add(names);
        let _ = writeln!(
            out,
            "pub(in crate::python) const {constant}: Names = {list};"
        );
    }
    let members: Vec<String> = modules.into_values().collect();
    let _ = writeln!(
        out,
        "pub(super) static MEMBERS: [Names; {}] = [{}];",
        members.len(),
        members.join(", ")
    );
    let uses: Vec<String> = lists
        .uses
        .iter()
        .map(|does| does.map_or_else(|| "None".to_owned(), |does| format!("Some(Use::{does})")))
        .collect();
    let _ = writeln!(
        out,
        "pub(super) static USES: [Option<Use>; {}] = [{}];",
        uses.len(),
        uses.join(", ")
    );
    out.push_str(&packed::texts(
        "TEXTS",
        lists.names.iter().map(String::as_str),
    ));
    Ok(out)
}

/// What is harmless, and what does something with a path.
fn list(harmless: &str, paths: &str) -> Result<List, String> {
    let mut list: List = harmless
        .split_whitespace()
        .map(|name| (name.to_owned(), None))
        .collect();
    for pair in paths.split_whitespace() {
        let (name, does) = pair
            .split_once(':')
            .ok_or_else(|| format!("`{pair}` does not say what is done with the path"))?;
        if list.insert(name.to_owned(), Some(variant(does)?)).is_some() {
            return Err(format!("`{name}` is described twice"));
        }
    }
    Ok(list)
}

fn variant(does: &str) -> Result<&'static str, String> {
    Ok(match does {
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
                "`{does}` is not something that is done with a path"
            ));
        }
    })
}
