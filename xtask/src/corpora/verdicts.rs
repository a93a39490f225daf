//! What `countersign check --batch` says of the rows.

use std::collections::BTreeMap;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::rows::Corpus;
use crate::repository::{output, root};

/// What was decided without a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Decided {
    Allow,
    Block,
    Review,
}

/// A verdict, as far as figures need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) decided: Decided,
    /// How long it took, in microseconds.
    pub(super) microseconds: u64,
}

/// A line of the program's output. The id is the row's number, so that rows of
/// one id stay apart.
#[derive(Deserialize)]
struct Line {
    id: usize,
    verdict: Decided,
    us: u64,
}

/// Builds the program; where it is.
pub(super) fn program(dev: bool) -> Result<PathBuf> {
    let mut arguments = vec![
        "build",
        "--locked",
        "--package",
        "countersign",
        "--message-format=json-render-diagnostics",
    ];
    if !dev {
        arguments.push("--release");
    }
    let messages = output("cargo", &arguments)?;
    executable(&messages).context("cargo does not say where it built countersign")
}

/// The program `countersign` among what cargo says that it built.
fn executable(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message.pointer("/target/name") == Some(&json!("countersign")))
        .find_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
}

/// The verdict of every row of the corpus, in order; none where the program
/// gives none.
pub(super) fn of(
    program: &Path,
    corpus: &Corpus,
    workspace: &Path,
) -> Result<Vec<Option<Verdict>>> {
    // A file, not a pipe: the program may write while it is still fed.
    let mut input = tempfile::tempfile().context("cannot make a temporary file")?;
    input.write_all(questions(corpus).as_bytes())?;
    input.rewind()?;
    let output = Command::new(program)
        .args(["check", "--batch", "--workspace"])
        .arg(workspace)
        .current_dir(root())
        .stdin(input)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        eprintln!("{}: countersign ended with {}", corpus.name, output.status);
    }
    Ok(answers(
        &String::from_utf8_lossy(&output.stdout),
        corpus.rows.len(),
    ))
}

fn questions(corpus: &Corpus) -> String {
    let mut questions = String::new();
    for (number, row) in corpus.rows.iter().enumerate() {
        questions.push_str(&json!({"id": number, "command": row.command}).to_string());
        questions.push('\n');
    }
    questions
}

/// A line that is cut off or says something else counts as no verdict.
fn answers(output: &str, rows: usize) -> Vec<Option<Verdict>> {
    let mut known: BTreeMap<usize, Verdict> = output
        .lines()
        .filter_map(|line| serde_json::from_str::<Line>(line).ok())
        .map(|line| {
            let verdict = Verdict {
                decided: line.verdict,
                microseconds: line.us,
            };
            (line.id, verdict)
        })
        .collect();
    (0..rows).map(|number| known.remove(&number)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::rows::tests::corpus;
    use super::*;

    #[test]
    fn rows_are_asked_by_number_and_as_they_are() {
        let corpus = corpus(
            "own",
            &[("X", 1, "", "prune \"a\n\u{1b}\""), ("X", 1, "", "")],
        );
        let questions = questions(&corpus);
        let lines: Vec<Value> = questions
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(
            lines,
            [
                json!({"id": 0, "command": "prune \"a\n\u{1b}\""}),
                json!({"id": 1, "command": ""})
            ]
        );
    }

    #[test]
    fn an_answer_that_is_cut_off_or_unknown_is_none() {
        let output = concat!(
            "{\"id\":2,\"verdict\":\"block\",\"via\":null,\"us\":7}\n",
            "{\"id\":0,\"verdict\":\"allow\",\"effects\":[],\"us\":3}\n",
            "{\"id\":3,\"verdict\":\"perhaps\",\"us\":3}\n",
            "{\"id\":1,\"verd",
        );
        let verdict = |decided, microseconds| {
            Some(Verdict {
                decided,
                microseconds,
            })
        };
        assert_eq!(
            answers(output, 4),
            [
                verdict(Decided::Allow, 3),
                None,
                verdict(Decided::Block, 7),
                None
            ]
        );
    }

    #[test]
    fn the_program_is_where_cargo_says() {
        let messages = concat!(
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"other\"},\"executable\":\"/x\"}\n",
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"countersign\"},\"executable\":null}\n",
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"countersign\"},\"executable\":\"/t/countersign\"}\n",
            "{\"reason\":\"build-finished\",\"success\":true}\n",
        );
        assert_eq!(executable(messages), Some(PathBuf::from("/t/countersign")));
        assert_eq!(executable(""), None);
    }
}
