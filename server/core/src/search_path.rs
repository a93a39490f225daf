//! The folders of a PATH. What an agent's environment says can be anything, so
//! it is bounded, and nothing is ever allowed because of it.

use std::borrow::Cow;

use camino::{Utf8Path, Utf8PathBuf};

/// Most bytes of a PATH that are looked at. As JSON, with every byte escaped, so
/// many fit into the header of a request.
pub const MOST_BYTES: usize = 8 * 1024;

/// Most folders.
const MOST_FOLDERS: usize = 256;

/// The last entry of a PATH that goes on behind what is looked at. What is not
/// UTF-8 in the name of a folder has become the same character.
const UNKNOWN: &str = "\u{fffd}";

/// The folders of a PATH, first to last. An empty entry is the folder of the
/// call, and a relative one begins there, as for a shell.
#[must_use]
pub fn folders(path: &str, cwd: &Utf8Path) -> Vec<Utf8PathBuf> {
    let path = bounded(path);
    let mut entries = path.split(':');
    let looked_at: Vec<&str> = entries.by_ref().take(MOST_FOLDERS).collect();
    let rest = entries.next().map(|_| UNKNOWN);
    let all = looked_at.into_iter().chain(rest);
    all.map(|entry| cwd.join(entry)).collect()
}

/// Whether it is not known which folder of a PATH this is: then every program
/// may be in it.
#[must_use]
pub fn is_unknown(folder: &Utf8Path) -> bool {
    folder.as_str().contains(UNKNOWN)
}

/// So much of a PATH as is looked at, and whether there is more.
#[must_use]
pub fn bounded(path: &str) -> Cow<'_, str> {
    if path.len() <= MOST_BYTES {
        return Cow::Borrowed(path);
    }
    let most = path.floor_char_boundary(MOST_BYTES - 1 - UNKNOWN.len());
    Cow::Owned(format!(
        "{}:{UNKNOWN}",
        path.get(..most).unwrap_or_default()
    ))
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
    fn a_path_without_end_is_cut_and_says_so() {
        let cwd = Utf8Path::new("/w");
        for path in [
            "ä:".repeat(1_000_000),
            "a:".repeat(300),
            "ä".repeat(MOST_BYTES),
        ] {
            let all = folders(&path, cwd);
            assert!(all.len() <= MOST_FOLDERS + 1);
            assert!(is_unknown(all.last().unwrap()), "{}", path.len());
            // On its way to a server it is cut, and there it is looked at.
            let sent = bounded(&path);
            assert!(sent.len() <= MOST_BYTES);
            assert_eq!(folders(&sent, cwd), all);
        }
        let whole = "/usr/bin:".repeat(255);
        assert_eq!(bounded(&whole), whole);
        assert!(!folders(&whole, cwd).iter().any(|folder| is_unknown(folder)));
    }
}
