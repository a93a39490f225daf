//! The version of an agent, as far as it decides which events it knows.

use std::fmt;

/// A version of three numbers; what follows them does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    /// The version of these numbers.
    #[must_use]
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// The first version in a text, such as `2.1.329 (Claude Code)`.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        text.split(|c: char| !c.is_ascii_digit() && c != '.')
            .find_map(Self::of_numbers)
    }

    fn of_numbers(word: &str) -> Option<Self> {
        let mut numbers = word.split('.').map(str::parse::<u32>);
        let mut next = || numbers.next()?.ok();
        Some(Self::new(next()?, next()?, next()?))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_programs_say() {
        for (text, want) in [
            ("2.1.329 (Claude Code)", Some(Version::new(2, 1, 329))),
            ("codex-cli 0.169.0\n", Some(Version::new(0, 169, 0))),
            ("v0.61.0-nightly.3", Some(Version::new(0, 61, 0))),
            ("1.18.33", Some(Version::new(1, 18, 33))),
            ("1.2", None),
            ("none of 9", None),
            ("99999999999.1.1 then 1.2.3", Some(Version::new(1, 2, 3))),
            ("", None),
        ] {
            assert_eq!(Version::find(text), want, "{text:?}");
        }
        assert!(Version::new(2, 1, 89) < Version::new(2, 1, 329));
    }
}
