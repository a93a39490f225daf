//! An earlier call within its share of the prompt.

use serde_json::{Map, Value, json};

use super::{Projection, cut_mark, grouped};
use crate::prompt::encoding;

/// Most characters of an earlier call when it is printed as JSON.
pub(crate) const PAST_CHARS: usize = 4_000;

/// Most characters of the arguments of an earlier call as they stand in the
/// prompt, where some characters are written out as up to twelve each.
const ENCODED_CHARS: usize = 7_000;

/// The projection, its texts and lists shortened until it fits.
///
/// # Errors
/// The projection itself, if it does not fit even then.
pub(crate) fn fitted(projection: Projection) -> Result<Projection, Projection> {
    /// Characters of a text and entries of a list, tried in turn.
    const SIZES: [(usize, usize); 10] = [
        (3_500, 64),
        (2_000, 64),
        (1_000, 32),
        (700, 16),
        (500, 16),
        (250, 8),
        (120, 8),
        (80, 4),
        (40, 2),
        (20, 1),
    ];
    if fits(&projection) {
        return Ok(projection);
    }
    let shorter = SIZES.iter().find_map(|(text, entries)| {
        let mut shorter = Projection {
            tool: projection.tool.clone(),
            arguments: fields(&projection.arguments, *text, *entries),
            withheld: withheld(&projection.withheld, *text, *entries),
        };
        shorter
            .withheld
            .push("parts of the call, where they are marked".to_owned());
        fits(&shorter).then_some(shorter)
    });
    shorter.ok_or(projection)
}

fn fits(projection: &Projection) -> bool {
    let printed = json!({
        "tool": projection.tool,
        "arguments": projection.arguments,
        "withheld": projection.withheld,
    });
    printed.to_string().chars().count() <= PAST_CHARS
        && encoding::call_length(projection) <= ENCODED_CHARS
}

fn withheld(told: &[String], text: usize, entries: usize) -> Vec<String> {
    let mut shorter: Vec<String> = told
        .iter()
        .take(entries)
        .map(|entry| shortened(entry, text))
        .collect();
    if told.len() > shorter.len() {
        shorter.push(format!("{} more parts", told.len() - shorter.len()));
    }
    shorter
}

fn fields(fields: &Map<String, Value>, text: usize, entries: usize) -> Map<String, Value> {
    let mut shorter = Map::new();
    for (key, value) in fields.iter().take(entries) {
        shorter.insert(key.clone(), self::value(value, text, entries));
    }
    if fields.len() > entries {
        let mark = cut_mark(grouped(fields.len() - entries), "entries");
        shorter.insert("…".to_owned(), Value::String(mark));
    }
    shorter
}

fn value(value: &Value, text: usize, entries: usize) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(whole) => Value::String(shortened(whole, text)),
        Value::Array(items) => {
            let mut shorter: Vec<Value> = items
                .iter()
                .take(entries)
                .map(|item| self::value(item, text, entries))
                .collect();
            if items.len() > entries {
                let mark = cut_mark(grouped(items.len() - entries), "entries");
                shorter.push(Value::String(mark));
            }
            Value::Array(shorter)
        }
        Value::Object(object) => Value::Object(fields(object, text, entries)),
    }
}

/// The beginning and the end of a text: what an agent would hide can stand
/// behind as well as before whatever it fills a call with.
fn shortened(whole: &str, most: usize) -> String {
    let length = whole.chars().count();
    if length <= most {
        return whole.to_owned();
    }
    let end = most / 3;
    let head: String = whole.chars().take(most - end).collect();
    let tail: String = whole.chars().skip(length - end).collect();
    let missing = grouped(length - most);
    format!("{head} … [cut: {missing} characters are missing here] … {tail}")
}
