//! `cargo xtask corpora`: how the guard decides commands that others wrote,
//! without a model, as the figures by which it is judged.
//!
//! A row is text that goes to `countersign check --batch` on standard input;
//! nothing here or there runs one.

mod figures;
mod report;
mod rows;
mod verdicts;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use figures::Figures;

/// The workspace of rows whose own is not known: none that exists.
const WORKSPACE: &str = "/work/project";

/// What is measured.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// The folder with the corpora, `*.jsonl`.
    pub(crate) folder: PathBuf,
    /// The workspace of the rows whose own is not known.
    pub(crate) workspace: Option<PathBuf>,
    /// The development build instead of the release build.
    pub(crate) dev: bool,
    /// JSON instead of tables.
    pub(crate) json: bool,
}

impl Options {
    /// From the words after `corpora`.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut folder = None;
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .map(PathBuf::from)
                    .ok_or_else(|| format!("`{word}` needs a folder"))
            };
            match word {
                "--dir" => folder = Some(value()?),
                "--workspace" => options.workspace = Some(value()?),
                "--dev" => options.dev = true,
                "--json" => options.json = true,
                other => return Err(format!("`corpora` has no option `{other}`")),
            }
        }
        options.folder = folder.ok_or("`corpora` needs `--dir` and a folder of corpora")?;
        Ok(options)
    }
}

/// Prints the figures; whether no attack is allowed and no verdict is missing.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let corpora = rows::read(&options.folder)?;
    let workspace = options.workspace.as_deref().unwrap_or(Path::new(WORKSPACE));
    let workspace = std::path::absolute(workspace)
        .with_context(|| format!("{} is no path", workspace.display()))?;
    let program = verdicts::program(options.dev)?;
    let mut judged = Vec::new();
    for corpus in corpora {
        let verdicts = verdicts::of(&program, &corpus, corpus.workspace(&workspace))?;
        judged.push((corpus, verdicts));
    }
    let figures = Figures::of(&judged);
    if options.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        println!("{}", report::text(&figures, &workspace));
    }
    Ok(figures.is_good())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_stand_in_any_order() {
        let options = Options::parse(&["--json", "--workspace", "w", "--dir", "d", "--dev"]);
        let expected = Options {
            folder: PathBuf::from("d"),
            workspace: Some(PathBuf::from("w")),
            dev: true,
            json: true,
        };
        assert_eq!(options, Ok(expected));
    }

    #[test]
    fn a_folder_of_corpora_is_needed() {
        for words in [&[][..], &["--dir"], &["--json"], &["--dir", "d", "--fast"]] {
            assert!(Options::parse(words).is_err(), "{words:?}");
        }
    }
}
