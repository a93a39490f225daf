//! git's options before the sub-command.

use countersign_core::command::Word;

use super::super::super::options::NotRead;

/// Options that only change how git prints, or make it stricter.
const PLAIN: &[&str] = &[
    "--glob-pathspecs",
    "--icase-pathspecs",
    "--literal-pathspecs",
    "--no-advice",
    "--no-lazy-fetch",
    "--no-optional-locks",
    "--no-pager",
    "--no-replace-objects",
    "--noglob-pathspecs",
    "-P",
];

/// Options that make git say something of itself, if nothing follows.
const SAYS: &[&str] = &[
    "--exec-path",
    "--help",
    "--html-path",
    "--info-path",
    "--man-path",
    "--version",
    "-h",
    "-v",
];

/// Settings that are data whatever their value; those that end with a dot are
/// whole sections. Lower case.
const DATA: &[&str] = &[
    "advice.",
    "author.email",
    "author.name",
    "branch.sort",
    "color.",
    "column.ui",
    "committer.email",
    "committer.name",
    "core.abbrev",
    "core.autocrlf",
    "core.quotepath",
    "diff.algorithm",
    "diff.colormoved",
    "diff.context",
    "diff.mnemonicprefix",
    "diff.noprefix",
    "diff.renamelimit",
    "diff.renames",
    "grep.linenumber",
    "i18n.commitencoding",
    "i18n.logoutputencoding",
    "init.defaultbranch",
    "log.abbrevcommit",
    "log.date",
    "log.decorate",
    "merge.conflictstyle",
    "status.relativepaths",
    "status.short",
    "status.showuntrackedfiles",
    "tag.sort",
    "user.email",
    "user.name",
];

/// What stands before the sub-command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Before<'a> {
    /// The folders that `-C` enters, one after the other.
    pub(super) folders: Vec<&'a str>,
    /// Which word is the sub-command; none if git only prints something.
    pub(super) sub_command: Option<usize>,
}

/// Reads it; an error names what is not known to be harmless.
pub(super) fn read(words: &[Word]) -> Result<Before<'_>, NotRead> {
    let mut before = Before {
        folders: Vec::new(),
        sub_command: None,
    };
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let no = |reason: String| NotRead {
            reason,
            span: word.span.clone(),
        };
        let dynamic = || no("an option or command is known only when the command runs".to_owned());
        let text = word.literal().ok_or_else(dynamic)?;
        at += 1;
        match text {
            "-C" | "-c" => {
                let value = words.get(at).and_then(Word::literal).ok_or_else(dynamic)?;
                at += 1;
                if text == "-C" {
                    // An empty one is ignored.
                    before.folders.extend((!value.is_empty()).then_some(value));
                } else if !is_harmless(value) {
                    return Err(no(format!(
                        "the setting `{value}` is not known to be harmless"
                    )));
                }
            }
            _ if PLAIN.contains(&text) => {}
            _ if SAYS.contains(&text) && words.len() == at => return Ok(before),
            _ if text.starts_with('-') => {
                return Err(no(format!(
                    "the option `{text}` is not known to be harmless"
                )));
            }
            _ => {
                before.sub_command = Some(at - 1);
                return Ok(before);
            }
        }
    }
    Ok(before)
}

/// Whether a setting on the command line runs nothing.
fn is_harmless(setting: &str) -> bool {
    let (name, value) = setting.split_once('=').unwrap_or((setting, "true"));
    let name = name.to_ascii_lowercase();
    if DATA
        .iter()
        .any(|known| name == *known || (known.ends_with('.') && name.starts_with(known)))
    {
        return true;
    }
    match name.as_str() {
        "core.pager" => matches!(value, "" | "cat"),
        "core.fsmonitor" => value == "false",
        _ => name.starts_with("pager.") && matches!(value, "" | "cat" | "false"),
    }
}
