//! Reads that reach credentials outside the workspace, and reads that act.

mod stores;

use camino::{Utf8Path, Utf8PathBuf};

use super::pattern::folded;
use super::{FileKind, PathFact, inside};
use crate::call::Access;
use stores::{NAMES, PLACES};

/// What a read would reach that wants a closer look: a credential store
/// outside the workspace, also by a recursive read that may contain one, or a
/// path that acts when it is touched. `None` for everything else.
///
/// Listing names is harmless except inside a store. A store below a workspace
/// folder is the project's own; devices, FIFOs, UNC and automount paths count
/// wherever they are, and so does what cannot be resolved.
#[must_use]
pub fn credential(
    path: &PathFact,
    workspaces: &[Utf8PathBuf],
    home: &Utf8Path,
) -> Option<&'static str> {
    match path.kind {
        FileKind::Special => return Some("a device, FIFO or socket"),
        FileKind::Remote => return Some("a network or automount path"),
        FileKind::Unresolvable => return Some("a path that cannot be resolved"),
        FileKind::Missing | FileKind::File | FileKind::Directory => {}
    }
    if inside(workspaces, path).is_some() {
        return None;
    }
    let home = folded(home.as_str());
    let at = |place: &Utf8Path| store(&folded(place.as_str()), path.access, &home);
    // Most paths lead through no link, and one look is enough.
    let has_links = path.absolute != path.canonical;
    at(&path.absolute).or_else(|| has_links.then(|| at(&path.canonical)).flatten())
}

fn store(path: &[String], access: Access, home: &[String]) -> Option<&'static str> {
    let tree = match access {
        Access::ReadTree | Access::Delete => true,
        Access::Read | Access::List | Access::Write => false,
    };
    if tree && may_hold_homes(path, home) {
        return Some("everything below a folder that holds credentials");
    }
    if let Some(what) = system_store(path, tree) {
        return Some(what);
    }
    NAMES
        .find(path, 0..path.len())
        .find(|found| {
            // A parent of a store is known by its dot, or by where it lies: a
            // project may be called `Library`.
            let above = path.get(..found.range.start).unwrap_or_default();
            let parent = path
                .get(found.range.start)
                .is_some_and(|name| name.starts_with('.'))
                || may_hold_homes(above, home);
            let reached = found.whole || (tree && parent);
            reached && !is_sample(path, found.range.end)
        })
        .map(|found| *found.value)
}

/// Home folders, and folders above them.
fn may_hold_homes(path: &[String], home: &[String]) -> bool {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    home.starts_with(path)
        || matches!(
            names.as_slice(),
            [] | ["root" | "home" | "users" | "var" | "export"]
                | ["home" | "users", _]
                | ["var" | "export", "home"]
                | ["var" | "export", "home", _]
        )
}

/// Stores at fixed places.
fn system_store(path: &[String], tree: bool) -> Option<&'static str> {
    PLACES.iter().find_map(|(place, what)| {
        let mut place = place.split('/').skip(1);
        let mut names = path.iter();
        loop {
            match (place.next(), names.next()) {
                (None, _) => return Some(*what),
                (Some(_), None) => return tree.then_some(*what),
                (Some(wanted), Some(name)) if wanted == "*" || wanted == name => {}
                (Some(_), Some(_)) => return None,
            }
        }
    })
}

