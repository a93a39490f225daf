//! Handing an event over to the program that can do everything: `countersign`,
//! which stands beside this one. It takes this one's place, so that the agent waits
//! for the same process; its deadline counts from when that began.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::process::ExitCode;

use countersign_core::own::{HOOK_PROGRAM, PROGRAM};

use crate::arguments::SERVERS_WERE_ASKED;
use crate::fatal;
use crate::program::Beside;
use crate::run::Undecided;

/// Hands an event over of which nothing was read. Returns only why that cannot
/// be done.
#[must_use]
pub fn unread() -> String {
    hand_over(&[], None)
}

/// Hands an event over that no server decides, before anything came of it here.
/// Returns only why that cannot be done.
#[must_use]
pub fn undecided(undecided: &Undecided<'_>) -> String {
    let mut more = vec![SERVERS_WERE_ASKED.to_owned()];
    if let Some(mode) = undecided.tighten {
        more.extend(["--approval-mode".to_owned(), mode.to_string()]);
    }
    hand_over(&more, Some(undecided.payload))
}

/// Becomes the other program, which has more to do than hooks. Returns only
/// where that cannot be done, as a block: whoever called it may be an agent.
#[must_use]
pub fn everything() -> ExitCode {
    let problem = hand_over(&[], None);
    fatal::answer(b"", format!("{problem}\n").as_bytes(), 2)
}

/// Becomes the other program, with the same words and these; what was
/// read of standard input is there again. Returns only why that cannot be done.
fn hand_over(more: &[String], payload: Option<&[u8]>) -> String {
    let program = match Beside::find() {
        Ok(program) => program,
        Err(error) => return format!("`{PROGRAM}` is not found: {error}"),
    };
    match become_it(&program, more, payload) {
        Ok(never) => match never {},
        Err(error) => format!(
            "{} cannot be run, and `{HOOK_PROGRAM}` cannot go on without it: {error}; install \
             Countersign again",
            program.path().display()
        ),
    }
}

fn become_it(program: &Beside, more: &[String], payload: Option<&[u8]>) -> io::Result<Infallible> {
    program.could_begin()?;
    let words: Vec<OsString> = std::env::args_os()
        .skip(1)
        .chain(more.iter().map(OsString::from))
        .collect();
    if let Some(payload) = payload {
        rustix::stdio::dup2_stdin(again(payload)?)?;
    }
    // It would end the other program before that has set its own.
    fatal::no_deadline()?;
    program.begin(words)
}

/// A file without a name that holds these bytes, to be read from its start.
fn again(payload: &[u8]) -> io::Result<File> {
    let mut file = unnamed()?;
    file.write_all(payload)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

#[cfg(target_os = "linux")]
fn unnamed() -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    Ok(memfd_create("hook-event", MemfdFlags::CLOEXEC)?.into())
}

#[cfg(not(target_os = "linux"))]
fn unnamed() -> io::Result<File> {
    tempfile::tempfile()
}
