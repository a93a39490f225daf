//! Words as the shell makes them: braces, tildes, values, splitting, patterns
//! and quote removal, as far as the result is certain.

mod braces;
mod choices;
mod cut;
mod fields;
mod numbers;
mod printed;

use countersign_core::call::ShellDialect;
use countersign_core::command::{Below, Known, Word, WordValue};

pub(crate) use self::choices::literal_beginning;
use self::fields::{prefix, single_value, tilde, value};
pub(crate) use self::numbers::Output;
use crate::lex::{Arithmetic, Expansion, Lexeme, Piece, Quoting};
use crate::source::Source;
use crate::state::{Numeric, State, Value};
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
    Number { number: Numeric, quoted: bool },
    /// Not known, but it stays in one word, and no pattern acts in it.
    Opaque,
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
            Self::Empty | Self::Number { .. } | Self::Opaque | Self::Unknown => None,
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
        let span = source.span(lexeme.range.clone());
        let values = match self.choices(lexeme, state) {
            Some(choices) => self.chosen_fields(&choices, lexeme, source, state, context),
            None => {
                let atoms = self.word_atoms(lexeme, source, state, context);
                let known = if is_stream(&lexeme.pieces) {
                    Some(Known::Stream)
                } else if lexeme.head.is_none() {
                    self.found(&lexeme.pieces, state).map(Known::Below)
                } else {
                    None
                };
                if let Some(known) = known {
                    let prefix = String::new();
                    vec![WordValue::Dynamic { prefix, known }]
                } else {
                    self.fields_of(&atoms, lexeme, source, state)
                }
            }
        };
        values
            .into_iter()
            .map(|value| Word {
                value,
                span: span.clone(),
            })
            .collect()
    }

    /// The words that atoms become.
    fn fields_of(
        &mut self,
        atoms: &[Atom],
        lexeme: &Lexeme,
        source: &Source,
        state: &State,
    ) -> Vec<WordValue> {
        let Some(words) = braces::expand(atoms) else {
            return vec![WordValue::Dynamic {
                prefix: prefix(&tilde(atoms)),
                known: Known::Nothing,
            }];
        };
        let mut result = Vec::new();
        for word in words {
            for field in self.split(tilde(&word), state, lexeme, source) {
                self.spend(field.len());
                result.push(self.affordable(value(&field)));
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
        if let Some(choices) = self.choices(lexeme, state) {
            return self.chosen_value(&choices, lexeme, source, state, context);
        }
        if let Some(value) = whole_value(&lexeme.pieces, state) {
            return value;
        }
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
            _ => None,
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
                Piece::Parameter { name, quoted } => {
                    // A list stays one even where it is quoted.
                    let quoted = *quoted && name != "@";
                    let known = self.parameter(name, state);
                    self.value_atoms(&known, quoted, &mut atoms);
                }
                Piece::Expansion(expansion) => {
                    self.expansion(expansion, source, state, context);
                    let quoted = expansion.is_one_word;
                    let known = self.expanded_value(expansion, state);
                    self.value_atoms(&known, quoted, &mut atoms);
                }
                Piece::Substitution {
                    script,
                    process,
                    quoted,
                } => {
                    let output = self.substitution(script, state, context);
                    if *process {
                        atoms.push(Atom::Unknown);
                    } else {
                        self.value_atoms(&output.value(), *quoted, &mut atoms);
                    }
                }
                Piece::Arithmetic(arithmetic) => {
                    self.arithmetic(arithmetic, source, state, context);
                    atoms.push(Atom::Number {
                        number: Numeric::Integer,
                        quoted: false,
                    });
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
            other => {
                if quoted {
                    atoms.push(Atom::Empty);
                }
                if let (Value::Match { pattern, .. }, true) = (other, quoted)
                    && !pattern.starts_with('~')
                {
                    let beginning = choices::literal_beginning(pattern);
                    atoms.extend(beginning.chars().map(Atom::Quoted));
                }
                atoms.push(match other.number() {
                    Some(number) => Atom::Number { number, quoted },
                    None if quoted => Atom::Opaque,
                    None => Atom::Unknown,
                });
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
            self.sets(None, name, source.span(expansion.range.clone()));
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
            let assigned = numbers::assigned_first(arithmetic);
            for name in &arithmetic.names {
                // Which of them it sets is not known; what it sets is a number.
                let before = state.get(name).and_then(Value::number);
                let number = match before {
                    _ if assigned.as_ref() == Some(name) => Numeric::Integer,
                    Some(before) => before.or(Numeric::Integer),
                    None => Numeric::Harmless,
                };
                state.set(name, Value::Number(number));
                self.sets(None, name, source.span(arithmetic.range.clone()));
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
        let is_split =
            |atom: &Atom| matches!(atom, Atom::Split(_) | Atom::Number { quoted: false, .. });
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
            WordValue::unknown()
        } else {
            value
        }
    }
}

/// Whether a word is nothing but a process substitution.
fn is_stream(pieces: &[Piece]) -> bool {
    matches!(pieces, [Piece::Substitution { process: true, .. }])
}

impl Walker {
    /// What has been found, where that is all there is of a word.
    fn found(&mut self, pieces: &[Piece], state: &State) -> Option<Below> {
        let is_empty = |piece: &&Piece| matches!(piece, Piece::Text { text, quoting: Quoting::Quoted } if text.is_empty());
        let mut rest = pieces.iter().filter(|piece| !is_empty(piece));
        let (Some(piece), None) = (rest.next(), rest.next()) else {
            return None;
        };
        match piece {
            Piece::Parameter { name, quoted } => match state.get(name)? {
                // Without quotes only a name without blanks stays one word.
                Value::Below(below) if *quoted || below.is_split && state.splits_at_blanks() => {
                    Some(Below::clone(below))
                }
                _ => None,
            },
            Piece::Substitution {
                process: false,
                quoted: false,
                ..
            } if state.splits_at_blanks() => self.substituted.take()?.split(),
            _ => None,
        }
    }
}

/// The value of a variable that is all there is of a word.
fn whole_value(pieces: &[Piece], state: &State) -> Option<Value> {
    let mut names = pieces.iter().filter(
        |piece| !matches!(piece, Piece::Text { text, quoting: Quoting::Quoted } if text.is_empty()),
    );
    match (names.next(), names.next()) {
        (Some(Piece::Parameter { name, .. }), None) => match state.get(name)? {
            value @ (Value::Match { .. } | Value::Below(_)) => Some(value.clone()),
            _ => None,
        },
        _ => None,
    }
}
