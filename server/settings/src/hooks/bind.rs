//! What a hook's command names in a workspace. An agent may write there, and
//! what a hook runs is not guarded: hooks of the user must name no such file,
//! and those of a workspace are accepted with the content of theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::Digest;

use crate::extract::{Item, Stated};
use crate::hooks::{Definition, HookAction, HookEvent};
use crate::problem::Problems;

/// The variable that leads hooks to the workspace of the session.
pub const WORKSPACE_VARIABLE: &str = "COUNTERSIGN_WORKSPACE";

/// The largest file that a consent covers, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;

/// How deep commands in words of commands are looked at.
const MOST_NESTED: usize = 4;

/// Most files that one command may name.
const MOST_FILES: usize = 16;

/// Where the words of a command lead.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The folder that hooks run in.
    pub home: &'a Utf8Path,
    /// What [`WORKSPACE_VARIABLE`] says.
    pub workspace: Option<&'a Utf8Path>,
    /// The guard's own folder: what is in it no guarded call may write.
    pub config_dir: &'a Utf8Path,
}

/// The things that are there, inside one of these canonical folders, and that
/// a word of the command may mean. Rather too many than too few.
#[must_use]
pub fn paths_inside(
    command: &str,
    folders: &[Utf8PathBuf],
    surroundings: Surroundings<'_>,
) -> BTreeSet<Utf8PathBuf> {
    let config_dir = canonical(surroundings.config_dir);
    let is_inside = |path: &Utf8Path| folders.iter().any(|folder| path.starts_with(folder));
    words(command, surroundings)
        .into_iter()
        .map(|word| surroundings.home.join(word))
        .filter(|path| {
            let Ok(canonical) = path.canonicalize_utf8() else {
                return false;
            };
            // A link inside that leads out can be made to lead elsewhere.
            let is_own = canonical.starts_with(&config_dir);
            !is_own && (is_inside(&canonical) || is_inside(path))
        })
        .collect()
}

/// The content of every file in the workspace that the command names.
///
/// # Errors
/// What cannot be bound.
pub fn bound_files(
    command: &str,
    workspace: &Utf8Path,
    surroundings: Surroundings<'_>,
) -> Result<BTreeMap<Utf8PathBuf, Digest>, String> {
    let named = paths_inside(command, &[workspace.to_owned()], surroundings);
    if named.len() > MOST_FILES {
        return Err(format!("its command names more than {MOST_FILES} files"));
    }
    named
        .into_iter()
        .map(|path| {
            let digest = digest(&path)?;
            Ok((path, digest))
        })
        .collect()
}

fn digest(path: &Utf8Path) -> Result<Digest, String> {
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
    if !is_file {
        return Err(format!(
            "its command names {path}, which is no file, so its content cannot be accepted"
        ));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("{path} cannot be read: {}", error.kind()))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("{path} is larger than 1 MiB"));
    }
    Ok(Digest::of_parts([bytes.as_slice()]))
}

fn canonical(path: &Utf8Path) -> Utf8PathBuf {
    path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned())
}

/// Everything in a command that may be a path: its words, and the words in
/// them where a shell or an option would take them apart once more.
fn words(command: &str, surroundings: Surroundings<'_>) -> BTreeSet<String> {
    let home = surroundings.home.as_str();
    let mut text = command.replace("${HOME}", home).replace("$HOME", home);
    if let Some(workspace) = surroundings.workspace {
        for spelled in [
            format!("${{{WORKSPACE_VARIABLE}}}"),
            format!("${WORKSPACE_VARIABLE}"),
        ] {
            text = text.replace(&spelled, workspace.as_str());
        }
    }
    let mut words = BTreeSet::new();
    let mut layer = vec![text];
    for _ in 0..MOST_NESTED {
        layer = layer.iter().flat_map(|text| split(text)).collect();
        words.extend(layer.iter().cloned());
        layer.retain(|word| word.contains(|c| is_separator(c) || is_quote(c)));
    }
    let inner: Vec<String> = words
        .iter()
        .flat_map(|word| word.split(is_inner).map(str::to_owned))
        .collect();
    words
        .into_iter()
        .chain(inner)
        .filter(|word| !word.is_empty() && !word.contains('\0'))
        .map(|word| match word.strip_prefix("~/") {
            Some(below) => format!("{home}/{below}"),
            None => word,
        })
        .collect()
}

