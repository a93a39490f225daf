//! The hook's command line: written so that a shell reads it rightly, and read
//! back out of settings that somebody may have changed.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::own::{HOOK_PROGRAM, PROGRAM};

/// A hook's command line to be written. The same facts give the same text:
/// Codex trusts a hook by it.
#[derive(Debug, Clone, Copy)]
pub struct HookCommand<'a> {
    /// The binary, absolute.
    pub program: &'a Utf8Path,
    /// Where settings and state are, if not in the user's own places.
    pub home: Option<&'a Utf8Path>,
    /// The agent's name.
    pub agent: &'a str,
    /// The event's name.
    pub event: &'a str,
    /// How long the agent waits, in seconds.
    pub timeout: u32,
}

impl fmt::Display for HookCommand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} hook {} --event {} --timeout {}",
            quoted(self.program.as_str()),
            self.agent,
            self.event,
            self.timeout
        )?;
        match self.home {
            Some(home) => write!(f, " --home {}", quoted(home.as_str())),
            None => Ok(()),
        }
    }
}

/// A word as `sh` reads it back.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// The words of a command line that does nothing but start one program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(pub Vec<String>);

impl Words {
    /// Reads them as `sh` does. None where the line does more: several
    /// commands, redirections, substitutions, patterns, or variables other than
    /// `HOME`.
    #[must_use]
    pub fn of(line: &str, home: &Utf8Path) -> Option<Self> {
        Reader {
            rest: line,
            home,
            words: Vec::new(),
            word: None,
        }
        .read()
    }
}

struct Reader<'a> {
    rest: &'a str,
    home: &'a Utf8Path,
    words: Vec<String>,
    word: Option<String>,
}

impl Reader<'_> {
    fn read(mut self) -> Option<Words> {
        while let Some(c) = self.next() {
            match c {
                ' ' | '\t' => self.words.extend(self.word.take()),
                '\'' => {
                    let (text, rest) = self.rest.split_once('\'')?;
                    self.rest = rest;
                    self.push(text);
                }
                '"' => self.double()?,
                '\\' => {
                    let c = self.next().filter(|c| *c != '\n')?;
                    self.push(c.encode_utf8(&mut [0; 4]));
                }
                '$' => self.variable()?,
                '~' if self.word.is_none()
                    && (self.rest.is_empty() || self.rest.starts_with(['/', ' ', '\t'])) =>
                {
                    self.push(self.home.as_str());
                }
                c if "\n\r;&|<>()`#*?[]{}!~".contains(c) => return None,
                c => self.push(c.encode_utf8(&mut [0; 4])),
            }
        }
        self.words.extend(self.word.take());
        // `NAME=value program` sets a variable first.
        let assigns = self.words.first().is_some_and(|word| word.contains('='));
        (!assigns && !self.words.is_empty()).then_some(Words(self.words))
    }

    fn double(&mut self) -> Option<()> {
        self.push("");
        loop {
            match self.next()? {
                '"' => return Some(()),
                '`' => return None,
                '$' => self.variable()?,
                '\\' => {
                    let c = self.next()?;
                    if !"\\\"$`".contains(c) {
                        self.push("\\");
                    }
                    self.push(c.encode_utf8(&mut [0; 4]));
                }
                c => self.push(c.encode_utf8(&mut [0; 4])),
            }
        }
    }

    fn variable(&mut self) -> Option<()> {
        let rest = match self.rest.strip_prefix("{HOME}") {
            Some(rest) => rest,
            None => {
                let rest = self.rest.strip_prefix("HOME")?;
                let goes_on = rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
                (!goes_on).then_some(rest)?
            }
        };
        self.rest = rest;
        self.push(self.home.as_str());
        Some(())
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let c = characters.next()?;
        self.rest = characters.as_str();
        Some(c)
    }

    fn push(&mut self, text: &str) {
        self.word.get_or_insert_with(String::new).push_str(text);
    }
}

/// A hook's command line as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HookCall {
    /// The program that is started, as it stands there.
    pub program: String,
    /// Words before `countersign`, if another program starts it.
    pub through: Vec<String>,
    /// The agent's name.
    pub agent: String,
    /// The event's name.
    pub event: Option<String>,
    /// `--timeout`, in seconds.
    pub timeout: Option<u32>,
    /// `--home`.
    pub home: Option<Utf8PathBuf>,
    /// `--approval-mode`.
    pub approval_mode: Option<String>,
    /// What it takes for no option of its own.
    pub unknown: Vec<String>,
}

impl HookCall {
    /// Reads the words of a command line; none where they do not start
    /// `countersign hook`.
    #[must_use]
    pub fn of(words: &Words) -> Option<Self> {
        let Words(words) = words;
        let at = words.iter().position(|word| is_countersign(word))?;
        let (through, rest) = words.split_at(at);
        let (program, rest) = rest.split_first()?;
        let mut call = Self {
            program: program.clone(),
            through: through.to_vec(),
            ..Self::default()
        };
        let mut rest = rest.iter();
        let mut is_hook = false;
        while let Some(word) = rest.next() {
            if !word.starts_with("--") {
                if !is_hook {
                    if word != "hook" {
                        return None;
                    }
                    is_hook = true;
                } else if call.agent.is_empty() {
                    call.agent.clone_from(word);
                } else {
                    call.unknown.push(word.clone());
                }
                continue;
            }
            let (name, attached) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let value = attached.or_else(|| rest.next().cloned());
            match (name, value) {
                ("--event", Some(value)) => call.event = Some(value),
                ("--timeout", Some(value)) => call.timeout = value.parse().ok(),
                ("--home", Some(value)) => call.home = Some(value.into()),
                ("--approval-mode", Some(value)) => call.approval_mode = Some(value),
                _ => call.unknown.push(word.clone()),
            }
        }
        is_hook.then_some(call)
    }
}

