//! `${name%pattern}` and `${name#pattern}` of a value that is known.

/// Longest value and pattern, in characters: what is cut is searched for.
const CHARACTERS: usize = 128;

/// The value without what the operation takes away; `None` if that is not
/// certain.
pub(super) fn cut(text: &str, operation: &str) -> Option<String> {
    let mut rest = operation.chars();
    let sign = rest.next().filter(|sign| matches!(sign, '%' | '#'))?;
    let pattern = rest.as_str();
    let (longest, pattern) = match pattern.strip_prefix(sign) {
        Some(pattern) => (true, pattern),
        None => (false, pattern),
    };
    let is_plain =
        |next: char| next.is_ascii_alphanumeric() || matches!(next, '.' | '_' | '-' | '/' | '*');
    let stars = pattern.matches('*').count();
    if pattern.is_empty() || stars > 1 || !pattern.chars().all(is_plain) {
        return None;
    }
    let text: Vec<char> = text.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    if text.len() > CHARACTERS || pattern.len() > CHARACTERS {
        return None;
    }
    // Where to cut, the shortest piece first.
    let mut cuts: Vec<usize> = (0..=text.len()).collect();
    if (sign == '%') != longest {
        cuts.reverse();
    }
    for at in cuts {
        let (before, after) = text.split_at_checked(at)?;
        let (piece, left) = if sign == '%' {
            (after, before)
        } else {
            (before, after)
        };
        if matches(&pattern, piece) {
            return Some(left.iter().collect());
        }
    }
    Some(text.into_iter().collect())
}

/// Whether a pattern of characters and at most one `*` matches the whole text.
fn matches(pattern: &[char], text: &[char]) -> bool {
    let mut parts = pattern.splitn(2, |next| *next == '*');
    let first = parts.next().unwrap_or_default();
    match (text.strip_prefix(first), parts.next()) {
        (Some(rest), Some(last)) => rest.ends_with(last),
        (Some(rest), None) => rest.is_empty(),
        (None, _) => false,
    }
}
