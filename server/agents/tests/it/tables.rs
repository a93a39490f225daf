//! Which raw names are safe tools is a promise: changing it is a change of the
//! product.

use countersign_agents::{decode, tool_names};
use countersign_core::agent::Agent;
use countersign_core::tool::Tool;
use serde_json::json;

use crate::captures::{AGENTS, call_of, captures};

#[test]
fn the_names_of_safe_tools_are_frozen() {
    let safe = |agent| -> Vec<&str> {
        tool_names(agent)
            .filter(|(_, tool)| tool.is_safe())
            .map(|(raw, _)| raw)
            .collect()
    };
    assert_eq!(
        safe(Agent::ClaudeCode),
        [
            "Read",
            "NotebookRead",
            "Grep",
            "Glob",
            "LS",
            "LSP",
            "TodoWrite",
            "TaskCreate",
            "TaskUpdate",
            "TaskList",
            "TaskGet",
            "ToolSearch",
            "TaskStop",
            "KillShell",
            "KillBash",
            "StructuredOutput",
            "CronList",
        ]
    );
    assert_eq!(
        safe(Agent::Qwen),
        [
            "read_file",
            "zoom_image",
            "read_many_files",
            "grep_search",
            "glob",
            "list_directory",
            "lsp",
            "todo_write",
            "tool_search",
            "task_stop",
            "structured_output",
            "cron_list",
        ]
    );
    assert_eq!(
        safe(Agent::Codex),
        ["view_image", "update_plan", "tool_search"]
    );
    assert_eq!(
        safe(Agent::Gemini),
        [
            "read_file",
            "read_many_files",
            "grep_search",
            "search_file_content",
            "glob",
            "list_directory",
            "write_todos",
            "complete_task",
        ]
    );
    assert_eq!(
        safe(Agent::Opencode),
        [
            "read",
            "grep",
            "glob",
            "list",
            "lsp",
            "todowrite",
            "todoread",
            "invalid",
        ]
    );
    assert_eq!(safe(Agent::Cursor), ["Read", "Grep"]);
    assert_eq!(
        safe(Agent::Vscode),
        [
            "read_file",
            "grep_search",
            "semantic_search",
            "file_search",
            "list_dir",
            "manage_todo_list",
            "view",
            "grep",
            "rg",
            "glob",
            "update_todo",
            "Read",
            "Grep",
            "Glob",
            "TodoWrite",
        ]
    );
    assert_eq!(
        safe(Agent::Generic),
        [
            "read_file",
            "read_many_files",
            "grep_search",
            "glob",
            "list_directory",
            "lsp",
            "todo_write",
            "tool_search",
            "task_stop",
            "structured_output",
            "cron_list",
        ]
    );
}

#[test]
fn a_name_stands_once_and_is_no_mcp_name() {
    for (agent, _) in AGENTS {
        let names: Vec<&str> = tool_names(agent).map(|(raw, _)| raw).collect();
        let mut unique = names.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), names.len(), "{agent}");
        for name in names {
            assert!(
                !name.contains("__") && !name.starts_with("mcp_"),
                "{agent} {name}"
            );
        }
    }
}

#[test]
fn every_built_in_tool_has_a_capture() {
    for (agent, folder) in AGENTS {
        let captures = captures(folder);
        for (raw, _) in tool_names(agent) {
            let found = [
                "PreToolUse",
                "BeforeTool",
                "tool.execute.before",
                "preToolUse",
                "before_tool",
            ]
            .iter()
            .any(|event| captures.contains_key(&format!("{event}-{raw}")));
            assert!(found, "{agent} {raw}");
        }
    }
}

fn tool_of(agent: Agent, name: &str, more: &serde_json::Value) -> Tool {
    let event = match agent {
        Agent::Gemini => "BeforeTool",
        Agent::Opencode => "tool.execute.before",
        _ => "PreToolUse",
    };
    let mut payload = json!({
        "session_id": "s", "cwd": "/w", "tool_name": name, "tool_input": {"file_path": "/w/a"},
    });
    payload
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let event = decode(agent, event, payload.to_string().as_bytes()).unwrap();
    call_of(&event)
        .unwrap()
        .operations
        .first()
        .unwrap()
        .tool
        .clone()
}

#[test]
fn names_are_exact() {
    for (agent, name) in [
        (Agent::ClaudeCode, "read"),
        (Agent::ClaudeCode, "Read "),
        (Agent::ClaudeCode, "read_file"),
        (Agent::ClaudeCode, "Rеad"),
        (Agent::ClaudeCode, "mcp__"),
        (Agent::Qwen, "Read"),
        (Agent::Qwen, "read_File"),
        (Agent::Codex, "read_file"),
        (Agent::Gemini, "Read"),
    ] {
        let tool = tool_of(agent, name, &json!({}));
        assert_eq!(tool, Tool::Other(name.to_owned()), "{agent}");
        assert!(!tool.is_safe());
    }
}

#[test]
fn what_could_be_an_mcp_tool_is_one() {
    let context = json!({"mcp_context": {"server_name": "files", "tool_name": "read_file"}});
    for (agent, name, more, canonical) in [
        (
            Agent::ClaudeCode,
            "mcp__files__read_file",
            json!({}),
            "mcp__files__read_file",
        ),
        (Agent::ClaudeCode, "mcp__files", json!({}), "mcp__files"),
        (
            Agent::Qwen,
            "mcp__files__read__all",
            json!({}),
            "mcp__files__read__all",
        ),
        (
            Agent::Codex,
            "mcp__files__read_file",
            json!({}),
            "mcp__files__read_file",
        ),
        (
            Agent::Gemini,
            "mcp_files_read_file",
            json!({}),
            "mcp__files__read_file",
        ),
        (
            Agent::Gemini,
            "mcp__files__read_file",
            json!({}),
            "mcp__files__read_file",
        ),
        (
            Agent::Gemini,
            "files__read_file",
            json!({}),
            "mcp__files__read_file",
        ),
        (Agent::Gemini, "mcp_files", json!({}), "mcp__files"),
        // A server may call its tool as it likes.
        (
            Agent::Gemini,
            "read_file",
            context.clone(),
            "mcp__files__read_file",
        ),
        (
            Agent::Gemini,
            "files_read_file",
            context,
            "mcp__files__read_file",
        ),
    ] {
        let tool = tool_of(agent, name, &more);
        assert!(matches!(tool, Tool::Mcp { .. }), "{agent} {name}");
        assert_eq!(tool.to_string(), canonical, "{agent} {name}");
    }
}
