//! Who really sent a payload. Hooks that are installed for one agent are also
//! loaded by others (Claude Code's by VS Code and Cursor); their tool names
//! and inputs would be misread.

use countersign_core::agent::Agent;
use serde_json::{Map, Value};

use crate::error::DecodeError;

/// Fields that only one agent sends: one that can be read, or another.
const SIGNS: &[(&[&str], Result<Agent, &str>)] = &[
    (&["cursor_version"], Ok(Agent::Cursor)),
    (&["conversation_id"], Ok(Agent::Cursor)),
    (&["generation_id"], Ok(Agent::Cursor)),
    (&["workspace_roots"], Ok(Agent::Cursor)),
    (&["countersign_plugin"], Ok(Agent::Opencode)),
    (&["clineVersion"], Err("Cline")),
    (&["hookName", "taskId"], Err("Cline")),
    (&["sessionId"], Ok(Agent::Vscode)),
    (&["hookEventName"], Ok(Agent::Vscode)),
    (&["toolName", "toolArgs"], Ok(Agent::Vscode)),
];

/// Where each agent keeps its conversations.
const TRANSCRIPTS: &[(&str, Agent)] = &[
    ("/.claude/", Agent::ClaudeCode),
    ("/.qwen/", Agent::Qwen),
    ("/.codex/", Agent::Codex),
    ("/.gemini/", Agent::Gemini),
];

/// The agent that certainly sent the payload, if that is another one than the
/// hook is for.
///
/// # Errors
/// When it is one whose payloads cannot be read.
pub(crate) fn sender(
    agent: Agent,
    payload: &Map<String, Value>,
) -> Result<Option<Agent>, DecodeError> {
    let has = |field: &&str| payload.get(*field).is_some_and(|value| !value.is_null());
    let by_sign = SIGNS.iter().find(|(fields, _)| fields.iter().all(has));
    let sender = match by_sign {
        Some((_, Ok(sender))) => Some(*sender),
        Some((_, Err(caller))) => return Err(DecodeError::ForeignPayload { caller, agent }),
        None => by_habit(payload),
    };
    Ok(sender.filter(|sender| *sender != agent))
}

/// The agent by what it alone does with fields that others have too.
fn by_habit(payload: &Map<String, Value>) -> Option<Agent> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(agent: Agent, payload: &Value) -> Result<Option<Agent>, DecodeError> {
        sender(agent, payload.as_object().unwrap())
    }

    #[test]
    fn payloads_of_others_are_noticed() {
        for (payload, caller) in [
            (
                json!({"conversation_id": "c", "hook_event_name": "preToolUse"}),
                Agent::Cursor,
            ),
            (json!({"workspace_roots": []}), Agent::Cursor),
            (
                json!({"sessionId": "s", "hookEventName": "PreToolUse", "tool_name": "read_file"}),
                Agent::Vscode,
            ),
            (json!({"toolName": "bash", "toolArgs": "{}"}), Agent::Vscode),
            (json!({"turn_id": "t", "model": "m"}), Agent::Codex),
            (
                json!({"transcript_path": "/home/u/.qwen/projects/p/chats/s.jsonl"}),
                Agent::Qwen,
            ),
            (
                json!({"transcript_path": "/home/u/.claude/x/.gemini/tmp/chats/s.jsonl"}),
                Agent::Gemini,
            ),
        ] {
            assert_eq!(sent(Agent::ClaudeCode, &payload), Ok(Some(caller)));
            assert_eq!(sent(caller, &payload), Ok(None));
        }
    }

    #[test]
    fn a_sender_that_cannot_be_read_is_refused_by_name() {
        let payload = json!({"clineVersion": "3", "hookName": "PreToolUse"});
        assert_eq!(
            sent(Agent::ClaudeCode, &payload).unwrap_err().to_string(),
            "this is Cline's payload; the hook that was called is for claude-code"
        );
    }

    #[test]
    fn what_is_not_certain_passes() {
        for payload in [
            json!({}),
            json!({"transcript_path": null, "model": "m"}),
            json!({"transcript_path": "/srv/agent/.claude/projects/-x--qwen/s.jsonl"}),
            json!({"conversation_id": null}),
        ] {
            assert_eq!(sent(Agent::ClaudeCode, &payload), Ok(None));
        }
    }
}
