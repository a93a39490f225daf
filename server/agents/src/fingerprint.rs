//! Who really sent a payload. Hooks that are installed for one agent are also
//! loaded by others (Claude Code's by VS Code and Cursor); their tool names
//! and inputs would be misread.

use countersign_core::agent::Agent;
use serde_json::{Map, Value};

use crate::adapter;
use crate::error::DecodeError;

/// Fields that no supported agent sends, and who does.
const FOREIGN: &[(&[&str], &str)] = &[
    (&["cursor_version"], "Cursor"),
    (&["conversation_id"], "Cursor"),
    (&["generation_id"], "Cursor"),
    (&["workspace_roots"], "Cursor"),
    (&["sessionId"], "VS Code"),
    (&["hookEventName"], "VS Code"),
    (&["toolName", "toolArgs"], "Copilot CLI"),
    (&["clineVersion"], "Cline"),
    (&["hookName", "taskId"], "Cline"),
];

/// Where each agent keeps its conversations.
const TRANSCRIPTS: &[(&str, Agent)] = &[
    ("/.claude/", Agent::ClaudeCode),
    ("/.qwen/", Agent::Qwen),
    ("/.codex/", Agent::Codex),
    ("/.gemini/", Agent::Gemini),
];

/// Refuses a payload that is certainly another agent's.
pub(crate) fn check(agent: Agent, payload: &Map<String, Value>) -> Result<(), DecodeError> {
    let foreign = |caller| Err(DecodeError::ForeignPayload { caller, agent });
    let has = |field: &&str| payload.get(*field).is_some_and(|value| !value.is_null());
    if let Some((_, caller)) = FOREIGN.iter().find(|(fields, _)| fields.iter().all(has)) {
        return foreign(caller);
    }
    match sender(payload) {
        Some(sender) if sender != agent => foreign(title(sender)),
        Some(_) | None => Ok(()),
    }
}

/// The supported agent that certainly sent the payload.
fn sender(payload: &Map<String, Value>) -> Option<Agent> {
    if payload.contains_key("turn_id") && payload.contains_key("model") {
        return Some(Agent::Codex);
    }
    let transcript = payload.get("transcript_path")?.as_str()?;
    // The innermost folder counts: an agent's home may lie in another's.
    TRANSCRIPTS
        .iter()
        .filter_map(|(folder, agent)| Some((transcript.rfind(folder)?, *agent)))
        .max_by_key(|(position, _)| *position)
        .map(|(_, agent)| agent)
}

fn title(agent: Agent) -> &'static str {
    adapter::adapter(agent).map_or(agent.as_str(), |adapter| adapter.title)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(agent: Agent, payload: &Value) -> String {
        check(agent, payload.as_object().unwrap())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn payloads_of_others_are_named() {
        let cases = [
            (
                json!({"conversation_id": "c", "hook_event_name": "preToolUse"}),
                "Cursor",
            ),
            (json!({"workspace_roots": []}), "Cursor"),
            (
                json!({"sessionId": "s", "hookEventName": "PreToolUse", "tool_name": "read_file"}),
                "VS Code",
            ),
            (json!({"toolName": "bash", "toolArgs": "{}"}), "Copilot CLI"),
            (
                json!({"clineVersion": "3", "hookName": "PreToolUse"}),
                "Cline",
            ),
            (json!({"turn_id": "t", "model": "m"}), "Codex"),
            (
                json!({"transcript_path": "/home/u/.qwen/projects/p/chats/s.jsonl"}),
                "Qwen Code",
            ),
            (
                json!({"transcript_path": "/home/u/.claude/x/.gemini/tmp/chats/s.jsonl"}),
                "Gemini CLI",
            ),
        ];
        for (payload, caller) in cases {
            assert_eq!(
                refused(Agent::ClaudeCode, &payload),
                format!("this is {caller}'s payload; the hook that was called is for claude-code")
            );
        }
    }

    #[test]
    fn what_is_not_certain_passes() {
        for payload in [
            json!({}),
            json!({"transcript_path": null, "model": "m"}),
            json!({"transcript_path": "/srv/agent/.claude/projects/-x--qwen/s.jsonl"}),
            json!({"conversation_id": null}),
        ] {
            assert_eq!(
                check(Agent::ClaudeCode, payload.as_object().unwrap()),
                Ok(())
            );
        }
    }
}
