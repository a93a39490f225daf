//! What is known of the shell's variables and folder at one point of a script.

use std::collections::{BTreeMap, BTreeSet};

use std::rc::Rc;

use countersign_core::command::{Below, Folder};

/// Longest value that is kept, in bytes: values can double with every
/// assignment.
const VALUE_BYTES: usize = 4_096;
/// Most values that a variable may have one of.
pub(crate) const VALUES: usize = 64;

/// A variable's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Exactly this text.
    Text(String),
    /// `~` or `~name` and the rest of a path, the tilde still to be expanded.
    Home(String),
    /// Not known, but nothing that arithmetic would take for more than numbers.
    Number(Numeric),
    /// One of several.
    OneOf(OneOf),
    /// The name of a file that matches a pattern, which was expanded in this
    /// folder; the pattern itself if none did.
    Match { pattern: String, folder: Folder },
    /// A path that a search has found.
    Below(Rc<Below>),
    /// Not known.
    Unknown,
}

/// One of several values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OneOf {
    /// Values with the same number here go together, index by index.
    pub(crate) by: Option<usize>,
    /// Each a text, a path from home or a match.
    pub(crate) values: Rc<[Value]>,
}

/// What is known of a text that arithmetic takes for no more than numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numeric {
    /// One digit or more.
    Natural,
    /// The same, perhaps with a minus before.
    Integer,
    /// Digits and blanks, or nothing: what counting programs print.
    Count,
    /// No more.
    Harmless,
}

impl Numeric {
    /// What holds of both.
    pub(crate) const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Natural, Self::Natural) => Self::Natural,
            (Self::Natural | Self::Integer, Self::Natural | Self::Integer) => Self::Integer,
            (Self::Natural | Self::Count, Self::Natural | Self::Count) => Self::Count,
            _ => Self::Harmless,
        }
    }

    fn of(text: &str) -> Option<Self> {
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !text.is_empty() && is_digits(text) {
            Some(Self::Natural)
        } else if text
            .strip_prefix('-')
            .is_some_and(|rest| !rest.is_empty() && is_digits(rest))
        {
            Some(Self::Integer)
        } else if text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b' ')
        {
            Some(Self::Count)
        } else {
            text.bytes()
                .all(|byte| byte.is_ascii_digit() || b" +-*/%()".contains(&byte))
                .then_some(Self::Harmless)
        }
    }
}

impl Value {
    /// What number it is; only then evaluating it as arithmetic runs nothing:
    /// no names, whose values would be evaluated in turn, and no subscripts.
    pub(crate) fn number(&self) -> Option<Numeric> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => Numeric::of(text),
            Self::OneOf(one) => {
                let mut all = one.values.iter().map(Self::number);
                let first = all.next()??;
                all.try_fold(first, |number, next| Some(number.or(next?)))
            }
            Self::Home(_) | Self::Match { .. } | Self::Below(_) | Self::Unknown => None,
        }
    }

    /// The value of which no more is known than that it is one of these.
    pub(crate) fn one_of(by: Option<usize>, mut values: Vec<Self>) -> Self {
        if by.is_none() {
            let mut distinct: Vec<Self> = Vec::new();
            for value in values {
                if !distinct.contains(&value) {
                    distinct.push(value);
                }
            }
            values = distinct;
        }
        let is_single =
            |value: &Self| matches!(value, Self::Text(_) | Self::Home(_) | Self::Match { .. });
        if let [only] = values.as_slice() {
            return only.clone();
        }
        let one = OneOf {
            by,
            values: values.into(),
        };
        let is_listed = !one.values.is_empty()
            && one.values.len() <= VALUES
            && one.values.iter().all(is_single);
        let value = Self::OneOf(one);
        if is_listed {
            return value;
        }
        value.number().map_or(Self::Unknown, Self::Number)
    }

    /// The values that it may have, if they are listed.
    fn listed(&self) -> Option<Vec<Self>> {
        match self {
            Self::Text(_) | Self::Home(_) | Self::Match { .. } => Some(vec![self.clone()]),
            Self::OneOf(one) => Some(one.values.to_vec()),
            Self::Number(_) | Self::Below(_) | Self::Unknown => None,
        }
    }

    /// What holds of both.
    fn or(&self, other: &Self) -> Self {
        if self == other {
            return self.clone();
        }
        if let (Some(mut values), Some(more)) = (self.listed(), other.listed()) {
            values.extend(more);
            return Self::one_of(None, values);
        }
        match (self.number(), other.number()) {
            (Some(one), Some(two)) => Self::Number(one.or(two)),
            _ => Self::Unknown,
        }
    }

    /// How many bytes it takes.
    fn size(&self) -> usize {
        match self {
            Self::Text(text) | Self::Home(text) | Self::Match { pattern: text, .. } => text.len(),
            Self::OneOf(one) => one.values.iter().map(Self::size).sum(),
            Self::Number(_) | Self::Below(_) | Self::Unknown => 0,
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
    /// Variables set since [`Self::probe`], and which number each value was that
    /// they were set to, if all were numbers.
    touched: BTreeMap<String, Option<Numeric>>,
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
            touched: BTreeMap::new(),
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
            value if value.size() > VALUE_BYTES => Value::Unknown,
            value => value,
        };
        self.touch(name, value.number());
        self.variables.insert(name.to_owned(), value);
    }

    fn touch(&mut self, name: &str, number: Option<Numeric>) {
        let number = match self.touched.get(name) {
            Some(before) => before.zip(number).map(|(one, two)| one.or(two)),
            None => number,
        };
        self.touched.insert(name.to_owned(), number);
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
            self.touched.insert(name.clone(), None);
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
                (Some(one), Some(two)) => one.or(two),
                // One of the environment is not the command's doing.
                (Some(one), None) | (None, Some(one)) if one.number().is_some() => {
                    Value::Number(Numeric::Harmless)
                }
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
        for (name, number) in &other.touched {
            self.touch(name, *number);
        }
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

    /// Nothing is known any more of paths that were read.
    pub(crate) fn forget_found(&mut self) {
        for value in self.variables.values_mut() {
            if matches!(value, Value::Below(_)) {
                *value = Value::Unknown;
            }
        }
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
        for (name, number) in &probe.touched {
            let before = match self.get(name) {
                Some(value) => value.number(),
                None => Some(Numeric::Harmless),
            };
            let value = match (before, number) {
                (Some(before), Some(number)) => Value::Number(before.or(*number)),
                _ => Value::Unknown,
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
        self.unsteady.extend(probe.touched.keys().cloned());
        for name in probe.touched.keys() {
            self.set(name, Value::Unknown);
        }
        if probe.moved {
            self.unsteady_folder = true;
            self.set_folder(Folder::Unknown);
        }
    }

    /// Whether evaluating the variable as arithmetic may run something.
    pub(crate) fn is_unsafe_in_arithmetic(&self, name: &str) -> bool {
        // Variables of the environment count as harmless: they are not the
        // command's doing.
        self.get(name).is_some_and(|value| value.number().is_none())
    }

    /// Whether unquoted values are split at blanks: IFS is as it was.
    pub(crate) fn splits_at_blanks(&self) -> bool {
        matches!(self.get("IFS"), Some(Value::Text(text)) if text == " \t\n")
    }
}
