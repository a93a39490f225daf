//! What a model may be told of a call: put together from what the call says,
//! what is known of it, the settings, and what happened before.

use countersign_core::agent::Agent;
use countersign_core::call::Call;
use countersign_core::decision::Decision;
use countersign_core::facts::Facts;
use countersign_core::projection::{McpForwarding, TooLong, project, project_past};
use countersign_core::prompt::Material;
use countersign_core::redact;
use countersign_core::transcript::{Entry, Fate, Transcript};

use crate::effects::effects;
use crate::guard::Guard;

/// Longest line of what is known of a call, in bytes.
const FACT_BYTES: usize = 1024;

/// Everything that a prompt about a call is made of.
///
/// # Errors
/// When a part of it that must never be cut is too long to be sent.
pub fn material(
    call: &Call,
    facts: &Facts,
    guard: &Guard,
    transcript: Transcript,
) -> Result<Material, TooLong> {
    let effective = &guard.effective;
    let pending = project(call, facts, &guard.policy, &forwarding(guard))?;
    Ok(Material {
        agent: name(call.key.agent).to_owned(),
        subagent: call.key.subagent.clone(),
        cwd: call.cwd.to_string(),
        workspaces: guard
            .policy
            .workspaces
            .iter()
            .map(ToString::to_string)
            .collect(),
        hints: effective.hints.clone(),
        environment: effective.environment.clone(),
        context_files: effective.context_files.clone(),
        transcript,
        facts: known(call, facts, guard),
        pending,
    })
}

/// An earlier call as a step of a transcript.
#[must_use]
pub fn past(call: &Call, facts: &Facts, guard: &Guard, fate: Fate) -> Entry {
    Entry::Call {
        id: String::new(),
        projection: project_past(call, facts, &guard.policy, &forwarding(guard)),
        fate,
        subagent: call.key.subagent.clone(),
    }
}

/// A call that was decided just now, as a step that can be settled later by the
/// guard's id of it.
pub(crate) fn decided(
    known_as: &str,
    call: &Call,
    facts: &Facts,
    guard: &Guard,
    decision: &Decision,
) -> Entry {
    let mut entry = past(call, facts, guard, fate(decision));
    if let Entry::Call { id, .. } = &mut entry {
        known_as.clone_into(id);
    }
    entry
}

/// What became of a call, as far as its decision says it.
const fn fate(decision: &Decision) -> Fate {
    use countersign_core::decision::Via;
    match decision {
        Decision::Allow { via, .. } => match via {
            Via::Approval | Via::Grant => Fate::Approved,
            Via::Rule
            | Via::AcceptEdits
            | Via::SafeTool
            | Via::Static
            | Via::Classifier
            | Via::Yolo
            | Via::Plan => Fate::Allowed,
        },
        Decision::Denied { .. } | Decision::Block { .. } => Fate::Denied,
        Decision::Ask { .. } => Fate::Asked,
    }
}

fn forwarding(guard: &Guard) -> McpForwarding {
    McpForwarding::new(guard.effective.mcp_forwarding.clone())
}

/// What the call would do as far as that is known without running it, and
/// which of it is protected.
fn known(call: &Call, facts: &Facts, guard: &Guard) -> Vec<String> {
    let mut lines = effects(call, facts);
    let paths = facts.operations.iter().flat_map(|operation| {
        let redirected = operation.command.iter().flat_map(|view| {
            view.commands
                .iter()
                .flat_map(|command| &command.redirects)
                .filter_map(|redirect| redirect.path.as_ref())
        });
        operation.paths.iter().chain(redirected)
    });
    for path in paths {
        if let Some(protected) = guard.policy.protected.check(path) {
            let line = format!("{} is protected: {}", path.canonical, protected.what);
            let line = redact::visible(&line);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines.truncate(MOST_FACTS);
    lines
        .iter()
        .map(|line| redact::bounded(&redact::mask(line), FACT_BYTES).into_owned())
        .collect()
}

/// Most lines of what is known of a call.
const MOST_FACTS: usize = 60;

/// The agent as people know it.
const fn name(agent: Agent) -> &'static str {
    match agent {
        Agent::ClaudeCode => "Claude Code",
        Agent::Qwen => "Qwen Code",
        Agent::Codex => "Codex",
        Agent::Gemini => "Gemini CLI",
        Agent::Opencode => "opencode",
        Agent::Cursor => "Cursor",
        Agent::Vscode => "GitHub Copilot in VS Code",
        Agent::Generic => "a coding agent",
    }
}
