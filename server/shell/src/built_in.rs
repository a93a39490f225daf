//! Built-in commands that change the shell they run in: its folder, its
//! variables, what names mean.

use std::ops::Range;
use std::rc::Rc;

use countersign_core::call::ShellDialect;
use countersign_core::command::{Assignment, Below, Folder, SimpleCommand, Word, WordValue};

use crate::effects::is_of_the_script;
use crate::launch::{Found, moved};
use crate::state::{Numeric, State, Value};
use crate::walk::{DECLARING, Walker, is_name};

/// Flags of `set` that change neither how words are read nor what names mean.
const SET_FLAGS: &str = "abCeEhmnTuvx";
/// The same by name.
const SET_NAMES: &[&str] = &[
    "allexport",
    "errexit",
    "errtrace",
    "functrace",
    "hashall",
    "monitor",
    "noclobber",
    "noexec",
    "notify",
    "nounset",
    "pipefail",
    "verbose",
    "xtrace",
];

impl Walker {
    /// Applies what a built-in command does.
    pub(crate) fn built_in(&mut self, index: usize, name: &str, words: &[Word], state: &mut State) {
        let arguments = words.get(1..).unwrap_or_default();
        let span = words
            .first()
            .map(|word| word.span.clone())
            .unwrap_or_default();
        match name {
            // Not in every shell, and then nothing moves.
            "pushd" | "popd" | "chdir" if self.findings.dialect == ShellDialect::Posix => {
                state.set_folder(Folder::Unknown);
            }
            "cd" | "chdir" | "pushd" | "popd" => change_folder(name, arguments, state),
            "read" | "mapfile" | "readarray" | "getopts" | "wait" | "unset" => {
                self.names(index, arguments, state);
                if name == "read"
                    && let Some((variable, below)) = self.read_path(index, arguments, state)
                {
                    state.set(variable, Value::Below(Rc::new(below)));
                }
                for reply in ["REPLY", "MAPFILE", "OPTARG"] {
                    if name != "unset" && name != "wait" {
                        state.set(reply, Value::Unknown);
                    }
                }
            }
            "printf"
                if arguments
                    .first()
                    .and_then(Word::literal)
                    .is_some_and(is_printf_name) =>
            {
                self.names(index, arguments.get(..2).unwrap_or_default(), state);
            }
            "let" => self.evaluate(arguments, state),
            "test" | "[" => self.test(arguments),
            "." | "source" => {
                let file = arguments.iter().find(|word| word.literal() != Some("--"));
                if let Some(word) = file.filter(|word| word.literal().is_none()) {
                    self.findings
                        .problem("a shell runs a script that is not known", word.span.clone());
                }
                state.clobber();
            }
            "set" => self.set(arguments, state),
            "shopt" | "setopt" | "unsetopt" | "emulate" if !arguments.is_empty() => {
                self.findings
                    .problem("changes how the shell reads commands", span);
            }
            // Only forgets where programs were found.
            "hash" if matches!(arguments, [word] if word.literal() == Some("-r")) => {}
            "alias" | "enable" | "hash" | "bind" | "complete" | "zmodload" | "autoload"
            | "functions" | "zle" | "sched"
                if !arguments.is_empty() =>
            {
                self.findings
                    .problem(format!("`{name}` changes what names mean"), span);
            }
            _ if DECLARING.contains(&name) => self.declare(index, name, arguments, state),
            _ => {}
        }
        if name == "unset" {
            self.unset_names(index, arguments);
        }
    }

