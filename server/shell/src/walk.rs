//! Walks the grammar of a script in the order in which it runs and lists its
//! simple commands, with what is known of variables and folder at each.

mod compound;
mod redirects;
mod simple;
mod stdin;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use brush_parser::ast;
use countersign_core::call::ShellDialect;
use countersign_core::command::{
    CommandView, Folder, Known, Origin, Redirect, SimpleCommand, Stdin, WordValue,
};

pub(crate) use self::compound::is_name;
pub(crate) use self::simple::DECLARING;
use crate::expand::{EXPANDED, Output};
use crate::findings::{COMMANDS, Findings, NESTING, Refusal};
use crate::launch::{Found, printed_paths};
use crate::lex::{self, Lexeme, Script};
use crate::source::Source;
use crate::state::{Numeric, State, Value};

/// How what is walked comes to run.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) origin: Origin,
    pub(crate) stdin: Stdin,
    /// The text on standard input, where it is known.
    pub(crate) input: Option<String>,
    /// Whether a redirect of the command itself gives its standard input.
    pub(crate) has_own_input: bool,
    /// The paths on standard input, where it is nothing else.
    pub(crate) found: Option<Found>,
    /// Redirects of the compound commands around.
    pub(crate) redirects: Vec<Redirect>,
    /// Nesting of texts and groups around.
    pub(crate) depth: usize,
}

impl Context {
    /// That of commands which a substitution runs.
    fn substituted(&self) -> Self {
        Self {
            origin: Origin::Substituted,
            input: None,
            ..self.clone()
        }
    }
}

/// The analysis of one command.
pub(crate) struct Walker {
    pub(crate) commands: Vec<SimpleCommand>,
    pub(crate) findings: Findings,
    /// Texts on the standard input of commands, by index.
    pub(crate) inputs: BTreeMap<usize, String>,
    /// Functions defined so far.
    pub(crate) functions: BTreeSet<String>,
    /// Commands that are listed because a wrapper is not understood; they do
    /// not count as commands of the text.
    pub(crate) guesses: usize,
    /// Whether a limit is reached: nothing more is listed.
    full: bool,
    /// Characters that words have expanded to.
    expanded: usize,
    /// Whether effects are only probed: nothing that is found stays.
    probing: bool,
    /// Paths on the standard input of commands, by index.
    pub(crate) found: BTreeMap<usize, Found>,
    /// The paths that the last substitution prints.
    pub(crate) substituted: Option<Found>,
    /// The paths that the last pipeline prints.
    piped: Option<Found>,
    /// The simple command that was walked last.
    last: Option<usize>,
    /// How many choices there are of one value out of several.
    choices: usize,
    /// How often words have been expanded with one of several values.
    pub(crate) chosen: usize,
}

impl Walker {
    pub(crate) const fn new(dialect: ShellDialect) -> Self {
        Self {
            commands: Vec::new(),
            findings: Findings::new(dialect),
            inputs: BTreeMap::new(),
            functions: BTreeSet::new(),
            guesses: 0,
            full: false,
            expanded: 0,
            probing: false,
            found: BTreeMap::new(),
            substituted: None,
            piped: None,
            last: None,
            choices: 0,
            chosen: 0,
        }
    }

    pub(crate) fn view(self) -> CommandView {
        CommandView {
            commands: self.commands,
            problems: self.findings.problems,
        }
    }

    pub(crate) fn spend(&mut self, characters: usize) {
        self.expanded = self.expanded.saturating_add(characters);
    }

    pub(crate) const fn is_overspent(&self) -> bool {
        self.expanded > EXPANDED
    }

    /// Lists a command, whose contents may follow; `None` beyond the limit.
    pub(crate) fn list_command(&mut self, command: SimpleCommand) -> Option<usize> {
        let span = command.span.clone();
        if self.full {
            return None;
        }
        if self.commands.len() - self.guesses >= COMMANDS {
            self.full = true;
            self.findings
                .problem(format!("more than {COMMANDS} simple commands"), span);
            return None;
        }
        self.commands.push(command);
        Some(self.commands.len() - 1)
    }

    /// Walks a text that a command runs.
    pub(crate) fn text(&mut self, source: &Source, state: &mut State, context: &Context) {
        let whole = source.span(0..source.text().len());
        if context.depth > NESTING {
            self.findings
                .problem(format!("nesting deeper than {NESTING}"), whole);
            return;
        }
        match lex::script(source, context.depth, &mut self.findings) {
            Ok(script) => self.script(&script, state, context),
            Err(Refusal { reason, span }) => {
                self.findings.problem(reason, span);
                state.clobber();
            }
        }
    }

