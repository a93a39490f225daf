//! What a field, a word after splitting, comes to: quote removal.

use countersign_core::command::{Known, WordValue};

use super::{Atom, numbers};
use crate::state::{Numeric, Value};

/// Marks a tilde that the shell expands.
pub(super) fn tilde(atoms: &[Atom]) -> Vec<Atom> {
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

/// The text before the first part that is not known.
pub(super) fn prefix(atoms: &[Atom]) -> String {
    let is_known = |atom: &&Atom| {
        !matches!(
            atom,
            Atom::Unknown | Atom::Opaque | Atom::Number { .. } | Atom::Bare('{')
        )
    };
    let prefix: String = atoms
        .iter()
        .take_while(is_known)
        .filter_map(|atom| atom.character())
        .collect();
    // A tilde that the shell does not expand must not look like one it does.
    let misleads = prefix.starts_with('~') && atoms.first() != Some(&Atom::Tilde);
    if misleads { String::new() } else { prefix }
}

/// What is known of a field that is not known.
fn dynamic(atoms: &[Atom]) -> WordValue {
    let acts = |atom: &Atom| match atom {
        Atom::Unknown | Atom::Pattern(_) => true,
        // Blanks, or nothing at all.
        Atom::Number { number, quoted } => {
            !quoted && !matches!(number, Numeric::Natural | Numeric::Integer)
        }
        Atom::Bare(next) | Atom::Split(next) => "*?[{}\\".contains(*next),
        Atom::Quoted(_) | Atom::Tilde | Atom::Empty | Atom::Opaque => false,
    };
    let tilde_later = atoms.iter().skip(1).any(|atom| *atom == Atom::Tilde);
    let known = if atoms.iter().any(acts) || tilde_later {
        Known::Nothing
    } else {
        match numbers::of(atoms) {
            Some(Numeric::Natural | Numeric::Count) => Known::Natural,
            Some(Numeric::Integer) => Known::Integer,
            Some(Numeric::Harmless) | None => Known::OneWord,
        }
    };
    WordValue::Dynamic {
        prefix: prefix(atoms),
        known,
    }
}

/// The value of a field after quote removal.
pub(super) fn value(atoms: &[Atom]) -> WordValue {
    let known = |atom: &Atom| !matches!(atom, Atom::Unknown | Atom::Opaque | Atom::Number { .. });
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
pub(super) fn single_value(atoms: &[Atom]) -> Value {
    let tilde_later = atoms.iter().skip(1).any(|atom| *atom == Atom::Tilde);
    // `PATH=a:~/b`: expanded too, somewhere in the middle.
    let after_colon = atoms
        .windows(2)
        .any(|pair| matches!(pair, [Atom::Bare(':'), Atom::Bare('~')]));
    let is_unknown = |atom: &Atom| matches!(atom, Atom::Unknown | Atom::Opaque);
    if tilde_later || after_colon || atoms.iter().any(is_unknown) {
        return Value::Unknown;
    }
    if atoms.iter().any(|atom| matches!(atom, Atom::Number { .. })) {
        return numbers::of(atoms).map_or(Value::Unknown, Value::Number);
    }
    let text: String = atoms.iter().filter_map(|atom| atom.character()).collect();
    if atoms.first() == Some(&Atom::Tilde) {
        Value::Home(text)
    } else {
        Value::Text(text)
    }
}
