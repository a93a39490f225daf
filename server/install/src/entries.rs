//! Countersign's entries among the hooks of an agent's settings: put in, kept
//! up to date, and taken out, with everything foreign left as it is.

use camino::Utf8Path;
use jsonc_parser::cst::{CstArray, CstInputValue, CstObject};
use serde_json::Value;

use crate::command_line::{is_ours, quoted};
use crate::document::value;
use crate::profile::Shape;

/// A value in an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    Text(String),
    Number(u64),
    Flag(bool),
}

impl Field {
    fn input(&self) -> CstInputValue {
        match self {
            Self::Text(text) => CstInputValue::String(text.clone()),
            Self::Number(number) => CstInputValue::Number(number.to_string()),
            Self::Flag(flag) => CstInputValue::Bool(*flag),
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Text(text) => text.clone().into(),
            Self::Number(number) => (*number).into(),
            Self::Flag(flag) => (*flag).into(),
        }
    }
}

/// The entry that an event is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) event: &'static str,
    pub(crate) fields: Vec<(&'static str, Field)>,
}

/// Keys that say nothing about when and how the hook is called.
const HARMLESS: &[&str] = &["statusMessage", "description", "name"];

/// A hook of ours, and the group that it stands in.
struct Found {
    group: Option<CstObject>,
    handler: CstObject,
}

impl Found {
    fn remove(self) {
        match self.group {
            Some(group) if handlers_of(&group).len() == 1 => group.remove(),
            _ => self.handler.remove(),
        }
    }

    /// Whether it is called for every tool, as an entry of `install` is.
    fn can_stay(&self, wanted: &Wanted) -> bool {
        let is_known = |name: &str| {
            HARMLESS.contains(&name) || wanted.fields.iter().any(|(known, _)| *known == name)
        };
        let keys_fit = |object: &CstObject, known: &dyn Fn(&str) -> bool| {
            object
                .properties()
                .iter()
                .all(|property| property.decoded_name().is_some_and(|name| known(&name)))
        };
        let matches_all = |object: &CstObject| {
            object.get("matcher").is_none() || covers(member(object, "matcher").as_ref())
        };
        let group_fits = self.group.as_ref().is_none_or(|group| {
            matches_all(group)
                && keys_fit(group, &|name| {
                    matches!(name, "matcher" | "hooks" | "description")
                })
        });
        group_fits && keys_fit(&self.handler, &is_known)
    }
}

fn member(object: &CstObject, name: &str) -> Option<Value> {
    json(&object.get(name)?.value()?)
}

/// What a part of a document says.
fn json(node: &impl std::fmt::Display) -> Option<Value> {
    value(Utf8Path::new(""), &node.to_string()).ok()
}

/// Whether a matcher leaves no tool out, as far as that can be told.
pub(crate) fn covers(matcher: Option<&Value>) -> bool {
    match matcher {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => matches!(text.trim(), "" | "*" | ".*" | "^.*$"),
        Some(_) => false,
    }
}

/// The command line of an entry, whatever its form.
pub(crate) fn command_of(handler: &Value) -> Option<String> {
    let command = ["command", "bash"]
        .into_iter()
        .find_map(|name| handler.get(name)?.as_str())?;
    let arguments = handler.get("args").and_then(Value::as_array);
    let arguments = arguments.into_iter().flatten().filter_map(Value::as_str);
    let mut line = match handler.get("args") {
        Some(_) => quoted(command),
        None => command.to_owned(),
    };
    for argument in arguments {
        line.push(' ');
        line.push_str(&quoted(argument));
    }
    Some(line)
}

fn handlers_of(group: &CstObject) -> Vec<CstObject> {
    let elements = group.array_value("hooks").map(|hooks| hooks.elements());
    let elements = elements.unwrap_or_default();
    elements
        .iter()
        .filter_map(|node| node.as_object())
        .collect()
}

fn found_in(array: &CstArray, shape: Shape, home: &Utf8Path) -> Vec<Found> {
    let objects: Vec<CstObject> = array
        .elements()
        .iter()
        .filter_map(|node| node.as_object())
        .collect();
    let found: Vec<Found> = match shape {
        Shape::Nested => objects
            .into_iter()
            .flat_map(|group| {
                handlers_of(&group).into_iter().map(move |handler| Found {
                    group: Some(group.clone()),
                    handler,
                })
            })
            .collect(),
        Shape::Closing | Shape::Flat | Shape::Plugin => objects
            .into_iter()
            .map(|handler| Found {
                group: None,
                handler,
            })
            .collect(),
    };
    let mut found = found;
    found.retain(|found| {
        let handler = json(&found.handler);
        let command = handler.as_ref().and_then(command_of);
        command.is_some_and(|command| is_ours(&command, home))
    });
    found
}

