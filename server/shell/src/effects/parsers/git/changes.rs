//! What git's sub-commands change, where options and operands decide it.

use countersign_core::command::WordValue;
use countersign_core::effect::{Doing, EffectKind, Touch};

use super::super::super::options::{Operand, Read};
use super::{Given, has};
use crate::effects::Finder;

/// Options of `git branch` and `git tag` that make them list.
const LISTS: &[&str] = &[
    "--contains",
    "--list",
    "--merged",
    "--no-contains",
    "--no-merged",
    "--points-at",
    "--show-current",
    "-l",
    "-n",
];

/// Options of `git commit` with which no editor is opened.
const WITH_MESSAGE: &[&str] = &[
    "--dry-run",
    "--file",
    "--long",
    "--message",
    "--no-edit",
    "--porcelain",
    "--reuse-message",
    "--short",
    "-C",
    "-F",
    "-m",
];

/// Sections whose settings hold no passwords or tokens, and may be printed.
const PRINTABLE: &[&str] = &[
    "advice",
    "alias",
    "branch",
    "color",
    "column",
    "commit",
    "core",
    "diff",
    "difftool",
    "extensions",
    "feature",
    "fetch",
    "format",
    "gc",
    "gpg",
    "grep",
    "help",
    "index",
    "init",
    "lfs",
    "log",
    "merge",
    "mergetool",
    "pack",
    "pager",
    "protocol",
    "pull",
    "push",
    "rebase",
    "receive",
    "remote",
    "rerere",
    "safe",
    "stash",
    "status",
    "submodule",
    "tag",
    "transfer",
    "user",
    "worktree",
];

/// Adds what the tables cannot say.
pub(super) fn changes(finder: &mut Finder<'_>, given: &Given<'_>, read: &Read) {
    match given.entry.names.first().copied().unwrap_or_default() {
        "branch" | "tag" => names(finder, given, read),
        "checkout" => checkout(finder, given, read),
        "clean" if !has(read, &["-n", "--dry-run"]) => {
            history(finder, Doing::History, given);
        }
        "commit" if !has(read, WITH_MESSAGE) => {
            no(finder, given, "without a message opens an editor");
        }
        "config" => config(finder, given, read),
        "diff" => diff(finder, read),
        "format-patch" if !has(read, &["--stdout"]) => {
            no(finder, given, "without `--stdout` writes files");
        }
        "remote show" if !read.operands.is_empty() && !has(read, &["-n"]) => {
            history(finder, Doing::Network, given);
        }
        "restore" => restore(finder, given, read),
        "rm" => remove(finder, given, read),
        "stash push" => stash(finder, given, read),
        "switch" => {
            if has(read, &["-c", "--create"]) && starts_here(&read.operands) {
                history(finder, Doing::LocalHistory, given);
            } else {
                no(finder, given, "changes files that are not known");
            }
        }
        _ => {}
    }
}

fn no(finder: &mut Finder<'_>, given: &Given<'_>, why: &str) {
    finder.unproven(format!("`{}` {why}", given.label), given.span.clone());
}

fn history(finder: &mut Finder<'_>, doing: Doing, given: &Given<'_>) {
    finder.effect(
        EffectKind::Doing(doing, given.label.clone()),
        given.span.clone(),
    );
}

/// Whether a new branch begins at the commit that is checked out: then no file
/// changes.
fn starts_here(operands: &[Operand]) -> bool {
    match operands {
        [] => true,
        [start] => {
            !start.is_safe && matches!(&start.value, WordValue::Literal(text) if text == "HEAD")
        }
        _ => false,
    }
}

fn names(finder: &mut Finder<'_>, given: &Given<'_>, read: &Read) {
    let renames = has(
        read,
        &[
            "--copy",
            "--move",
            "--set-upstream-to",
            "--unset-upstream",
            "-c",
            "-m",
            "-u",
        ],
    );
    let lists = has(read, LISTS);
    let is_tag = given.label == "git tag";
    if is_tag
        && has(read, &["-a", "--annotate"])
        && !has(read, &["-m", "--message", "-F", "--file"])
    {
        no(finder, given, "without a message opens an editor");
    }
    if (renames && !is_tag) || (!read.operands.is_empty() && !lists) {
        history(finder, Doing::LocalHistory, given);
    }
}

fn checkout(finder: &mut Finder<'_>, given: &Given<'_>, read: &Read) {
    if has(read, &["-b"]) {
        if starts_here(&read.operands) {
            history(finder, Doing::LocalHistory, given);
        } else {
            no(finder, given, "changes files that are not known");
        }
        return;
    }
    // Before `--` at most the commit; behind it paths.
    let (commits, paths): (Vec<&Operand>, Vec<&Operand>) =
        read.operands.iter().partition(|operand| !operand.is_safe);
    if commits.len() > 1 || paths.is_empty() {
        no(finder, given, "changes files that are not known");
        return;
    }
    for path in paths {
        bring_back(finder, given, path);
    }
    history(finder, Doing::LocalHistory, given);
}

