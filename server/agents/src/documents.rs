//! The pages about agents, from the capability table and the agents' own: a
//! page that says otherwise than the code cannot be published.

use std::fmt::Write as _;

use countersign_core::agent::Agent;

use crate::adapter::{self, Adapter};
use crate::capabilities::{
    BlockForm, Capabilities, Evidence, FailsOpen, StageCapabilities, TimeoutUnit,
};
use crate::event::Stage;
use crate::generic;
use crate::tools::tool_names;

const HEAD: &str = "<!-- Generated from server/agents. Do not edit: change the adapter or \
server/agents/documents, and run `UPDATE_DOCS=1 cargo test -p countersign-agents`. -->\n\n";

/// Every generated file by its name in `docs`, with its text.
#[must_use]
pub fn all() -> Vec<(String, String)> {
    let mut pages: Vec<(String, String)> = Agent::ALL
        .into_iter()
        .map(|agent| (format!("agents/{agent}.md"), page(agent)))
        .collect();
    pages.push(("agents.md".to_owned(), index()));
    let schema = format!("{:#}\n", generic::schema());
    pages.push(("agents/generic.schema.json".to_owned(), schema));
    pages
}

/// What is written by hand about an agent.
const fn by_hand(agent: Agent) -> &'static str {
    match agent {
        Agent::ClaudeCode => include_str!("../documents/claude-code.md.part"),
        Agent::Qwen => include_str!("../documents/qwen.md.part"),
        Agent::Codex => include_str!("../documents/codex.md.part"),
        Agent::Gemini => include_str!("../documents/gemini.md.part"),
        Agent::Opencode => include_str!("../documents/opencode.md.part"),
        Agent::Cursor => include_str!("../documents/cursor.md.part"),
        Agent::Vscode => include_str!("../documents/vscode.md.part"),
        Agent::Generic => include_str!("../documents/generic.md.part"),
    }
}

fn title(adapter: &Adapter) -> String {
    let mut letters = adapter.title.chars();
    match (adapter.agent, letters.next()) {
        (Agent::Generic, Some(first)) => {
            format!("{}{}", first.to_ascii_uppercase(), letters.as_str())
        }
        (Agent::Vscode, _) => "VS Code and Copilot CLI".to_owned(),
        _ => adapter.title.to_owned(),
    }
}

fn page(agent: Agent) -> String {
    let adapter = adapter::adapter(agent);
    let capabilities = &adapter.capabilities;
    let mut out = format!("{HEAD}# {}\n\n", title(adapter));
    let _ = writeln!(out, "{}\n", known(capabilities));
    out.push_str(by_hand(agent).trim_end());
    if agent == Agent::Generic {
        let _ = write!(out, "{GENERIC}{}{GENERIC_ANSWER}", generic::rows());
    }
    out.push_str("\n\n## What the hook can do\n\n");
    out.push_str("| event | an allow saves a prompt | an ask | a block |\n|---|---|---|---|\n");
    for stage in stages(capabilities) {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} |",
            stage.event,
            yes(stage.can_allow),
            asks(stage),
            blocks(stage.block)
        );
    }
    let others: Vec<&str> = adapter
        .events
        .iter()
        .filter(|(_, class)| class.stage() == Stage::NoDecision)
        .map(|(name, _)| *name)
        .collect();
    let deciding = names(
        adapter
            .events
            .iter()
            .filter(|(_, class)| class.stage() != Stage::NoDecision)
            .map(|(name, _)| *name),
    );
    let _ = writeln!(
        out,
        "\nEvents that are decided: {deciding}. Events that are taken note of: {}.\n",
        names(others.into_iter())
    );
    let _ = writeln!(
        out,
        "A timeout in the agent's settings is in {}; without one the hook is given {} s.",
        unit(capabilities.timeout_unit),
        capabilities.default_timeout.as_secs()
    );
    if capabilities.fails_open.is_empty() {
        out.push_str("Nothing that goes wrong with the hook lets a call run.\n");
    } else {
        let _ = writeln!(
            out,
            "The agent runs the tool all the same when {}. So the hook answers before its time is up, and every failure of it that it can notice is a block.",
            list(capabilities.fails_open.iter().map(|open| fails(*open)))
        );
    }
    if !capabilities.notes.is_empty() {
        out.push_str("\n## Known traps\n\n");
        for note in capabilities.notes {
            let _ = writeln!(out, "- {}.", sentence(note));
        }
    }
    out.push_str("\n## Tools\n\n");
    out.push_str(
        "What a rule calls each tool is in [rules](../rules.md). A tool that is not here is \
one that nothing is known of: never safe, and no fast path.\n\n",
    );
    out.push_str("| the agent's name | canonical |\n|---|---|\n");
    for (raw, tool) in tool_names(agent) {
        let _ = writeln!(out, "| `{raw}` | `{tool}`{} |", safe(tool.is_safe()));
    }
    out.push_str(VERIFY);
    out
}

const VERIFY: &str = "\n## How to verify\n\n`countersign doctor` runs the installed hook with a \
call that must be blocked, and shows a hook that is disabled, shadowed, not trusted or too \
short-timed as unguarded. Then ask the agent to read a file: `countersign log` has the call. If \
it has not, the agent does not call its hook.\n";

