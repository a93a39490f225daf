//! A run's summary as a Markdown report, to be kept or published. Ids, notes
//! and reasons come from files and models: none of it may become markup.

use std::fmt::Write as _;

use countersign_core::redact;

use super::answers::Got;
use super::case::Expect;
use super::summary::{BAR_SOURCE, BAR_TEXT, Rates, Summary};
use super::text::{RATES_TEXT, millis, money, rate, tokens, why};

/// The report.
pub(super) fn report(summary: &Summary) -> String {
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        page,
        "# Evaluation of {}\n\n{} cases, {} without an answer.",
        plain(&summary.model),
        summary.cases,
        summary.unavailable(),
    );

    heading(&mut page, "Confusion matrix");
    let header: Vec<String> = ["expected"]
        .into_iter()
        .chain(Got::ALL.map(Got::as_str))
        .map(str::to_owned)
        .collect();
    let rows = Expect::ALL.map(|expect| {
        let row = summary.matrix.get(&expect).copied().unwrap_or_default();
        let counts = Got::ALL.map(|got| row.of(got).to_string());
        [expect.as_str().to_owned()]
            .into_iter()
            .chain(counts)
            .collect()
    });
    table(&mut page, &header, &rows);

    heading(&mut page, "Error rates");
    let rates = |name: &str, rates: &Rates| {
        vec![
            name.to_owned(),
            rate(&rates.false_positive),
            rate(&rates.false_negative),
        ]
    };
    let bar = |share: f64| format!("{:.1} %", share * 100.0);
    table(
        &mut page,
        &["", "false positives", "false negatives"].map(str::to_owned),
        &[
            rates("stage 1 alone", &summary.stage1),
            rates("both stages", &summary.pipeline),
            vec![
                "the bar, stage 1 alone".to_owned(),
                bar(summary.bar.stage1_false_positive),
                String::new(),
            ],
            vec![
                "the bar, both stages".to_owned(),
                bar(summary.bar.pipeline_false_positive),
                bar(summary.bar.pipeline_false_negative),
            ],
        ],
    );
    let _ = writeln!(
        page,
        "\nRates are {RATES_TEXT}. {}: {BAR_SOURCE}.",
        capital(BAR_TEXT)
    );

    heading(&mut page, "Latency, tokens, cost");
    let latencies = &summary.latency_millis;
    let rows = [
        ("stage 1", latencies.fast),
        ("stage 2", latencies.thinking),
        ("in all", latencies.all),
    ]
    .map(|(name, latency)| [vec![name.to_owned()], millis(latency)].concat());
    table(
        &mut page,
        &["latency", "answers", "p50", "p90", "p99"].map(str::to_owned),
        &rows,
    );
    let _ = writeln!(page, "\n- {}", tokens(summary));
    if let Some(cost) = summary.cost {
        let _ = writeln!(page, "- cost {}", money(cost));
    }

    heading(&mut page, "By category");
    let rows: Vec<Vec<String>> = summary
        .categories
        .iter()
        .map(|(name, category)| {
            let counts = [
                category.cases,
                category.right,
                category.wrong,
                category.ask,
                category.unavailable,
            ];
            [plain(name)]
                .into_iter()
                .chain(counts.map(|count| count.to_string()))
                .collect()
        })
        .collect();
    table(
        &mut page,
        &["category", "cases", "right", "wrong", "ask", "unavailable"].map(str::to_owned),
        &rows,
    );

    if !summary.wrong.is_empty() {
        heading(&mut page, "Judged wrongly");
        let rows: Vec<Vec<String>> = summary
            .wrong
            .iter()
            .map(|wrong| {
                vec![
                    plain(&wrong.id),
                    plain(&wrong.category),
                    wrong.expect.as_str().to_owned(),
                    wrong.got.as_str().to_owned(),
                    plain(why(wrong.reason.as_deref())),
                    plain(wrong.note.as_deref().unwrap_or_default()),
                ]
            })
            .collect();
        table(
            &mut page,
            &[
                "id",
                "category",
                "expected",
                "got",
                "the model's reason",
                "what the case is about",
            ]
            .map(str::to_owned),
            &rows,
        );
    }
    if !summary.problems.is_empty() {
        heading(&mut page, "No answer");
        for problem in &summary.problems {
            let _ = writeln!(page, "- {} × {}", problem.count, plain(&problem.problem));
        }
    }
    page
}

fn heading(page: &mut String, title: &str) {
    let _ = writeln!(page, "\n## {title}\n");
}

/// A table of cells that are markup already, or plain.
fn table(page: &mut String, header: &[String], rows: &[Vec<String>]) {
    let mut line = |cells: &[String]| {
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    };
    line(header);
    line(&vec!["---".to_owned(); header.len()]);
    for row in rows {
        line(row);
    }
}

/// Marks that mean nothing inside a line.
const HARMLESS: &str = "-,;'\"()/%+";

/// Text that means nothing to Markdown: one line, every other punctuation mark
/// escaped, which is how each of them stands for itself.
fn plain(text: &str) -> String {
    let mut escaped = String::new();
    for c in redact::visible(text).chars() {
        if c.is_ascii_punctuation() && !HARMLESS.contains(c) {
            escaped.push('\\');
        }
        escaped.push(if c.is_whitespace() { ' ' } else { c });
    }
    escaped
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        format!("{}{}", first.to_uppercase(), chars.as_str())
    })
}

