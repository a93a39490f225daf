//! `countersign check`: what the guard would decide about a command, part by
//! part, and how to change it. Reads the real settings, writes nothing.

mod with_model;

use std::io::Write as _;
use std::ops::Range;
use std::process::ExitCode;

use anyhow::Result;
use countersign_core::command::CommandView;
use countersign_core::decision::{AskReason, BlockReason, Decision, DeniedReason};
use countersign_core::effect::{self, Line, Unproven};
use countersign_core::facts::OperationFacts;
use countersign_core::mode::ApprovalMode;
use countersign_core::model::ModelRecord;
use countersign_core::redact;
use countersign_core::search_path;
use countersign_engine::prepare;
use countersign_guard::Guard;
use countersign_service::{Part, command_effects, parts, static_decision};
use countersign_settings::Places;
use serde_json::json;

use crate::arguments::Check;
use crate::commands::{batch, model};
use crate::output::{self, DIM, NOTE, styled};

/// A person or a model should look.
const REVIEW: u8 = 3;
/// The command is blocked.
const BLOCK: u8 = 4;

/// Decides the command as auto mode would here.
pub(super) fn run(places: Places, check: &Check) -> Result<ExitCode> {
    if check.with_model {
        crate::judge::leave_no_core_dump();
        with_model::refuse_under_an_agent()?;
    }
    let folder = crate::commands::current_folder()?;
    let mut guard = Guard::looking_in(places, &folder);
    // As auto decides, whatever mode is set; trust and degraded settings hold.
    guard.policy.mode = guard.effective.cap(ApprovalMode::Auto);
    let text = check.command.join(" ");
    let mut call = batch::shell_call(&text, folder);
    if let Some(path) = countersign_hook::variable("PATH") {
        call.search_path = search_path::folders(&path, &call.cwd);
    }
    let facts = prepare::facts(&call, &guard.host, &guard.policy);
    let asked = if check.with_model {
        with_model::decide(&call, &facts, &guard)?
    } else {
        None
    };
    let (decision, model) = asked.map_or_else(
        || {
            let alone = static_decision(&call, &facts, &guard.policy, guard.policy.mode);
            (alone, None)
        },
        |(decision, model)| (decision, Some(model)),
    );
    let of = facts.operations.first().cloned().unwrap_or_default();
    let view = of.command.clone().unwrap_or_default();
    let found = Found::new(&text, command_effects(&call, &facts, &of), &of);
    let parts = parts(&call, &facts, &guard.policy, guard.policy.mode);
    let change = how_to_change(&decision, &guard);
    if check.json {
        let mut report = json!({
            "command": text,
            "verdict": batch::verdict(&decision),
            "via": decision.is_allow().then(|| decision.reason()),
            "reason": (!decision.is_allow()).then(|| decision.reason()),
            "detail": decision.detail(),
            "mode": guard.policy.mode,
            "workspace": guard.workspace,
            "trusted": guard.effective.trusted,
            "parts": parts.iter().map(|part| json!({
                "command": part.text,
                "covered": part.fine,
                "why": part.why,
            })).collect::<Vec<_>>(),
            "problems": view.problems.iter().map(|problem| &problem.reason).collect::<Vec<_>>(),
            "effects": found.effects.iter().map(|line| json!({
                "text": redact::visible(&line.text),
                "spans": line.spans.iter().map(as_json).collect::<Vec<_>>(),
                "matters": line.matters,
            })).collect::<Vec<_>>(),
            "unproven": found.because.iter().map(|because| json!({
                "reason": redact::visible(&because.reason),
                "span": as_json(&because.span),
            })).collect::<Vec<_>>(),
            "settings": guard.policy.problems,
            "change": change,
        });
        if check.with_model
            && let Some(report) = report.as_object_mut()
        {
            let said = model.as_ref().map(with_model::as_json).transpose()?;
            report.insert("model".to_owned(), said.unwrap_or_default());
        }
        writeln!(
            output::stdout(),
            "{}",
            serde_json::to_string_pretty(&report)?
        )?;
    } else {
        let asking = Asking {
            wanted: check.with_model,
            model: model.as_ref(),
        };
        print(&decision, &guard, &view, &parts, &found, &asking, &change)?;
    }
    Ok(match batch::verdict(&decision) {
        "allow" => ExitCode::SUCCESS,
        "block" => ExitCode::from(BLOCK),
        _ => ExitCode::from(REVIEW),
    })
}

/// Where something stands in the command, in bytes.
fn as_json(span: &Range<usize>) -> serde_json::Value {
    json!([span.start, span.end])
}

/// What the command would do, and why it is not contained.
struct Found<'a> {
    text: &'a str,
    effects: Vec<Line>,
    because: &'a [Unproven],
}

impl<'a> Found<'a> {
    fn new(text: &'a str, effects: Vec<Line>, of: &'a OperationFacts) -> Self {
        Self {
            text,
            effects,
            because: &of.found.because,
        }
    }

