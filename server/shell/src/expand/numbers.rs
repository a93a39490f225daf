//! What is known to be a number: special variables, what counting programs
//! print.

use countersign_core::call::ShellDialect;
use countersign_core::command::{RedirectKind, SimpleCommand, Word};
use countersign_core::programs;

use super::Atom;
use crate::lex::{Arithmetic, Expansion, Piece};
use crate::state::{Numeric, State, Value};
use crate::walk::Walker;

/// Variables that bash itself sets, whatever the environment says.
const OF_BASH: &[(&str, Numeric)] = &[
    ("EUID", Numeric::Natural),
    ("LINENO", Numeric::Natural),
    ("PPID", Numeric::Natural),
    ("RANDOM", Numeric::Natural),
    ("SECONDS", Numeric::Integer),
    ("UID", Numeric::Natural),
];

/// What a substitution prints, without the newlines at its end.
pub(crate) enum Output {
    /// Exactly this.
    Text(String),
    /// A number, or nothing if the program fails.
    Count,
    /// Not known.
    Unknown,
}

impl Output {
    pub(super) fn value(self) -> Value {
        match self {
            Self::Text(text) => Value::Text(text),
            Self::Count => Value::Number(Numeric::Count),
            Self::Unknown => Value::Unknown,
        }
    }
}

impl Walker {
    /// What is known of a parameter.
    pub(super) fn parameter(&self, name: &str, state: &State) -> Value {
        match name {
            "#" | "?" | "$" => return Value::Number(Numeric::Natural),
            // Nothing without a job.
            "!" => return Value::Number(Numeric::Count),
            _ => {}
        }
        if let Some(value) = state.get(name) {
            return value.clone();
        }
        if self.findings.dialect == ShellDialect::Bash
            && let Some((_, number)) = OF_BASH.iter().find(|(own, _)| *own == name)
        {
            return Value::Number(*number);
        }
        Value::Unknown
    }

    /// What is known of `${ … }`.
    pub(super) fn expanded_value(&mut self, expansion: &Expansion, state: &State) -> Value {
        if expansion.is_length {
            return Value::Number(Numeric::Natural);
        }
        let Some((name, operation)) = &expansion.plain else {
            return Value::Unknown;
        };
        match state.get(name) {
            Some(Value::Text(text)) => {
                self.spend(text.len());
                super::cut::cut(text, operation).map_or(Value::Unknown, Value::Text)
            }
            _ => Value::Unknown,
        }
    }

    /// Whether a command prints nothing but a count, or fails.
    pub(crate) fn prints_a_count(&self, index: usize) -> bool {
        let Some(command) = self.commands.get(index) else {
            return false;
        };
        let Some(name) = command.name() else {
            return false;
        };
        if self.functions.contains(name) || !command.redirects.iter().all(is_harmless) {
            return false;
        }
        let words: Option<Vec<&str>> = command.words.iter().skip(1).map(Word::literal).collect();
        let Some(words) = words else {
            return false;
        };
        match (programs::bare_name(name), words.as_slice()) {
            ("nproc", []) | ("wc", ["-l" | "-c" | "-w" | "-m"]) => true,
            ("date", [format]) => matches!(*format, "+%s" | "+%Y" | "+%Y%m%d" | "+%Y%m%d%H%M%S"),
            ("id", ["-u" | "-g"]) => true,
            ("grep", ["-c", pattern]) => !pattern.starts_with('-'),
            _ => false,
        }
    }
}

/// Whether what a command prints to its standard output stays as it is, or goes
/// away as a whole.
fn is_harmless(redirect: &countersign_core::command::Redirect) -> bool {
    match redirect.kind {
        RedirectKind::Read | RedirectKind::Here => true,
        RedirectKind::Write | RedirectKind::Append => {
            redirect.target.as_ref().and_then(Word::literal) == Some("/dev/null")
        }
        RedirectKind::ReadWrite | RedirectKind::Descriptor => false,
    }
}

/// The number that atoms make which hold no other part that is not known.
pub(super) fn of(atoms: &[Atom]) -> Option<Numeric> {
    let mut rest = atoms.iter().filter(|atom| **atom != Atom::Empty);
    if let (Some(Atom::Number { number, .. }), None) = (rest.next(), rest.next()) {
        return Some(*number);
    }
    let mut all_digits = true;
    for atom in atoms {
        match atom {
            Atom::Number { number, .. } => all_digits &= *number == Numeric::Natural,
            Atom::Opaque | Atom::Unknown | Atom::Tilde => return None,
            other => match other.character() {
                None => {}
                Some(next) if next.is_ascii_digit() => {}
                Some(next) if "+-* /".contains(next) => all_digits = false,
                Some(_) => return None,
            },
        }
    }
    Some(if all_digits {
        Numeric::Natural
    } else {
        Numeric::Harmless
    })
}

/// The variable that an expression sets before anything else.
pub(super) fn assigned_first(arithmetic: &Arithmetic) -> Option<String> {
    let Some(Piece::Text { text, .. }) = arithmetic.pieces.first() else {
        return None;
    };
    let text = text.trim_start();
    let end = text.find(|next: char| next != '_' && !next.is_ascii_alphanumeric())?;
    let (name, rest) = text.split_at_checked(end)?;
    let value = rest.trim_start().strip_prefix('=')?;
    (crate::walk::is_name(name) && !value.starts_with('=')).then(|| name.to_owned())
}

/// What `seq` prints for numbers that are written as it prints them.
pub(super) fn seq(command: &SimpleCommand) -> Option<String> {
    let words: Option<Vec<i64>> = command
        .words
        .iter()
        .skip(1)
        .map(|word| {
            let text = word.literal()?;
            let number: i64 = text.parse().ok()?;
            (text.len() <= 9 && number >= 0 && number.to_string() == text).then_some(number)
        })
        .collect();
    let (from, step, to) = match words?.as_slice() {
        [to] => (1, 1, *to),
        [from, to] => (*from, 1, *to),
        [from, step, to] => (*from, *step, *to),
        _ => return None,
    };
    let step = usize::try_from(step).ok().filter(|step| *step > 0)?;
    let mut printed = String::new();
    for number in (from..=to).step_by(step) {
        printed.push_str(&number.to_string());
        printed.push('\n');
        if printed.len() > super::EXPANDED / 16 {
            return None;
        }
    }
    Some(printed)
}