const GENERIC: &str = "\n\n## The payload\n\nOne object of JSON, at most 4 MiB, without a key that \
stands twice; also as a [JSON schema](generic.schema.json). A missing field, one that is not \
here, and another version are a block.\n\n| field | when | what |\n|---|---|---|\n";

const GENERIC_ANSWER: &str = "\n## The answer\n\nAt `before_tool` one object on standard output: \
`{\"decision\":\"allow\",\"version\":1}`; `none` in its place says that the agent's own dialog with \
the person stands, for the tools that are such a dialog. A block is exit status 2 with the reason \
on standard error, and `{\"decision\":\"block\",\"reason\":\"…\",\"version\":1}` beside it unless the \
guard itself failed. The other events are answered with nothing and status 0.";

fn index() -> String {
    let mut out = format!("{HEAD}# Agents\n\n{INTRODUCTION}");
    out.push_str(
        "\n| agent | known how | events that are decided | an ask without an editor | an allow saves the agent's prompt | when the hook fails |\n|---|---|---|---|---|---|\n",
    );
    for agent in Agent::ALL {
        let adapter = adapter::adapter(agent);
        let capabilities = &adapter.capabilities;
        let asking = names(
            stages(capabilities)
                .filter(|stage| stage.can_ask)
                .map(|stage| stage.event),
        );
        let asking = if asking.is_empty() {
            "nobody: denied, with the reason".to_owned()
        } else {
            format!("the agent's own prompt, at {asking}")
        };
        let allowing = names(
            stages(capabilities)
                .filter(|stage| stage.can_allow)
                .map(|stage| stage.event),
        );
        let allowing = if allowing.is_empty() {
            "no".to_owned()
        } else {
            format!("at {allowing}")
        };
        let _ = writeln!(
            out,
            "| [{}](agents/{agent}.md) | {} | {} | {asking} | {allowing} | {} |",
            title(adapter),
            known_shortly(capabilities.evidence),
            names(stages(capabilities).map(|stage| stage.event)),
            if capabilities.fails_open.is_empty() {
                "the call is blocked"
            } else {
                "the tool runs"
            }
        );
    }
    out.push('\n');
    out.push_str(include_str!("../documents/index.md.part").trim_end());
    out.push('\n');
    out
}

const INTRODUCTION: &str = "\
How each agent is let call Countersign, and what each of them honours:

```sh
countersign install claude-code   # or any other name below
countersign status
```

writes the hook into the agent's settings; each page also has the lines to write by hand.
";

fn stages(capabilities: &Capabilities) -> impl Iterator<Item = &StageCapabilities> {
    [&capabilities.pre_tool]
        .into_iter()
        .chain(capabilities.permission_request.as_ref())
        .chain(capabilities.announced.as_ref())
}

fn known(capabilities: &Capabilities) -> String {
    match capabilities.evidence {
        Evidence::Measured(version) => {
            format!("What is said here of the agent was measured with version {version}.")
        }
        Evidence::Documents(which) => format!(
            "**Nothing here was measured with the real agent**: it is what its documents {which} say. `countersign doctor` tells whether the hook answers, not whether the agent honours it; try it with a harmless call that a rule denies."
        ),
        Evidence::Ours => "The interface is Countersign's own.".to_owned(),
    }
}

fn known_shortly(evidence: Evidence) -> String {
    match evidence {
        Evidence::Measured(version) => format!("measured, {version}"),
        Evidence::Documents(_) => "its documents only".to_owned(),
        Evidence::Ours => "our own".to_owned(),
    }
}

const fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

const fn asks(stage: &StageCapabilities) -> &'static str {
    if stage.can_ask {
        "your editor, or the agent's own prompt"
    } else {
        "your editor, or else it is denied"
    }
}

const fn blocks(form: BlockForm) -> &'static str {
    match form {
        BlockForm::ExitTwo => "exit status 2, reason on standard error",
        BlockForm::DenyJson => "a denial in JSON",
    }
}

const fn unit(unit: TimeoutUnit) -> &'static str {
    match unit {
        TimeoutUnit::Seconds => "seconds",
        TimeoutUnit::Milliseconds => "**milliseconds** (`--timeout` of the hook is in seconds)",
    }
}

const fn fails(open: FailsOpen) -> &'static str {
    match open {
        FailsOpen::OtherExit => "it ends with another status than 0 and 2",
        FailsOpen::Killed => "it is killed",
        FailsOpen::Timeout => "it is late",
        FailsOpen::BrokenJson => "it prints something that is no JSON",
        FailsOpen::UnknownField => "it prints a field that the agent does not know",
        FailsOpen::NoReason => "it denies without a reason",
        FailsOpen::Ask => "it asks where that is not honoured",
    }
}

const fn safe(is_safe: bool) -> &'static str {
    if is_safe { ", safe" } else { "" }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let items: Vec<&str> = items.collect();
    items.join(", or ")
}

fn sentence(note: &str) -> String {
    let mut letters = note.chars();
    match letters.next() {
        // A name that begins small stays as it is.
        Some(first) if !note.starts_with('`') => {
            format!("{}{}", first.to_ascii_uppercase(), letters.as_str())
        }
        _ => note.to_owned(),
    }
}
