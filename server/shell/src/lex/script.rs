//! A list of commands: operators, comments, groups, and where a `)` closes
//! what.
//!
//! Knows just enough of the grammar to tell the `)` of a `case` pattern from
//! the end of a substitution, and a comment, `[[`, `((` from words that only
//! look so. Where it misjudges, its words differ from the parser's and the
//! text is not understood.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use countersign_core::call::ShellDialect::{Posix, Zsh};

use super::here::Pending;
use super::word::Kind;
use super::{Group, Lexeme, Lexer, Piece, Quoting, Script};
use crate::findings::Refusal;

/// Where a script ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With the text.
    Text,
    /// At the `)` that closes it, which stays.
    Parenthesis,
}

/// What may stand next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// A command or keyword.
    Command,
    /// A command, assignment or redirect, but no keyword.
    Prefix,
    /// A word of a command.
    Argument,
    /// A word of a command that declares variables.
    Declaration,
    /// The name in `for name`, `function name`.
    Name,
}

/// Where in a `case` the place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Subject,
    In,
    /// Before a pattern; `)` or `(` belongs to it.
    Pattern,
    Body,
}

/// Operators between commands; longer ones first.
const SEPARATORS: &[&str] = &[";;&", ";;", ";&", ";", "&&", "&", "||", "|&", "|"];

pub(super) struct State {
    pub(super) start: usize,
    pub(super) masked: Vec<u8>,
    pub(super) script: Script,
    pub(super) position: Position,
    pub(super) pending: Vec<Pending>,
    pub(super) cases: Vec<Case>,
    /// Compound commands that have not ended yet.
    pub(super) open: usize,
    /// Where the last `for` stands, until its head is complete.
    pub(super) for_at: Option<usize>,
    /// Inside `[[ … ]]`, with so many parentheses open.
    pub(super) test: Option<usize>,
    /// `!` in a row in such a test: each is a level for the parser.
    pub(super) negations: usize,
    /// The next word is the right side of `=~`.
    pub(super) regex: bool,
}

impl State {
    /// Fills the masked text up to `at`.
    pub(super) fn fill(&mut self, at: usize, with: u8) {
        let length = at.saturating_sub(self.start);
        if length > self.masked.len() {
            self.masked.resize(length, with);
        }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.masked.extend_from_slice(text.as_bytes());
    }
}

