//! The index of a pack, version 2: which object lies where.

use super::read_at::ReadAt;
use crate::error::{RepositoryError, Result};
use crate::id::ObjectId;

const MAGIC: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];
const FAN: usize = 256;
const FAN_END: u64 = 8 + 4 * FAN as u64;
/// So many names are read at once instead of halving on.
const BLOCK: u64 = 64;

pub(super) struct Index {
    source: Box<dyn ReadAt>,
    /// How many objects begin with a byte up to this one.
    fan: Vec<u32>,
    count: u64,
    name: String,
}

impl Index {
    pub(super) fn new(source: Box<dyn ReadAt>, size: u64, name: &str) -> Result<Self> {
        let damaged = || RepositoryError::damaged(format!("{name} is not an index of a pack"));
        let mut head = [0; FAN_END as usize];
        source.read_all(&mut head, 0).map_err(|_| damaged())?;
        let (magic, fan) = head.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(damaged());
        }
        let fan: Vec<u32> = fan.chunks_exact(4).map(big_endian).collect();
        let count = u64::from(fan.last().copied().unwrap_or(0));
        // Names, checksums, offsets, and the two hashes at the end.
        let least = FAN_END + count * (20 + 4 + 4) + 40;
        if !fan.is_sorted() || size < least {
            return Err(damaged());
        }
        Ok(Self {
            source,
            fan,
            count,
            name: name.to_owned(),
        })
    }

    /// Where an object lies in the pack, if it does.
    pub(super) fn offset(&self, id: ObjectId) -> Result<Option<u64>> {
        let damaged = |_| RepositoryError::damaged(format!("{} is damaged", self.name));
        let wanted = id.as_bytes();
        let [first, ..] = *wanted;
        let bound = |at: usize| self.fan.get(at).copied().map_or(0, u64::from);
        let mut low = usize::from(first).checked_sub(1).map_or(0, bound);
        let mut high = bound(usize::from(first));
        while high - low > BLOCK {
            let middle = low + (high - low) / 2;
            let mut name = [0; 20];
            self.source
                .read_all(&mut name, FAN_END + 20 * middle)
                .map_err(damaged)?;
            if name <= *wanted {
                low = middle;
            } else {
                high = middle;
            }
        }
        let mut block = [0; 20 * BLOCK as usize];
        let names = usize::try_from(20 * (high - low))
            .ok()
            .and_then(|length| block.get_mut(..length));
        let Some(names) = names else {
            return Ok(None);
        };
        self.source
            .read_all(names, FAN_END + 20 * low)
            .map_err(damaged)?;
        let position = names.chunks_exact(20).position(|name| name == wanted);
        match position {
            Some(position) => self.at(low + position as u64).map(Some).map_err(damaged),
            None => Ok(None),
        }
    }

    fn at(&self, position: u64) -> std::io::Result<u64> {
        let offsets = FAN_END + 24 * self.count;
        let mut offset = [0; 4];
        self.source.read_all(&mut offset, offsets + 4 * position)?;
        let offset = u32::from_be_bytes(offset);
        if offset & 0x8000_0000 == 0 {
            return Ok(u64::from(offset));
        }
        // The place in the table of large offsets, which follows.
        let mut large = [0; 8];
        let place = offsets + 4 * self.count + 8 * u64::from(offset & 0x7fff_ffff);
        self.source.read_all(&mut large, place)?;
        Ok(u64::from_be_bytes(large))
    }
}

fn big_endian(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn written(objects: &BTreeMap<[u8; 20], u64>) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for first in 0..=255_u8 {
            let count = objects.keys().filter(|name| name[0] <= first).count() as u32;
            out.extend(count.to_be_bytes());
        }
        out.extend(objects.keys().flatten());
        out.extend(objects.keys().flat_map(|_| [0; 4]));
        let mut large = Vec::new();
        for offset in objects.values() {
            match u32::try_from(*offset) {
                Ok(offset) if offset < 0x8000_0000 => out.extend(offset.to_be_bytes()),
                _ => {
                    out.extend((0x8000_0000 | (large.len() as u32 / 8)).to_be_bytes());
                    large.extend(offset.to_be_bytes());
                }
            }
        }
        out.extend(large);
        out.extend([0; 40]);
        out
    }

    fn opened(bytes: Vec<u8>) -> Result<Index> {
        let size = bytes.len() as u64;
        Index::new(Box::new(bytes), size, "x.idx")
    }

    /// Few first bytes, so that the halving has something to do.
    fn names() -> impl Strategy<Value = [u8; 20]> {
        (0..3_u8, any::<[u8; 19]>()).prop_map(|(first, rest)| {
            let mut name = [0; 20];
            name[0] = first * 127;
            name[1..].copy_from_slice(&rest);
            name
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn what_was_written_is_found_and_nothing_else(
            objects in proptest::collection::btree_map(names(), any::<u64>(), 0..600),
            other in names(),
        ) {
            let index = opened(written(&objects)).unwrap();
            for (name, offset) in &objects {
                prop_assert_eq!(index.offset(ObjectId::from_bytes(*name)).unwrap(), Some(*offset));
            }
            prop_assert_eq!(
                index.offset(ObjectId::from_bytes(other)).unwrap(),
                objects.get(&other).copied()
            );
        }

        #[test]
        fn damage_ends_in_an_answer(
            objects in proptest::collection::btree_map(names(), any::<u64>(), 1..200),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
            cut in proptest::option::of(any::<prop::sample::Index>()),
        ) {
            let mut bytes = written(&objects);
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            if let Ok(index) = opened(bytes) {
                for name in objects.keys() {
                    let _ = index.offset(ObjectId::from_bytes(*name));
                }
            }
        }
    }

    #[test]
    fn an_index_that_announces_more_than_it_has_is_refused() {
        let mut bytes = written(&BTreeMap::new());
        for count in bytes[8..8 + 1024].chunks_exact_mut(4) {
            count.copy_from_slice(&u32::MAX.to_be_bytes());
        }
        assert!(opened(bytes).is_err());
    }
}
