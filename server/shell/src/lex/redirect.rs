//! Redirect operators and their targets.

use countersign_core::call::ShellDialect::{Posix, Zsh};

use super::script::{Position, State};
use super::word::Kind;
use super::{Lexeme, Lexer, Redirection};
use crate::findings::Refusal;

/// Operators that start a redirect; longer ones first.
const REDIRECTS: &[&str] = &[
    "<<<", "<<-", "<<", "<&", "<>", "<", "&>>", "&>", ">>", ">|", ">&", ">",
];
impl Lexer<'_> {
    /// Takes a redirect operator and the word after it.
    pub(super) fn redirect(&mut self, state: &mut State) -> Result<(), Refusal> {
        let from = self.at;
        let Some(operator) = REDIRECTS
            .iter()
            .copied()
            .find(|operator| self.rest().starts_with(*operator))
        else {
            return self.refuse("an unknown operator", from);
        };
        self.at += operator.len();
        if matches!(operator, "<<<" | "&>" | "&>>") {
            self.differs(&format!("`{operator}`"), &[Posix], from);
        }
        if operator.starts_with(['>', '&']) && matches!(self.peek(), Some(b'!' | b'|' | b'&')) {
            self.differs(&format!("`{operator}!`"), &[Zsh], from);
        }
        let is_here = operator.starts_with("<<");
        state.push(if is_here { "<" } else { operator });
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        if self.at_continuation() {
            return self.refuse("a line continuation inside a redirect", from);
        }
        state.fill(self.at, b' ');
        let begins_word = match self.peek() {
            None | Some(b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'#') => false,
            Some(b'<' | b'>') => self.peek_at(1) == Some(b'('),
            Some(_) => true,
        };
        if !begins_word {
            return self.refuse("a redirect without a target", from);
        }
        let word = self.word(Kind::Ordinary)?;
        state.fill(self.at, b'%');
        // `> 2>f`, `> {x}>f`: the parts of another redirect, which is an error.
        if matches!(self.peek(), Some(b'<' | b'>')) && !matches!(operator, ">&" | "<&") {
            let raw = self.slice(word.range.clone());
            if raw.bytes().all(|byte| byte.is_ascii_digit()) || raw.starts_with('{') {
                return self.refuse("a redirect without a target", from);
            }
        }
        if matches!(operator, ">&" | "<&") {
            self.differs_for_target(&word, from);
        }
        if matches!(operator, "<<" | "<<-") {
            let pending = self.pending(&word, operator == "<<-")?;
            state.pending.push(pending);
        }
        state.script.redirects.insert(
            word.range.start,
            Redirection {
                operator,
                at: from,
                body: None,
            },
        );
        state.script.words.insert(word.range.start, word);
        if state.position == Position::Command {
            state.position = Position::Prefix;
        }
        Ok(())
    }

    /// `>&file` writes a file in bash; elsewhere it is an error.
    fn differs_for_target(&mut self, word: &Lexeme, from: usize) {
        let descriptor = super::plain_text(&word.pieces).is_some_and(|text| {
            text.chars()
                .all(|next| next.is_ascii_digit() || next == '-')
        });
        if !descriptor {
            self.differs("`>&` with a file", &[Posix], from);
        }
    }

    /// Whether the word is the `{name}` of `{name}>file`.
    pub(super) fn redirect_variable(&self, raw: &str, word: &Lexeme) -> bool {
        matches!(self.peek(), Some(b'<' | b'>'))
            && word.pieces.len() == 1
            && raw.len() > 2
            && raw
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'))
                .is_some_and(|name| {
                    name.bytes()
                        .all(|byte| super::is_name(byte) || matches!(byte, b'[' | b']'))
                })
    }
}
