//! Programs whose words are a language of their own.

mod ar;
mod awk;
mod compile;
mod dd;
pub(super) mod find;
mod git;
mod jq;
mod media;
mod pack;
mod python;
mod python_modules;
mod sed;
mod tar;
mod test;
mod zip;

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
        Parser::Ar => ar::ar(finder, words, span),
        Parser::Cc => compile::cc(finder, command, words, span),
        Parser::Javac => compile::javac(finder, command, words, span),
        Parser::Rustc => compile::rustc(finder, command, words, span),
        Parser::Dd => dd::dd(finder, words, span),
        Parser::Git => git::git(finder, command, words, span),
        Parser::Find => find::find(finder, words, span),
        Parser::Sed => sed::sed(finder, command, words, span),
        Parser::Test => test::test(finder, words),
        Parser::Archive => zip::archive(finder, command, words, span),
        Parser::Awk => awk::awk(finder, command, words, span),
        Parser::Jq => jq::jq(finder, command, words, span),
        Parser::Media => media::media(finder, command, words),
        Parser::Pack => pack::pack(finder, command, words, span),
        Parser::Python => python::python(finder, command, words, span),
        Parser::Tar => tar::tar(finder, words, span),
    }
}
