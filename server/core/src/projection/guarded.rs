//! Which writes are shown with their whole change, and how much of it: those
//! of protected files and of files outside the workspace.

use std::collections::HashMap;

use camino::Utf8Path;

use crate::call::{Access, Call, Operation, PathUse, Subject};
use crate::facts::{Facts, OperationFacts};
use crate::paths::{PathFact, fast_path, inside};
use crate::policy::Policy;
use crate::tool::Tool;

/// Most that is shown of the changes of one guarded file, old and new text
/// together, in characters.
pub(super) const GUARDED_CHARS: usize = 4_000;

/// Most that is shown of the old and of the new text of any other change.
pub(super) const ORDINARY_CHARS: usize = 80;

/// Whether the call writes or deletes what is guarded, or runs a command, which
/// may.
pub(super) fn writes(call: &Call, facts: &Facts, policy: &Policy) -> bool {
    call.operations
        .iter()
        .enumerate()
        .any(|(index, operation)| {
            matches!(operation.subject, Subject::Command(_))
                || is_guarded(operation, facts.operations.get(index), policy)
        })
}

/// Whether the operation writes or deletes a path that is protected or outside
/// the workspace, or of which that is not known. One such path makes the whole
/// operation guarded: a move carries content from one to the other.
pub(super) fn is_guarded(
    operation: &Operation,
    facts: Option<&OperationFacts>,
    policy: &Policy,
) -> bool {
    let Subject::Paths(uses) = &operation.subject else {
        return false;
    };
    uses.iter().enumerate().any(|(index, used)| {
        used.access.writes()
            && fact(uses, facts, index).is_none_or(|fact| is_guarded_path(fact, policy))
    })
}

/// The fact of a path, if the facts are those of this operation.
pub(super) fn fact<'a>(
    uses: &[PathUse],
    facts: Option<&'a OperationFacts>,
    index: usize,
) -> Option<&'a PathFact> {
    facts
        .filter(|facts| facts.paths.len() == uses.len())
        .and_then(|facts| facts.paths.get(index))
}

fn is_guarded_path(path: &PathFact, policy: &Policy) -> bool {
    if path.access == Access::Write {
        // Also what may be another file than it seems: linked, special, oddly
        // named.
        let path = std::slice::from_ref(path);
        return fast_path(&Tool::Edit, path, &policy.workspaces, &policy.protected).is_err();
    }
    inside(&policy.workspaces, path).is_none() || policy.protected.check(path).is_some()
}

/// What may still be shown of the changes of each guarded file of a call.
pub(super) struct Budget<'a> {
    files: HashMap<&'a Utf8Path, File>,
}

#[derive(Default)]
struct File {
    /// All changes of the file together, in characters.
    total: usize,
    shown: usize,
}

impl<'a> Budget<'a> {
    pub(super) fn new(call: &'a Call, facts: &'a Facts) -> Self {
        let mut files: HashMap<&Utf8Path, File> = HashMap::new();
        for (index, operation) in call.operations.iter().enumerate() {
            let Subject::Paths(uses) = &operation.subject else {
                continue;
            };
            for (number, used) in uses.iter().enumerate() {
                if let Some(change) = &used.change {
                    let fact = fact(uses, facts.operations.get(index), number);
                    let length = change.old.chars().count() + change.new.chars().count();
                    files.entry(key(used, fact)).or_default().total += length;
                }
            }
        }
        Self { files }
    }

    /// How many characters of the old and of the new text of a guarded change
    /// are shown. All of them if the file's changes fit together; else more of
    /// the new text than of the old one.
    pub(super) fn take(
        &mut self,
        used: &'a PathUse,
        fact: Option<&'a PathFact>,
        old: usize,
        new: usize,
    ) -> (usize, usize) {
        let file = self.files.entry(key(used, fact)).or_default();
        if file.total <= GUARDED_CHARS {
            return (old, new);
        }
        let left = GUARDED_CHARS.saturating_sub(file.shown);
        let old = old.min(left.saturating_sub(new).max(left / 4));
        let new = new.min(left - old);
        file.shown += old + new;
        (old, new)
    }
}

/// One file, under whatever name it is written.
fn key<'a>(used: &'a PathUse, fact: Option<&'a PathFact>) -> &'a Utf8Path {
    fact.map_or_else(|| Utf8Path::new(&used.path), |fact| &fact.canonical)
}
