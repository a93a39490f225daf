//! Shell commands of Codex that are patches: it looks for `apply_patch` behind
//! a here-document, does not run a shell at all then, and reports no result.
//! Its shell also has an `apply_patch` on the PATH.

use countersign_core::call::{Access, Subject};
use countersign_core::tool::Tool;

use crate::error::DecodeError;
use crate::fields::Fields;
use crate::patch;
use crate::tools::path_use;

/// The names under which Codex applies patches.
const NAMES: [&str; 2] = ["apply_patch", "applypatch"];

/// What separates words.
const BLANK: [char; 2] = [' ', '\t'];

/// Most files that are looked for in a command that is more than a patch.
const MAX_FILES: usize = 1_000;

/// The files that a command would patch, beside what it does as a command.
///
/// A command that Codex takes for a patch is read as one. In any other that
/// mentions `apply_patch` and a patch, every path of a patch header counts,
/// relative to the call's cwd: that can only make the decision stricter.
pub(crate) fn patched_files(
    input: Fields<'_>,
    command: &str,
) -> Result<Vec<(Tool, Subject)>, DecodeError> {
    if !NAMES.iter().any(|name| command.contains(name)) {
        return Ok(Vec::new());
    }
    match patch_command(command) {
        Some(found) => patch::operations(input, "command", found.patch, found.folder),
        None if command.contains(patch::BEGIN) => mentioned(input, command),
        None => Ok(Vec::new()),
    }
}

/// A command that is nothing but a patch.
#[derive(Debug, PartialEq, Eq)]
struct PatchCommand<'a> {
    folder: Option<&'a str>,
    patch: &'a str,
}

/// `apply_patch <<'TAG'` … `TAG`, perhaps behind `cd FOLDER &&`.
fn patch_command(command: &str) -> Option<PatchCommand<'_>> {
    let command = command.trim();
    let (folder, rest) = match command.strip_prefix("cd") {
        Some(rest) => {
            let argument = rest.trim_start_matches(BLANK);
            if argument.len() == rest.len() {
                return None;
            }
            let (folder, rest) = word(argument)?;
            let rest = rest.trim_start_matches(BLANK).strip_prefix("&&")?;
            (Some(folder), rest.trim_start())
        }
        None => (None, command),
    };
    let rest = NAMES.iter().find_map(|name| rest.strip_prefix(name))?;
    let rest = rest.trim_start_matches(BLANK).strip_prefix("<<")?;
    let (first, body) = rest.split_once('\n')?;
    let (first, tabs) = match first.strip_prefix('-') {
        Some(first) => (first, true),
        None => (first, false),
    };
    let tag = unquoted(first.trim())?;
    let mut end = 0;
    for line in body.split_inclusive('\n') {
        let text = line.trim_end_matches('\n');
        let text = if tabs {
            text.trim_start_matches('\t')
        } else {
            text
        };
        if text == tag {
            let behind = body.get(end + line.len()..)?;
            let patch = body.get(..end)?;
            return behind
                .trim()
                .is_empty()
                .then_some(PatchCommand { folder, patch });
        }
        end += line.len();
    }
    None
}

/// A folder behind `cd`, and what follows. Codex takes it literally.
fn word(text: &str) -> Option<(&str, &str)> {
    for quote in ['\'', '"'] {
        if let Some(rest) = text.strip_prefix(quote) {
            return rest.split_once(quote);
        }
    }
    let end = text.find([' ', '\t', '&'])?;
    Some((text.get(..end)?, text.get(end..)?))
}

/// The end tag of a here-document.
fn unquoted(tag: &str) -> Option<&str> {
    let inner = ['\'', '"']
        .iter()
        .find_map(|quote| tag.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(tag);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!inner.is_empty() && inner.chars().all(plain)).then_some(inner)
}

