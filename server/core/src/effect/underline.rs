//! A command's text with the parts that matter underlined, as a terminal or a
//! prompt can show it: bounded, and nothing in it can pass for an underline.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use unicode_width::UnicodeWidthStr as _;

use crate::redact;

/// The most columns of text in a row; a longer line goes on in the next.
const COLUMNS: usize = 100;

/// The most characters in a row, whatever their width.
const MOST_CHARACTERS: usize = 2 * COLUMNS;

/// A text of at most that many rows is shown whole, of a longer one the rows
/// with marks.
const WHOLE: usize = 40;

/// The most rows of text that are shown.
const MOST_ROWS: usize = 80;

/// The most marks that are shown; the rest is counted. Fewer than
/// [`MOST_ROWS`], so that each has its first row.
const MOST_MARKS: usize = 40;

/// The most rows of one mark that are underlined.
const MOST_ROWS_OF_A_MARK: usize = 3;

/// The most of what is said of a mark, in bytes.
const MOST_OF_A_MESSAGE: usize = 300;

/// Before the beginning of a line of the text.
const LINE: &str = "| ";
/// Before the rest of a line that is too long for one row.
const REST: &str = "|…";
/// Before an underline.
const MARKER: &str = "  ";
/// In place of rows that are not shown.
const LEFT_OUT: &str = "…";

/// The text's lines, and below those with a mark `^^^^` under it and what is
/// said of it. Marks are in bytes of the text; any range is fine. Rows of the
/// text begin with `|`, underlines never do. Control characters are written
/// out, long lines broken, long texts shown around their marks; no line feed
/// at the end.
#[must_use]
pub fn underlined(text: &str, marks: &[(Range<usize>, String)]) -> String {
    let rows = rows(text);
    let marks = merged(text, marks);
    let shown_marks = marks.get(..MOST_MARKS).unwrap_or(&marks);
    let shown_rows = shown_rows(&rows, shown_marks);

    let mut out = String::new();
    let mut next = 0;
    for &index in &shown_rows {
        let Some(row) = rows.get(index) else {
            continue;
        };
        if index > next {
            push(&mut out, LEFT_OUT);
        }
        next = index + 1;
        let gutter = if row.is_rest { REST } else { LINE };
        push(
            &mut out,
            &format!("{gutter}{}", shown(text, row.start, row.end)),
        );
        for mark in shown_marks {
            if let Some(marker) = marker(text, row, mark, index - first_row(&rows, mark).min(index))
            {
                push(&mut out, &marker);
            }
        }
    }
    if next < rows.len() {
        push(&mut out, LEFT_OUT);
    }
    if marks.len() > shown_marks.len() {
        let besides = marks.len() - shown_marks.len();
        push(&mut out, &format!("{MARKER}and {besides} more parts"));
    }
    out
}

fn push(out: &mut String, row: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(row.trim_end_matches(' '));
}

/// A line of the text, or as much of it as fits; bytes.
#[derive(Debug)]
struct Row {
    start: usize,
    /// Before the line feed.
    end: usize,
    /// Where the next begins; for the last row, behind the text, so that it
    /// takes marks that stand at its very end.
    next: usize,
    /// Whether it continues a line.
    is_rest: bool,
}

fn rows(text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = Row {
        start: 0,
        end: 0,
        next: 0,
        is_rest: false,
    };
    let mut columns = 0;
    let mut characters = 0;
    for (at, character) in text.char_indices() {
        let after = at + character.len_utf8();
        let is_feed = character == '\n';
        let width = width_of(character);
        let is_full = columns + width > COLUMNS || characters == MOST_CHARACTERS;
        if is_feed || (is_full && at > row.start) {
            let start = if is_feed { after } else { at };
            rows.push(Row {
                end: at,
                next: start,
                ..row
            });
            row = Row {
                start,
                end: start,
                next: start,
                is_rest: !is_feed,
            };
            (columns, characters) = (0, 0);
        }
        if !is_feed {
            columns += width;
            characters += 1;
        }
    }
    if row.start < text.len() || rows.is_empty() {
        rows.push(Row {
            end: text.len(),
            ..row
        });
    }
    if let Some(last) = rows.last_mut() {
        last.next = text.len() + 1;
    }
    rows
}

fn width_of(character: char) -> usize {
    match character {
        ' '..='~' => 1,
        _ => redact::visible(character.encode_utf8(&mut [0; 4])).width(),
    }
}

/// A part of the text, and what is said of it.
#[derive(Debug)]
struct Mark {
    start: usize,
    /// Above the start, unless the mark stands at the text's end.
    end: usize,
    messages: Vec<String>,
}

