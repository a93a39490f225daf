//! Times, sorted: what most and what nearly all took.

use std::time::Duration;

/// The value below which that many in a hundred lie, of sorted times.
pub(super) fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

/// The same of times in any order; no time at all if there are none.
pub(super) fn percentile_of(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    percentile(times, percent).unwrap_or_default()
}

pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let times: Vec<Duration> = (1..=300).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50), Some(Duration::from_millis(150)));
        assert_eq!(percentile(&times, 99), Some(Duration::from_millis(297)));
        assert_eq!(percentile(&times[..1], 99), Some(Duration::from_millis(1)));
        assert_eq!(percentile(&[], 50), None);
    }
}
