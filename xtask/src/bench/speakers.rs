//! What each agent says before it reads a file, and how it is told that it may.

use serde_json::{Value, json};

use super::ground::{Ground, call_id};

/// An agent, as its hook knows it.
pub(super) struct Speaker {
    pub(super) name: &'static str,
    pub(super) event: &'static str,
    /// The tool and the input's field that name the file.
    tool: &'static str,
    field: &'static str,
    /// What a yes contains; nothing for Codex, where a word would be a failure.
    yes: &'static str,
}

const ALLOWED: &str = "\"permissionDecision\":\"allow\"";
const DECIDED: &str = "\"decision\":\"allow\"";

pub(super) const SPEAKERS: [Speaker; 8] = [
    speaker("claude-code", "PreToolUse", "Read", "file_path", ALLOWED),
    speaker("qwen", "PreToolUse", "read_file", "file_path", ALLOWED),
    speaker("codex", "PreToolUse", "view_image", "path", ""),
    speaker("gemini", "BeforeTool", "read_file", "file_path", DECIDED),
    speaker(
        "opencode",
        "tool.execute.before",
        "read",
        "filePath",
        DECIDED,
    ),
    speaker(
        "cursor",
        "preToolUse",
        "Read",
        "file_path",
        "\"permission\":\"allow\"",
    ),
    speaker("vscode", "PreToolUse", "read_file", "filePath", ALLOWED),
    speaker("generic", "before_tool", "read_file", "file_path", DECIDED),
];

const fn speaker(
    name: &'static str,
    event: &'static str,
    tool: &'static str,
    field: &'static str,
    yes: &'static str,
) -> Speaker {
    Speaker {
        name,
        event,
        tool,
        field,
        yes,
    }
}

impl Speaker {
    /// What it says before it reads a file of the workspace. Two events with one
    /// number are one call.
    pub(super) fn reads(&self, ground: &Ground, session: usize, number: usize) -> Value {
        let session = format!("00000000-0000-4000-8000-{session:012}");
        let cwd = &ground.workspace;
        let input = json!({ self.field: cwd.join("src/lib.rs") });
        let (tool, id) = (self.tool, call_id(number));
        match self.name {
            "cursor" => json!({
                "conversation_id": session,
                "generation_id": id,
                "hook_event_name": self.event,
                "cursor_version": "3.2.1",
                "workspace_roots": [cwd],
                "cwd": cwd,
                "tool_name": tool,
                "tool_input": input,
                "tool_use_id": id,
            }),
            "vscode" => json!({
                "sessionId": session,
                "hookEventName": self.event,
                "cwd": cwd,
                "tool_name": tool,
                "tool_input": input,
                "tool_use_id": id,
            }),
            "generic" => json!({
                "version": 1,
                "event": self.event,
                "session": session,
                "cwd": cwd,
                "tool": tool,
                "input": input,
                "call": id,
            }),
            _ => {
                let mut said = json!({
                    "session_id": session,
                    "hook_event_name": self.event,
                    "cwd": cwd,
                    "tool_name": tool,
                    "tool_input": input,
                    "tool_use_id": id,
                });
                if self.name == "opencode" {
                    said["countersign_plugin"] = json!(1);
                    said["permission_mode"] = json!("build");
                }
                said
            }
        }
    }

    /// Whether it was told yes, in the words that it takes for one.
    pub(super) fn may(&self, exit: Option<i32>, printed: &str) -> bool {
        exit == Some(0)
            && printed.contains(self.yes)
            && (!self.yes.is_empty() || printed.is_empty())
    }
}