/// Marks in the order of the text, ranges within it and on characters, one for
/// each range.
fn merged(text: &str, marks: &[(Range<usize>, String)]) -> Vec<Mark> {
    let mut sorted: Vec<(usize, usize, &str)> = marks
        .iter()
        .map(|(range, message)| {
            let is_boundary = |at: &usize| text.is_char_boundary(*at);
            let start = (0..=range.start.min(text.len())).rev().find(is_boundary);
            let start = start.unwrap_or(0);
            let least = range.end.max(start + 1).min(text.len());
            let end = (least..=text.len()).find(is_boundary);
            (start, end.unwrap_or(text.len()), message.as_str())
        })
        .collect();
    sorted.sort_by_key(|(start, end, _)| (*start, *end));
    let mut merged: Vec<Mark> = Vec::new();
    for (start, end, message) in sorted {
        match merged.last_mut() {
            Some(last) if (last.start, last.end) == (start, end) => {
                if !last.messages.iter().any(|known| known == message) {
                    last.messages.push(message.to_owned());
                }
            }
            _ => merged.push(Mark {
                start,
                end,
                messages: vec![message.to_owned()],
            }),
        }
    }
    merged
}

fn first_row(rows: &[Row], mark: &Mark) -> usize {
    rows.partition_point(|row| row.next <= mark.start)
}

/// The rows that are shown, in order.
fn shown_rows(rows: &[Row], marks: &[Mark]) -> BTreeSet<usize> {
    if rows.len() <= WHOLE {
        return (0..rows.len()).collect();
    }
    if marks.is_empty() {
        return (0..WHOLE).collect();
    }
    let mut shown: BTreeSet<usize> = marks.iter().map(|mark| first_row(rows, mark)).collect();
    for mark in marks {
        let first = first_row(rows, mark);
        let others = rows
            .iter()
            .enumerate()
            .skip(first)
            .take(MOST_ROWS_OF_A_MARK)
            .take_while(|(_, row)| row.start < mark.end);
        for (index, _) in others {
            if shown.len() < MOST_ROWS {
                shown.insert(index);
            }
        }
    }
    shown
}

/// The underline of a mark below a row that is so many rows below the mark's
/// first one.
fn marker(text: &str, row: &Row, mark: &Mark, below_first: usize) -> Option<String> {
    let touches = mark.start < row.next && mark.end.max(mark.start + 1) > row.start;
    if !touches || below_first >= MOST_ROWS_OF_A_MARK {
        return None;
    }
    let from = mark.start.clamp(row.start, row.end);
    let to = mark.end.clamp(from, row.end);
    let before = shown(text, row.start, from).width();
    let width = shown(text, from, to).width().max(1);
    let mut marker = format!("{MARKER}{}{}", " ".repeat(before), "^".repeat(width));
    if below_first == 0 {
        let message = mark.messages.join("; ");
        let message = redact::bounded(&message, MOST_OF_A_MESSAGE);
        // Writing to a string does not fail.
        let _ = write!(marker, " {}", redact::visible(&message));
    }
    Some(marker)
}

