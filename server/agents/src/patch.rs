//! Codex's patch format: which files a patch adds, changes, deletes and moves.
//!
//! The format has several parsers that differ in what they forgive. Read here
//! is what all of them read alike; the rest is an error, which blocks the
//! call, and Codex would refuse most of it too.

use countersign_core::call::{Access, Change, Subject};
use countersign_core::tool::Tool;

use crate::error::DecodeError;
use crate::fields::Fields;
use crate::tools::path_use;

pub(crate) const BEGIN: &str = "*** Begin Patch";
const END: &str = "*** End Patch";
pub(crate) const ADD: &str = "*** Add File: ";
pub(crate) const DELETE: &str = "*** Delete File: ";
pub(crate) const UPDATE: &str = "*** Update File: ";
pub(crate) const MOVE: &str = "*** Move to: ";
const END_OF_FILE: &str = "*** End of File";
const ENVIRONMENT: &str = "*** Environment ID:";

/// Most files of one patch; each is looked up in the file system.
const MAX_FILES: usize = 1_000;

/// One file of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FilePatch {
    Add {
        path: String,
        content: String,
    },
    Delete {
        path: String,
    },
    Update {
        path: String,
        moved_to: Option<String>,
        change: Change,
        /// Whether any line of change was given.
        changed: bool,
    },
}

/// What is wrong with a patch, and at which of its lines (from 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BrokenPatch {
    line: usize,
    reason: String,
}

/// The operations of a patch that stands in `field`.
pub(crate) fn files(
    input: Fields<'_>,
    field: &str,
    text: &str,
) -> Result<Vec<(Tool, Subject)>, DecodeError> {
    operations(input, field, text, None)
}

/// As [`files`], for a patch that is applied in `folder`.
pub(crate) fn operations(
    input: Fields<'_>,
    field: &str,
    text: &str,
    folder: Option<&str>,
) -> Result<Vec<(Tool, Subject)>, DecodeError> {
    let files = parse(text).map_err(|broken| DecodeError::Patch {
        field: input.name(field),
        line: broken.line,
        reason: broken.reason,
    })?;
    Ok(files
        .into_iter()
        .map(|file| operation(file, folder))
        .collect())
}

fn operation(file: FilePatch, folder: Option<&str>) -> (Tool, Subject) {
    let located = |path: String| match folder {
        Some(folder) if !path.starts_with('/') => format!("{folder}/{path}"),
        Some(_) | None => path,
    };
    let (tool, uses) = match file {
        FilePatch::Add { path, content } => {
            let change = Change {
                old: String::new(),
                new: content,
            };
            let write = path_use(located(path), Access::Write, Some(change));
            (Tool::WriteFile, vec![write])
        }
        FilePatch::Delete { path } => (
            Tool::DeleteFile,
            vec![path_use(located(path), Access::Delete, None)],
        ),
        FilePatch::Update {
            path,
            moved_to: None,
            change,
            ..
        } => (
            Tool::Edit,
            vec![path_use(located(path), Access::Write, Some(change))],
        ),
        FilePatch::Update {
            path,
            moved_to: Some(target),
            change,
            ..
        } => (
            Tool::MoveFile,
            vec![
                path_use(located(path), Access::Delete, None),
                path_use(located(target), Access::Write, Some(change)),
            ],
        ),
    };
    (tool, Subject::Paths(uses))
}

/// The files of a patch.
pub(crate) fn parse(text: &str) -> Result<Vec<FilePatch>, BrokenPatch> {
    let mut parser = Parser::default();
    let mut lines = unwrapped(text)
        .split('\n')
        .map(|line| line.trim_end_matches('\r'));
    if lines.next().map(str::trim) != Some(BEGIN) {
        return Err(BrokenPatch {
            line: 1,
            reason: format!("it does not begin with `{BEGIN}`"),
        });
    }
    for (line, number) in lines.zip(2..) {
        parser.line(line).map_err(|reason| BrokenPatch {
            line: number,
            reason,
        })?;
    }
    parser.finish()
}

