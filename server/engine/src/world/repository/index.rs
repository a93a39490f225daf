//! Which entries of a repository's index are repositories of their own.

/// The mode of an entry that is a repository.
const REPOSITORY: u32 = 0o160_000;

/// Bytes of an entry before its flags: times, numbers, and a SHA-1.
const FIXED: usize = 60;

/// Longest name.
const LONGEST: usize = 4096;

/// Their paths; `None` if the index is not understood, or is not whole.
pub(super) fn repositories(bytes: &[u8]) -> Option<Vec<String>> {
    let number = |at: usize| -> Option<u32> {
        let four = bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_be_bytes(four.try_into().ok()?))
    };
    let version = number(4)?;
    if bytes.get(..4)? != b"DIRC" || !(2..=4).contains(&version) {
        return None;
    }
    let mut found = Vec::new();
    let mut name: Vec<u8> = Vec::new();
    let mut at = 12;
    for _ in 0..number(8)? {
        let mode = number(at + 24)?;
        let flags = bytes.get(at + FIXED..at + FIXED + 2)?;
        let is_extended = flags.first()? & 0x40 != 0;
        let mut name_at = at + FIXED + if is_extended { 4 } else { 2 };
        // In version 4 a name is told by how it differs from the one before.
        if version == 4 {
            let kept = name.len().checked_sub(varint(bytes, &mut name_at)?)?;
            name.truncate(kept);
        } else {
            name.clear();
        }
        let length = bytes.get(name_at..)?.iter().position(|byte| *byte == 0)?;
        name.extend_from_slice(bytes.get(name_at..name_at + length)?);
        if name.len() > LONGEST {
            return None;
        }
        if mode == REPOSITORY {
            found.push(String::from_utf8(name.clone()).ok()?);
        }
        at = if version == 4 {
            name_at + length + 1
        } else {
            // At least one zero, up to a multiple of eight.
            at + (name_at - at + length + 8) / 8 * 8
        };
    }
    // Extensions, then a checksum of 20 bytes. Capital letters mark those that
    // may be ignored; the others say that more entries lie elsewhere.
    let end = bytes.len().checked_sub(20)?;
    while at < end {
        if !bytes.get(at)?.is_ascii_uppercase() {
            return None;
        }
        at = at
            .checked_add(8)?
            .checked_add(usize::try_from(number(at + 4)?).ok()?)?;
    }
    (at == end).then_some(found)
}

/// A number as version 4 of the index writes it.
fn varint(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0_usize;
    loop {
        let byte = usize::from(*bytes.get(*at)?);
        *at += 1;
        value = value.checked_add(byte & 0x7f)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
        value = value.checked_add(1)?.checked_mul(128)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(mode: u32, name: &str) -> Vec<u8> {
        let mut entry = vec![0; 24];
        entry.extend(mode.to_be_bytes());
        entry.resize(FIXED, 7);
        entry.extend([0, u8::try_from(name.len()).unwrap()]);
        entry.extend(name.as_bytes());
        entry.resize((entry.len() + 8) / 8 * 8, 0);
        entry
    }

    fn index(entries: &[Vec<u8>], extension: &[u8]) -> Vec<u8> {
        let mut index = b"DIRC\0\0\0\x02".to_vec();
        index.extend(u32::try_from(entries.len()).unwrap().to_be_bytes());
        index.extend(entries.concat());
        index.extend(extension);
        index.extend([9; 20]);
        index
    }

    #[test]
    fn entries_that_are_repositories_are_found() {
        let bytes = index(
            &[
                entry(0o100_644, "a"),
                entry(REPOSITORY, "lib/one"),
                entry(0o120_000, "seven77"),
                entry(REPOSITORY, "z"),
            ],
            b"TREE\0\0\0\x02ab",
        );
        assert_eq!(repositories(&bytes).unwrap(), ["lib/one", "z"]);
        assert_eq!(repositories(&index(&[], b"")).unwrap(), Vec::<&str>::new());
    }

    #[test]
    fn what_lies_elsewhere_or_is_cut_is_not_understood() {
        let whole = index(&[entry(0o100_644, "a")], b"");
        assert!(repositories(&whole).is_some());
        for length in 0..whole.len() {
            assert_eq!(repositories(whole.get(..length).unwrap()), None, "{length}");
        }
        assert_eq!(repositories(&index(&[], b"link\0\0\0\x01x")), None);
        assert_eq!(repositories(&index(&[], b"sdir\0\0\0\0")), None);
        let mut five = whole;
        *five.get_mut(7).unwrap() = 5;
        assert_eq!(repositories(&five), None);
    }

    #[test]
    fn names_of_version_four_are_put_together() {
        let entry = |mode: u32, strip: u8, rest: &str| {
            let mut entry = entry(mode, "").get(..FIXED + 2).unwrap().to_vec();
            entry.push(strip);
            entry.extend(rest.as_bytes());
            entry.push(0);
            entry
        };
        let mut bytes = index(
            &[
                entry(0o100_644, 0, "lib/a"),
                entry(REPOSITORY, 1, "one"),
                entry(REPOSITORY, 7, "z"),
            ],
            b"",
        );
        *bytes.get_mut(7).unwrap() = 4;
        assert_eq!(repositories(&bytes).unwrap(), ["lib/one", "z"]);
    }
}
