//! The one way in which anything that an agent, a file or a setting supplies
//! gets into a prompt: as JSON on one line, in which nothing can end a line,
//! hide, or be read as a model's control token.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::projection::Projection;
use crate::redact::is_deceptive;
use crate::transcript::{Entry, Fate};

/// The text as a JSON string literal.
pub(super) fn string(text: &str) -> String {
    safe(&Value::from(text).to_string())
}

/// The texts as a JSON array of strings.
pub(super) fn strings(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| string(text)).collect();
    format!("[{}]", texts.join(","))
}

/// A JSON object of values that are encoded already, in this order. A map of
/// `serde_json` would sort them.
pub(super) fn object(fields: &[(&str, String)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, encoded)| format!("{}:{encoded}", string(name)))
        .collect();
    format!("{{{}}}", fields.join(","))
}

/// The tool and what is shown of its input.
pub(super) fn call(projection: &Projection) -> String {
    object(&[
        ("tool", string(&projection.tool)),
        ("arguments", map(&projection.arguments)),
    ])
}

/// How many characters a call and what is said of it take in the prompt.
pub(crate) fn call_length(projection: &Projection) -> usize {
    let withheld = strings(&projection.withheld).chars().count();
    call(projection).chars().count() + withheld
}

/// A step of the conversation, on one line.
pub(crate) fn step_line(entry: &Entry) -> String {
    match entry {
        Entry::User { text } => object(&[("user", string(text))]),
        Entry::Call {
            id: _,
            projection,
            fate,
            subagent,
        } => {
            let mut fields = vec![
                ("call", call(projection)),
                ("outcome", string(outcome(*fate))),
            ];
            if let Some(subagent) = subagent {
                fields.push(("subagent", string(subagent)));
            }
            if !projection.withheld.is_empty() {
                fields.push(("withheld", strings(&projection.withheld)));
            }
            object(&fields)
        }
    }
}

/// What became of a call, in a model's words.
const fn outcome(fate: Fate) -> &'static str {
    match fate {
        Fate::Allowed => "allowed",
        Fate::Approved => "the user approved it",
        Fate::Denied => "denied",
        Fate::Rejected => "the user did not approve it",
        Fate::Asked => "the user was asked, the answer is not known",
    }
}

fn map(map: &Map<String, Value>) -> String {
    let fields: Vec<String> = map
        .iter()
        .map(|(name, value)| format!("{}:{}", string(name), safe(&value.to_string())))
        .collect();
    format!("{{{}}}", fields.join(","))
}

/// JSON that means the same, with everything in its strings escaped that could
/// be taken for something else than text.
///
/// Outside its strings nothing is touched: `[true]` is a list there.
fn safe(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    let mut rest = json.chars();
    let mut in_string = false;
    while let Some(character) = rest.next() {
        match character {
            '"' => in_string = !in_string,
            // What it escapes ends no string.
            '\\' => {
                safe.push(character);
                safe.extend(rest.next());
                continue;
            }
            _ => {}
        }
        let escapes = character.is_control()
            || is_deceptive(character)
            || opens_token(character, rest.as_str());
        if in_string && escapes {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

/// The guard's own marks, which the policy explains; no template has such.
const MARKS: [&str; 2] = ["masked: ", "cut: "];

/// Whether a model's template may take what begins here for one of its control
/// tokens, such as `<|im_end|>`, `</s>`, `[/INST]` or `[gMASK]`. A `>` alone
/// begins none and stays readable, because commands are full of it.
fn opens_token(character: char, rest: &str) -> bool {
    match character {
        '<' => true,
        '[' => {
            let name = rest.strip_prefix('/').unwrap_or(rest);
            name.starts_with(char::is_alphabetic)
                && !MARKS.iter().any(|mark| rest.starts_with(mark))
        }
        _ => false,
    }
}
