//! Systems where a socket's peer is not asked for: nothing listens, nothing
//! connects, and every hook decides by itself.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::SendFlags;

use crate::client::ConnectError;
use crate::runtime::RuntimeFolder;

pub(crate) const SEND: SendFlags = SendFlags::empty();

pub(crate) fn listen(_: &RuntimeFolder, _: &str) -> io::Result<OwnedFd> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn reach(_: &RuntimeFolder, _: &str, _: Duration) -> Result<OwnedFd, ConnectError> {
    Err(ConnectError::unreachable("not on this operating system"))
}

pub(crate) const fn is_deserted(_: &RuntimeFolder, _: &str) -> bool {
    false
}
