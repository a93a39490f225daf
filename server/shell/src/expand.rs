//! Words as the shell makes them: braces, tildes, values, splitting, patterns
//! and quote removal, as far as the result is certain.

mod braces;
mod printed;

use countersign_core::call::ShellDialect;
use countersign_core::command::{Word, WordValue};

use crate::lex::{Arithmetic, Expansion, Lexeme, Piece, Quoting};
use crate::source::Source;
use crate::state::{State, Value};
use crate::walk::{Context, Walker};

/// Most characters that all words of a command may expand to.
pub(crate) const EXPANDED: usize = 256 * 1024;

/// What a word consists of once values are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Atom {
    /// As written, not quoted: braces, tildes and patterns act.
    Bare(char),
    /// From a value that is not quoted: blanks split, patterns act.
    Split(char),
    /// Exactly this.
    Quoted(char),
    /// Part of an extended pattern.
    Pattern(char),
    /// A `~` that the shell expands.
    Tilde,
    /// Nothing, but it makes a word.
    Empty,
    /// Not known, but a number.
    Number,
    /// Not known.
    Unknown,
}

impl Atom {
    const fn character(self) -> Option<char> {
        match self {
            Self::Bare(next) | Self::Split(next) | Self::Quoted(next) | Self::Pattern(next) => {
                Some(next)
            }
            Self::Tilde => Some('~'),
            Self::Empty | Self::Number | Self::Unknown => None,
        }
    }
}

impl Walker {
    /// The words that a word as written becomes.
    pub(crate) fn fields(
        &mut self,
        lexeme: &Lexeme,
        source: &Source,
        state: &mut State,
        context: &Context,
    ) -> Vec<Word> {
        let atoms = self.word_atoms(lexeme, source, state, context);
        let span = source.span(lexeme.range.clone());
        let Some(words) = braces::expand(&atoms) else {
            return vec![Word {
                value: dynamic(&tilde(&atoms)),
                span,
            }];
        };
        let mut result = Vec::new();
        for word in words {
            for field in self.split(tilde(&word), state, lexeme, source) {
                self.spend(field.len());
                result.push(Word {
                    value: self.affordable(value(&field)),
                    span: span.clone(),
                });
            }
        }
        result
    }

    /// The one word that a word as written becomes where the shell neither
    /// splits it nor expands patterns or braces: values, here-strings.
    pub(crate) fn single(
        &mut self,
        lexeme: &Lexeme,
        source: &Source,
        state: &mut State,
        context: &Context,
    ) -> Value {
        let atoms = self.atoms(&lexeme.pieces, source, state, context);
        self.spend(atoms.len());
        single_value(&tilde(&atoms))
    }

    /// The text of pieces in a context that quotes all of it: a here-document.
    pub(crate) fn quoted_text(
        &mut self,
        pieces: &[Piece],
        source: &Source,
        state: &mut State,
        context: &Context,
    ) -> Option<String> {
        let atoms = self.atoms(pieces, source, state, context);
        self.spend(atoms.len());
        match single_value(&atoms) {
            Value::Text(text) => Some(text),
            Value::Home(_) | Value::Number | Value::Unknown => None,
        }
    }

    /// Walks what stands in pieces whose text does not matter.
    pub(crate) fn visit(
        &mut self,
        pieces: &[Piece],
        source: &Source,
        state: &mut State,
        context: &Context,
    ) {
        self.atoms(pieces, source, state, context);
    }

    fn word_atoms(
        &mut self,
        lexeme: &Lexeme,
        source: &Source,
        state: &mut State,
        context: &Context,
    ) -> Vec<Atom> {
        let mut atoms = Vec::new();
        if let Some(head) = &lexeme.head {
            match &head.subscript {
                None => atoms.extend(head.text.chars().map(Atom::Bare)),
                Some(subscript) => {
                    atoms.extend(head.name.chars().map(Atom::Bare));
                    self.visit(subscript, source, state, context);
                    atoms.push(Atom::Unknown);
                }
            }
        }
        atoms.extend(self.atoms(&lexeme.pieces, source, state, context));
        atoms
    }

