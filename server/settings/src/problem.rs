//! What is wrong with a settings file, at its place, for status, journal and
//! diagnostics.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

/// A place in a text; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something is ignored or cut.
    Warning,
    /// Something could not be read, and the restrictive reading holds.
    Error,
}

impl Severity {
    /// The name in messages and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsProblem {
    /// How bad it is.
    pub severity: Severity,
    /// The settings file; none for settings that an editor sent, and where the
    /// message names a file of the state.
    pub file: Option<Utf8PathBuf>,
    /// The line, from 1, where it is known.
    pub line: Option<u32>,
    /// The column in characters, from 1, where it is known.
    pub column: Option<u32>,
    /// What is wrong and what holds instead.
    pub message: String,
}

impl fmt::Display for SettingsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line, self.column) {
            (Some(file), Some(line), Some(column)) => {
                write!(f, "{file}:{line}:{column}: {}", self.message)
            }
            (Some(file), _, _) => write!(f, "{file}: {}", self.message),
            (None, _, _) => f.write_str(&self.message),
        }
    }
}

/// A problem with a file of the state, which the message names.
pub(crate) fn of_state(severity: Severity, message: &impl fmt::Display) -> SettingsProblem {
    SettingsProblem {
        severity,
        file: None,
        line: None,
        column: None,
        message: message.to_string(),
    }
}

/// Collects the problems of one source.
pub(crate) struct Problems<'a> {
    file: Option<&'a Utf8Path>,
    all: &'a mut Vec<SettingsProblem>,
}

/// A hostile file could have a problem on every line.
const MOST_PROBLEMS: usize = 200;

impl<'a> Problems<'a> {
    pub(crate) fn new(file: Option<&'a Utf8Path>, all: &'a mut Vec<SettingsProblem>) -> Self {
        Self { file, all }
    }

    pub(crate) fn error(&mut self, at: Option<Position>, message: impl Into<String>) {
        self.push(Severity::Error, at, message.into());
    }

    pub(crate) fn warning(&mut self, at: Option<Position>, message: impl Into<String>) {
        self.push(Severity::Warning, at, message.into());
    }

    fn push(&mut self, severity: Severity, at: Option<Position>, message: String) {
        if self.all.len() >= MOST_PROBLEMS {
            return;
        }
        self.all.push(SettingsProblem {
            severity,
            file: self.file.map(Utf8Path::to_owned),
            line: at.map(|at| at.line),
            column: at.map(|at| at.column),
            message: if self.file.is_some() {
                message
            } else {
                format!("settings of the editor: {message}")
            },
        });
    }
}
