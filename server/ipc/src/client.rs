//! The hook's side of the socket: connects to a server that was found, makes
//! sure that it is that one, asks and waits. Blocking, and bounded by a
//! deadline in every step.
//!
//! A connection that fails leaves the hook free to decide by itself. Once
//! [`Connection::ask`] was called, a server may have decided and counted:
//! every failure from then on means that the hook blocks.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::RecvFlags;

pub use crate::acceptable::server_acceptable;
use crate::discovery::{Announcement, SOCKET};
use crate::peer::{Peer, peer_of};
use crate::runtime::RuntimeFolder;
use crate::socket;
use crate::wire::{Decoder, Reply, Request, encode_request, parse_reply};

/// The longest that connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_millis(250);

/// How much is read at once, in bytes.
const READ_AT_ONCE: usize = 16 * 1024;

/// Why a server was not reached. Nothing was sent: the hook may decide by
/// itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Nobody listens there.
    #[error("the server cannot be reached ({0}); restart the editor's server if this stays so")]
    Unreachable(String),
    /// It did not take the connection in time.
    #[error("the server takes no connections; restart it if this stays so")]
    Busy,
    /// Somebody else listens there.
    #[error("the server's socket is not the server's ({0}); remove it")]
    Foreign(String),
}

impl ConnectError {
    pub(crate) fn unreachable(problem: impl std::fmt::Display) -> Self {
        Self::Unreachable(problem.to_string())
    }
}

/// Why there is no answer. The call may have been decided: the hook blocks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The connection ended.
    #[error("the server was lost before it answered; try the call again")]
    Lost,
    /// No answer until the deadline.
    #[error("the server did not answer in time; try the call again")]
    Deadline,
    /// The request cannot be sent, or the answer is none.
    #[error("the server was not understood: {0}")]
    Malformed(String),
}

/// A connection to a server that is the announced one.
#[derive(Debug)]
pub struct Connection {
    socket: OwnedFd,
    /// Whether nothing went wrong yet: afterwards, what arrives may belong to
    /// an earlier question.
    sound: bool,
    /// Readable or closed once nobody waits for an answer any more.
    given_up: Option<OwnedFd>,
}

/// Connects to an announced server, within 250 ms and before the deadline.
///
/// # Errors
/// When the socket is missing, is not the user's alone, nobody listens there or
/// takes the connection, or the one who listens is not the announced process.
pub fn connect(
    runtime_dir: &Utf8Path,
    announcement: &Announcement,
    deadline: Instant,
) -> Result<Connection, ConnectError> {
    let within = deadline
        .saturating_duration_since(Instant::now())
        .min(CONNECT_WITHIN);
    let stem = announcement
        .instance
        .stem()
        .ok_or_else(|| ConnectError::Foreign("its key is none".to_owned()))?;
    let folder = match RuntimeFolder::open(runtime_dir) {
        Ok(Some(folder)) => folder,
        Ok(None) => return Err(ConnectError::unreachable("its folder is gone")),
        Err(error) => return Err(ConnectError::Foreign(error.to_string())),
    };
    let socket = socket::reach(&folder, &format!("{stem}{SOCKET}"), within)?;
    let peer = peer_of(&socket).map_err(ConnectError::unreachable)?;
    check_peer(peer, announcement.instance.process.pid)?;
    rustix::io::ioctl_fionbio(&socket, true).map_err(ConnectError::unreachable)?;
    Ok(Connection {
        socket,
        sound: true,
        given_up: None,
    })
}

impl Connection {
    /// Stops waiting, as if the server were lost, once this can be read or its
    /// other end is closed.
    #[must_use]
    pub fn until(self, given_up: OwnedFd) -> Self {
        Self {
            given_up: Some(given_up),
            ..self
        }
    }

    /// Asks, and waits for the answer until the deadline: a person may be asked.
    ///
    /// # Errors
    /// Every error means that the hook blocks. The connection is of no use
    /// afterwards.
    pub fn ask(
        &mut self,
        request: &Request,
        payload: &[u8],
        deadline: Instant,
    ) -> Result<Reply, AskError> {
        if !std::mem::replace(&mut self.sound, false) {
            return Err(AskError::Lost);
        }
        let bytes = encode_request(request, payload)
            .map_err(|error| AskError::Malformed(error.to_string()))?;
        self.send(&bytes, deadline)?;
        let reply = self.receive(deadline)?;
        self.sound = true;
        Ok(reply)
    }

    fn send(&self, bytes: &[u8], deadline: Instant) -> Result<(), AskError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            // Without the flag, a server that is gone would end the hook by a signal.
            match rustix::net::send(&self.socket, rest, socket::SEND) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(Errno::AGAIN) => self.wait(PollFlags::OUT, deadline)?,
                Err(Errno::INTR) => {}
                Err(_) => return Err(AskError::Lost),
            }
        }
        Ok(())
    }

    fn receive(&self, deadline: Instant) -> Result<Reply, AskError> {
        let malformed = |error: crate::wire::FrameError| AskError::Malformed(error.to_string());
        let mut decoder = Decoder::default();
        let mut buffer = [0_u8; READ_AT_ONCE];
        loop {
            self.wait(PollFlags::IN, deadline)?;
            match rustix::net::recv(&self.socket, &mut buffer, RecvFlags::empty()) {
                Ok((_, 0)) => return Err(AskError::Lost),
                Ok((_, read)) => decoder.feed(buffer.get(..read).unwrap_or_default()),
                Err(Errno::AGAIN | Errno::INTR) => continue,
                Err(_) => return Err(AskError::Lost),
            }
            if let Some(frame) = decoder.take().map_err(malformed)? {
                if !decoder.is_empty() {
                    let more = "more than one answer arrived".to_owned();
                    return Err(AskError::Malformed(more));
                }
                return parse_reply(frame).map_err(malformed);
            }
        }
    }

    /// Waits until something can be done or the other side is gone.
    fn wait(&self, flags: PollFlags, deadline: Instant) -> Result<(), AskError> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(AskError::Deadline);
            }
            // A deadline further away than can be said is waited for in parts.
            let left = Timespec::try_from(left.min(Duration::from_secs(3600)))
                .map_err(|_| AskError::Deadline)?;
            let mut ends = vec![PollFd::new(&self.socket, flags)];
            ends.extend(
                self.given_up
                    .iter()
                    .map(|given_up| PollFd::new(given_up, PollFlags::IN)),
            );
            match rustix::event::poll(&mut ends, Some(&left)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) if ends.iter().skip(1).any(|end| !end.revents().is_empty()) => {
                    return Err(AskError::Lost);
                }
                Ok(_) => return Ok(()),
                Err(_) => return Err(AskError::Lost),
            }
        }
    }
}

fn check_peer(peer: Peer, announced: u32) -> Result<(), ConnectError> {
    let user = rustix::process::geteuid().as_raw();
    if peer.uid != user {
        return Err(ConnectError::Foreign(format!(
            "user {} listens there and not user {user}",
            peer.uid
        )));
    }
    if peer.pid != announced {
        return Err(ConnectError::Foreign(format!(
            "process {} listens there and not process {announced}",
            peer.pid
        )));
    }
    Ok(())
}
