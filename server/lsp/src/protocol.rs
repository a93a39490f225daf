//! Every message of ours, with its types: what `docs/protocol.md` and the
//! golden files in `tests/protocol/` are locked to.
//!
//! Names of fields are camelCase on the wire; what is optional may be left
//! out. Unknown fields are ignored in what comes in, so that an older server
//! understands a newer extension.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Methods from the client, notifications.
pub mod from_client {
    /// An agent in the editor wants to make a call; answered by
    /// `countersign/decision`.
    pub const TOOL_CALL: &str = "countersign/toolCall";
    /// A tool ran.
    pub const TOOL_RESULT: &str = "countersign/toolResult";
    /// The agent gave a call up.
    pub const CANCEL_TOOL_CALL: &str = "countersign/cancelToolCall";
    /// A person's message reached the agent.
    pub const USER_MESSAGE: &str = "countersign/userMessage";
    /// A session began or goes on.
    pub const SESSION_START: &str = "countersign/sessionStart";
    /// A session ended.
    pub const SESSION_END: &str = "countersign/sessionEnd";
}

/// Methods from the client, requests.
pub mod requests {
    /// A person chooses a mode.
    pub const SET_MODE: &str = "countersign/setMode";
    /// A person answers an approval.
    pub const RESOLVE_APPROVAL: &str = "countersign/resolveApproval";
    /// A person grants a denied call once.
    pub const GRANT: &str = "countersign/grant";
    /// A person resets a session's counters.
    pub const RESET_COUNTERS: &str = "countersign/resetCounters";
    /// A person trusts a folder or takes that back.
    pub const TRUST: &str = "countersign/trust";
    /// A person says that what is checked out in a workspace is trusted to
    /// execute.
    pub const SET_BASELINE: &str = "countersign/setBaseline";
    /// A person accepts what a workspace's settings loosen or dropped.
    pub const CONSENT: &str = "countersign/consent";
    /// What waits for a person.
    pub const PENDING_APPROVALS: &str = "countersign/pendingApprovals";
    /// The whole status.
    pub const STATUS: &str = "countersign/status";
    /// The sessions that are known.
    pub const SESSIONS: &str = "countersign/sessions";
    /// Why a call was decided as it was.
    pub const EXPLAIN: &str = "countersign/explain";
    /// What a call is, whole, for a surface that asks about it.
    pub const CALL: &str = "countersign/call";
    /// Rows of the journal.
    pub const JOURNAL: &str = "countersign/journal";
    /// The content of a document of ours (LSP 3.18).
    pub const TEXT_DOCUMENT_CONTENT: &str = "workspace/textDocumentContent";
    /// Those that take no parameters; an empty object is taken for none.
    pub(crate) const WITHOUT_PARAMETERS: [&str; 3] = [PENDING_APPROVALS, STATUS, SESSIONS];
}

/// Methods from the server; notifications, where nothing else is said.
pub mod from_server {
    /// The answer to a `countersign/toolCall`.
    pub const DECISION: &str = "countersign/decision";
    /// The whole status, when it changed.
    pub const STATUS: &str = "countersign/status";
    /// A person is asked.
    pub const APPROVAL_REQUESTED: &str = "countersign/approvalRequested";
    /// An approval is over.
    pub const APPROVAL_RESOLVED: &str = "countersign/approvalResolved";
    /// A short status for clients that know rust-analyzer's extension.
    pub const SERVER_STATUS: &str = "experimental/serverStatus";
    /// A request: fetch a document of ours anew (LSP 3.18).
    pub const TEXT_DOCUMENT_CONTENT_REFRESH: &str = "workspace/textDocumentContent/refresh";
}

