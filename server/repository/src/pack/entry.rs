//! What lies at a place in a pack, with the chain of deltas below it.

use super::delta;
use super::index::Index;
use super::inflate;
use super::read_at::ReadAt;
use crate::error::{RepositoryError, Result};
use crate::id::ObjectId;
use crate::object::{Kind, LARGEST};

/// git makes chains of 50, at most 4,095.
const LONGEST_CHAIN: usize = 4_096;
/// How many bytes one object may cost on its way, in deltas and results.
const MOST_WORK: u64 = 16 * LARGEST;

pub(super) struct PackFile {
    source: Box<dyn ReadAt>,
    name: String,
}

/// What an entry's header says.
enum Header {
    Whole(Kind),
    /// A delta to what lies that far before.
    Before(u64),
    /// A delta to that object.
    Object(ObjectId),
}

impl PackFile {
    pub(super) fn new(source: Box<dyn ReadAt>, size: u64, name: &str) -> Result<Self> {
        let damaged = || RepositoryError::damaged(format!("{name} is not a pack"));
        let mut head = [0; 8];
        source.read_all(&mut head, 0).map_err(|_| damaged())?;
        if !matches!(head, [b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3]) || size < 32 {
            return Err(damaged());
        }
        Ok(Self {
            source,
            name: name.to_owned(),
        })
    }

    fn damaged(&self) -> RepositoryError {
        RepositoryError::damaged(format!("{} is damaged", self.name))
    }

    /// The object at a place. A chain that goes in a circle ends at the bound
    /// for its length.
    pub(super) fn read(&self, offset: u64, index: &Index) -> Result<(Kind, Vec<u8>)> {
        let mut deltas = Vec::new();
        let mut work = 0;
        let mut offset = offset;
        let (kind, mut content) = loop {
            let (header, size, start) = self.header(offset)?;
            self.pay(&mut work, size)?;
            let bytes = inflate::exactly(self.source.as_ref(), start, size)?;
            let base = match header {
                Header::Whole(kind) => break (kind, bytes),
                Header::Before(distance) => offset
                    .checked_sub(distance)
                    .filter(|_| distance > 0)
                    .ok_or_else(|| self.damaged())?,
                // Packs on disk hold the bases of their deltas themselves.
                Header::Object(id) => index.offset(id)?.ok_or(RepositoryError::Missing { id })?,
            };
            if deltas.len() >= LONGEST_CHAIN {
                return Err(self.damaged());
            }
            deltas.push(bytes);
            offset = base;
        };
        for delta in deltas.iter().rev() {
            content = delta::apply(&content, delta)?;
            self.pay(&mut work, content.len() as u64)?;
        }
        Ok((kind, content))
    }

    fn pay(&self, work: &mut u64, size: u64) -> Result<()> {
        *work = work.saturating_add(size);
        if size > LARGEST || *work > MOST_WORK {
            return Err(RepositoryError::too_large(
                format!("an object in {}", self.name),
                LARGEST,
            ));
        }
        Ok(())
    }

    /// What is there, its size and where its bytes begin.
    fn header(&self, offset: u64) -> Result<(Header, u64, u64)> {
        let damaged = || self.damaged();
        let mut buffer = [0; 48];
        let count = self
            .source
            .read_at_most(&mut buffer, offset)
            .map_err(|_| damaged())?;
        let whole = buffer.get(..count).unwrap_or_default();
        let mut bytes = whole.iter().copied();
        let first = bytes.next().ok_or_else(damaged)?;
        let mut size = u64::from(first & 0x0f);
        let mut shift = 4;
        let mut last = first;
        while last & 0x80 != 0 {
            last = bytes.next().ok_or_else(damaged)?;
            if shift > 56 {
                return Err(damaged());
            }
            size |= u64::from(last & 0x7f) << shift;
            shift += 7;
        }
        let header = match first >> 4 & 7 {
            1 => Header::Whole(Kind::Commit),
            2 => Header::Whole(Kind::Tree),
            3 => Header::Whole(Kind::Blob),
            4 => Header::Whole(Kind::Tag),
            6 => Header::Before(distance(&mut bytes).ok_or_else(damaged)?),
            7 => {
                let mut id = [0; 20];
                for byte in &mut id {
                    *byte = bytes.next().ok_or_else(damaged)?;
                }
                Header::Object(ObjectId::from_bytes(id))
            }
            _ => return Err(damaged()),
        };
        let length = (count - bytes.len()) as u64;
        Ok((header, size, offset.saturating_add(length)))
    }
}