fn restore(finder: &mut Finder<'_>, given: &Given<'_>, read: &Read) {
    let staged = has(read, &["-S", "--staged"]);
    if !staged || has(read, &["-W", "--worktree"]) {
        for path in &read.operands {
            bring_back(finder, given, path);
        }
    }
    history(finder, Doing::LocalHistory, given);
}

/// A file, or what is below a folder, becomes what a commit or the index has:
/// perhaps a link.
fn bring_back(finder: &mut Finder<'_>, given: &Given<'_>, path: &Operand) {
    if is_path(finder, given, path) {
        finder.touch(Touch::DeleteTree, &path.value, path.span.clone(), false);
        finder.touch(Touch::Write, &path.value, path.span.clone(), false);
    }
}

fn remove(finder: &mut Finder<'_>, given: &Given<'_>, read: &Read) {
    if has(read, &["-n", "--dry-run"]) {
        return;
    }
    let touch = if has(read, &["-r"]) {
        Touch::DeleteTree
    } else {
        Touch::Delete
    };
    if !has(read, &["--cached"]) {
        for path in &read.operands {
            if is_path(finder, given, path) {
                finder.touch(touch, &path.value, path.span.clone(), false);
            }
        }
    }
    history(finder, Doing::LocalHistory, given);
}

/// The stash keeps what the files were.
fn stash(finder: &mut Finder<'_>, given: &Given<'_>, read: &Read) {
    if read.operands.is_empty() {
        no(finder, given, "changes files that are not known");
    }
    for path in &read.operands {
        if is_path(finder, given, path) {
            finder.touch(Touch::MoveFrom, &path.value, path.span.clone(), false);
        }
    }
    history(finder, Doing::LocalHistory, given);
}

/// Whether a word names one file or folder to git, which has patterns of its
/// own.
fn is_path(finder: &mut Finder<'_>, given: &Given<'_>, operand: &Operand) -> bool {
    let is_one = match &operand.value {
        WordValue::Literal(text) => {
            // All of `.` is more than one path; a dash means standard input to
            // other programs.
            !text.trim_start_matches(['.', '/']).is_empty()
                && text != "-"
                && !text.starts_with(':')
                && !text.contains(['*', '?', '[', '\\'])
        }
        WordValue::Glob(_) | WordValue::Dynamic { .. } => false,
    };
    if !is_one {
        finder.unproven(
            format!(
                "`{}` with a pattern changes files that are not known",
                given.label
            ),
            operand.span.clone(),
        );
    }
    is_one
}

/// Outside a repository, and for paths outside it, `git diff` compares any two
/// files.
fn diff(finder: &mut Finder<'_>, read: &Read) {
    let any_files = has(read, &["--no-index"]);
    for operand in &read.operands {
        let leads_out = match &operand.value {
            WordValue::Literal(text) | WordValue::Glob(text) => {
                text.starts_with(['/', '~'])
                    || text.split('/').any(|part| part == "..")
                    || text.contains("\\~")
            }
            WordValue::Dynamic { .. } => true,
        };
        if any_files || leads_out {
            finder.touch(
                Touch::ReadTree,
                &operand.value,
                operand.span.clone(),
                !operand.is_safe,
            );
        }
    }
}

/// Prints one setting; everything else changes settings, or prints all of
/// them, passwords too.
fn config(finder: &mut Finder<'_>, given: &Given<'_>, read: &Read) {
    let words: Vec<&str> = read
        .operands
        .iter()
        .filter_map(|operand| match &operand.value {
            WordValue::Literal(text) => Some(text.as_str()),
            WordValue::Glob(_) | WordValue::Dynamic { .. } => None,
        })
        .collect();
    let gets = has(read, &["--get", "--get-all"]);
    let name = match words.as_slice() {
        ["get", name] | [name] => Some(*name),
        [name, _] if gets => Some(*name),
        _ => None,
    }
    .filter(|_| words.len() == read.operands.len());
    match name.and_then(|name| name.split_once('.')) {
        Some((section, _)) if PRINTABLE.contains(&section.to_ascii_lowercase().as_str()) => {}
        Some(_) => no(finder, given, "may print passwords or tokens"),
        None => finder.effect(
            EffectKind::Doing(Doing::Poisoning, given.label.clone()),
            given.span.clone(),
        ),
    }
}
