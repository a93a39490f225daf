//! Whether a repository is of a kind that we read: `core` and `extensions` of
//! its configuration.

use camino::{Utf8Path, Utf8PathBuf};

use crate::config::{self, Setting};
use crate::error::{RepositoryError, Result};
use crate::files::RegularFile;

/// The largest configuration that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// What the configuration says about the repository itself.
#[derive(Debug, Default)]
pub(crate) struct Format {
    pub(crate) work_tree: Option<String>,
    pub(crate) is_bare: bool,
}

/// The files that git reads for a repository alone, in its order.
pub(crate) fn files(git_dir: &Utf8Path, common_dir: &Utf8Path) -> [Utf8PathBuf; 2] {
    [common_dir.join("config"), git_dir.join("config.worktree")]
}

/// All settings of the repository's own files, without included ones.
pub(crate) fn settings(git_dir: &Utf8Path, common_dir: &Utf8Path) -> Result<Vec<Setting>> {
    let [common, worktree] = files(git_dir, common_dir);
    let mut settings = read(&common)?;
    let has_second = settings
        .iter()
        .rfind(|setting| setting.is("extensions", "worktreeconfig"))
        .is_some_and(|setting| setting.as_bool() != Some(false));
    if has_second {
        settings.extend(read(&worktree)?);
    }
    Ok(settings)
}

fn read(path: &Utf8Path) -> Result<Vec<Setting>> {
    match RegularFile::open(path)? {
        Some(file) => config::parse(&file.text(LARGEST)?),
        None => Ok(Vec::new()),
    }
}

/// Refuses what is not known. git honours some extensions only in version 1;
/// for us the word is enough.
pub(crate) fn check(settings: &[Setting]) -> Result<Format> {
    let mut format = Format::default();
    for setting in settings {
        if setting.subsection.is_some() {
            continue;
        }
        let value = setting.value.as_deref().unwrap_or_default();
        match (setting.section.as_str(), setting.key.as_str()) {
            ("core", "repositoryformatversion") if !matches!(value, "0" | "1") => {
                return Err(RepositoryError::unsupported(format!(
                    "the repository has format version {value:?}"
                )));
            }
            ("core", "worktree") => format.work_tree = setting.value.clone(),
            ("core", "bare") => format.is_bare = setting.as_bool() != Some(false),
            ("extensions", key) => extension(key, value)?,
            _ => {}
        }
    }
    Ok(format)
}

fn extension(key: &str, value: &str) -> Result<()> {
    let is_known = match key {
        "objectformat" => value.eq_ignore_ascii_case("sha1"),
        "refstorage" => value.eq_ignore_ascii_case("files"),
        // Objects that are missing are missing, whatever the reason.
        "noop" | "noop-v1" | "partialclone" | "preciousobjects" | "relativeworktrees"
        | "worktreeconfig" => true,
        _ => false,
    };
    if is_known {
        return Ok(());
    }
    Err(RepositoryError::unsupported(format!(
        "the repository has the extension {key} = {value:?}"
    )))
}
