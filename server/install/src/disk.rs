//! Reading and replacing files of settings: whole or not at all, through a
//! link that a collection of dot files keeps, and never over somebody else's
//! change.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{Gid, Mode};

use crate::layers::{Content, Layer, Scope};
use crate::plan::Edit;
use crate::refused::Refused;

/// Largest file that is read, in bytes.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// The text of an ordinary file of at most 4 MiB; none if there is none.
///
/// # Errors
/// When it is something else, or cannot be read.
pub fn read_plain(path: &Utf8Path) -> Result<Option<String>, Refused> {
    let refuse = |reason: &dyn std::fmt::Display| Err(Refused::file("read", path, reason));
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) => {
            return if is_absent(&error) && !path.is_symlink() {
                Ok(None)
            } else {
                refuse(&error)
            };
        }
    };
    if !metadata.is_file() {
        return refuse(&"it is no ordinary file");
    }
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        return refuse(&error);
    }
    if bytes.len() as u64 > MOST_BYTES {
        return refuse(&"it is larger than 4 MiB");
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => refuse(&"it is not UTF-8; save it as UTF-8 first"),
    }
}

/// Reads every layer. One that stands for many files is replaced by those that
/// are there, by their names.
pub fn read_layers(layers: &mut Vec<Layer>) {
    *layers = std::mem::take(layers)
        .into_iter()
        .flat_map(listed)
        .collect();
    for layer in layers {
        // What could not be listed cannot be read either.
        if layer.content == Content::Missing {
            layer.content = match read_plain(&layer.path) {
                Ok(Some(text)) => Content::Text(text),
                Ok(None) => Content::Missing,
                Err(error) => Content::Unreadable(error.to_string()),
            };
        }
    }
}

