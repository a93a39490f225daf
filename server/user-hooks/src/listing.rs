//! Every event with what it tells, what its hooks' ends mean, and what is
//! configured: for `countersign hooks` and the menus of editors.

use countersign_settings::{Effective, HookAction, HookEvent, UserHook, offered};
use serde::Serialize;

/// All events, and what is configured here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listing {
    /// Whether hooks are switched off.
    pub disabled: bool,
    /// The workspace that this is about.
    pub workspace: Option<String>,
    /// Whether that is trusted; hooks of one that is not are not read.
    pub trusted: bool,
    /// The events, in the order of the documentation.
    pub events: Vec<ListedEvent>,
    /// What is wrong with hooks in settings files.
    pub problems: Vec<String>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedEvent {
    /// The name.
    pub event: &'static str,
    /// When it happens.
    pub when: &'static str,
    /// What a matcher is compared with.
    pub matcher: &'static str,
    /// What its hooks are told.
    pub payload: Vec<Field>,
    /// What the exit status of a program means.
    pub exit_codes: Vec<ExitMeaning>,
    /// What is configured.
    pub hooks: Vec<ListedHook>,
}

/// A member of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
}

/// What an exit status means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ExitMeaning {
    /// The status.
    pub code: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// A hook that is configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedHook {
    /// The matcher; empty for all.
    pub matcher: String,
    /// `command` or `http`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The command line, or the server of the address.
    pub runs: String,
    /// How long it may take, in seconds.
    pub timeout: u64,
    /// Whose settings name it: `system`, `user` or `workspace`.
    pub scope: &'static str,
    /// Where it stands.
    pub place: String,
    /// `not needed`, `given`, or `waiting`: then it does not run.
    pub consent: &'static str,
}

const COMMON: &[Field] = &[
    field("hook_event_name", "the event"),
    field("agent", "the agent, such as claude-code"),
    field("session", "the agent's id of the session"),
    field("session_id", "the same, as agents' own hooks name it"),
    field("agent_id", "the sub-agent, or null"),
    field("cwd", "the folder that the session works in"),
    field("workspace", "the workspace of the session, or null"),
    field("permission_mode", "the mode in force"),
];

const OF_CALLS: &[Field] = &[
    field("tool_name", "the canonical tool"),
    field("raw_tool_name", "the tool as the agent names it"),
    field("tool_input", "the input of the tool, as the agent sent it"),
    field(
        "tool_input_omitted",
        "true where the call was too large to be told whole; else left out",
    ),
    field("tool_use_id", "the agent's id of the call, or null"),
    field("call", "Countersign's id of the call"),
    field("reason", "why: a name of a closed set"),
    field("detail", "the same in plain words"),
    field("counters", "the denial counters after the decision"),
    field(
        "model",
        "the model that judged the call; left out where none did",
    ),
];

const OF_REQUESTS: &[Field] = &[
    field("effects", "what the call would do, in plain words"),
    field("suggestions", "rules that would have allowed it"),
];

const OF_NOTIFICATIONS: &[Field] = &[
    field(
        "notification_type",
        "permission_prompt, degraded or unguarded",
    ),
    field("message", "what to tell the person"),
];

const OF_STARTS: &[Field] = &[field("source", "how it began, in the agent's words")];

const OF_ENDS: &[Field] = &[field("reason", "why, in the agent's words")];

const fn field(name: &'static str, what: &'static str) -> Field {
    Field { name, what }
}

const fn code(code: &'static str, meaning: &'static str) -> ExitMeaning {
    ExitMeaning { code, meaning }
}

const TELLS: &[ExitMeaning] = &[
    code("0", "fine"),
    code(
        "other",
        "what it wrote to standard error is shown to the person",
    ),
];

const ANSWERS: &[ExitMeaning] = &[
    code(
        "0",
        "standard output may hold an answer: allow or deny, with a message",
    ),
    code(
        "2",
        "deny; what it wrote to standard error is told to the agent",
    ),
    code(
        "other",
        "no answer; what it wrote to standard error is shown to the person",
    ),
];

/// What there is, and what is configured.
#[must_use]
pub fn list(effective: &Effective) -> Listing {
    Listing {
        disabled: effective.disable_all_hooks,
        workspace: effective.workspace.as_ref().map(ToString::to_string),
        trusted: effective.trusted,
        events: HookEvent::ALL
            .into_iter()
            .map(|event| listed(event, effective))
            .collect(),
        problems: effective
            .problems
            .iter()
            .filter(|problem| problem.message.contains("hooks"))
            .map(ToString::to_string)
            .collect(),
    }
}

fn listed(event: HookEvent, effective: &Effective) -> ListedEvent {
    let (when, matcher, more, exit_codes): (_, _, &[&[Field]], _) = match event {
        HookEvent::PermissionDenied => (
            "the classifier blocked a call, or gave no answer; nobody waits for the hook",
            "the tool: its canonical name or an alias",
            &[OF_CALLS],
            TELLS,
        ),
        HookEvent::PermissionRequest => (
            "a person must be asked about a call; the hook may answer first",
            "the tool: its canonical name or an alias",
            &[OF_CALLS, OF_REQUESTS],
            ANSWERS,
        ),
        HookEvent::Notification => (
            "something waits for a person, or is not as it should be",
            "the notification_type",
            &[OF_NOTIFICATIONS],
            TELLS,
        ),
        HookEvent::SessionStart => (
            "a session of an agent began or goes on",
            "the source, such as startup or resume",
            &[OF_STARTS],
            TELLS,
        ),
        HookEvent::SessionEnd => (
            "a session of an agent ended",
            "the reason",
            &[OF_ENDS],
            TELLS,
        ),
    };
    let counting = effective
        .hooks
        .iter()
        .filter(|hook| hook.event == event)
        .map(counted);
    let waiting = effective.pending_consent.iter().filter_map(|entry| {
        let (of, matcher, action, timeout) = offered(entry)?;
        let place = match (&entry.file, entry.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            (Some(file), None) => file.to_string(),
            (None, _) => "the settings of the editor".to_owned(),
        };
        (of == event).then(|| ListedHook {
            matcher: matcher.as_str().to_owned(),
            kind: action.kind(),
            runs: action.shown(),
            timeout: timeout.as_secs(),
            scope: "workspace",
            place,
            consent: "waiting",
        })
    });
    ListedEvent {
        event: event.as_str(),
        when,
        matcher,
        payload: [COMMON]
            .iter()
            .chain(more)
            .flat_map(|fields| fields.iter().copied())
            .collect(),
        exit_codes: exit_codes.to_vec(),
        hooks: counting.chain(waiting).collect(),
    }
}

fn counted(hook: &UserHook) -> ListedHook {
    let action: &HookAction = &hook.action;
    ListedHook {
        matcher: hook.matcher.as_str().to_owned(),
        kind: action.kind(),
        runs: action.shown(),
        timeout: hook.timeout.as_secs(),
        scope: hook.scope(),
        place: hook.place(),
        consent: if hook.is_of_workspace() {
            "given"
        } else {
            "not needed"
        },
    }
}
