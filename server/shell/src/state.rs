//! What is known of the shell's variables and folder at one point of a script.

use std::collections::{BTreeMap, BTreeSet};

use countersign_core::command::Folder;

/// Longest value that is kept, in bytes: values can double with every
/// assignment.
const VALUE_BYTES: usize = 4_096;

/// A variable's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Exactly this text.
    Text(String),
    /// `~` or `~name` and the rest of a path, the tilde still to be expanded.
    Home(String),
    /// Not known, but nothing that arithmetic would take for more than numbers.
    Number,
    /// Not known.
    Unknown,
}

impl Value {
    /// Whether evaluating it as arithmetic runs nothing: no names, whose values
    /// would be evaluated in turn, and no subscripts.
    fn is_number(&self) -> bool {
        match self {
            Self::Number => true,
            Self::Text(text) => text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b" +-*/%()".contains(&byte)),
            Self::Home(_) | Self::Unknown => false,
        }
    }
}

/// The state of one shell.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// Variables that the command has set. All others come from the
    /// environment: not known either, but not the command's doing.
    variables: BTreeMap<String, Value>,
    /// The folder, relative to the call's.
    folder: Folder,
    /// Whether any variable may have been set by something not known.
    clobbered: bool,
    /// Variables that may change at any time: a function or trap sets them.
    unsteady: BTreeSet<String>,
    /// Whether the folder may change at any time.
    unsteady_folder: bool,
    /// Variables set since [`Self::probe`].
    touched: BTreeSet<String>,
    /// Whether the folder has changed since [`Self::probe`].
    moved: bool,
}

impl State {
    /// A new shell's.
    pub(crate) fn new() -> Self {
        // Every shell sets IFS when it starts, whatever the environment says.
        let blanks = Value::Text(" \t\n".to_owned());
        Self {
            variables: BTreeMap::from([("IFS".to_owned(), blanks)]),
            folder: Folder::Call,
            clobbered: false,
            unsteady: BTreeSet::new(),
            unsteady_folder: false,
            touched: BTreeSet::new(),
            moved: false,
        }
    }

    /// A shell that this one starts: what is exported is not known.
    pub(crate) fn child(&self) -> Self {
        let mut child = Self::new();
        for name in self.variables.keys().filter(|name| *name != "IFS") {
            child.variables.insert(name.clone(), Value::Unknown);
        }
        child.clobbered = self.clobbered;
        child.folder = self.folder.clone();
        child
    }

    /// What is known of a variable; `None` if the command has not set it.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        match self.variables.get(name) {
            None if self.clobbered => Some(&Value::Unknown),
            found => found,
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: Value) {
        let value = match value {
            _ if self.unsteady.contains(name) => Value::Unknown,
            Value::Text(text) | Value::Home(text) if text.len() > VALUE_BYTES => Value::Unknown,
            value => value,
        };
        self.variables.insert(name.to_owned(), value);
        self.touched.insert(name.to_owned());
    }

    pub(crate) const fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(crate) fn set_folder(&mut self, folder: Folder) {
        self.moved = true;
        self.folder = if self.unsteady_folder {
            Folder::Unknown
        } else {
            folder
        };
    }

    /// Any variable may have been set: names that are not known.
    pub(crate) fn clobber_variables(&mut self) {
        self.clobbered = true;
        for (name, value) in &mut self.variables {
            *value = Value::Unknown;
            self.touched.insert(name.clone());
        }
    }

    /// Anything may have happened: a script was sourced, or a text evaluated
    /// that is not known.
    pub(crate) fn clobber(&mut self) {
        self.clobber_variables();
        self.set_folder(Folder::Unknown);
    }

    /// The command may or may not have run that leads from `self` to `other`.
    pub(crate) fn join(&mut self, other: &Self) {
        let names: BTreeSet<String> = self
            .variables
            .keys()
            .chain(other.variables.keys())
            .cloned()
            .collect();
        let mut joined = BTreeMap::new();
        for name in names {
            let value = match (self.get(&name), other.get(&name)) {
                (Some(one), Some(two)) if one == two => one.clone(),
                (one, two) if is_number(one) && is_number(two) => Value::Number,
                _ => Value::Unknown,
            };
            joined.insert(name, value);
        }
        self.variables = joined;
        self.clobbered |= other.clobbered;
        if self.folder != other.folder {
            self.folder = Folder::Unknown;
        }
        self.unsteady.extend(other.unsteady.iter().cloned());
        self.unsteady_folder |= other.unsteady_folder;
        self.touched.extend(other.touched.iter().cloned());
        self.moved |= other.moved;
    }

    /// The same shell at an unknown time, to find out what a piece of script
    /// changes.
    pub(crate) fn probe(&self) -> Self {
        let mut probe = self.clone();
        probe.forget();
        probe.touched.clear();
        probe.moved = false;
        probe
    }

    /// Nothing is known any more, but nothing has been set either.
    pub(crate) fn forget(&mut self) {
        for value in self.variables.values_mut() {
            *value = Value::Unknown;
        }
        self.folder = Folder::Unknown;
    }

    /// Gives a variable back the value that it had.
    pub(crate) fn restore(&mut self, name: &str, value: Option<Value>) {
        match value {
            Some(value) => {
                self.variables.insert(name.to_owned(), value);
            }
            None => {
                self.variables.remove(name);
            }
        }
    }

    /// What was found with a probe may happen any number of times before what
    /// comes next.
    pub(crate) fn may_repeat(&mut self, probe: &Self) {
        for name in &probe.touched {
            let stays_number = is_number(self.get(name)) && is_number(probe.get(name));
            let value = if stays_number {
                Value::Number
            } else {
                Value::Unknown
            };
            self.set(name, value);
        }
        if probe.moved {
            self.set_folder(Folder::Unknown);
        }
    }

    /// What was found with a probe may happen at any time from now on: the
    /// body of a function, a trap.
    pub(crate) fn may_happen(&mut self, probe: &Self) {
        self.unsteady.extend(probe.touched.iter().cloned());
        for name in &probe.touched {
            self.set(name, Value::Unknown);
        }
        if probe.moved {
            self.unsteady_folder = true;
            self.set_folder(Folder::Unknown);
        }
    }

    /// Whether evaluating the variable as arithmetic may run something.
    pub(crate) fn is_unsafe_in_arithmetic(&self, name: &str) -> bool {
        !is_number(self.get(name))
    }

    /// Whether unquoted values are split at blanks: IFS is as it was.
    pub(crate) fn splits_at_blanks(&self) -> bool {
        matches!(self.get("IFS"), Some(Value::Text(text)) if text == " \t\n")
    }
}

/// Variables of the environment count as harmless: they are not the command's
/// doing.
fn is_number(value: Option<&Value>) -> bool {
    value.is_none_or(Value::is_number)
}