/// The files that a layer stands for.
fn listed(layer: Layer) -> Vec<Layer> {
    let Some(folder) = layer.path.parent().filter(|_| layer.is_many()) else {
        return vec![layer];
    };
    let names: io::Result<Vec<String>> = folder.read_dir_utf8().and_then(|entries| {
        let names = entries.map(|entry| Ok(entry?.file_name().to_owned()));
        names.collect()
    });
    match names {
        Ok(mut names) => {
            names.retain(|name| layer.is_for(name));
            names.sort();
            let file = |name: String| Layer::unread(layer.kind, folder.join(name));
            names.into_iter().map(file).collect()
        }
        Err(error) if is_absent(&error) => Vec::new(),
        Err(error) => vec![Layer {
            content: Content::Unreadable(error.to_string()),
            ..Layer::unread(layer.kind, folder.to_owned())
        }],
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Where a file may lie.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Whose sessions it is for.
    pub scope: Scope,
    /// The folder of the project: in its scope nothing outside is written.
    pub workspace: Option<&'a Utf8Path>,
}

/// Writes a change, and says which folders were made for it, the innermost
/// first.
///
/// # Errors
/// When the file may not be written, or is not what it was when the change was
/// planned. Nothing is written then.
pub fn apply(edit: &Edit, place: Place<'_>) -> Result<Vec<Utf8PathBuf>, Refused> {
    let path = &edit.path;
    let folder = path
        .parent()
        .ok_or_else(|| Refused::file("write", path, "it has no folder"))?;
    let mut made = Vec::new();
    if edit.after.is_some() {
        may_lie_in(existing(folder), path, place)?;
        made = make_folders(folder, place.scope)?;
    }
    let written = write(edit, place);
    if written.is_err() {
        remove_folders(&made);
    }
    written.map(|()| made)
}

fn write(edit: &Edit, place: Place<'_>) -> Result<(), Refused> {
    let path = &edit.path;
    // A link stays one: what it leads to is written.
    let target = if path.is_symlink() {
        path.canonicalize_utf8().map_err(|error| {
            Refused::file(
                "write",
                path,
                format!("it is a link that leads nowhere ({error}); mend or remove it"),
            )
        })?
    } else {
        path.clone()
    };
    let folder = target
        .parent()
        .ok_or_else(|| Refused::file("write", &target, "it has no folder"))?;
    may_lie_in(folder, path, place)?;
    let metadata = target.metadata().ok();
    if let Some(metadata) = &metadata
        && metadata.uid() != rustix::process::geteuid().as_raw()
    {
        return Err(Refused::file(
            "write",
            &target,
            "it belongs to another user; run this as that user",
        ));
    }
    if read_plain(path)? != edit.before {
        return Err(Refused::Changed(path.clone()));
    }
    let Some(after) = &edit.after else {
        return match std::fs::remove_file(&target) {
            Ok(()) => Ok(()),
            Err(error) => Err(Refused::file("remove", &target, error)),
        };
    };
    let mode = match (&metadata, place.scope) {
        (Some(metadata), _) => metadata.permissions().mode() & 0o7777,
        (None, Scope::User) => 0o600,
        (None, Scope::Project) => 0o644,
    };
    replace(
        &target,
        after,
        mode,
        metadata.map(|metadata| metadata.gid()),
    )
}

/// The nearest folder above that is there.
fn existing(folder: &Utf8Path) -> &Utf8Path {
    let mut folder = folder;
    while !folder.exists() {
        let Some(parent) = folder.parent() else {
            return folder;
        };
        folder = parent;
    }
    folder
}

/// A file of the user's must not lie where somebody else can exchange it; one of
/// the project's not outside of it.
fn may_lie_in(folder: &Utf8Path, path: &Utf8Path, place: Place<'_>) -> Result<(), Refused> {
    let refuse = |reason: String| Err(Refused::file("write", path, reason));
    let canonical = match folder.canonicalize_utf8() {
        Ok(canonical) => canonical,
        Err(error) => return refuse(error.to_string()),
    };
    if place.scope == Scope::Project {
        let workspace = place
            .workspace
            .and_then(|workspace| workspace.canonicalize_utf8().ok());
        if !workspace.is_some_and(|workspace| canonical.starts_with(workspace)) {
            return refuse(format!("it leads out of the project, to {canonical}"));
        }
        return Ok(());
    }
    let metadata = match canonical.metadata() {
        Ok(metadata) => metadata,
        Err(error) => return refuse(error.to_string()),
    };
    let (owner, own) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != own && owner != 0 {
        return refuse(format!("its folder {canonical} belongs to another user"));
    }
    // Others may make files in a folder like /tmp, and remove only their own.
    let mode = metadata.permissions().mode();
    if mode & 0o002 != 0 && mode & 0o1000 == 0 {
        return refuse(format!(
            "anybody may write its folder {canonical}; take that right away"
        ));
    }
    Ok(())
}

fn make_folders(folder: &Utf8Path, scope: Scope) -> Result<Vec<Utf8PathBuf>, Refused> {
    let missing: Vec<&Utf8Path> = folder
        .ancestors()
        .take_while(|folder| !folder.exists())
        .collect();
    let mode = match scope {
        Scope::User => 0o700,
        Scope::Project => 0o755,
    };
    let mut made = Vec::new();
    for folder in missing.into_iter().rev() {
        let mut builder = std::fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, mode);
        if let Err(error) = builder.create(folder) {
            remove_folders(&made);
            return Err(Refused::file("make", folder, error));
        }
        made.insert(0, folder.to_owned());
    }
    Ok(made)
}

/// Removes folders that `install` made, as far as they are empty.
pub fn remove_folders(made: &[Utf8PathBuf]) {
    for folder in made {
        // One that is in use by now stays.
        if std::fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

/// Replaces a file as a whole: whoever reads it sees the old or the new one.
pub(crate) fn replace(
    path: &Utf8Path,
    text: &str,
    mode: u32,
    group: Option<u32>,
) -> Result<(), Refused> {
    let failed = |error: std::io::Error| Refused::file("write", path, error);
    let folder = path.parent().unwrap_or(Utf8Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".countersign-")
        .suffix(".tmp")
        .tempfile_in(folder)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    if let Some(group) = group {
        let now = file.as_file().metadata().map_err(failed)?.gid();
        if now != group {
            rustix::fs::fchown(file.as_file(), None, Some(Gid::from_raw(group)))
                .map_err(|error| failed(error.into()))?;
        }
    }
    rustix::fs::fchmod(file.as_file(), Mode::from_raw_mode(mode))
        .map_err(|error| failed(error.into()))?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    // So that the new name survives a crash too; where folders cannot be
    // synced there is nothing more to do.
    if let Ok(folder) = std::fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}
