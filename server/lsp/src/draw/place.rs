//! Where in a file something is, as editors count: lines from 0, columns in
//! UTF-16 code units.

use countersign_core::call::Change;
use tower_lsp::lsp_types::{Position, Range};

/// The beginning of a document.
pub(super) const BEGINNING: Range = Range {
    start: ORIGIN,
    end: ORIGIN,
};

const ORIGIN: Position = Position {
    line: 0,
    character: 0,
};

/// The place of a position in bytes. A line ends with `\n`, `\r\n` or `\r`.
pub(super) fn position(text: &str, offset: usize) -> Position {
    let mut line = 0_u32;
    let mut column = 0_u32;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if at >= offset {
            break;
        }
        let ends = match character {
            '\n' => true,
            '\r' => characters.peek().is_none_or(|(_, next)| *next != '\n'),
            _ => false,
        };
        if ends {
            line = line.saturating_add(1);
            column = 0;
        } else {
            column = column.saturating_add(utf16(character));
        }
    }
    Position::new(line, column)
}

fn utf16(character: char) -> u32 {
    if character.len_utf16() == 1 { 1 } else { 2 }
}

/// The length of a line in UTF-16 code units.
pub(super) fn width(line: &str) -> u32 {
    line.chars()
        .fold(0, |sum, character| sum.saturating_add(utf16(character)))
}

/// From one position in bytes to another.
fn range(text: &str, start: usize, end: usize) -> Range {
    Range::new(position(text, start), position(text, end))
}

/// What an edit would change in the text that is there now. The beginning,
/// where that cannot be said.
pub(super) fn of_change(text: &str, change: &Change) -> Range {
    if change.old.is_empty() {
        return first_difference(text, &change.new);
    }
    let found = find(text, &change.old).or_else(|| {
        // Agents see a file with other line ends than it has.
        let old = change.old.replace("\r\n", "\n").replace('\n', "\r\n");
        find(text, &old)
    });
    found.map_or(BEGINNING, |(start, end)| range(text, start, end))
}

/// Where `old` is first, without the line end at its end.
fn find(text: &str, old: &str) -> Option<(usize, usize)> {
    let start = text.find(old)?;
    let shown = old.trim_end_matches(['\n', '\r']);
    let shown = if shown.is_empty() { old } else { shown };
    Some((start, start.saturating_add(shown.len())))
}

/// The first line that is not as it was.
fn first_difference(old: &str, new: &str) -> Range {
    let mut offset = 0_usize;
    let mut others = new.split_inclusive('\n');
    for line in old.split_inclusive('\n') {
        if others.next() != Some(line) {
            let shown = line.trim_end_matches(['\n', '\r']);
            return range(old, offset, offset.saturating_add(shown.len()));
        }
        offset = offset.saturating_add(line.len());
    }
    if others.next().is_none() {
        return BEGINNING;
    }
    // Lines are added at the end.
    range(old, offset, offset)
}

/// The place of a rule in a settings file: in its line (from 1) the rule
/// itself, else the whole line.
pub(super) fn of_rule(text: &str, line: Option<u32>, rule: &str) -> Range {
    let Some(line) = line else {
        return BEGINNING;
    };
    let number = line.saturating_sub(1);
    let content = nth_line(text, number).unwrap_or_default();
    let quoted = serde_json::to_string(rule).unwrap_or_default();
    let found = content
        .find(&quoted)
        .map(|at| (at, quoted.len()))
        .filter(|_| !quoted.is_empty());
    let (start, length) = found.unwrap_or_else(|| {
        let shown = content.trim();
        (content.len() - content.trim_start().len(), shown.len())
    });
    in_line(content, number, start, length)
}

/// The place of a problem in a settings file: line and column from 1, the
/// column in characters; the whole line where no column is known.
pub(super) fn of_problem(text: &str, line: Option<u32>, column: Option<u32>) -> Range {
    let Some(line) = line else {
        return BEGINNING;
    };
    let number = line.saturating_sub(1);
    let content = nth_line(text, number).unwrap_or_default();
    let skipped = usize::try_from(column.unwrap_or(1).saturating_sub(1)).unwrap_or(usize::MAX);
    let start = match column {
        Some(_) => content
            .char_indices()
            .nth(skipped)
            .map_or(content.len(), |(at, _)| at),
        None => content.len() - content.trim_start().len(),
    };
    let length = content.trim_end().len().saturating_sub(start);
    in_line(content, number, start, length)
}

/// Where the rules stand in a settings file; the beginning, where there are
/// none.
pub(super) fn of_permissions(text: &str) -> Range {
    const KEY: &str = "\"permissions\"";
    text.find(KEY).map_or(BEGINNING, |at| {
        range(text, at, at.saturating_add(KEY.len()))
    })
}

/// The line of a rule as it stands in a text that may be newer than what was
/// read: the line said if the rule is in it, else the first that has it.
pub(super) fn line_of_rule(text: &str, line: Option<u32>, rule: &str) -> Option<u32> {
    let quoted = serde_json::to_string(rule).ok()?;
    let said = line.map(|line| line.saturating_sub(1));
    let has = |number: u32| nth_line(text, number).is_some_and(|line| line.contains(&quoted));
    if let Some(said) = said.filter(|said| has(*said)) {
        return Some(said);
    }
    let at = text.find(&quoted)?;
    Some(position(text, at).line)
}

/// A line without its end; from 0.
pub(super) fn nth_line(text: &str, number: u32) -> Option<&str> {
    text.split('\n')
        .nth(usize::try_from(number).ok()?)
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
}

