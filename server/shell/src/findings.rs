//! What the analysis of one command has found to be not understood, and the
//! limits that keep its work bounded.

use std::ops::Range;

use countersign_core::call::ShellDialect;
use countersign_core::command::Problem;

/// Largest command, in bytes.
pub(crate) const TEXT_BYTES: usize = 64 * 1024;
/// Most simple commands in one command text.
pub(crate) const COMMANDS: usize = 200;
/// Most words outside here-documents.
pub(crate) const WORDS: usize = 4_000;
/// Deepest nesting of parentheses, braces, substitutions, expansions, compound
/// commands and texts handed to another shell, all counted together.
pub(crate) const NESTING: usize = 16;
/// Most bytes of all the texts that are analysed for one command: its own, and
/// those inside it that become commands (`bash -c`, eval, backquotes).
const ALL_TEXT_BYTES: usize = 4 * TEXT_BYTES;
/// Most problems kept; they say the same thing to every consumer.
const PROBLEMS: usize = 64;

/// Why a text is not analysed at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// In plain words.
    pub(crate) reason: String,
    /// In bytes of the outermost text.
    pub(crate) span: Range<usize>,
}

/// What has been found so far.
#[derive(Debug)]
pub(crate) struct Findings {
    /// The shell that will run the outermost text.
    pub(crate) dialect: ShellDialect,
    /// What is not understood.
    pub(crate) problems: Vec<Problem>,
    /// Words seen so far.
    words: usize,
    /// Bytes of text seen so far.
    bytes: usize,
}

impl Findings {
    pub(crate) const fn new(dialect: ShellDialect) -> Self {
        Self {
            dialect,
            problems: Vec::new(),
            words: 0,
            bytes: 0,
        }
    }

    /// Records a problem once per place.
    pub(crate) fn problem(&mut self, reason: impl Into<String>, span: Range<usize>) {
        let problem = Problem {
            reason: reason.into(),
            span: Some(span),
        };
        if self.problems.len() < PROBLEMS && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Records that `construct` means something else in the shell that will run
    /// the text, if that is one of `dialects`.
    pub(crate) fn differs(
        &mut self,
        construct: &str,
        dialects: &[ShellDialect],
        span: Range<usize>,
    ) {
        if dialects.contains(&self.dialect) {
            let shell = match self.dialect {
                ShellDialect::Bash => "bash",
                ShellDialect::Posix => "a POSIX shell",
                ShellDialect::Zsh => "zsh",
                ShellDialect::PowerShell => "PowerShell",
            };
            self.problem(
                format!("{construct} does not mean the same in {shell} as in bash"),
                span,
            );
        }
    }

    /// Counts a word.
    pub(crate) fn count_word(&mut self, span: Range<usize>) -> Result<(), Refusal> {
        self.words += 1;
        if self.words > WORDS {
            return Err(Refusal {
                reason: format!("more than {WORDS} words"),
                span,
            });
        }
        Ok(())
    }

    /// Counts a text.
    pub(crate) fn count_text(&mut self, bytes: usize, span: Range<usize>) -> Result<(), Refusal> {
        self.bytes = self.bytes.saturating_add(bytes);
        if bytes > TEXT_BYTES || self.bytes > ALL_TEXT_BYTES {
            return Err(Refusal {
                reason: "more than 64 KiB of text".to_owned(),
                span,
            });
        }
        Ok(())
    }
}
