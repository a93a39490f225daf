//! Statistics for people: a chart of the days, and tables.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::Style;
use countersign_core::state::Millis;
use countersign_store::{Statistics, Tally, Times};

use crate::commands::time;
use crate::output::{self, ALLOW, ASK, BLOCK, BOLD, DIM, styled};

/// Most days in the chart, the newest; most rows of a table.
const DAYS: usize = 14;
const ROWS: usize = 12;

/// Columns of the longest bar.
const BAR: u64 = 40;

const DAY: Millis = 24 * 60 * 60 * 1_000;

type Row = Vec<(Style, String)>;

/// `2026-11-21`
pub(super) fn day(day: i64) -> String {
    let shown = time::shown(day.saturating_mul(DAY));
    shown.split(' ').next().unwrap_or_default().to_owned()
}

pub(super) fn tell(out: &mut impl Write, statistics: &Statistics) -> io::Result<()> {
    let all = &statistics.all;
    let Some((first, last)) = statistics.span else {
        writeln!(out, "no call was decided in this time")?;
        return warnings(out, statistics);
    };
    writeln!(
        out,
        "{}, {} to {} UTC\n",
        styled(BOLD, &format!("{} calls", all.calls)),
        time::shown(first),
        time::shown(last)
    )?;
    for (style, name, count) in [
        (DIM, "decided without a model", all.without_model),
        (ALLOW, "allowed", all.allowed),
        (ASK, "asked about", all.asked),
        (BLOCK, "blocked", all.blocked),
    ] {
        writeln!(
            out,
            "{name:<24} {count:>9} {:>7}  {}",
            share(count, all.calls),
            styled(style, &bar(count, all.calls, '█'))
        )?;
    }
    days(out, statistics)?;
    tallies(out, "agent", &statistics.agents)?;
    tallies(out, "tool", &statistics.tools)?;
    layers(out, statistics)?;
    times(out, statistics)?;
    warnings(out, statistics)
}

/// One bar a day, in the colours of what became of its calls.
fn days(out: &mut impl Write, statistics: &Statistics) -> io::Result<()> {
    let days: Vec<_> = statistics.days.iter().rev().take(DAYS).collect();
    let most = days.iter().map(|(_, tally)| tally.calls).max().unwrap_or(0);
    writeln!(out)?;
    for (number, tally) in days.iter().rev() {
        let bars = [
            (ALLOW, tally.allowed, '█'),
            (ASK, tally.asked, '▓'),
            (BLOCK, tally.blocked, '▒'),
        ];
        let bars: String = bars
            .into_iter()
            .map(|(style, count, with)| styled(style, &bar(count, most, with)))
            .collect();
        writeln!(out, "{}  {:>7}  {bars}", day(**number), tally.calls)?;
    }
    let key = "█ allowed  ▓ asked about  ▒ blocked";
    let more = statistics.days.len().saturating_sub(DAYS);
    let more = match more {
        0 => String::new(),
        more => format!("  ({more} earlier days: --json)"),
    };
    writeln!(out, "{}", styled(DIM, &format!("{:21}{key}{more}", "")))
}

fn tallies(out: &mut impl Write, what: &str, tallies: &BTreeMap<String, Tally>) -> io::Result<()> {
    let mut sorted: Vec<_> = tallies.iter().collect();
    sorted.sort_by(|a, b| (b.1.calls, a.0).cmp(&(a.1.calls, b.0)));
    let rows: Vec<Row> = sorted
        .iter()
        .take(ROWS)
        .map(|(name, tally)| {
            let mut row = vec![(Style::new(), output::one_line(name, 40))];
            row.extend([
                count(tally.calls),
                count(tally.without_model),
                count(tally.allowed),
                count(tally.asked),
                count(tally.blocked),
            ]);
            row
        })
        .collect();
    let header = [
        what,
        "calls",
        "without a model",
        "allowed",
        "asked",
        "blocked",
    ];
    table(out, &header, &rows, sorted.len())
}

fn layers(out: &mut impl Write, statistics: &Statistics) -> io::Result<()> {
    let rows: Vec<Row> = statistics
        .layers
        .iter()
        .take(ROWS)
        .map(|layer| {
            vec![
                (
                    output::verb_style(&layer.decision),
                    output::one_line(&layer.decision, 12),
                ),
                (Style::new(), output::one_line(&layer.reason, 40)),
                count(layer.calls),
                (DIM, share(layer.calls, statistics.all.calls)),
                (Style::new(), duration(&layer.micros, layer.micros.median)),
                (Style::new(), duration(&layer.micros, layer.micros.p90)),
            ]
        })
        .collect();
    let header = [
        "decision",
        "layer or reason",
        "calls",
        "share",
        "median",
        "90 %",
    ];
    table(out, &header, &rows, statistics.layers.len())
}

