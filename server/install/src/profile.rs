//! What is known of each agent's settings: the events that are asked for and
//! since when the agent knows them, the form of an entry, the timeouts.

use countersign_agents::TimeoutUnit;
use countersign_core::agent::Agent;

use crate::version::Version;

/// The form in which an agent's settings name hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `hooks.<event>[].hooks[]`, each with a type and a command.
    Nested,
    /// `hooks.<event>[]`, each with a command and `failClosed`; a `version` beside it.
    Closing,
    /// `hooks.<event>[]`, each with a type and a command; a `version` beside it.
    Flat,
    /// A program of the agent's own, which calls the hook.
    Plugin,
}

impl Shape {
    /// Whether a file says its version beside the hooks.
    pub(crate) const fn has_version(self) -> bool {
        matches!(self, Self::Closing | Self::Flat)
    }
}

/// An event that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The agent's name of it.
    pub name: &'static str,
    /// Whether a call is decided at it; the others only tell what happened.
    pub decides: bool,
    /// The first version that is known to know it.
    pub since: Version,
}

/// What is known of an agent's settings.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// The agent.
    pub agent: Agent,
    /// Its name for people.
    pub title: &'static str,
    /// The form of an entry.
    pub shape: Shape,
    /// The names of its program.
    pub programs: &'static [&'static str],
    /// The events that are asked for.
    pub events: &'static [Event],
    /// Whose events are written where the installed version is not known.
    pub assumed: Version,
    /// How long it waits for a hook whose timeout is not configured, in seconds.
    pub default_timeout: u32,
    /// The longest timeout that it takes, in seconds.
    pub longest_timeout: u32,
    /// What its timeouts count.
    pub unit: TimeoutUnit,
    /// The `name` of an entry, where the agent has one.
    pub entry_name: Option<&'static str>,
    /// What a person must know after installing it.
    pub notes: &'static [&'static str],
}

/// How long the agent is told to wait for a decision, in seconds: so long may a
/// person take to answer.
pub(crate) const DECIDING: u32 = 600;

/// How long it is told to wait where nothing is decided, in seconds.
pub(crate) const TELLING: u32 = 30;

/// A day: longer than anybody waits, for agents without a known limit.
const A_DAY: u32 = 86_400;

const fn decides(name: &'static str, since: (u32, u32, u32)) -> Event {
    Event {
        name,
        decides: true,
        since: Version::new(since.0, since.1, since.2),
    }
}

const fn tells(name: &'static str, since: (u32, u32, u32)) -> Event {
    Event {
        name,
        decides: false,
        since: Version::new(since.0, since.1, since.2),
    }
}

const ALWAYS: (u32, u32, u32) = (0, 0, 0);

static CLAUDE: Profile = Profile {
    agent: Agent::ClaudeCode,
    title: "Claude Code",
    shape: Shape::Nested,
    programs: &["claude"],
    // Versions before 2.1.89 drop every hook of a file that names an event they
    // do not know. Where the first version of an event is not certain, a later
    // one stands here.
    events: &[
        decides("PreToolUse", ALWAYS),
        decides("PermissionRequest", (2, 0, 45)),
        tells("PermissionDenied", (2, 1, 89)),
        tells("PostToolUse", ALWAYS),
        tells("PostToolUseFailure", (2, 1, 78)),
        tells("UserPromptSubmit", (1, 0, 54)),
        tells("SessionStart", (1, 0, 62)),
        tells("SessionEnd", (1, 0, 85)),
        tells("Stop", ALWAYS),
        tells("StopFailure", (2, 1, 78)),
    ],
    assumed: Version::new(1, 0, 85),
    default_timeout: 600,
    longest_timeout: A_DAY,
    unit: TimeoutUnit::Seconds,
    entry_name: None,
    notes: &[],
};

static QWEN: Profile = Profile {
    agent: Agent::Qwen,
    title: "Qwen Code",
    shape: Shape::Nested,
    programs: &["qwen"],
    events: &[
        decides("PreToolUse", ALWAYS),
        decides("PermissionRequest", ALWAYS),
        tells("PermissionDenied", (0, 24, 0)),
        tells("PostToolUse", ALWAYS),
        tells("PostToolUseFailure", (0, 24, 0)),
        tells("UserPromptSubmit", ALWAYS),
        tells("SessionStart", ALWAYS),
        tells("SessionEnd", ALWAYS),
        tells("Stop", ALWAYS),
    ],
    assumed: Version::new(0, 0, 0),
    default_timeout: 60,
    // From 1000 on it reads milliseconds.
    longest_timeout: 999,
    unit: TimeoutUnit::Seconds,
    entry_name: None,
    notes: &[
        "a `.env` or the settings of a project can switch Qwen Code's hooks off (`QWEN_CODE_SAFE_MODE`): look again in each project",
    ],
};

