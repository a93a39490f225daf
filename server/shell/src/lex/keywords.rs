//! What a word means for the words after it: keywords, names, arguments.

use countersign_core::call::ShellDialect::Posix;

use super::script::{Case, Position, State};
use super::word::is_reserved;
use super::{Lexeme, Lexer};
use crate::findings::Refusal;

/// Most `case` commands in one another: the parser's work doubles with each.
const CASES: usize = 6;

impl Lexer<'_> {
    /// Moves the position on after a word.
    pub(super) fn follow(
        &mut self,
        state: &mut State,
        word: &Lexeme,
        raw: &str,
    ) -> Result<(), Refusal> {
        let from = word.range.start;
        if let Some(level) = state.test {
            if raw == "!" {
                state.negations += 1;
                self.enter(from)?;
            } else {
                for _ in 0..std::mem::take(&mut state.negations) {
                    self.leave();
                }
            }
            if raw == "]]" && level == 0 {
                state.test = None;
                state.position = Position::Command;
            }
            state.regex = raw == "=~";
            return Ok(());
        }
        match state.cases.last_mut() {
            Some(case @ Case::Subject) => {
                *case = Case::In;
                return Ok(());
            }
            Some(case @ Case::In) => {
                if raw != "in" {
                    return self.refuse("a `case` without `in`", from);
                }
                *case = Case::Pattern;
                return Ok(());
            }
            Some(Case::Pattern) if raw != "esac" => return Ok(()),
            Some(Case::Pattern) => state.position = Position::Command,
            Some(Case::Body) | None => {}
        }
        match state.position {
            Position::Command => self.follow_keyword(state, word, raw),
            // A name to bash, a keyword to the parser.
            Position::Prefix if is_reserved(raw) && raw != "time" => {
                self.refuse("a keyword after a redirect or assignment", from)
            }
            Position::Prefix => {
                if word.head.is_none() {
                    state.position = argument_position(raw);
                }
                Ok(())
            }
            Position::Name => {
                // `for name in …`, `for name do`, `function name {`.
                state.position = if state.for_at.is_some() {
                    Position::Argument
                } else {
                    Position::Command
                };
                Ok(())
            }
            Position::Argument => {
                // `for name do`
                if state.for_at.is_some() && raw == "do" {
                    self.end_command(state);
                }
                Ok(())
            }
            Position::Declaration => Ok(()),
        }
    }

    fn follow_keyword(
        &mut self,
        state: &mut State,
        word: &Lexeme,
        raw: &str,
    ) -> Result<(), Refusal> {
        let from = word.range.start;
        match raw {
            // The command of a `coproc` ends with its line, but counting on is
            // simpler than knowing where.
            "if" | "while" | "until" | "{" | "for" | "select" | "case" | "coproc" => {
                state.open += 1;
                self.enter(from)?;
            }
            "fi" | "done" | "}" | "esac" if state.open > 0 => {
                state.open -= 1;
                self.leave();
            }
            _ => {}
        }
        match raw {
            "for" | "select" => {
                state.for_at = Some(from);
                state.position = Position::Name;
            }
            "function" => state.position = Position::Name,
            "case" => {
                state.cases.push(Case::Subject);
                if state.cases.len() > CASES {
                    return self.refuse(format!("`case` nested deeper than {CASES}"), from);
                }
            }
            "esac" => {
                state.cases.pop();
            }
            "[[" => state.test = Some(0),
            _ if is_reserved(raw) => {}
            _ if word.head.is_some() => state.position = Position::Prefix,
            _ => state.position = argument_position(raw),
        }
        if matches!(raw, "[[" | "function" | "select" | "coproc" | "time") {
            self.differs(&format!("`{raw}`"), &[Posix], from);
        }
        Ok(())
    }
}

/// What follows a command's name.
fn argument_position(name: &str) -> Position {
    match name {
        "declare" | "typeset" | "local" | "export" | "readonly" => Position::Declaration,
        _ => Position::Argument,
    }
}