    /// Walks a script.
    pub(crate) fn script(&mut self, script: &Script, state: &mut State, context: &Context) {
        if self.full {
            return;
        }
        let span = script.source.span(script.range.clone());
        let Some(program) = script.program() else {
            self.findings.problem("not valid bash", span);
            state.clobber();
            return;
        };
        let place = Place { script };
        for list in &program.complete_commands {
            self.list(list, &place, state, context);
        }
        if !self.full && !script.is_accounted_for() {
            self.findings
                .problem("the parser reads the words differently", span);
        }
    }

    /// Walks a list of commands.
    fn list(
        &mut self,
        list: &ast::CompoundList,
        place: &Place<'_>,
        state: &mut State,
        context: &Context,
    ) {
        for ast::CompoundListItem(and_or, separator) in &list.0 {
            match separator {
                ast::SeparatorOperator::Sequence => self.and_or(and_or, place, state, context),
                ast::SeparatorOperator::Async => {
                    let mut background = state.clone();
                    self.and_or(and_or, place, &mut background, context);
                    state.join(&background);
                }
            }
        }
    }

    /// Walks pipelines of which only the first surely runs.
    fn and_or(
        &mut self,
        list: &ast::AndOrList,
        place: &Place<'_>,
        state: &mut State,
        context: &Context,
    ) {
        let before = state.folder().clone();
        self.pipeline(&list.first, place, state, context);
        if list.additional.is_empty() {
            return;
        }
        let folder = state.folder().clone();
        let mut outcomes = state.clone();
        for next in &list.additional {
            match next {
                ast::AndOr::And(pipeline) => self.pipeline(pipeline, place, state, context),
                ast::AndOr::Or(pipeline) => {
                    // Something before has failed; perhaps a `cd`.
                    let mut failed = outcomes.clone();
                    failed.join(state);
                    if folder != *failed.folder() || before != folder {
                        failed.set_folder(Folder::Unknown);
                    }
                    self.pipeline(pipeline, place, &mut failed, context);
                    *state = failed;
                }
            }
            outcomes.join(state);
        }
        *state = outcomes;
    }

    /// Walks the commands of a pipeline.
    fn pipeline(
        &mut self,
        pipeline: &ast::Pipeline,
        place: &Place<'_>,
        state: &mut State,
        context: &Context,
    ) {
        if pipeline.seq.is_empty() {
            let span = place.span(place.script.range.clone());
            self.findings
                .problem("`!` or `time` without a command", span);
        }
        if let [command] = pipeline.seq.as_slice() {
            self.command(command, place, state, context);
            return;
        }
        let mut context = context.clone();
        let mut after = state.clone();
        for command in &pipeline.seq {
            // Each runs in a shell of its own, the last perhaps in this one.
            let mut own = state.clone();
            let index = self.commands.len();
            self.last = None;
            self.command(command, place, &mut own, &context);
            self.settle(index, matches!(command, ast::Command::Simple(_)), &mut own);
            after.join(&own);
            context.stdin = Stdin::Pipe;
            context.found = match (command, self.last) {
                (ast::Command::Simple(_), Some(last)) => {
                    self.printed_paths(last, context.found.as_ref())
                }
                _ => None,
            };
            context.input = match command {
                ast::Command::Simple(_) => self.printed(index),
                _ => None,
            };
        }
        self.piped = context.found;
        *state = after;
    }

    fn command(
        &mut self,
        command: &ast::Command,
        place: &Place<'_>,
        state: &mut State,
        context: &Context,
    ) {
        if self.full {
            return;
        }
        match command {
            ast::Command::Simple(simple) => self.simple(simple, place, state, context),
            ast::Command::Compound(compound, redirects) => {
                let index = self.commands.len();
                let context = self.redirected(redirects.as_ref(), place, state, context);
                self.compound(compound, place, state, &context);
                self.settle(index, false, state);
            }
            ast::Command::Function(function) => self.function(function, place, state, context),
            ast::Command::ExtendedTest(test, redirects) => {
                let context = self.redirected(redirects.as_ref(), place, state, context);
                self.extended_test(test, place, state, &context);
            }
        }
    }

