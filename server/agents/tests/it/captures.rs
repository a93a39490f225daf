//! Every payload of the real agents' shape decodes to what it means.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use countersign_agents::{EventKind, HookEvent, decode};
use countersign_core::agent::Agent;
use countersign_core::call::Call;
use serde_json::Value;

pub(crate) const AGENTS: [(Agent, &str); 8] = [
    (Agent::ClaudeCode, "claude"),
    (Agent::Qwen, "qwen"),
    (Agent::Codex, "codex"),
    (Agent::Gemini, "gemini"),
    (Agent::Opencode, "opencode"),
    (Agent::Cursor, "cursor"),
    (Agent::Vscode, "vscode"),
    (Agent::Generic, "generic"),
];

/// The captures of an agent by name, which begins with the event.
pub(crate) fn captures(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/captures")
        .join(folder);
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect()
}

/// The event that a capture is of.
pub(crate) fn event_name(capture: &str) -> &str {
    capture.split('-').next().unwrap()
}

/// The call of an event, if it has one.
pub(crate) fn call_of(event: &HookEvent) -> Option<&Call> {
    match &event.kind {
        EventKind::Call { call, .. }
        | EventKind::AgentDenied { call, .. }
        | EventKind::Result { call, .. } => Some(call),
        EventKind::UserMessage { .. }
        | EventKind::SessionStart { .. }
        | EventKind::SessionEnd { .. }
        | EventKind::TurnEnd
        | EventKind::Other => None,
    }
}

#[test]
fn every_capture_means_what_is_written_down() {
    for (agent, folder) in AGENTS {
        let mut shown = String::new();
        for (name, bytes) in captures(folder) {
            let event = decode(agent, event_name(&name), &bytes)
                .unwrap_or_else(|error| panic!("{folder}/{name}: {error}"));
            let payload: Value = serde_json::from_slice(&bytes).unwrap();
            show(&mut shown, &name, &event);
            if let Some(call) = call_of(&event) {
                // The others write them in forms of their own.
                if !matches!(agent, Agent::Cursor | Agent::Vscode | Agent::Generic) {
                    assert_eq!(call.raw_input, payload["tool_input"], "{name}");
                    assert_eq!(call.raw_tool, payload["tool_name"], "{name}");
                }
                assert_eq!(call.key, event.key, "{name}");
                assert!(!call.operations.is_empty(), "{name}");
            }
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(folder, shown));
    }
}

fn show(out: &mut String, name: &str, event: &HookEvent) {
    let transcript = event
        .transcript_path
        .as_ref()
        .map_or("-", |path| path.as_str());
    writeln!(
        out,
        "## {name}\n{} in {}, {transcript}",
        event.key, event.cwd
    )
    .unwrap();
    match &event.kind {
        EventKind::Call { stage, .. } => writeln!(out, "call: {stage:?}"),
        EventKind::AgentDenied { reason, .. } => writeln!(out, "denied by the agent: {reason}"),
        EventKind::Result { failed, .. } => writeln!(out, "result: failed {failed}"),
        other => writeln!(out, "{other:?}"),
    }
    .unwrap();
    if let Some(call) = call_of(event) {
        writeln!(
            out,
            "id {:?}, mode {:?}, cwd {}",
            call.id, call.agent_mode, call.cwd
        )
        .unwrap();
        for operation in &call.operations {
            writeln!(out, "- {}: {:?}", operation.tool, operation.subject).unwrap();
        }
        for (name, value) in &call.operations.first().unwrap().parameters {
            writeln!(out, "  {name} = {value:?}").unwrap();
        }
    }
    out.push('\n');
}
