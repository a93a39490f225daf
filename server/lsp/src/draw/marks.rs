//! Which parts of an approval's text cause what it would do: for surfaces that
//! mark them.

use std::ops::Range;

use countersign_core::call::Subject;
use countersign_core::redact;
use countersign_service::{PendingApproval, command_effects};

use super::call_text;
use crate::protocol::Mark;

/// The most marks of one approval.
const MOST: usize = 200;

/// The parts of the shown text that cause an effect, or are why the call is not
/// contained; in the order of the text, at most 200.
pub(crate) fn marks(approval: &PendingApproval) -> Vec<Mark> {
    let call = &approval.call;
    let whole = call_text::as_it_is(call);
    let offsets = Offsets::of(&whole);
    let index = |text: &str| approval.effects.iter().position(|effect| effect == text);
    let operations = call.operations.iter().zip(&approval.facts.operations);
    let mut marks: Vec<Mark> = Vec::new();
    for ((operation, facts), base) in operations.zip(call_text::beginnings(call)) {
        let Subject::Command(command) = &operation.subject else {
            continue;
        };
        let length = command.text.len();
        let mut mark = |span: &Range<usize>, effect: Option<usize>, asks: bool| {
            let start = offsets.shown(base + span.start.min(length));
            let end = offsets.shown(base + span.end.min(length));
            if start < end {
                marks.push(Mark {
                    start,
                    end,
                    effect,
                    asks,
                });
            }
        };
        for line in command_effects(call, &approval.facts, facts) {
            let effect = index(&redact::visible(&line.text));
            for span in &line.spans {
                mark(span, effect, line.matters);
            }
        }
        for reason in &facts.found.because {
            let line = redact::visible(&format!("not proven: {}", reason.reason));
            mark(&reason.span, index(&line), true);
        }
    }
    marks.sort_by_key(|mark| (mark.start, mark.end, mark.effect, !mark.asks));
    marks.dedup();
    marks.truncate(MOST);
    marks
}

/// Where each byte of a text stands in what is shown of it, in UTF-16 code units.
struct Offsets(Vec<usize>);

impl Offsets {
    fn of(text: &str) -> Self {
        let mut offsets = Vec::with_capacity(text.len() + 1);
        let mut shown = 0;
        for character in text.chars() {
            offsets.extend(std::iter::repeat_n(shown, character.len_utf8()));
            let visible = redact::visible_lines(character.encode_utf8(&mut [0; 4]));
            shown += visible.encode_utf16().count();
        }
        offsets.push(shown);
        Self(offsets)
    }

    fn shown(&self, byte: usize) -> usize {
        let last = self.0.last().copied().unwrap_or_default();
        self.0.get(byte).copied().unwrap_or(last)
    }
}

#[cfg(test)]
mod tests {
    use super::Offsets;

    #[test]
    fn offsets_count_what_is_shown_of_a_character_in_utf_16() {
        let offsets = Offsets::of("a\u{202e}😀b");
        let shown = countersign_core::redact::visible_lines("a\u{202e}");
        assert_eq!(offsets.shown(1), 1);
        assert_eq!(offsets.shown(4), shown.encode_utf16().count());
        assert_eq!(offsets.shown(8), shown.encode_utf16().count() + 2);
        assert_eq!(offsets.shown(99), shown.encode_utf16().count() + 3);
    }
}
