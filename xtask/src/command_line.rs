//! The command line of xtask, apart from running it: the documents' part
//! checks every command they quote against it.

use std::fmt;

use crate::corpora::Options;
use crate::dist::Build;
use crate::test::{PARTS, Part};

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Task {
    /// Test these parts, in this order.
    Test(Vec<&'static Part>),
    /// Measure.
    Bench {
        /// Whole processes only, not what goes on within one.
        only_processes: bool,
    },
    /// Tell how the rows of corpora are decided.
    Corpora(Options),
    /// Package the extension of VS Code.
    Dist(Build),
    /// Take the screenshots of the extension's README.
    Images,
}

/// What was wrong, and what can be said instead.
#[derive(Debug)]
pub(crate) struct Usage(String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}\n", self.0)?;
        writeln!(
            f,
            "cargo xtask test [part…]   tests everything, or these parts:"
        )?;
        for part in PARTS {
            writeln!(f, "    {:<8}{}", part.name, part.about)?;
        }
        writeln!(
            f,
            "cargo xtask bench [processes]   measures everything, or whole processes and a server\n    \
             only; quiet machine, release build"
        )?;
        write!(
            f,
            "cargo xtask corpora --dir FOLDER [--workspace FOLDER] [--dev] [--json]   tells how\n    \
             the rows of FOLDER/*.jsonl are decided without a model; runs none of them"
        )?;
        writeln!(
            f,
            "\ncargo xtask dist vscode [--dev]   packages the extension with the server for this\n    \
             platform into target/dist; --dev with the development build"
        )?;
        write!(
            f,
            "cargo xtask images   tests the extension and takes the screenshots of its README"
        )
    }
}

pub(crate) fn parse(words: &[&str]) -> Result<Task, Usage> {
    match words {
        ["test"] => Ok(Task::Test(
            PARTS.iter().filter(|part| part.by_default).collect(),
        )),
        ["test", names @ ..] => names
            .iter()
            .map(|name| {
                PARTS
                    .iter()
                    .find(|part| part.name == *name)
                    .ok_or_else(|| Usage(format!("there is no part `{name}` to test")))
            })
            .collect::<Result<_, _>>()
            .map(Task::Test),
        ["bench"] => Ok(Task::Bench {
            only_processes: false,
        }),
        ["bench", "processes"] => Ok(Task::Bench {
            only_processes: true,
        }),
        ["dist", "vscode"] => Ok(Task::Dist(Build::Release)),
        ["dist", "vscode", "--dev"] => Ok(Task::Dist(Build::Dev)),
        ["images"] => Ok(Task::Images),
        ["corpora", options @ ..] => Options::parse(options).map(Task::Corpora).map_err(Usage),
        [] => Err(Usage("say what to do".to_owned())),
        [other, ..] => Err(Usage(format!("unknown command line from `{other}` on"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str]) -> Vec<&'static str> {
        match parse(words) {
            Ok(Task::Test(parts)) => parts.iter().map(|part| part.name).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_a_part_everything_is_tested_once() {
        assert_eq!(
            names(&["test"]),
            ["rust", "docs", "neovim", "editors", "vscode", "agents"]
        );
        assert_eq!(names(&["test", "lints"]), ["lints"]);
    }

    #[test]
    fn corpora_need_their_folder() {
        assert!(matches!(
            parse(&["corpora", "--dir", "rows"]),
            Ok(Task::Corpora(_))
        ));
        let error = parse(&["corpora"]).unwrap_err().to_string();
        assert!(error.contains("--dir"), "{error}");
    }

    #[test]
    fn an_unknown_part_is_a_usage_error_that_lists_the_parts() {
        let error = parse(&["test", "nonsense"]).unwrap_err().to_string();
        assert!(error.contains("`nonsense`"), "{error}");
        for part in PARTS {
            assert!(error.contains(part.name), "{error}");
        }
    }
}
