//! Shows text that is longer than the screen page by page. Built in: a pager
//! that the environment names would be a program that whoever sets variables
//! chooses, run by a command that an agent may run.

use std::io::{self, IsTerminal as _, Read as _, Write};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

/// Alternate screen, no wrapping, no cursor; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?7l\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?7h\x1b[?1049l";

/// How often is looked whether the terminal has another size.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Writes the text: page by page if a person is at the terminal and it does not
/// fit on the screen, else at once. Escape sequences other than colours must not
/// be in it.
///
/// # Errors
/// When the terminal cannot be written.
pub(crate) fn show(text: &str, may_page: bool) -> io::Result<()> {
    let lines = text.lines().count();
    let height = super::terminal_height().filter(|height| lines >= *height);
    let paged = may_page && super::interactive() && height.is_some();
    if !paged {
        return super::stdout().write_all(text.as_bytes());
    }
    let Some(terminal) = Terminal::raw() else {
        return super::stdout().write_all(text.as_bytes());
    };
    let mut out = super::stdout();
    out.write_all(ENTER.as_bytes())?;
    let turned = turn(text, &mut out);
    let left = out.write_all(LEAVE.as_bytes()).and_then(|()| out.flush());
    drop(terminal);
    turned.and(left)
}

fn turn(text: &str, out: &mut impl Write) -> io::Result<()> {
    let mut pages = Pages::new(text, super::terminal_height().unwrap_or(24));
    let mut shown = None;
    loop {
        pages.resize(super::terminal_height().unwrap_or(24));
        if shown != Some((pages.top, pages.height)) {
            shown = Some((pages.top, pages.height));
            out.write_all(pages.screen().as_bytes())?;
            out.flush()?;
        }
        let mut bytes = [0; 64];
        if !readable(LOOK_EVERY)? {
            continue;
        }
        let read = io::stdin().lock().read(&mut bytes)?;
        let typed = bytes.get(..read).unwrap_or_default();
        if typed.is_empty() || !pages.typed(typed) {
            return Ok(());
        }
    }
}

/// Whether something was typed, or the terminal is gone, within this time.
fn readable(within: Duration) -> io::Result<bool> {
    let stdin = io::stdin();
    let mut ends = [PollFd::new(&stdin, PollFlags::IN)];
    let within = Timespec::try_from(within).map_err(io::Error::other)?;
    match poll(&mut ends, Some(&within)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A terminal that gives every key at once, until this is dropped.
struct Terminal {
    before: Termios,
}

impl Terminal {
    fn raw() -> Option<Self> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return None;
        }
        let before = tcgetattr(&stdin).ok()?;
        let mut raw = before.clone();
        // Ctrl-C is a key like others: the screen must be put back.
        raw.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&stdin, OptionalActions::Now, &raw).ok()?;
        Some(Self { before })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// The text, and which part of it is on the screen.
struct Pages<'t> {
    lines: Vec<&'t str>,
    top: usize,
    /// Lines of text on the screen; one more is for the hint.
    height: usize,
}

impl<'t> Pages<'t> {
    fn new(text: &'t str, rows: usize) -> Self {
        Self {
            lines: text.lines().collect(),
            top: 0,
            height: rows.saturating_sub(1).max(1),
        }
    }

    fn resize(&mut self, rows: usize) {
        self.height = rows.saturating_sub(1).max(1);
        self.go(self.top);
    }

    fn go(&mut self, top: usize) {
        self.top = top.min(self.lines.len().saturating_sub(self.height));
    }

    /// Does what was typed; false to end.
    fn typed(&mut self, keys: &[u8]) -> bool {
        let mut rest = keys;
        while let Some((key, after)) = rest.split_first() {
            rest = after;
            let (back, forth) = (
                self.top.saturating_sub(self.height),
                self.top.saturating_add(self.height),
            );
            match key {
                // q, Ctrl-C, Ctrl-D.
                b'q' | b'Q' | 0x03 | 0x04 => return false,
                b'j' | b'\r' | b'\n' => self.go(self.top.saturating_add(1)),
                b'k' => self.go(self.top.saturating_sub(1)),
                b' ' | b'f' => self.go(forth),
                b'b' => self.go(back),
                b'g' => self.go(0),
                b'G' => self.go(usize::MAX),
                0x1b => match rest {
                    // A key of its own, or the beginning of one.
                    [] => return false,
                    [b'[' | b'O', key, after @ ..] => {
                        rest = after;
                        match key {
                            b'A' => self.go(self.top.saturating_sub(1)),
                            b'B' => self.go(self.top.saturating_add(1)),
                            b'H' => self.go(0),
                            b'F' => self.go(usize::MAX),
                            b'5' | b'6' => {
                                self.go(if *key == b'5' { back } else { forth });
                                rest = rest.strip_prefix(b"~").unwrap_or(rest);
                            }
                            _ => {}
                        }
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        true
    }

    fn screen(&self) -> String {
        let mut screen = String::from("\x1b[H\x1b[2J");
        let bottom = self.top.saturating_add(self.height).min(self.lines.len());
        for line in self.lines.get(self.top..bottom).unwrap_or_default() {
            screen.push_str(line);
            screen.push_str("\r\n");
        }
        screen.push_str(&super::styled(
            super::DIM,
            &format!(
                "{}-{bottom} of {}   space b ↑ ↓ g G, q to end",
                self.top.saturating_add(1),
                self.lines.len()
            ),
        ));
        screen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: usize) -> String {
        (1..=lines).map(|line| format!("line {line}\n")).collect()
    }

    #[test]
    fn keys_turn_the_pages_and_stay_inside_the_text() {
        let text = text(100);
        let mut pages = Pages::new(&text, 11);
        for (keys, top) in [
            (&b" "[..], 10),
            (b"f", 20),
            (b"b", 10),
            (b"j\r\x1b[B", 13),
            (b"k\x1b[A", 11),
            (b"\x1b[6~", 21),
            (b"\x1b[5~\x1b[5~", 1),
            (b"bbb", 0),
            (b"G", 90),
            (b"  j", 90),
            (b"g", 0),
            (b"\x1b[F", 90),
            (b"\x1bOH", 0),
            (b"x\x1b[Z", 0),
        ] {
            assert!(pages.typed(keys), "{keys:?}");
            assert_eq!(pages.top, top, "{keys:?}");
        }
        for keys in [&b"q"[..], b"jQ", b"\x03", b"\x04", b"\x1b"] {
            assert!(!pages.typed(keys), "{keys:?}");
        }
    }

    #[test]
    fn a_screen_is_one_page_and_a_hint() {
        let text = text(30);
        let mut pages = Pages::new(&text, 11);
        pages.typed(b" ");
        let screen = pages.screen();
        assert!(screen.contains("line 11\r\n") && screen.contains("line 20\r\n"));
        assert!(!screen.contains("line 10\r") && !screen.contains("line 21\r"));
        assert!(screen.contains("11-20 of 30"), "{screen}");
        // A screen that grows shows more, and not past the end.
        pages.typed(b"G");
        pages.resize(26);
        assert_eq!((pages.top, pages.height), (5, 25));
        pages.resize(100);
        assert_eq!(pages.top, 0);
        pages.resize(0);
        assert_eq!(pages.height, 1);
    }
}
