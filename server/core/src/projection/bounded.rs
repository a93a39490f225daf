//! Foreign JSON within bounds, whatever it holds: a tool of an MCP server
//! takes what it likes.

use serde_json::{Map, Value};

use super::{cut_mark, grouped};
use crate::redact;

/// Longest name of a field, in characters.
const KEY_CHARS: usize = 200;

/// The bounds of one value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// All names, texts and numbers together, in characters.
    pub(super) total: usize,
    /// How deep containers may nest.
    pub(super) depth: usize,
    /// Most entries of one container.
    pub(super) entries: usize,
    /// Longest text, in characters.
    pub(super) text: usize,
}

impl Bounds {
    /// What of the arguments of an MCP tool is shown.
    pub(super) const MCP: Self = Self {
        total: 16_000,
        depth: 8,
        entries: 64,
        text: 2_000,
    };

    /// What of a message or schedule must be shown.
    pub(super) const WHOLE: Self = Self {
        total: 32_000,
        depth: 16,
        entries: 1_000,
        text: 32_000,
    };
}

/// Copies a value as far as it is within its bounds. Every cut is marked where
/// it is.
pub(super) struct Bounder {
    bounds: Bounds,
    left: usize,
    /// How many places were cut.
    pub(super) cuts: usize,
    /// How many values are masked.
    pub(super) masked: usize,
}

impl Bounder {
    pub(super) const fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            left: bounds.total,
            cuts: 0,
            masked: 0,
        }
    }

    /// The fields of an input; an input that is no object as a field of its
    /// own.
    pub(super) fn fields(&mut self, input: &Value) -> Map<String, Value> {
        match input {
            Value::Object(fields) => self.object(fields, 1),
            Value::Null => Map::new(),
            other => Map::from_iter([("input".to_owned(), self.value("", other, 1))]),
        }
    }

    fn value(&mut self, name: &str, value: &Value, depth: usize) -> Value {
        match value {
            Value::Null => self.scalar(value, 4),
            Value::Bool(_) => self.scalar(value, 5),
            Value::Number(number) => self.scalar(value, number.to_string().len()),
            Value::String(text) => Value::String(self.text(name, text)),
            Value::Array(_) | Value::Object(_) if depth >= self.bounds.depth => {
                self.cuts += 1;
                Value::String("… [cut: nested too deep]".to_owned())
            }
            Value::Array(items) => Value::Array(self.array(name, items, depth + 1)),
            Value::Object(fields) => Value::Object(self.object(fields, depth + 1)),
        }
    }

    fn scalar(&mut self, value: &Value, length: usize) -> Value {
        if length > self.left {
            self.cuts += 1;
            return Value::String("… [cut]".to_owned());
        }
        self.left -= length;
        value.clone()
    }

    fn text(&mut self, name: &str, text: &str) -> String {
        let shown = redact::code_value(name, text, self.bounds.text.min(self.left));
        self.left -= (shown.length - shown.missing).min(self.left);
        self.masked += shown.masked;
        let mut text = shown.text;
        if shown.missing > 0 {
            self.cuts += 1;
            text.push_str(&cut_mark(grouped(shown.missing), "characters"));
        }
        text
    }

    /// Whether there is room for one more entry of a container.
    fn has_room(&mut self, so_far: usize) -> bool {
        if so_far >= self.bounds.entries || self.left == 0 {
            return false;
        }
        // An entry costs something even if it is empty.
        self.left -= 1;
        true
    }

    fn array(&mut self, name: &str, items: &[Value], depth: usize) -> Vec<Value> {
        let mut shown = Vec::new();
        for item in items {
            if !self.has_room(shown.len()) {
                self.cuts += 1;
                let missing = grouped(items.len() - shown.len());
                shown.push(Value::String(cut_mark(missing, "entries")));
                break;
            }
            shown.push(self.value(name, item, depth));
        }
        shown
    }

    fn object(&mut self, fields: &Map<String, Value>, depth: usize) -> Map<String, Value> {
        let mut shown = Map::new();
        let mut missing = 0_usize;
        for (name, value) in fields {
            if missing > 0 || !self.has_room(shown.len()) {
                missing += 1;
                continue;
            }
            let key = redact::code(name, KEY_CHARS.min(self.left));
            self.left -= (key.length - key.missing).min(self.left);
            self.masked += key.masked;
            let mut text = key.text;
            if key.missing > 0 {
                self.cuts += 1;
                text.push_str(&cut_mark(grouped(key.missing), "characters"));
            }
            // Two names that are the same when cut or masked.
            if shown.contains_key(&text) {
                missing += 1;
                continue;
            }
            let value = self.value(name, value, depth);
            shown.insert(text, value);
        }
        if missing > 0 {
            self.cuts += 1;
            let mark = cut_mark(grouped(missing), "entries");
            shown.insert("…".to_owned(), Value::String(mark));
        }
        shown
    }
}

/// How much room a field takes, in characters, with something for each value.
pub(super) fn weight(key: &str, value: &Value) -> usize {
    const EACH: usize = 4;
    let within: usize = match value {
        Value::Null | Value::Bool(_) => EACH,
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.iter().map(|item| weight("", item)).sum(),
        Value::Object(fields) => fields.iter().map(|(key, value)| weight(key, value)).sum(),
    };
    key.chars().count() + within + EACH
}
