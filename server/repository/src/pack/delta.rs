//! Deltas: an object as copies from another one and new bytes.

use crate::error::{RepositoryError, Result};
use crate::object::LARGEST;

fn damaged() -> RepositoryError {
    RepositoryError::damaged("a delta does not fit its base")
}

/// Applies a delta; neither its sizes nor its copies are believed.
pub(crate) fn apply(base: &[u8], delta: &[u8]) -> Result<Vec<u8>> {
    let mut rest = delta;
    if size(&mut rest)? != base.len() as u64 {
        return Err(damaged());
    }
    let size = size(&mut rest)?;
    if size > LARGEST {
        return Err(RepositoryError::too_large("an object", LARGEST));
    }
    let size = usize::try_from(size).map_err(|_| damaged())?;
    let mut out = Vec::with_capacity(size.min(64 * 1024));
    while let Some(order) = byte(&mut rest) {
        let piece = if order & 0x80 == 0 {
            // Zero is reserved.
            let (new, after) = rest
                .split_at_checked(usize::from(order))
                .filter(|_| order != 0)
                .ok_or_else(damaged)?;
            rest = after;
            new
        } else {
            let offset = number(&mut rest, order, 0..4)?;
            let count = match number(&mut rest, order, 4..7)? {
                0 => 0x1_0000,
                count => count,
            };
            offset
                .checked_add(count)
                .and_then(|end| base.get(offset..end))
                .ok_or_else(damaged)?
        };
        if out.len() + piece.len() > size {
            return Err(damaged());
        }
        out.extend_from_slice(piece);
    }
    if out.len() == size {
        Ok(out)
    } else {
        Err(damaged())
    }
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(*first)
}

/// The bytes of a number that the bits of the order announce, lowest first.
fn number(rest: &mut &[u8], order: u8, bits: std::ops::Range<u32>) -> Result<usize> {
    let mut number = 0;
    for (at, bit) in bits.enumerate() {
        if order >> bit & 1 == 1 {
            number |= usize::from(byte(rest).ok_or_else(damaged)?) << (8 * at);
        }
    }
    Ok(number)
}

/// A size in groups of seven bits, lowest first.
fn size(rest: &mut &[u8]) -> Result<u64> {
    let mut size = 0_u64;
    for shift in (0..35).step_by(7) {
        let byte = byte(rest).ok_or_else(damaged)?;
        size |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(size);
        }
    }
    Err(damaged())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(mut size: usize) -> Vec<u8> {
        let mut out = Vec::new();
        while size > 0x7f {
            out.push((size & 0x7f) as u8 | 0x80);
            size >>= 7;
        }
        out.push(size as u8);
        out
    }

    fn copy(offset: usize, count: usize) -> Vec<u8> {
        let mut order = 0x80;
        let mut out = vec![0];
        for (at, byte) in offset.to_le_bytes().into_iter().take(4).enumerate() {
            if byte != 0 {
                order |= 1 << at;
                out.push(byte);
            }
        }
        if count != 0x1_0000 {
            for (at, byte) in count.to_le_bytes().into_iter().take(3).enumerate() {
                if byte != 0 {
                    order |= 1 << (4 + at);
                    out.push(byte);
                }
            }
        }
        out[0] = order;
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn a_delta_that_git_could_write_gives_what_it_says(
            base in proptest::collection::vec(any::<u8>(), 1..2_000),
            steps in proptest::collection::vec(
                (any::<bool>(), any::<prop::sample::Index>(), 1_usize..200), 0..20),
        ) {
            let mut orders = Vec::new();
            let mut expected = Vec::new();
            for (is_copy, index, count) in steps {
                let offset = index.index(base.len());
                let count = count.min(base.len() - offset).min(127);
                let bytes = &base[offset..offset + count];
                expected.extend_from_slice(bytes);
                if is_copy {
                    orders.extend(copy(offset, count));
                } else {
                    orders.push(count as u8);
                    orders.extend_from_slice(bytes);
                }
            }
            let mut delta = written(base.len());
            delta.extend(written(expected.len()));
            delta.extend(&orders);
            prop_assert_eq!(apply(&base, &delta).unwrap(), expected);
            // Cut short, it never gives the same.
            if !orders.is_empty() {
                delta.pop();
                prop_assert!(apply(&base, &delta).is_err());
            }
        }

        #[test]
        fn any_bytes_end_in_an_answer(
            base in proptest::collection::vec(any::<u8>(), 0..50),
            delta in proptest::collection::vec(any::<u8>(), 0..100),
        ) {
            let mut delta = delta;
            let mut whole = written(base.len());
            whole.append(&mut delta);
            if let Ok(out) = apply(&base, &whole) {
                prop_assert!(out.len() as u64 <= LARGEST);
            }
        }
    }

    #[test]
    fn a_copy_without_a_size_takes_64_kib() {
        let base = vec![7; 0x1_0000];
        let mut delta = written(base.len());
        delta.extend(written(base.len()));
        delta.push(0x80);
        assert_eq!(apply(&base, &delta).unwrap(), base);
    }

    #[test]
    fn a_delta_that_announces_too_much_is_refused_before_it_is_built() {
        let mut delta = written(1);
        delta.extend(written(1 << 30));
        assert!(matches!(
            apply(b"x", &delta),
            Err(RepositoryError::TooLarge { .. })
        ));
    }
}
