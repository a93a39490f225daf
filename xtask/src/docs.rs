//! The part `docs`: what the documents point at and quote must exist. That
//! generated documents are fresh is tested beside what they are made from.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::Result;

use crate::command_line;
use crate::finding::{Finding, line_with, report};
use crate::repository::{TrackedFile, output, root, tracked_files};
use crate::test::Step;

mod markdown;

use markdown::Document;

pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "links",
        run: || {
            let documents = documents()?;
            Ok(report("link", &broken_links(&documents)))
        },
    },
    Step {
        name: "decision records",
        run: || {
            let documents = documents()?;
            Ok(report("record", &unlisted_records(&documents)))
        },
    },
    Step {
        name: "quoted commands",
        run: || {
            let help = output(
                "cargo",
                &[
                    "run",
                    "--quiet",
                    "--locked",
                    "--package",
                    "countersign",
                    "--",
                    "--help",
                ],
            )?;
            let documents = documents()?;
            Ok(report(
                "command",
                &unknown_commands(&documents, &subcommands(&help)),
            ))
        },
    },
];

/// The commands that a newcomer is told; the README must quote them.
const FIRST_COMMANDS: &[&str] = &["cargo run --release -- demo", "cargo xtask test"];

/// Where the decision records are listed.
const RECORDS: &str = "docs/adr/README.md";

fn documents() -> Result<Vec<Document>> {
    let mut documents = Vec::new();
    for file in tracked_files()? {
        if file.path.ends_with(".md")
            && let Some(text) = file.text()?
        {
            documents.push(Document::parse(&file.path, &text));
        }
    }
    Ok(documents)
}

fn broken_links(documents: &[Document]) -> Vec<Finding> {
    let exists = |path: &Path| root().join(path).exists();
    documents
        .iter()
        .flat_map(|document| {
            document.links.iter().filter_map(|link| {
                let problem = broken(document, &link.target, documents, &exists)?;
                Some(Finding {
                    file: document.path.clone(),
                    line: link.line,
                    problem,
                    remedy: "correct the link".to_owned(),
                })
            })
        })
        .collect()
}

/// What is wrong with a link; links to elsewhere are not followed.
fn broken(
    document: &Document,
    target: &str,
    documents: &[Document],
    exists: &dyn Fn(&Path) -> bool,
) -> Option<String> {
    let (place, heading) = match target.split_once('#') {
        Some((place, heading)) => (place, Some(heading)),
        None => (target, None),
    };
    if place.contains(':') {
        return None;
    }
    let path = if place.is_empty() {
        PathBuf::from(&document.path)
    } else {
        let folder = Path::new(&document.path).parent().unwrap_or(Path::new(""));
        let Some(path) = resolved(&folder.join(place)) else {
            return Some(format!("{target} leads out of the repository"));
        };
        if !exists(&path) {
            return Some(format!("{target} does not exist"));
        }
        path
    };
    let heading = heading?;
    let other = documents
        .iter()
        .find(|other| Path::new(&other.path) == path)?;
    (!other.headings.contains(heading)).then(|| format!("{target} names no heading there"))
}

/// The path without `.` and `..`; none if it leaves the repository.
fn resolved(path: &Path) -> Option<PathBuf> {
    let mut parts = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !parts.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts)
}

fn unlisted_records(documents: &[Document]) -> Vec<Finding> {
    let folder = RECORDS.trim_end_matches("README.md");
    let listed: BTreeSet<&str> = documents
        .iter()
        .filter(|document| document.path == RECORDS)
        .flat_map(|document| document.links.iter().map(|link| link.target.as_str()))
        .collect();
    let finding = |file: &str, problem: &str| Finding {
        file: file.to_owned(),
        line: 1,
        problem: problem.to_owned(),
        remedy: format!("list it in {RECORDS}"),
    };
    if !documents.iter().any(|document| document.path == RECORDS) {
        return vec![finding(RECORDS, "the list of decision records is missing")];
    }
    documents
        .iter()
        .filter_map(|document| {
            let name = document.path.strip_prefix(folder)?;
            let known = name == "README.md" || name.contains('/') || listed.contains(name);
            (!known).then(|| finding(&document.path, "a decision record that is not listed"))
        })
        .collect()
}

