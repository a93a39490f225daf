//! Something that must be repaired.

use std::fmt;

/// A place, what is wrong there, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The file, from the root of the workspace.
    pub(crate) file: String,
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) problem: String,
    /// What to do.
    pub(crate) remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}; {}",
            self.file, self.line, self.problem, self.remedy
        )
    }
}

/// Prints the findings and a closing line; whether there were none.
pub(crate) fn report(what: &str, findings: &[Finding]) -> bool {
    for finding in findings {
        println!("{finding}");
    }
    let verdict = if findings.is_empty() { "ok" } else { "FAILED" };
    println!("{what} result: {verdict}. {} findings", findings.len());
    findings.is_empty()
}

/// The line that a byte of the text stands in, counted from 1.
pub(crate) fn line_at(text: &str, byte: usize) -> usize {
    let before = text.as_bytes().get(..byte).unwrap_or(text.as_bytes());
    before.iter().filter(|one| **one == b'\n').count() + 1
}

/// The first line that contains the words, counted from 1; else 1.
pub(crate) fn line_with(text: &str, words: &str) -> usize {
    text.find(words).map_or(1, |byte| line_at(text, byte))
}
