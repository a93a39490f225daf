//! The pre-scan: one linear, quote-aware pass that takes a text apart into
//! words, substitutions and groups, and refuses what must not reach the parser.
//!
//! The parser (brush-parser) then sees a *masked* text of the same length, in
//! which every quoted or expanded part of a word is a run of `%`, and every
//! here-document, comment and nested group is blanked out. It decides the
//! grammar, this module decides where words and substitutions begin and end,
//! and the two must agree on every word. See `docs/adr/0002-brush-parser.md`.

mod ansi_c;
mod arithmetic;
mod characters;
mod dollar;
mod here;
mod keywords;
mod redirect;
mod script;
mod word;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use brush_parser::ast;

pub(crate) use self::arithmetic::names_in;
pub(crate) use self::word::is_reserved;

use crate::findings::{Findings, NESTING, Refusal};
use crate::source::Source;

/// A list of commands, taken apart.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) source: Source,
    /// Where it stands in the source, in bytes.
    pub(crate) range: Range<usize>,
    /// What the parser sees; as long as the range.
    pub(crate) masked: String,
    /// Its words, not those of nested scripts, by where they start.
    pub(crate) words: BTreeMap<usize, Lexeme>,
    /// Parenthesised groups by where they start.
    pub(crate) groups: BTreeMap<usize, Group>,
    /// The heads of arithmetic `for` loops by where the `for` stands.
    pub(crate) loops: BTreeMap<usize, Arithmetic>,
    /// Redirects by where their target starts.
    pub(crate) redirects: BTreeMap<usize, Redirection>,
    /// Words that the grammar has given a place.
    pub(crate) claimed: RefCell<BTreeSet<usize>>,
    /// The grammar of it, parsed once.
    pub(crate) program: OnceCell<Option<ast::Program>>,
}

/// What stands in parentheses.
#[derive(Debug)]
pub(crate) enum Group {
    /// `( … )`
    Subshell(Script),
    /// `(( … ))`
    Arithmetic(Arithmetic),
}

/// A word as written, taken apart.
#[derive(Debug)]
pub(crate) struct Lexeme {
    /// `name=`, `name+=`, `name[subscript]=` before the rest, if it starts so.
    pub(crate) head: Option<Head>,
    /// The word; without the head where there is one.
    pub(crate) pieces: Vec<Piece>,
    /// Where it stands in the source, in bytes.
    pub(crate) range: Range<usize>,
}

/// The left side of an assignment.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) subscript: Option<Vec<Piece>>,
    pub(crate) append: bool,
    /// As written.
    pub(crate) text: String,
}

/// How a piece of text is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// Not at all: braces, tildes and patterns in it act.
    Bare,
    /// Exactly this text.
    Quoted,
    /// Part of an extended pattern such as `@(a|b)`.
    Pattern,
}

/// A part of a word.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Text.
    Text { text: String, quoting: Quoting },
    /// `$name` or `${name}`.
    Parameter { name: String, quoted: bool },
    /// Any other `${ … }`.
    Expansion(Expansion),
    /// `$( … )`, backquotes, `<( … )`, `>( … )`.
    Substitution {
        script: Box<Script>,
        /// Whether it is a process substitution: its text is a file name.
        process: bool,
        quoted: bool,
    },
    /// `$(( … ))` or `$[ … ]`.
    Arithmetic(Arithmetic),
    /// `name=( … )`
    Array(Vec<Lexeme>),
    /// Text that cannot be known: bytes that are not UTF-8.
    Unknown,
}

/// A parameter expansion that is more than a name.
#[derive(Debug)]
pub(crate) struct Expansion {
    /// What stands in it, for the substitutions in there.
    pub(crate) pieces: Vec<Piece>,
    /// The variable that it may set (`${x:=y}`).
    pub(crate) assigns: Option<String>,
    /// Variables whose values are evaluated as arithmetic: subscripts, offsets.
    pub(crate) evaluates: Vec<String>,
    /// Whether it is the length of something.
    pub(crate) is_length: bool,
    /// The variable and what follows its name (`%.txt`), as written, if that is
    /// all: no subscript, no indirection.
    pub(crate) plain: Option<(String, String)>,
    /// Whether it becomes exactly one word: it is quoted, and no list.
    pub(crate) is_one_word: bool,
    /// Where it stands in the source, in bytes.
    pub(crate) range: Range<usize>,
}

