//! What a model may be told of a call: put together from what the call says,
//! what is known of it, the settings, and what happened before.

use std::collections::HashSet;

use countersign_core::agent::Agent;
use countersign_core::call::Call;
use countersign_core::decision::Decision;
use countersign_core::facts::Facts;
use countersign_core::guard;
use countersign_core::paths::PathFact;
use countersign_core::projection::{McpForwarding, TooLong, project, project_past};
use countersign_core::prompt::Material;
use countersign_core::redact;
use countersign_core::transcript::{Entry, Fate, Transcript};
use countersign_guard::Guard;

use crate::effects::all_effects;

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
/// before that which of it is protected: many harmless effects push no
/// protected path out.
fn known(call: &Call, facts: &Facts, guard: &Guard) -> Vec<String> {
    let protected = protected(facts, &|path| {
        let protected = guard.policy.protected.check(path)?;
        Some(protected.what)
    });
    bounded_facts(protected, all_effects(call, facts))
}

/// One line for each protected path that the call would change.
fn protected(facts: &Facts, what: &dyn Fn(&PathFact) -> Option<String>) -> Vec<String> {
    let mut told = HashSet::new();
    let mut lines = Vec::new();
    let mut look = |path: &PathFact| {
        if let Some(what) = what(path) {
            let line = redact::visible(&format!("{} is protected: {what}", path.canonical));
            if told.insert(line.clone()) {
                lines.push(line);
            }
        }
    };
    for operation in &facts.operations {
        operation.paths.iter().for_each(&mut look);
        for command in operation.command.iter().flat_map(|view| &view.commands) {
            let redirects = command.redirects.iter();
            redirects
                .filter_map(|redirect| redirect.path.as_ref())
                .for_each(&mut look);
            let Some(access) = guard::changes_its_operands(command) else {
                continue;
            };
            for operand in &command.operands {
                look(&PathFact {
                    access: guard::changes_operand(command, access, operand.word),
                    ..operand.path.clone()
                });
            }
        }
    }
    lines
}

/// The lines within their bounds, with a mark for what was left out.
fn bounded_facts(protected: Vec<String>, effects: Vec<String>) -> Vec<String> {
    let protected = first(protected, MOST_PROTECTED, "more protected paths");
    let room = MOST_FACTS - protected.len();
    let lines = protected
        .into_iter()
        .chain(first(effects, room, "more effects"));
    lines
        .map(|line| redact::bounded(&redact::mask(&line), FACT_BYTES).into_owned())
        .collect()
}

/// The first lines; of more than `most` the last says how many there are.
fn first(mut lines: Vec<String>, most: usize, what: &str) -> Vec<String> {
    if lines.len() > most {
        let kept = most.saturating_sub(1);
        let more = lines.len() - kept;
        lines.truncate(kept);
        lines.push(format!("and {more} {what}, which are not listed"));
    }
    lines
}

/// Most lines of what is known of a call.
const MOST_FACTS: usize = 60;

/// Of them, most of what is protected.
const MOST_PROTECTED: usize = 40;

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

#[cfg(test)]
mod tests {
    use countersign_core::call::Access;
    use countersign_core::command::{CommandView, Operand, SimpleCommand, Word, WordValue};
    use countersign_core::facts::OperationFacts;
    use countersign_core::paths::FileKind;

    use super::*;

    fn command(text: &str) -> SimpleCommand {
        let words: Vec<&str> = text.split(' ').collect();
        let path = |name: &str| PathFact {
            given: name.to_owned(),
            absolute: format!("/w/{name}").into(),
            canonical: format!("/w/{name}").into(),
            access: Access::Read,
            kind: FileKind::File,
            links: 1,
        };
        SimpleCommand {
            operands: (1..words.len())
                .map(|word| Operand {
                    word,
                    path: path(words[word]),
                })
                .collect(),
            words: words
                .iter()
                .map(|word| Word {
                    value: WordValue::Literal((*word).to_owned()),
                    span: 0..0,
                })
                .collect(),
            ..SimpleCommand::default()
        }
    }

    #[test]
    fn an_operand_that_would_be_changed_is_told_if_it_is_protected() {
        let facts = Facts {
            operations: vec![OperationFacts {
                command: Some(CommandView {
                    commands: vec![command("cp new package.json"), command("cat package.json")],
                    problems: Vec::new(),
                }),
                ..OperationFacts::default()
            }],
            cwd: None,
        };
        let told = protected(&facts, &|path| {
            let is = path.access.writes() && path.canonical == "/w/package.json";
            is.then(|| "runs scripts".to_owned())
        });
        assert_eq!(told, ["/w/package.json is protected: runs scripts"]);
    }

    #[test]
    fn many_effects_push_no_protected_path_out_and_what_is_missing_is_said() {
        let lines = |what: &str, count: usize| -> Vec<String> {
            (1..=count)
                .map(|number| format!("{what} {number}"))
                .collect()
        };
        let told = bounded_facts(lines("protected", 2), lines("runs", 1_000));
        assert_eq!(told.len(), MOST_FACTS);
        assert_eq!(told[..2], ["protected 1", "protected 2"]);
        assert_eq!(told[59], "and 943 more effects, which are not listed");
        let told = bounded_facts(lines("protected", 500), lines("runs", 3));
        assert_eq!(
            told[39],
            "and 461 more protected paths, which are not listed"
        );
        assert_eq!(told[40..], ["runs 1", "runs 2", "runs 3"]);
        assert_eq!(bounded_facts(Vec::new(), lines("runs", 60)).len(), 60);
    }
}
