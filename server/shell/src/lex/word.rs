//! One word: where it ends and what its parts are.

use countersign_core::call::ShellDialect::{Posix, Zsh};

use super::{Head, Lexeme, Lexer, Piece, Quoting, is_name, is_name_start, plain_text, push_char};
use crate::findings::Refusal;

/// Longest subscript of an assigned array element, in bytes: every word that
/// might be one is looked at that far.
const SUBSCRIPT_BYTES: usize = 1_024;

/// Which characters belong to a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Ordinary,
    /// Inside `[[ … ]]`, where extended patterns are always on.
    Test,
    /// The right side of `=~`.
    Regex,
    /// An ordinary word where an array may be assigned.
    Assignable,
}

impl Lexer<'_> {
    /// Takes one word; the place is at its first character.
    pub(super) fn word(&mut self, kind: Kind) -> Result<Lexeme, Refusal> {
        let start = self.at;
        let head = self.head(kind)?;
        let mut pieces = Vec::new();
        if head.is_some() && self.peek() == Some(b'(') {
            self.array(kind, &mut pieces)?;
        }
        let joined = self.word_pieces(kind, &mut pieces)?;
        let range = start..self.at;
        if range.is_empty() {
            return self.refuse("a word is missing", start);
        }
        self.findings.count_word(self.source.span(range.clone()))?;
        if joined && plain_text(&pieces).is_some_and(|text| is_reserved(&text)) {
            return self.refuse("a line continuation inside a keyword", start);
        }
        self.note_differences(&pieces, head.is_some(), start);
        Ok(Lexeme {
            head,
            pieces,
            range,
        })
    }

    /// Takes `name=`, `name+=`, `name[…]=`, if the word starts so.
    fn head(&mut self, kind: Kind) -> Result<Option<Head>, Refusal> {
        let start = self.at;
        if !self.peek().is_some_and(is_name_start) {
            return Ok(None);
        }
        let mut end = start;
        while self.byte(end).is_some_and(is_name) {
            end += 1;
        }
        let name = self.slice(start..end).to_owned();
        let mut subscript = None;
        // Elsewhere a blank in the brackets ends the word.
        if self.byte(end) == Some(b'[') && kind == Kind::Assignable {
            let Some(close) = self.subscript_end(end)? else {
                return Ok(None);
            };
            self.at = end + 1;
            let pieces = self.subscript(close)?;
            end = close + 1;
            subscript = Some(pieces);
            self.at = start;
        }
        let append = self.byte(end) == Some(b'+');
        if append {
            end += 1;
        }
        if self.byte(end) != Some(b'=') {
            return Ok(None);
        }
        self.at = end + 1;
        if subscript.is_some() || append {
            self.differs("an array element or `+=`", &[Posix], start);
        }
        Ok(Some(Head {
            name,
            subscript,
            append,
            text: self.slice(start..self.at).to_owned(),
        }))
    }

    /// Where the subscript that starts at `open` ends, if `=` or `+=` follows.
    ///
    /// Where an assignment may stand bash reads up to the closing bracket in any
    /// case, blanks and comment signs included, so that all but the simplest
    /// brackets without an assignment are refused.
    fn subscript_end(&self, open: usize) -> Result<Option<usize>, Refusal> {
        let mut level = 0_usize;
        let mut close = open;
        loop {
            match self.byte(close) {
                Some(b'[') => level += 1,
                Some(b']') => {
                    level = level.saturating_sub(1);
                    if level == 0 {
                        break;
                    }
                }
                Some(b'\n') | None => return self.refuse("unclosed `[`", open),
                Some(_) if close - open > SUBSCRIPT_BYTES => {
                    return self.refuse("a long subscript", open);
                }
                Some(_) => {}
            }
            close += 1;
        }
        let inside = self.slice(open + 1..close);
        let quotes = inside.contains(['\'', '"', '\\', '`']);
        if quotes && inside.contains(['[', ']']) {
            return self.refuse("a quoted bracket in a subscript", open);
        }
        match (self.byte(close + 1), self.byte(close + 2)) {
            (Some(b'='), _) | (Some(b'+'), Some(b'=')) => Ok(Some(close)),
            _ if quotes || inside.contains(|next| " \t;&|<>()$#".contains(next)) => {
                self.refuse("brackets in the name of a command", open)
            }
            _ => Ok(None),
        }
    }

    /// Takes `(…)` after `name=`.
    fn array(&mut self, kind: Kind, pieces: &mut Vec<Piece>) -> Result<(), Refusal> {
        let from = self.at;
        self.differs("an array", &[Posix], from);
        if kind != Kind::Assignable {
            self.problem("an array where no array can be", from);
        }
        self.enter(from)?;
        self.at += 1;
        let mut elements = Vec::new();
        loop {
            match self.peek() {
                None => return self.refuse("unclosed `(`", from),
                Some(b')') => break,
                Some(b' ' | b'\t') => self.at += 1,
                Some(b'\n') => {
                    if self.pending > 0 {
                        return self.refuse("a here-document across lines of an array", from);
                    }
                    self.at += 1;
                }
                Some(b'#') => self.comment(),
                Some(b'\\') if self.at_continuation() => self.at += 2,
                Some(b';' | b'&' | b'|') => {
                    return self.refuse("an operator in an array", from);
                }
                Some(b'<' | b'>') if self.peek_at(1) != Some(b'(') => {
                    return self.refuse("an operator in an array", from);
                }
                Some(b'(') => return self.refuse("a parenthesis in an array", from),
                Some(b'[') => {
                    let start = self.at;
                    let mut key = Vec::new();
                    if let Some(close) = self.subscript_end(start)? {
                        self.at += 1;
                        key = self.subscript(close)?;
                        self.at = close + 1;
                    }
                    let mut element = self.word(Kind::Ordinary)?;
                    element.pieces.splice(0..0, key);
                    element.range.start = start;
                    elements.push(element);
                }
                Some(_) => elements.push(self.word(Kind::Ordinary)?),
            }
        }
        self.at += 1;
        self.leave();
        pieces.push(Piece::Array(elements));
        Ok(())
    }

    /// Takes the pieces of a word up to where it ends. Returns whether a line
    /// continuation joined its parts.
    fn word_pieces(&mut self, kind: Kind, pieces: &mut Vec<Piece>) -> Result<bool, Refusal> {
        let start = self.at;
        let mut joined = false;
        let mut level = 0_usize;
        while let Some(byte) = self.peek() {
            let in_regex = kind == Kind::Regex;
            match byte {
                b' ' | b'\t' | b'\n' | b'<' | b'>' | b';' | b'&' | b'|'
                    if in_regex && level > 0 =>
                {
                    let next = self.next_char().unwrap_or(' ');
                    push_char(pieces, next, Quoting::Pattern);
                }
                b'(' | b')' | b'|' if in_regex => {
                    level = match byte {
                        b'(' => level + 1,
                        b')' if level == 0 => break,
                        b')' => level - 1,
                        _ => level,
                    };
                    self.at += 1;
                    push_char(pieces, char::from(byte), Quoting::Pattern);
                }
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b')' => break,
                b'<' | b'>' if self.peek_at(1) == Some(b'(') => {
                    self.process_substitution(pieces)?;
                }
                b'<' | b'>' => break,
                b'(' if self.opens_pattern(pieces, start) => {
                    if kind != Kind::Test {
                        self.problem(
                            "an extended pattern, which is an error without extglob",
                            start,
                        );
                    }
                    self.pattern_group(pieces)?;
                }
                b'(' => break,
                b'\\' if self.at_continuation() => {
                    if !self.joins_here(start)? {
                        break;
                    }
                    joined = true;
                    self.at += 2;
                }
                _ => self.piece(pieces)?,
            }
        }
        if level > 0 {
            return self.refuse("unclosed `(`", start);
        }
        Ok(joined)
    }

    /// Takes one unquoted character, quoted text or expansion.
    pub(super) fn piece(&mut self, pieces: &mut Vec<Piece>) -> Result<(), Refusal> {
        let from = self.at;
        match self.peek() {
            Some(b'\\') => {
                self.at += 1;
                match self.next_char() {
                    Some(next) => push_char(pieces, next, Quoting::Quoted),
                    None => return self.refuse("a backslash at the end", from),
                }
            }
            Some(b'\'') => self.single_quoted(pieces)?,
            Some(b'"') => self.double_quoted(pieces)?,
            Some(b'$') => self.dollar(false, pieces)?,
            Some(b'`') => self.backquoted(false, pieces)?,
            _ => {
                if let Some(next) = self.next_char() {
                    push_char(pieces, next, Quoting::Bare);
                }
            }
        }
        Ok(())
    }

    /// Whether a line continuation inside a word joins two ordinary parts of
    /// it; `false` where the word has ended. Where joining would make an
    /// operator, expansion or keyword out of the parts it is refused.
    fn joins_here(&self, start: usize) -> Result<bool, Refusal> {
        let before = if self.at > start { self.before() } else { None };
        match self.peek_at(2) {
            None | Some(b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b')') => return Ok(false),
            Some(b'\\') if self.peek_at(3) == Some(b'\n') => {
                return self.refuse("several line continuations in a row", self.at);
            }
            Some(_) => {}
        }
        let ordinary = |byte: u8| {
            byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"_./-,:+%=\"'@^".contains(&byte)
        };
        let next_is_fine = self.peek_at(2).is_some_and(|byte| {
            ordinary(byte) || matches!(byte, b'$' | b'*' | b'?' | b'`' | b'\\' | b'#')
        });
        if before.is_none_or(ordinary) && next_is_fine {
            Ok(true)
        } else {
            self.refuse(
                "a line continuation inside an operator or expansion",
                self.at,
            )
        }
    }

    /// Whether `(` at the place opens an extended pattern: `@(`, `*(`, `!(` …
    fn opens_pattern(&self, pieces: &[Piece], start: usize) -> bool {
        let Some(Piece::Text {
            quoting: Quoting::Bare,
            ..
        }) = pieces.last()
        else {
            return false;
        };
        // `!(` at the start of a word is a negated subshell unless extglob is
        // on; that case never comes here with more than the `!`.
        self.before()
            .is_some_and(|byte| b"?*+@!".contains(&byte) && !(byte == b'!' && self.at == start + 1))
    }

    /// Takes `( … )` of an extended pattern.
    fn pattern_group(&mut self, pieces: &mut Vec<Piece>) -> Result<(), Refusal> {
        let from = self.at;
        self.differs("an extended pattern or glob qualifier", &[Posix, Zsh], from);
        self.enter(from)?;
        self.at += 1;
        push_char(pieces, '(', Quoting::Pattern);
        loop {
            match self.peek() {
                None => return self.refuse("unclosed `(`", from),
                Some(b')') => break,
                Some(b'(') => self.pattern_group(pieces)?,
                Some(b'<' | b'>') if self.peek_at(1) == Some(b'(') => {
                    self.process_substitution(pieces)?;
                }
                Some(b'\\') if self.at_continuation() => self.at += 2,
                Some(b'\\' | b'\'' | b'"' | b'$' | b'`') => self.piece(pieces)?,
                Some(_) => {
                    let next = self.next_char().unwrap_or(' ');
                    push_char(pieces, next, Quoting::Pattern);
                }
            }
        }
        self.at += 1;
        push_char(pieces, ')', Quoting::Pattern);
        self.leave();
        Ok(())
    }

    fn single_quoted(&mut self, pieces: &mut Vec<Piece>) -> Result<(), Refusal> {
        let from = self.at;
        self.at += 1;
        let Some(length) = self.rest().find('\'') else {
            return self.refuse("unclosed quote", from);
        };
        let text = self.slice(self.at..self.at + length).to_owned();
        self.at += length + 1;
        pieces.push(Piece::Text {
            text,
            quoting: Quoting::Quoted,
        });
        Ok(())
    }

    /// Takes `"…"`; the place is at the first quote.
    pub(super) fn double_quoted(&mut self, pieces: &mut Vec<Piece>) -> Result<(), Refusal> {
        let from = self.at;
        self.at += 1;
        // An empty pair of quotes makes a word too.
        pieces.push(Piece::Text {
            text: String::new(),
            quoting: Quoting::Quoted,
        });
        loop {
            match self.peek() {
                None => return self.refuse("unclosed quote", from),
                Some(b'"') => break,
                Some(_) => self.quoted_piece(b'"', pieces)?,
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Takes one character or expansion of a double-quoted text or of an
    /// expanding here-document, in which `quote` can be escaped.
    pub(super) fn quoted_piece(
        &mut self,
        quote: u8,
        pieces: &mut Vec<Piece>,
    ) -> Result<(), Refusal> {
        let from = self.at;
        match self.peek() {
            Some(b'\\') => match self.peek_at(1) {
                Some(b'\n') => {
                    if self.before() == Some(b'$') {
                        return self.refuse("a line continuation inside an expansion", from);
                    }
                    self.at += 2;
                }
                Some(next) if b"$`\\".contains(&next) || next == quote => {
                    self.at += 2;
                    push_char(pieces, char::from(next), Quoting::Quoted);
                }
                _ => {
                    self.at += 1;
                    push_char(pieces, '\\', Quoting::Quoted);
                }
            },
            Some(b'$') => self.dollar(true, pieces)?,
            Some(b'`') => self.backquoted(true, pieces)?,
            _ => {
                if let Some(next) = self.next_char() {
                    push_char(pieces, next, Quoting::Quoted);
                }
            }
        }
        Ok(())
    }

    /// Takes a comment up to the end of its line.
    pub(super) fn comment(&mut self) {
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
    }

    /// Reports what another shell would make of the word.
    fn note_differences(&mut self, pieces: &[Piece], assignment: bool, start: usize) {
        let bare = |set: &[char]| {
            pieces.iter().any(|piece| {
                matches!(piece, Piece::Text { text, quoting: Quoting::Bare } if text.contains(set))
            })
        };
        if !assignment && bare(&['{']) && bare(&['}']) && bare(&[',', '.']) {
            self.differs("a brace expansion", &[Posix], start);
        }
        let equals = matches!(pieces.first(),
            Some(Piece::Text { text, quoting: Quoting::Bare }) if text.starts_with('=') && text.len() > 1);
        if !assignment && equals {
            self.differs("a word that starts with `=`", &[Zsh], start);
        }
    }

    pub(super) fn differs(
        &mut self,
        construct: &str,
        dialects: &[countersign_core::call::ShellDialect],
        from: usize,
    ) {
        let span = self.source.span(from..self.at.max(from));
        self.findings.differs(construct, dialects, span);
    }
}

/// Words that the grammar treats as its own.
pub(crate) fn is_reserved(word: &str) -> bool {
    matches!(
        word,
        "!" | "{"
            | "}"
            | "[["
            | "]]"
            | "case"
            | "coproc"
            | "do"
            | "done"
            | "elif"
            | "else"
            | "esac"
            | "fi"
            | "for"
            | "function"
            | "if"
            | "in"
            | "select"
            | "then"
            | "time"
            | "until"
            | "while"
    )
}
