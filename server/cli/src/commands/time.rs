//! Times on the command line and in tables.

use anyhow::{Result, bail};
use countersign_core::state::Millis;
use countersign_engine::clock::{Clock as _, SystemClock};
use jiff::Timestamp;

/// As [`parse`] from now on back, for the command line.
///
/// # Errors
/// As [`parse`].
pub(crate) fn argument(text: &str) -> Result<Millis> {
    parse(text, SystemClock.now())
}

/// Milliseconds since the epoch of `30m`, `12h`, `7d` ago or of a timestamp.
///
/// # Errors
/// When the text is neither; the message shows both forms.
fn parse(text: &str, now: Millis) -> Result<Millis> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Ok(timestamp.as_millisecond());
    }
    let unit = text.chars().last();
    let number = unit
        .and_then(|unit| text.strip_suffix(unit))
        .and_then(|number| number.parse::<Millis>().ok())
        .filter(|number| *number >= 0);
    let seconds = match unit {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 60 * 60,
        Some('d') => 24 * 60 * 60,
        _ => bail!("`{text}` is no time; use 30m, 12h, 7d or 2026-11-21T09:00:00Z"),
    };
    match number {
        Some(number) => Ok(now.saturating_sub(number.saturating_mul(seconds * 1_000))),
        None => bail!("`{text}` is no time; use 30m, 12h, 7d or 2026-11-21T09:00:00Z"),
    }
}

/// A time as tables show it, in UTC: `2026-11-21 09:00:00`.
pub(super) fn shown(time: Millis) -> String {
    Timestamp::from_millisecond(time).map_or_else(
        |_| time.to_string(),
        |timestamp| timestamp.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms() {
        let now = 10_000_000_000;
        assert_eq!(parse("30m", now).unwrap(), now - 1_800_000);
        assert_eq!(parse("7d", now).unwrap(), now - 604_800_000);
        assert_eq!(parse("1970-01-01T00:00:01Z", now).unwrap(), 1_000);
        assert_eq!(shown(1_000), "1970-01-01 00:00:01");
    }

    #[test]
    fn nonsense_is_named() {
        for text in ["", "m", "-3m", "yesterday", "3x", "3"] {
            let error = parse(text, 0).unwrap_err().to_string();
            assert!(
                error.contains(&format!("`{text}`")) && error.contains("7d"),
                "{error}"
            );
        }
    }
}
