//! The home folder that the user database says. Every hook asks for it, and the
//! system's way there looks for a daemon and loads its sources first; so the
//! file is read where the file is what counts.

use std::path::PathBuf;

use nix::unistd::{Uid, User};

/// The home folder of a user; none if the database does not know the user.
///
/// # Errors
/// Why the database cannot be read.
pub(crate) fn home_of(user: Uid) -> Result<Option<PathBuf>, String> {
    if let Some(home) = home_by_file(user) {
        return Ok(Some(home));
    }
    User::from_uid(user)
        .map(|user| user.map(|user| user.dir))
        .map_err(|error| error.to_string())
}

/// The home folder of a user, if the file alone tells it. Loads no library.
pub(crate) fn home_by_file(user: Uid) -> Option<PathBuf> {
    in_file(user.as_raw(), |file| std::fs::read_to_string(file).ok())
}

/// The home folder by `/etc/passwd`, if `/etc/nsswitch.conf` says that the file
/// comes first and that what stands there is the end of it.
fn in_file(user: u32, read: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let sources = read("/etc/nsswitch.conf")?;
    let mut lines = sources.lines().filter_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        line.trim().strip_prefix("passwd:")
    });
    let mut words = lines.next()?.split_ascii_whitespace();
    let has_others = lines.next().is_some();
    // `[SUCCESS=continue]` and its like.
    if has_others || words.next()? != "files" || words.next().is_some_and(|w| w.starts_with('[')) {
        return None;
    }
    let users = read("/etc/passwd")?;
    users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let &[name, _, id, _, _, home, _] = fields.as_slice() else {
            return None;
        };
        // `+` and `-` stand for other sources.
        let is_entry = !name.is_empty() && !name.starts_with(['+', '-', '#']);
        let is_user = is_entry && id.parse() == Ok(user);
        (is_user && home.starts_with('/')).then(|| PathBuf::from(home))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/sh\n\
        # ada:x:1:1::/none:/bin/sh\n\
        +:x:1:1::/elsewhere:/bin/sh\n\
        short:x:1:1:/short\n\
        ada:x:1:1:Ada:/home/ada:/bin/zsh\n\
        again:x:1:1::/home/again:\n";

    fn home(sources: Option<&str>, user: u32) -> Option<PathBuf> {
        in_file(user, |file| match file {
            "/etc/nsswitch.conf" => sources.map(str::to_owned),
            _ => Some(USERS.to_owned()),
        })
    }

    #[test]
    fn the_first_entry_of_the_file_counts() {
        for sources in ["passwd: files", "a: b\n  passwd:\tfiles systemd # x\n"] {
            assert_eq!(home(Some(sources), 0), Some("/root".into()));
            assert_eq!(home(Some(sources), 1), Some("/home/ada".into()));
            assert_eq!(home(Some(sources), 2), None);
        }
    }

    #[test]
    fn where_the_file_is_not_what_counts_the_system_is_asked() {
        for sources in [
            None,
            Some(""),
            Some("passwd: sss files"),
            Some("passwd: compat"),
            Some("passwd: files [SUCCESS=continue] ldap"),
            Some("passwd: files\npasswd: ldap"),
            Some("# passwd: files"),
        ] {
            assert_eq!(home(sources, 1), None, "{sources:?}");
        }
    }

    #[test]
    fn it_is_what_the_system_says() {
        let user = nix::unistd::geteuid();
        let system = User::from_uid(user).unwrap().map(|user| user.dir);
        assert_eq!(home_of(user).unwrap(), system);
    }
}