/// Commands of `workspace/executeCommand`. Those that approve, grant or loosen
/// open a prompt, in which a click or key is needed.
pub mod commands {
    /// Approve a call: opens its prompt. Argument: the call's id.
    pub const APPROVE: &str = "countersign.server.approve";
    /// Deny a call at once. Arguments: the call's id, perhaps a message.
    pub const DENY: &str = "countersign.server.deny";
    /// Approve and remember: opens its prompt. Arguments: the id, the rule.
    pub const REMEMBER: &str = "countersign.server.remember";
    /// Grant a denied call once: opens a prompt. Argument: the call's id.
    pub const GRANT: &str = "countersign.server.grant";
    /// Explain a call. Argument: its id.
    pub const EXPLAIN: &str = "countersign.server.explain";
    /// Show the change that a call proposes. Argument: its id.
    pub const SHOW_CHANGE: &str = "countersign.server.showChange";
    /// Show a session's document. Argument: the session's name.
    pub const SHOW_SESSION: &str = "countersign.server.showSession";
    /// Show what waits, prompt by prompt.
    pub const SHOW_PENDING: &str = "countersign.server.showPending";
    /// Choose a mode; loosening opens a prompt. Arguments: the mode, perhaps a
    /// session's name.
    pub const SET_MODE: &str = "countersign.server.setMode";
    /// Reset the counters: opens a prompt. Argument: a session's name; all if
    /// left out.
    pub const RESET_COUNTERS: &str = "countersign.server.resetCounters";
    /// Trust a workspace: opens a prompt. Argument: its folder, if several.
    pub const TRUST: &str = "countersign.server.trust";
    /// Take what is checked out for trusted to execute: opens a prompt.
    /// Argument: the workspace's folder, if several.
    pub const SET_BASELINE: &str = "countersign.server.setBaseline";
    /// Accept what a workspace's settings loosen: opens a prompt.
    pub const CONSENT: &str = "countersign.server.consent";
    /// All of them, as they are advertised.
    pub const ALL: [&str; 13] = [
        APPROVE,
        DENY,
        REMEMBER,
        GRANT,
        EXPLAIN,
        SHOW_CHANGE,
        SHOW_SESSION,
        SHOW_PENDING,
        SET_MODE,
        RESET_COUNTERS,
        TRUST,
        SET_BASELINE,
        CONSENT,
    ];
}

/// Whether a field says nothing: what is optional is left out in both
/// directions, so that the golden files are read and written alike.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What a client declares in `capabilities.experimental.countersign`: an empty
/// object is enough. Such a client draws approvals itself, complete and
/// untruncated, and reports a person's acts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientExtension {
    /// What the client is: `vscode`, `neovim`; anything else counts as another
    /// editor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether the editor has a notion of trusting a workspace: then
    /// `trusted` says what it is, and no prompt of ours asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted: Option<bool>,
    /// Whether the client shows documents of the scheme `countersign:`.
    #[serde(skip_serializing_if = "is_default")]
    pub documents: bool,
}

/// A session on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionName {
    /// The agent, by its name on the command line.
    pub agent: String,
    /// The agent's own id of the conversation.
    pub session: String,
    /// The sub-agent, if it is one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subagent: Option<String>,
}

/// `countersign/toolCall`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolCallParams {
    /// The session.
    #[serde(flatten)]
    pub name: SessionName,
    /// The agent's id of the call; the decision carries it.
    pub call_id: String,
    /// The absolute folder that the call works in.
    pub cwd: String,
    /// The tool, by the agent's own name; for `generic` by the canonical one.
    pub tool: String,
    /// The tool's input.
    #[serde(default, skip_serializing_if = "is_default")]
    pub input: Value,
    /// Whether the agent is in its own plan mode.
    #[serde(default, skip_serializing_if = "is_default")]
    pub plan_mode: bool,
    /// How long an answer is of use, in milliseconds; 10 minutes at most, and
    /// if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// `countersign/toolResult`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolResultParams {
    /// The call as it was announced.
    #[serde(flatten)]
    pub call: ToolCallParams,
    /// Whether the tool failed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub failed: bool,
}

/// `countersign/cancelToolCall`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelToolCallParams {
    /// The session.
    #[serde(flatten)]
    pub name: SessionName,
    /// The agent's id of the call.
    pub call_id: String,
}

/// `countersign/userMessage`, `sessionStart`, `sessionEnd`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionEventParams {
    /// The session.
    #[serde(flatten)]
    pub name: SessionName,
    /// The absolute folder that the session works in.
    pub cwd: String,
    /// The person's message, for `userMessage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Denial counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    /// Blocks in a row.
    pub consecutive_block: u32,
    /// Missing answers of the classifier in a row.
    pub consecutive_unavailable: u32,
    /// Blocks of the session.
    pub total_block: u32,
    /// Missing answers of the session.
    pub total_unavailable: u32,
}

/// The caps that the counters run against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Of blocks in a row.
    pub consecutive_block: u32,
    /// Of missing answers in a row.
    pub consecutive_unavailable: u32,
    /// Of both in the session.
    pub total: u32,
}

/// What a model said, by whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// `fast` or `thinking`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The model's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The provider's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The provider's id of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The interface of its endpoint, as OpenTelemetry names it: `openai`,
    /// `anthropic`, `gcp.gemini`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The stages that were asked, in order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stages: Vec<ModelStage>,
    /// Why there is no answer, and what to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What one stage of a model said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelStage {
    /// `fast` or `thinking`.
    pub stage: String,
    /// `allow`, `block`, or why there is no answer: `timeout`, `transport` …
    pub verdict: String,
    /// How long it took with all its attempts, in milliseconds.
    pub millis: u64,
    /// How often the endpoint was asked.
    pub attempts: u32,
    /// The provider's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The provider's id of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Tokens that were read, with those from the cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Those of them that came from the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_tokens: Option<u64>,
    /// Tokens that were written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
}

