//! Programs whose words are a language of their own.

use std::ops::Range;

use countersign_core::command::Word;

use super::Finder;
use crate::knowledge::{Command, Parser};

/// What a program with a language of its own does.
pub(super) fn parse(
    finder: &mut Finder<'_>,
    parser: Parser,
    command: &'static Command,
    words: &[Word],
    span: &Range<usize>,
) {
    match parser {
        Parser::Awk
        | Parser::Dd
        | Parser::Find
        | Parser::Git
        | Parser::Jq
        | Parser::Sed
        | Parser::Tar
        | Parser::Test => {
            let _ = (command, words);
            finder.unproven("not parsed", span.clone());
        }
    }
}
