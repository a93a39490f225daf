//! The folders of a PATH. What an agent's environment says can be anything, so
//! it is bounded, and nothing is ever allowed because of it.

use camino::{Utf8Path, Utf8PathBuf};

/// Most bytes of a PATH that are looked at; what is behind them is left out. As
/// JSON, with every byte escaped, so many fit into the header of a request.
pub const MOST_BYTES: usize = 8 * 1024;

/// Most folders.
const MOST_FOLDERS: usize = 256;

/// The folders of a PATH, first to last. An empty entry is the folder of the
/// call, and a relative one begins there, as for a shell.
#[must_use]
pub fn folders(path: &str, cwd: &Utf8Path) -> Vec<Utf8PathBuf> {
    bounded(path)
        .split(':')
        .take(MOST_FOLDERS)
        .map(|entry| cwd.join(entry))
        .collect()
}

/// So much of a PATH as is looked at.
#[must_use]
pub fn bounded(path: &str) -> &str {
    path.get(..path.floor_char_boundary(MOST_BYTES))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_without_a_slash_begin_where_the_call_runs() {
        assert_eq!(
            folders("/usr/bin::tools:/bin:", Utf8Path::new("/w/app")),
            ["/usr/bin", "/w/app/", "/w/app/tools", "/bin", "/w/app/"]
        );
    }

    #[test]
    fn a_path_without_end_is_cut() {
        let path = "ä:".repeat(1_000_000);
        assert_eq!(folders(&path, Utf8Path::new("/w")).len(), MOST_FOLDERS);
        assert!(bounded(&"ä".repeat(MOST_BYTES)).len() <= MOST_BYTES);
    }
}
