//! From a command's words to what it would do.

use std::ops::Range;

use countersign_core::command::{Stdin, Word, WordValue};
use countersign_core::effect::{Doing as Effect, EffectKind, Target, Touch};
use countersign_core::programs;

use super::Finder;
use super::options::{self, Operand, Read};
use crate::knowledge::{self, Command, Count, Doing, Role, StdinUse};

impl Finder<'_> {
    /// What the command's words say.
    pub(super) fn words(&mut self) {
        let Some(first) = self.command.words.first() else {
            return;
        };
        let span = first.span.clone();
        let Some(name) = first.literal() else {
            // The view has this as a problem.
            return;
        };
        if name.contains('/') || name.starts_with('~') {
            self.effect(
                EffectKind::Path {
                    touch: Touch::Execute,
                    target: Target::Path {
                        text: name.to_owned(),
                        folder: self.command.folder.clone(),
                    },
                },
                span.clone(),
            );
        }
        if self.built_in(name) {
            return;
        }
        let words = self.command.words.get(1..).unwrap_or_default();
        let Some(command) = knowledge::find(programs::bare_name(name)) else {
            if asks_what_it_is(name, words) || self.is_script(name, words, &span) {
                return;
            }
            self.effect(
                EffectKind::Doing(Effect::UnknownProgram, name.to_owned()),
                span,
            );
            return;
        };
        self.known(command, words, span);
    }

    /// What a known command, or a sub-command, does.
    fn known(&mut self, command: &'static Command, words: &[Word], span: Range<usize>) {
        if is_query(words, &command.queries) {
            return;
        }
        if command.response_files
            && let Some(word) = words.iter().find(|word| is_response_file(word))
        {
            self.unproven(
                format!("`{}` takes options from a file", self.shown(command)),
                word.span.clone(),
            );
            return;
        }
        if self.has_form(&command.forms, words) {
            return;
        }
        let runs_code = super::tasks::task(command);
        for doing in &command.effects {
            if runs_code.is_none() || !matches!(doing, Doing::Task | Doing::CodeTask) {
                self.doing(*doing, command, span.clone());
            }
        }
        if let Some(parser) = command.parser {
            super::parsers::parse(self, parser, command, words, &span);
            return;
        }
        if command.any_words {
            return;
        }
        let has_sub = !command.sub.is_empty();
        let (read, at) = match options::read(words, command, has_sub) {
            Ok(read) => read,
            Err(problem) => {
                if let Some(runs_code) = runs_code {
                    self.task(command, None, runs_code, span);
                }
                self.unproven(
                    format!("`{}`: {}", self.shown(command), problem.reason),
                    problem.span,
                );
                return;
            }
        };
        if has_sub {
            self.options(command, &read, &span);
            self.sub_command(command, words, at, span);
            return;
        }
        self.read_words(command, &read, &span);
        if let Some(runs_code) = runs_code {
            self.task(command, Some(&read), runs_code, span);
        }
    }

    fn sub_command(
        &mut self,
        command: &'static Command,
        words: &[Word],
        at: usize,
        span: Range<usize>,
    ) {
        let Some(word) = words.get(at) else {
            // `git` alone prints its help; others may do something.
            self.unproven(
                format!("`{}` without a sub-command", self.shown(command)),
                span,
            );
            return;
        };
        let sub = word.literal().and_then(|name| command.sub_command(name));
        match sub {
            Some(sub) => {
                let rest = words.get(at + 1..).unwrap_or_default();
                if is_query(rest, &command.sub_queries) {
                    return;
                }
                let whole = span.start..word.span.end.max(span.end);
                self.known(sub, rest, whole);
            }
            None => self.unproven(
                format!(
                    "`{} {}` is not known",
                    self.shown(command),
                    word.literal().unwrap_or("…")
                ),
                word.span.clone(),
            ),
        }
    }

    /// What options do.
    pub(super) fn options(&mut self, command: &'static Command, read: &Read, span: &Range<usize>) {
        for value in &read.values {
            self.role(value.role, &value.value, value.span.clone(), true, &[]);
        }
        for when in &command.when {
            if when.holds(&read.flags) {
                for doing in &when.effects {
                    self.doing(*doing, command, span.clone());
                }
            }
        }
    }

    /// What options and operands do.
    pub(super) fn read_words(
        &mut self,
        command: &'static Command,
        read: &Read,
        span: &Range<usize>,
    ) {
        self.options(command, read, span);
        let (mut operands, mut without, mut stdin) =
            (&command.operands, command.without_operands, command.stdin);
        let holding = || command.when.iter().filter(|when| when.holds(&read.flags));
        let with_operands = || holding().filter(|when| when.operands.is_some());
        let most = with_operands().map(|when| when.flags.len()).max();
        for when in holding() {
            stdin = when.stdin.unwrap_or(stdin);
            if when.operands.is_none() {
                without = when.without_operands.or(without);
            }
        }
        let mut best = with_operands().filter(|when| Some(when.flags.len()) == most);
        if let Some(when) = best.next() {
            operands = when.operands.as_ref().unwrap_or(operands);
            without = when.without_operands.or(without);
        }
        if best.next().is_some() {
            // Two that hold at once say different things.
            self.unproven(
                format!("`{}` with these options is not known", self.shown(command)),
                span.clone(),
            );
        }
        // Those that may be none are none perhaps.
        if stdin == StdinUse::Code && read.operands.iter().all(may_vanish) {
            self.unproven(
                format!("`{}` runs what it reads", self.shown(command)),
                span.clone(),
            );
        }
        let roles = assign(operands, read.operands.len())
            .filter(|roles| keeps_roles(operands, &read.operands, roles));
        let Some(roles) = roles else {
            self.unproven(
                format!("`{}` with these operands is not known", self.shown(command)),
                span.clone(),
            );
            return;
        };
        let names_one = read
            .operands
            .iter()
            .zip(&roles)
            .any(|(operand, role)| *role != Role::Text && !may_vanish(operand));
        let reads_a_pipe = stdin == StdinUse::Instead && self.command.stdin == Stdin::Pipe;
        if let Some(role) = without.filter(|_| !names_one && !reads_a_pipe) {
            let here = WordValue::Literal(".".to_owned());
            self.role(role, &here, span.clone(), true, &[]);
        }
        let names: Vec<&WordValue> = read
            .operands
            .iter()
            .zip(&roles)
            .filter(|(_, role)| !matches!(role, Role::Destination | Role::FolderDestination))
            .map(|(operand, _)| &operand.value)
            .collect();
        for (operand, role) in read.operands.iter().zip(&roles) {
            self.role(
                *role,
                &operand.value,
                operand.span.clone(),
                operand.is_safe,
                &names,
            );
        }
    }

    /// What a word in a role does.
    pub(super) fn role(
        &mut self,
        role: Role,
        value: &WordValue,
        span: Range<usize>,
        is_safe: bool,
        sources: &[&WordValue],
    ) {
        let touch = match role {
            Role::Text => {
                // No effect, but a match may be an option and so something else.
                if !is_safe && matches!(value, WordValue::Glob(_)) {
                    self.touch(Touch::List, value, span, true);
                }
                return;
            }
            Role::Read => Touch::Read,
            Role::ReadTree => Touch::ReadTree,
            Role::FollowTree => {
                self.links(value, &span);
                Touch::ReadTree
            }
            Role::List => Touch::List,
            Role::ListTree => Touch::ListTree,
            Role::Write => Touch::Write,
            Role::Edit => Touch::Edit,
            Role::MakeFolder => Touch::MakeFolder,
            Role::Mode => Touch::Mode,
            Role::Delete => Touch::Delete,
            Role::DeleteFolder => Touch::DeleteFolder,
            Role::DeleteTree => Touch::DeleteTree,
            Role::MoveFrom => Touch::MoveFrom,
            Role::Destination | Role::FolderDestination => {
                self.destination(role, value, span, sources);
                return;
            }
        };
        self.touch(touch, value, span, !is_safe);
    }

    /// What the links below a folder lead to is read, too.
    fn links(&mut self, value: &WordValue, span: &Range<usize>) {
        let WordValue::Literal(text) = value else {
            self.unproven("what links lead to is not known", span.clone());
            return;
        };
        let target = Target::Links {
            text: text.clone(),
            folder: self.command.folder.clone(),
        };
        let touch = Touch::ReadTree;
        self.effect(EffectKind::Path { touch, target }, span.clone());
    }

    fn destination(
        &mut self,
        role: Role,
        value: &WordValue,
        span: Range<usize>,
        sources: &[&WordValue],
    ) {
        let names: Option<Vec<String>> = sources.iter().map(|source| last_name(source)).collect();
        let (WordValue::Literal(text), Some(names)) = (value, names) else {
            self.unproven(
                "where it writes is known only when the command runs",
                span.clone(),
            );
            return;
        };
        let target = Target::Into {
            text: text.clone(),
            folder: self.command.folder.clone(),
            is_folder: role == Role::FolderDestination || names.len() > 1,
            names,
        };
        self.effect(
            EffectKind::Path {
                touch: Touch::Write,
                target,
            },
            span,
        );
    }

    fn doing(&mut self, doing: Doing, command: &'static Command, span: Range<usize>) {
        let effect = match doing {
            Doing::Network => Effect::Network,
            Doing::Privilege => Effect::Privilege,
            Doing::Process => Effect::Process,
            Doing::Install => Effect::Install,
            Doing::Publish => Effect::Publish,
            Doing::History => Effect::History,
            Doing::LocalHistory => Effect::LocalHistory,
            Doing::Infrastructure => Effect::Infrastructure,
            Doing::Persistence => Effect::Persistence,
            Doing::Poisoning => Effect::Poisoning,
            Doing::Interpreter => Effect::Interpreter,
            Doing::Control => Effect::Control,
            Doing::System => Effect::System,
            Doing::Agent => Effect::Agent,
            Doing::Task => Effect::Task,
            Doing::CodeTask => Effect::CodeTask,
            Doing::Translate => Effect::Translate,
            Doing::Wrapper => {
                self.wrapper(command, span);
                return;
            }
        };
        self.effect(EffectKind::Doing(effect, self.shown(command)), span);
    }

    /// What a wrapper runs stands in the view on its own; one that runs nothing
    /// that is seen is not understood.
    fn wrapper(&mut self, command: &'static Command, span: Range<usize>) {
        let does_something = self.command.words.len() > 1 || command.stdin == StdinUse::Code;
        if !self.is_looked_through() && does_something && !self.runs_script(&span) {
            self.unproven(
                format!("what `{}` runs is not known", self.shown(command)),
                span,
            );
        }
    }

    /// Whether what the command runs stands in the view.
    pub(super) fn is_looked_through(&self) -> bool {
        use countersign_core::command::Origin;
        self.view.commands.iter().any(|other| {
            matches!(
                other.origin,
                Origin::Wrapped { by } | Origin::Launched { by } if by == self.index
            )
        })
    }

    /// The command's name for people.
    pub(super) fn shown(&self, command: &Command) -> String {
        let name = self
            .command
            .name()
            .map(programs::bare_name)
            .unwrap_or_default();
        if knowledge::find(name).is_some_and(|found| std::ptr::eq(found, command)) {
            name.to_owned()
        } else {
            let sub = command.names.first().copied().unwrap_or_default();
            format!("{name} {sub}")
        }
    }
}

