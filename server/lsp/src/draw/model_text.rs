//! Who judged a call, in words: the model, what each stage said and cost, and
//! where there is no answer why, and what to change.

use countersign_core::model::{ModelRecord, StageRecord, StageVerdict};
use countersign_core::redact;

use crate::draw::call_text::shortened;
use crate::draw::markdown::code;

/// Longest name or id, in characters.
const NAME: usize = 100;

/// Longest problem, in characters.
const PROBLEM: usize = 300;

/// The lines of a list about it, as Markdown. Empty if no model was asked.
pub(super) fn lines(model: Option<&ModelRecord>) -> Vec<String> {
    let Some(model) = model else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    let name = |text: &str| code(&shortened(text, NAME));
    if let Some(called) = &model.model {
        let provider = model
            .provider
            .as_deref()
            .map_or_else(String::new, |provider| format!(" ({})", name(provider)));
        let recorded = if model.recorded {
            ", replayed from a record"
        } else {
            ""
        };
        lines.push(format!("- Judged by {}{provider}{recorded}", name(called)));
    }
    for stage in &model.stages {
        let mut line = format!("- {}", stage_words(stage));
        for (what, id) in [
            ("request", &stage.request_id),
            ("message", &stage.message_id),
        ] {
            if let Some(id) = id {
                line.push_str(&format!(", {what} {}", name(id)));
            }
        }
        lines.push(line);
    }
    if let Some(problem) = &model.problem {
        lines.push(format!("- No answer: {}", code(&shown_problem(problem))));
    }
    lines
}

/// The same in a few words of plain text; none if no model was asked.
pub(super) fn in_short(model: Option<&ModelRecord>) -> Option<String> {
    let model = model?;
    let name = shortened(model.model.as_deref()?, NAME);
    let millis: u64 = model.stages.iter().map(|stage| stage.millis).sum();
    let stage = model
        .stages
        .last()
        .map(|stage| format!(", {} stage, {millis} ms", stage.stage))
        .unwrap_or_default();
    let problem = model
        .problem
        .as_ref()
        .map(|problem| format!(": {}", shown_problem(problem)))
        .unwrap_or_default();
    Some(format!("{name}{stage}{problem}"))
}

fn shown_problem(problem: &str) -> String {
    shortened(&redact::mask(problem), PROBLEM)
}

/// `Fast stage: block in 812 ms, 1234 tokens read (1024 from the cache), 12 written`
fn stage_words(stage: &StageRecord) -> String {
    let mut name = stage.stage.to_string();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let said = match stage.verdict {
        StageVerdict::Allow | StageVerdict::Block => stage.verdict.as_str().to_owned(),
        StageVerdict::Unavailable(why) => format!("no answer ({why})"),
    };
    let mut words = format!("{name} stage: {said} in {} ms", stage.millis);
    match stage.attempts {
        0 => words.push_str(", never reached"),
        1 => {}
        more => words.push_str(&format!(", {more} attempts")),
    }
    if let Some(read) = stage.input_tokens {
        words.push_str(&format!(", {read} tokens read"));
        if let Some(cached) = stage.cached_tokens {
            words.push_str(&format!(" ({cached} from the cache)"));
        }
    }
    if let Some(written) = stage.output_tokens {
        words.push_str(&format!(", {written} written"));
    }
    words
}