/// Every path that a patch header names anywhere in the command.
fn mentioned(input: Fields<'_>, command: &str) -> Result<Vec<(Tool, Subject)>, DecodeError> {
    let headers = [
        (patch::ADD, Tool::WriteFile, Access::Write),
        (patch::UPDATE, Tool::Edit, Access::Write),
        (patch::MOVE, Tool::WriteFile, Access::Write),
        (patch::DELETE, Tool::DeleteFile, Access::Delete),
    ];
    let mut found = Vec::new();
    for (header, tool, access) in headers {
        for (position, _) in command.match_indices(header) {
            let rest = command.get(position + header.len()..).unwrap_or_default();
            // A line may end in the text `\n`, for printf and `$'…'`.
            let line = rest.lines().next().unwrap_or_default();
            let line = line.split("\\n").next().unwrap_or_default();
            let path = line.trim_matches(|c: char| c.is_whitespace() || "'\"\\".contains(c));
            if path.is_empty() {
                continue;
            }
            if found.len() == MAX_FILES {
                return Err(
                    input.invalid("command", format!("patches more than {MAX_FILES} files"))
                );
            }
            let subject = Subject::Paths(vec![path_use(path, access, None)]);
            found.push((tool.clone(), subject));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "*** Begin Patch\n*** Delete File: a\n*** End Patch\n";

    #[test]
    fn a_patch_in_a_here_document_is_found() {
        for (command, folder) in [
            (format!("apply_patch <<'EOF'\n{PATCH}EOF"), None),
            (format!("applypatch << \"END_1\"\n{PATCH}END_1\n"), None),
            (format!("apply_patch <<-EOF\n{PATCH}\tEOF"), None),
            (
                format!("cd sub/dir && apply_patch <<EOF\n{PATCH}EOF\n"),
                Some("sub/dir"),
            ),
            (
                format!("cd 'my dir' && apply_patch <<EOF\n{PATCH}EOF\n"),
                Some("my dir"),
            ),
            (
                format!("cd \"$X\"&&apply_patch <<EOF\n{PATCH}EOF\n"),
                Some("$X"),
            ),
        ] {
            assert_eq!(
                patch_command(&command),
                Some(PatchCommand {
                    folder,
                    patch: PATCH
                }),
                "{command}"
            );
        }
    }

    #[test]
    fn anything_more_is_a_command() {
        for command in [
            format!("apply_patch <<'EOF'\n{PATCH}EOF\necho done"),
            format!("true; apply_patch <<'EOF'\n{PATCH}EOF"),
            format!("cd a b && apply_patch <<'EOF'\n{PATCH}EOF"),
            format!("apply_patch -x <<'EOF'\n{PATCH}EOF"),
            format!("apply_patch <<'EOF' | cat\n{PATCH}EOF"),
            format!("apply_patch <<'EOF'\n{PATCH}"),
            format!("apply_patch '{PATCH}'"),
        ] {
            assert_eq!(patch_command(&command), None, "{command}");
        }
    }

    #[test]
    fn paths_of_other_patches_are_found() {
        let object = serde_json::Map::new();
        let input = Fields::tool_input(&object);
        for command in [
            "true; apply_patch <<E\n*** Begin Patch\n*** Update File: .git/config\n+x\n*** End Patch\nE",
            "apply_patch '*** Begin Patch\n*** Update File: .git/config'",
            "printf '*** Begin Patch\\n*** Update File: .git/config\\n+x' | apply_patch",
            "applypatch \"$(echo '*** Begin Patch'; echo '*** Update File: .git/config')\"",
        ] {
            let found = patched_files(input, command).unwrap();
            let Some((Tool::Edit, Subject::Paths(paths))) = found.first() else {
                panic!("{command}: {found:?}");
            };
            assert!(
                paths.first().unwrap().path.starts_with(".git/config"),
                "{command}"
            );
        }
        assert_eq!(patched_files(input, "rg apply_patch src").unwrap(), []);
    }
}
