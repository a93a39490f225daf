//! The golden files, and what they show of each type.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::source::{Field, Kind, Shape, Type};

/// Where they are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/protocol")
}

/// Every golden file by its path below the folder, as text.
pub(crate) fn all() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "json") {
                let name = path.strip_prefix(folder()).unwrap().to_str().unwrap();
                found.insert(name.to_owned(), std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// Those of one message that begin with `params` or `result`: the one with
/// everything first.
pub(crate) fn of<'g>(
    goldens: &'g BTreeMap<String, String>,
    folder: &str,
    what: &str,
) -> Vec<(&'g str, &'g str)> {
    let plain = format!("{folder}/{what}.json");
    let variant = format!("{folder}/{what}-");
    let mut found: Vec<_> = goldens
        .iter()
        .filter(|(name, _)| **name == plain || name.starts_with(&variant))
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    found.sort_by_key(|(name, _)| *name != plain);
    found
}

/// What golden files showed of the types so far.
#[derive(Default)]
pub(crate) struct Shown {
    /// Types with optional fields: all of them there, and none of them.
    whole: BTreeSet<String>,
    bare: BTreeSet<String>,
    /// `Type::variant`.
    variants: BTreeSet<String>,
    types: BTreeSet<String>,
}

impl Shown {
    /// Holds a value against the type that `protocol.rs` says it is of.
    pub(crate) fn see(&mut self, types: &[Type], name: &str, value: &Value, place: &str) {
        let found = find(types, name);
        self.types.insert(name.to_owned());
        match &found.shape {
            Shape::Fields(fields) => {
                let mut known = BTreeSet::new();
                self.see_fields(types, name, fields, value, place, &mut known);
                all_known(value, &known, place);
            }
            Shape::Variants { tag, variants } => {
                let wire = match tag {
                    Some(tag) => &value[tag],
                    None => value,
                };
                let variant = variants
                    .iter()
                    .find(|variant| Some(variant.wire.as_str()) == wire.as_str())
                    .unwrap_or_else(|| panic!("{place}: {wire} is no {name}"));
                self.variants.insert(format!("{name}::{}", variant.wire));
                if let Some(tag) = tag {
                    let mut known = BTreeSet::from([tag.clone()]);
                    let fields = &variant.fields;
                    self.see_fields(types, name, fields, value, place, &mut known);
                    all_known(value, &known, place);
                }
            }
        }
    }

    fn see_fields(
        &mut self,
        types: &[Type],
        name: &str,
        fields: &[Field],
        value: &Value,
        place: &str,
        known: &mut BTreeSet<String>,
    ) {
        let object = value
            .as_object()
            .unwrap_or_else(|| panic!("{place}: {value} is no {name}"));
        for field in fields {
            if field.flattened {
                let inner = field.kind.named().expect("only types are flattened");
                let Shape::Fields(fields) = &find(types, inner).shape else {
                    panic!("{inner} has no fields");
                };
                self.types.insert(inner.to_owned());
                self.see_fields(types, inner, fields, value, place, known);
                continue;
            }
            known.insert(field.wire.clone());
            match object.get(&field.wire) {
                Some(value) => self.see_kind(types, &field.kind, value, place),
                None => assert!(field.optional, "{place}: `{}` is missing", field.wire),
            }
        }
        let optional = || fields.iter().filter(|field| field.optional);
        if optional().all(|field| object.contains_key(&field.wire)) {
            self.whole.insert(name.to_owned());
        }
        if !optional().any(|field| object.contains_key(&field.wire)) {
            self.bare.insert(name.to_owned());
        }
    }

    fn see_kind(&mut self, types: &[Type], kind: &Kind, value: &Value, place: &str) {
        let fits = match kind {
            Kind::Text => value.is_string(),
            Kind::Number => value.is_i64() || value.is_u64(),
            Kind::Flag => value.is_boolean(),
            Kind::Anything => true,
            Kind::List(inner) => {
                for one in value.as_array().into_iter().flatten() {
                    self.see_kind(types, inner, one, place);
                }
                value.is_array()
            }
            Kind::Named(name) => {
                self.see(types, name, value, place);
                true
            }
        };
        assert!(fits, "{place}: {value} is no {kind:?}");
    }

    /// What no golden file shows.
    pub(crate) fn missing(&self, types: &[Type]) -> Vec<String> {
        let mut missing = Vec::new();
        for one in types {
            let name = &one.name;
            if !self.types.contains(name) {
                missing.push(format!("{name} is in no golden file"));
                continue;
            }
            match &one.shape {
                Shape::Fields(_) => {
                    if !self.whole.contains(name) {
                        missing.push(format!("no golden file has every field of {name}"));
                    }
                    if !self.bare.contains(name) {
                        missing.push(format!("every golden file has optional fields of {name}"));
                    }
                }
                Shape::Variants { variants, .. } => missing.extend(
                    variants
                        .iter()
                        // It is left out when it is written.
                        .filter(|variant| !variant.is_default)
                        .map(|variant| format!("{name}::{}", variant.wire))
                        .filter(|path| !self.variants.contains(path))
                        .map(|path| format!("{path} is in no golden file")),
                ),
            }
        }
        missing
    }
}

fn all_known(value: &Value, known: &BTreeSet<String>, place: &str) {
    let unknown: Vec<_> = value
        .as_object()
        .into_iter()
        .flat_map(|object| object.keys())
        .filter(|key| !known.contains(*key))
        .collect();
    assert!(unknown.is_empty(), "{place}: unknown fields {unknown:?}");
}

/// The type of this name.
pub(crate) fn find<'t>(types: &'t [Type], name: &str) -> &'t Type {
    types
        .iter()
        .find(|one| one.name == name)
        .unwrap_or_else(|| panic!("protocol.rs has no type {name}"))
}