    fn atoms(
        &mut self,
        pieces: &[Piece],
        source: &Source,
        state: &mut State,
        context: &Context,
    ) -> Vec<Atom> {
        let mut atoms = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text { text, quoting } => match quoting {
                    Quoting::Bare => atoms.extend(text.chars().map(Atom::Bare)),
                    Quoting::Pattern => atoms.extend(text.chars().map(Atom::Pattern)),
                    Quoting::Quoted => {
                        atoms.push(Atom::Empty);
                        atoms.extend(text.chars().map(Atom::Quoted));
                    }
                },
                Piece::Parameter { name, .. } if matches!(name.as_str(), "#" | "?" | "$" | "!") => {
                    atoms.push(Atom::Number);
                }
                Piece::Parameter { name, quoted } => {
                    let known = state.get(name).cloned().unwrap_or(Value::Unknown);
                    self.value_atoms(&known, *quoted, &mut atoms);
                }
                Piece::Expansion(expansion) => {
                    self.expansion(expansion, source, state, context);
                    atoms.push(if expansion.is_length {
                        Atom::Number
                    } else {
                        Atom::Unknown
                    });
                }
                Piece::Substitution {
                    script,
                    process,
                    quoted,
                } => match self.substitution(script, state, context) {
                    Some(text) if !process => {
                        self.value_atoms(&Value::Text(text), *quoted, &mut atoms);
                    }
                    _ => atoms.push(Atom::Unknown),
                },
                Piece::Arithmetic(arithmetic) => {
                    self.arithmetic(arithmetic, source, state, context);
                    atoms.push(Atom::Number);
                }
                Piece::Array(elements) => {
                    for element in elements {
                        self.visit(&element.pieces, source, state, context);
                    }
                    atoms.push(Atom::Unknown);
                }
                Piece::Unknown => atoms.push(Atom::Unknown),
            }
        }
        atoms
    }

    /// Puts a value into a word.
    fn value_atoms(&mut self, known: &Value, quoted: bool, atoms: &mut Vec<Atom>) {
        let text = match known {
            Value::Text(text) => text,
            Value::Home(path) if atoms.iter().all(|atom| *atom == Atom::Empty) => {
                atoms.clear();
                atoms.push(Atom::Tilde);
                path.strip_prefix('~').unwrap_or(path)
            }
            Value::Number => {
                atoms.push(Atom::Number);
                return;
            }
            Value::Home(_) | Value::Unknown => {
                atoms.push(Atom::Unknown);
                return;
            }
        };
        self.spend(text.len());
        if self.is_overspent() {
            atoms.push(Atom::Unknown);
        } else if quoted {
            atoms.push(Atom::Empty);
            atoms.extend(text.chars().map(Atom::Quoted));
        } else {
            atoms.extend(text.chars().map(Atom::Split));
        }
    }

    fn expansion(
        &mut self,
        expansion: &Expansion,
        source: &Source,
        state: &mut State,
        context: &Context,
    ) {
        self.visit(&expansion.pieces, source, state, context);
        self.evaluated(&expansion.evaluates, expansion.range.clone(), source, state);
        if let Some(name) = &expansion.assigns {
            state.set(name, Value::Unknown);
        }
    }

    /// Walks an arithmetic expression and applies what it sets.
    pub(crate) fn arithmetic(
        &mut self,
        arithmetic: &Arithmetic,
        source: &Source,
        state: &mut State,
        context: &Context,
    ) {
        self.visit(&arithmetic.pieces, source, state, context);
        self.evaluated(&arithmetic.names, arithmetic.range.clone(), source, state);
        if arithmetic.assigns {
            for name in &arithmetic.names {
                state.set(name, Value::Number);
            }
        }
    }

    /// Reports values that run something when they are evaluated.
    fn evaluated(
        &mut self,
        names: &[String],
        range: std::ops::Range<usize>,
        source: &Source,
        state: &State,
    ) {
        if names.iter().any(|name| state.is_unsafe_in_arithmetic(name)) {
            self.findings.problem(
                "arithmetic evaluates a value that may run commands",
                source.span(range),
            );
        }
    }

    /// Splits a word at the blanks in its values.
    fn split(
        &mut self,
        atoms: Vec<Atom>,
        state: &State,
        lexeme: &Lexeme,
        source: &Source,
    ) -> Vec<Vec<Atom>> {
        let is_split = |atom: &Atom| matches!(atom, Atom::Split(_));
        if !atoms.iter().any(is_split) {
            // Nothing at all is no word.
            return if atoms.is_empty() {
                Vec::new()
            } else {
                vec![atoms]
            };
        }
        let acts = |atom: &Atom| matches!(atom, Atom::Split(next) if " \t\n*?[".contains(*next));
        if self.findings.dialect == ShellDialect::Zsh && atoms.iter().any(acts) {
            self.findings.problem(
                "zsh does not split or expand the value of an unquoted variable",
                source.span(lexeme.range.clone()),
            );
        }
        if !state.splits_at_blanks() {
            let unknown = |atom: Atom| if is_split(&atom) { Atom::Unknown } else { atom };
            return vec![atoms.into_iter().map(unknown).collect()];
        }
        let mut fields = Vec::new();
        let mut field = Vec::new();
        for atom in atoms {
            if matches!(atom, Atom::Split(' ' | '\t' | '\n')) {
                if !field.is_empty() {
                    fields.push(std::mem::take(&mut field));
                }
            } else {
                field.push(atom);
            }
        }
        if !field.is_empty() {
            fields.push(field);
        }
        fields
    }

    /// A value, or nothing known of it once too much has been expanded.
    fn affordable(&self, value: WordValue) -> WordValue {
        if self.is_overspent() {
            WordValue::Dynamic {
                prefix: String::new(),
            }
        } else {
            value
        }
    }
}

