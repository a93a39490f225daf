//! Handing an event over to the program that decides it: `countersign`, which
//! stands beside this one. It takes this one's place, so that the agent waits
//! for the same process; its deadline counts from when that began.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use countersign_agents::HookOutput;
use countersign_core::own::{HOOK_PROGRAM, PROGRAM};
use countersign_ipc::discovery::Found;

use crate::arguments::SERVERS_WERE_ASKED;
use crate::fatal;
use crate::run::{Otherwise, Undecided, Unread};

/// Hands over whatever no server decides.
#[derive(Debug, Clone, Copy)]
pub struct HandOver;

impl Otherwise for HandOver {
    fn before_reading(&self, found: &Found) -> Result<(), String> {
        // Without a server the other program can as well read the event.
        if found.servers.is_empty() {
            return Err(hand_over(&[], None));
        }
        Ok(())
    }

    fn unreadable(&self, unread: &Unread<'_>) -> Result<(), String> {
        Err(hand_over(&[], Some(unread.payload)))
    }

    fn undecided(&self, undecided: Undecided<'_>) -> Result<HookOutput, String> {
        let mut more = vec![SERVERS_WERE_ASKED.to_owned()];
        if let Some(mode) = undecided.tighten {
            more.extend(["--approval-mode".to_owned(), mode.to_string()]);
        }
        Err(hand_over(&more, Some(undecided.payload)))
    }
}

/// Becomes the other program, which has more to do than hooks. Returns only
/// where that cannot be done, as a block: whoever called it may be an agent.
#[must_use]
pub fn everything() -> ExitCode {
    let problem = hand_over(&[], None);
    fatal::answer(b"", format!("{problem}\n").as_bytes(), 2)
}

/// Becomes the program that decides, with the same words and these; what was
/// read of standard input is there again. Returns only why that cannot be done.
fn hand_over(more: &[String], payload: Option<&[u8]>) -> String {
    let program = match beside() {
        Ok(program) => program,
        Err(error) => return format!("`{PROGRAM}` is not found: {error}"),
    };
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut command = Command::new(&program);
    command.args(words).args(more);
    if let Some(payload) = payload {
        match again(payload) {
            Ok(file) => command.stdin(file),
            Err(error) => return format!("what the agent said cannot be handed over: {error}"),
        };
    }
    // It would end the other program before that has set its own.
    if let Err(error) = fatal::no_deadline() {
        return format!("the deadline cannot be handed over: {error}");
    }
    let error = command.exec();
    format!(
        "{} cannot be run, and `{HOOK_PROGRAM}` cannot decide without it: {error}; install \
         Countersign again",
        program.display()
    )
}

/// The program beside this one.
fn beside() -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let other = own.with_file_name(PROGRAM);
    if other == own {
        // It would become itself for ever.
        let problem = format!("this is `{HOOK_PROGRAM}` under its name; install Countersign again");
        return Err(io::Error::other(problem));
    }
    Ok(other)
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
