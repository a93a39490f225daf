//! A run's summary for a terminal.

use std::io::{self, Write};

use anstyle::Style;
use countersign_core::redact;

use super::answers::Got;
use super::case::Expect;
use super::statistics::{Latency, Rate};
use super::summary::{BAR_SOURCE, BAR_TEXT, Rates, Summary};
use crate::output::{ALLOW, ASK, BLOCK, BOLD, DIM, NOTE, styled, table};

/// Most wrong cases that are listed; all of them are in the JSON and in the
/// report.
const MOST_WRONG: usize = 100;

/// Most kinds of problems that are listed.
const MOST_PROBLEMS: usize = 5;

/// Writes the summary.
pub(super) fn write(
    out: &mut impl Write,
    summary: &Summary,
    width: Option<usize>,
) -> io::Result<()> {
    let cells = |cells: Vec<String>| -> Vec<(Style, String)> {
        let plain = cells.into_iter().map(|cell| (Style::new(), cell));
        plain.collect()
    };
    writeln!(
        out,
        "{}  {} cases{}\n",
        styled(BOLD, &redact::visible(&summary.model)),
        summary.cases,
        match summary.earlier {
            0 => String::new(),
            earlier => format!(", {earlier} of them answered in an earlier run"),
        },
    )?;

    let header: Vec<&str> = ["expected"]
        .into_iter()
        .chain(Got::ALL.map(Got::as_str))
        .collect();
    let rows: Vec<_> = Expect::ALL
        .iter()
        .map(|expect| {
            let row = summary.matrix.get(expect).copied().unwrap_or_default();
            let counts = Got::ALL
                .iter()
                .map(|got| (style(*expect, *got, row.of(*got)), row.of(*got).to_string()));
            [(Style::new(), expect.as_str().to_owned())]
                .into_iter()
                .chain(counts)
                .collect()
        })
        .collect();
    table(out, &header, &rows, None)?;
    writeln!(out)?;

    let rates = |name: &str, rates: &Rates| {
        cells(vec![
            name.to_owned(),
            rate(&rates.false_positive),
            rate(&rates.false_negative),
        ])
    };
    table(
        out,
        &["", "false positives", "false negatives"],
        &[
            rates("stage 1 alone", &summary.stage1),
            rates("both stages", &summary.pipeline),
        ],
        None,
    )?;
    writeln!(out, "{}", styled(DIM, RATES_TEXT))?;
    writeln!(out, "{}", styled(DIM, BAR_TEXT))?;
    writeln!(out, "{}\n", styled(DIM, BAR_SOURCE))?;

    let latencies = &summary.latency_millis;
    let rows: Vec<_> = [
        ("stage 1", latencies.fast),
        ("stage 2", latencies.thinking),
        ("in all", latencies.all),
    ]
    .into_iter()
    .map(|(name, latency)| cells([vec![name.to_owned()], millis(latency)].concat()))
    .collect();
    table(
        out,
        &["latency", "answers", "p50", "p90", "p99"],
        &rows,
        None,
    )?;
    writeln!(out, "\n{}", tokens(summary))?;
    if let Some(cost) = summary.cost {
        writeln!(out, "cost    {}", styled(NOTE, &money(cost)))?;
    }
    writeln!(out)?;

    let rows: Vec<_> = summary
        .categories
        .iter()
        .map(|(name, category)| {
            cells(vec![
                redact::visible(name),
                category.cases.to_string(),
                category.right.to_string(),
                category.wrong.to_string(),
                category.ask.to_string(),
                category.unavailable.to_string(),
            ])
        })
        .collect();
    table(
        out,
        &["category", "cases", "right", "wrong", "ask", "unavailable"],
        &rows,
        None,
    )?;

    if !summary.wrong.is_empty() {
        writeln!(out)?;
        let rows: Vec<_> = summary
            .wrong
            .iter()
            .take(MOST_WRONG)
            .map(|wrong| {
                vec![
                    (BOLD, redact::visible(&wrong.id)),
                    (Style::new(), redact::visible(&wrong.category)),
                    (ALLOW, wrong.expect.as_str().to_owned()),
                    (BLOCK, wrong.got.as_str().to_owned()),
                    (Style::new(), redact::visible(why(wrong.reason.as_deref()))),
                ]
            })
            .collect();
        table(
            out,
            &["wrong", "category", "expected", "got", "the model's reason"],
            &rows,
            width,
        )?;
        if let Some(more) = summary
            .wrong
            .len()
            .checked_sub(MOST_WRONG)
            .filter(|more| *more > 0)
        {
            writeln!(
                out,
                "{}",
                styled(
                    DIM,
                    &format!("and {more} more: --json and --report list all")
                )
            )?;
        }
    }
    for problem in summary.problems.iter().take(MOST_PROBLEMS) {
        let line = format!(
            "{} × no answer: {}",
            problem.count,
            redact::visible(&problem.problem)
        );
        writeln!(out, "{} {line}", styled(ASK, "!"))?;
    }
    Ok(())
}

/// What the rates are of.
pub(super) const RATES_TEXT: &str =
    "of the cases that were answered, with 95 % intervals (Wilson); an ask is neither";

/// What stands in place of a reason that the model did not give.
pub(super) fn why(reason: Option<&str>) -> &str {
    reason.unwrap_or("none: an allow has no reason")
}

fn style(expect: Expect, got: Got, count: usize) -> Style {
    match (expect, got) {
        _ if count == 0 => DIM,
        (Expect::Allow, Got::Allow) | (Expect::Block, Got::Block) => ALLOW,
        (Expect::Allow, Got::Block) | (Expect::Block, Got::Allow) => BLOCK,
        (_, Got::Ask | Got::Unavailable) => ASK,
    }
}

/// `3 of 60: 5.0 % (1.7 to 13.7 %)`
pub(super) fn rate(rate: &Rate) -> String {
    match (rate.rate, rate.low, rate.high) {
        (Some(share), Some(low), Some(high)) => format!(
            "{} of {}: {:.1} % ({:.1} to {:.1} %)",
            rate.count,
            rate.of,
            share * 100.0,
            low * 100.0,
            high * 100.0,
        ),
        _ => "nothing to tell from".to_owned(),
    }
}

/// Count and percentiles, each with its unit.
pub(super) fn millis(latency: Option<Latency>) -> Vec<String> {
    let Some(latency) = latency else {
        return vec![
            "0".to_owned(),
            "–".to_owned(),
            "–".to_owned(),
            "–".to_owned(),
        ];
    };
    let percentiles = [latency.p50, latency.p90, latency.p99].map(|millis| format!("{millis} ms"));
    [latency.count.to_string()]
        .into_iter()
        .chain(percentiles)
        .collect()
}

/// How many tokens it took.
pub(super) fn tokens(summary: &Summary) -> String {
    let tokens = &summary.tokens;
    let uncounted = match tokens.uncounted_stages {
        0 => String::new(),
        stages => format!("; {stages} answers came without counts"),
    };
    format!(
        "tokens  {} read ({} of them cached), {} written{uncounted}",
        tokens.input, tokens.cached, tokens.output
    )
}

/// A sum that may be far below one.
pub(super) fn money(cost: f64) -> String {
    format!("{cost:.4} (by the prices that were named)")
}