/// The patch without the here-document that some models put around it.
fn unwrapped(text: &str) -> &str {
    let text = text.trim();
    let inner = ["<<EOF\n", "<<'EOF'\n", "<<\"EOF\"\n"]
        .iter()
        .find_map(|start| text.strip_prefix(start));
    inner
        .and_then(|inner| inner.strip_suffix("EOF"))
        .map_or(text, str::trim)
}

#[derive(Default)]
struct Parser {
    files: Vec<FilePatch>,
    ended: bool,
}

impl Parser {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if self.ended {
            return Err(format!("there is text after `{END}`"));
        }
        if self.header(line.trim())? {
            return Ok(());
        }
        match self.files.last_mut() {
            None | Some(FilePatch::Delete { .. }) => Err("a file header is expected".to_owned()),
            Some(FilePatch::Add { content, .. }) => {
                let added = line
                    .strip_prefix('+')
                    .ok_or("every line of an added file begins with `+`")?;
                content.push_str(added);
                content.push('\n');
                Ok(())
            }
            Some(FilePatch::Update {
                moved_to,
                change,
                changed,
                ..
            }) => {
                if let Some(target) = line.strip_prefix(MOVE) {
                    if *changed || moved_to.is_some() {
                        return Err("the move does not stand right behind its file".to_owned());
                    }
                    *moved_to = Some(file_name(target)?);
                    return Ok(());
                }
                *changed = true;
                change_line(line, change)
            }
        }
    }

    /// Whether the line is a header of a file or the end of the patch.
    fn header(&mut self, line: &str) -> Result<bool, String> {
        let file = if line == END {
            self.complete()?;
            self.ended = true;
            return Ok(true);
        } else if let Some(path) = line.strip_prefix(ADD) {
            FilePatch::Add {
                path: file_name(path)?,
                content: String::new(),
            }
        } else if let Some(path) = line.strip_prefix(DELETE) {
            FilePatch::Delete {
                path: file_name(path)?,
            }
        } else if let Some(path) = line.strip_prefix(UPDATE) {
            FilePatch::Update {
                path: file_name(path)?,
                moved_to: None,
                change: Change::default(),
                changed: false,
            }
        } else if line.starts_with(ENVIRONMENT) {
            // Its paths are another machine's; nothing here says what they are.
            return Err("patches for another environment are not supported".to_owned());
        } else {
            return Ok(false);
        };
        self.complete()?;
        if self.files.len() == MAX_FILES {
            return Err(format!("it touches more than {MAX_FILES} files"));
        }
        self.files.push(file);
        Ok(true)
    }

    /// Checks the file before the line at hand.
    fn complete(&self) -> Result<(), String> {
        match self.files.last() {
            Some(FilePatch::Update {
                moved_to: None,
                changed: false,
                path,
                ..
            }) => Err(format!("the update of `{path}` is empty")),
            Some(_) | None => Ok(()),
        }
    }

    fn finish(self) -> Result<Vec<FilePatch>, BrokenPatch> {
        let broken = |reason: String| BrokenPatch { line: 1, reason };
        if !self.ended {
            return Err(broken(format!("it does not end with `{END}`")));
        }
        if self.files.is_empty() {
            return Err(broken("it touches no file".to_owned()));
        }
        Ok(self.files)
    }
}

/// A path in a header. Parsers differ in whether they cut spaces around it.
fn file_name(path: &str) -> Result<String, String> {
    if path.trim().is_empty() {
        return Err("the path is empty".to_owned());
    }
    if path != path.trim() {
        return Err("there are spaces around the path".to_owned());
    }
    Ok(path.to_owned())
}