/// Marks a tilde that the shell expands.
fn tilde(atoms: &[Atom]) -> Vec<Atom> {
    let mut result = atoms.to_vec();
    if result.first() != Some(&Atom::Bare('~')) {
        return result;
    }
    let length = result
        .iter()
        .skip(1)
        .take_while(|atom| !matches!(atom, Atom::Bare('/' | ':')))
        .count();
    let user: Option<String> = result
        .iter()
        .skip(1)
        .take(length)
        .map(|atom| match atom {
            Atom::Bare(next) => Some(*next),
            _ => None,
        })
        .collect();
    let first = match user {
        // Quoted or expanded in part: no tilde.
        None => return result,
        Some(user) if user.starts_with(['+', '-']) => Atom::Unknown,
        Some(user) if user.starts_with(|next: char| next.is_ascii_digit()) => Atom::Unknown,
        Some(_) => Atom::Tilde,
    };
    if let Some(atom) = result.first_mut() {
        *atom = first;
    }
    result
}

fn dynamic(atoms: &[Atom]) -> WordValue {
    let prefix: String = atoms
        .iter()
        .take_while(|atom| !matches!(atom, Atom::Unknown | Atom::Number | Atom::Bare('{')))
        .filter_map(|atom| atom.character())
        .collect();
    // A tilde that the shell does not expand must not look like one it does.
    let misleads = prefix.starts_with('~') && atoms.first() != Some(&Atom::Tilde);
    WordValue::Dynamic {
        prefix: if misleads { String::new() } else { prefix },
    }
}

/// The value of a field after quote removal.
fn value(atoms: &[Atom]) -> WordValue {
    let known = |atom: &Atom| !matches!(atom, Atom::Unknown | Atom::Number);
    let tilde_later = atoms.iter().skip(1).any(|atom| *atom == Atom::Tilde);
    if !atoms.iter().all(known) || tilde_later {
        return dynamic(atoms);
    }
    let text: String = atoms.iter().filter_map(|atom| atom.character()).collect();
    let quoted_tilde = text.starts_with('~') && atoms.first() != Some(&Atom::Tilde);
    let acts = |atom: &Atom, set: &str| matches!(atom, Atom::Bare(next) | Atom::Split(next) if set.contains(*next));
    let bracket = atoms.iter().position(|atom| acts(atom, "["));
    let closes = bracket.is_some_and(|at| atoms.iter().skip(at + 1).any(|atom| acts(atom, "]")));
    let is_pattern = closes
        || atoms
            .iter()
            .any(|atom| acts(atom, "*?") || matches!(atom, Atom::Pattern(_)));
    if !is_pattern && !quoted_tilde {
        return WordValue::Literal(text);
    }
    // In a pattern from a value a backslash escapes, or not: it depends.
    if is_pattern && atoms.iter().any(|atom| acts(atom, "\\")) {
        return dynamic(atoms);
    }
    let mut pattern = String::new();
    for (at, atom) in atoms.iter().enumerate() {
        let Some(next) = atom.character() else {
            continue;
        };
        let special = matches!(atom, Atom::Quoted(_)) && "\\*?[]()|!@+".contains(next);
        let literal_tilde = pattern.is_empty() && quoted_tilde && next == '~' && at <= 1;
        if special || literal_tilde {
            pattern.push('\\');
        }
        pattern.push(next);
    }
    WordValue::Glob(pattern)
}

/// The value where nothing splits and no pattern acts.
fn single_value(atoms: &[Atom]) -> Value {
    let tilde_later = atoms.iter().skip(1).any(|atom| *atom == Atom::Tilde);
    // `PATH=a:~/b`: expanded too, somewhere in the middle.
    let after_colon = atoms
        .windows(2)
        .any(|pair| matches!(pair, [Atom::Bare(':'), Atom::Bare('~')]));
    if tilde_later || after_colon || atoms.contains(&Atom::Unknown) {
        return Value::Unknown;
    }
    if atoms.contains(&Atom::Number) {
        let numeric = |atom: &Atom| {
            atom.character()
                .is_none_or(|next| next.is_ascii_digit() || "+-* /".contains(next))
        };
        return if atoms.iter().all(numeric) {
            Value::Number
        } else {
            Value::Unknown
        };
    }
    let text: String = atoms.iter().filter_map(|atom| atom.character()).collect();
    if atoms.first() == Some(&Atom::Tilde) {
        Value::Home(text)
    } else {
        Value::Text(text)
    }
}