    /// The variable that `read -r` puts one of the paths into which its standard
    /// input holds.
    fn read_path<'a>(
        &self,
        index: usize,
        arguments: &'a [Word],
        state: &State,
    ) -> Option<(&'a str, Below)> {
        let found = self.found.get(&index)?;
        let keeps_path = match state.get("IFS") {
            Some(Value::Text(blanks)) => blanks.is_empty() || blanks == " \t\n",
            _ => false,
        };
        let name = reads_whole(arguments, found).filter(|_| keeps_path)?;
        Some((name, found.one()))
    }

    /// Records the names that are unset.
    fn unset_names(&mut self, index: usize, arguments: &[Word]) {
        let Some(command) = self.commands.get_mut(index) else {
            return;
        };
        for word in arguments {
            if let Some(name) = word.literal().filter(|text| is_name(text)) {
                command.assignments.push(Assignment {
                    name: name.to_owned(),
                    value: None,
                    for_this_command: false,
                    span: word.span.clone(),
                });
            }
        }
    }

    /// Variables whose names are arguments get values that are not known.
    fn names(&mut self, index: usize, arguments: &[Word], state: &mut State) {
        for word in arguments {
            match word.literal() {
                Some(text) => {
                    self.subscript(text, word);
                    let name = text.split('[').next().unwrap_or_default();
                    // `-aname`, `-vname`
                    let attached = text.get(2..).filter(|_| text.starts_with('-'));
                    for name in [Some(name), attached].into_iter().flatten() {
                        if is_name(name) {
                            state.set(name, Value::Unknown);
                            self.sets(Some(index), name, word.span.clone());
                        }
                    }
                }
                None => {
                    self.findings
                        .problem("sets a variable whose name is not known", word.span.clone());
                    state.clobber_variables();
                }
            }
        }
    }

    /// Lists that a variable is set by anything but an assignment, unless it is
    /// one of the script's own: programs may read one of that name, and `PATH`
    /// says which programs run. `index` is the command that does it.
    pub(crate) fn sets(&mut self, index: Option<usize>, name: &str, span: Range<usize>) {
        if is_of_the_script(name) {
            return;
        }
        let assignment = Assignment {
            name: name.to_owned(),
            value: Some(WordValue::unknown()),
            for_this_command: false,
            span: span.clone(),
        };
        match index.and_then(|index| self.commands.get_mut(index)) {
            // What it unsets is recorded as that.
            Some(command) if command.name() == Some("unset") => {}
            Some(command) => command.assignments.push(assignment),
            None => {
                self.list_command(SimpleCommand {
                    assignments: vec![assignment],
                    span,
                    ..SimpleCommand::default()
                });
            }
        }
    }

    /// Reports a name whose subscript runs commands when it is evaluated.
    fn subscript(&mut self, text: &str, word: &Word) {
        if text.contains('[') && text.contains(['$', '`']) {
            self.findings.problem(
                "a subscript that is evaluated may run commands",
                word.span.clone(),
            );
        }
    }

    fn evaluate(&mut self, arguments: &[Word], state: &mut State) {
        for word in arguments {
            let text = word.literal();
            let names: Vec<&str> = text
                .unwrap_or_default()
                .split(|next: char| next != '_' && !next.is_ascii_alphanumeric())
                .filter(|name| is_name(name))
                .collect();
            let is_safe = text.is_some_and(|text| !text.contains(['$', '`']))
                && !names.iter().any(|name| state.is_unsafe_in_arithmetic(name));
            if !is_safe {
                self.findings.problem(
                    "arithmetic evaluates a value that may run commands",
                    word.span.clone(),
                );
            }
            for name in names {
                state.set(name, Value::Number(Numeric::Harmless));
                self.sets(None, name, word.span.clone());
            }
        }
    }

    /// `-v` and `-R` evaluate the subscript of the name after them.
    fn test(&mut self, arguments: &[Word]) {
        for pair in arguments.windows(2) {
            let [operator, operand] = pair else { continue };
            if !matches!(operator.literal(), Some("-v" | "-R")) {
                continue;
            }
            match operand.literal() {
                Some(text) => self.subscript(text, operand),
                None => self.findings.problem(
                    "a subscript that is evaluated may run commands",
                    operand.span.clone(),
                ),
            }
        }
    }

    fn set(&mut self, arguments: &[Word], state: &mut State) {
        let mut at = 0;
        while let Some(word) = arguments.get(at) {
            at += 1;
            let known = match word.literal() {
                Some("--" | "-") => break,
                Some("-o" | "+o") => {
                    let name = arguments.get(at).and_then(Word::literal);
                    at += 1;
                    arguments.len() == 1 || name.is_some_and(|name| SET_NAMES.contains(&name))
                }
                Some(text) if text.starts_with(['-', '+']) => {
                    let letters = text.get(1..).unwrap_or_default();
                    let named = letters.ends_with('o');
                    let name = arguments.get(at).and_then(Word::literal);
                    if named {
                        at += 1;
                    }
                    letters
                        .trim_end_matches('o')
                        .chars()
                        .all(|next| SET_FLAGS.contains(next))
                        && (!named || name.is_some_and(|name| SET_NAMES.contains(&name)))
                }
                Some(_) => true,
                None => false,
            };
            if !known {
                self.findings
                    .problem("changes how the shell reads commands", word.span.clone());
            }
        }
        // What is left are positional parameters.
        for name in ["@", "*", "1", "2", "3", "4", "5", "6", "7", "8", "9"] {
            state.set(name, Value::Unknown);
        }
    }

    /// `export`, `declare` and the like.
    fn declare(&mut self, index: usize, name: &str, arguments: &[Word], state: &mut State) {
        let mut attributes = String::new();
        let mut assignments = Vec::new();
        for word in arguments {
            let (text, is_whole) = match &word.value {
                WordValue::Literal(text) => (text, true),
                WordValue::Glob(text) => (text, false),
                WordValue::Dynamic { prefix, .. } => (prefix, false),
            };
            if is_whole && text.starts_with(['-', '+']) && !text.contains('=') {
                attributes.push_str(text);
                continue;
            }
            self.subscript(text.split('=').next().unwrap_or_default(), word);
            let (target, value) = match text.split_once('=') {
                Some((target, value)) => (target, Some(value)),
                None => (text.as_str(), None),
            };
            let target = target.strip_suffix('+').unwrap_or(target);
            let is_element = target.contains('[');
            let target = target.split('[').next().unwrap_or_default();
            if !is_name(target) || (value.is_none() && !is_whole) {
                self.findings.problem(
                    format!("`{name}` of names that are not known"),
                    word.span.clone(),
                );
                state.clobber_variables();
                continue;
            }
            // References, numbers, cases and arrays change what a value means.
            let is_plain =
                !attributes.contains(['n', 'i', 'l', 'u', 'a', 'A', 'c']) || name == "export";
            if attributes.contains('n') && name != "export" {
                state.clobber_variables();
            }
            let known =
                value.filter(|_| is_whole && is_plain && !is_element && !text.contains("+="));
            let is_number = |value: &str| {
                value
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'-')
            };
            let evaluates = attributes.contains('i') && name != "export";
            if evaluates && value.is_some_and(|value| !is_whole || !is_number(value)) {
                self.findings.problem(
                    "arithmetic evaluates a value that may run commands",
                    word.span.clone(),
                );
            }
            match (known, value) {
                (Some(value), _) if value.starts_with('~') => {
                    state.set(target, Value::Home(value.to_owned()));
                }
                (Some(value), _) => state.set(target, Value::Text(value.to_owned())),
                (None, Some(_)) => state.set(target, Value::Unknown),
                // Only the attributes change, unless it makes a local one.
                (None, None) if name == "export" || name == "readonly" => {}
                (None, None) => state.set(target, Value::Unknown),
            }
            assignments.push(Assignment {
                name: target.to_owned(),
                value: match (value, known) {
                    (None, _) => None,
                    (Some(_), Some(value)) => Some(WordValue::Literal(value.to_owned())),
                    (Some(_), None) => Some(WordValue::unknown()),
                },
                for_this_command: false,
                span: word.span.clone(),
            });
        }
        if let Some(command) = self.commands.get_mut(index) {
            command.assignments.extend(assignments);
        }
    }
}