/// Puts the wanted entries in, or makes those that are there what they should
/// be. `Err` says what stands in the way.
pub(crate) fn put(
    root: &CstObject,
    shape: Shape,
    home: &Utf8Path,
    wanted: &[Wanted],
) -> Result<(), String> {
    if shape.has_version() && root.get("version").is_none() {
        root.insert(0, "version", CstInputValue::Number("1".to_owned()));
    }
    let hooks = root
        .object_value_or_create("hooks")
        .ok_or("`hooks` is not an object; mend it first")?;
    for entry in wanted {
        let array = hooks
            .array_value_or_create(entry.event)
            .ok_or_else(|| format!("`hooks.{}` is not a list; mend it first", entry.event))?;
        let mut stays = false;
        for found in found_in(&array, shape, home) {
            if !stays && found.can_stay(entry) {
                update(&found.handler, entry);
                stays = true;
            } else {
                found.remove();
            }
        }
        if !stays {
            array.ensure_multiline();
            array.append(new_entry(shape, entry));
        }
    }
    let is_wanted = |name: &str| wanted.iter().any(|entry| entry.event == name);
    for property in hooks.properties() {
        let name = property.decoded_name().unwrap_or_default();
        if !is_wanted(&name)
            && let Some(array) = property.array_value()
        {
            take_from(&array, shape, home);
            if array.elements().is_empty() {
                property.remove();
            }
        }
    }
    Ok(())
}

fn update(handler: &CstObject, wanted: &Wanted) {
    for (name, field) in &wanted.fields {
        match handler.get(name) {
            Some(property) => {
                let now = member(handler, name);
                if now.is_none_or(|now| now != field.value()) {
                    property.set_value(field.input());
                }
            }
            None => {
                handler.append(name, field.input());
            }
        }
    }
}

fn new_entry(shape: Shape, wanted: &Wanted) -> CstInputValue {
    let handler = CstInputValue::Object(
        wanted
            .fields
            .iter()
            .map(|(name, field)| ((*name).to_owned(), field.input()))
            .collect(),
    );
    match shape {
        Shape::Nested => CstInputValue::Object(vec![(
            "hooks".to_owned(),
            CstInputValue::Array(vec![handler]),
        )]),
        Shape::Closing | Shape::Flat | Shape::Plugin => handler,
    }
}

fn take_from(array: &CstArray, shape: Shape, home: &Utf8Path) -> bool {
    let found = found_in(array, shape, home);
    let is_any = !found.is_empty();
    found.into_iter().for_each(Found::remove);
    is_any
}

/// Takes every entry of ours out, and what is empty then; whether there was one.
pub(crate) fn take_out(root: &CstObject, shape: Shape, home: &Utf8Path) -> bool {
    let Some(hooks) = root.object_value("hooks") else {
        return false;
    };
    let mut is_any = false;
    for property in hooks.properties() {
        let Some(array) = property.array_value() else {
            continue;
        };
        if take_from(&array, shape, home) {
            is_any = true;
            if array.elements().is_empty() {
                property.remove();
            }
        }
    }
    if is_any && hooks.properties().is_empty() {
        hooks_property_remove(root);
    }
    is_any
}

fn hooks_property_remove(root: &CstObject) {
    if let Some(property) = root.get("hooks") {
        property.remove();
    }
}

/// What is not ours: the same before and after a change, or the change is not
/// made.
pub(crate) fn foreign(mut said: Value, shape: Shape, home: &Utf8Path) -> Value {
    let is_our_entry =
        |handler: &Value| command_of(handler).is_some_and(|line| is_ours(&line, home));
    let Some(root) = said.as_object_mut() else {
        return said;
    };
    if shape.has_version() && root.get("version") == Some(&Value::from(1)) {
        root.remove("version");
    }
    let Some(hooks) = root.get_mut("hooks").and_then(Value::as_object_mut) else {
        return said;
    };
    for list in hooks.values_mut().filter_map(Value::as_array_mut) {
        if shape == Shape::Nested {
            list.retain_mut(|group| {
                let Some(handlers) = group.get_mut("hooks").and_then(Value::as_array_mut) else {
                    return true;
                };
                let before = handlers.len();
                handlers.retain(|handler| !is_our_entry(handler));
                before == handlers.len() || !handlers.is_empty()
            });
        } else {
            list.retain(|handler| !is_our_entry(handler));
        }
    }
    hooks.retain(|_, list| list.as_array().is_none_or(|list| !list.is_empty()));
    if hooks.is_empty() {
        root.remove("hooks");
    }
    said
}
