//! What inline Python may use: the tables that `knowledge/python/library.toml`
//! is compiled into.

/// A module, and what of it is known.
#[derive(Debug)]
pub(super) struct Module {
    /// With the packages that it is in.
    pub(super) name: &'static str,
    /// What is harmless, whatever it is given.
    pub(super) harmless: &'static [&'static str],
    /// What does something with its first argument, a path.
    pub(super) paths: &'static [(&'static str, Use)],
}

/// What is done with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Look,
    List,
    ListTree,
    /// It is a pattern, or of a pattern in a folder.
    Find,
    FindBelow,
    Read,
    Write,
    Edit,
    Delete,
    DeleteFolder,
    DeleteTree,
    MakeFolder,
    /// `open(path, mode)`
    Open,
    /// The same, for bytes unless the mode says otherwise.
    OpenBytes,
    /// An archive, which is only read.
    OpenArchive,
    /// `path.open(mode)`
    OpenPath,
}

mod compiled {
    use super::{Module, Use};
    include!(concat!(env!("OUT_DIR"), "/python.rs"));
}

pub(super) use compiled::{ATTRIBUTES, BUILTINS, METHODS, NO_ARGUMENTS, RESERVED, TWO_ARGUMENTS};

/// A name of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    /// The module.
    pub(super) module: &'static str,
    /// Its name there.
    pub(super) name: &'static str,
    /// What it does with a path; none if it is harmless.
    pub(super) does: Option<Use>,
}

impl Module {
    pub(super) fn member(&'static self, name: &str) -> Option<Member> {
        if let Some((name, does)) = self.paths.iter().find(|(known, _)| *known == name) {
            return Some(Member {
                module: self.name,
                name,
                does: Some(*does),
            });
        }
        let at = self.harmless.binary_search(&name).ok()?;
        Some(Member {
            module: self.name,
            name: self.harmless.get(at)?,
            does: None,
        })
    }
}

pub(super) fn module(name: &str) -> Option<&'static Module> {
    let modules = compiled::MODULES;
    let at = modules
        .binary_search_by(|module| module.name.cmp(name))
        .ok()?;
    modules.get(at)
}

/// Whether modules that are known are in a package of this name.
pub(super) fn is_package(name: &str) -> bool {
    compiled::MODULES.iter().any(|module| {
        module
            .name
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

/// What a method does with the path that it is of.
pub(super) fn path_method(name: &str) -> Option<Use> {
    let methods = compiled::PATH_METHODS;
    let (_, does) = methods.iter().find(|(known, _)| *known == name)?;
    Some(*does)
}

/// Whether a file or folder of this name would be loaded in place of a module
/// of the standard library. A folder only with an `__init__` in it: `None`.
pub(crate) fn stands_in(name: &str) -> Option<bool> {
    let lower = name.to_ascii_lowercase();
    let (stem, is_code) = match lower.split_once('.') {
        Some((stem, suffix)) => {
            let last = suffix.rsplit('.').next().unwrap_or_default();
            (
                stem,
                matches!(
                    last,
                    "py" | "pyc" | "pyo" | "pyw" | "so" | "pyd" | "dll" | "dylib"
                ),
            )
        }
        None => (lower.as_str(), false),
    };
    let is_known = compiled::LIBRARY.binary_search(&stem).is_ok();
    // Modules that others load for themselves.
    let is_inner = stem.starts_with('_') && !stem.starts_with("__");
    if is_code {
        return Some(is_known || is_inner);
    }
    let is_folder = lower.len() == stem.len() && (is_known || is_inner);
    if is_folder { None } else { Some(false) }
}
