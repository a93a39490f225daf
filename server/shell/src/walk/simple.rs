//! One simple command: words, assignments, redirects, and what it changes.

use brush_parser::ast::{self, CommandPrefixOrSuffixItem as Item};
use countersign_core::command::{Assignment, Known, SimpleCommand, Word, WordValue};
use countersign_core::programs;

use super::{Context, Place, Walker, one_word};
use crate::lex::{Lexeme, names_in};
use crate::state::{State, Value};

/// Commands that take assignments for arguments.
pub(crate) const DECLARING: &[&str] = &["declare", "export", "local", "readonly", "typeset"];

/// Interpreters whose programs are looked at, and how they may be started.
const INTERPRETERS: &[&str] = &[
    "python", "timeout", "time", "nice", "nohup", "stdbuf", "command",
];

/// Whether a command, or what it starts, may be an interpreter that reads its
/// program from standard input.
fn interprets(command: &SimpleCommand) -> bool {
    let name = command.name().map(programs::bare_name).unwrap_or_default();
    INTERPRETERS.iter().any(|known| name.starts_with(known))
}

/// Built-ins after which an assignment before them may last.
const LASTING: &[&str] = &[
    ".", ":", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set",
    "shift", "source", "times", "trap", "unset",
];

impl Walker {
    pub(super) fn simple(
        &mut self,
        simple: &ast::SimpleCommand,
        place: &Place<'_>,
        state: &mut State,
        context: &Context,
    ) {
        let Some(index) = self.list_command(SimpleCommand {
            folder: state.folder().clone(),
            origin: context.origin,
            ..SimpleCommand::default()
        }) else {
            return;
        };
        let mut command = SimpleCommand {
            stdin: context.stdin,
            folder: state.folder().clone(),
            origin: context.origin,
            ..SimpleCommand::default()
        };
        let mut span: Option<std::ops::Range<usize>> = None;
        let mut widen = |with: std::ops::Range<usize>| {
            span = Some(match span.take() {
                Some(old) => old.start.min(with.start)..old.end.max(with.end),
                None => with,
            });
        };
        let mut inner = context.clone();
        inner.has_own_input = false;
        let (mut assigned, mut redirects) = (Vec::new(), Vec::new());
        let prefix = simple.prefix.iter().flat_map(|prefix| &prefix.0);
        for item in prefix {
            match item {
                Item::IoRedirect(redirect) => redirects.push(redirect),
                Item::AssignmentWord(_, word) => match place.lexeme(word) {
                    Some(lexeme) if lexeme.head.is_some() => assigned.push(lexeme),
                    _ => self.disagreement(place),
                },
                Item::Word(_) | Item::ProcessSubstitution(..) => self.disagreement(place),
            }
        }
        let mut lexemes = Vec::new();
        let suffix = simple.suffix.iter().flat_map(|suffix| &suffix.0);
        for word in simple
            .word_or_name
            .iter()
            .map(Some)
            .chain(suffix.map(|item| match item {
                Item::AssignmentWord(_, word) | Item::Word(word) => Some(word),
                Item::IoRedirect(redirect) => {
                    redirects.push(redirect);
                    None
                }
                Item::ProcessSubstitution(..) => None,
            }))
        {
            let Some(word) = word else { continue };
            match place.lexeme(word) {
                Some(lexeme) => lexemes.push(lexeme),
                None => self.disagreement(place),
            }
        }
        // The parser takes it for a keyword only where it stands first.
        if let Some(first) = lexemes.first()
            && place.script.source.text().get(first.range.clone()) == Some("time")
        {
            let span = place.span(first.range.clone());
            self.findings.problem("`time` after `!` or `time`", span);
        }
        let mut declares = false;
        for lexeme in lexemes {
            widen(place.span(lexeme.range.clone()));
            if declares && lexeme.head.is_some() {
                let word = self.declared(lexeme, place, state, context);
                command.words.push(word);
                continue;
            }
            let words = self.fields(lexeme, &place.script.source, state, context);
            command.words.extend(words);
            declares = command.name().is_some_and(|name| DECLARING.contains(&name));
        }
        for redirect in redirects {
            let found = self.redirect(redirect, place, state, &mut inner);
            if let Some(redirect) = found {
                widen(redirect.span.clone());
                command.redirects.push(redirect);
            }
        }
        // Only what nobody else may have read a part of.
        if inner.has_own_input && interprets(&command) {
            command.input.clone_from(&inner.input);
        }
        command.redirects.extend(context.redirects.iter().cloned());
        command.stdin = inner.stdin;
        let is_bare = command.words.is_empty();
        let mut own = state.clone();
        for lexeme in assigned {
            widen(place.span(lexeme.range.clone()));
            let assignment = self.assign(lexeme, place, &mut own, context, !is_bare);
            command.assignments.extend(assignment);
        }
        command.span = span.unwrap_or_default();
        if let Some(text) = &inner.input {
            self.inputs.insert(index, text.clone());
        }
        if let Some(found) = &inner.found {
            self.found.insert(index, found.clone());
        }
        let names: Vec<(String, Option<Value>)> = command
            .assignments
            .iter()
            .map(|assignment| {
                (
                    assignment.name.clone(),
                    state.get(&assignment.name).cloned(),
                )
            })
            .collect();
        let lasts = command.name().is_some_and(|name| LASTING.contains(&name));
        if let Some(slot) = self.commands.get_mut(index) {
            *slot = command;
        }
        *state = own;
        if is_bare {
            return;
        }
        self.run(index, state, &inner);
        self.last = Some(index);
        for (name, value) in names {
            if lasts {
                state.set(&name, Value::Unknown);
            } else {
                state.restore(&name, value);
            }
        }
    }

