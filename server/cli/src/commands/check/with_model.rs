//! What the classifier says of a command that only a model can judge: asked
//! with no conversation, and with nothing recorded or counted.

use std::io::{self, Write};

use anstyle::Style;
use anyhow::{Result, bail};
use countersign_core::call::Call;
use countersign_core::classify::{self, ClassifierAnswer, Verdict};
use countersign_core::decide::{self, Situation, Step};
use countersign_core::decision::{Decision, UnavailableReason};
use countersign_core::denials::Counters;
use countersign_core::facts::Facts;
use countersign_core::model::{ModelRecord, StageRecord, StageVerdict};
use countersign_core::prompt;
use countersign_core::redact;
use countersign_core::transcript::Transcript;
use countersign_guard::Guard;
use countersign_service::material;
use serde_json::{Map, Value, json};

use crate::commands::model;
use crate::output::{self, DIM, NOTE, styled};

/// Refuses where an agent may have started this: it could try which words the
/// model lets through, and no attempt would count.
///
/// # Errors
/// When that is so.
pub(super) fn refuse_under_an_agent() -> Result<()> {
    if let Some(why) = model::under_an_agent() {
        bail!(
            "--with-model is for a person, because no denial would be counted, and {why}; run it \
             in a terminal of your own"
        );
    }
    Ok(())
}

/// What auto mode decides with the classifier, and what the model said if it
/// was asked.
///
/// # Errors
/// When no classifier is configured: says what to set.
pub(super) fn decide(
    call: &Call,
    facts: &Facts,
    guard: &Guard,
) -> Result<Option<(Decision, ModelRecord)>> {
    let settings = model::configured(guard)?;
    let step = decide::decide(&Situation {
        call,
        facts,
        policy: &guard.policy,
        mode: guard.policy.mode,
        counters: Counters::default(),
        granted: false,
        classifier: true,
    });
    match step {
        Step::Classify => {}
        Step::Done(_) | Step::NoOpinion => return Ok(None),
    }
    let ClassifierAnswer { verdict, model } =
        match material(call, facts, guard, Transcript::default()) {
            Ok(material) => {
                let prompt = prompt::compose(&material);
                model::runtime()?.block_on(model::models().ask(settings, &prompt))
            }
            Err(too_long) => ClassifierAnswer {
                verdict: Verdict::Unavailable(UnavailableReason::ContextOverflow),
                model: ModelRecord {
                    problem: Some(too_long.to_string()),
                    ..ModelRecord::default()
                },
            },
        };
    let decision = classify::decision(&verdict, call, facts, &guard.policy);
    Ok(Some((decision, model)))
}

/// What the model said, for programs: with every field, null where nothing is
/// known, so that nobody has to know which ones the journal leaves out.
///
/// # Errors
/// Never for a record of ours.
pub(super) fn as_json(record: &ModelRecord) -> Result<Value> {
    let mut said = serde_json::to_value(record)?;
    if let Some(said) = said.as_object_mut() {
        complete(said, &["provider", "problem"]);
        let stages = said.entry("stages").or_insert_with(|| json!([]));
        for stage in stages.as_array_mut().into_iter().flatten() {
            if let Some(stage) = stage.as_object_mut() {
                complete(stage, &STAGE_FIELDS);
            }
        }
    }
    Ok(said)
}

/// Fields of a stage that the journal leaves out where nothing is known.
const STAGE_FIELDS: [&str; 5] = [
    "request_id",
    "message_id",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
];

fn complete(object: &mut Map<String, Value>, names: &[&str]) {
    for name in names {
        object.entry(*name).or_insert(Value::Null);
    }
}

/// Writes what the model said, for people.
pub(super) fn print(out: &mut impl Write, record: &ModelRecord) -> io::Result<()> {
    let shown = |text: &Option<String>| {
        text.as_deref()
            .map_or_else(|| "–".to_owned(), redact::visible)
    };
    let field = |name: &str| styled(DIM, &format!("{name:<11}"));
    let provider = record.provider.as_deref().unwrap_or("unknown interface");
    writeln!(
        out,
        "{}{} {}",
        field("model"),
        styled(NOTE, &shown(&record.model)),
        styled(DIM, &format!("({})", redact::visible(provider))),
    )?;
    if let Some(problem) = &record.problem {
        writeln!(out, "{}{}", field("problem"), redact::visible(problem))?;
    }
    if record.stages.is_empty() {
        return writeln!(out);
    }
    writeln!(out)?;
    let rows: Vec<_> = record
        .stages
        .iter()
        .map(|stage| row(stage, &shown))
        .collect();
    output::table(
        out,
        &[
            "stage", "verdict", "ms", "attempts", "tokens", "request", "message",
        ],
        &rows,
        None,
    )?;
    writeln!(out)
}

fn row(stage: &StageRecord, shown: &dyn Fn(&Option<String>) -> String) -> Vec<(Style, String)> {
    let plain = |text: String| (Style::new(), text);
    let colour = match stage.verdict {
        StageVerdict::Allow => output::ALLOW,
        StageVerdict::Block => output::BLOCK,
        StageVerdict::Unavailable(_) => output::ASK,
    };
    vec![
        plain(stage.stage.to_string()),
        (colour, stage.verdict.as_str().to_owned()),
        plain(stage.millis.to_string()),
        plain(stage.attempts.to_string()),
        plain(tokens(stage)),
        plain(shown(&stage.request_id)),
        plain(shown(&stage.message_id)),
    ]
}

/// `1200 (1000 cached) + 17`
fn tokens(stage: &StageRecord) -> String {
    let (Some(input), Some(output)) = (stage.input_tokens, stage.output_tokens) else {
        return "not counted".to_owned();
    };
    match stage.cached_tokens {
        Some(cached) if cached > 0 => format!("{input} ({cached} cached) + {output}"),
        Some(_) | None => format!("{input} + {output}"),
    }
}
