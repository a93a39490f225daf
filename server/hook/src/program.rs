//! The program that takes this one's place: where it is, whether it can begin,
//! and with which environment. What ends it before it can answer for itself
//! would be a yes to the agent, so it must not begin then.

use std::convert::Infallible;
use std::ffi::{CString, OsStr, OsString};
use std::fs::Metadata;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use countersign_core::own::{HOOK_PROGRAM, PROGRAM};

use crate::limits;

/// Variables by which the loader of a program, or the C library in it, takes
/// code, files or the names of machines from somewhere else: what glibc itself
/// does not heed in a program with more rights than who starts it, but for
/// folders of temporary files and time zones. An agent may have set them, and
/// the small program heeds none of them.
const STEERING: [&str; 11] = [
    "GCONV_PATH",
    "GETCONF_DIR",
    "GLIBC_TUNABLES",
    "HOSTALIASES",
    "LOCALDOMAIN",
    "LOCPATH",
    "MALLOC_TRACE",
    "NIS_PATH",
    "NLSPATH",
    "RESOLV_HOST_CONF",
    "RES_OPTIONS",
];

/// What the loader's own variables begin with, on Linux and on macOS.
const OF_THE_LOADER: [&str; 2] = ["LD_", "DYLD_"];

/// The program beside this one.
pub(crate) struct Beside(PathBuf);

impl Beside {
    /// Looks for it.
    ///
    /// # Errors
    /// When it is not there, or is this one under its name.
    pub(crate) fn find() -> io::Result<Self> {
        let own = std::env::current_exe()?;
        let other = own.with_file_name(PROGRAM);
        let is_own = other == own
            || match (own.metadata(), other.metadata()) {
                (Ok(own), Ok(other)) => is_same(&own, &other),
                // Beginning it says what is wrong.
                _ => false,
            };
        if is_own {
            // It would become itself for ever.
            let problem =
                format!("this is `{HOOK_PROGRAM}` under its name; install Countersign again");
            return Err(io::Error::other(problem));
        }
        Ok(Self(other))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Whether it could begin.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn could_begin(&self) -> io::Result<()> {
        limits::for_another_program()?;
        if is_cut_short(&self.0)? {
            return Err(io::Error::other("its file is cut short"));
        }
        Ok(())
    }

    /// Becomes it. Unlike the standard library's way there, this changes no
    /// signal of a process that stays what it is if that fails, and has no shell
    /// read a file that is no program.
    ///
    /// # Errors
    /// When it cannot be run.
    pub(crate) fn begin(&self, words: Vec<OsString>) -> io::Result<Infallible> {
        let path = text(self.0.as_os_str().to_owned())?;
        let words = std::iter::once(Ok(path.clone())).chain(words.into_iter().map(text));
        let words = words.collect::<io::Result<Vec<CString>>>()?;
        let environment = environment().map(|(name, value)| {
            let mut entry = name;
            entry.push("=");
            entry.push(value);
            text(entry)
        });
        let environment = environment.collect::<io::Result<Vec<CString>>>()?;
        Ok(nix::unistd::execve(&path, &words, &environment)?)
    }
}

fn text(text: OsString) -> io::Result<CString> {
    CString::new(text.into_vec()).map_err(io::Error::other)
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// The environment of this process, without what steers a program.
#[expect(
    clippy::disallowed_methods,
    reason = "nothing is decided by it here; what could steer the other program is left out"
)]
fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| !steers(name))
}

fn steers(name: &OsStr) -> bool {
    let name = name.as_bytes();
    STEERING.iter().any(|steering| steering.as_bytes() == name)
        || OF_THE_LOADER
            .iter()
            .any(|beginning| name.starts_with(beginning.as_bytes()))
}

/// Whether a program's file ends before the table of its sections, which stands
/// at the end: a copy that was broken off. The system would run it into its
/// missing part.
#[cfg(all(
    target_os = "linux",
    target_endian = "little",
    target_pointer_width = "64"
))]
fn is_cut_short(program: &Path) -> io::Result<bool> {
    use std::io::Read as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    /// The length of the header of elf(5).
    const HEADER: u64 = 64;
    // Without NONBLOCK, opening a FIFO would wait for a writer.
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(program)?;
    let length = file.metadata()?.len();
    let mut header = Vec::new();
    file.take(HEADER).read_to_end(&mut header)?;
    // What else can be run, a script, is as long as it is.
    if !header.starts_with(b"\x7fELF") {
        return Ok(false);
    }
    let field = |at: usize, size: usize| {
        let bytes = header.get(at..at + size)?.iter().rev();
        Some(bytes.fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
    };
    // e_shoff, e_shentsize and e_shnum.
    let (Some(start), Some(size), Some(count)) = (field(0x28, 8), field(0x3a, 2), field(0x3c, 2))
    else {
        return Ok(true);
    };
    Ok(start.saturating_add(size * count) > length)
}

#[cfg(not(all(
    target_os = "linux",
    target_endian = "little",
    target_pointer_width = "64"
)))]
fn is_cut_short(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_program_is_left_out_and_what_it_is_told_is_not() {
        for name in [
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "LD_AUDIT",
            "LD_TRACE_LOADED_OBJECTS",
            "LD_NEVER_HEARD_OF",
            "DYLD_INSERT_LIBRARIES",
            "GLIBC_TUNABLES",
            "HOSTALIASES",
        ] {
            assert!(steers(OsStr::new(name)), "{name}");
        }
        for name in ["PATH", "SHELL", "TRACEPARENT", "OPENAI_API_KEY", "OLD_KEY"] {
            assert!(!steers(OsStr::new(name)), "{name}");
        }
    }

    #[cfg(all(
        target_os = "linux",
        target_endian = "little",
        target_pointer_width = "64"
    ))]
    #[test]
    fn a_program_is_cut_short_where_anything_is_missing() {
        let whole = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("program");
        let is_cut_short = |bytes: &[u8]| {
            std::fs::write(&file, bytes).unwrap();
            is_cut_short(&file).unwrap()
        };
        assert!(!is_cut_short(&whole));
        for length in [whole.len() - 1, whole.len() / 2, 4096, 64, 63, 4] {
            assert!(is_cut_short(&whole[..length]), "{length}");
        }
        // The system says what becomes of these.
        assert!(!is_cut_short(b"#!/bin/sh\n"));
        assert!(!is_cut_short(b""));
    }
}