impl Lexer<'_> {
    /// Takes commands up to where they end.
    pub(super) fn script(&mut self, end: End) -> Result<Script, Refusal> {
        let start = self.at;
        let depth = self.depth;
        let mut state = State {
            start,
            masked: Vec::new(),
            script: Script {
                source: self.source.clone(),
                range: start..start,
                masked: String::new(),
                words: BTreeMap::new(),
                groups: BTreeMap::new(),
                loops: BTreeMap::new(),
                redirects: BTreeMap::new(),
                claimed: RefCell::default(),
                program: OnceCell::new(),
            },
            position: Position::Command,
            pending: Vec::new(),
            cases: Vec::new(),
            open: 0,
            for_at: None,
            test: None,
            negations: 0,
            regex: false,
        };
        while self.step(&mut state, end)? {}
        if end == End::Parenthesis && self.peek().is_none() {
            return self.refuse("unclosed `(`", start);
        }
        if !state.pending.is_empty() {
            return self.refuse("unclosed here-document", start);
        }
        if state.test.is_some() {
            return self.refuse("unclosed `[[`", start);
        }
        self.depth = depth;
        state.fill(self.at, b' ');
        let mut script = state.script;
        script.range = start..self.at;
        // Only ASCII is ever put there.
        script.masked = String::from_utf8(state.masked).unwrap_or_default();
        Ok(script)
    }

    /// Takes one token; `false` at the end.
    fn step(&mut self, state: &mut State, end: End) -> Result<bool, Refusal> {
        let from = self.at;
        let Some(byte) = self.peek() else {
            return Ok(false);
        };
        match byte {
            b' ' | b'\t' => {
                self.at += 1;
                state.fill(self.at, b' ');
            }
            b'\\' if self.at_continuation() => self.continuation(state)?,
            b'\n' => self.newline(state)?,
            b'#' => {
                self.comment();
                state.fill(self.at, b' ');
            }
            b'<' | b'>' if state.test.is_none() && self.peek_at(1) != Some(b'(') => {
                self.redirect(state)?;
            }
            b'<' | b'>' if state.test.is_some() => {
                self.at += 1;
                state.fill(self.at, byte);
            }
            b'&' if self.peek_at(1) == Some(b'>') => self.redirect(state)?,
            b';' | b'&' | b'|' => self.separator(state),
            b'(' => self.open_parenthesis(state)?,
            b')' => match (state.test, state.cases.last_mut()) {
                (Some(level), _) => {
                    if level == 0 {
                        return self.refuse("unmatched `)`", from);
                    }
                    self.leave();
                    state.test = Some(level - 1);
                    self.raw(state, ")");
                }
                (None, Some(case)) => {
                    if *case != Case::Pattern {
                        return self.refuse("unmatched `)`", from);
                    }
                    *case = Case::Body;
                    state.position = Position::Command;
                    self.raw(state, ")");
                }
                (None, None) if end == End::Parenthesis => return Ok(false),
                (None, None) => return self.refuse("unmatched `)`", from),
            },
            _ => self.script_word(state)?,
        }
        Ok(true)
    }

    /// Takes an operator that the parser sees as it is.
    fn raw(&mut self, state: &mut State, operator: &str) {
        state.fill(self.at, b' ');
        self.at += operator.len();
        state.push(operator);
    }

    /// Takes a line continuation between words.
    fn continuation(&mut self, state: &mut State) -> Result<(), Refusal> {
        let operator = |byte: Option<u8>| byte.is_some_and(|byte| b";&|<>()!$\\".contains(&byte));
        if operator(self.before()) && operator(self.peek_at(2)) {
            return self.refuse("a line continuation inside an operator", self.at);
        }
        self.at += 2;
        state.fill(self.at, b' ');
        Ok(())
    }

    fn newline(&mut self, state: &mut State) -> Result<(), Refusal> {
        self.raw(state, "\n");
        if state.test.is_none() {
            self.end_command(state);
        }
        if self.pending > state.pending.len() {
            return self.refuse("a here-document across lines of a substitution", self.at);
        }
        for pending in std::mem::take(&mut state.pending) {
            let body = self.body(&pending)?;
            if let Some(redirect) = state.script.redirects.get_mut(&pending.key) {
                redirect.body = Some(body);
            }
        }
        state.fill(self.at, b' ');
        Ok(())
    }

    pub(super) fn end_command(&mut self, state: &mut State) {
        state.position = Position::Command;
        state.for_at = None;
    }

    fn separator(&mut self, state: &mut State) {
        let from = self.at;
        let Some(operator) = SEPARATORS
            .iter()
            .find(|operator| self.rest().starts_with(**operator))
        else {
            return;
        };
        self.raw(state, operator);
        if matches!(*operator, ";&" | ";;&" | "|&") {
            self.differs(&format!("`{operator}`"), &[Posix], from);
        }
        if *operator == "&" && matches!(self.peek(), Some(b'!' | b'|')) {
            self.differs("`&!`", &[Zsh], from);
        }
        if (operator.starts_with(";;") || *operator == ";&")
            && let Some(case) = state.cases.last_mut()
        {
            *case = Case::Pattern;
        }
        if state.test.is_none() && !(*operator == "|" && state.cases.last() == Some(&Case::Pattern))
        {
            self.end_command(state);
        }
    }

    fn open_parenthesis(&mut self, state: &mut State) -> Result<(), Refusal> {
        let from = self.at;
        if let Some(level) = state.test {
            self.enter(from)?;
            state.test = Some(level + 1);
            self.raw(state, "(");
            return Ok(());
        }
        if state.cases.last() == Some(&Case::Pattern) {
            self.raw(state, "(");
            return Ok(());
        }
        let mut blanks = 1;
        while matches!(self.peek_at(blanks), Some(b' ' | b'\t')) {
            blanks += 1;
        }
        if self.peek_at(blanks) == Some(b')') {
            // A function's: its body follows.
            self.raw(state, "(");
            self.at = from + blanks;
            state.fill(self.at, b' ');
            self.raw(state, ")");
            state.position = Position::Command;
            return Ok(());
        }
        if self.peek_at(1) == Some(b'(')
            && (state.position == Position::Command || state.for_at.is_some())
        {
            self.differs("`((`", &[Posix], from);
            if let Some(end) = self.double_parenthesis_end(from + 2) {
                return self.double_parenthesis(state, end);
            }
        }
        self.enter(from)?;
        self.raw(state, "(");
        let child = self.script(End::Parenthesis)?;
        self.leave();
        state.fill(self.at, b'%');
        self.raw(state, ")");
        state.script.groups.insert(from, Group::Subshell(child));
        state.position = Position::Command;
        Ok(())
    }

    /// Takes `(( … ))`, a command or the head of a loop.
    fn double_parenthesis(&mut self, state: &mut State, end: usize) -> Result<(), Refusal> {
        let from = self.at;
        self.at += 2;
        let arithmetic = self.arithmetic(end)?;
        self.at = end + 2;
        if let Some(for_at) = state.for_at.take() {
            // The parser would take `;;` for another operator, so it is shown
            // a list of names.
            state.script.loops.insert(for_at, arithmetic);
            let names = if matches!(self.byte(from.wrapping_sub(1)), Some(b' ' | b'\t')) {
                "% in %"
            } else {
                " % in %"
            };
            if self.at - from < names.len() {
                return self.refuse("an empty loop head", from);
            }
            state.push(names);
            state.fill(self.at, b'%');
            while matches!(self.peek(), Some(b' ' | b'\t')) {
                self.at += 1;
            }
            if !matches!(self.peek(), Some(b';' | b'\n')) {
                if self.at == end + 2 {
                    return self.refuse("a loop without a separator", from);
                }
                state.push(";");
            }
            state.fill(self.at, b' ');
            state.position = Position::Command;
        } else {
            state.push("((");
            state.fill(end, b'%');
            state.push("))");
            state
                .script
                .groups
                .insert(from, Group::Arithmetic(arithmetic));
            state.position = Position::Command;
        }
        Ok(())
    }

    /// Takes a word and follows what it does to the grammar.
    fn script_word(&mut self, state: &mut State) -> Result<(), Refusal> {
        let from = self.at;
        if self.negated_subshell(state) {
            return Ok(());
        }
        let kind = match state.position {
            _ if std::mem::take(&mut state.regex) => Kind::Regex,
            _ if state.test.is_some() => Kind::Test,
            Position::Command | Position::Prefix | Position::Declaration => Kind::Assignable,
            Position::Argument | Position::Name => Kind::Ordinary,
        };
        let word = self.word(kind)?;
        let raw = self.slice(from..self.at).to_owned();
        if self.redirect_variable(&raw, &word) {
            self.problem("a redirect to a descriptor in a variable", from);
            state.fill(self.at, b' ');
            return Ok(());
        }
        let is_descriptor = matches!(self.peek(), Some(b'<' | b'>'))
            && raw.bytes().all(|byte| byte.is_ascii_digit());
        if is_descriptor {
            if raw.len() > 4 {
                return self.refuse("a large descriptor number", from);
            }
            // Not a word, but the first part of the redirect.
            state.push(&raw);
            return Ok(());
        }
        self.mask_word(state, &word, &raw);
        self.follow(state, &word, &raw)?;
        state.script.words.insert(from, word);
        Ok(())
    }

    /// Takes the `!` of `!(`, which negates unless extended patterns are on.
    fn negated_subshell(&mut self, state: &mut State) -> bool {
        if state.test.is_some() || self.peek() != Some(b'!') || self.peek_at(1) != Some(b'(') {
            return false;
        }
        if state.position != Position::Command {
            return false;
        }
        let from = self.at;
        self.problem("`!(` may be a pattern or a negated subshell", from);
        state.script.words.insert(
            from,
            Lexeme {
                head: None,
                pieces: vec![Piece::Text {
                    text: "!".to_owned(),
                    quoting: Quoting::Bare,
                }],
                range: from..from + 1,
            },
        );
        self.raw(state, "!");
        true
    }

    /// Shows the parser a word: as it is where the grammar may care for it.
    fn mask_word(&self, state: &mut State, word: &Lexeme, raw: &str) {
        let simple = |byte: u8| super::is_name(byte) || b"-=!~./+".contains(&byte);
        let is_command = state.test.is_none()
            && state.position == Position::Command
            && matches!(state.cases.last(), None | Some(Case::Body));
        if raw == "select" && is_command {
            // The parser does not know it; its grammar is that of `for`.
            state.push("for");
            state.fill(self.at, b' ');
        } else if let Some(head) = &word.head {
            state.push(&head.name);
            let rest = head.text.len() - head.name.len() - 1 - usize::from(head.append);
            state.push(&"_".repeat(rest));
            state.push(if head.append { "+=" } else { "=" });
        } else if matches!(raw, "{" | "}" | "[[" | "]]") || raw.bytes().all(simple) {
            // An `=` after other than a name is no assignment to the parser.
            state.push(raw);
        }
        state.fill(self.at, b'%');
    }
}
