//! What starts with `$` or a backquote, and process substitutions.

use countersign_core::call::ShellDialect::{Posix, Zsh};

use super::arithmetic::names_in;
use super::script::End;
use super::{Expansion, Lexer, Piece, Quoting, characters, is_name, is_name_start, push_char};
use crate::findings::Refusal;
use crate::source::Source;

impl Lexer<'_> {
    /// Takes an expansion; the place is at the `$`.
    pub(super) fn dollar(&mut self, quoted: bool, pieces: &mut Vec<Piece>) -> Result<(), Refusal> {
        let from = self.at;
        match self.peek_at(1) {
            Some(b'(') => {
                let arithmetic = (self.peek_at(2) == Some(b'('))
                    .then(|| self.double_parenthesis_end(from + 3))
                    .flatten();
                if let Some(end) = arithmetic {
                    self.at += 3;
                    let arithmetic = self.arithmetic(end)?;
                    self.at = end + 2;
                    pieces.push(Piece::Arithmetic(arithmetic));
                } else {
                    self.at += 2;
                    self.substitution(from, false, quoted, pieces)?;
                }
            }
            Some(b'{') => self.expansion(quoted, pieces)?,
            Some(b'[') => {
                self.differs("`$[`", &[Posix], from);
                let Some(end) = self.bracket_end(from + 2) else {
                    return self.refuse("unclosed `[`", from);
                };
                self.at += 2;
                let arithmetic = self.arithmetic(end)?;
                self.at = end + 1;
                pieces.push(Piece::Arithmetic(arithmetic));
            }
            Some(b'\'') if !quoted => {
                self.differs("`$'`", &[Posix], from);
                self.ansi_c(pieces)?;
            }
            Some(b'"') if !quoted => {
                self.differs("`$\"`", &[Posix], from);
                self.at += 1;
                self.double_quoted(pieces)?;
            }
            Some(b'\\') if self.peek_at(2) == Some(b'\n') => {
                return self.refuse("a line continuation inside an expansion", from);
            }
            Some(byte) if is_name_start(byte) => {
                self.at += 1;
                let name = self.name();
                if self.at_continuation() && self.peek_at(2).is_some_and(is_name) {
                    return self.refuse("a line continuation inside an expansion", from);
                }
                // zsh takes a subscript here.
                if self.peek() == Some(b'[') {
                    self.differs("`$name[`", &[Zsh], from);
                }
                pieces.push(Piece::Parameter { name, quoted });
            }
            Some(byte) if byte.is_ascii_digit() || b"@*#?-$!".contains(&byte) => {
                self.at += 2;
                pieces.push(Piece::Parameter {
                    name: char::from(byte).to_string(),
                    quoted,
                });
            }
            _ => {
                self.at += 1;
                let quoting = if quoted {
                    Quoting::Quoted
                } else {
                    Quoting::Bare
                };
                push_char(pieces, '$', quoting);
            }
        }
        Ok(())
    }

    fn name(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(is_name) {
            self.at += 1;
        }
        self.slice(start..self.at).to_owned()
    }

    /// Takes the commands of a substitution and the parenthesis after them.
    fn substitution(
        &mut self,
        from: usize,
        process: bool,
        quoted: bool,
        pieces: &mut Vec<Piece>,
    ) -> Result<(), Refusal> {
        self.enter(from)?;
        let script = self.script(End::Parenthesis)?;
        self.leave();
        self.at += 1;
        pieces.push(Piece::Substitution {
            script: Box::new(script),
            process,
            quoted,
        });
        Ok(())
    }

    /// Takes `<( … )` or `>( … )`.
    pub(super) fn process_substitution(&mut self, pieces: &mut Vec<Piece>) -> Result<(), Refusal> {
        let from = self.at;
        self.differs("a process substitution", &[Posix], from);
        self.at += 2;
        self.substitution(from, true, false, pieces)
    }

    /// Takes a substitution in backquotes.
    pub(super) fn backquoted(
        &mut self,
        quoted: bool,
        pieces: &mut Vec<Piece>,
    ) -> Result<(), Refusal> {
        let from = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.next_char() {
                None => return self.refuse("unclosed backquote", from),
                Some('`') => break,
                Some('\\') => match self.peek() {
                    Some(next) if b"$`\\".contains(&next) || (quoted && next == b'"') => {
                        self.at += 1;
                        text.push(char::from(next));
                    }
                    _ => text.push('\\'),
                },
                Some(other) => text.push(other),
            }
        }
        let span = self.source.span(from..self.at);
        self.findings.count_text(text.len(), span.clone())?;
        let source = Source::in_word(&text, span);
        characters::check(&source, self.findings)?;
        self.enter(from)?;
        let mut inner = Lexer {
            source: &source,
            text: source.text(),
            at: 0,
            limit: source.text().len(),
            depth: self.depth,
            pending: 0,
            findings: self.findings,
        };
        let script = inner.script(End::Text)?;
        self.leave();
        pieces.push(Piece::Substitution {
            script: Box::new(script),
            process: false,
            quoted,
        });
        Ok(())
    }

    /// Takes `${ … }`.
    fn expansion(&mut self, quoted: bool, pieces: &mut Vec<Piece>) -> Result<(), Refusal> {
        let from = self.at;
        self.enter(from)?;
        self.at += 2;
        let sign = self.peek();
        let named = |byte: Option<u8>| {
            byte.is_some_and(|byte| is_name(byte) || matches!(byte, b'@' | b'*'))
        };
        let indirect = sign == Some(b'!') && named(self.peek_at(1));
        let length = sign == Some(b'#') && named(self.peek_at(1));
        if indirect || length {
            self.at += 1;
        }
        let name = match self.peek() {
            Some(byte) if is_name_start(byte) => self.name(),
            Some(byte) if byte.is_ascii_digit() => self.name(),
            Some(byte) if b"@*#?-$!".contains(&byte) => {
                self.at += 1;
                char::from(byte).to_string()
            }
            None => return self.refuse("unclosed `{`", from),
            Some(_) => return self.refuse("an unknown kind of `${`", from),
        };
        let mut evaluates = Vec::new();
        let mut inner = Vec::new();
        let mut subscript = None;
        if self.peek() == Some(b'[') {
            let Some(end) = self.bracket_end(self.at + 1) else {
                return self.refuse("unclosed `[`", from);
            };
            self.at += 1;
            let key = self.slice(self.at..end).to_owned();
            let found = self.subscript(end)?;
            evaluates.extend(names_in(&found));
            inner.extend(found);
            self.at = end + 1;
            subscript = Some(key);
        }
        if self.peek() == Some(b'}') && subscript.is_none() && !indirect && !length {
            self.at += 1;
            self.leave();
            pieces.push(Piece::Parameter { name, quoted });
            return Ok(());
        }
        let operator_at = self.at;
        self.until_brace(from, quoted, &mut inner)?;
        let operation = self.slice(operator_at..self.at).to_owned();
        self.at += 1;
        self.leave();
        let is_list = indirect
            || matches!(name.as_str(), "@")
            || subscript
                .as_deref()
                .is_some_and(|key| key.contains(['@', '$', '`']))
            || inner.iter().any(is_list);
        let plain = (!indirect && !length && subscript.is_none())
            .then(|| (name.clone(), operation.clone()));
        let assigns = (operation.starts_with('=') || operation.starts_with(":=")).then_some(name);
        if is_substring(&operation) {
            let text = Piece::Text {
                text: operation.clone(),
                quoting: Quoting::Bare,
            };
            evaluates.extend(names_in(&[text]));
        }
        self.judge_operation(indirect, subscript.as_deref(), &operation, from);
        pieces.push(Piece::Expansion(Expansion {
            pieces: inner,
            assigns,
            evaluates,
            is_length: length,
            plain,
            is_one_word: quoted && !is_list,
            range: from..self.at,
        }));
        Ok(())
    }

    /// Reports expansions that run what a variable holds.
    fn judge_operation(
        &mut self,
        indirect: bool,
        subscript: Option<&str>,
        operation: &str,
        from: usize,
    ) {
        let lists_names = matches!(operation, "*" | "@")
            || (operation.is_empty() && matches!(subscript, Some("*" | "@")));
        if indirect && !lists_names {
            self.problem(
                "an indirect expansion evaluates what a variable holds",
                from,
            );
        }
        if operation.starts_with('@') && operation != "@" && !operation.starts_with("@P") {
            self.differs("a transformation of a variable", &[Posix, Zsh], from);
        }
        if operation.starts_with("@P") {
            self.problem(
                "a prompt expansion runs the commands that a variable holds",
                from,
            );
        }
        if indirect
            || subscript.is_some()
            || is_substring(operation)
            || operation.starts_with(['/', '^', ','])
        {
            self.differs("this kind of `${`", &[Posix], from);
        }
    }

    /// Takes the rest of a `${ … }`; the closing brace stays.
    fn until_brace(
        &mut self,
        from: usize,
        quoted: bool,
        pieces: &mut Vec<Piece>,
    ) -> Result<(), Refusal> {
        loop {
            match self.peek() {
                None => return self.refuse("unclosed `{`", from),
                Some(b'}') => return Ok(()),
                Some(b'\\') if self.at_continuation() => {
                    return self.refuse("a line continuation inside an expansion", from);
                }
                // Whether it quotes depends on the operator.
                Some(b'\'') if quoted => {
                    return self.refuse("a single quote in a quoted expansion", from);
                }
                Some(b'"') => self.double_quoted(pieces)?,
                Some(b'\\') => {
                    self.at += 1;
                    if let Some(next) = self.next_char() {
                        push_char(pieces, next, Quoting::Quoted);
                    }
                }
                Some(b'<' | b'>') if !quoted && self.peek_at(1) == Some(b'(') => {
                    self.process_substitution(pieces)?;
                }
                Some(b'$') => self.dollar(quoted, pieces)?,
                Some(b'`') => self.backquoted(quoted, pieces)?,
                Some(_) => self.piece(pieces)?,
            }
        }
    }

    /// Where the bracket closes whose inside starts at `from`.
    fn bracket_end(&self, from: usize) -> Option<usize> {
        let mut level = 0_usize;
        let mut at = from;
        loop {
            match self.byte(at)? {
                b'\\' => at += 1,
                b'[' => level += 1,
                b']' if level == 0 => return Some(at),
                b']' => level -= 1,
                _ => {}
            }
            at += 1;
        }
    }
}

/// Whether a piece may become several words even where it is quoted.
fn is_list(piece: &Piece) -> bool {
    match piece {
        Piece::Parameter { name, .. } => name == "@",
        Piece::Expansion(expansion) => !expansion.is_one_word,
        Piece::Array(_) | Piece::Unknown => true,
        Piece::Text { .. } | Piece::Substitution { .. } | Piece::Arithmetic(_) => false,
    }
}

/// Whether the operation is `:offset` or `:offset:length`.
fn is_substring(operation: &str) -> bool {
    operation
        .strip_prefix(':')
        .is_some_and(|rest| !rest.starts_with(['=', '-', '?', '+']))
}
