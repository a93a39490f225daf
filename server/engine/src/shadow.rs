//! Programs of a workspace that stand where a PATH may lead, under the names of
//! others: what such a name means, its words do not say.
//!
//! The PATH of the agent's shell is not known here. A folder that tools, or a
//! user's shell set-up, put on it is one of a few by convention.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::command::CommandView;
use countersign_core::effect::Unproven;
use countersign_shell::Changed;

/// Folders of a workspace that may be on a PATH.
const FOLDERS: &[&str] = &[
    "",
    ".bin",
    ".devenv/profile/bin",
    ".direnv/bin",
    ".local/bin",
    ".venv/bin",
    "bin",
    "env/bin",
    "exe",
    "node_modules/.bin",
    "sbin",
    "script",
    "scripts",
    "tools",
    "vendor/bin",
    "venv/bin",
];

/// Why a command may not be what its name says, if a workspace has a program of
/// that name, or the commands themselves make a file of it.
pub(crate) fn shadowed(
    view: &CommandView,
    changed: &[Changed],
    roots: &[&Utf8Path],
) -> Option<Unproven> {
    let folders: Vec<Utf8PathBuf> = roots
        .iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .flat_map(|root| FOLDERS.iter().map(|folder| root.join(folder)))
        .filter(|folder| folder.is_dir())
        .collect();
    let mut known = BTreeSet::new();
    view.commands.iter().find_map(|command| {
        let name = command.name().filter(|name| !name.contains('/'))?;
        if !known.insert(name) {
            return None;
        }
        let made = changed
            .iter()
            .map(|changed| &changed.path)
            .find(|path| path.file_name() == Some(name))
            .cloned();
        let own = made.or_else(|| {
            let mut programs = folders.iter().map(|folder| folder.join(name));
            programs.find(|path| is_program(path))
        })?;
        Some(Unproven {
            reason: format!("`{name}` may be the workspace's own {own}"),
            span: command.span.clone(),
        })
    })
}

/// Whether something can be run there; what cannot be looked at may be.
fn is_program(path: &Utf8Path) -> bool {
    match fs::metadata(path) {
        Ok(about) => about.is_file() && about.permissions().mode() & 0o111 != 0,
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}
