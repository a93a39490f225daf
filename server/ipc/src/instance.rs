//! Which server is meant: a process that runs one, told apart from every other
//! process and every other server.

use std::fmt;

use countersign_core::state::ProcessId;
use serde::{Deserialize, Serialize};

/// How much of the key stands in file names; the whole would only make them long.
const KEY_START: usize = 16;

/// How long a key is.
const KEY: usize = 32;

/// One run of a server. It names the server and authorises nothing: every
/// process of the user can read it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ServerInstance {
    /// The process that runs it.
    pub process: ProcessId,
    /// 128 random bits as 32 lower-case hexadecimal digits.
    pub key: String,
}

/// Why this process cannot name an instance of its own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstanceError {
    /// Its start time or the boot cannot be read.
    #[error("cannot read this process's own entry in /proc; mount the process file system there")]
    NoProcess,
    /// The system gave no random bytes.
    #[error("the system gave no random bytes ({0}); try again")]
    NoRandomness(String),
}

impl ServerInstance {
    /// A new instance, run by this process.
    ///
    /// # Errors
    /// When processes cannot be read here, or the system gives no random bytes.
    pub fn of_this_process() -> Result<Self, InstanceError> {
        let process =
            crate::peer::process_of(std::process::id()).ok_or(InstanceError::NoProcess)?;
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| InstanceError::NoRandomness(error.to_string()))?;
        Ok(Self {
            process,
            key: format!("{:032x}", u128::from_be_bytes(bytes)),
        })
    }

    /// What its files are called; `None` if the key is none, because whatever
    /// it is then must not become part of a path.
    pub(crate) fn stem(&self) -> Option<Stem> {
        let start = self.key.get(..KEY_START)?;
        (self.key.len() == KEY && is_hexadecimal(&self.key)).then(|| Stem {
            pid: self.process.pid,
            key_start: start.to_owned(),
        })
    }
}

/// The part that the names of a server's files have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stem {
    /// The process that the name speaks of.
    pub(crate) pid: u32,
    key_start: String,
}

impl Stem {
    /// The server that a name with this ending speaks of; `None` for every name
    /// that no server gives.
    pub(crate) fn of_name(name: &str, ending: &str) -> Option<Self> {
        let (pid, key_start) = name.strip_suffix(ending)?.split_once('-')?;
        let stem = Self {
            pid: pid.parse().ok()?,
            key_start: key_start.to_owned(),
        };
        // `+7` and `007` are numbers too, but another name than `7`.
        let exact = stem.pid.to_string() == pid;
        (exact && key_start.len() == KEY_START && is_hexadecimal(key_start)).then_some(stem)
    }
}

impl fmt::Display for Stem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.pid, self.key_start)
    }
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(key: &str) -> ServerInstance {
        ServerInstance {
            process: ProcessId {
                pid: 7,
                start: 1,
                boot: "b".to_owned(),
            },
            key: key.to_owned(),
        }
    }

    #[test]
    fn a_name_says_process_and_key_and_nothing_else() {
        let stem = instance(&"0123456789abcdef".repeat(2)).stem().unwrap();
        assert_eq!(stem.to_string(), "7-0123456789abcdef");
        let name = format!("{stem}.sock");
        assert_eq!(Stem::of_name(&name, ".sock"), Some(stem));
        for name in [
            "07-0123456789abcdef.sock",
            "+7-0123456789abcdef.sock",
            "7-0123456789abcde.sock",
            "7-0123456789ABCDEF.sock",
            "7-0123456789abcdef.sock.sock",
            "7-../../../../../../.sock",
            "7-0123456789abcdef.json",
            "-0123456789abcdef.sock",
        ] {
            assert_eq!(Stem::of_name(name, ".sock"), None, "{name}");
        }
    }

    #[test]
    fn what_is_no_key_never_becomes_a_path() {
        for key in ["", "0123456789abcdef", "../../../../../../../../../../xx"] {
            assert_eq!(instance(key).stem(), None, "{key}");
        }
        assert_eq!(instance(&"é".repeat(16)).stem(), None);
    }

    #[test]
    fn two_instances_of_a_process_are_two() {
        let first = ServerInstance::of_this_process().unwrap();
        let second = ServerInstance::of_this_process().unwrap();
        assert_eq!(first.process, second.process);
        assert_ne!(first.key, second.key);
        assert!(first.stem().is_some());
    }
}