    /// `name=value` as an argument of `export` and the like: not split.
    fn declared(
        &mut self,
        lexeme: &Lexeme,
        place: &Place<'_>,
        state: &mut State,
        context: &Context,
    ) -> Word {
        let source = &place.script.source;
        let span = place.span(lexeme.range.clone());
        let head = lexeme.head.as_ref();
        if let Some(subscript) = head.and_then(|head| head.subscript.as_ref()) {
            self.visit(subscript, source, state, context);
        }
        let text = head.map_or("", |head| head.text.as_str());
        let value = match self.single(lexeme, source, state, context) {
            Value::Text(value) | Value::Home(value) => WordValue::Literal(format!("{text}{value}")),
            _ => WordValue::Dynamic {
                prefix: text.to_owned(),
                known: Known::OneWord,
            },
        };
        Word { value, span }
    }

    /// An assignment before a command, or on its own.
    fn assign(
        &mut self,
        lexeme: &Lexeme,
        place: &Place<'_>,
        state: &mut State,
        context: &Context,
        for_this_command: bool,
    ) -> Option<Assignment> {
        let source = &place.script.source;
        let head = lexeme.head.as_ref()?;
        let span = place.span(lexeme.range.clone());
        let mut value = self.single(lexeme, source, state, context);
        if let Some(subscript) = &head.subscript {
            self.visit(subscript, source, state, context);
            let names = names_in(subscript);
            if names.iter().any(|name| state.is_unsafe_in_arithmetic(name)) {
                self.findings.problem(
                    "arithmetic evaluates a value that may run commands",
                    span.clone(),
                );
            }
            value = Value::Unknown;
        }
        if head.append {
            value = match (state.get(&head.name), value) {
                (Some(Value::Text(old)), Value::Text(new)) => Value::Text(format!("{old}{new}")),
                _ => Value::Unknown,
            };
        }
        let shown = match &value {
            Value::Text(text) | Value::Home(text) => WordValue::Literal(text.clone()),
            other => one_word(other),
        };
        state.set(&head.name, value);
        Some(Assignment {
            name: head.name.clone(),
            value: Some(shown),
            for_this_command,
            span,
        })
    }
}