fn shown(text: &str, start: usize, end: usize) -> String {
    redact::visible(text.get(start..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mark(text: &str, part: &str, message: &str) -> (Range<usize>, String) {
        let start = text.find(part).unwrap();
        (start..start + part.len(), message.to_owned())
    }

    fn shows(text: &str, marks: &[(Range<usize>, String)], expected: &[&str]) {
        assert_eq!(underlined(text, marks), expected.join("\n"), "{text:?}");
    }

    #[test]
    fn parts_are_underlined_in_the_order_of_the_text() {
        let text = "make clean && rm -r lib";
        shows(
            text,
            &[
                mark(text, "lib", "deletes what is not tracked"),
                mark(text, "make clean", "runs the project's own code"),
            ],
            &[
                "| make clean && rm -r lib",
                "  ^^^^^^^^^^ runs the project's own code",
                "                      ^^^ deletes what is not tracked",
            ],
        );
    }

    #[test]
    fn each_line_has_its_underlines_below_it() {
        let text = "one\ntwo three\nfour\n";
        shows(
            text,
            &[mark(text, "three\nfour", "both"), mark(text, "one", "")],
            &[
                "| one",
                "  ^^^",
                "| two three",
                "      ^^^^^ both",
                "| four",
                "  ^^^^",
            ],
        );
    }

    #[test]
    fn wide_and_hidden_characters_are_counted_as_they_are_shown() {
        let text = "cat 日本 \u{1b}[2K x";
        shows(
            text,
            &[
                mark(text, "本", "wide"),
                mark(text, "\u{1b}", "escape"),
                mark(text, "x", "a\u{202e}b\nc"),
            ],
            &[
                "| cat 日本 \\x1b[2K x",
                "        ^^ wide",
                "           ^^^^ escape",
                "                   ^ a<U+202E>b\\nc",
            ],
        );
    }

    #[test]
    fn the_same_part_is_underlined_once() {
        let text = "curl x";
        shows(
            text,
            &[
                mark(text, "curl", "one"),
                mark(text, "curl", "two"),
                mark(text, "curl", "one"),
            ],
            &["| curl x", "  ^^^^ one; two"],
        );
    }

    #[test]
    fn a_text_cannot_draw_an_underline_of_its_own() {
        shows("a\n  ^^^^ fine", &[], &["| a", "|   ^^^^ fine"]);
    }

    #[test]
    fn ranges_that_make_no_sense_are_put_into_the_text() {
        let at = |range| [(range, "here".to_owned())];
        shows("äb", &at(1..2), &["| äb", "  ^ here"]);
        shows("ab", &at(7..9), &["| ab", "    ^ here"]);
        shows("ab", &at(1..1), &["| ab", "   ^ here"]);
        shows("", &at(0..0), &["|", "  ^ here"]);
        shows("a\n", &at(1..2), &["| a", "   ^ here"]);
        shows("a\n", &at(2..2), &["| a", "   ^ here"]);
        #[expect(clippy::reversed_empty_ranges, reason = "that is the point")]
        let backwards = at(2..1);
        shows("abc", &backwards, &["| abc", "    ^ here"]);
    }

    #[test]
    fn a_long_line_is_broken_and_still_underlined() {
        let text = format!("{}rm", "x".repeat(199));
        shows(
            &text,
            &[(199..201, "deletes".to_owned())],
            &[
                &format!("| {}", "x".repeat(100)),
                &format!("|…{}r", "x".repeat(99)),
                &format!("  {}^ deletes", " ".repeat(99)),
                "|…m",
                "  ^",
            ],
        );
    }

    #[test]
    fn of_a_long_text_the_parts_that_matter_are_shown() {
        let text = format!("{}rm x\n{}", "echo\n".repeat(300), "true\n".repeat(300));
        shows(
            &text,
            &[mark(&text, "rm", "deletes")],
            &["…", "| rm x", "  ^^ deletes", "…"],
        );
        // A part of hundreds of lines does not hide the next one.
        let marks = [(0..1500, "much".to_owned()), mark(&text, "rm", "deletes")];
        shows(
            &text,
            &marks,
            &[
                "| echo",
                "  ^^^^ much",
                "| echo",
                "  ^^^^",
                "| echo",
                "  ^^^^",
                "…",
                "| rm x",
                "  ^^ deletes",
                "…",
            ],
        );
    }

    #[test]
    fn more_marks_than_can_be_shown_are_counted() {
        let marks: Vec<_> = (0..50).map(|at| (at..at + 1, String::new())).collect();
        let shown = underlined(&"x".repeat(60), &marks);
        assert!(shown.ends_with("  and 10 more parts"), "{shown}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn any_text_with_any_marks_is_shown_within_bounds(
            text in prop_oneof![
                any::<String>(),
                "[a日\u{301}\u{1b}\r\t \n👩\u{200d}🙂]{0,400}",
                "\n{0,300}[a-z\n]{0,300}",
            ],
            marks in prop::collection::vec((0_usize..600, 0_usize..600, any::<String>()), 0..60),
        ) {
            let marks: Vec<_> = marks
                .into_iter()
                .map(|(start, end, message)| (start..end, message))
                .collect();
            let shown = underlined(&text, &marks);
            prop_assert!(shown.lines().count() <= 2 * MOST_ROWS + MOST_MARKS * MOST_ROWS_OF_A_MARK + 2);
            prop_assert!(shown.lines().all(|line| line.chars().count() < 9 * MOST_CHARACTERS + 3000));
            prop_assert_eq!(redact::visible_lines(&shown), shown.as_str());
            // Each mark that has room is underlined.
            let distinct = merged(&text, &marks).len();
            let underlines = shown
                .lines()
                .filter(|line| line.starts_with(MARKER) && line.trim_start().starts_with('^'))
                .count();
            prop_assert!(underlines >= distinct.min(MOST_MARKS));
        }

        #[test]
        fn underlines_stand_below_what_they_mark(
            before in "[a-z日\u{1b} ]{0,30}",
            part in "[a-z本\u{7f}]{1,10}",
            after in "[a-z\n]{0,30}",
        ) {
            let (column, width) = (shown_width(&before), shown_width(&part));
            prop_assume!(column + width <= COLUMNS);
            let text = format!("{before}{part}{after}");
            let marks = [(before.len()..before.len() + part.len(), "!".to_owned())];
            let shown = underlined(&text, &marks);
            let expected = format!("{MARKER}{}{} !", " ".repeat(column), "^".repeat(width));
            prop_assert!(shown.lines().any(|line| line == expected), "{}", shown);
        }
    }

    fn shown_width(text: &str) -> usize {
        redact::visible(text).width()
    }
}
