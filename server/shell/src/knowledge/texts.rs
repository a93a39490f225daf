//! Texts one behind the other in one, found by where each ends. A table of
//! references would be work for the dynamic loader before every `main`.

use std::cmp::Ordering;
use std::ops::Range;

/// Texts, counted from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Texts {
    all: &'static str,
    /// Where each ends in it, in bytes.
    ends: &'static [u32],
}

impl Texts {
    /// Those that end at these bytes of `all`, in their order. To be kept in a
    /// constant and never in a static, which would hold the two addresses.
    pub(crate) const fn new(all: &'static str, ends: &'static [u32]) -> Self {
        Self { all, ends }
    }

    /// How many there are.
    pub(crate) const fn count(self) -> usize {
        self.ends.len()
    }

    /// The text with that number.
    pub(crate) fn get(self, number: usize) -> Option<&'static str> {
        let end = *self.ends.get(number)? as usize;
        let begin = match number.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.all.get(begin..end)
    }

    /// The number of a text among some that are sorted.
    pub(crate) fn find(self, mut among: Range<usize>, text: &str) -> Option<usize> {
        while !among.is_empty() {
            let middle = among.start + among.len() / 2;
            match self.get(middle)?.cmp(text) {
                Ordering::Less => among.start = middle + 1,
                Ordering::Greater => among.end = middle,
                Ordering::Equal => return Some(middle),
            }
        }
        None
    }
}
