//! What a call may write, from its facts. Whatever is not known is anything.

use countersign_core::call::{Access, Call, Operation, PathUse, Subject};
use countersign_core::effect::{Doing, EffectKind, Effects, Touch};
use countersign_core::facts::{Analysis, Facts, OperationFacts};
use countersign_core::ledger::{Footprint, PlannedWrite, Written, content_digest};
use countersign_core::paths::{FileKind, PathFact};
use countersign_core::tool::{Tool, ToolFamily};
use countersign_shell::{Changed, Containment};

/// Everything that a call may write, bounded.
///
/// Of a command it is what static analysis says; without that it writes nothing
/// only if analysis proves that it only reads.
#[must_use]
pub fn footprint(call: &Call, facts: &Facts) -> Footprint {
    let mut all = Footprint::default();
    if call.operations.len() != facts.operations.len() {
        return Footprint::anything("what it writes was not looked at").bounded();
    }
    for (operation, facts) in call.operations.iter().zip(&facts.operations) {
        all.absorb(of_operation(operation, facts));
    }
    drop_disputed_contents(&mut all);
    all.bounded()
}

fn of_operation(operation: &Operation, facts: &OperationFacts) -> Footprint {
    match operation.tool.family() {
        ToolFamily::Shell => match (&facts.writes, &facts.analysis) {
            (Some(writes), _) => writes.clone(),
            (None, Analysis::Contained { read_only: true }) => Footprint::default(),
            (None, _) => Footprint::anything("what its commands write is not known"),
        },
        ToolFamily::Edit => of_edit(operation, facts),
        ToolFamily::Read | ToolFamily::Web | ToolFamily::Bookkeeping | ToolFamily::Interaction => {
            Footprint::default()
        }
        ToolFamily::Delegate | ToolFamily::Outward => Footprint {
            delegates: true,
            ..Footprint::default()
        },
        ToolFamily::Mcp | ToolFamily::Other => {
            Footprint::anything(format!("{} may write anything", operation.tool))
        }
    }
}

/// What analysis says that a command may write. Of one that is not contained
/// that is anything.
#[must_use]
pub(crate) fn of_command(effects: &Effects, containment: &Containment) -> Footprint {
    let mut all = if containment.because.is_empty() {
        Footprint::default()
    } else {
        Footprint::anything("what its commands write is not known")
    };
    let mut moves = false;
    for effect in &effects.effects {
        match &effect.kind {
            EffectKind::Path { touch, .. } => moves |= *touch == Touch::MoveFrom,
            EffectKind::Doing(Doing::LocalHistory | Doing::History, _) => all.moves_head = true,
            // Of one that is contained only what nobody guarded wrote runs.
            EffectKind::Doing(..)
            | EffectKind::Task(_)
            | EffectKind::Script(_)
            | EffectKind::Repository { .. } => {}
        }
    }
    for changed in &containment.changed {
        // One that is there stays as it is.
        if (changed.touch, changed.kind) == (Touch::MakeFolder, FileKind::Directory) {
            continue;
        }
        all.writes.push(PlannedWrite {
            path: changed.path.clone(),
            what: written(changed, moves),
            content: None,
        });
    }
    drop_disputed_creations(&mut all);
    all.bounded()
}

/// `moves`: what is new may be what was elsewhere before.
fn written(changed: &Changed, moves: bool) -> Written {
    match (changed.touch, changed.kind) {
        (_, FileKind::Special | FileKind::Remote | FileKind::Unresolvable)
        | (
            Touch::Write | Touch::Edit | Touch::Delete | Touch::DeleteTree | Touch::MoveFrom,
            FileKind::Directory,
        ) => Written::Unbounded,
        (Touch::MakeFolder, _) => Written::MadeFolder,
        (Touch::Delete | Touch::DeleteFolder | Touch::DeleteTree, _) => Written::Deleted,
        (Touch::MoveFrom, _) => Written::Moved,
        (Touch::Write | Touch::Edit, FileKind::Missing) if moves => Written::Moved,
        (Touch::Write | Touch::Edit, FileKind::Missing) => Written::Created,
        (
            Touch::Write
            | Touch::Edit
            | Touch::Mode
            | Touch::List
            | Touch::ListTree
            | Touch::Read
            | Touch::ReadTree
            | Touch::Execute
            | Touch::Load,
            _,
        ) => Written::Changed,
    }
}

/// A path that a command writes in several ways is a creation only if it is
/// nothing else, and what may come of it is never less than the worst.
fn drop_disputed_creations(all: &mut Footprint) {
    let others: std::collections::HashSet<_> = all
        .writes
        .iter()
        .filter(|write| write.what != Written::Created)
        .map(|write| write.path.clone())
        .collect();
    all.writes
        .retain(|write| write.what != Written::Created || !others.contains(&write.path));
}

fn of_edit(operation: &Operation, facts: &OperationFacts) -> Footprint {
    let Subject::Paths(uses) = &operation.subject else {
        return Footprint::anything("which files it writes is not known");
    };
    if uses.is_empty() || uses.len() != facts.paths.len() {
        return Footprint::anything("which files it writes is not known");
    }
    let moves = operation.tool == Tool::MoveFile;
    let moves_folder = moves
        && facts
            .paths
            .iter()
            .any(|path| path.kind == FileKind::Directory);
    let mut all = Footprint::default();
    for (path_use, path) in uses.iter().zip(&facts.paths) {
        if !path.access.writes() {
            continue;
        }
        match path.kind {
            FileKind::Special | FileKind::Remote | FileKind::Unresolvable => {
                all.absorb(Footprint::anything(format!(
                    "where {} leads is not known",
                    path.given
                )));
                continue;
            }
            FileKind::Missing | FileKind::File | FileKind::Directory => {}
        }
        if path.links > 1 && path.kind == FileKind::File {
            let why = format!("{} has other names", path.given);
            all.absorb(Footprint::anything(why));
        }
        let what = if moves_folder || path.kind == FileKind::Directory {
            Written::Unbounded
        } else if moves {
            Written::Moved
        } else {
            match (path.access, path.kind) {
                (Access::Delete, _) => Written::Deleted,
                (_, FileKind::Missing) => Written::Created,
                _ => Written::Changed,
            }
        };
        all.writes.push(PlannedWrite {
            path: path.canonical.clone(),
            what,
            content: whole_content(operation, path_use, path),
        });
        // A link goes away under its own name.
        if path.access == Access::Delete && path.absolute != path.canonical {
            all.writes.push(PlannedWrite {
                path: path.absolute.clone(),
                what: Written::Deleted,
                content: None,
            });
        }
    }
    all
}

/// The content of the file as it will be, where the call says all of it.
fn whole_content(
    operation: &Operation,
    path_use: &PathUse,
    path: &PathFact,
) -> Option<countersign_core::call::Digest> {
    let change = path_use.change.as_ref()?;
    let is_whole = change.old.is_empty()
        && path.access == Access::Write
        && (operation.tool == Tool::WriteFile || path.kind == FileKind::Missing);
    is_whole.then(|| content_digest(change.new.as_bytes()))
}

/// Of a path that a call writes more than once nobody knows the end.
fn drop_disputed_contents(all: &mut Footprint) {
    let paths: Vec<_> = all.writes.iter().map(|write| write.path.clone()).collect();
    let mut counts = std::collections::HashMap::<_, usize>::new();
    for path in &paths {
        *counts.entry(path).or_default() += 1;
    }
    for write in &mut all.writes {
        if counts.get(&write.path).is_some_and(|count| *count > 1) {
            write.content = None;
        }
    }
}
