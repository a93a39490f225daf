//! Published bypasses of other guards and known tricks, one row each in
//! `tests/corpora/bypasses.jsonl`: what they disguise is never allowed, and
//! never escapes a deny rule. And ordinary commands that look like them are
//! not blocked.

#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use countersign_core::decision::Decision;
use countersign_test_support::{Scenario, judge, parse};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// A shell command …
    command: Option<String>,
    /// … or another call, in the words of a scenario's script.
    call: Option<String>,
    rules: String,
    /// Separated by commas.
    mode: String,
    must: Must,
    /// The rule that must allow it.
    by: Option<String>,
}

/// One call under one set of rules in one mode.
struct Case {
    line: usize,
    call: String,
    must: Must,
    by: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Must {
    NotAllow,
    BlockOrAsk,
    Allow,
    NotBlocked,
}

/// Allow rules as people write them; the over-broad ones are set aside in auto
/// and so must not help either.
const NARROW: &str = r#""allow": ["Bash(ls *)", "Bash(cat *)", "Bash(echo *)", "Bash(printf *)",
    "Bash(git status *)", "Bash(git log *)", "Bash(git diff *)", "Bash(git show *)",
    "Bash(cargo test *)", "Bash(sed -n *)", "Bash(grep *)", "Bash(find *)", "Bash(rg *)",
    "Bash(head *)", "Bash(tail *)", "Bash(wc *)", "Bash(sort *)", "Bash(test *)", "Bash(pwd)",
    "Bash(true)", "Bash(cd *)", "Bash(diff *)", "Bash(tee *)", "Bash(man *)", "Bash(date *)",
    "Edit(src/**)", "WebFetch(domain:huggingface.co)"]"#;

/// A deny rule wins over the allow rule of the same call.
const DENYING_WHAT_IS_ALLOWED: &str = r#""allow": ["Bash(git show *)", "Bash(git diff *)"],
    "deny": ["Read(.env)"]"#;

/// No allow rule that covers a change.
const READING: &str = r#""allow": ["Bash(ls *)"], "ask": ["Edit"]"#;

/// Rules without the over-broad ones among them.
const LITERAL: &str = r#""allow": ["Bash(cargo test *)", "Bash(tail -20)", "Bash(cat)",
    "Bash([ -f x ])", "Bash(echo *)"]"#;

const DENYING: &str = r#""allow": ["Bash(ls *)", "Bash(cat *)", "Bash(echo *)", "Bash(env *)"],
    "deny": ["Bash(rm *)", "Bash(curl *)", "Bash(touch *)", "Read(.env)", "Read(~/.ssh/**)",
    "Edit(.git/**)"]"#;

fn world(rules: &str) -> Result<Scenario> {
    // Whether allow rules are fooled: what analysis proves needs none. Deny rules
    // must hold whatever it proves.
    let analysis = if rules.starts_with("denying") {
        ""
    } else {
        r#""autoMode": { "staticAnalysis": "off" }, "#
    };
    let rules = match rules {
        "narrow" => NARROW,
        "reading" => READING,
        "literal" => LITERAL,
        "denying" => DENYING,
        "denying_what_is_allowed" => DENYING_WHAT_IS_ALLOWED,
        _ => anyhow::bail!("no such rules: {rules}"),
    };
    parse(&format!(
        "Bypasses.\n\n-- settings user --\n{{ \"permissions\": {{ {analysis}{rules} }} }}\n\n\
         -- file src/a.rs --\nfn main() {{}}\n\n-- file sub/x --\nx\n\n-- file .env --\nT=1\n\n\
         -- file .git/config --\n[core]\n\n-- file a.txt --\nx\n\n-- home outside/x --\nx\n\n\
         -- home .ssh/id_rsa --\nx\n\n-- link env-link -> .env --\n\n\
         -- link src/outward -> ~/outside --\n\n-- hardlink src/hard -> a.txt --\n\n\
         -- script --\ntrusted\n"
    ))
}

#[test]
fn bypasses() -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/bypasses.jsonl");
    let text = fs::read_to_string(&file)?;
    let mut groups: BTreeMap<(String, String), Vec<Case>> = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let row: Row = serde_json::from_str(line).with_context(|| format!("line {}", index + 1))?;
        let call = match (row.command, row.call) {
            (Some(command), None) => format!("shell {command}"),
            (None, Some(call)) => call,
            _ => anyhow::bail!("line {}: either command or call", index + 1),
        };
        let line = index + 1;
        for mode in row.mode.split(',') {
            groups
                .entry((row.rules.clone(), mode.to_owned()))
                .or_default()
                .push(Case {
                    line,
                    call: call.clone(),
                    must: row.must,
                    by: row.by.clone(),
                });
        }
        // What a deny rule must stop, no allow rule may let through without it.
        if row.rules == "denying" && row.must == Must::BlockOrAsk && call.starts_with("shell ") {
            groups
                .entry(("narrow".to_owned(), "auto".to_owned()))
                .or_default()
                .push(Case {
                    line,
                    call,
                    must: Must::NotAllow,
                    by: None,
                });
        }
    }
    ensure!(groups.len() > 3, "the table is not complete");
    let mut failures = Vec::new();
    for ((rules, mode), cases) in groups {
        let decisions = judge(
            &world(&rules)?,
            &mode,
            cases.iter().map(|case| case.call.as_str()),
        )?;
        for (case, decision) in cases.iter().zip(decisions) {
            let decision = decision.context("no opinion")?;
            let allowed = decision.is_allow();
            let fine = match case.must {
                Must::NotAllow | Must::BlockOrAsk => !allowed,
                Must::Allow => {
                    allowed
                        && case
                            .by
                            .as_ref()
                            .is_none_or(|rule| decision.detail().contains(rule))
                }
                Must::NotBlocked => {
                    !matches!(decision, Decision::Block { .. } | Decision::Denied { .. })
                }
            };
            if !fine {
                failures.push(format!(
                    "line {} ({rules}, {mode}): {:?}: {decision:?}",
                    case.line, case.call
                ));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    Ok(())
}