/// Highest first, and each further byte counts one more than it shows.
fn distance(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut byte = bytes.next()?;
    let mut distance = u64::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        byte = bytes.next()?;
        distance = distance
            .checked_add(1)?
            .checked_mul(128)?
            .checked_add(u64::from(byte & 0x7f))?;
    }
    Some(distance)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::write::ZlibEncoder;
    use proptest::prelude::*;

    use super::*;

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn header(kind: u8, mut size: u64) -> Vec<u8> {
        let mut out = vec![kind << 4 | (size & 0x0f) as u8];
        size >>= 4;
        while size > 0 {
            *out.last_mut().unwrap() |= 0x80;
            out.push((size & 0x7f) as u8);
            size >>= 7;
        }
        out
    }

    fn pack(entries: &[u8]) -> PackFile {
        let mut bytes = b"PACK\0\0\0\x02\0\0\0\x01".to_vec();
        bytes.extend(entries);
        bytes.extend([0; 20]);
        let size = bytes.len() as u64;
        PackFile::new(Box::new(bytes), size, "x.pack").unwrap()
    }

    /// An index that puts every object that it is asked for at the same place.
    fn index(id: [u8; 20], offset: u32) -> Index {
        let mut bytes = vec![0xff, b't', b'O', b'c', 0, 0, 0, 2];
        for first in 0..=255_u8 {
            bytes.extend(u32::from(id[0] <= first).to_be_bytes());
        }
        bytes.extend(id);
        bytes.extend([0; 4]);
        bytes.extend(offset.to_be_bytes());
        bytes.extend([0; 40]);
        let size = bytes.len() as u64;
        Index::new(Box::new(bytes), size, "x.idx").unwrap()
    }

    #[test]
    fn a_whole_object_is_read() {
        let mut entry = header(3, 300);
        entry.extend(deflated(&[9; 300]));
        let (kind, content) = pack(&entry).read(12, &index([0; 20], 0)).unwrap();
        assert_eq!((kind, content), (Kind::Blob, vec![9; 300]));
    }

    #[test]
    fn a_size_that_lies_is_refused() {
        for size in [0, 299, 301, LARGEST, LARGEST + 1, 1 << 40] {
            let mut entry = header(3, size);
            entry.extend(deflated(&[9; 300]));
            assert!(pack(&entry).read(12, &index([0; 20], 0)).is_err(), "{size}");
        }
    }

    #[test]
    fn a_delta_to_itself_ends() {
        let mut entry = header(7, 2);
        entry.extend([5; 20]);
        entry.extend(deflated(&[0, 0]));
        assert!(pack(&entry).read(12, &index([5; 20], 12)).is_err());
        // A distance of nothing, and one before the beginning.
        for distance in [0, 100] {
            let mut entry = header(6, 2);
            entry.push(distance);
            entry.extend(deflated(&[0, 0]));
            assert!(pack(&entry).read(12, &index([0; 20], 0)).is_err());
        }
    }

    #[test]
    fn a_distance_is_read_as_git_writes_it() {
        let read = |bytes: &[u8]| distance(&mut bytes.iter().copied());
        assert_eq!(read(&[0x7f]), Some(127));
        assert_eq!(read(&[0x80, 0x00]), Some(128));
        assert_eq!(read(&[0x80, 0x80, 0x00]), Some(16_512));
        assert_eq!(read(&[0x80]), None);
        assert_eq!(read(&[0xff; 30]), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn any_bytes_end_in_an_answer(
            entries in proptest::collection::vec(any::<u8>(), 0..200),
            offset in 0_u64..300,
        ) {
            let pack = pack(&entries);
            let index = index([1; 20], 14);
            let _ = pack.read(offset, &index);
        }
    }
}