/// `countersign/decision`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionParams {
    /// The session.
    #[serde(flatten)]
    pub name: SessionName,
    /// The agent's id of the call.
    pub call_id: String,
    /// The guard's id of the call; none where it has no opinion or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `allow`, `block`, or `none`: the agent's own dialog stands.
    pub decision: String,
    /// The layer of an allow, else the reason.
    pub reason: String,
    /// What the agent is to be told.
    pub message: String,
    /// Why a person was asked, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// `consecutive` or `total`, where a cap forced the asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_kind: Option<String>,
    /// The counters after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counters: Option<Counters>,
    /// What a model said, if one was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
}

/// A part of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// The part as it stands in the call; control and bidirectional characters
    /// are written as escapes.
    pub text: String,
    /// Whether it would be allowed by itself.
    pub fine: bool,
    /// By what, or what is in the way.
    pub why: String,
}

/// A part of an approval's text that causes an effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    /// Where it begins in `text`, in UTF-16 code units.
    pub start: usize,
    /// Where it ends, likewise; after the start.
    pub end: usize,
    /// Which of `effects` it causes, counted from 0, if that is listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<usize>,
    /// Whether it is why the call is not contained.
    pub asks: bool,
}

/// An approval that waits for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// The guard's id of the call.
    pub id: String,
    /// What an answer must carry. Keep it in memory only.
    pub nonce: String,
    /// The digest over the call and the files it names, in hexadecimal.
    pub digest: String,
    /// The session.
    #[serde(flatten)]
    pub name: SessionName,
    /// The canonical tool.
    pub tool: String,
    /// The folder that the call works in.
    pub cwd: String,
    /// The workspace of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// The mode in force.
    pub mode: String,
    /// Why a person is asked, from the closed set.
    pub reason: String,
    /// The same in plain words.
    pub why: String,
    /// What it was, in plain words: the rule with its place.
    pub detail: String,
    /// The whole call as it would run: command, or files with their changes;
    /// control and bidirectional characters are written as escapes.
    pub text: String,
    /// Its parts, and which were already fine.
    pub parts: Vec<Part>,
    /// What it would do, in plain words.
    pub effects: Vec<String>,
    /// The parts of `text` that cause it, in the order of the text; at most 200.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// Rules that may be remembered with it; empty if nothing may.
    pub suggestions: Vec<String>,
    /// `consecutive` or `total`, where a cap forced the asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_kind: Option<String>,
    /// The counters that hold for it.
    pub counters: Counters,
    /// Against these caps.
    pub limits: Limits,
    /// How often the same was asked before in this session.
    pub asked_before: u32,
    /// When it was asked, in milliseconds since 1970.
    pub asked_at: i64,
    /// When nobody can answer it any more, likewise.
    pub deadline: i64,
    /// What a model said, if one was asked before the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
    /// Whether the person wants to see it now: bring its prompt to the front.
    pub focus: bool,
}

/// `countersign/approvalResolved`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalResolvedParams {
    /// The guard's id of the call.
    pub id: String,
    /// The session.
    #[serde(flatten)]
    pub name: SessionName,
    /// `proceed_once`, `cancel`, `timeout` …; `void` if what was shown has
    /// changed and it is asked anew.
    pub answer: String,
    /// `allow` or `block`; none if void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
}

/// What a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChoiceKind {
    /// No.
    Deny,
    /// Yes, this time.
    Approve,
    /// Yes, and the rules are remembered.
    Remember,
    /// Yes, and the session goes on in default mode.
    ApproveAndSwitchToDefault,
    /// The prompt was closed.
    Dismiss,
}

/// Where a remembered rule goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RememberScope {
    /// The session.
    #[default]
    Session,
    /// The workspace's settings file.
    Project,
    /// The user's settings file.
    User,
}

/// `countersign/resolveApproval`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolveApprovalParams {
    /// The guard's id of the call.
    pub id: String,
    /// What the approval was shown with.
    pub nonce: String,
    /// What the person chose.
    pub choice: ChoiceKind,
    /// What the agent is told of a denial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The rules to remember, each one confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Where they go.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scope: RememberScope,
}