static CODEX: Profile = Profile {
    agent: Agent::Codex,
    title: "Codex",
    shape: Shape::Nested,
    programs: &["codex"],
    events: &[
        decides("PreToolUse", ALWAYS),
        decides("PermissionRequest", (0, 122, 0)),
        tells("PostToolUse", ALWAYS),
        tells("UserPromptSubmit", ALWAYS),
        tells("SessionStart", ALWAYS),
        tells("Stop", ALWAYS),
    ],
    assumed: Version::new(0, 0, 0),
    default_timeout: 600,
    longest_timeout: A_DAY,
    unit: TimeoutUnit::Seconds,
    entry_name: None,
    notes: &[
        "Codex calls no hook for its web search, nor for what is typed into a running program",
    ],
};

static GEMINI: Profile = Profile {
    agent: Agent::Gemini,
    title: "Gemini CLI",
    shape: Shape::Nested,
    programs: &["gemini"],
    events: &[
        decides("BeforeTool", ALWAYS),
        tells("AfterTool", ALWAYS),
        tells("BeforeAgent", ALWAYS),
        tells("AfterAgent", ALWAYS),
        tells("SessionStart", ALWAYS),
        tells("SessionEnd", ALWAYS),
    ],
    assumed: Version::new(0, 0, 0),
    default_timeout: 60,
    longest_timeout: A_DAY,
    unit: TimeoutUnit::Milliseconds,
    entry_name: Some("countersign"),
    notes: &[
        "over ACP (`gemini --acp`) Gemini calls no hook before a tool: use `countersign acp -- gemini --acp` there",
    ],
};

static OPENCODE: Profile = Profile {
    agent: Agent::Opencode,
    title: "opencode",
    shape: Shape::Plugin,
    programs: &["opencode"],
    events: &[],
    assumed: Version::new(0, 0, 0),
    default_timeout: DECIDING,
    longest_timeout: A_DAY,
    unit: TimeoutUnit::Seconds,
    entry_name: None,
    notes: &[],
};

static CURSOR: Profile = Profile {
    agent: Agent::Cursor,
    title: "Cursor",
    shape: Shape::Closing,
    programs: &["cursor-agent", "cursor"],
    events: &[
        decides("preToolUse", ALWAYS),
        decides("beforeShellExecution", ALWAYS),
        decides("beforeMCPExecution", ALWAYS),
        decides("beforeReadFile", ALWAYS),
        decides("subagentStart", (2, 4, 0)),
        tells("postToolUse", (2, 4, 0)),
        tells("postToolUseFailure", (2, 4, 0)),
        tells("beforeSubmitPrompt", ALWAYS),
        tells("sessionEnd", (2, 4, 0)),
        tells("stop", ALWAYS),
    ],
    assumed: Version::new(0, 0, 0),
    default_timeout: 60,
    longest_timeout: A_DAY,
    unit: TimeoutUnit::Seconds,
    entry_name: None,
    notes: &[
        "Cursor also loads Claude Code's hooks: a hook that is called by the other agent notices it",
    ],
};

static VSCODE: Profile = Profile {
    agent: Agent::Vscode,
    title: "VS Code",
    shape: Shape::Flat,
    programs: &["code", "code-insiders", "copilot"],
    events: &[
        decides("PreToolUse", ALWAYS),
        tells("PostToolUse", ALWAYS),
        tells("UserPromptSubmit", ALWAYS),
        tells("SessionStart", ALWAYS),
        tells("Stop", ALWAYS),
    ],
    assumed: Version::new(0, 0, 0),
    default_timeout: 30,
    longest_timeout: A_DAY,
    unit: TimeoutUnit::Seconds,
    entry_name: None,
    notes: &[
        "VS Code also loads Claude Code's hooks (`chat.hookFilesLocations`): a hook that is called by the other agent notices it",
    ],
};

/// What is known of an agent's settings; none where nothing is installed.
#[must_use]
pub fn profile(agent: Agent) -> Option<&'static Profile> {
    match agent {
        Agent::ClaudeCode => Some(&CLAUDE),
        Agent::Qwen => Some(&QWEN),
        Agent::Codex => Some(&CODEX),
        Agent::Gemini => Some(&GEMINI),
        Agent::Opencode => Some(&OPENCODE),
        Agent::Cursor => Some(&CURSOR),
        Agent::Vscode => Some(&VSCODE),
        Agent::Generic => None,
    }
}

