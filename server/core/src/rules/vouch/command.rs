//! Whether allow rules vouch for every part of a shell command.

use crate::call::Access;
use crate::command::{
    CommandView, Folder, Origin, Redirect, RedirectKind, SimpleCommand, Stdin, Word, WordValue,
};
use crate::paths::{FileKind, PathFact, lies_in};
use crate::programs;
use crate::redact;
use crate::rules::Part;
use crate::rules::command::{WordsMatch, WordsPattern, glob_prefix};
use crate::rules::meet::{shown_command, shown_path};
use crate::rules::rule::{Rule, Specifier};
use crate::rules::shell_paths::is_standard_stream;
use crate::rules::vouch::{NotCovered, Vouching, not_covered};

/// Steps from a command to the wrappers and launchers around it.
const NESTING: usize = 32;

impl<'r> Vouching<'r, '_> {
    pub(super) fn command(&mut self, view: &CommandView) -> Result<(), NotCovered> {
        if let Some(problem) = view.problems.first() {
            return Err(not_covered(format!(
                "the command is not wholly understood ({})",
                redact::visible(&problem.reason)
            )));
        }
        if view.commands.is_empty() {
            return Err(not_covered("a command that does nothing"));
        }
        let direct: Vec<Option<Covered<'r>>> = view
            .commands
            .iter()
            .enumerate()
            .map(|(index, command)| self.words(view, index, command))
            .collect();
        for (index, command) in view.commands.iter().enumerate() {
            self.standard_input(view, command)?;
            if command.words.is_empty() || self.is_covered(view, &direct, index) {
                continue;
            }
            return Err(not_covered(shown_command(command)));
        }
        for (index, command) in view.commands.iter().enumerate() {
            let exact = match direct.get(index).and_then(Option::as_ref) {
                Some(Covered::By(rule)) => {
                    self.uses(rule);
                    Some(*rule)
                }
                Some(Covered::Contained) | None => None,
            };
            // What a launcher is given literally, its rule names whole.
            if self.launcher(view, &direct, index).is_some() {
                continue;
            }
            self.assignments(command, exact)?;
            for redirect in &command.redirects {
                self.redirect(command, redirect)?;
            }
            self.operands(command, exact.is_some())?;
        }
        Ok(())
    }

    /// What covers the command's own words.
    fn words(
        &self,
        view: &CommandView,
        index: usize,
        command: &SimpleCommand,
    ) -> Option<Covered<'r>> {
        if (self.contained)(Part::Command(command)) {
            return Some(Covered::Contained);
        }
        if !self.stays(view, command) {
            return None;
        }
        // By itself, going into a folder below does nothing; what runs there
        // is looked at where it runs.
        if command.name() == Some("cd") && command.words.len() == 2 && self.moves_inside(command) {
            return Some(Covered::Contained);
        }
        let program = command.name()?;
        let named_from = named_from(view, index, command);
        let whole = WordsPattern::default();
        self.rule(self.set.allow.for_program(program), |rule| {
            let pattern = match &rule.specifier {
                Specifier::Command(pattern) => &pattern.line,
                Specifier::None => &whole,
                Specifier::Paths(_)
                | Specifier::Domain(_)
                | Specifier::Parameters(_)
                | Specifier::Malformed => return false,
            };
            rule.concerns(&self.subject.operation.tool)
                && pattern.matches(&command.words).is_some_and(|matched| {
                    (named_from..command.words.len()).all(|word| !pattern.is_wild_at(matched, word))
                        && wild_words_are_harmless(pattern, matched, command)
                })
        })
        .map(Covered::By)
    }

    /// Whether the command runs where the author of a rule may have meant it:
    /// in the call's folder, or below it by way of `cd`.
    fn stays(&self, view: &CommandView, command: &SimpleCommand) -> bool {
        match command.folder {
            Folder::Call => true,
            Folder::Unknown => false,
            Folder::Moved(_) => {
                let program = command.name().unwrap_or_default();
                // In another folder, `./x` is another program, and git may
                // find another repository with a configuration of its own.
                let relative = program.contains('/') && !program.starts_with('/');
                !relative
                    && programs::table_name(program) != "git"
                    && view.commands.iter().all(|other| self.moves_inside(other))
            }
        }
    }

    /// Whether a command that changes the folder stays below the call's.
    fn moves_inside(&self, command: &SimpleCommand) -> bool {
        match command.name() {
            Some("cd" | "pushd") => {
                !command.operands.is_empty()
                    && command.operands.iter().all(|operand| {
                        lies_in(self.subject.cwd, &operand.path.canonical)
                            && operand.path.kind == FileKind::Directory
                    })
            }
            Some("popd") => false,
            _ => true,
        }
    }

    /// Whether a rule, or what is around the command, covers it.
    fn is_covered(&self, view: &CommandView, direct: &[Option<Covered<'r>>], index: usize) -> bool {
        if direct.get(index).is_some_and(Option::is_some)
            || self.launcher(view, direct, index).is_some()
        {
            return true;
        }
        let Some(command) = view.commands.get(index) else {
            return false;
        };
        if let Origin::Wrapped { by } = command.origin
            && by < index
            && matches!(direct.get(by), Some(Some(Covered::By(_))))
        {
            return true;
        }
        // A wrapper is fine when all that it runs is: `timeout 5 cargo test`
        // under a rule for `cargo test`.
        let mut wrapped = view
            .commands
            .iter()
            .enumerate()
            .filter(|(_, other)| matches!(other.origin, Origin::Wrapped { by } if by == index))
            .peekable();
        self.stays(view, command)
            && wrapped.peek().is_some()
            && wrapped.all(|(inner, _)| inner > index && self.is_covered(view, direct, inner))
            && !view
                .commands
                .iter()
                .any(|other| matches!(other.origin, Origin::Launched { by } if by == index))
    }

    /// The literally allowed launcher that runs this command, if one does.
    fn launcher(
        &self,
        view: &CommandView,
        direct: &[Option<Covered<'r>>],
        index: usize,
    ) -> Option<usize> {
        let mut at = index;
        let mut launched = false;
        for _ in 0..NESTING {
            let by = match view.commands.get(at)?.origin {
                Origin::Launched { by } => {
                    launched = true;
                    by
                }
                Origin::Wrapped { by } => by,
                Origin::Direct | Origin::Substituted | Origin::Function => return None,
            };
            if by >= at {
                return None;
            }
            if launched && direct.get(by)?.is_some() {
                return Some(by);
            }
            at = by;
        }
        None
    }

    /// What a pipe or here-document feeds to an interpreter is a part that no
    /// rule of words can cover.
    fn standard_input(
        &self,
        view: &CommandView,
        command: &SimpleCommand,
    ) -> Result<(), NotCovered> {
        let mut fed = is_fed(command);
        let mut outer = command;
        for _ in 0..NESTING {
            let (Origin::Wrapped { by } | Origin::Launched { by }) = outer.origin else {
                break;
            };
            let Some(next) = view.commands.get(by) else {
                break;
            };
            fed = fed || is_fed(next);
            outer = next;
        }
        if fed
            && !command.words.is_empty()
            && programs::acts_on_stdin(command)
            && !(self.contained)(Part::Command(command))
        {
            return Err(not_covered(format!(
                "what {} reads from its standard input",
                shown_command(command)
            )));
        }
        Ok(())
    }

    fn assignments(&self, command: &SimpleCommand, rule: Option<&Rule>) -> Result<(), NotCovered> {
        for assignment in &command.assignments {
            let value = match &assignment.value {
                None => Some(""),
                Some(WordValue::Literal(value)) => Some(value.as_str()),
                Some(WordValue::Glob(_) | WordValue::Dynamic { .. }) => None,
            };
            let named = value.is_some_and(|value| {
                rule.is_some_and(|rule| {
                    matches!(
                        &rule.specifier,
                        Specifier::Command(pattern)
                            if pattern.line.assignments.iter().any(|(own, text)| *own == assignment.name && text == value)
                    )
                })
            });
            let harmless =
                value.is_some_and(|value| programs::is_harmless_variable(&assignment.name, value));
            if !named && !harmless && !(self.contained)(Part::Assignment(command, assignment)) {
                return Err(not_covered(format!(
                    "the assignment to `{}`",
                    redact::visible(&assignment.name)
                )));
            }
        }
        Ok(())
    }

    fn redirect(&mut self, command: &SimpleCommand, redirect: &Redirect) -> Result<(), NotCovered> {
        if matches!(redirect.kind, RedirectKind::Descriptor | RedirectKind::Here)
            || is_standard_stream(redirect)
            || (self.contained)(Part::Redirect(command, redirect))
        {
            return Ok(());
        }
        let unknown = || not_covered("a redirect to a file that is not known before it is opened");
        let path = redirect.path.as_ref().ok_or_else(unknown)?;
        if command.folder == Folder::Unknown && !path.given.starts_with('/') {
            return Err(unknown());
        }
        let mut accesses = Vec::new();
        if redirect.kind.writes() {
            accesses.push(Access::Write);
        }
        if matches!(redirect.kind, RedirectKind::Read | RedirectKind::ReadWrite) {
            accesses.push(Access::Read);
        }
        for access in accesses {
            let path = PathFact {
                access,
                ..path.clone()
            };
            self.harmless_to_touch(&path)?;
            let rule = self.path_rule(&path, |rule| {
                if access.writes() {
                    rule.concerns(&crate::tool::Tool::WriteFile)
                } else {
                    rule.concerns(&crate::tool::Tool::ReadFile)
                }
            });
            self.uses(
                rule.ok_or_else(|| not_covered(format!("a redirect to {}", shown_path(&path))))?,
            );
        }
        Ok(())
    }

    /// A rule of words does not cover changing what is protected, and only the
    /// knowledge of a program says that it does not change its operands.
    fn operands(&self, command: &SimpleCommand, by_rule: bool) -> Result<(), NotCovered> {
        let Some(name) = command.name().filter(|_| by_rule) else {
            return Ok(());
        };
        if programs::only_reads_operands(name) || only_shows(command) {
            return Ok(());
        }
        let tasks = programs::task_words(name);
        for operand in &command.operands {
            let text = command
                .words
                .get(operand.word)
                .and_then(Word::literal)
                .unwrap_or_default();
            if operand.word <= tasks && !text.contains(['/', '.']) {
                continue;
            }
            let path = PathFact {
                access: Access::Delete,
                ..operand.path.clone()
            };
            if let Some(reason) = (self.protected)(&path) {
                return Err(not_covered(format!(
                    "{} in {}: {reason}",
                    shown_path(&path),
                    shown_command(command)
                )));
            }
        }
        Ok(())
    }
}

/// Whether something comes in on a command's standard input. Nothing does from
/// `/dev/null`.
fn is_fed(command: &SimpleCommand) -> bool {
    let mut inputs = command
        .redirects
        .iter()
        .filter(|redirect| !redirect.kind.writes() || redirect.kind == RedirectKind::ReadWrite)
        .peekable();
    match command.stdin {
        Stdin::Inherited => false,
        Stdin::Pipe => true,
        Stdin::Redirected => {
            inputs.peek().is_none()
                || !inputs.all(|redirect| {
                    redirect.kind == RedirectKind::Read
                        && redirect.target.as_ref().and_then(Word::literal) == Some("/dev/null")
                })
        }
    }
}

/// What covers a command's words.
enum Covered<'r> {
    /// They are contained.
    Contained,
    /// This rule.
    By(&'r Rule),
}

/// The first of a command's words that a rule must name: no wildcard vouches
/// for what a wrapper or a launcher runs.
fn named_from(view: &CommandView, index: usize, command: &SimpleCommand) -> usize {
    let program = command.name().unwrap_or_default();
    if programs::is_launcher(program) && !programs::WRAPPERS.contains(&program) {
        return 0;
    }
    view.commands
        .iter()
        .filter_map(|other| match other.origin {
            Origin::Launched { by } if by == index => Some(0),
            Origin::Wrapped { by } if by == index => {
                Some(command.words.len().saturating_sub(other.words.len()))
            }
            Origin::Launched { .. }
            | Origin::Wrapped { .. }
            | Origin::Direct
            | Origin::Substituted
            | Origin::Function => None,
        })
        .min()
        .unwrap_or(command.words.len())
}

/// Whether a command is one of the fixed ones with no other words than those
/// that a wildcard may stand for, and changes no operand.
fn only_shows(command: &SimpleCommand) -> bool {
    let Some(words) = command
        .words
        .iter()
        .map(Word::literal)
        .collect::<Option<Vec<_>>>()
    else {
        return false;
    };
    programs::fixed_command(words.iter().copied()).is_some_and(|fixed| {
        !fixed.changes_operands()
            && fixed
                .uncovered(
                    words
                        .iter()
                        .skip(fixed.words.len())
                        .map(|word| (*word, true)),
                )
                .is_none()
    })
}

/// Whether the words that only a wildcard covers can do no more than the rule
/// says.
fn wild_words_are_harmless(
    pattern: &WordsPattern,
    matched: WordsMatch,
    command: &SimpleCommand,
) -> bool {
    let fixed = programs::fixed_command(pattern.words.iter().map_while(|word| word.literal()));
    let mut literals = Vec::with_capacity(command.words.len());
    for (index, word) in command.words.iter().enumerate() {
        let wild = pattern.is_wild_at(matched, index);
        let text = match &word.value {
            WordValue::Literal(text) => text.as_str(),
            WordValue::Glob(_) | WordValue::Dynamic { .. } if !wild => return false,
            WordValue::Glob(glob) => {
                // It may become an option.
                let prefix = glob_prefix(glob);
                if prefix.is_empty() || prefix.starts_with('-') {
                    return false;
                }
                glob.as_str()
            }
            WordValue::Dynamic { prefix, .. } => {
                // It may become an option, or several words.
                if fixed.is_some() || prefix.is_empty() || prefix.starts_with('-') {
                    return false;
                }
                prefix.as_str()
            }
        };
        literals.push((text, wild));
    }
    match fixed {
        Some(fixed) => fixed
            .uncovered(literals.into_iter().skip(fixed.words.len()))
            .is_none(),
        None => true,
    }
}
