//! Brace expansion: `{a,b}`, `{1..3}`, `{a..c}`.

use super::Atom;

/// Most words that one word may become.
const WORDS: usize = 256;
/// Most characters of all those words.
const CHARACTERS: usize = 64 * 1024;
/// Most opening braces in a word that is expanded.
const BRACES: usize = 16;

/// The words that a word becomes; `None` if they are too many, or if it is not
/// certain how the braces pair.
pub(super) fn expand(word: &[Atom]) -> Option<Vec<Vec<Atom>>> {
    let opening = word.iter().filter(|atom| **atom == Atom::Bare('{')).count();
    if opening == 0 {
        return Some(vec![word.to_vec()]);
    }
    if opening > BRACES {
        return None;
    }
    let mut left = CHARACTERS;
    let words = parts(word, &mut left)?;
    // How bash pairs braces that belong to no expression is a matter of its
    // scanner (`a{}\{b,c}`), but without a separator none of them acts.
    let is_brace = |atom: &Atom| matches!(atom, Atom::Bare('{' | '}'));
    let separates = |pair: &[Atom]| matches!(pair, [Atom::Bare('.'), Atom::Bare('.')]);
    let acts = word.contains(&Atom::Bare(',')) || word.windows(2).any(separates);
    let strays = words.iter().flatten().any(is_brace);
    (!acts || !strays).then_some(words)
}

/// Expands the first brace expression of `word`, and all in what it gives.
fn parts(word: &[Atom], left: &mut usize) -> Option<Vec<Vec<Atom>>> {
    *left = left.checked_sub(word.len())?;
    let mut from = 0;
    while let Some(open) = find(word, from, '{') {
        from = open + 1;
        let Some(close) = closing(word, open) else {
            continue;
        };
        let inside = word.get(open + 1..close)?;
        let members = match commas(inside) {
            members if members.len() > 1 => {
                let mut all = Vec::new();
                for member in members {
                    all.extend(parts(member, left)?);
                }
                all
            }
            _ => match sequence(inside)? {
                Some(members) => members,
                None => continue,
            },
        };
        let prefix = word.get(..open)?;
        let suffixes = parts(word.get(close + 1..)?, left)?;
        let count = members.len().checked_mul(suffixes.len())?;
        if count > WORDS {
            return None;
        }
        let mut result = Vec::with_capacity(count);
        for member in &members {
            for suffix in &suffixes {
                let whole: Vec<Atom> = [prefix, member, suffix].concat();
                *left = left.checked_sub(whole.len())?;
                result.push(whole);
            }
        }
        return Some(result);
    }
    Some(vec![word.to_vec()])
}

fn find(word: &[Atom], from: usize, wanted: char) -> Option<usize> {
    let rest = word.get(from..)?;
    rest.iter()
        .position(|atom| *atom == Atom::Bare(wanted))
        .map(|at| at + from)
}

/// Where the brace closes that opens at `open`.
fn closing(word: &[Atom], open: usize) -> Option<usize> {
    let mut level = 0_usize;
    for (at, atom) in word.iter().enumerate().skip(open) {
        match atom {
            Atom::Bare('{') => level += 1,
            Atom::Bare('}') => {
                level = level.checked_sub(1)?;
                if level == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The members between the commas that are not in inner braces.
fn commas(inside: &[Atom]) -> Vec<&[Atom]> {
    let mut level = 0_usize;
    inside
        .split(|atom| {
            match atom {
                Atom::Bare('{') => level += 1,
                Atom::Bare('}') => level = level.saturating_sub(1),
                _ => {}
            }
            level == 0 && *atom == Atom::Bare(',')
        })
        .collect()
}

/// The members of `from..to` or `from..to..step`; `Some(None)` if it is no
/// sequence, `None` if it is one that is not expanded here.
fn sequence(inside: &[Atom]) -> Option<Option<Vec<Vec<Atom>>>> {
    let text: Option<String> = inside
        .iter()
        .map(|atom| match atom {
            Atom::Bare(next) => Some(*next),
            _ => None,
        })
        .collect();
    let Some(text) = text else {
        // A value between the dots makes no sequence, but is rare enough.
        let dots = inside
            .windows(2)
            .any(|pair| matches!(pair, [Atom::Bare('.'), Atom::Bare('.')]));
        return if dots { None } else { Some(None) };
    };
    if !text.contains("..") {
        return Some(None);
    }
    let numbers: Option<Vec<i64>> = text.split("..").map(plain_number).collect();
    if let Some(numbers) = numbers {
        let (from, to, step) = match numbers.as_slice() {
            [from, to] => (*from, *to, 1),
            [from, to, step] => (*from, *to, (*step).abs().max(1)),
            _ => return None,
        };
        if (to - from).abs() / step >= i64::try_from(WORDS).ok()? {
            return None;
        }
        let mut members = Vec::new();
        let mut next = from;
        while (from <= to && next <= to) || (from > to && next >= to) {
            members.push(next.to_string().chars().map(Atom::Bare).collect());
            next += if from <= to { step } else { -step };
        }
        return Some(Some(members));
    }
    let letters: Vec<char> = text.chars().collect();
    match letters.as_slice() {
        [from, '.', '.', to] if from.is_ascii_lowercase() && to.is_ascii_lowercase() => {
            let (low, high) = (*from.min(to), *from.max(to));
            let mut members: Vec<Vec<Atom>> =
                (low..=high).map(|next| vec![Atom::Bare(next)]).collect();
            if from > to {
                members.reverse();
            }
            Some(Some(members))
        }
        // Mixed cases, padding, odd forms.
        _ => None,
    }
}

/// A number that is written as it prints.
fn plain_number(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (text.len() <= 9 && number.to_string() == text).then_some(number)
}