    fn print(&self, out: &mut impl std::io::Write) -> Result<()> {
        if !self.effects.is_empty() {
            writeln!(out)?;
        }
        for line in &self.effects {
            let (mark, style) = if line.matters {
                ("!", output::ASK)
            } else {
                ("·", output::ALLOW)
            };
            writeln!(
                out,
                "  {} {}",
                styled(style, mark),
                redact::visible(&line.text)
            )?;
        }
        if self.because.is_empty() {
            return Ok(());
        }
        writeln!(out)?;
        writeln!(out, "  {}", styled(DIM, "not proven harmless:"))?;
        let (marked, others): (Vec<&Unproven>, Vec<&Unproven>) = self
            .because
            .iter()
            .partition(|because| !because.span.is_empty());
        let marks: Vec<_> = marked
            .into_iter()
            .map(|because| (because.span.clone(), because.reason.clone()))
            .collect();
        for row in effect::underlined(self.text, &marks).lines() {
            writeln!(out, "  {row}")?;
        }
        for because in others {
            writeln!(out, "    {}", redact::visible(&because.reason))?;
        }
        Ok(())
    }
}

/// Whether a model was wanted, and what it said if it was asked.
struct Asking<'a> {
    wanted: bool,
    model: Option<&'a ModelRecord>,
}

impl Asking<'_> {
    const fn in_words(&self) -> &'static str {
        match (self.wanted, self.model) {
            (_, Some(_)) => {
                "(the model was asked without a conversation; nothing was run or counted)"
            }
            (true, None) => "(static layers; no model would be asked about this, so none was)",
            (false, None) => "(static layers; nothing was run, no model asked)",
        }
    }
}

fn print(
    decision: &Decision,
    guard: &Guard,
    view: &CommandView,
    parts: &[Part],
    found: &Found<'_>,
    asking: &Asking<'_>,
    change: &str,
) -> Result<()> {
    let mut out = output::stdout();
    let verdict = batch::verdict(decision);
    writeln!(
        out,
        "{}  {}",
        styled(output::verb_style(verdict), verdict),
        redact::visible(decision.detail())
    )?;
    writeln!(out)?;
    for part in parts {
        let (mark, style) = if part.fine {
            ("✓", output::ALLOW)
        } else {
            ("?", output::ASK)
        };
        writeln!(
            out,
            "  {} {}",
            styled(style, mark),
            redact::visible(&part.text)
        )?;
        writeln!(out, "      {}", styled(DIM, &redact::visible(&part.why)))?;
    }
    for problem in &view.problems {
        writeln!(
            out,
            "  {} {}",
            styled(output::ASK, "!"),
            redact::visible(&problem.reason)
        )?;
    }
    found.print(&mut out)?;
    let field = |name: &str| styled(DIM, &format!("{name:<11}"));
    writeln!(out)?;
    if let Some(record) = asking.model {
        with_model::print(&mut out, record)?;
    }
    writeln!(
        out,
        "{}{} {}",
        field("decided by"),
        styled(NOTE, decision.reason()),
        styled(DIM, asking.in_words())
    )?;
    let trust = match (&guard.workspace, guard.effective.trusted) {
        (None, _) => "no workspace here".to_owned(),
        (Some(workspace), true) => format!("{workspace}, trusted"),
        (Some(workspace), false) => format!("{workspace}, not trusted"),
    };
    writeln!(out, "{}{} in {trust}", field("mode"), guard.policy.mode)?;
    for problem in &guard.policy.problems {
        writeln!(out, "{}{}", field("settings"), redact::visible(problem))?;
    }
    if guard.places.relocated {
        writeln!(
            out,
            "{}settings and state are below --home, for tests",
            field("degraded")
        )?;
    }
    writeln!(out, "{}{change}", field("to change"))?;
    Ok(())
}

/// What a person would do to get another decision.
fn how_to_change(decision: &Decision, guard: &Guard) -> String {
    let file = guard.places.user_file();
    match decision {
        Decision::Allow { .. } => {
            format!("add a rule to permissions.ask or permissions.deny in {file}")
        }
        Decision::Denied { reason, .. } => match reason {
            DeniedReason::ClassifierBlocked => format!(
                "ask the agent for exactly this, or cover each part marked ? with a rule in \
                 permissions.allow of {file}"
            ),
            DeniedReason::ClassifierUnavailable => format!(
                "run `countersign doctor`; {}.onUnavailable in {file} says what happens without \
                 an answer",
                model::KEY
            ),
        },
        Decision::Block { reason, .. } => match reason {
            BlockReason::RuleDenied => "edit the deny rule named above".to_owned(),
            BlockReason::StaticBlocked => {
                "nothing lifts this; do it yourself in a terminal".to_owned()
            }
            BlockReason::PlanMode => "leave plan mode".to_owned(),
            BlockReason::Person
            | BlockReason::Timeout
            | BlockReason::NoSurface
            | BlockReason::InvalidCall
            | BlockReason::Internal => "see `countersign log`".to_owned(),
        },
        Decision::Ask { reason, .. } => match reason {
            AskReason::AskRule => "edit the rule named above".to_owned(),
            AskReason::RuleMalformed => "mend the rule named above".to_owned(),
            AskReason::ApprovalMode if !guard.effective.trusted => {
                "trust the workspace: run `countersign trust` in it".to_owned()
            }
            AskReason::NoClassifier
            | AskReason::ApprovalMode
            | AskReason::ConsecutiveBlock
            | AskReason::ConsecutiveUnavailable
            | AskReason::TotalDenial
            | AskReason::ClassifierUnavailable
            | AskReason::Unprojected => format!(
                "answer the prompt when an agent runs it, or cover each part marked ? with a rule \
                 in permissions.allow of {file}"
            ),
        },
    }
}
