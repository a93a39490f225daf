//! `dd`: `key=value` words.

use std::ops::Range;

use countersign_core::command::{Word, WordValue};
use countersign_core::effect::Touch;

use crate::effects::Finder;

/// Keys whose values are data.
const DATA: &[&str] = &[
    "bs", "cbs", "conv", "count", "ibs", "iflag", "iseek", "obs", "oflag", "oseek", "seek", "skip",
    "status",
];

pub(super) fn dd(finder: &mut Finder<'_>, words: &[Word], span: &Range<usize>) {
    for word in words {
        let pair = word.literal().and_then(|text| text.split_once('='));
        let (touch, path) = match pair {
            Some((key, _)) if DATA.contains(&key) => continue,
            Some(("if", path)) => (Touch::Read, path),
            Some(("of", path)) => (Touch::Write, path),
            _ => {
                finder.unproven("an operand of `dd` is not known", span.clone());
                return;
            }
        };
        let value = WordValue::Literal(path.to_owned());
        finder.touch(touch, &value, word.span.clone(), false);
    }
}
