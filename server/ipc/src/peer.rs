//! Who is at the other end of a connection: the kernel's word, and what stands
//! above that process.

use std::io;
use std::os::fd::AsFd;

use countersign_core::own::{HOOK_PROGRAM, PROGRAM};
use countersign_core::state::ProcessId;

use crate::ancestry::{Ancestry, ancestors, peer_and_speaker, speaker_of};
use crate::known::{KnownAgent, base_name};
use crate::procfs::ProcessTable;

/// The process at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its pid, when it connected or began to listen; 0 if it cannot be seen
    /// from here (another container). It may have ended since.
    pub pid: u32,
    /// The user it acted as then.
    pub uid: u32,
}

/// Who is at the other end of a local socket.
///
/// # Errors
/// When the kernel does not say, or on a system where it is not asked.
#[cfg(target_os = "linux")]
pub fn peer_of(socket: impl AsFd) -> io::Result<Peer> {
    use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

    let peer = getsockopt(&socket, PeerCredentials)?;
    Ok(Peer {
        pid: u32::try_from(peer.pid()).unwrap_or(0),
        uid: peer.uid(),
    })
}

/// Who is at the other end of a local socket.
///
/// # Errors
/// Always: it is not known here.
#[cfg(not(target_os = "linux"))]
pub fn peer_of(_: impl AsFd) -> io::Result<Peer> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The process of this pid now; `None` if there is none to be seen.
#[must_use]
pub fn process_of(pid: u32) -> Option<ProcessId> {
    ProcessTable::system().ok()?.identity(pid)
}

/// The process that a hook speaks for, as [`crate::caller`] says it, for a hook
/// that is another process.
#[must_use]
pub fn caller_of(pid: u32) -> Option<ProcessId> {
    speaker_of(pid)
}

/// Who speaks through a connection of the process of this pid: for our own hook
/// whoever called it, for every other program only itself. A shell that can
/// open sockets would else speak for the agent that started it.
#[must_use]
pub fn session_owner(pid: u32) -> Option<ProcessId> {
    let (peer, speaker) = peer_and_speaker(pid)?;
    let name = peer.exe.as_deref().and_then(base_name);
    if name.is_some_and(|name| [PROGRAM, HOOK_PROGRAM].contains(&name)) {
        speaker
    } else {
        Some(peer.id)
    }
}

/// Whether the process of this pid descends from exactly that one, itself not
/// counted; `false` where that cannot be told.
#[must_use]
pub fn descends_from(pid: u32, ancestor: &ProcessId) -> bool {
    ProcessTable::system().is_ok_and(|table| table.descends_from(pid, ancestor))
}

/// The nearest agent above the process of this pid, itself not counted.
#[must_use]
pub fn agent_above(pid: u32) -> Option<(KnownAgent, ProcessId)> {
    Ancestry::of(ancestors(pid)).agent
}
