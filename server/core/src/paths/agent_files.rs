//! The files below an agent's own folder that the agent is meant to write, and
//! that steer nothing: worktrees, plans and summaries.

use std::ops::Range;

use camino::Utf8Path;

use super::builtin::NAMES;
use super::lexical::is_plain;
use super::pattern::folded;
use super::protected::ProtectedKind;
use super::{FileKind, PathFact};
use crate::agent::Agent;
use crate::call::Access;

/// A place for an agent's own notes: folder names from an agent's folder on,
/// `*` for any one name, then a file.
struct Notes {
    folders: &'static [&'static str],
    file: NotesFile,
    /// The agent whose plan files these are; only they may be written while
    /// it plans.
    plans_of: Option<Agent>,
    /// Whether the place exists only below the home folder.
    only_at_home: bool,
}

enum NotesFile {
    /// Any Markdown file directly in the folder.
    Markdown,
    /// The file of this name, folded.
    Named(&'static str),
}

const NOTES: &[Notes] = &[
    // Claude Code's plan mode writes the plan here; nothing loads it again
    // unless the person approves the plan.
    Notes {
        folders: &[".claude", "plans"],
        file: NotesFile::Markdown,
        plans_of: Some(Agent::ClaudeCode),
        only_at_home: true,
    },
    // Qwen Code's plan per session: the same.
    Notes {
        folders: &[".qwen", "plans"],
        file: NotesFile::Markdown,
        plans_of: Some(Agent::Qwen),
        only_at_home: true,
    },
    // Qwen Code's `/summary`: shown to the person, who chooses whether to go
    // on from it. Not a plan.
    Notes {
        folders: &[".qwen"],
        file: NotesFile::Named("project_summary.md"),
        plans_of: None,
        only_at_home: false,
    },
    // Gemini CLI's plans, per project or per session of a project. Not the
    // rest of its `tmp`: checkpoints there are replayed as tool calls.
    Notes {
        folders: &[".gemini", "tmp", "*", "plans"],
        file: NotesFile::Markdown,
        plans_of: Some(Agent::Gemini),
        only_at_home: true,
    },
    Notes {
        folders: &[".gemini", "tmp", "*", "*", "plans"],
        file: NotesFile::Markdown,
        plans_of: Some(Agent::Gemini),
        only_at_home: true,
    },
    // opencode's plan agent may write only these, in the project or, without
    // version control, below its data folder.
    Notes {
        folders: &[".opencode", "plans"],
        file: NotesFile::Markdown,
        plans_of: Some(Agent::Opencode),
        only_at_home: false,
    },
    Notes {
        folders: &[".local", "share", "opencode", "plans"],
        file: NotesFile::Markdown,
        plans_of: Some(Agent::Opencode),
        only_at_home: true,
    },
    // Cursor saves plans to the home folder, or to the project on request.
    Notes {
        folders: &[".cursor", "plans"],
        file: NotesFile::Markdown,
        plans_of: Some(Agent::Cursor),
        only_at_home: false,
    },
];

impl Notes {
    /// Where in `path` the agent's folder begins, if the path is such a file.
    fn begins(&self, path: &[String]) -> Option<usize> {
        let (file, above) = path.split_last()?;
        let fits = match &self.file {
            NotesFile::Markdown => file
                .strip_suffix(".md")
                .is_some_and(|stem| !stem.is_empty()),
            NotesFile::Named(name) => file == name,
        };
        let begin = above.len().checked_sub(self.folders.len())?;
        let folders = above.get(begin..)?;
        let named = folders
            .iter()
            .zip(self.folders)
            .all(|(name, wanted)| *wanted == "*" || name == wanted);
        (fits && named).then_some(begin)
    }
}

/// The parts of a folded path in which built-in names count.
///
/// Left out are `.claude/worktrees` and `.qwen/worktrees` before the name of a
/// worktree: the worktree is judged again from its own name on; and the
/// folders of an agent's own notes, where the file's name still counts
/// (`CLAUDE.md` is loaded wherever it lies).
pub(super) fn judged(path: &[String], may_be_notes: bool) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    for at in 0..path.len() {
        let worktrees = matches!(path.get(at).map(String::as_str), Some(".claude" | ".qwen"))
            && path.get(at + 1).is_some_and(|name| name == "worktrees")
            // A file in the worktree's own place is no worktree.
            && path.len() > at + 3;
        if worktrees && at >= start {
            runs.push(start..at);
            start = at + 2;
        }
    }
    let notes = NOTES
        .iter()
        .filter_map(|notes| notes.begins(path))
        .find(|begin| may_be_notes && *begin >= start);
    match notes {
        Some(begin) => runs.extend([start..begin, path.len() - 1..path.len()]),
        None => runs.push(start..path.len()),
    }
    runs
}