/// The result of `countersign/resolveApproval`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolveApprovalResult {
    /// `allow` or `block`.
    pub decision: String,
    /// What did not go as chosen: a rule that could not be remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// `countersign/setMode`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetModeParams {
    /// `plan`, `default`, `auto-edit`, `auto` or `yolo`.
    pub mode: String,
    /// The session; all sessions of this server if left out. Yolo is for one:
    /// left out, the only session that goes on, or the next if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionName>,
    /// The notice about auto mode was shown and accepted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub acknowledged: bool,
    /// Yolo was confirmed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub confirmed: bool,
}

/// The result of `countersign/setMode`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "result")]
pub enum SetModeResult {
    /// The mode is in force.
    Done,
    /// Show this first, and say `acknowledged` when the person accepts it.
    NeedsNotice {
        /// The text.
        text: String,
        /// The allow rules that are set aside in auto mode.
        #[serde(rename = "setAside")]
        set_aside: Vec<String>,
    },
    /// Ask the person, and say `confirmed` when they do.
    NeedsConfirmation {
        /// What to ask.
        text: String,
    },
}

/// `countersign/grant`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantParams {
    /// The guard's id of the denied call.
    pub id: String,
}

/// `countersign/resetCounters`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResetCountersParams {
    /// The session; all that are known if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionName>,
}

/// `countersign/trust`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustParams {
    /// The workspace's folder.
    pub folder: String,
    /// Whether it is trusted from now on.
    pub trusted: bool,
}

/// `countersign/setBaseline`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetBaselineParams {
    /// The workspace's canonical folder.
    pub folder: String,
    /// The commit that the person was shown, in hexadecimal: it must be what is
    /// checked out.
    pub commit: String,
    /// Whether the person also looked at everything else in the folder: then
    /// what agents wrote there before counts no more.
    pub work_tree: bool,
}

/// `countersign/consent`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsentParams {
    /// The workspace's folder.
    pub folder: String,
    /// The digest of what was shown.
    pub digest: String,
    /// What is consented to.
    pub what: ConsentTo,
}

/// What a person consents to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentTo {
    /// What the settings loosen.
    Loosening,
    /// That restrictions which left the settings are gone.
    Removal,
}

/// The result of `countersign/pendingApprovals`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingApprovalsResult {
    /// What waits, the oldest first.
    pub approvals: Vec<Approval>,
}

/// An entry of a workspace's settings that a person has a say in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The setting.
    pub key: String,
    /// The entry; control and bidirectional characters are written as escapes.
    pub text: String,
    /// Its file and line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// What is trusted to execute in a workspace: tasks and scripts as this commit
/// has them run without review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// The commit in hexadecimal; none: nothing is trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The commit that is checked out now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// Since when it is the baseline, in milliseconds since 1970.
    pub since: i64,
    /// Why it is this one, in plain words.
    pub by: String,
}

/// A workspace in the status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Workspace {
    /// Its canonical folder.
    pub folder: String,
    /// Whether it is trusted.
    pub trusted: bool,
    /// The mode that its sessions start in.
    pub mode: String,
    /// What would loosen and waits for consent.
    pub pending: Vec<Entry>,
    /// What was accepted and is in no file any more.
    pub withdrawn: Vec<Entry>,
    /// The digest to consent with; none if nothing waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_digest: Option<String>,
    /// Restrictions that left the settings and still hold.
    pub removed: Vec<Entry>,
    /// The digest to confirm their removal with; none if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal_digest: Option<String>,
    /// How many problems its settings have.
    pub problems: usize,
    /// What is trusted to execute, once a guarded call could have written
    /// something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
}

/// A session in the status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The session.
    #[serde(flatten)]
    pub name: SessionName,
    /// Its document.
    pub uri: String,
    /// The mode in force.
    pub mode: String,
    /// Its counters.
    pub counters: Counters,
    /// Against these caps.
    pub limits: Limits,
    /// The cap that makes the next call ask, if one is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub armed: Option<String>,
    /// How many of its approvals wait.
    pub pending: usize,
    /// The workspace it began in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// When it was first seen, in milliseconds since 1970.
    pub started: i64,
    /// When it was last seen, likewise.
    pub seen: i64,
    /// Whether the agent said that it ended.
    pub ended: bool,
    /// Whether asking is paused until a person acts.
    pub paused: bool,
    /// Allow rules that are set aside because of it.
    pub set_aside: Vec<String>,
    /// Whether another process decides its calls.
    pub elsewhere: bool,
}

/// The last decision, for a status line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastDecision {
    /// The guard's id of the call.
    pub id: String,
    /// The session.
    #[serde(flatten)]
    pub name: SessionName,
    /// The canonical tool.
    pub tool: String,
    /// `allow`, `block` or `ask`.
    pub decision: String,
    /// The layer of an allow, else the reason.
    pub reason: String,
    /// When, in milliseconds since 1970.
    pub time: i64,
}

