//! A figure with its target.

use std::fmt::Write as _;

/// What a figure must not be above, or below.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// It is told, and good as it is.
    None,
    AtMost(f64),
    AtLeast(f64),
}

/// One measured figure.
#[derive(Debug)]
pub(super) struct Figure {
    /// What was measured.
    pub(super) name: String,
    pub(super) value: f64,
    /// Of the value and the target, with what separates it from them.
    pub(super) unit: &'static str,
    pub(super) target: Target,
    /// What else is told, in brackets.
    pub(super) besides: String,
}

impl Figure {
    fn is_met(&self) -> bool {
        match self.target {
            Target::None => true,
            Target::AtMost(most) => self.value <= most,
            Target::AtLeast(least) => self.value >= least,
        }
    }
}

/// All of them as a Markdown table.
pub(super) fn table(figures: &[Figure]) -> String {
    let mut table = "| a server | measured | target | |\n|---|---:|---:|---|\n".to_owned();
    for figure in figures {
        let unit = figure.unit;
        let (target, met) = match figure.target {
            Target::None => (String::new(), ""),
            Target::AtMost(most) => (format!("≤ {}{unit}", number(most)), met(figure)),
            Target::AtLeast(least) => (format!("≥ {}{unit}", number(least)), met(figure)),
        };
        let besides = match figure.besides.as_str() {
            "" => String::new(),
            besides => format!(" ({besides})"),
        };
        // Writing into a string does not fail.
        let _ = writeln!(
            table,
            "| {}{besides} | {}{unit} | {target} | {met} |",
            figure.name,
            number(figure.value),
        );
    }
    table
}

fn met(figure: &Figure) -> &'static str {
    if figure.is_met() { "ok" } else { "missed" }
}

/// With as many digits as mean something, and thousands apart.
fn number(value: f64) -> String {
    if value < 100.0 {
        let text = format!("{value:.2}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_which_targets_are_missed() {
        let figure = |value, target| Figure {
            name: "wall".to_owned(),
            value,
            unit: " ms",
            target,
            besides: String::new(),
        };
        let mut slow = figure(2.5, Target::AtMost(2.0));
        slow.besides = "p99 3 ms".to_owned();
        let table = table(&[
            slow,
            figure(20_000.0, Target::AtLeast(20_000.0)),
            figure(1.0, Target::None),
        ]);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| wall (p99 3 ms) | 2.5 ms | ≤ 2 ms | missed |",
                "| wall | 20,000 ms | ≥ 20,000 ms | ok |",
                "| wall | 1 ms |  |  |",
            ]
        );
    }
}