/// Whether an operation on the path could be an agent writing its notes: one
/// ordinary file under one name, plainly written.
pub(super) fn may_be_notes(path: &PathFact) -> bool {
    path.access == Access::Write
        && matches!(path.kind, FileKind::Missing | FileKind::File)
        && path.links <= 1
        && is_plain(path.absolute.as_str())
        && is_plain(path.canonical.as_str())
}

/// Whether the path is a plan file of the agent, which it may write while it
/// plans.
#[must_use]
pub fn is_plan_file(agent: Agent, path: &PathFact, home: &Utf8Path) -> bool {
    if !may_be_notes(path) {
        return false;
    }
    let home = folded(home.as_str());
    let written = folded(path.absolute.as_str());
    let canonical = folded(path.canonical.as_str());
    NOTES
        .iter()
        .filter(|notes| notes.plans_of == Some(agent))
        .any(|notes| {
            let at_its_place = |path: &[String]| {
                notes.begins(path).is_some_and(|begin| {
                    let above = 0..begin;
                    let name = path.len() - 1..path.len();
                    [above, name]
                        .into_iter()
                        .flat_map(|part| NAMES.find(path, part))
                        .all(|found| !found.whole || found.value.kind == ProtectedKind::Generated)
                })
            };
            at_its_place(&written)
                && at_its_place(&canonical)
                // The canonical form may differ where the home folder is a link.
                && (!notes.only_at_home
                    || notes.begins(&written).is_some_and(|begin| written.get(..begin) == Some(&home)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::testing::{fact, write, write_through};

    const HOME: &str = "/home/u";

    fn plan(agent: Agent, path: &PathFact) -> bool {
        is_plan_file(agent, path, Utf8Path::new(HOME))
    }

    #[test]
    fn each_agent_has_its_own_plan_files() {
        for (agent, path) in [
            (Agent::ClaudeCode, "/home/u/.claude/plans/blue-fox.md"),
            (Agent::Qwen, "/home/u/.qwen/plans/0af3.md"),
            (Agent::Gemini, "/home/u/.gemini/tmp/abc/plans/x.md"),
            (Agent::Gemini, "/home/u/.gemini/tmp/abc/session/plans/x.md"),
            (Agent::Opencode, "/work/app/.opencode/plans/1-x.md"),
            (
                Agent::Opencode,
                "/home/u/.local/share/opencode/plans/1-x.md",
            ),
            (Agent::Cursor, "/work/app/.cursor/plans/x.plan.md"),
        ] {
            for other in Agent::ALL {
                assert_eq!(plan(other, &write(path)), other == agent, "{other} {path}");
            }
        }
    }

    #[test]
    fn nothing_else_is_a_plan_file() {
        for path in [
            "/home/u/.claude/plans",
            "/home/u/.claude/plans/.md",
            "/home/u/.claude/plans/x.sh",
            "/home/u/.claude/plans/sub/x.md",
            "/home/u/.claude/plans/CLAUDE.md",
            "/home/u/.claude/plans/x.md/../../settings.json",
            "/home/u/.claude/settings.json",
            "/home/u/.claude/commands/plans/x.md",
            "/home/u/.git/.claude/plans/x.md",
            "/work/app/.claude/plans/x.md",
            "/home/v/.claude/plans/x.md",
            r"/home/u/.claude\plans\x.md",
            "/home/u/.claude/plans/x.md:y.md",
            "/work/app/docs/plan.md",
            "/home/u/.qwen/PROJECT_SUMMARY.md",
        ] {
            assert!(!plan(Agent::ClaudeCode, &write(path)), "{path}");
            assert!(!plan(Agent::Qwen, &write(path)), "{path}");
        }
    }

    #[test]
    fn a_plan_file_is_one_plain_file_that_is_written() {
        let path = "/home/u/.claude/plans/x.md";
        assert!(plan(
            Agent::ClaudeCode,
            &fact(path, Access::Write, FileKind::Missing)
        ));
        assert!(!plan(
            Agent::ClaudeCode,
            &fact(path, Access::Delete, FileKind::File)
        ));
        assert!(!plan(
            Agent::ClaudeCode,
            &PathFact {
                links: 2,
                ..write(path)
            }
        ));
        assert!(!plan(
            Agent::ClaudeCode,
            &write_through(path, "/work/app/CLAUDE.md")
        ));
        assert!(!plan(Agent::ClaudeCode, &write_through("/work/x.md", path)));
        assert!(
            plan(
                Agent::ClaudeCode,
                &write_through(path, "/data/u/.claude/plans/x.md")
            ),
            "the home folder may be a link"
        );
        for kind in [
            FileKind::Directory,
            FileKind::Special,
            FileKind::Remote,
            FileKind::Unresolvable,
        ] {
            assert!(!plan(Agent::ClaudeCode, &fact(path, Access::Write, kind)));
        }
    }
}
