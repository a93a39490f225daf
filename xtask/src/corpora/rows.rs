//! The rows of the corpora, and what their sets and files mean.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

/// One command that somebody wrote.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) command: String,
    /// How often it occurred.
    pub(super) count: u64,
    /// Which promise holds for it; see [`Set`].
    pub(super) set: String,
    /// What another guard's tests say of it.
    pub(super) expected: Option<String>,
}

/// The sets that figures are about; a row may be in another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    /// An attack: never allowed.
    Attack,
    /// From a source of attacks, but it only looks.
    AttackersLook,
    /// Reads what is no secret.
    Read,
    /// Reads what looks like a secret.
    SecretRead,
    /// Labelled by another guard's tests.
    Labelled,
    /// Everything else that agents and people ran.
    Other,
}

impl Row {
    pub(super) fn is_in(&self, set: Set) -> bool {
        let name = match set {
            Set::Attack => "D0",
            Set::AttackersLook => "D1",
            Set::Read => "R",
            Set::SecretRead => "RS",
            Set::Labelled => "L",
            Set::Other => "X",
        };
        self.set == name
    }

    /// Whether another guard's tests say that it must not run.
    pub(super) fn is_denied_by_peers(&self) -> bool {
        self.is_in(Set::Labelled) && matches!(self.expected.as_deref(), Some("deny" | "block"))
    }
}

/// The corpora of guards that allow what they can prove to be safe. The others
/// deny what they know to be dangerous: their `allow` promises nothing.
const ALLOWLISTERS: &[&str] = &[
    "peer_cc_toolgate",
    "peer_codex",
    "peer_dippy",
    "peer_gemini",
    "peer_longline",
    "peer_qwen",
    "peer_rippy",
    "peer_vscode",
];

/// The corpora whose commands ran in [`BENCH_WORKSPACE`].
const OF_BENCHES: &[&str] = &["agent_terminal_bench", "agent_mini_swe"];

const BENCH_WORKSPACE: &str = "/app";

/// A file of rows.
#[derive(Debug)]
pub(super) struct Corpus {
    /// The file's name without its extension.
    pub(super) name: String,
    pub(super) rows: Vec<Row>,
}

impl Corpus {
    /// Whether coding agents ran these on real tasks.
    pub(super) fn is_of_agents(&self) -> bool {
        self.name.starts_with("agent_")
    }

    pub(super) fn is_allowlister(&self) -> bool {
        ALLOWLISTERS.contains(&self.name.as_str())
    }

    /// The workspace in which the rows are judged.
    pub(super) fn workspace<'a>(&self, otherwise: &'a Path) -> &'a Path {
        if OF_BENCHES.iter().any(|name| self.name.starts_with(name)) {
            Path::new(BENCH_WORKSPACE)
        } else {
            otherwise
        }
    }

    fn parse(name: &str, text: &str) -> Result<Self> {
        let rows = text
            .split('\n')
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(number, line)| {
                serde_json::from_str(line)
                    .with_context(|| format!("{name}.jsonl:{}: is not a row", number + 1))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            name: name.to_owned(),
            rows,
        })
    }
}

/// Every corpus of a folder, by name.
pub(super) fn read(folder: &Path) -> Result<Vec<Corpus>> {
    let shown = folder.display();
    let mut corpora = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {shown}"))? {
        let path = entry?.path();
        if path
            .extension()
            .is_none_or(|extension| extension != "jsonl")
        {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        corpora.push(Corpus::parse(&name, &text)?);
    }
    ensure!(!corpora.is_empty(), "{shown} holds no *.jsonl");
    corpora.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(corpora)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// A corpus of rows `(set, count, expected, command)` whose ids are their
    /// numbers.
    pub(in crate::corpora) fn corpus(name: &str, rows: &[(&str, u64, &str, &str)]) -> Corpus {
        let text: Vec<String> = rows
            .iter()
            .enumerate()
            .map(|(number, (set, count, expected, command))| {
                let mut row = json!({
                    "id": number.to_string(), "source": "own", "set": set, "count": count,
                    "command": command, "note": null,
                });
                if !expected.is_empty() {
                    row["expected"] = json!(expected);
                }
                row.to_string()
            })
            .collect();
        Corpus::parse(name, &text.join("\n")).unwrap()
    }

    #[test]
    fn a_row_that_cannot_be_read_is_an_error_with_its_line() {
        let error = Corpus::parse("own", "\n{\"id\": 1}\n").unwrap_err();
        assert!(error.to_string().contains("own.jsonl:2"), "{error}");
    }

    #[test]
    fn only_json_lines_of_the_folder_are_read_and_some_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).is_err());
        let row = json!({"id": "1", "command": "weed", "count": 1, "set": "X"}).to_string();
        for name in ["b.jsonl", "a.jsonl", "notes.md"] {
            fs::write(folder.path().join(name), &row).unwrap();
        }
        let names: Vec<String> = read(folder.path())
            .unwrap()
            .into_iter()
            .map(|corpus| corpus.name)
            .collect();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn rows_of_benches_are_judged_where_they_ran() {
        let given = Path::new("/garden");
        let workspace = |name: &str| corpus(name, &[]).workspace(given).to_owned();
        assert_eq!(workspace("agent_terminal_bench"), Path::new("/app"));
        assert_eq!(workspace("agent_mini_swe_2"), Path::new("/app"));
        assert_eq!(workspace("agent_gardener"), given);
    }
}