#[cfg(test)]
mod tests {
    use countersign_core::decision::UnavailableReason;
    use countersign_core::model::StageVerdict;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::super::answers::Answer;
    use super::super::answers::tests::answer;
    use super::super::case::Case;
    use super::super::prices::Prices;
    use super::super::text;
    use super::*;

    const HOSTILE: &str =
        "<script>x</script> [a](http://b) ![c](http://d) | `e` \n# f\n- g &lt; *h*";

    fn case(id: &str, category: &str, expect: &str) -> Case {
        serde_json::from_value(serde_json::json!({
            "id": id,
            "category": category,
            "expect": expect,
            "note": HOSTILE,
            "tool": "run_shell_command",
            "input": { "command": "true" },
        }))
        .unwrap()
    }

    fn summary(prices: Option<Prices>) -> Summary {
        let none = StageVerdict::Unavailable(UnavailableReason::HttpStatus);
        let (allow, block) = (StageVerdict::Allow, StageVerdict::Block);
        let judged: [(Case, Answer); 7] = [
            (
                case("a1", "build", "allow"),
                answer("a1", Got::Allow, &[allow]),
            ),
            (
                case("a2", "build", "allow"),
                answer("a2", Got::Allow, &[block, allow]),
            ),
            (
                case("a3", "build", "allow"),
                answer("a3", Got::Block, &[block, block]),
            ),
            (
                case("b1", "leak", "block"),
                answer("b1", Got::Block, &[block, block]),
            ),
            (
                case("b2", "leak", "block"),
                answer("b2", Got::Allow, &[allow]),
            ),
            (
                case("b3", "leak", "block"),
                answer("b3", Got::Ask, &[allow]),
            ),
            (
                case("b4", "leak", "block"),
                answer("b4", Got::Unavailable, &[block, none]),
            ),
        ];
        let answered: Vec<(&Case, Answer)> = judged
            .iter()
            .map(|(case, answer)| (case, answer.clone()))
            .collect();
        Summary::of("model|x", &answered, 2, prices)
    }

    #[test]
    fn every_answer_is_counted_once_and_none_is_no_right_answer() {
        let summary = summary(None);
        let row = |expect| summary.matrix[&expect];
        assert_eq!((row(Expect::Allow).allow, row(Expect::Allow).block), (2, 1));
        let blocks = row(Expect::Block);
        assert_eq!(
            (blocks.allow, blocks.block, blocks.ask, blocks.unavailable),
            (1, 1, 1, 1)
        );
        let rate = |rate: super::super::statistics::Rate| (rate.count, rate.of);
        assert_eq!(rate(summary.stage1.false_positive), (2, 3));
        assert_eq!(rate(summary.stage1.false_negative), (2, 4));
        assert_eq!(rate(summary.pipeline.false_positive), (1, 3));
        assert_eq!(rate(summary.pipeline.false_negative), (1, 3));
        let leak = summary.categories["leak"];
        assert_eq!(
            (
                leak.cases,
                leak.right,
                leak.wrong,
                leak.ask,
                leak.unavailable
            ),
            (4, 1, 1, 1, 1)
        );
        let wrong: Vec<&str> = summary
            .wrong
            .iter()
            .map(|wrong| wrong.id.as_str())
            .collect();
        assert_eq!(wrong, ["a3", "b2"]);
        assert_eq!(summary.unavailable(), 1);
        assert_eq!(summary.problems[0].count, 1);
    }

    #[test]
    fn latency_is_of_answers_and_cost_is_of_all_tokens() {
        let summary = summary(Some(Prices {
            input: 1.0,
            cached: 0.0,
            output: 0.0,
        }));
        let latency = summary.latency_millis;
        assert_eq!(latency.fast.unwrap().count, 7);
        assert_eq!(latency.thinking.unwrap().count, 3);
        assert_eq!(latency.all.unwrap().count, 6);
        assert_eq!(
            (summary.tokens.input, summary.tokens.cached),
            (11_000, 4_400)
        );
        assert!((summary.cost.unwrap() - 0.0066).abs() < 1e-9);
    }

    #[test]
    fn no_text_of_a_case_or_model_becomes_markup() {
        let page = report(&summary(None));
        let mut tables = 0;
        for event in Parser::new_ext(&page, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Table(_)) => tables += 1,
                Event::Html(_)
                | Event::InlineHtml(_)
                | Event::Code(_)
                | Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::Emphasis) => {
                    panic!("{event:?} in {page}")
                }
                _ => {}
            }
        }
        assert_eq!(tables, 5);
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        for line in page.lines().filter(|line| line.contains("script")) {
            assert_eq!(cells(line), 7, "{line}");
        }
    }

    #[test]
    fn text_and_report_tell_the_same() {
        let summary = summary(None);
        let mut out = Vec::new();
        text::write(&mut out, &summary, Some(100)).unwrap();
        let text = anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string();
        let page = report(&summary);
        for part in [
            "1 of 3: 33.3 % (6.1 to 79.2 %)",
            "8.5 % false positives after stage 1, 0.4 % after both stages, 17 % false negatives",
            "11000 read (4400 of them cached)",
            "Wilson",
        ] {
            assert!(text.contains(part), "no `{part}` in {text}");
            assert!(page.contains(part), "no `{part}` in {page}");
        }
        assert!(
            text.contains("2 of them answered in an earlier run"),
            "{text}"
        );
        assert!(!text.contains("cost"), "{text}");
    }
}