/// The variable that `read` with these arguments puts one whole path into.
pub(crate) fn reads_whole<'a>(arguments: &'a [Word], found: &Found) -> Option<&'a str> {
    let words: Option<Vec<&str>> = arguments.iter().map(Word::literal).collect();
    let (with_zero, name) = match words?.as_slice() {
        ["-r", name] => (false, *name),
        ["-r", "-d", "", name] | ["-d", "", "-r", name] | ["-rd", "", name] => (true, *name),
        _ => return None,
    };
    (is_name(name) && with_zero == found.ends_with_zero).then_some(name)
}

fn is_printf_name(text: &str) -> bool {
    text.starts_with("-v")
}

/// `cd`, `pushd`, `popd`.
fn change_folder(name: &str, arguments: &[Word], state: &mut State) {
    let mut operands = Vec::new();
    let mut options_end = false;
    for word in arguments {
        match word.literal() {
            Some("--") if !options_end => options_end = true,
            Some("-L" | "-P" | "-e" | "-Pe" | "-@") if !options_end && name == "cd" => {}
            // `-`, `+1`, `-n`, or not known.
            Some(text) if !options_end && text.starts_with(['-', '+']) => {
                return state.set_folder(Folder::Unknown);
            }
            Some(text) => operands.push(text),
            None => return state.set_folder(Folder::Unknown),
        }
    }
    let searches = |to: &str| state.get("CDPATH").is_some() && !to.starts_with(['/', '.', '~']);
    let folder = match (name, operands.as_slice()) {
        ("cd", []) => match state.get("HOME") {
            None => moved(state.folder(), "~"),
            Some(_) => Folder::Unknown,
        },
        ("cd" | "chdir" | "pushd", [to]) if !to.is_empty() && !searches(to) => {
            moved(state.folder(), to)
        }
        _ => Folder::Unknown,
    };
    state.set_folder(folder);
}
