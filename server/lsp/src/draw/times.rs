//! Times for people.

use countersign_core::state::Millis;
use jiff::Timestamp;

/// In UTC, so that a document does not change with the place of its reader or
/// with every minute: `2026-11-21 09:00:00 UTC`.
pub(super) fn shown(time: Millis) -> String {
    Timestamp::from_millisecond(time).map_or_else(
        |_| time.to_string(),
        |timestamp| timestamp.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

/// How long ago: `just now`, `3 min ago`, `2 h ago`, `5 days ago`.
pub(super) fn ago(time: Millis, now: Millis) -> String {
    let minutes = now.saturating_sub(time).max(0) / 60_000;
    match minutes {
        0 => "just now".to_owned(),
        1..60 => format!("{minutes} min ago"),
        60..2_880 => format!("{} h ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_words() {
        assert_eq!(shown(1_000), "1970-01-01 00:00:01 UTC");
        assert_eq!(shown(Millis::MAX), Millis::MAX.to_string());
        let minute = 60_000;
        assert_eq!(ago(0, 59_999), "just now");
        assert_eq!(ago(5, 0), "just now");
        assert_eq!(ago(0, 3 * minute), "3 min ago");
        assert_eq!(ago(0, 119 * minute), "1 h ago");
        assert_eq!(ago(0, 47 * 60 * minute), "47 h ago");
        assert_eq!(ago(0, 72 * 60 * minute), "3 days ago");
    }
}
