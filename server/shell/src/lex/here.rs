//! Here-documents: where their text is and what expands in it.

use super::{Body, Lexeme, Lexer, Piece, Quoting};
use crate::findings::Refusal;

/// A here-document whose text starts after the next newline.
#[derive(Debug)]
pub(super) struct Pending {
    /// Where the delimiter's word starts.
    pub(super) key: usize,
    delimiter: String,
    expands: bool,
    strips_tabs: bool,
}

impl Lexer<'_> {
    /// What `<<` or `<<-` with this delimiter waits for.
    pub(super) fn pending(
        &mut self,
        delimiter: &Lexeme,
        strips_tabs: bool,
    ) -> Result<Pending, Refusal> {
        let from = delimiter.range.start;
        let mut text = delimiter
            .head
            .as_ref()
            .map(|head| head.text.clone())
            .unwrap_or_default();
        let mut expands = true;
        for piece in &delimiter.pieces {
            match piece {
                Piece::Text {
                    text: part,
                    quoting,
                } => {
                    text.push_str(part);
                    expands &= *quoting == Quoting::Bare;
                }
                _ => return self.refuse("an expansion in a here-document's delimiter", from),
            }
        }
        let raw = self.slice(delimiter.range.clone());
        if raw.contains(['$', '`']) {
            return self.refuse("an expansion in a here-document's delimiter", from);
        }
        if text.contains('\n') || raw.contains('\n') {
            return self.refuse("a here-document's delimiter of several lines", from);
        }
        self.pending += 1;
        Ok(Pending {
            key: delimiter.range.start,
            delimiter: text,
            expands,
            strips_tabs,
        })
    }

    /// Takes the text of a here-document; the place is at the start of a line.
    pub(super) fn body(&mut self, pending: &Pending) -> Result<Body, Refusal> {
        let start = self.at;
        self.pending = self.pending.saturating_sub(1);
        let end = loop {
            if self.at >= self.limit {
                return self.refuse("unclosed here-document", start);
            }
            let line_start = self.at;
            let line = self.rest().split('\n').next().unwrap_or_default();
            let length = line.len();
            let bare = if pending.strips_tabs {
                line.trim_start_matches('\t')
            } else {
                line
            };
            let is_end = bare == pending.delimiter;
            let backslashes = line.bytes().rev().take_while(|byte| *byte == b'\\').count();
            self.at = (line_start + length + 1).min(self.limit);
            if is_end {
                break line_start;
            }
            // The joined line may or may not be taken for the delimiter.
            if pending.expands && backslashes % 2 == 1 {
                return self.refuse("a line continuation in a here-document", line_start);
            }
        };
        let after = self.at;
        let mut pieces = Vec::new();
        if pending.expands {
            let limit = std::mem::replace(&mut self.limit, end);
            self.at = start;
            while self.peek().is_some() {
                self.quoted_piece(b'$', &mut pieces)?;
            }
            self.limit = limit;
            self.at = after;
        } else {
            pieces.push(Piece::Text {
                text: self.slice(start..end).to_owned(),
                quoting: Quoting::Quoted,
            });
        }
        Ok(Body {
            pieces,
            strips_tabs: pending.strips_tabs,
        })
    }
}
