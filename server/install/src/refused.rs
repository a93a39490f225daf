//! Why a file is not changed. Nothing is written then.

use camino::Utf8PathBuf;

/// Why nothing is changed: what is wrong, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The file is not what it has to be.
    #[error("{file}:{line}:{column}: {problem}; mend it first, nothing was written")]
    Broken {
        /// The file.
        file: Utf8PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// The file says something that leaves no place for a hook.
    #[error("{file}: {problem}; nothing was written")]
    Shape {
        /// The file.
        file: Utf8PathBuf,
        /// What is wrong and the remedy.
        problem: String,
    },
    /// The file cannot be read or written, or must not be.
    #[error("cannot {action} {path}: {reason}")]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: Utf8PathBuf,
        /// What is wrong and the remedy.
        reason: String,
    },
    /// Somebody else wrote the file in the meantime.
    #[error("{0} was changed by somebody else meanwhile; nothing was written, run it again")]
    Changed(Utf8PathBuf),
    /// There is nothing to install for this agent.
    #[error("there is nothing to install for {0}: {1}")]
    Nothing(&'static str, String),
    /// The wish cannot be fulfilled for this agent.
    #[error("{0}")]
    Wish(String),
}

impl Refused {
    pub(crate) fn file(
        action: &'static str,
        path: &camino::Utf8Path,
        reason: impl std::fmt::Display,
    ) -> Self {
        Self::File {
            action,
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}
