//! Typed access to the fields of a payload, with errors that name the field.

use serde_json::{Map, Value};

use crate::error::DecodeError;
use crate::json;

/// An object of a payload and where it stands in it.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    object: &'a Map<String, Value>,
    prefix: &'static str,
}

impl<'a> Fields<'a> {
    /// The payload itself.
    pub(crate) const fn payload(object: &'a Map<String, Value>) -> Self {
        Self { object, prefix: "" }
    }

    /// The tool's input.
    pub(crate) const fn tool_input(object: &'a Map<String, Value>) -> Self {
        Self {
            object,
            prefix: "tool_input.",
        }
    }

    /// The full name of a field, for errors.
    pub(crate) fn name(&self, field: &str) -> String {
        format!("{}{field}", self.prefix)
    }

    /// A field; `null` counts as absent, as it does for every agent.
    pub(crate) fn value(&self, field: &str) -> Option<&'a Value> {
        self.object.get(field).filter(|value| !value.is_null())
    }

    pub(crate) fn missing(&self, field: &str) -> DecodeError {
        DecodeError::Missing {
            field: self.name(field),
        }
    }

    pub(crate) fn invalid(&self, field: &str, reason: impl Into<String>) -> DecodeError {
        DecodeError::Invalid {
            field: self.name(field),
            reason: reason.into(),
        }
    }

    pub(crate) fn wrong_type(
        &self,
        field: &str,
        expected: &'static str,
        found: &Value,
    ) -> DecodeError {
        DecodeError::WrongType {
            field: self.name(field),
            expected,
            found: json::kind(found),
        }
    }

    pub(crate) fn optional_text(&self, field: &str) -> Result<Option<&'a str>, DecodeError> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong_type(field, "a string", other)),
        }
    }

    pub(crate) fn text(&self, field: &str) -> Result<&'a str, DecodeError> {
        self.optional_text(field)?
            .ok_or_else(|| self.missing(field))
    }

    /// A command or path: text that no program can take with a NUL in it.
    pub(crate) fn plain_text(&self, field: &str) -> Result<&'a str, DecodeError> {
        let text = self.text(field)?;
        self.no_nul(field, text)?;
        Ok(text)
    }

    fn no_nul(&self, field: &str, text: &str) -> Result<(), DecodeError> {
        if text.contains('\0') {
            return Err(self.invalid(field, "contains a NUL character"));
        }
        Ok(())
    }

    /// A path under one of the names that versions of an agent use. Two of
    /// them at once is an error: which one counts is the agent's secret.
    pub(crate) fn optional_path(&self, names: &[&str]) -> Result<Option<&'a str>, DecodeError> {
        let mut found: Option<(&str, &'a str)> = None;
        for name in names {
            let Some(path) = self.optional_text(name)? else {
                continue;
            };
            if let Some((other, _)) = found {
                return Err(self.invalid(name, format!("and `{other}` are both given")));
            }
            self.no_nul(name, path)?;
            found = Some((name, path));
        }
        Ok(found.map(|(_, path)| path).filter(|path| !path.is_empty()))
    }

    pub(crate) fn path(&self, names: &[&str]) -> Result<&'a str, DecodeError> {
        let first = names.first().copied().unwrap_or_default();
        self.optional_path(names)?.ok_or_else(|| {
            let empty = names.iter().any(|name| self.value(name).is_some());
            if empty {
                self.invalid(first, "is empty")
            } else {
                self.missing(first)
            }
        })
    }

    /// A list of strings, not empty.
    pub(crate) fn texts(&self, names: &[&str]) -> Result<Vec<&'a str>, DecodeError> {
        let first = names.first().copied().unwrap_or_default();
        let mut given = names
            .iter()
            .filter_map(|name| self.value(name).map(|value| (*name, value)));
        let (name, value) = given.next().ok_or_else(|| self.missing(first))?;
        if let Some((other, _)) = given.next() {
            return Err(self.invalid(name, format!("and `{other}` are both given")));
        }
        let Value::Array(items) = value else {
            return Err(self.wrong_type(name, "an array of strings", value));
        };
        if items.is_empty() {
            return Err(self.invalid(name, "is empty"));
        }
        items
            .iter()
            .map(|item| {
                let text = item
                    .as_str()
                    .ok_or_else(|| self.wrong_type(name, "an array of strings", value))?;
                self.no_nul(name, text)?;
                Ok(text)
            })
            .collect()
    }
}
