//! `jq` and `yq`: a filter cannot run programs, but a program from a file, a
//! module or an option can read and write more than the words say.

use std::ops::Range;

use countersign_core::command::{Known, Word, WordValue};
use countersign_core::effect::Touch;

use crate::effects::Finder;
use crate::effects::options;
use crate::knowledge::Command;

/// Letters that may be bundled behind one dash.
const LETTERS: &str = "nrRcCMaSejsb";

/// Long options without a value.
const PLAIN: &[&str] = &[
    "--ascii-output",
    "--color-output",
    "--compact-output",
    "--exit-status",
    "--join-output",
    "--monochrome-output",
    "--null-input",
    "--raw-input",
    "--raw-output",
    "--raw-output0",
    "--seq",
    "--slurp",
    "--sort-keys",
    "--stream",
    "--stream-errors",
    "--tab",
    "--unbuffered",
];

/// Options of `yq`, in either of its variants.
const YQ_PLAIN: &[&str] = &[
    "--colors",
    "--no-colors",
    "--no-doc",
    "--prettyPrint",
    "--unwrapScalar",
    "-N",
    "-P",
];

/// What a filter of `yq` may not hold: operators that read files, evaluate
/// texts, or run programs.
const YQ_FORBIDDEN: &[&str] = &["load", "eval", "system", "import", "include", "exec", "@"];

pub(super) fn jq(
    finder: &mut Finder<'_>,
    command: &'static Command,
    words: &[Word],
    span: &Range<usize>,
) {
    let is_yq = command.names.contains(&"yq");
    let mut reader = Reader {
        finder,
        is_yq,
        filter: None,
        files_are_texts: false,
    };
    if let Err((reason, at)) = reader.words(words) {
        reader.finder.unproven(reason, at);
        return;
    }
    if reader.filter.is_none() {
        reader.finder.unproven("no filter", span.clone());
    }
}

type Problem = (String, Range<usize>);

struct Reader<'a, 'b> {
    finder: &'a mut Finder<'b>,
    is_yq: bool,
    filter: Option<String>,
    /// Whether the operands behind the filter are texts (`--args`).
    files_are_texts: bool,
}

impl Reader<'_, '_> {
    fn words(&mut self, words: &[Word]) -> Result<(), Problem> {
        let mut rest = words.iter();
        let mut only_operands = false;
        while let Some(word) = rest.next() {
            let text = match &word.value {
                WordValue::Literal(text) => text.as_str(),
                WordValue::Glob(pattern) if !pattern.starts_with('-') && self.filter.is_some() => {
                    self.finder
                        .touch(Touch::Read, &word.value, word.span.clone(), !only_operands);
                    continue;
                }
                WordValue::Dynamic {
                    known: Known::Stream,
                    ..
                } if self.filter.is_some() => continue,
                // Modules are loaded at the beginning of a filter, or not at all.
                WordValue::Dynamic { prefix, known }
                    if prefix.starts_with(['.', '[', '{', '('])
                        && options::is_one_word(known)
                        && self.filter.is_none()
                        && !self.is_yq =>
                {
                    self.filter = Some(prefix.clone());
                    continue;
                }
                WordValue::Glob(_) | WordValue::Dynamic { .. } => {
                    return Err((
                        "the filter, or an option, is known only when the command runs".to_owned(),
                        word.span.clone(),
                    ));
                }
            };
            if text == "--" && !only_operands {
                only_operands = true;
            } else if only_operands || !text.starts_with('-') || text == "-" {
                self.operand(text, word)?;
            } else {
                self.option(text, word, &mut rest)?;
            }
        }
        Ok(())
    }

    fn option<'w>(
        &mut self,
        text: &str,
        word: &Word,
        rest: &mut impl Iterator<Item = &'w Word>,
    ) -> Result<(), Problem> {
        let unknown = || {
            (
                format!("the option `{text}` is not known to be harmless"),
                word.span.clone(),
            )
        };
        let (values, read) = match text {
            "--arg" | "--argjson" => (2, false),
            "--slurpfile" | "--rawfile" => (2, true),
            "--indent" => (1, false),
            "-o" | "--output-format" | "-p" | "--input-format" | "-I" if self.is_yq => (1, false),
            "--args" | "--jsonargs" => {
                self.files_are_texts = true;
                (0, false)
            }
            _ if PLAIN.contains(&text) => (0, false),
            _ if self.is_yq
                && (YQ_PLAIN.contains(&text)
                    || ["-o=", "-p=", "--output-format=", "--input-format=", "-I="]
                        .iter()
                        .any(|option| text.starts_with(option))) =>
            {
                (0, false)
            }
            _ => {
                let letters = text.strip_prefix('-').unwrap_or_default();
                let known = !letters.is_empty() && letters.chars().all(|c| LETTERS.contains(c));
                // In one variant of `yq` these letters mean something else.
                let clear = !self.is_yq || letters.chars().all(|c| "nrceCMj".contains(c));
                if !known || !clear {
                    return Err(unknown());
                }
                (0, false)
            }
        };
        for nth in 0..values {
            let value = rest.next().ok_or_else(unknown)?;
            let is_one = match &value.value {
                WordValue::Literal(_) => true,
                WordValue::Glob(_) => false,
                WordValue::Dynamic { known, .. } => options::is_one_word(known),
            };
            if !is_one {
                return Err((
                    format!("a value of `{text}` is known only when the command runs"),
                    value.span.clone(),
                ));
            }
            if read && nth == 1 {
                self.finder
                    .touch(Touch::Read, &value.value, value.span.clone(), false);
            }
        }
        Ok(())
    }

    fn operand(&mut self, text: &str, word: &Word) -> Result<(), Problem> {
        if self.filter.is_some() {
            if !self.files_are_texts {
                self.finder
                    .touch(Touch::Read, &word.value, word.span.clone(), false);
            }
            return Ok(());
        }
        if self.is_yq {
            if matches!(text, "e" | "eval") {
                return Ok(());
            }
            if let Some(what) = YQ_FORBIDDEN.iter().find(|what| text.contains(**what)) {
                return Err((
                    format!("`{what}` in a filter of `yq` may read files, or run a program"),
                    word.span.clone(),
                ));
            }
        } else if names_module(text) {
            return Err(("the filter loads a module".to_owned(), word.span.clone()));
        }
        // One variant takes a file without a filter for the filter.
        if self.is_yq {
            self.finder
                .touch(Touch::Read, &word.value, word.span.clone(), false);
        }
        self.filter = Some(text.to_owned());
        Ok(())
    }
}

/// Whether a filter holds `import` or `include` anywhere, texts included.
fn names_module(filter: &str) -> bool {
    filter
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|name| matches!(name, "import" | "include" | "modulemeta"))
}