fn times(out: &mut impl Write, statistics: &Statistics) -> io::Result<()> {
    let millis = |times: Times| Times {
        median: times.median.saturating_mul(1_000),
        p90: times.p90.saturating_mul(1_000),
        longest: times.longest.saturating_mul(1_000),
        ..times
    };
    let rows: Vec<Row> = [
        ("deciding without a model", statistics.micros),
        ("deciding with a model", statistics.micros_with_model),
        ("people's answers", millis(statistics.waited)),
    ]
    .into_iter()
    .filter(|(_, times)| times.count > 0)
    .map(|(name, times)| {
        vec![
            (Style::new(), name.to_owned()),
            count(times.count),
            (Style::new(), output::duration(times.median)),
            (Style::new(), output::duration(times.p90)),
            (Style::new(), output::duration(times.longest)),
        ]
    })
    .collect();
    if !rows.is_empty() {
        table(
            out,
            &["time", "times", "median", "90 %", "longest"],
            &rows,
            rows.len(),
        )?;
    }
    if !statistics.answers.is_empty() {
        let answers: Vec<String> = statistics
            .answers
            .iter()
            .map(|(answer, times)| format!("{} {times}", output::one_line(answer, 40)))
            .collect();
        writeln!(out, "\n{} {}", styled(DIM, "answers"), answers.join(", "))?;
    }
    Ok(())
}

fn warnings(out: &mut impl Write, statistics: &Statistics) -> io::Result<()> {
    if statistics.unguarded > 0 {
        writeln!(
            out,
            "\n{}  {} tools ran that were never decided: `countersign log --kind unguarded`",
            styled(BLOCK, "UNGUARDED"),
            statistics.unguarded
        )?;
    }
    if statistics.problems > 0 {
        writeln!(
            out,
            "\n{}  {} times something was wrong with the guard: `countersign log --kind problem`",
            styled(ASK, "problems"),
            statistics.problems
        )?;
    }
    Ok(())
}

fn table(out: &mut impl Write, header: &[&str], rows: &[Row], all: usize) -> io::Result<()> {
    writeln!(out)?;
    output::table(out, header, rows, None)?;
    match all.saturating_sub(rows.len()) {
        0 => Ok(()),
        more => writeln!(
            out,
            "{}",
            styled(DIM, &format!("… and {more} more: --json"))
        ),
    }
}

fn count(count: u64) -> (Style, String) {
    (Style::new(), count.to_string())
}

fn duration(times: &Times, micros: u64) -> String {
    match times.count {
        0 => String::new(),
        _ => output::duration(micros),
    }
}

/// `12.5 %`
fn share(part: u64, of: u64) -> String {
    let per_mille = part.saturating_mul(1_000).checked_div(of).unwrap_or(0);
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}

/// A bar in proportion; what is not nothing has at least one column.
fn bar(part: u64, of: u64, with: char) -> String {
    let columns = part.saturating_mul(BAR).checked_div(of).unwrap_or(0);
    let columns = columns.max(u64::from(part > 0)).min(BAR);
    (0..columns).map(|_| with).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_show_what_is_little() {
        assert_eq!(bar(0, 10, '█'), "");
        assert_eq!(bar(1, 1_000_000, '█'), "█");
        assert_eq!(bar(10, 10, '█').chars().count(), 40);
        assert_eq!(bar(u64::MAX, 10, '█').chars().count(), 40);
        assert_eq!(bar(1, 0, '█'), "█");
    }

    #[test]
    fn shares_and_days_are_said_exactly() {
        assert_eq!(share(1, 3), "33.3 %");
        assert_eq!(share(0, 0), "0.0 %");
        assert_eq!(day(20_778), "2026-11-21");
        assert_eq!(day(-1), "1969-12-31");
    }

    #[test]
    fn nothing_is_said_plainly() {
        let mut out = Vec::new();
        tell(&mut out, &Statistics::default()).unwrap();
        assert_eq!(out, b"no call was decided in this time\n");
    }
}