/// How the guard does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// All is well.
    Ok,
    /// It guards, and something is not as it should be.
    Warning,
    /// It does not guard.
    Error,
}

/// Whether there is a classifier, and whether it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassifierState {
    /// None is configured.
    None,
    /// It answered its last question, or was not asked yet.
    Ready,
    /// It did not answer its last question.
    Unavailable,
}

/// The model that judges what nothing else decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Classifier {
    /// Whether there is one, and whether it answers.
    pub state: ClassifierState,
    /// The interface of its endpoint, by its name in the settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The model's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How long its last question took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_millis: Option<u64>,
    /// Why its last question had no answer, and what to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A part of the guard that can fail while the rest goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// The guard itself: it decides nothing, or only for tests.
    Guard,
    /// The state and its journal cannot be written.
    Journal,
    /// A settings file cannot be used.
    Settings,
    /// The socket over which agents' hooks reach the server.
    Socket,
    /// The model that judges what nothing else decides.
    Classifier,
    /// The user's hooks.
    Hooks,
    /// The export of telemetry.
    Export,
}

/// A part of the guard that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DegradedPart {
    /// Which one; settings may be there once for each workspace.
    pub part: Component,
    /// Since when, in milliseconds since 1970.
    pub since: i64,
    /// What is wrong and what to change, masked.
    pub why: String,
}

/// `countersign/status`: the whole state each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// How the guard does.
    pub health: Health,
    /// What is not as it should be, in plain words; empty if all is well.
    pub degraded: Vec<String>,
    /// The same by part, with the time since when, the one that matters most
    /// first; the classifier is among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub degraded_parts: Vec<DegradedPart>,
    /// The mode that new sessions of the first workspace start in.
    pub mode: String,
    /// Whether the person accepted the notice of auto mode once.
    #[serde(default, skip_serializing_if = "is_default")]
    pub auto_acknowledged: bool,
    /// How many approvals wait.
    pub pending: usize,
    /// The workspaces that are open.
    pub workspaces: Vec<Workspace>,
    /// The sessions that are known, the one seen last first.
    pub sessions: Vec<Session>,
    /// The last decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_decision: Option<LastDecision>,
    /// The model that judges what nothing else decides.
    pub classifier: Classifier,
    /// The server's version.
    pub version: String,
}

/// The result of `countersign/sessions`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionsResult {
    /// The sessions that are known, the one seen last first.
    pub sessions: Vec<Session>,
}

/// `countersign/explain`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainParams {
    /// The guard's id of the call.
    pub id: String,
}

/// The result of `countersign/explain`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainResult {
    /// Markdown; what agents wrote stands in code blocks that it cannot leave.
    pub markdown: String,
}

/// `countersign/call`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallParams {
    /// The guard's id of the call.
    pub id: String,
}

/// The result of `countersign/call`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallResult {
    /// The whole call: command, or files with their changes; control and
    /// bidirectional characters are written as escapes.
    pub text: String,
    /// Whether a model denied it, so that a person may grant it once.
    pub grantable: bool,
    /// The files that it would change, in the order of the call.
    pub changes: Vec<FileChange>,
}

/// What a call would do to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileChange {
    /// The canonical file.
    pub path: String,
    /// What is in the two sides.
    pub kind: FileChangeKind,
    /// What is there now, with escapes like `text`; none if it is not there, or
    /// cannot be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What would be there then, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What is in the two sides of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileChangeKind {
    /// The whole file, before and after it is written.
    Write,
    /// Only the part that changes: the rest is not known, or is not text.
    Part,
    /// The whole file, before it is deleted.
    Delete,
}

/// `countersign/journal`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JournalParams {
    /// Only of this session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Only with this decision: `allow`, `block`, `ask`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// At most this many rows, the newest; 100 if left out, 1,000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// The result of `countersign/journal`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JournalResult {
    /// The rows as `countersign log --json` prints them, the oldest first.
    pub rows: Vec<Value>,
}

/// `workspace/textDocumentContent` (LSP 3.18)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TextDocumentContentParams {
    /// The document.
    pub uri: String,
}

/// The result of `workspace/textDocumentContent` (LSP 3.18)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TextDocumentContentResult {
    /// The text.
    pub text: String,
}

/// `experimental/serverStatus`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerStatusParams {
    /// `ok`, `warning` or `error`.
    pub health: String,
    /// Whether nothing is going on.
    pub quiescent: bool,
    /// One line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
