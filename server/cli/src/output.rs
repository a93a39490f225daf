//! What people read in a terminal: colours only there, hostile text made
//! visible, tables that fit.

pub(crate) mod pager;

use std::io::{self, IsTerminal as _, Write};

use anstyle::{AnsiColor, Style};
use countersign_core::redact;
use unicode_width::UnicodeWidthStr as _;

/// Bold.
pub(crate) const BOLD: Style = Style::new().bold();
/// Less important text.
pub(crate) const DIM: Style = Style::new().dimmed();
/// An allow.
pub(crate) const ALLOW: Style = AnsiColor::Green.on_default().bold();
/// An ask.
pub(crate) const ASK: Style = AnsiColor::Yellow.on_default().bold();
/// A block.
pub(crate) const BLOCK: Style = AnsiColor::Red.on_default().bold();
/// A name or number to notice.
pub(crate) const NOTE: Style = AnsiColor::Cyan.on_default();

/// The colour of a decision's verb, or of a verdict.
pub(crate) fn verb_style(verb: &str) -> Style {
    match verb {
        "allow" => ALLOW,
        "block" => BLOCK,
        "ask" | "review" => ASK,
        _ => Style::new(),
    }
}

/// Text in a style.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Standard output; colours are left out where it is no terminal.
pub(crate) fn stdout() -> anstream::AutoStream<io::StdoutLock<'static>> {
    anstream::AutoStream::auto(io::stdout().lock())
}

/// Whether a person is at both ends.
pub(crate) fn interactive() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// One line of hostile text: control characters visible, at most `width`
/// columns wide, the cut marked.
pub(crate) fn one_line(text: &str, width: usize) -> String {
    let text = redact::visible(text);
    if text.width() <= width {
        return text;
    }
    let mut line = String::new();
    for c in text.chars() {
        line.push(c);
        if line.width() + 1 > width {
            line.pop();
            break;
        }
    }
    line.push('…');
    line
}

/// A time for people: `740 µs`, `1.2 ms`, `3.4 s`, `2 min`.
pub(crate) fn duration(micros: u64) -> String {
    let tenths = |unit: u64, name: &str| {
        let tenths = micros.saturating_mul(10) / unit;
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    };
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => tenths(1_000, "ms"),
        1_000_000..120_000_000 => tenths(1_000_000, "s"),
        _ => format!("{} min", micros / 60_000_000),
    }
}

/// How wide the terminal is, if standard output is one.
pub(crate) fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    (size.ws_col > 0).then(|| usize::from(size.ws_col))
}

/// How high the terminal is, if standard output is one.
pub(crate) fn terminal_height() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    (size.ws_row > 0).then(|| usize::from(size.ws_row))
}

/// The least that is left of a last column that is cut, in columns.
const LEAST: usize = 20;

/// A table: a header, rows, two spaces between columns. The last column is cut
/// to fit into `width` columns, if that is given.
pub(crate) fn table(
    out: &mut impl Write,
    header: &[&str],
    rows: &[Vec<(Style, String)>],
    width: Option<usize>,
) -> io::Result<()> {
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(column, name)| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|(_, cell)| cell.width())
                .chain([name.width()])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let header: Vec<(Style, String)> = header
        .iter()
        .map(|name| (DIM, (*name).to_owned()))
        .collect();
    let widths = widths.split_last().map_or(&[][..], |(_, before)| before);
    let mut rows = std::iter::once(&header).chain(rows);
    rows.try_for_each(|cells| row(out, cells, widths, width))
}

/// One row of a table, with the widths of all columns but the last. A cell that
/// is wider pushes the others to the right; the last one is cut to fit into
/// `width` columns, if that is given.
pub(crate) fn row(
    out: &mut impl Write,
    cells: &[(Style, String)],
    widths: &[usize],
    width: Option<usize>,
) -> io::Result<()> {
    let mut so_far = 0;
    for (column, (style, cell)) in cells.iter().enumerate() {
        let is_last = column + 1 == cells.len();
        let cell = match width {
            Some(width) if is_last => one_line(cell, width.saturating_sub(so_far).max(LEAST)),
            _ => cell.clone(),
        };
        let fill = match widths.get(column) {
            Some(width) if !is_last => width.saturating_sub(cell.width()) + 2,
            _ => 0,
        };
        so_far += cell.width() + fill;
        write!(out, "{}{}", styled(*style, &cell), " ".repeat(fill))?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_show_what_would_hide() {
        assert_eq!(one_line("ls\u{1b}[2K", 40), "ls\\x1b[2K");
        assert_eq!(one_line("0123456789", 5), "0123…");
        assert_eq!(one_line("äöü", 3), "äöü");
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        for (micros, text) in [
            (0, "0 µs"),
            (999, "999 µs"),
            (1_250, "1.2 ms"),
            (3_400_000, "3.4 s"),
            (7_200_000_000, "120 min"),
        ] {
            assert_eq!(duration(micros), text);
        }
    }

    #[test]
    fn tables_align() {
        let mut out = Vec::new();
        let rows = vec![
            vec![
                (Style::new(), "a".to_owned()),
                (Style::new(), "x".to_owned()),
            ],
            vec![
                (Style::new(), "bbb".to_owned()),
                (Style::new(), "y".to_owned()),
            ],
        ];
        table(&mut out, &["k", "value"], &rows, None).unwrap();
        let text = anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string();
        assert_eq!(text, "k    value\na    x\nbbb  y\n");
    }

    #[test]
    fn the_last_column_fits_the_terminal() {
        let rows = vec![vec![
            (Style::new(), "a".to_owned()),
            (Style::new(), "x".repeat(100)),
        ]];
        let mut out = Vec::new();
        table(&mut out, &["k", "value"], &rows, Some(40)).unwrap();
        let text = anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string();
        assert!(text.lines().all(|line| line.width() <= 40), "{text}");
        assert!(text.contains('…'));
    }
}
