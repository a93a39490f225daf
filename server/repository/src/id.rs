//! Names of objects, and the hash that makes them.

use std::fmt;

use crate::error::{RepositoryError, Result};

/// The SHA-1 name of an object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId([u8; 20]);

impl ObjectId {
    /// From the bytes as trees and packs hold them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// From 40 hexadecimal digits, nothing else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.len() != 40 {
            return None;
        }
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let [high, low] = pair else { return None };
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }

    /// The bytes as trees and packs hold them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(formatter, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

macro_rules! name_of {
    ($name:ident, $what:literal) => {
        #[doc = $what]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(ObjectId);

        impl $name {
            /// Takes an object's name for the name of such an object.
            #[must_use]
            pub const fn new(id: ObjectId) -> Self {
                Self(id)
            }

            /// From 40 hexadecimal digits, nothing else.
            #[must_use]
            pub fn from_hex(text: &str) -> Option<Self> {
                ObjectId::from_hex(text).map(Self)
            }

            /// The object's name.
            #[must_use]
            pub const fn object(self) -> ObjectId {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, formatter)
            }
        }
    };
}

name_of!(CommitId, "The name of a commit.");
name_of!(BlobId, "The name of a file's content.");

impl BlobId {
    /// The name of this content.
    ///
    /// # Errors
    /// When it was made to collide with another one.
    pub fn of(content: &[u8]) -> Result<Self> {
        let mut hasher = Hasher::new("blob", content.len() as u64);
        hasher.update(content);
        hasher.finish().map(Self)
    }
}

/// Hashes an object. A content that was made to collide with another one is an
/// error, as in git.
pub(crate) struct Hasher(sha1dc::Hasher);

impl Hasher {
    pub(crate) fn new(kind: &str, size: u64) -> Self {
        let mut hasher = sha1dc::Hasher::new();
        hasher.update(format!("{kind} {size}\0").as_bytes());
        Self(hasher)
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> Result<ObjectId> {
        self.0
            .finalize()
            .map(|digest| ObjectId(digest.into()))
            .map_err(|_| RepositoryError::damaged("a content was made to collide with another one"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_as_git_does() {
        let mut hasher = Hasher::new("blob", 6);
        hasher.update(b"hello\n");
        let id = hasher.finish().unwrap();
        assert_eq!(id.to_string(), "ce013625030ba8dba906f756967f9e9ca394464a");
        assert_eq!(ObjectId::from_hex(&id.to_string()), Some(id));
        assert_eq!(ObjectId::from_hex("ce01"), None);
        assert_eq!(ObjectId::from_hex(&"g".repeat(40)), None);
        assert_eq!(ObjectId::from_hex(&"+1".repeat(20)), None);
    }
}
