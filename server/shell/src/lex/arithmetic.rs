//! Arithmetic: `$(( … ))`, `(( … ))`, `$[ … ]`, subscripts.
//!
//! bash evaluates the values of variables in it as expressions again, and
//! runs substitutions in their subscripts, so the names matter.

use super::{Arithmetic, Lexer, Piece, Quoting, is_name, push_char};
use crate::findings::Refusal;

impl Lexer<'_> {
    /// Where the `))` stands that closes the `((` before `from`; `None` if the
    /// parentheses do not close together, which makes them two subshells.
    pub(super) fn double_parenthesis_end(&self, from: usize) -> Option<usize> {
        let mut level = 0_usize;
        let mut at = from;
        loop {
            match self.byte(at)? {
                b'\\' => at += 1,
                quote @ (b'\'' | b'"' | b'`') => {
                    at += 1;
                    while self.byte(at)? != quote {
                        if quote != b'\'' && self.byte(at)? == b'\\' {
                            at += 1;
                        }
                        at += 1;
                    }
                }
                b'(' => level += 1,
                b')' if level == 0 => return (self.byte(at + 1)? == b')').then_some(at),
                b')' => level -= 1,
                _ => {}
            }
            at += 1;
        }
    }

    /// Takes an expression up to `end`, which stays.
    pub(super) fn arithmetic(&mut self, end: usize) -> Result<Arithmetic, Refusal> {
        let from = self.at;
        self.enter(from)?;
        let limit = std::mem::replace(&mut self.limit, end);
        let mut pieces = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' if self.at_continuation() => self.at += 2,
                b'\'' | b'"' | b'\\' => return self.refuse("a quote in arithmetic", from),
                b'$' => self.dollar(true, &mut pieces)?,
                b'`' => self.backquoted(true, &mut pieces)?,
                _ => {
                    let next = self.next_char().unwrap_or(' ');
                    push_char(&mut pieces, next, Quoting::Bare);
                }
            }
        }
        self.limit = limit;
        self.leave();
        Ok(expression(pieces, from..end))
    }

    /// Takes a subscript up to `close`, which stays.
    pub(super) fn subscript(&mut self, close: usize) -> Result<Vec<Piece>, Refusal> {
        let from = self.at;
        self.enter(from)?;
        let limit = std::mem::replace(&mut self.limit, close);
        let mut pieces = Vec::new();
        while self.peek().is_some() {
            if self.at_continuation() {
                return self.refuse("a line continuation in a subscript", from);
            }
            self.piece(&mut pieces)?;
        }
        self.limit = limit;
        self.leave();
        Ok(pieces)
    }
}

/// The expression that `pieces` make.
pub(super) fn expression(pieces: Vec<Piece>, range: std::ops::Range<usize>) -> Arithmetic {
    let names = names_in(&pieces);
    let assigns = pieces
        .iter()
        .any(|piece| matches!(piece, Piece::Text { text, .. } if assigns(text)));
    Arithmetic {
        pieces,
        names,
        assigns,
        range,
    }
}

/// The variables that an expression evaluates.
pub(crate) fn names_in(pieces: &[Piece]) -> Vec<String> {
    let mut names = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text { text, .. } => names.extend(
                text.split(|next: char| !next.is_ascii() || !u8::try_from(next).is_ok_and(is_name))
                    .filter(|name| name.starts_with(|first: char| !first.is_ascii_digit()))
                    .map(str::to_owned),
            ),
            Piece::Parameter { name, .. } => names.push(name.clone()),
            _ => {}
        }
    }
    names
}

fn assigns(text: &str) -> bool {
    if text.contains("++") || text.contains("--") {
        return true;
    }
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        let before = at.checked_sub(1).and_then(|index| bytes.get(index));
        let compares = matches!(before, Some(b'=' | b'!'))
            || (matches!(before, Some(b'<' | b'>'))
                && at
                    .checked_sub(2)
                    .and_then(|index| bytes.get(index))
                    .is_none_or(|second| Some(second) != before));
        *byte == b'=' && bytes.get(at + 1) != Some(&b'=') && !compares
    })
}