/// An arithmetic expression.
#[derive(Debug)]
pub(crate) struct Arithmetic {
    pub(crate) pieces: Vec<Piece>,
    /// Variables whose values are evaluated, as expressions again.
    pub(crate) names: Vec<String>,
    /// Whether it assigns to some of them.
    pub(crate) assigns: bool,
    /// Where it stands in the source, in bytes.
    pub(crate) range: Range<usize>,
}

/// A redirect operator with what follows it.
#[derive(Debug)]
pub(crate) struct Redirection {
    pub(crate) operator: &'static str,
    /// Where the operator stands in the source, in bytes.
    pub(crate) at: usize,
    /// The here-document.
    pub(crate) body: Option<Body>,
}

/// The text of a here-document.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) pieces: Vec<Piece>,
    /// Whether leading tabs are removed (`<<-`).
    pub(crate) strips_tabs: bool,
}

/// Takes a text apart. `depth` is the nesting around it.
pub(crate) fn script(
    source: &Source,
    depth: usize,
    findings: &mut Findings,
) -> Result<Script, Refusal> {
    let text = source.text();
    findings.count_text(text.len(), source.span(0..text.len()))?;
    characters::check(source, findings)?;
    let mut lexer = Lexer {
        source,
        text,
        at: 0,
        limit: text.len(),
        depth,
        pending: 0,
        findings,
    };
    lexer.script(script::End::Text)
}

/// The pre-scan's place in a text.
struct Lexer<'a> {
    source: &'a Source,
    text: &'a str,
    at: usize,
    /// Where the text ends for now.
    limit: usize,
    depth: usize,
    /// Here-documents whose text has not come yet, of all scripts around.
    pending: usize,
    findings: &'a mut Findings,
}

impl Lexer<'_> {
    fn byte(&self, index: usize) -> Option<u8> {
        if index < self.limit {
            self.text.as_bytes().get(index).copied()
        } else {
            None
        }
    }

    fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.byte(self.at.saturating_add(ahead))
    }

    /// The byte before the place.
    fn before(&self) -> Option<u8> {
        self.at.checked_sub(1).and_then(|index| self.byte(index))
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..self.limit).unwrap_or_default()
    }

    fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// Takes one character.
    fn next_char(&mut self) -> Option<char> {
        let next = self.rest().chars().next()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn at_continuation(&self) -> bool {
        self.peek() == Some(b'\\') && self.peek_at(1) == Some(b'\n')
    }

    fn refuse<T>(&self, reason: impl Into<String>, from: usize) -> Result<T, Refusal> {
        Err(Refusal {
            reason: reason.into(),
            span: self.source.span(from..self.at.max(from)),
        })
    }

    fn problem(&mut self, reason: impl Into<String>, from: usize) {
        let span = self.source.span(from..self.at.max(from));
        self.findings.problem(reason, span);
    }

    /// Goes one level deeper; every call has its [`Self::leave`].
    fn enter(&mut self, from: usize) -> Result<(), Refusal> {
        self.depth += 1;
        if self.depth > NESTING {
            return self.refuse(format!("nesting deeper than {NESTING}"), from);
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}

/// Adds a character to the last piece of text, or starts one.
fn push_char(pieces: &mut Vec<Piece>, next: char, quoting: Quoting) {
    if let Some(Piece::Text {
        text,
        quoting: last,
    }) = pieces.last_mut()
        && *last == quoting
    {
        text.push(next);
        return;
    }
    pieces.push(Piece::Text {
        text: next.to_string(),
        quoting,
    });
}

/// The text of pieces that are nothing but text.
pub(crate) fn plain_text(pieces: &[Piece]) -> Option<String> {
    let mut all = String::new();
    for piece in pieces {
        match piece {
            Piece::Text { text, .. } => all.push_str(text),
            _ => return None,
        }
    }
    Some(all)
}

const fn is_name_start(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphabetic()
}

const fn is_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}
