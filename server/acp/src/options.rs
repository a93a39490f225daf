//! The agents' own configuration options, as far as they say who decides: some
//! agents have their modes as an option and in no other way.

use countersign_agents::acp::{ModeKind, mode_kind};
use countersign_core::agent::Agent;
use serde_json::Value;

/// What an option is called, or what it is about, that is the agent's mode.
const MODE: &str = "mode";

/// What options are about that say nothing of who decides. An agent that calls
/// its mode so runs what it likes in any case.
const ABOUT_MODELS: &[&str] = &["model", "thought_level"];

/// The option that is the agent's mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModeOption {
    pub(crate) id: String,
    pub(crate) current: Option<String>,
    /// What it can be.
    pub(crate) values: Vec<String>,
}

impl ModeOption {
    /// The one among all options of a session.
    pub(crate) fn of(options: &Value) -> Option<Self> {
        let is_mode = |option: &&Value| is(option, "id", MODE) || is(option, "category", MODE);
        let option = options.as_array()?.iter().find(is_mode)?;
        Some(Self {
            id: text(option, "id")?.to_owned(),
            current: text(option, "currentValue").map(str::to_owned),
            values: values(option),
        })
    }
}

/// Whether an option is the mode by its name alone.
pub(crate) fn is_mode(id: &str) -> bool {
    id == MODE
}

/// The options that are about models.
pub(crate) fn about_models(options: &Value) -> Vec<String> {
    let options = options.as_array().into_iter().flatten();
    options
        .filter(|option| {
            ABOUT_MODELS
                .iter()
                .any(|about| is(option, "category", about))
        })
        .filter_map(|option| text(option, "id").map(str::to_owned))
        .collect()
}

/// What would loosen, if setting an option to this would: its value, or its own
/// name where it is switched on.
pub(crate) fn loosening<'a>(agent: Agent, id: &'a str, value: &'a Value) -> Option<&'a str> {
    let name = match value {
        Value::String(value) => value,
        Value::Bool(true) => id,
        _ => return None,
    };
    (mode_kind(agent, name) == ModeKind::Loosens).then_some(name)
}

/// What an option can be, also where its values stand in groups.
fn values(option: &Value) -> Vec<String> {
    let list = |of: &Value| of.get("options").and_then(Value::as_array).cloned();
    let entries = list(option).unwrap_or_default();
    let flat = entries
        .into_iter()
        .flat_map(|entry| list(&entry).unwrap_or_else(|| vec![entry]));
    flat.filter_map(|entry| text(&entry, "value").map(str::to_owned))
        .collect()
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str()
}

fn is(value: &Value, field: &str, expected: &str) -> bool {
    text(value, field) == Some(expected)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_mode_is_found_by_its_name_or_by_what_it_is_about() {
        let flat = json!([{ "value": "plan" }, { "value": "build" }]);
        let groups = json!([
            { "group": "a", "name": "A", "options": [{ "value": "plan" }] },
            { "group": "b", "name": "B", "options": [{ "value": "build" }] },
        ]);
        for options in [flat, groups] {
            for mode in [
                json!({ "id": "mode", "currentValue": "build", "options": options }),
                json!({ "id": "agent", "category": "mode", "currentValue": "build",
                    "options": options }),
            ] {
                let all = json!([{ "id": "model", "category": "model" }, mode]);
                let found = ModeOption::of(&all).unwrap();
                assert_eq!(found.id, mode["id"]);
                assert_eq!(found.current.as_deref(), Some("build"));
                assert_eq!(found.values, ["plan", "build"]);
            }
        }
        for none in [
            json!([]),
            json!([{ "id": "model" }]),
            json!({}),
            Value::Null,
        ] {
            assert_eq!(ModeOption::of(&none), None, "{none}");
        }
    }

    #[test]
    fn what_is_switched_on_loosens_by_its_own_name() {
        let opencode = |id, value: &Value| loosening(Agent::Opencode, id, value).map(str::to_owned);
        assert_eq!(opencode("mode", &json!("yolo")).as_deref(), Some("yolo"));
        assert_eq!(
            opencode("auto_approve", &json!(true)).as_deref(),
            Some("auto_approve")
        );
        for (id, value) in [
            ("auto_approve", json!(false)),
            ("auto_approve", json!("no")),
            ("sounds", json!(true)),
            ("mode", json!("build")),
            ("mode", json!("plan")),
            ("mode", json!(1)),
        ] {
            assert_eq!(opencode(id, &value), None, "{id} {value}");
        }
    }
}
