//! The strict reading of an answer: exactly the object that was asked for, or
//! no answer at all.

use countersign_core::decision::UnavailableReason;
use countersign_core::model::{Stage, StructuredOutput};
use serde::Deserialize;
use serde_json::error::Category;

use crate::failure::{Again, Failure};

/// What a stage said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Safe enough.
    Allow,
    /// Not safe, and why; empty after the first stage.
    Block(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FastAnswer {
    #[serde(rename = "shouldBlock")]
    should_block: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThinkingAnswer {
    #[serde(rename = "thinking")]
    _thinking: String,
    #[serde(rename = "shouldBlock")]
    should_block: bool,
    reason: String,
}

/// Reads the text of an answer; thoughts before it and a code fence around it
/// are taken off.
pub(crate) fn from_text(
    stage: Stage,
    style: StructuredOutput,
    text: &str,
) -> Result<Answer, Failure> {
    let text = without_fence(without_thoughts(style, text)?);
    if text.is_empty() {
        return Err(unreadable(UnavailableReason::Parse, "the answer is empty"));
    }
    from_json(stage, text)
}

/// Reads the JSON of an answer, for example the arguments of a tool call.
pub(crate) fn from_json(stage: Stage, json: &str) -> Result<Answer, Failure> {
    let json = json.trim_matches([' ', '\t', '\r', '\n']);
    // serde reads a list into a struct too: `[false]` must be no allow.
    if !json.starts_with('{') {
        return Err(match serde_json::from_str::<serde::de::IgnoredAny>(json) {
            Ok(_) => unreadable(
                UnavailableReason::Schema,
                "the answer is JSON, but not an object",
            ),
            Err(_) => unreadable(
                UnavailableReason::Parse,
                "the answer is not the JSON object that was asked for",
            ),
        });
    }
    let read = match stage {
        Stage::Fast => serde_json::from_str::<FastAnswer>(json)
            .map(|answer| (answer.should_block, String::new())),
        Stage::Thinking => serde_json::from_str::<ThinkingAnswer>(json)
            .map(|answer| (answer.should_block, answer.reason)),
    };
    match read {
        Ok((true, reason)) => Ok(Answer::Block(reason)),
        Ok((false, _)) => Ok(Answer::Allow),
        // The error's own text quotes the answer.
        Err(error) => Err(match error.classify() {
            Category::Data => unreadable(
                UnavailableReason::Schema,
                "the answer is a JSON object, but not exactly the one that was asked for",
            ),
            Category::Syntax | Category::Eof | Category::Io => unreadable(
                UnavailableReason::Parse,
                "the answer is not a JSON object and nothing else",
            ),
        }),
    }
}

fn unreadable(reason: UnavailableReason, what: &str) -> Failure {
    Failure::new(reason, what).again(Again::Now).remedy(
        "choose another permissions.autoMode.classifier.structuredOutput (countersign doctor \
             finds one), or another model",
    )
}

/// The text without the thoughts that some models write before the answer.
///
/// They end at the last closing tag: a thought may quote one, and what follows
/// such a quotation is no answer. Some templates put the opening tag into the
/// prompt; that is believed only where nothing binds the answer to a form.
fn without_thoughts(style: StructuredOutput, text: &str) -> Result<&str, Failure> {
    const BEGIN: &str = "<think>";
    const END: &str = "</think>";
    let text = text.trim();
    // An answer may speak of thoughts inside its strings.
    if text.starts_with(['{', '`']) {
        return Ok(text);
    }
    let is_opened = text.starts_with(BEGIN);
    if !is_opened && style != StructuredOutput::Plain {
        return Ok(text);
    }
    match text.rsplit_once(END) {
        Some((_, answer)) => Ok(answer.trim()),
        None if is_opened => Err(unreadable(
            UnavailableReason::Parse,
            "the model did not get beyond thinking",
        )),
        None => Ok(text),
    }
}

/// The text without one code fence around the whole of it.
fn without_fence(text: &str) -> &str {
    let inner = text
        .strip_prefix("```")
        .and_then(|rest| rest.strip_suffix("```"));
    let Some(inner) = inner else {
        return text;
    };
    let inner = inner.strip_prefix("json").unwrap_or(inner);
    // A fence stands on lines of its own.
    if inner.starts_with(['\n', '\r', ' ']) {
        inner.trim()
    } else {
        text
    }
}

#[cfg(test)]
mod tests;
