//! Runs the parts of the test, times them, and says how it went.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{agents, docs, editors, neovim, rust, vscode};

/// A part that can be tested by itself.
#[derive(Debug)]
pub(crate) struct Part {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it is, in a few words.
    pub(crate) about: &'static str,
    /// Whether it runs when no part is named.
    pub(crate) by_default: bool,
    /// Its steps. They all run, so that every runner's closing line is seen.
    pub(crate) steps: &'static [Step],
}

/// A step of a part.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// Prints for itself; whether all is well.
    pub(crate) run: fn() -> Result<bool>,
}

/// Every part there is.
pub(crate) const PARTS: &[Part] = &[
    Part {
        name: "rust",
        about: "lints, formatting, clippy, tests",
        by_default: true,
        steps: rust::STEPS,
    },
    Part {
        name: "lints",
        about: "this repository's own rules; contained in rust",
        by_default: false,
        steps: &[rust::LINTS],
    },
    Part {
        name: "docs",
        about: "links, decision records, quoted commands",
        by_default: true,
        steps: docs::STEPS,
    },
    Part {
        name: "neovim",
        about: "our plugin in a real Neovim, and the server in one without it",
        by_default: true,
        steps: neovim::STEPS,
    },
    Part {
        name: "editors",
        about: "the server in a real Emacs with our package, and in a real Helix",
        by_default: true,
        steps: editors::STEPS,
    },
    Part {
        name: "vscode",
        about: "the extension: its checks, its package, and the package in real VS Codes",
        by_default: true,
        steps: vscode::STEPS,
    },
    Part {
        name: "agents",
        about: "real agents with our hooks and behind our proxy, against a scripted model",
        by_default: true,
        steps: agents::STEPS,
    },
];

struct Row {
    name: String,
    took: Duration,
    passed: bool,
}

/// Runs the parts in order until one fails; whether all passed.
pub(crate) fn run(parts: &[&'static Part]) -> Result<bool> {
    let start = Instant::now();
    let mut rows = Vec::new();
    let mut passed = true;
    for part in parts {
        let began = Instant::now();
        let mut steps = Vec::new();
        for step in part.steps {
            println!("\n== {}: {} ==", part.name, step.name);
            let began = Instant::now();
            let outcome = (step.run)();
            if let Err(error) = &outcome {
                println!("error: {error:#}");
            }
            steps.push(Row {
                name: format!("  {}", step.name),
                took: began.elapsed(),
                passed: outcome.unwrap_or(false),
            });
        }
        passed = steps.iter().all(|step| step.passed);
        rows.push(Row {
            name: part.name.to_owned(),
            took: began.elapsed(),
            passed,
        });
        rows.append(&mut steps);
        if !passed {
            break;
        }
    }
    println!("\n{:<24}{:>9}", "part", "seconds");
    for row in &rows {
        let verdict = if row.passed { "ok" } else { "FAILED" };
        println!("{:<24}{:>9.1}  {verdict}", row.name, row.took.as_secs_f64());
    }
    println!("{:<24}{:>9.1}", "total", start.elapsed().as_secs_f64());
    Ok(passed)
}
