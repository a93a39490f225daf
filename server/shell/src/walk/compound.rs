//! Compound commands, functions, tests.

use std::rc::Rc;

use brush_parser::ast::{self, CompoundCommand};
use countersign_core::command::{Below, Folder, Known, Origin, SimpleCommand, Word, WordValue};

use super::{Context, Place, Walker, one_word};
use crate::lex::Group;
use crate::state::{Numeric, State, Value};

impl Walker {
    pub(super) fn compound(
        &mut self,
        compound: &CompoundCommand,
        place: &Place<'_>,
        state: &mut State,
        context: &Context,
    ) {
        let context = &Context {
            input: None,
            ..context.clone()
        };
        match compound {
            CompoundCommand::BraceGroup(group) => self.list(&group.list, place, state, context),
            CompoundCommand::Subshell(subshell) => {
                match place.script.groups.get(&place.at(&subshell.loc)) {
                    Some(Group::Subshell(inner)) => {
                        self.script(inner, &mut state.clone(), context);
                    }
                    _ => self.disagreement(place),
                }
            }
            CompoundCommand::Arithmetic(arithmetic) => {
                match place.script.groups.get(&place.at(&arithmetic.loc)) {
                    Some(Group::Arithmetic(expression)) => {
                        let span = place.span(expression.range.clone());
                        self.list_named(&["((", "))"], span, state, context);
                        self.arithmetic(expression, &place.script.source, state, context);
                    }
                    _ => self.disagreement(place),
                }
            }
            CompoundCommand::ForClause(clause) => self.for_clause(clause, place, state, context),
            // Loops over arithmetic are shown to the parser as lists.
            CompoundCommand::ArithmeticForClause(_) => self.disagreement(place),
            CompoundCommand::CaseClause(clause) => self.case_clause(clause, place, state, context),
            CompoundCommand::IfClause(clause) => self.if_clause(clause, place, state, context),
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                let ast::WhileOrUntilClauseCommand(condition, body, _) = clause;
                self.repeat(state, |walker, state| {
                    walker.list(condition, place, state, context);
                    walker.list(&body.list, place, state, context);
                });
            }
            CompoundCommand::Coprocess(coprocess) => {
                if let Some(name) = &coprocess.name {
                    place.lexeme(name);
                }
                let span = place.script.range.clone();
                let index = self.list_named(&["coproc"], place.span(span), state, context);
                let context = Context {
                    origin: index.map_or(context.origin, |by| Origin::Launched { by }),
                    found: None,
                    ..context.clone()
                };
                self.command(&coprocess.body, place, &mut state.clone(), &context);
            }
        }
    }

    /// Lists a command of literal words that stands for a construct.
    fn list_named(
        &mut self,
        names: &[&str],
        span: std::ops::Range<usize>,
        state: &State,
        context: &Context,
    ) -> Option<usize> {
        let words = names.iter().map(|name| Word {
            value: WordValue::Literal((*name).to_owned()),
            span: span.clone(),
        });
        self.list_command(SimpleCommand {
            words: words.collect(),
            redirects: context.redirects.clone(),
            stdin: context.stdin,
            folder: state.folder().clone(),
            origin: context.origin,
            span: span.clone(),
            ..SimpleCommand::default()
        })
    }

    pub(super) fn disagreement(&mut self, place: &Place<'_>) {
        let span = place.span(place.script.range.clone());
        self.findings
            .problem("the parser reads the groups differently", span);
    }

    /// Walks what may run any number of times.
    fn repeat(&mut self, state: &mut State, walk: impl Fn(&mut Self, &mut State)) {
        if self.is_probing() {
            state.forget();
            walk(self, state);
            return;
        }
        let probe = self.probe(state, &walk);
        state.may_repeat(&probe);
        let mut ran = state.clone();
        walk(self, &mut ran);
        state.join(&ran);
    }

    fn for_clause(
        &mut self,
        clause: &ast::ForClauseCommand,
        place: &Place<'_>,
        state: &mut State,
        context: &Context,
    ) {
        let at = place.at(&clause.loc);
        if let Some(head) = place.script.loops.get(&at) {
            self.repeat(state, |walker, state| {
                walker.arithmetic(head, &place.script.source, state, context);
                walker.list(&clause.body.list, place, state, context);
            });
            return;
        }
        let mut words = Vec::new();
        for word in clause.values.iter().flatten() {
            match place.lexeme(word) {
                Some(lexeme) => {
                    words.extend(self.fields(lexeme, &place.script.source, state, context));
                }
                None => self.disagreement(place),
            }
        }
        self.claim_loop_name(clause, at, place);
        // `select`, which is shown to the parser as `for`, sets it to nothing
        // where there is no such word.
        let rest = place.script.source.text().get(at..).unwrap_or_default();
        let value = match &clause.values {
            Some(_) if rest.starts_with("for") => self.loop_value(&words, state),
            _ => Value::Unknown,
        };
        self.repeat(state, |walker, state| {
            state.set(&clause.variable_name, value.clone());
            walker.sets(None, &clause.variable_name, place.span(at..at));
            walker.list(&clause.body.list, place, state, context);
        });
    }

    /// What a loop's variable is: one of the words.
    fn loop_value(&mut self, words: &[Word], state: &State) -> Value {
        let mut values = Vec::new();
        for word in words {
            match &word.value {
                WordValue::Dynamic {
                    known: Known::OneOf(choice),
                    ..
                } if !choice.splits => {
                    values.extend(choice.values.iter().map(|value| single(value, state)));
                }
                value => values.push(single(value, state)),
            }
        }
        self.choices += 1;
        Value::one_of(Some(self.choices), values)
    }

    /// The parser does not say where the name of the loop's variable is.
    fn claim_loop_name(&mut self, clause: &ast::ForClauseCommand, at: usize, place: &Place<'_>) {
        let name = place.script.words.range(at + 1..).next();
        match name {
            Some((start, lexeme))
                if crate::lex::plain_text(&lexeme.pieces).as_ref()
                    == Some(&clause.variable_name)
                    && is_name(&clause.variable_name) =>
            {
                place.script.claimed.borrow_mut().insert(*start);
            }
            _ => self.disagreement(place),
        }
    }

    fn case_clause(
        &mut self,
        clause: &ast::CaseClauseCommand,
        place: &Place<'_>,
        state: &mut State,
        context: &Context,
    ) {
        self.visit_word(&clause.value, place, state, context);
        let mut outcomes = state.clone();
        for item in &clause.cases {
            for pattern in &item.patterns {
                self.visit_word(pattern, place, state, context);
            }
            if let Some(commands) = &item.cmd {
                // With `;&` it runs after the one before.
                let mut branch = outcomes.clone();
                self.list(commands, place, &mut branch, context);
                outcomes.join(&branch);
            }
        }
        *state = outcomes;
    }

    fn visit_word(
        &mut self,
        word: &ast::Word,
        place: &Place<'_>,
        state: &mut State,
        context: &Context,
    ) {
        match place.lexeme(word) {
            Some(lexeme) => self.visit(&lexeme.pieces, &place.script.source, state, context),
            None => self.disagreement(place),
        }
    }

    fn if_clause(
        &mut self,
        clause: &ast::IfClauseCommand,
        place: &Place<'_>,
        state: &mut State,
        context: &Context,
    ) {
        let before = state.folder().clone();
        self.list(&clause.condition, place, state, context);
        let mut branch = state.clone();
        self.list(&clause.then, place, &mut branch, context);
        // With an `else` one of the branches surely runs.
        let mut parts = clause.elses.iter().flatten();
        let is_complete = parts.any(|part| part.condition.is_none());
        let mut outcomes = if is_complete {
            branch
        } else {
            let mut outcomes = state.clone();
            outcomes.join(&branch);
            outcomes
        };
        // The conditions have failed, perhaps at a `cd`.
        let mut failed = state.clone();
        for part in clause.elses.iter().flatten() {
            if *failed.folder() != before {
                failed.set_folder(Folder::Unknown);
            }
            if let Some(condition) = &part.condition {
                self.list(condition, place, &mut failed, context);
            }
            if part.condition.is_some() && !is_complete {
                outcomes.join(&failed);
            }
            let mut branch = failed.clone();
            self.list(&part.body, place, &mut branch, context);
            outcomes.join(&branch);
        }
        *state = outcomes;
    }

    /// A function may run at any later time, or never.
    pub(super) fn function(
        &mut self,
        function: &ast::FunctionDefinition,
        place: &Place<'_>,
        state: &mut State,
        context: &Context,
    ) {
        let name = match place.lexeme(&function.fname) {
            Some(lexeme) => {
                let span = place.span(lexeme.range.clone());
                let name = crate::lex::plain_text(&lexeme.pieces).unwrap_or_default();
                self.findings
                    .problem(format!("defines a function `{name}`"), span);
                name
            }
            None => return self.disagreement(place),
        };
        self.functions.insert(name);
        let ast::FunctionBody(body, redirects) = &function.body;
        let context = Context {
            origin: Origin::Function,
            stdin: countersign_core::command::Stdin::Inherited,
            input: None,
            has_own_input: false,
            found: None,
            redirects: Vec::new(),
            depth: context.depth,
        };
        let mut at_call = state.probe();
        let context = self.redirected(redirects.as_ref(), place, &mut at_call, &context);
        self.compound(body, place, &mut at_call, &context);
        state.may_happen(&at_call);
    }

    /// `[[ … ]]` is listed like the command `[`.
    pub(super) fn extended_test(
        &mut self,
        test: &ast::ExtendedTestExprCommand,
        place: &Place<'_>,
        state: &mut State,
        context: &Context,
    ) {
        let start = place.at(&test.loc);
        let end = place.script.range.start + test.loc.end.index;
        let span = place.span(start..end);
        let Some(index) = self.list_named(&["[["], span.clone(), state, context) else {
            return;
        };
        // All words between the brackets are operators or operands.
        let script = place.script;
        let mut words = Vec::new();
        let mut evaluates = None;
        for (at, lexeme) in script.words.range(start + 1..end) {
            script.claimed.borrow_mut().insert(*at);
            let raw = script.source.text().get(lexeme.range.clone());
            let word_span = place.span(lexeme.range.clone());
            let value = self.single(lexeme, &script.source, state, context);
            let (value, text) = match value {
                Value::Text(text) => {
                    let head = lexeme.head.as_ref().map_or("", |head| head.text.as_str());
                    let text = format!("{head}{text}");
                    (WordValue::Literal(text.clone()), Some(text))
                }
                Value::Home(text) => (WordValue::Literal(text), None),
                other => (one_word(&other), None),
            };
            let compares = matches!(raw, Some("-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge"));
            if matches!(raw, Some("-v" | "-R")) || compares {
                evaluates = Some(word_span.clone());
            }
            words.push((text, raw.map(str::to_owned), compares));
            if let Some(command) = self.commands.get_mut(index) {
                command.words.push(Word {
                    value,
                    span: word_span,
                });
            }
        }
        if evaluates.is_some() {
            self.judge_test(&words, span, state);
        }
    }

    /// Operands of `-v` and of arithmetic comparisons are evaluated, with the
    /// substitutions in their subscripts.
    fn judge_test(
        &mut self,
        words: &[(Option<String>, Option<String>, bool)],
        span: std::ops::Range<usize>,
        state: &State,
    ) {
        let harmless = |operand: Option<&(Option<String>, Option<String>, bool)>| {
            operand.is_none_or(|(text, raw, _)| match text {
                Some(text) => {
                    !text.contains(['[', '$', '`']) && !state.is_unsafe_in_arithmetic(text)
                }
                // `$name`: the value is evaluated.
                None => raw.as_ref().is_some_and(|raw| {
                    let name = raw.trim_matches('"').trim_start_matches('$');
                    name == "#"
                        || name == "?"
                        || (is_name(name) && !state.is_unsafe_in_arithmetic(name))
                }),
            })
        };
        for (at, (_, raw, compares)) in words.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|index| words.get(index));
            let tests_variable = matches!(raw.as_deref(), Some("-v" | "-R"));
            let fine = match (compares, tests_variable) {
                (true, _) => harmless(before) && harmless(words.get(at + 1)),
                (false, true) => words
                    .get(at + 1)
                    .is_none_or(|(text, _, _)| text.as_ref().is_some_and(|text| is_name(text))),
                (false, false) => true,
            };
            if !fine {
                self.findings.problem(
                    "a test evaluates a value that may run commands",
                    span.clone(),
                );
            }
        }
    }
}

/// The value that a loop's variable gets from a word.
fn single(word: &WordValue, state: &State) -> Value {
    match word {
        WordValue::Literal(text) if text.starts_with('~') => Value::Home(text.clone()),
        WordValue::Literal(text) => Value::Text(text.clone()),
        WordValue::Glob(pattern) => Value::Match {
            pattern: pattern.clone(),
            folder: state.folder().clone(),
        },
        WordValue::Dynamic { known, .. } => match known {
            Known::Natural => Value::Number(Numeric::Count),
            Known::Integer => Value::Number(Numeric::Integer),
            Known::Below(below) => Value::Below(Rc::new(Below {
                several: false,
                ..below.clone()
            })),
            _ => Value::Unknown,
        },
    }
}

/// Whether the text is a variable's name.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}
