//! What a person typed before the guard heard of a session, or while no event
//! told of it, from the agent's
//! own file of the conversation. Only that, and only from a file that is the
//! agent's own: whoever writes it speaks for the person.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_agents::transcript::{transcript_is_the_agents, user_turns};
use countersign_core::agent::Agent;
use countersign_core::call::SessionKey;
use countersign_settings::Places;
use rustix::fs::OFlags;

use countersign_guard::Guard;

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
    let (file, length) = of_agent(key, path, guard)?;
    let bytes = ends(file, length).map_err(|error| unreadable(path, error))?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(user_turns(key.agent, &text, &key.session))
}

/// What stands in an agent's file behind a place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Growth {
    /// Where the next look begins: behind the last whole line.
    pub(crate) until: u64,
    /// Whether a person may have typed something that no event told of.
    pub(crate) may_have_words: bool,
}

/// Looks whether a person typed something that stands only in the agent's file:
/// what they say while Claude Code works reaches it at the next tool, and no
/// event tells of it. None where nothing came, or where the agent tells of
/// everything.
///
/// Reads what is new and looks for one word in it; who finds it reads all with
/// [`turns`].
///
/// # Errors
/// As [`turns`].
pub(crate) fn growth(
    key: &SessionKey,
    path: &Utf8Path,
    guard: &Guard,
    since: u64,
) -> Result<Option<Growth>, TurnsError> {
    if key.agent != Agent::ClaudeCode {
        return Ok(None);
    }
    let (file, length) = of_agent(key, path, guard)?;
    if length <= since {
        // A file that was written anew is looked at from where it ends.
        return Ok((length < since).then_some(Growth {
            until: length,
            may_have_words: false,
        }));
    }
    grown(file, since, length)
        .map(Some)
        .map_err(|error| unreadable(path, error))
}

/// What marks an entry of Claude Code's file that was typed while it worked.
const QUEUED: &[u8] = b"queued_command";

fn grown(mut file: File, since: u64, length: u64) -> io::Result<Growth> {
    let from = since.max(length.saturating_sub(TAIL_BYTES));
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    let lines = bytes.iter().rposition(|byte| *byte == b'\n');
    let whole = lines.map_or(0, |last| last + 1);
    let read = bytes.get(..whole).unwrap_or_default();
    Ok(Growth {
        until: from.saturating_add(u64::try_from(whole).unwrap_or(u64::MAX)),
        may_have_words: read.windows(QUEUED.len()).any(|window| window == QUEUED),
    })
}

fn unreadable(path: &Utf8Path, error: io::Error) -> TurnsError {
    TurnsError::Unreadable {
        path: path.to_owned(),
        error,
    }
}

/// The file, opened, and its length in bytes, if only the agent can have
/// written it.
fn of_agent(key: &SessionKey, path: &Utf8Path, guard: &Guard) -> Result<(File, u64), TurnsError> {
    let unreadable = |error| unreadable(path, error);
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
    Ok((file, about.len()))
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
