//! What a person typed before the guard heard of a session, from the agent's
//! own file of the conversation. Only that, and only from a file that is the
//! agent's own: whoever writes it speaks for the person.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_agents::transcript::{transcript_is_the_agents, user_turns};
use countersign_core::call::SessionKey;
use countersign_settings::Places;
use rustix::fs::OFlags;

use crate::guard::Guard;

/// What is read of the beginning of a file: there stands what the person first
/// asked for.
const HEAD_BYTES: u64 = 1024 * 1024;

/// What is read of its end.
const TAIL_BYTES: u64 = 16 * 1024 * 1024;

/// Why a conversation's file is not read. The decision goes on without it.
#[derive(Debug, thiserror::Error)]
pub enum TurnsError {
    /// It cannot be read.
    #[error("{path} cannot be read: {error}")]
    Unreadable {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Somebody else than the agent can have written it.
    #[error("{path} is not read: {why}")]
    Foreign {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        why: &'static str,
    },
}

/// The texts that a person typed in a session, the oldest first.
///
/// # Errors
/// When the file is not the agent's own, or cannot be read.
pub fn turns(key: &SessionKey, path: &Utf8Path, guard: &Guard) -> Result<Vec<String>, TurnsError> {
    let unreadable = |error| TurnsError::Unreadable {
        path: path.to_owned(),
        error,
    };
    let canonical = path.canonicalize_utf8().map_err(unreadable)?;
    let foreign = |why| TurnsError::Foreign {
        path: canonical.clone(),
        why,
    };
    // A home folder that is reached through a link is the same one.
    let home = home_of(&guard.places);
    let home = home.canonicalize_utf8().unwrap_or_else(|_| home.to_owned());
    if !transcript_is_the_agents(key.agent, &home, &canonical) {
        return Err(foreign("it is not where the agent keeps conversations"));
    }
    let workspaces = guard.policy.workspaces.iter().chain(&guard.workspace);
    if workspaces
        .into_iter()
        .any(|inside| canonical.starts_with(inside))
    {
        return Err(foreign("it is in the workspace, where the agent writes"));
    }
    let file = open(&canonical).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err(foreign("it is no regular file"));
    }
    if about.uid() != rustix::process::geteuid().as_raw() {
        return Err(foreign("it belongs to another user"));
    }
    if about.nlink() != 1 {
        return Err(foreign(
            "it has another name, under which anybody may write it",
        ));
    }
    let bytes = ends(file, about.len()).map_err(unreadable)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(user_turns(key.agent, &text, &key.session))
}

/// Where the agents' folders are: with everything else below `--home`, in tests.
fn home_of(places: &Places) -> &Utf8Path {
    let below = places.config_dir.parent().filter(|_| places.relocated);
    below.unwrap_or(&places.home)
}

/// Opens a file that is there under exactly this path, without waiting for
/// whatever else may be there by now.
fn open(canonical: &Utf8Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(canonical)
}

/// A file, or the beginning and the end of a long one: what is between them
/// becomes a line that no agent writes, so that both are read as one
/// conversation with a gap.
fn ends(mut file: File, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if length <= HEAD_BYTES + TAIL_BYTES {
        file.take(HEAD_BYTES + TAIL_BYTES).read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    (&mut file).take(HEAD_BYTES).read_to_end(&mut bytes)?;
    bytes.extend_from_slice(b"\n...\n");
    file.seek(SeekFrom::Start(length - TAIL_BYTES))?;
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