fn unknown_commands(documents: &[Document], subcommands: &BTreeSet<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in documents {
        for command in &document.commands {
            if let Some(problem) = unknown(&command.text, subcommands) {
                findings.push(Finding {
                    file: document.path.clone(),
                    line: command.line,
                    problem: format!("`{}`: {problem}", command.text),
                    remedy: "quote a command that exists".to_owned(),
                });
            }
        }
    }
    let readme = TrackedFile {
        path: "README.md".to_owned(),
    };
    let text = readme.text().ok().flatten().unwrap_or_default();
    for command in FIRST_COMMANDS {
        if !text.contains(command) {
            findings.push(Finding {
                file: readme.path.clone(),
                line: line_with(&text, "\n## "),
                problem: format!("does not say `{command}`"),
                remedy: "tell newcomers how to start".to_owned(),
            });
        }
    }
    findings
}

/// What is wrong with a quoted command, if it is one of ours.
fn unknown(command: &str, subcommands: &BTreeSet<String>) -> Option<String> {
    let words: Vec<&str> = command
        .split_whitespace()
        .take_while(|word| !word.starts_with(['#', '[', '<', '|', '&', ';', '>', '…']))
        .collect();
    let subcommand = match words.as_slice() {
        ["cargo", "xtask", rest @ ..] => {
            return command_line::parse(rest)
                .err()
                .filter(|_| !rest.is_empty())
                .map(|_| "xtask does not know it".to_owned());
        }
        ["cargo", "run", "--", first, ..]
        | ["cargo", "run", "--release", "--", first, ..]
        | ["countersign", first, ..] => *first,
        _ => return None,
    };
    let known = subcommand.starts_with('-') || subcommands.contains(subcommand);
    (!known).then(|| format!("countersign has no command {subcommand}"))
}

/// The subcommands in what `countersign --help` prints.
fn subcommands(help: &str) -> BTreeSet<String> {
    help.lines()
        .skip_while(|line| line.trim() != "Commands:")
        .skip(1)
        .take_while(|line| !line.trim().is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_inside_the_repository() {
        let one = Document::parse("docs/one.md", "# A heading: `x` & y\n");
        let documents = [one, Document::parse("README.md", "# Top\n")];
        let [one, readme] = &documents;
        let exists = |path: &Path| {
            ["docs/one.md", "README.md"]
                .iter()
                .any(|p| Path::new(p) == path)
        };
        for (document, target, is_broken) in [
            (readme, "docs/one.md", false),
            (readme, "docs/one.md#a-heading-x--y", false),
            (readme, "docs/one.md#other", true),
            (readme, "docs/two.md", true),
            (readme, "#top", false),
            (readme, "#bottom", true),
            (one, "../README.md#top", false),
            (one, "../../elsewhere.md", true),
            (one, "/README.md", true),
            (one, "https://example.com/#x", false),
        ] {
            let found = broken(document, target, &documents, &exists);
            assert_eq!(found.is_some(), is_broken, "{target}: {found:?}");
        }
    }

    #[test]
    fn a_record_must_be_listed() {
        let list = Document::parse(RECORDS, "[one](0001-one.md)\n");
        let one = Document::parse("docs/adr/0001-one.md", "");
        let two = Document::parse("docs/adr/0002-two.md", "");
        let found = unlisted_records(&[list, one, two]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].file, "docs/adr/0002-two.md");
        assert_eq!(unlisted_records(&[]).len(), 1);
    }

    #[test]
    fn quoted_commands_must_exist() {
        let help = "Usage: countersign <COMMAND>\n\nCommands:\n  check  Decides\n         more text\n  demo   Shows\n\nOptions:\n  -h\n";
        let known = subcommands(help);
        assert_eq!(known.iter().collect::<Vec<_>>(), ["check", "demo"]);
        for (command, exists) in [
            ("cargo run --release -- demo", true),
            ("cargo run -- nonsense", false),
            ("countersign check --json -- ls", true),
            ("countersign --version", true),
            ("countersign nonsense", false),
            ("cargo xtask test", true),
            ("cargo xtask test [rust|docs]", true),
            ("cargo xtask test rust   # only that", true),
            ("cargo xtask nonsense", false),
            ("git status", true),
        ] {
            assert_eq!(unknown(command, &known).is_none(), exists, "{command}");
        }
    }
}