/// `.env.example` and the like hold no secrets.
fn is_sample(path: &[String], end: usize) -> bool {
    end.checked_sub(1)
        .and_then(|last| path.get(last))
        .and_then(|name| name.strip_prefix(".env."))
        .is_some_and(|rest| {
            rest.split('.').any(|part| {
                matches!(
                    part,
                    "example" | "sample" | "template" | "dist" | "defaults" | "schema"
                )
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::testing::fact;

    const HOME: &str = "/home/u";

    fn look(path: &PathFact) -> Option<&'static str> {
        credential(
            path,
            &[Utf8PathBuf::from("/home/u/app")],
            Utf8Path::new(HOME),
        )
    }

    fn read(path: &str) -> PathFact {
        fact(path, Access::Read, FileKind::File)
    }

    #[test]
    fn the_stores_of_the_spec() {
        for path in [
            "~/.ssh/id_ed25519",
            "~/.aws/credentials",
            "~/.gnupg/private-keys-v1.d/x.key",
            "~/.kube/config",
            "~/.netrc",
            "~/.git-credentials",
            "~/.config/gh/hosts.yml",
            "~/.config/gcloud/credentials.db",
            "~/.azure/accessTokens.json",
            "~/.docker/config.json",
            "~/.npmrc",
            "~/.pypirc",
            "~/.cargo/credentials.toml",
            "~/.claude/.credentials.json",
            "~/.codex/auth.json",
            "~/.gemini/oauth_creds.json",
            "~/.qwen/oauth_creds.json",
            "~/.local/share/opencode/auth.json",
            "~/.bash_history",
            "~/.zsh_history",
            "~/.python_history",
            "~/.local/share/keyrings/login.keyring",
            "~/Library/Keychains/login.keychain-db",
            "~/.mozilla/firefox/x/logins.json",
            "~/.config/google-chrome/Default/Cookies",
            "~/.local/state/countersign/state.db",
            "~/other/.env",
            "~/other/.env.production",
            "/etc/shadow",
            "/proc/1/environ",
            "/proc/1/task/1/environ",
            "/root/.ssh/id_rsa",
            "/home/v/.aws/config",
            "/mnt/backup/home/u/.SSH/id_rsa",
        ] {
            let path = path.replace('~', HOME);
            assert!(look(&read(&path)).is_some(), "{path}");
        }
    }

    #[test]
    fn other_files_are_read_freely() {
        for path in [
            "~/notes.txt",
            "~/.config/nvim/init.lua",
            "~/.cargo/registry/src/x/lib.rs",
            "~/.claude/projects/x.jsonl",
            "~/.bashrc",
            "~/other/.env.example",
            "~/other/.env.sample",
            "~/other/src/environ.py",
            "~/other/chat_history/notes.md",
            "~/.sshfs/notes",
            "/etc/passwd",
            "/etc/hosts",
            "/proc/cpuinfo",
            "/proc/1/status",
            "/usr/include/stdio.h",
        ] {
            let path = path.replace('~', HOME);
            assert_eq!(look(&read(&path)), None, "{path}");
        }
    }

    #[test]
    fn the_workspaces_own_files_are_not_stores() {
        for path in [
            "/home/u/app/.npmrc",
            "/home/u/app/.env",
            "/home/u/app/certs/x.key",
            "/home/u/app/.ssh/x",
        ] {
            assert_eq!(look(&read(path)), None, "{path}");
        }
        let link = PathFact {
            canonical: "/home/u/.ssh/id_rsa".into(),
            ..read("/home/u/app/notes")
        };
        assert!(
            look(&link).is_some(),
            "a link from the workspace to a store"
        );
        let into = PathFact {
            canonical: "/home/u/app/notes".into(),
            ..read("/home/u/.ssh/notes")
        };
        assert!(look(&into).is_some(), "the path as written counts too");
        assert!(look(&read("/home/u/app/../.ssh/id_rsa")).is_some());
        assert!(look(&read("/home/u/app-evil/.ssh/id_rsa")).is_some());
    }

    #[test]
    fn recursive_reads_reach_what_is_below() {
        for root in [
            "/",
            "/home",
            "/home/u",
            "/home/v",
            "/root",
            "/Users/v",
            "/etc",
            "/proc",
            "/proc/1",
            "/run",
            "/var",
            "/home/u/.config",
            "/home/u/.local/share",
            "/home/u/.cargo",
            "/home/u/.ssh",
            "/home/u/.claude",
        ] {
            assert!(
                look(&fact(root, Access::ReadTree, FileKind::Directory)).is_some(),
                "{root}"
            );
        }
        assert!(
            look(&fact(
                "/home/u/Library",
                Access::ReadTree,
                FileKind::Directory
            ))
            .is_some()
        );
        for root in [
            "/home/u/app",
            "/srv/Library",
            "/home/u/other",
            "/usr/share",
            "/home/u/.config/nvim",
            "/tmp",
            "/home/u/.cache",
        ] {
            let expected = root.ends_with(".cache");
            assert_eq!(
                look(&fact(root, Access::ReadTree, FileKind::Directory)).is_some(),
                expected,
                "{root}"
            );
        }
    }

    #[test]
    fn names_may_be_listed_except_inside_a_store() {
        for folder in ["/", "/home/u", "/home/u/.config", "/etc", "/proc/1"] {
            assert_eq!(
                look(&fact(folder, Access::List, FileKind::Directory)),
                None,
                "{folder}"
            );
        }
        for folder in ["/home/u/.ssh", "/home/u/.aws/sso", "/proc/1/fd"] {
            assert!(
                look(&fact(folder, Access::List, FileKind::Directory)).is_some(),
                "{folder}"
            );
        }
    }

    #[test]
    fn what_acts_when_touched_counts_everywhere() {
        for kind in [FileKind::Special, FileKind::Remote, FileKind::Unresolvable] {
            for path in ["/home/u/app/pipe", "/dev/sda"] {
                assert!(
                    look(&fact(path, Access::Read, kind)).is_some(),
                    "{path} {kind:?}"
                );
            }
        }
    }
}
