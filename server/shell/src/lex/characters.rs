//! Characters that no honest command holds: they change what a person sees.
//!
//! Reported inside quotes too: a prompt shows the whole command, and a hidden
//! or reordered part of a quoted text deceives as well as one in code.

use crate::findings::{Findings, Refusal};
use crate::source::Source;

/// Refuses control characters, reports invisible ones.
pub(super) fn check(source: &Source, findings: &mut Findings) -> Result<(), Refusal> {
    let mut before = '\0';
    for (at, next) in source.text().char_indices() {
        let span = || source.span(at..at + next.len_utf8());
        if next.is_control() && next != '\n' && next != '\t' {
            return Err(Refusal {
                reason: format!("control character U+{:04X}", u32::from(next)),
                span: span(),
            });
        }
        // Joins and colours emoji; elsewhere it only hides.
        let in_emoji = matches!(next, '\u{200D}' | '\u{FE0F}') && is_pictographic(before);
        if is_invisible(next) && !in_emoji {
            findings.problem(
                format!("invisible character U+{:04X}", u32::from(next)),
                span(),
            );
        }
        before = next;
    }
    Ok(())
}

const fn is_pictographic(character: char) -> bool {
    matches!(character,
        '#' | '*' | '0'..='9' | '\u{A9}' | '\u{AE}' | '\u{203C}'..='\u{3299}'
        | '\u{FE0F}' | '\u{1F000}'..='\u{1FAFF}')
        && !is_space_or_mark(character)
}

const fn is_space_or_mark(character: char) -> bool {
    matches!(character, '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3000}')
}

/// Zero-width and formatting characters, bidirectional controls, tags,
/// variation selectors, fillers, and spaces that are not a blank to the shell.
const fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{A0}' | '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{1680}'
        | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{2000}'..='\u{200F}'
        | '\u{2028}'..='\u{202F}' | '\u{205F}'..='\u{206F}' | '\u{2800}' | '\u{3000}'
        | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D159}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}