fn is_countersign(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    [PROGRAM, HOOK_PROGRAM].contains(&name.strip_suffix(".exe").unwrap_or(name))
}

/// Whether a command line is a hook of Countersign, also one that somebody
/// built into something else.
pub(crate) fn is_ours(line: &str, home: &Utf8Path) -> bool {
    match Words::of(line, home) {
        Some(words) => HookCall::of(&words).is_some(),
        None => line
            .match_indices(PROGRAM)
            .any(|(at, name)| follows_hook(line.get(at + name.len()..).unwrap_or_default())),
    }
}

/// Whether what follows the program's name goes on with `hook`.
fn follows_hook(rest: &str) -> bool {
    let small = HOOK_PROGRAM.strip_prefix(PROGRAM).unwrap_or_default();
    let rest = rest
        .strip_prefix(small)
        .unwrap_or(rest)
        .trim_start_matches(".exe")
        .trim_start_matches(['\'', '"']);
    rest.trim_start().starts_with("hook ") && rest.starts_with([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(line: &str) -> Option<Vec<String>> {
        Words::of(line, Utf8Path::new("/home/ada")).map(|Words(words)| words)
    }

    #[test]
    fn what_is_written_is_what_the_hook_reads() {
        let line = HookCommand {
            program: Utf8Path::new("/opt/it's here/countersign"),
            home: Some(Utf8Path::new("/tmp/a b")),
            agent: "codex",
            event: "PreToolUse",
            timeout: 600,
        }
        .to_string();
        assert_eq!(
            line,
            r"'/opt/it'\''s here/countersign' hook codex --event PreToolUse --timeout 600 --home '/tmp/a b'"
        );
        let call = HookCall::of(&Words(words(&line).unwrap())).unwrap();
        assert_eq!(call.program, "/opt/it's here/countersign");
        assert_eq!(call.agent, "codex");
        assert_eq!(call.event.as_deref(), Some("PreToolUse"));
        assert_eq!(call.timeout, Some(600));
        assert_eq!(call.home.as_deref(), Some(Utf8Path::new("/tmp/a b")));
        assert!(call.through.is_empty() && call.unknown.is_empty());
    }

    #[test]
    fn a_home_folder_in_other_words_is_read() {
        let want = ["/home/ada/bin/countersign", "hook", "qwen"];
        for line in [
            "~/bin/countersign hook qwen",
            "$HOME/bin/countersign hook qwen",
            "\"${HOME}/bin/countersign\" hook 'qwen'",
            "  /home/ada/bin/counter\\sign   hook\tqwen ",
        ] {
            assert_eq!(words(line).unwrap(), want, "{line}");
        }
    }

    #[test]
    fn a_line_that_does_more_is_not_one_program() {
        for line in [
            "countersign hook qwen || true",
            "countersign hook qwen; true",
            "countersign hook qwen > /dev/null",
            "X=1 countersign hook qwen",
            "$PROGRAM hook qwen",
            "$HOMES/countersign hook qwen",
            "countersign hook `agent`",
            "countersign hook \"$(agent)\"",
            "countersign hook 'qwen",
            "countersign hook q*",
            "countersign hook qwen # guard",
            "",
        ] {
            assert_eq!(words(line), None, "{line}");
        }
    }

    #[test]
    fn a_hook_is_known_again_whatever_was_built_around_it() {
        let home = Utf8Path::new("/home/ada");
        for line in [
            "countersign hook qwen --event PreToolUse",
            "countersign-hook hook qwen --event PreToolUse",
            "/usr/local/bin/countersign-hook hook qwen || true",
            "'/o p/countersign-hook' hook qwen --event X || true",
            "/usr/local/bin/countersign --home /x hook qwen",
            "nice -n 5 countersign hook qwen",
            "countersign hook qwen || true",
            "'/o p/countersign' hook qwen --event X || true",
            "cd /x && \"/a/countersign\" hook qwen",
        ] {
            assert!(is_ours(line, home), "{line}");
        }
        for line in [
            "countersign log",
            "my-countersigner hook x",
            "countersign-hooks hook x",
            "countersign-hook log",
            "echo countersign",
            "hook countersign",
            "",
        ] {
            assert!(!is_ours(line, home), "{line}");
        }
    }

    proptest! {
        #[test]
        fn every_word_comes_back_as_it_went(word in "\\PC{0,24}") {
            let line = format!("x {} y", quoted(&word));
            prop_assert_eq!(words(&line).unwrap(), ["x", word.as_str(), "y"]);
        }

        #[test]
        fn no_line_crashes_the_reader(line in ".{0,80}") {
            is_ours(&line, Utf8Path::new("/h"));
        }
    }
}