/// A line of a change.
fn change_line(line: &str, change: &mut Change) -> Result<(), String> {
    let mut keep = |text: &str, old: bool, new: bool| {
        for (wanted, side) in [(old, &mut change.old), (new, &mut change.new)] {
            if wanted {
                side.push_str(text);
                side.push('\n');
            }
        }
    };
    if line.starts_with("@@") || line.trim() == END_OF_FILE {
        return Ok(());
    }
    match (line.chars().next(), line.get(1..)) {
        (None, _) => keep("", true, true),
        (Some(' '), Some(text)) => keep(text, true, true),
        (Some('+'), Some(text)) => keep(text, false, true),
        (Some('-'), Some(text)) => keep(text, true, false),
        _ => return Err("a line of a change begins with a space, `+` or `-`".to_owned()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrap(body: &str) -> String {
        format!("*** Begin Patch\n{body}\n*** End Patch")
    }

    #[test]
    fn every_kind_of_file_is_read() {
        let patch = wrap(
            "*** Add File: new.txt\n+one\n+\n*** Update File: src/lib.rs\n@@ fn main\n old\n-gone\n+come\n\
             *** End of File\n*** Update File: a.txt\n*** Move to: b/a.txt\n@@\n-x\n+y\n*** Delete File: old.txt",
        );
        assert_eq!(
            parse(&patch).unwrap(),
            [
                FilePatch::Add {
                    path: "new.txt".into(),
                    content: "one\n\n".into(),
                },
                FilePatch::Update {
                    path: "src/lib.rs".into(),
                    moved_to: None,
                    change: Change {
                        old: "old\ngone\n".into(),
                        new: "old\ncome\n".into(),
                    },
                    changed: true,
                },
                FilePatch::Update {
                    path: "a.txt".into(),
                    moved_to: Some("b/a.txt".into()),
                    change: Change {
                        old: "x\n".into(),
                        new: "y\n".into(),
                    },
                    changed: true,
                },
                FilePatch::Delete {
                    path: "old.txt".into(),
                },
            ]
        );
    }

    #[test]
    fn what_all_parsers_forgive_is_forgiven() {
        for patch in [
            "\n  *** Begin Patch  \r\n *** Delete File: a \r\n*** End Patch\n\n".to_owned(),
            format!("<<'EOF'\n{}\nEOF", wrap("*** Delete File: a")),
            format!("<<EOF\n{}\nEOF\n", wrap("*** Delete File: a")),
        ] {
            assert_eq!(
                parse(&patch).unwrap(),
                [FilePatch::Delete { path: "a".into() }],
                "{patch}"
            );
        }
    }

    #[test]
    fn an_added_line_is_never_a_header() {
        let files = parse(&wrap(
            "*** Add File: doc.md\n+*** Delete File: x\n+*** End Patch",
        ))
        .unwrap();
        assert_eq!(files.len(), 1);
    }

    #[test]
    fn an_indented_header_in_a_change_is_a_header() {
        let files = parse(&wrap("*** Update File: a\n+x\n *** Delete File: ../b")).unwrap();
        assert_eq!(
            files.last(),
            Some(&FilePatch::Delete {
                path: "../b".into()
            })
        );
    }

    #[test]
    fn what_parsers_read_differently_is_refused() {
        for body in [
            "",
            "*** Update File: a",
            "*** Rename File: a",
            "*** Add File: ",
            "*** Add File:  a",
            "*** Add File: a\nx",
            "*** Add File: a\n+x\n\n*** Delete File: b",
            "*** Delete File: a\nx",
            "*** Update File: a\n@@\n-x\n*** Move to: b",
            "*** Update File: a\n*** Move to: b\n*** Move to: c\n+x",
            "*** Update File: a\n  *** Move to: b\nx",
            "*** Update File: a\n*** Move to: b \n+x",
            "*** Update File: a\nbare",
            "*** Environment ID: remote\n*** Delete File: a",
            "*** Delete File: a\n*** End Patch\n*** Begin Patch\n*** Delete File: b",
        ] {
            assert!(parse(&wrap(body)).is_err(), "{body}");
        }
        for patch in [
            "",
            "*** Begin Patch",
            "*** End Patch",
            "*** Begin Patch\n*** Delete File: a",
            "x\n*** Begin Patch\n*** Delete File: a\n*** End Patch",
            "*** begin patch\n*** Delete File: a\n*** End Patch",
        ] {
            assert!(parse(patch).is_err(), "{patch}");
        }
        let many = "*** Delete File: a\n".repeat(MAX_FILES + 1);
        assert!(parse(&wrap(many.trim_end())).is_err());
    }

    #[test]
    fn paths_lie_in_the_folder_of_the_patch() {
        let (_, Subject::Paths(paths)) = operation(
            FilePatch::Delete {
                path: "a".to_owned(),
            },
            Some("sub"),
        ) else {
            panic!("paths");
        };
        assert_eq!(paths.first().unwrap().path, "sub/a");
    }
}
