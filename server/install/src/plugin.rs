//! opencode's plugin: a file of Countersign's own, in which three lines are
//! filled in.

use std::time::Duration;

use camino::Utf8Path;
use countersign_agents::opencode;

const PROGRAM: &str = "const PROGRAM = ";
const OPTIONS: &str = "const OPTIONS = ";
const TIMEOUT: &str = "const TIMEOUT_SECONDS = ";

/// What a plugin's file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filled {
    pub(crate) program: String,
    pub(crate) options: Vec<String>,
    pub(crate) timeout: u32,
}

/// The plugin that calls this binary; `timeout` in seconds.
pub(crate) fn render(program: &Utf8Path, home: Option<&Utf8Path>, timeout: u32) -> String {
    let options: Vec<&str> = home.map_or_else(Vec::new, |home| vec!["--home", home.as_str()]);
    let timeout = Duration::from_secs(u64::from(timeout));
    opencode::plugin(program.as_str(), &options, timeout)
}

/// Whether a file is Countersign's plugin, also an older or a changed one.
pub(crate) fn is_ours(text: &str) -> bool {
    text.contains(opencode::PLUGIN_BEGINS)
}

/// What the three lines of a plugin say; none where they cannot be read.
pub(crate) fn read(text: &str) -> Option<Filled> {
    let after = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    Some(Filled {
        program: serde_json::from_str(after(PROGRAM)?).ok()?,
        options: serde_json::from_str(after(OPTIONS)?).ok()?,
        timeout: after(TIMEOUT)?.trim().parse().ok()?,
    })
}

/// Whether all but the three lines is what this version writes.
pub(crate) fn is_current(text: &str) -> bool {
    read(text).is_some_and(|filled| {
        let options: Vec<&str> = filled.options.iter().map(String::as_str).collect();
        let timeout = Duration::from_secs(u64::from(filled.timeout));
        opencode::plugin(&filled.program, &options, timeout) == text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_lines_are_filled_in_and_read_back() {
        let home = Utf8Path::new("/tmp/a \"b\"");
        let text = render(Utf8Path::new("/o'p/\\counter"), Some(home), 77);
        assert!(is_ours(&text) && is_current(&text));
        let filled = read(&text).unwrap();
        assert_eq!(filled.program, "/o'p/\\counter");
        assert_eq!(filled.options, ["--home", "/tmp/a \"b\""]);
        assert_eq!(filled.timeout, 77);
        assert!(!is_current(&text.replace("SIGKILL", "SIGTERM")));
        assert!(read("const PROGRAM = steal()").is_none());
    }
}
