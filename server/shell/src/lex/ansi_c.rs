//! `$'…'`: the escapes of the C language as bash reads them.

use super::{Lexer, Piece, Quoting};
use crate::findings::Refusal;

impl Lexer<'_> {
    /// Takes `$'…'`; the place is at the `$`.
    pub(super) fn ansi_c(&mut self, pieces: &mut Vec<Piece>) -> Result<(), Refusal> {
        let from = self.at;
        self.at += 2;
        let mut bytes = Vec::new();
        // bash ends the text at a NUL, but goes on looking for the quote.
        let mut ended = false;
        let mut known = true;
        loop {
            let Some(next) = self.next_char() else {
                return self.refuse("unclosed quote", from);
            };
            let mut push = |more: &[u8]| {
                if !ended {
                    bytes.extend_from_slice(more);
                }
            };
            match next {
                '\'' => break,
                '\\' => match self.escape(from)? {
                    Escape::Bytes(0, _) => ended = true,
                    Escape::Bytes(byte, None) => push(&[byte]),
                    Escape::Bytes(byte, Some(second)) => push(&[byte, second]),
                    Escape::Character(character) => {
                        push(character.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    Escape::Unknown => known = false,
                },
                other => push(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        match String::from_utf8(bytes) {
            Ok(text) if known => pieces.push(Piece::Text {
                text,
                quoting: Quoting::Quoted,
            }),
            _ => pieces.push(Piece::Unknown),
        }
        Ok(())
    }

    /// Takes what follows a backslash.
    fn escape(&mut self, from: usize) -> Result<Escape, Refusal> {
        let Some(next) = self.next_char() else {
            return self.refuse("unclosed quote", from);
        };
        Ok(match next {
            'a' => Escape::Bytes(7, None),
            'b' => Escape::Bytes(8, None),
            'e' | 'E' => Escape::Bytes(27, None),
            'f' => Escape::Bytes(12, None),
            'n' => Escape::Bytes(b'\n', None),
            'r' => Escape::Bytes(b'\r', None),
            't' => Escape::Bytes(b'\t', None),
            'v' => Escape::Bytes(11, None),
            '\\' | '\'' | '"' | '?' => Escape::Character(next),
            '0'..='7' => {
                self.at -= 1;
                // More than eight bits wrap around.
                let value = self.number(8, 3).unwrap_or(0) & 0xFF;
                u8::try_from(value).map_or(Escape::Unknown, |byte| Escape::Bytes(byte, None))
            }
            // `\x{…}` is an extension with odd corners.
            'x' if self.peek() == Some(b'{') => Escape::Unknown,
            'x' => match self.number(16, 2) {
                Some(value) => {
                    u8::try_from(value).map_or(Escape::Unknown, |byte| Escape::Bytes(byte, None))
                }
                None => Escape::Bytes(b'\\', Some(b'x')),
            },
            'u' | 'U' => {
                let digits = if next == 'u' { 4 } else { 8 };
                match self.number(16, digits) {
                    // Above ASCII the result depends on the locale.
                    Some(0) => Escape::Bytes(0, None),
                    Some(value) if value < 0x80 => {
                        char::from_u32(value).map_or(Escape::Unknown, Escape::Character)
                    }
                    Some(_) | None => Escape::Unknown,
                }
            }
            'c' => Escape::Unknown,
            other if other.is_ascii() => Escape::Bytes(b'\\', u8::try_from(u32::from(other)).ok()),
            _ => Escape::Unknown,
        })
    }

    /// Takes up to `most` digits.
    fn number(&mut self, radix: u32, most: usize) -> Option<u32> {
        let mut value = None;
        for _ in 0..most {
            let Some(digit) = self
                .peek()
                .and_then(|byte| char::from(byte).to_digit(radix))
            else {
                break;
            };
            self.at += 1;
            value = Some(
                value
                    .unwrap_or(0_u32)
                    .wrapping_mul(radix)
                    .wrapping_add(digit),
            );
        }
        value
    }
}

/// What an escape stands for.
enum Escape {
    /// One byte, or two.
    Bytes(u8, Option<u8>),
    Character(char),
    /// It depends, on the locale or the version.
    Unknown,
}
