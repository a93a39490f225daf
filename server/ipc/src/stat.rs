//! Parses the files of one process below `/proc`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// The fields of `/proc/<pid>/stat` that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) pid: u32,
    pub(crate) name: String,
    pub(crate) state: u8,
    pub(crate) parent: u32,
    pub(crate) session: u32,
    pub(crate) start: u64,
}

impl Stat {
    /// Parses the line described in proc_pid_stat(5). The name stands between
    /// the first `(` and the last `)`, because it may hold any byte but NUL,
    /// and everything after it is numbers.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let open = bytes.iter().position(|byte| *byte == b'(')?;
        let close = bytes.iter().rposition(|byte| *byte == b')')?;
        let pid = number(bytes.get(..open)?)?;
        let name = bytes.get(open.checked_add(1)?..close)?;
        let rest = std::str::from_utf8(bytes.get(close.checked_add(1)?..)?).ok()?;
        let mut fields = rest.split_ascii_whitespace();
        let state = *fields.next()?.as_bytes().first()?;
        let parent = fields.next()?.parse().ok()?;
        let _group = fields.next()?;
        let session = fields.next()?.parse().ok()?;
        // Field 22 of the whole line; `fields` stands before field 7.
        let start = fields.nth(15)?.parse().ok()?;
        Some(Self {
            pid,
            name: String::from_utf8_lossy(name).into_owned(),
            state,
            parent,
            session,
            start,
        })
    }

    /// Whether the process has ended and only waits to be collected.
    pub(crate) const fn is_dead(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x')
    }
}

/// The arguments in the bytes of `/proc/<pid>/cmdline`. A process that writes
/// a title over its arguments leaves NULs behind it.
pub(crate) fn arguments(bytes: &[u8]) -> Vec<String> {
    const MOST: usize = 64;
    let end = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last.saturating_add(1));
    let used = bytes.get(..end).unwrap_or_default();
    if used.is_empty() {
        return Vec::new();
    }
    used.split(|byte| *byte == 0)
        .take(MOST)
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect()
}

/// The executable that the link `/proc/<pid>/exe` names, also after it was
/// replaced on disk: agents update themselves while they run.
pub(crate) fn executable(link: &[u8]) -> Option<PathBuf> {
    let path = link.strip_suffix(b" (deleted)").unwrap_or(link);
    (!path.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(path)))
}

fn number(bytes: &[u8]) -> Option<u32> {
    std::str::from_utf8(bytes).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: &str = "S 10 11 12 34816 11 4194304 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000 200";

    fn stat(name: &str) -> Option<Stat> {
        Stat::parse(format!("77 ({name}) {TAIL}").as_bytes())
    }

    #[test]
    fn a_name_may_hold_everything_that_looks_like_the_line_itself() {
        for name in [
            "bash",
            "",
            "a b",
            ")",
            "((",
            "x) R 1 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1",
            "(sd-pam)",
            "new\nline",
        ] {
            let parsed = stat(name).unwrap();
            assert_eq!(parsed.name, name);
            assert_eq!(
                (parsed.pid, parsed.parent, parsed.session, parsed.start),
                (77, 10, 12, 98765),
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_broken_line_is_no_process() {
        for line in [
            "",
            "77",
            "77 (bash",
            "77 bash) S 1",
            ")77 (",
            "77 (bash) S 10 11",
            "x (bash) S 10 11 12 34816 11 4194304 1 2 3 4 5 6 7 8 20 0 1 0 98765",
            "77 (bash) S -1 11 12 34816 11 4194304 1 2 3 4 5 6 7 8 20 0 1 0 98765",
        ] {
            assert_eq!(Stat::parse(line.as_bytes()), None, "{line:?}");
        }
    }

    #[test]
    fn arguments_are_bounded_and_a_title_leaves_no_empty_ones() {
        assert_eq!(arguments(b"node\0\0/x\0"), ["node", "", "/x"]);
        assert_eq!(arguments(b"claude\0\0\0\0\0"), ["claude"]);
        assert_eq!(arguments(b""), [] as [&str; 0]);
        assert_eq!(arguments(b"\0\0"), [] as [&str; 0]);
        assert_eq!(arguments(&b"a\0".repeat(1000)).len(), 64);
    }

    #[test]
    fn an_executable_that_was_updated_keeps_its_path() {
        assert_eq!(
            executable(b"/opt/claude (deleted)"),
            Some(PathBuf::from("/opt/claude"))
        );
        assert_eq!(executable(b""), None);
    }
}