impl Profile {
    /// The events that an installed version knows; those of the assumed one
    /// where it is not known.
    pub fn known_events(&self, version: Option<Version>) -> impl Iterator<Item = &'static Event> {
        let version = version.unwrap_or(self.assumed);
        self.events
            .iter()
            .filter(move |event| event.since <= version)
    }

    /// Whether each event sees other calls, so that none may be missing.
    pub(crate) const fn entry_closes(&self) -> bool {
        matches!(self.shape, Shape::Closing)
    }

    /// The names of the packages that its program comes in.
    pub(crate) const fn packages(&self) -> &'static [&'static str] {
        match self.agent {
            Agent::ClaudeCode => &["@anthropic-ai/claude-code"],
            Agent::Qwen => &["@qwen-code/qwen-code"],
            Agent::Codex => &["@openai/codex"],
            Agent::Gemini => &["@google/gemini-cli"],
            Agent::Opencode => &["opencode-ai"],
            Agent::Cursor => &["cursor", "Cursor"],
            Agent::Vscode => &["code-oss-dev", "Code", "VSCode", "@github/copilot"],
            Agent::Generic => &[],
        }
    }

    /// How long the agent is told to wait at an event, in seconds.
    #[must_use]
    pub fn timeout(&self, event: &Event, deciding: Option<u32>) -> u32 {
        if event.decides {
            deciding.unwrap_or(DECIDING).min(self.longest_timeout)
        } else {
            TELLING
        }
    }

    /// A timeout as the agent's settings count it.
    #[must_use]
    pub fn in_unit(&self, seconds: u32) -> u64 {
        match self.unit {
            TimeoutUnit::Seconds => u64::from(seconds),
            TimeoutUnit::Milliseconds => u64::from(seconds) * 1_000,
        }
    }

    /// How long the agent waits for a timeout in its settings, in milliseconds.
    #[must_use]
    pub fn waits(&self, configured: Option<f64>) -> f64 {
        let Some(number) = configured else {
            return f64::from(self.default_timeout) * 1_000.0;
        };
        let is_milliseconds = match self.unit {
            TimeoutUnit::Milliseconds => true,
            TimeoutUnit::Seconds => self.agent == Agent::Qwen && number >= 1_000.0,
        };
        if is_milliseconds {
            number
        } else {
            number * 1_000.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_events_that_the_adapters_know_are_asked_for() {
        for agent in Agent::ALL {
            let known: Vec<&str> = countersign_agents::known_events(agent).collect();
            let Some(profile) = profile(agent).filter(|_| !known.is_empty()) else {
                continue;
            };
            for event in profile.events {
                assert!(known.contains(&event.name), "{agent}: {}", event.name);
            }
            let capabilities = countersign_agents::capabilities(agent);
            if profile.shape != Shape::Plugin {
                assert_eq!(profile.unit, capabilities.timeout_unit, "{agent}");
                let wait = u64::from(profile.default_timeout);
                assert_eq!(wait, capabilities.default_timeout.as_secs(), "{agent}");
            }
        }
    }

    #[test]
    fn an_older_version_gets_only_what_it_knows() {
        let names = |version| -> Vec<&str> {
            CLAUDE
                .known_events(version)
                .map(|event| event.name)
                .collect()
        };
        let old = names(Some(Version::new(2, 1, 44)));
        assert!(old.contains(&"PermissionRequest") && !old.contains(&"PermissionDenied"));
        assert!(names(Some(Version::new(2, 1, 329))).contains(&"PermissionDenied"));
        let unknown = names(None);
        assert!(unknown.contains(&"PreToolUse") && !unknown.contains(&"PermissionRequest"));
    }

    #[test]
    fn timeouts_are_counted_as_the_agent_counts_them() {
        assert_eq!(GEMINI.in_unit(600), 600_000);
        assert_eq!(QWEN.in_unit(600), 600);
        for (profile, configured, milliseconds) in [
            (&GEMINI, Some(60.0), 60.0),
            (&QWEN, Some(999.0), 999_000.0),
            (&QWEN, Some(1_000.0), 1_000.0),
            (&CLAUDE, Some(1_000.0), 1_000_000.0),
            (&CODEX, None, 600_000.0),
        ] {
            let waits = profile.waits(configured);
            assert!((waits - milliseconds).abs() < f64::EPSILON, "{waits}");
        }
        let deciding = QWEN.events.iter().find(|event| event.decides).unwrap();
        assert_eq!(QWEN.timeout(deciding, Some(5_000)), 999);
    }
}
