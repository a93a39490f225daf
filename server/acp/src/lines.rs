//! Lines of a stream with a bound on their length: a message that never ends
//! must not be kept.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Every byte of it, with its end as it came; the last one may have none.
    Whole(Vec<u8>),
    /// It was longer than allowed, and was read over.
    TooLong,
}

/// The next line of at most so many bytes, its end not counted; none at the end
/// of the stream.
///
/// # Errors
/// When the stream cannot be read.
pub(crate) async fn next(
    input: &mut (impl AsyncBufRead + Unpin),
    most: usize,
) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut is_too_long = false;
    loop {
        let available = input.fill_buf().await?;
        if available.is_empty() {
            return Ok(match (is_too_long, line.is_empty()) {
                (true, _) => Some(Line::TooLong),
                (false, true) => None,
                (false, false) => Some(Line::Whole(line)),
            });
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(available.len(), |end| end + 1);
        let content = end.unwrap_or(available.len());
        is_too_long |= line.len() + content > most;
        if is_too_long {
            line = Vec::new();
        } else {
            line.extend(available.iter().take(taken));
        }
        input.consume(taken);
        if end.is_some() {
            return Ok(Some(if is_too_long {
                Line::TooLong
            } else {
                Line::Whole(line)
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    async fn lines(bytes: &[u8], most: usize, buffer: usize) -> Vec<Line> {
        let mut input = BufReader::with_capacity(buffer, bytes);
        let mut all = Vec::new();
        while let Some(line) = next(&mut input, most).await.unwrap() {
            all.push(line);
        }
        all
    }

    #[tokio::test]
    async fn lines_are_the_same_however_they_arrive() {
        let whole = |text: &str| Line::Whole(text.as_bytes().to_vec());
        for buffer in [1, 2, 3, 64] {
            assert_eq!(
                lines(b"ab\n\n12345\n123456\r\nend", 5, buffer).await,
                [
                    whole("ab\n"),
                    whole("\n"),
                    whole("12345\n"),
                    Line::TooLong,
                    whole("end")
                ],
                "{buffer}"
            );
            assert_eq!(lines(b"123456", 5, buffer).await, [Line::TooLong]);
            assert_eq!(lines(b"", 5, buffer).await, []);
        }
    }
}
