//! A process as the kernel describes it, and a chain of them.

use std::path::PathBuf;

use countersign_core::state::ProcessId;

/// What is known of one process. Its name and arguments are the process's own
/// words; only `id`, `parent`, `session` and `exe` are the kernel's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The process, not to be mistaken for a later one of the same pid.
    pub id: ProcessId,
    /// The pid of its parent; 0 if it has none that is visible here.
    pub parent: u32,
    /// The pid of the leader of its session (the terminal's sense of the word).
    pub session: u32,
    /// The executable, where the kernel lets us see it. May be gone from disk.
    pub exe: Option<PathBuf>,
    /// The short name, at most 15 bytes; the process may change it.
    pub name: String,
    /// The arguments, at most 64 and 16 KiB together; the process may change
    /// them. Bytes that are not UTF-8 are replaced.
    pub argv: Vec<String>,
}

/// Processes from the one asked for upward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The process asked for, its parent, and so on.
    pub processes: Vec<Process>,
    /// Why the chain ends where it does.
    pub end: ChainEnd,
}

/// Why a chain of processes ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainEnd {
    /// Its last process has no parent: nothing is missing.
    Complete,
    /// A process of the chain could not be read: it ended meanwhile, or
    /// belongs to somebody else and is hidden.
    Hidden,
    /// More than 64 processes.
    TooDeep,
    /// Read in a user namespace of its own: whoever made that can show any
    /// processes there.
    Namespace,
    /// Processes cannot be read on this system.
    Unknown,
}

/// Why processes cannot be read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The process file system is missing, or something else lies in its place.
    #[error("cannot read processes from {place}: {problem}; mount the process file system there")]
    Unreadable {
        /// Where it was looked for.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The guard cannot read processes on this operating system.
    #[error("processes cannot be read on this operating system; run the guard on linux")]
    Unsupported,
}