/// Whether the words only make a program say something of itself.
fn is_query(words: &[Word], queries: &[&str]) -> bool {
    let [word] = words else {
        return false;
    };
    word.literal().is_some_and(|text| queries.contains(&text))
}

/// Programs that are not known, but whose names say that they change something
/// far away, may do so with any words.
const OUTWARD: &[&str] = &[
    "deploy",
    "destroy",
    "drop",
    "format",
    "migrate",
    "prod",
    "provision",
    "publish",
    "push",
    "release",
    "reset",
    "shutdown",
    "wipe",
];

/// Programs that hand over to a copy of themselves, or to code, that they find
/// in the folder, even to say their version.
const HAND_OVER: &[&str] = &[
    "ava",
    "cucumber",
    "cypress",
    "drush",
    "ember",
    "gatsby",
    "gridsome",
    "grunt",
    "gulp",
    "hexo",
    "jekyll",
    "jest",
    "karma",
    "lein",
    "lerna",
    "mocha",
    "ng",
    "nuxt",
    "nx",
    "pod",
    "rails",
    "react-native",
    "rspec",
    "rush",
    "sails",
    "sbt",
    "turbo",
    "wdio",
    "webpack",
    "wp",
];

/// Whether a program of the system that is not known is only asked for its
/// version or its help. A name with a slash may be any file.
fn asks_what_it_is(name: &str, words: &[Word]) -> bool {
    let is_plain = !name.contains(['/', '\\', '~']) && !name.starts_with('-');
    let lower = name.to_ascii_lowercase();
    is_plain
        && !OUTWARD.iter().any(|word| lower.contains(word))
        && !HAND_OVER.contains(&lower.as_str())
        && is_query(words, &["--version", "--help"])
}

