//! Sockets in the folder of the servers, by descriptors and never by paths: a
//! folder or a file that is swapped meanwhile leads nowhere, and a long path
//! fits into a socket's address.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};

use crate::client::ConnectError;
use crate::runtime::{RuntimeFolder, is_open_to_others, is_ours};

/// How to send: without this, a server that is gone would end the hook by a
/// signal.
pub(crate) const SEND: SendFlags = SendFlags::NOSIGNAL;

/// How many hooks may wait to be accepted; the kernel takes less if it is set so.
const BACKLOG: i32 = 1024;

/// A non-blocking socket that listens under this name, mode 0600 from its first
/// moment.
pub(crate) fn listen(folder: &RuntimeFolder, name: &str) -> io::Result<OwnedFd> {
    let socket = stream(SocketFlags::NONBLOCK)?;
    // The file takes over the socket's own mode, less the umask.
    rustix::fs::fchmod(&socket, Mode::from_raw_mode(0o600))?;
    let directory = folder.descriptor();
    let address = SocketAddrUnix::new(format!("/proc/self/fd/{}/{name}", directory.as_raw_fd()))?;
    rustix::net::bind(&socket, &address)?;
    let found = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if is_open_to_others(&found) {
        folder.remove(name);
        return Err(io::Error::other(format!(
            "{} would be open to others; use a file system that keeps modes",
            folder.path(name)
        )));
    }
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// Connects to the socket of this name, waiting so long at most while too many
/// others wait already.
pub(crate) fn reach(
    folder: &RuntimeFolder,
    name: &str,
    within: Duration,
) -> Result<OwnedFd, ConnectError> {
    let end = Instant::now() + within;
    let target = open(folder, name).map_err(ConnectError::unreachable)?;
    let found = rustix::fs::fstat(&target).map_err(ConnectError::unreachable)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::Socket {
        return Err(ConnectError::Foreign("it is no socket".to_owned()));
    }
    if !is_ours(&found) || is_open_to_others(&found) {
        return Err(ConnectError::Foreign("others have access".to_owned()));
    }
    let socket = stream(SocketFlags::empty()).map_err(ConnectError::unreachable)?;
    let address = address(&target).map_err(ConnectError::unreachable)?;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        // No time at all would mean without end.
        if left < Duration::from_millis(1) {
            return Err(ConnectError::Busy);
        }
        set_socket_timeout(&socket, Timeout::Send, Some(left))
            .map_err(ConnectError::unreachable)?;
        match rustix::net::connect(&socket, &address) {
            Ok(()) => return Ok(socket),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Err(ConnectError::Busy),
            Err(error) => return Err(ConnectError::unreachable(error)),
        }
    }
}

/// Whether certainly nobody listens on the socket of this name.
pub(crate) fn is_deserted(folder: &RuntimeFolder, name: &str) -> bool {
    let target = match open(folder, name) {
        Ok(target) => target,
        Err(error) => return error == Errno::NOENT,
    };
    let (Ok(socket), Ok(address)) = (stream(SocketFlags::NONBLOCK), address(&target)) else {
        return false;
    };
    // Refused is also what the kernel says of a file that is no socket.
    rustix::net::connect(&socket, &address) == Err(Errno::CONNREFUSED)
}

fn stream(flags: SocketFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | SocketFlags::CLOEXEC;
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

/// What the name is itself, not what a link there leads to; good for nothing
/// but looking at it and connecting to it.
fn open(folder: &RuntimeFolder, name: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(folder.descriptor(), name, flags, Mode::empty())
}

fn address(target: &OwnedFd) -> Result<SocketAddrUnix, Errno> {
    SocketAddrUnix::new(format!("/proc/self/fd/{}", target.as_raw_fd()))
}
