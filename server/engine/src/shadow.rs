//! Programs of a workspace that stand where a PATH may lead, under the names of
//! others: what such a name means, its words do not say.
//!
//! What the agent's environment says of its PATH counts, and besides the folders
//! that tools, or a user's shell set-up, put on it by convention: the shell may
//! have another one.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::Call;
use countersign_core::command::CommandView;
use countersign_core::effect::Unproven;
use countersign_core::search_path::is_unknown;
use countersign_shell::Changed;

use crate::world::TEMP;

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

/// Why a command may not be what its name says, if a workspace, or a folder for
/// temporary files on the PATH, has a program of that name, or the commands
/// themselves make a file of it, or the PATH leads to a folder nobody knows.
pub(crate) fn shadowed(
    view: &CommandView,
    changed: &[Changed],
    workspaces: &[Utf8PathBuf],
    call: &Call,
) -> Option<Unproven> {
    let by_convention = workspaces
        .iter()
        .chain([&call.cwd])
        .flat_map(|root| FOLDERS.iter().map(|folder| root.join(folder)));
    let folders: BTreeSet<Utf8PathBuf> = call
        .search_path
        .iter()
        .filter_map(|folder| agents_own(folder, workspaces))
        .chain(by_convention)
        .filter(|folder| folder.is_dir())
        .collect();
    let has_unknown = call.search_path.iter().any(|folder| is_unknown(folder));
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
        });
        let reason = match own {
            Some(own) => format!("`{name}` may be {own}, where an agent can write"),
            None if has_unknown => format!(
                "`{name}` may be any program: the PATH is too long, or has a name that is not UTF-8"
            ),
            None => return None,
        };
        Some(Unproven {
            reason,
            span: command.span.clone(),
        })
    })
}

/// The folder of a PATH, if an agent can write there without being asked.
/// Links count by where they lead; a folder that cannot be looked at is taken
/// as it is written.
fn agents_own(folder: &Utf8Path, workspaces: &[Utf8PathBuf]) -> Option<Utf8PathBuf> {
    let canonical = folder
        .canonicalize_utf8()
        .unwrap_or_else(|_| folder.to_owned());
    let temporary = TEMP.iter().map(Utf8Path::new);
    let mut places = workspaces.iter().map(AsRef::as_ref).chain(temporary);
    places
        .any(|place| canonical.starts_with(place) || folder.starts_with(place))
        .then_some(canonical)
}

/// Whether something can be run there; what cannot be looked at may be.
fn is_program(path: &Utf8Path) -> bool {
    match fs::metadata(path) {
        Ok(about) => about.is_file() && about.permissions().mode() & 0o111 != 0,
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}