/// The words of a shell's command line, without their quotes.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None | Some('"'), '\\') => word.extend(characters.next()),
            (None, _) if is_separator(character) => words.push(std::mem::take(&mut word)),
            _ => word.push(character),
        }
    }
    words.push(word);
    words
}

const fn is_separator(character: char) -> bool {
    matches!(
        character,
        ' ' | '\t' | '\n' | '\r' | ';' | '|' | '&' | '<' | '>' | '(' | ')' | '`'
    )
}

const fn is_inner(character: char) -> bool {
    matches!(character, '=' | ':' | ',' | '{' | '}' | '@')
}

const fn is_quote(character: char) -> bool {
    matches!(character, '"' | '\'' | '\\')
}

/// Adds to the hooks of a workspace's layer the content of the files that they
/// name; one for which that cannot be done is left out. The files, to watch.
pub(crate) fn bind(
    settings: &mut BTreeMap<&'static str, Stated>,
    workspace: &Utf8Path,
    surroundings: Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Vec<Utf8PathBuf> {
    let mut watched = Vec::new();
    for event in HookEvent::ALL {
        let Some(Stated::List(items)) = settings.get_mut(event.key()) else {
            continue;
        };
        items.retain_mut(|item| match bound(item, workspace, surroundings) {
            Ok(files) => {
                watched.extend(files);
                true
            }
            Err(problem) => {
                problems.error(
                    item.position,
                    format!("{}: {problem}; the hook is left out", event.key()),
                );
                false
            }
        });
    }
    watched
}

fn bound(
    item: &mut Item,
    workspace: &Utf8Path,
    surroundings: Surroundings<'_>,
) -> Result<Vec<Utf8PathBuf>, String> {
    let Some(mut definition) = Definition::of(&item.text) else {
        return Err("it cannot be read".to_owned());
    };
    match &definition.action {
        HookAction::Command { command } => {
            definition.files = bound_files(command, workspace, surroundings)?;
        }
        HookAction::Http {
            allowed_env_vars, ..
        } if !allowed_env_vars.is_empty() => {
            return Err("a workspace's hook gets no environment variables".to_owned());
        }
        HookAction::Http { .. } => {}
    }
    item.text = definition.text();
    Ok(definition.files.into_keys().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_whatever_quotes_variables_and_options() {
        let surroundings = Surroundings {
            home: Utf8Path::new("/home/me"),
            workspace: Some(Utf8Path::new("/work/app")),
            config_dir: Utf8Path::new("/home/me/.config/countersign"),
        };
        for command in [
            "/work/app/x y",
            "sh /work/app/x y",
            "'/work/app/x'",
            "\"$COUNTERSIGN_WORKSPACE\"/x",
            "\"${COUNTERSIGN_WORKSPACE}/x\" --flag",
            "run --script=/work/app/x",
            "a;/work/app/x",
            "cat </work/app/x",
            "$(/work/app/x)",
            "A=/work/app/x sh -c '. $A'",
            "/work/'app'/x",
        ] {
            let words = words(command, surroundings);
            assert!(words.contains("/work/app/x"), "{command}: {words:?}");
        }
        let alone = words("\"$COUNTERSIGN_WORKSPACE\"/x", surroundings);
        assert!(!alone.contains("/work/app"), "{alone:?}");
        assert!(words("sh -c \"sh -c '/work/app/x a'\"", surroundings).contains("/work/app/x"));
        assert!(words("'/work/app/x y'", surroundings).contains("/work/app/x y"));
        for command in ["~/x", "$HOME/x", "\"${HOME}/x\""] {
            assert!(words(command, surroundings).contains("/home/me/x"));
        }
    }
}
