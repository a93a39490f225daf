//! Calls of an agent that runs inside an editor: they come through the
//! editor's extension instead of a hook, in the agent's own words.

use camino::Utf8Path;
use countersign_core::agent::Agent;
use countersign_core::call::{Call, SessionKey};
use serde_json::{Map, Value};

use crate::adapter;
use crate::decode;
use crate::error::DecodeError;
use crate::fields::Fields;

/// A call as an extension reports it.
#[derive(Debug, Clone, Copy)]
pub struct EditorCall<'a> {
    /// The session, from [`editor_session`].
    pub key: &'a SessionKey,
    /// The agent's id of the call.
    pub id: &'a str,
    /// The folder that the call works in.
    pub cwd: &'a str,
    /// The tool by the agent's own name; by the canonical one for
    /// [`Agent::Generic`].
    pub tool: &'a str,
    /// The tool's input.
    pub input: &'a Value,
    /// Whether the agent is in its own plan mode.
    pub plan_mode: bool,
}

/// The session of an agent in an editor.
///
/// # Errors
/// When an id is empty, too long or holds control characters.
pub fn editor_session(
    agent: Agent,
    session: &str,
    subagent: Option<&str>,
) -> Result<SessionKey, DecodeError> {
    let mut payload = Map::new();
    payload.insert("session_id".to_owned(), session.into());
    if let Some(subagent) = subagent {
        payload.insert("agent_id".to_owned(), subagent.into());
    }
    decode::session(agent, Fields::payload(&payload))
}

/// The folder of a session of an agent in an editor.
///
/// # Errors
/// When it is no absolute path.
pub fn editor_folder(cwd: &str) -> Result<camino::Utf8PathBuf, DecodeError> {
    let mut payload = Map::new();
    payload.insert("cwd".to_owned(), cwd.into());
    decode::folder(Fields::payload(&payload))
}

/// The call of an agent in an editor.
///
/// # Errors
/// When anything about it is not understood; the call is blocked then.
pub fn editor_call(given: &EditorCall<'_>) -> Result<Call, DecodeError> {
    let adapter = adapter::adapter(given.key.agent);
    let mut payload = Map::new();
    payload.insert("tool_name".to_owned(), given.tool.into());
    payload.insert("tool_input".to_owned(), given.input.clone());
    if let Some(field) = adapter.call_id.first() {
        payload.insert((*field).to_owned(), given.id.into());
    }
    if given.plan_mode {
        payload.insert("permission_mode".to_owned(), "plan".into());
    }
    let cwd = editor_folder(given.cwd)?;
    decode::call(adapter, &payload, given.key, Utf8Path::new(&cwd))
}

#[cfg(test)]
mod tests {
    use countersign_core::mode::AgentMode;
    use countersign_core::tool::Tool;
    use serde_json::json;

    use super::*;

    fn call(agent: Agent, tool: &str, input: &Value) -> Result<Call, DecodeError> {
        let key = editor_session(agent, "s", None)?;
        editor_call(&EditorCall {
            key: &key,
            id: "c1",
            cwd: "/work",
            tool,
            input,
            plan_mode: true,
        })
    }

    #[test]
    fn an_agent_in_the_editor_speaks_in_its_own_words() {
        let input = json!({ "command": "ls" });
        let claude = call(Agent::ClaudeCode, "Bash", &input).unwrap();
        let generic = call(Agent::Generic, "run_shell_command", &input).unwrap();
        for call in [claude, generic] {
            assert_eq!(call.operations[0].tool, Tool::RunShellCommand);
            assert_eq!(call.id.as_deref(), Some("c1"));
            assert_eq!(call.agent_mode, AgentMode::Plan);
        }
    }

    #[test]
    fn what_is_not_understood_names_the_field() {
        let error = call(Agent::ClaudeCode, "Bash", &json!({})).unwrap_err();
        assert!(error.to_string().contains("command"), "{error}");
        let error = editor_session(Agent::Qwen, "", None).unwrap_err();
        assert!(error.to_string().contains("session_id"), "{error}");
        let error = editor_folder("work").unwrap_err();
        assert!(error.to_string().contains("cwd"), "{error}");
    }
}
