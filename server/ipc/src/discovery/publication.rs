//! The server's side of discovery: its file, its socket, and the removal of
//! what servers that are gone left behind.

use std::io;
use std::os::unix::net::UnixListener;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};

use super::{ANNOUNCEMENT, Announcement, MAX_ANNOUNCEMENT_BYTES, SOCKET, TEMPORARY, read};
use crate::instance::Stem;
use crate::procfs::ProcessTable;
use crate::runtime::{FileIdentity, RuntimeFolder, RuntimeFolderError};

/// Why a server cannot announce itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] RuntimeFolderError),
    /// The instance's key is none.
    #[error("the key of a server must be 32 lower-case hexadecimal digits; make a new instance")]
    Key,
    /// An update speaks of another server.
    #[error("an announcement cannot become that of another server; publish a new one")]
    OtherServer,
    /// More than [`MAX_ANNOUNCEMENT_BYTES`].
    #[error(
        "an announcement of {0} bytes is longer than {MAX_ANNOUNCEMENT_BYTES}; open fewer folders"
    )]
    TooLong(usize),
    /// It cannot be written as JSON.
    #[error("the announcement is {0}; report this")]
    Unwritable(String),
}

/// A server's announcement, there until this is dropped.
#[derive(Debug)]
pub struct Publication {
    folder: RuntimeFolder,
    stem: Stem,
    key: String,
    /// The announcement as it was written last.
    written: Vec<u8>,
    /// Which file is the socket, once there is one.
    socket: OnceLock<FileIdentity>,
}

impl Publication {
    /// Announces a server. Makes the folder if it is missing and removes what
    /// servers that are certainly gone left there.
    ///
    /// Until [`listen`] was called, a hook that finds the announcement cannot
    /// connect, and decides by itself.
    ///
    /// # Errors
    /// When the folder is not private or the announcement cannot be written.
    pub fn publish(
        runtime_dir: &Utf8Path,
        announcement: &Announcement,
    ) -> Result<Self, PublishError> {
        let stem = announcement.instance.stem().ok_or(PublishError::Key)?;
        let folder = RuntimeFolder::prepare(runtime_dir)?;
        remove_gone(&folder, &stem);
        let mut publication = Self {
            folder,
            stem,
            key: announcement.instance.key.clone(),
            written: Vec::new(),
            socket: OnceLock::new(),
        };
        publication.write(announcement)?;
        Ok(publication)
    }

    /// Replaces the announcement: other folders, another mode, new activity.
    ///
    /// # Errors
    /// When it is of another server or cannot be written, for one because the
    /// folder was removed: publish anew then.
    pub fn update(&mut self, announcement: &Announcement) -> Result<(), PublishError> {
        if announcement.instance.stem().as_ref() != Some(&self.stem)
            || announcement.instance.key != self.key
        {
            return Err(PublishError::OtherServer);
        }
        self.write(announcement)
    }

    /// Whether hooks still find what was announced: the folder is where it was,
    /// and the announcement and the socket in it are this server's. Otherwise
    /// publish anew.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let announced = self
            .folder
            .read(&self.name(ANNOUNCEMENT), MAX_ANNOUNCEMENT_BYTES);
        self.folder.is_in_place()
            && announced.is_ok_and(|bytes| bytes == self.written)
            && self
                .socket
                .get()
                .is_none_or(|socket| self.folder.identity(&self.name(SOCKET)) == Some(*socket))
    }

    /// Where the socket is, for people; it is never reached by this path.
    #[must_use]
    pub fn socket_path(&self) -> Utf8PathBuf {
        self.folder.path(&self.name(SOCKET))
    }

    /// Removes the announcement and the socket, as dropping does.
    pub fn withdraw(self) {}

    fn name(&self, ending: &str) -> String {
        format!("{}{ending}", self.stem)
    }

    fn write(&mut self, announcement: &Announcement) -> Result<(), PublishError> {
        let bytes = serde_json::to_vec(announcement)
            .map_err(|error| PublishError::Unwritable(crate::json::problem(&error)))?;
        if bytes.len() > MAX_ANNOUNCEMENT_BYTES {
            return Err(PublishError::TooLong(bytes.len()));
        }
        self.folder
            .write(&self.name(ANNOUNCEMENT), &self.name(TEMPORARY), &bytes)?;
        self.written = bytes;
        Ok(())
    }
}

impl Drop for Publication {
    fn drop(&mut self) {
        // The socket last: nobody should find a server that cannot be reached.
        self.folder.remove(&self.name(ANNOUNCEMENT));
        self.folder.remove(&self.name(SOCKET));
    }
}

/// Listens on the server's socket. Non-blocking, so that an asynchronous
/// runtime can take it over; mode 0600 from its first moment.
///
/// # Errors
/// When the socket cannot be made, or exists already.
pub fn listen(publication: &Publication) -> io::Result<UnixListener> {
    let name = publication.name(SOCKET);
    let socket = crate::socket::listen(&publication.folder, &name)?;
    if let Some(identity) = publication.folder.identity(&name) {
        // A second one cannot be: the name is taken.
        let _ = publication.socket.set(identity);
    }
    Ok(UnixListener::from(socket))
}

/// Removes the files of servers that are certainly gone.
fn remove_gone(folder: &RuntimeFolder, own: &Stem) {
    let Ok((names, _)) = folder.names() else {
        return;
    };
    let Ok(table) = ProcessTable::system() else {
        return;
    };
    let mut stems: Vec<Stem> = names
        .iter()
        .filter_map(|name| {
            [ANNOUNCEMENT, SOCKET, TEMPORARY]
                .iter()
                .find_map(|ending| Stem::of_name(name, ending))
        })
        .collect();
    stems.sort_unstable();
    stems.dedup();
    for stem in stems {
        if stem != *own && is_gone(folder, &stem, table) {
            for ending in [ANNOUNCEMENT, SOCKET, TEMPORARY] {
                folder.remove(&format!("{stem}{ending}"));
            }
        }
    }
}

/// Whether the process is not there and nobody listens either: in another
/// container that shares the folder, the process cannot be seen from here.
fn is_gone(folder: &RuntimeFolder, stem: &Stem, table: &ProcessTable) -> bool {
    let runs = match read(folder, stem) {
        Ok(announcement) => table.alive(&announcement.instance.process),
        // Nobody knows whose it is: any process of that pid may be meant.
        Err(_) => table.identity(stem.pid).is_some(),
    };
    !runs && crate::socket::is_deserted(folder, &format!("{stem}{SOCKET}"))
}