    /// Walks a substitution and returns what it prints.
    pub(crate) fn substitution(
        &mut self,
        script: &Script,
        state: &State,
        context: &Context,
    ) -> Output {
        let index = self.commands.len();
        let mut own = state.clone();
        (self.last, self.piped) = (None, None);
        self.script(script, &mut own, &context.substituted());
        let last = self.last.take();
        self.substituted = match (only_pipeline(script), last) {
            (Some([ast::Command::Simple(_)]), Some(last)) => self.printed_paths(last, None),
            (Some([_, .., ast::Command::Simple(_)]), Some(_)) => self.piped.take(),
            _ => None,
        };
        match (only_pipeline(script), last) {
            (Some([ast::Command::Simple(_)]), _) if let Some(text) = self.printed(index) => {
                Output::Text(text.trim_end_matches('\n').to_owned())
            }
            (Some([.., ast::Command::Simple(_)]), Some(last)) if self.prints_a_count(last) => {
                Output::Count
            }
            _ => Output::Unknown,
        }
    }

    /// The paths that a command prints, with those that it is given.
    fn printed_paths(&self, index: usize, before: Option<&Found>) -> Option<Found> {
        let command = self.commands.get(index)?;
        let is_function = command
            .name()
            .is_some_and(|name| self.functions.contains(name));
        (!is_function)
            .then(|| printed_paths(command, before))
            .flatten()
    }

    /// Runs `walk` only to see what it does to a state.
    pub(crate) fn probe(
        &mut self,
        state: &State,
        walk: impl FnOnce(&mut Self, &mut State),
    ) -> State {
        let mut probe = state.probe();
        let was_probing = std::mem::replace(&mut self.probing, true);
        let commands = self.commands.len();
        let problems = self.findings.problems.len();
        let (guesses, expanded, full) = (self.guesses, self.expanded, self.full);
        walk(self, &mut probe);
        self.commands.truncate(commands);
        self.inputs.split_off(&commands);
        self.found.split_off(&commands);
        self.findings.problems.truncate(problems);
        (self.guesses, self.expanded, self.full) = (guesses, expanded, full);
        self.probing = was_probing;
        probe
    }

    pub(crate) const fn is_probing(&self) -> bool {
        self.probing
    }
}

/// The script that the grammar being walked belongs to.
pub(crate) struct Place<'a> {
    pub(crate) script: &'a Script,
}

impl Place<'_> {
    /// Where an offset of the parser is in the source.
    pub(crate) fn at(&self, location: &brush_parser::SourceSpan) -> usize {
        self.script.range.start + location.start.index
    }

    /// The word that the parser means.
    pub(crate) fn lexeme(&self, word: &ast::Word) -> Option<&Lexeme> {
        let location = word.loc.as_ref()?;
        let lexeme = self.script.words.get(&self.at(location))?;
        let end = self.script.range.start + location.end.index;
        if lexeme.range.end != end {
            return None;
        }
        self.script.claimed.borrow_mut().insert(lexeme.range.start);
        Some(lexeme)
    }

    /// The place in the outermost text of a range of the source.
    pub(crate) fn span(&self, range: Range<usize>) -> Range<usize> {
        self.script.source.span(range)
    }
}

/// A value that is not known, where the shell makes one word of it.
pub(crate) fn one_word(value: &Value) -> WordValue {
    let known = match value.number() {
        Some(Numeric::Natural | Numeric::Count) => Known::Natural,
        Some(Numeric::Integer) => Known::Integer,
        Some(Numeric::Harmless) | None => Known::OneWord,
    };
    WordValue::Dynamic {
        prefix: String::new(),
        known,
    }
}

/// The commands of a script that is no more than one pipeline.
fn only_pipeline(script: &Script) -> Option<&[ast::Command]> {
    let [list] = script.program()?.complete_commands.as_slice() else {
        return None;
    };
    let [ast::CompoundListItem(and_or, ast::SeparatorOperator::Sequence)] = list.0.as_slice()
    else {
        return None;
    };
    let is_plain = and_or.additional.is_empty() && !and_or.first.bang;
    is_plain.then_some(and_or.first.seq.as_slice())
}

impl Script {
    /// Whether the grammar has given every word a place, or it is a keyword.
    fn is_accounted_for(&self) -> bool {
        let claimed = self.claimed.borrow();
        self.words.iter().all(|(start, lexeme)| {
            claimed.contains(start) || {
                let raw = self.source.text().get(lexeme.range.clone());
                raw.is_some_and(|raw| lex::is_reserved(raw) || raw == "-p")
            }
        })
    }
}
