//! What inline Python may use: the tables that `knowledge/python/library.toml`
//! is compiled into.

use std::ops::Range;

use crate::knowledge::Texts;

/// A sorted list of names: those with these numbers among all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    begin: u16,
    end: u16,
}

impl Names {
    const fn new(begin: u16, end: u16) -> Self {
        Self { begin, end }
    }

    fn numbers(self) -> Range<usize> {
        self.begin.into()..self.end.into()
    }

    /// The name's number among all names.
    fn find(self, name: &str) -> Option<usize> {
        compiled::TEXTS.find(self.numbers(), name)
    }

    pub(super) fn contains(self, name: &str) -> bool {
        self.find(name).is_some()
    }
}

/// A module, and what of it is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Module {
    /// With the packages that it is in.
    name: &'static str,
    /// What is harmless, whatever it is given, and what does something with its
    /// first argument, a path.
    members: Names,
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
    use super::{Names, Texts, Use};
    include!(concat!(env!("OUT_DIR"), "/python.rs"));
}

pub(super) use compiled::{ATTRIBUTES, METHODS, NO_ARGUMENTS, RESERVED, TWO_ARGUMENTS};

/// What is there without an import.
pub(super) const BUILTINS: Module = Module {
    name: "",
    members: compiled::BUILTIN_NAMES,
};

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
    pub(super) fn member(self, name: &str) -> Option<Member> {
        let number = self.members.find(name)?;
        Some(Member {
            module: self.name,
            name: compiled::TEXTS.get(number)?,
            does: *compiled::USES.get(number)?,
        })
    }
}

pub(super) fn module(name: &str) -> Option<Module> {
    let number = compiled::MODULES.find(name)?;
    let at = number.checked_sub(compiled::MODULES.numbers().start)?;
    Some(Module {
        name: compiled::TEXTS.get(number)?,
        members: *compiled::MEMBERS.get(at)?,
    })
}

/// Whether modules that are known are in a package of this name.
pub(super) fn is_package(name: &str) -> bool {
    compiled::MODULES
        .numbers()
        .filter_map(|number| compiled::TEXTS.get(number)?.strip_prefix(name))
        .any(|rest| rest.starts_with('.'))
}

/// What a method does with the path that it is of.
pub(super) fn path_method(name: &str) -> Option<Use> {
    *compiled::USES.get(compiled::PATH_METHODS.find(name)?)?
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
    let is_known = compiled::LIBRARY.contains(stem);
    // Modules that others load for themselves.
    let is_inner = stem.starts_with('_') && !stem.starts_with("__");
    if is_code {
        return Some(is_known || is_inner);
    }
    let is_folder = lower.len() == stem.len() && (is_known || is_inner);
    if is_folder { None } else { Some(false) }
}

#[cfg(test)]
mod tests;