fn is_response_file(word: &Word) -> bool {
    match &word.value {
        WordValue::Literal(text) | WordValue::Glob(text) => text.starts_with('@'),
        WordValue::Dynamic { prefix, .. } => prefix.is_empty() || prefix.starts_with('@'),
    }
}

/// The role of each operand; `None` if there are too few or too many.
fn assign(table: &'static [knowledge::Operand], given: usize) -> Option<Vec<Role>> {
    let least: usize = table
        .iter()
        .map(|operand| usize::from(matches!(operand.count, Count::One | Count::Many)))
        .sum();
    let mut spare = given.checked_sub(least)?;
    let mut roles = Vec::with_capacity(given);
    for operand in table {
        let count = match operand.count {
            Count::One => 1,
            Count::Optional => spare.min(1),
            Count::Any => spare,
            Count::Many => spare + 1,
        };
        spare -= count - usize::from(matches!(operand.count, Count::One | Count::Many));
        roles.extend(std::iter::repeat_n(operand.role, count));
    }
    (roles.len() == given).then_some(roles)
}

/// Whether an operand may be no word at all.
fn may_vanish(operand: &Operand) -> bool {
    options::may_be_several(&operand.value) && matches!(operand.value, WordValue::Dynamic { .. })
}

/// Whether all operands keep their roles when those that may be several are:
/// in `grep *` the first match is the pattern, and the others are files.
fn keeps_roles(table: &'static [knowledge::Operand], operands: &[Operand], roles: &[Role]) -> bool {
    let several = |operand: &Operand| options::may_be_several(&operand.value);
    if !operands.iter().any(several) {
        return true;
    }
    let least = if operands.iter().any(may_vanish) {
        0
    } else {
        2
    };
    (least..=3).all(|times| {
        let repeated: Vec<Role> = operands
            .iter()
            .zip(roles)
            .flat_map(|(operand, role)| {
                let times = if several(operand) { times } else { 1 };
                std::iter::repeat_n(*role, times)
            })
            .collect();
        repeated.is_empty() || assign(table, repeated.len()).is_some_and(|roles| roles == repeated)
    })
}

fn last_name(word: &WordValue) -> Option<String> {
    let WordValue::Literal(text) = word else {
        return None;
    };
    let name = text.trim_end_matches('/').rsplit('/').next()?;
    (!name.is_empty() && name != "." && name != "..").then(|| name.to_owned())
}
