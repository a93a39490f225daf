//! An earlier call within its share of the prompt.

use serde_json::{Map, Value, json};

use super::{Projection, cut_mark, grouped};

/// Most characters of an earlier call when it is printed as JSON.
pub(super) const PAST_CHARS: usize = 4_000;

/// The projection, its texts and lists shortened until it fits; none if it
/// does not even then.
pub(super) fn fitted(projection: Projection) -> Option<Projection> {
    /// Characters of a text and entries of a list, tried in turn.
    const SIZES: [(usize, usize); 8] = [
        (3_500, 64),
        (2_000, 64),
        (1_000, 32),
        (500, 16),
        (250, 8),
        (120, 8),
        (80, 4),
        (40, 2),
    ];
    if fits(&projection) {
        return Some(projection);
    }
    SIZES.iter().find_map(|(text, entries)| {
        let shorter = Projection {
            tool: projection.tool.clone(),
            arguments: fields(&projection.arguments, *text, *entries),
            withheld: withheld(&projection.withheld, *text, *entries),
        };
        fits(&shorter).then_some(shorter)
    })
}

fn fits(projection: &Projection) -> bool {
    let printed = json!({
        "tool": projection.tool,
        "arguments": projection.arguments,
        "withheld": projection.withheld,
    });
    printed.to_string().chars().count() <= PAST_CHARS
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

fn shortened(whole: &str, most: usize) -> String {
    let Some((end, _)) = whole.char_indices().nth(most) else {
        return whole.to_owned();
    };
    let kept = whole.get(..end).unwrap_or_default();
    let missing = whole.get(end..).unwrap_or_default().chars().count();
    format!("{kept}{}", cut_mark(grouped(missing), "characters"))
}
