//! Pseudonyms: the same thing has the same one on this machine, and nobody who
//! has not its key can find out the thing.

use camino::Utf8Path;
use countersign_core::call::SessionKey;
use countersign_settings::{StateFileError, kept_secret};
use sha2::{Digest as _, Sha256};

/// Where the key is kept in the state folder.
const FILE: &str = "telemetry.key";

/// How many bytes of the digest are told.
const TOLD: usize = 8;

/// Makes pseudonyms.
#[derive(Clone)]
pub struct Pseudonyms {
    key: [u8; 32],
}

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pseudonyms").finish_non_exhaustive()
    }
}

impl Pseudonyms {
    /// With this machine's key, which is made at first use.
    ///
    /// # Errors
    /// When it can be neither read nor made.
    pub fn of_machine(state_dir: &Utf8Path) -> Result<Self, StateFileError> {
        let text = kept_secret(state_dir, FILE)?;
        Ok(Self {
            key: Sha256::digest(text.as_bytes()).into(),
        })
    }

    /// With a key that nobody knows and that ends with this process.
    #[must_use]
    pub fn of_process() -> Option<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).ok()?;
        Some(Self { key })
    }

    /// The pseudonym of a session; its sub-agents have the same one.
    pub(crate) fn session(&self, key: &SessionKey) -> String {
        self.of("session", key.root().to_string().as_bytes())
    }

    /// The pseudonym of a rule.
    pub(crate) fn rule(&self, text: &str) -> String {
        self.of("rule", text.as_bytes())
    }

    /// Under the key in front, of a kind of fixed words: what is told is half a
    /// digest at most, so that nothing can be appended.
    fn of(&self, kind: &str, what: &[u8]) -> String {
        let mut digest = Sha256::new();
        digest.update(self.key);
        digest.update(kind.as_bytes());
        digest.update([0]);
        digest.update(what);
        let digest = digest.finalize();
        crate::value::hex(digest.get(..TOLD).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_the_same_under_one_key_only() {
        let (one, other) = (Pseudonyms { key: [1; 32] }, Pseudonyms { key: [2; 32] });
        assert_eq!(one.rule("a"), one.rule("a"));
        assert_ne!(one.rule("a"), one.rule("b"));
        assert_ne!(one.rule("a"), other.rule("a"));
        assert_ne!(one.rule("a"), one.of("session", b"a"));
        assert_eq!(one.rule("a").len(), 16);
        assert!(!format!("{one:?}").contains('1'));
    }
}