/// A part of a line, in bytes.
fn in_line(line: &str, number: u32, start: usize, length: usize) -> Range {
    let column = |at: usize| width(line.get(..at).unwrap_or(line));
    Range::new(
        Position::new(number, column(start)),
        Position::new(number, column(start.saturating_add(length))),
    )
}

/// Whether two ranges have a line in common: who asks for what can be done at
/// a place has the cursor somewhere in its line.
pub(super) const fn share_a_line(one: Range, other: Range) -> bool {
    one.start.line <= other.end.line && other.start.line <= one.end.line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn change(old: &str, new: &str) -> Change {
        Change {
            old: old.to_owned(),
            new: new.to_owned(),
        }
    }

    fn at(start: (u32, u32), end: (u32, u32)) -> Range {
        Range::new(Position::new(start.0, start.1), Position::new(end.0, end.1))
    }

    #[test]
    fn columns_are_counted_in_utf_16() {
        let text = "a 🙂é b\nx";
        assert_eq!(
            of_change(text, &change("b", "c")),
            at((0, 6), (0, 7)),
            "an emoji is two units, an accented letter one"
        );
        assert_eq!(of_change(text, &change("🙂", "")), at((0, 2), (0, 4)));
        assert_eq!(of_change(text, &change("é b\nx", "")), at((0, 4), (1, 1)));
    }

    #[test]
    fn an_edit_is_at_the_first_place_that_it_names() {
        let text = "one\ntwo\none\n";
        assert_eq!(of_change(text, &change("one", "1")), at((0, 0), (0, 3)));
        assert_eq!(of_change(text, &change("two\n", "2\n")), at((1, 0), (1, 3)));
        assert_eq!(of_change(text, &change("\n", "")), at((0, 3), (1, 0)));
    }

    #[test]
    fn a_file_with_other_line_ends_is_found_all_the_same() {
        let text = "one\r\ntwo\r\nthree\r\n";
        assert_eq!(
            of_change(text, &change("two\nthree\n", "")),
            at((1, 0), (2, 5))
        );
        assert_eq!(of_change(text, &change("two\r\n", "")), at((1, 0), (1, 3)));
        assert_eq!(position("a\rb\r\nc", 5), Position::new(2, 0));
    }

    #[test]
    fn what_is_not_found_is_at_the_beginning() {
        assert_eq!(of_change("one\n", &change("gone", "x")), BEGINNING);
        assert_eq!(of_change("", &change("gone", "x")), BEGINNING);
    }

    #[test]
    fn a_whole_file_is_at_the_first_line_that_differs() {
        let text = "one\ntwo ü\nthree\n";
        assert_eq!(
            of_change(text, &change("", "one\nTWO\nthree\n")),
            at((1, 0), (1, 5))
        );
        assert_eq!(of_change(text, &change("", text)), BEGINNING);
        assert_eq!(
            of_change(text, &change("", "one\ntwo ü\nthree\nfour\n")),
            at((3, 0), (3, 0))
        );
        assert_eq!(of_change(text, &change("", "")), at((0, 0), (0, 3)));
        assert_eq!(of_change("", &change("", "new")), BEGINNING);
    }

    #[test]
    fn a_rule_is_found_in_its_line() {
        let text = "{\r\n  \"ü\": [\"Bash(a \\\"b\\\")\", \"Read\"]\r\n}";
        assert_eq!(of_rule(text, Some(2), "Read"), at((1, 25), (1, 31)));
        assert_eq!(of_rule(text, Some(2), "Bash(a \"b\")"), at((1, 8), (1, 23)));
        assert_eq!(of_rule(text, Some(2), "other"), at((1, 2), (1, 32)));
        assert_eq!(of_rule(text, Some(9), "Read"), at((8, 0), (8, 0)));
        assert_eq!(of_rule(text, None, "Read"), BEGINNING);
        assert_eq!(line_of_rule(text, Some(1), "Read"), Some(1));
        assert_eq!(line_of_rule(text, Some(1), "gone"), None);
    }

    #[test]
    fn a_problem_is_at_its_column_or_fills_its_line() {
        let text = "{\n  \"ü🙂\": x  \n}";
        assert_eq!(of_problem(text, Some(2), Some(9)), at((1, 9), (1, 10)));
        assert_eq!(of_problem(text, Some(2), None), at((1, 2), (1, 10)));
        assert_eq!(of_problem(text, Some(2), Some(99)), at((1, 12), (1, 12)));
        assert_eq!(of_problem(text, None, None), BEGINNING);
        assert_eq!(
            of_permissions("{\n \"permissions\": {}}"),
            at((1, 1), (1, 14))
        );
        assert_eq!(of_permissions("{}"), BEGINNING);
    }

    proptest! {
        /// Counted anew by the standard library.
        #[test]
        fn positions_agree_with_the_encoding(text in "[a🙂é\n]{0,30}", at in 0_usize..40) {
            let offset = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            let before = &text[..offset];
            let line = before.matches('\n').count();
            let column = before.rsplit('\n').next().unwrap().encode_utf16().count();
            prop_assert_eq!(
                position(&text, offset),
                Position::new(u32::try_from(line).unwrap(), u32::try_from(column).unwrap())
            );
        }

        #[test]
        fn a_place_is_always_inside(text in "[ab\r\n🙂]{0,20}", old in "[ab\r\n🙂]{0,4}", new in "[ab\n]{0,4}") {
            let range = of_change(&text, &Change { old, new });
            prop_assert!(range.start <= range.end);
            prop_assert!(range.end <= position(&text, text.len()));
        }
    }
}
