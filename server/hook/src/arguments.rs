//! The hook's command line, looked at without a parser: agents start the hook
//! for every tool call.

use std::ffi::OsString;
use std::time::Duration;

use camino::Utf8PathBuf;
use countersign_core::mode::ApprovalMode;

/// How long the agent waits where the command line does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// The least that is kept back of the agent's timeout, to answer in.
const MARGIN: Duration = Duration::from_secs(2);

/// What the small program adds where it asked and no server decides.
pub(crate) const SERVERS_WERE_ASKED: &str = "--servers-were-asked";

/// `countersign hook <agent> --event E [--timeout S] [--home DIR] [--approval-mode M]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// The agent's name as given.
    pub(crate) agent: String,
    /// The event's name as given; empty where it is missing.
    pub(crate) event: String,
    /// How long the agent waits.
    pub(crate) timeout: Duration,
    /// Where settings and state are, for tests.
    pub(crate) home: Option<Utf8PathBuf>,
    /// A mode that can only tighten.
    pub(crate) approval_mode: Option<ApprovalMode>,
    /// Whether the servers were asked already, by the small program.
    pub(crate) servers_were_asked: bool,
    /// How the hook is to fail, for tests.
    #[cfg(debug_assertions)]
    pub(crate) provoke: Option<String>,
    /// What is wrong with the rest: the call is blocked, in the form that the
    /// agent and event above honour.
    pub(crate) problem: Option<String>,
}

impl Arguments {
    /// Reads the arguments after `hook`. Total: what cannot be understood is a
    /// problem, not an end.
    pub(crate) fn read(arguments: &[OsString]) -> Self {
        let mut read = Self {
            agent: String::new(),
            event: String::new(),
            timeout: DEFAULT_TIMEOUT,
            home: None,
            approval_mode: None,
            servers_were_asked: false,
            #[cfg(debug_assertions)]
            provoke: None,
            problem: None,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let Some(text) = argument.to_str() else {
                read.wrong("an argument is not UTF-8".to_owned());
                continue;
            };
            let (name, attached) = match text.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (text, None),
            };
            if text == SERVERS_WERE_ASKED {
                read.servers_were_asked = true;
                continue;
            }
            if !name.starts_with("--") {
                if read.agent.is_empty() {
                    read.agent = text.to_owned();
                } else {
                    read.wrong(format!("unexpected argument `{text}`"));
                }
                continue;
            }
            let value = attached.or_else(|| rest.next()?.to_str().map(str::to_owned));
            let Some(value) = value else {
                read.wrong(format!("option {name} needs a value"));
                continue;
            };
            read.option(name, value);
        }
        if read.agent.is_empty() {
            read.wrong("no agent is named: `countersign hook <agent> --event <event>`".to_owned());
        }
        if read.event.is_empty() {
            read.wrong("no event is named: add `--event <event>`".to_owned());
        }
        read
    }

    fn option(&mut self, name: &str, value: String) {
        match name {
            "--event" => self.event = value,
            "--home" => {
                let folder = Utf8PathBuf::from(value);
                if folder.is_absolute() {
                    self.home = Some(folder);
                } else {
                    self.wrong(format!("--home takes an absolute folder, not `{folder}`"));
                }
            }
            "--timeout" => match value.parse::<u32>() {
                Ok(seconds) if seconds > 0 => {
                    self.timeout = Duration::from_secs(u64::from(seconds));
                }
                _ => self.wrong(format!(
                    "--timeout takes whole seconds from 1, not `{value}`"
                )),
            },
            "--approval-mode" => match value.parse() {
                Ok(mode) => self.approval_mode = Some(mode),
                Err(error) => self.wrong(format!("--approval-mode: {error}")),
            },
            #[cfg(debug_assertions)]
            "--provoke" => self.provoke = Some(value),
            _ => self.wrong(format!("unknown option `{name}`")),
        }
    }

    fn wrong(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }

    /// How long the hook may take, from the start of the process: the agent's
    /// timeout less the larger of 2 s and 10 %, and at least a tenth of it.
    pub(crate) fn deadline(&self) -> Duration {
        let margin = MARGIN.max(self.timeout / 10);
        self.timeout.saturating_sub(margin).max(self.timeout / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Arguments {
        let words: Vec<OsString> = text.split_whitespace().map(OsString::from).collect();
        Arguments::read(&words)
    }

    #[test]
    fn what_install_writes() {
        let read = read("claude-code --event PreToolUse --timeout 60 --home /tmp/h");
        assert_eq!(read.agent, "claude-code");
        assert_eq!(read.event, "PreToolUse");
        assert_eq!(read.timeout, Duration::from_secs(60));
        assert_eq!(read.deadline(), Duration::from_secs(54));
        assert_eq!(read.home, Some("/tmp/h".into()));
        assert_eq!(read.problem, None);
        assert!(!read.servers_were_asked);
    }

    #[test]
    fn what_the_small_program_adds() {
        let read = read("qwen --event x --timeout 60 --servers-were-asked --approval-mode default");
        assert!(read.servers_were_asked);
        assert_eq!(read.approval_mode, Some(ApprovalMode::Default));
        assert_eq!(read.problem, None);
    }

    #[test]
    fn the_deadline_is_always_before_the_agents() {
        assert_eq!(read("qwen --event x").deadline(), Duration::from_secs(27));
        assert_eq!(
            read("qwen --event x --timeout 5").deadline(),
            Duration::from_secs(3)
        );
        assert_eq!(
            read("qwen --event=x --timeout=1").deadline(),
            Duration::from_millis(100)
        );
    }

    #[test]
    fn problems_name_the_argument() {
        for (text, part) in [
            ("", "no agent"),
            ("qwen", "--event"),
            ("qwen --event", "--event needs a value"),
            ("qwen --event x --timeout 0", "--timeout"),
            ("qwen --event x --timeout ten", "`ten`"),
            ("qwen --event x --home rel", "`rel`"),
            ("qwen --event x --approval-mode max", "`max`"),
            ("qwen --event x more", "`more`"),
            ("qwen --event x --frob y", "`--frob`"),
        ] {
            let problem = read(text).problem.unwrap_or_default();
            assert!(problem.contains(part), "{text}: {problem}");
        }
    }
}
