//! The arithmetic of a report: rates with their intervals, and percentiles. A
//! rate of sixty cases says little without its interval.

use serde::Serialize;

/// The 97.5th percentile of the normal distribution: two-sided 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// How many of how many, and what that says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Rate {
    /// How many.
    pub(super) count: usize,
    /// Of how many; may be 0.
    pub(super) of: usize,
    /// The share, from 0 to 1; none of nothing.
    pub(super) rate: Option<f64>,
    /// The lower end of the share's 95 % interval.
    pub(super) low: Option<f64>,
    /// Its upper end.
    pub(super) high: Option<f64>,
}

impl Rate {
    /// `count` of `of`; a count above `of` is taken for all of it.
    pub(super) fn new(count: usize, of: usize) -> Self {
        let count = count.min(of);
        let interval = wilson(count, of);
        Self {
            count,
            of,
            rate: (of > 0).then(|| real(count) / real(of)),
            low: interval.map(|(low, _)| low),
            high: interval.map(|(_, high)| high),
        }
    }
}

/// Wilson's score interval at 95 %: unlike the textbook's one it is right for
/// few cases and for rates near 0, and never leaves 0 to 1.
fn wilson(count: usize, of: usize) -> Option<(f64, f64)> {
    if of == 0 {
        return None;
    }
    let (count, of) = (real(count), real(of));
    let share = count / of;
    let square = Z * Z;
    let scale = 1.0 + square / of;
    let middle = (share + square / (2.0 * of)) / scale;
    let half = Z / scale * (share * (1.0 - share) / of + square / (4.0 * of * of)).sqrt();
    // Rounding may leave the share outside by a hair.
    let low = (middle - half).clamp(0.0, share);
    let high = (middle + half).clamp(share, 1.0);
    Some((low, high))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of cases are far below 2^52"
)]
const fn real(count: usize) -> f64 {
    count as f64
}

/// How long something took, over many times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Latency {
    /// How often it was measured.
    pub(super) count: usize,
    /// Half of them took at most this many milliseconds.
    pub(super) p50: u64,
    /// 90 % of them.
    pub(super) p90: u64,
    /// 99 % of them.
    pub(super) p99: u64,
}

impl Latency {
    /// Of milliseconds in any order; none of nothing.
    pub(super) fn of(mut millis: Vec<u64>) -> Option<Self> {
        millis.sort_unstable();
        Some(Self {
            count: millis.len(),
            p50: nearest_rank(&millis, 50)?,
            p90: nearest_rank(&millis, 90)?,
            p99: nearest_rank(&millis, 99)?,
        })
    }
}

/// The smallest measured value that at least this percentage does not exceed.
fn nearest_rank(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 5e-5
    }

    #[test]
    fn intervals_are_those_of_the_tables() {
        for (count, of, low, high) in [
            (0, 20, 0.0, 0.1611),
            (10, 20, 0.2993, 0.7007),
            (1, 10, 0.0179, 0.4042),
            (20, 20, 0.8389, 1.0),
            (17, 100, 0.1089, 0.2555),
        ] {
            let rate = Rate::new(count, of);
            assert!(close(rate.low.unwrap(), low), "{rate:?}");
            assert!(close(rate.high.unwrap(), high), "{rate:?}");
        }
    }

    #[test]
    fn nothing_has_no_rate_and_no_latency() {
        let rate = Rate::new(0, 0);
        assert_eq!((rate.rate, rate.low, rate.high), (None, None, None));
        assert_eq!(Latency::of(Vec::new()), None);
    }

    #[test]
    fn percentiles_are_measured_values() {
        let latency = Latency::of((1..=200).rev().collect()).unwrap();
        assert_eq!(latency.count, 200);
        assert_eq!((latency.p50, latency.p90, latency.p99), (100, 180, 198));
        let one = Latency::of(vec![7]).unwrap();
        assert_eq!((one.p50, one.p90, one.p99), (7, 7, 7));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn an_interval_holds_its_rate_and_stays_between_none_and_all(
            of in 1_usize..5_000,
            part in 0.0..=1.0_f64,
        ) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is at most `of`")]
            let count = (part * real(of)) as usize;
            let rate = Rate::new(count, of);
            let (share, low, high) = (rate.rate.unwrap(), rate.low.unwrap(), rate.high.unwrap());
            prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
            prop_assert!(low < high, "no number of cases is certain");
        }

        #[test]
        fn an_interval_is_the_mirror_of_the_opposite_one(of in 1_usize..2_000, count in 0_usize..2_000) {
            let count = count.min(of);
            let (one, other) = (Rate::new(count, of), Rate::new(of - count, of));
            prop_assert!((one.low.unwrap() - (1.0 - other.high.unwrap())).abs() < 1e-9);
        }

        #[test]
        fn more_cases_say_more(of in 1_usize..500, count in 0_usize..500, times in 2_usize..20) {
            let count = count.min(of);
            let width = |rate: Rate| rate.high.unwrap() - rate.low.unwrap();
            prop_assert!(width(Rate::new(count * times, of * times)) < width(Rate::new(count, of)));
        }

        #[test]
        fn percentiles_rise_and_bound_their_share(millis in prop::collection::vec(0_u64..100_000, 1..300)) {
            let latency = Latency::of(millis.clone()).unwrap();
            prop_assert!(latency.p50 <= latency.p90 && latency.p90 <= latency.p99);
            for (percent, value) in [(50, latency.p50), (90, latency.p90), (99, latency.p99)] {
                prop_assert!(millis.contains(&value));
                let within = millis.iter().filter(|one| **one <= value).count();
                prop_assert!(within * 100 >= millis.len() * percent);
            }
        }
    }
}
