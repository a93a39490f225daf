//! Programs that take a file where they also take an address or a device:
//! only what is plainly a file is one.

use countersign_core::command::{Word, WordValue};
use countersign_core::effect::Touch;

use crate::effects::Finder;
use crate::effects::options;
use crate::knowledge::Command;

pub(super) fn media(finder: &mut Finder<'_>, command: &'static Command, words: &[Word]) {
    let read = match options::read(words, command, false) {
        Ok((read, _)) => read,
        Err(problem) => {
            let shown = finder.shown(command);
            finder.unproven(format!("`{shown}`: {}", problem.reason), problem.span);
            return;
        }
    };
    let files = read
        .values
        .iter()
        .filter(|value| matches!(value.flag, "-i"))
        .map(|value| (&value.value, value.span.clone()))
        .chain(
            read.operands
                .iter()
                .map(|operand| (&operand.value, operand.span.clone())),
        );
    for (value, span) in files {
        match value {
            WordValue::Literal(text) if !text.contains([':', '%', '|', '@']) => {
                finder.touch(Touch::Read, value, span, false);
            }
            WordValue::Literal(_) | WordValue::Glob(_) | WordValue::Dynamic { .. } => {
                finder.unproven("what may be an address, not a file", span);
            }
        }
    }
}
