//! Messages of the proxy's own, and answers chosen by what an option is rather
//! than by its name: names are the agent's.

use countersign_core::redact;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The longest text of ours in a message, in bytes.
const MOST_TEXT: usize = 4 * 1024;

/// An error that is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// What was sent is no message.
    NoMessage,
    /// The method is not passed on.
    NoMethod,
    /// The parameters are not understood.
    BadParams,
    /// The guard said no.
    Denied,
    /// It was cancelled.
    Cancelled,
}

impl Failure {
    const fn code(self) -> i64 {
        match self {
            Self::NoMessage => -32_600,
            Self::NoMethod => -32_601,
            Self::BadParams => -32_602,
            Self::Denied => -32_000,
            Self::Cancelled => -32_800,
        }
    }
}

/// A JSON value as it was written.
fn raw(text: &str) -> Value {
    serde_json::from_str::<&RawValue>(text)
        .ok()
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or(Value::Null)
}

/// An error for the request of this id; none for one that has no readable id.
pub(crate) fn error(id: Option<&str>, failure: Failure, message: &str) -> Value {
    json!({
        "jsonrpc": "2.0",
        "id": id.map_or(Value::Null, raw),
        "error": { "code": failure.code(), "message": text(message) },
    })
}

/// A result.
pub(crate) fn result(id: &str, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": raw(id), "result": result })
}

/// A request or, without an id, a notification.
pub(crate) fn call(id: Option<&str>, method: &str, params: &Value) -> Value {
    match id {
        Some(id) => json!({ "jsonrpc": "2.0", "id": raw(id), "method": method, "params": params }),
        None => json!({ "jsonrpc": "2.0", "method": method, "params": params }),
    }
}

/// What the agent is told of a permission: the option of this kind, and never
/// one that would keep it from asking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission<'a> {
    /// The call may run, once.
    Allow,
    /// It must not, because of this.
    Reject(&'a str),
    /// The turn was cancelled.
    Cancelled,
}

/// Whether a permission request can be answered with a yes for once.
pub(crate) fn can_allow(params: &Value) -> bool {
    option(params, &["allow_once"]).is_some()
}

/// The result of a permission request with these parameters. Where no option
/// says yes for once, the answer is no.
pub(crate) fn permission(params: &Value, permission: Permission<'_>) -> Value {
    let why = match permission {
        Permission::Allow => match option(params, &["allow_once"]) {
            Some(option) => return json!({ "outcome": selected(option) }),
            None => "the agent offers no permission for once, and no other is given",
        },
        Permission::Reject(why) => why,
        Permission::Cancelled => return json!({ "outcome": { "outcome": "cancelled" } }),
    };
    let outcome = option(params, &["reject_once", "reject_always"])
        .map_or(json!({ "outcome": "cancelled" }), selected);
    // Agents do not read it, but their logs have it.
    json!({ "outcome": outcome, "_meta": { "countersign": { "reason": text(why) } } })
}

fn selected(option: &str) -> Value {
    json!({ "outcome": "selected", "optionId": option })
}

/// The first option of the first kind for which there is one.
fn option<'a>(params: &'a Value, kinds: &[&str]) -> Option<&'a str> {
    kinds.iter().find_map(|kind| {
        options(params)
            .find(|(_, of)| of == kind)
            .map(|(option, _)| option)
    })
}

/// The options of a permission request: id and kind.
fn options(params: &Value) -> impl Iterator<Item = (&str, &str)> {
    let all = params.get("options").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(|option| {
        let text = |field| option.get(field).and_then(Value::as_str);
        text("optionId").zip(text("kind"))
    })
}

/// What a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// Yes; for always counts as for once.
    Yes,
    /// No.
    No,
    /// Nothing, or nothing that was offered.
    Nothing,
}

/// What the client's result says to a permission request with these parameters.
pub(crate) fn chosen(params: &Value, result: &Value) -> Chosen {
    let outcome = result.get("outcome");
    let text = |field| outcome?.get(field)?.as_str();
    if text("outcome") != Some("selected") {
        return Chosen::Nothing;
    }
    let Some(chosen) = text("optionId") else {
        return Chosen::Nothing;
    };
    // One id for two options says nothing.
    let mut kinds = options(params).filter(|(option, _)| *option == chosen);
    match (kinds.next(), kinds.next()) {
        (Some((_, "allow_once" | "allow_always")), None) => Chosen::Yes,
        (Some((_, "reject_once" | "reject_always")), None) => Chosen::No,
        _ => Chosen::Nothing,
    }
}

/// The options that we offer: no comes first.
pub(crate) fn own_options() -> Value {
    json!([
        { "optionId": "deny", "name": "Deny", "kind": "reject_once" },
        { "optionId": "approve", "name": "Approve once", "kind": "allow_once" },
    ])
}

/// A text that moves and hides nothing.
pub(crate) fn text(message: &str) -> String {
    let lines: Vec<String> = redact::bounded(message, MOST_TEXT)
        .lines()
        .map(redact::visible)
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kinds: &[(&str, &str)]) -> Value {
        let options: Vec<Value> = kinds
            .iter()
            .map(|(id, kind)| json!({ "optionId": id, "name": id, "kind": kind }))
            .collect();
        json!({ "options": options })
    }

    fn answered(kinds: &[(&str, &str)], given: Permission<'_>) -> Value {
        permission(&request(kinds), given)["outcome"].clone()
    }

    #[test]
    fn an_option_is_chosen_by_its_kind() {
        let misleading = [
            ("reject", "allow_always"),
            ("allow_always", "reject_once"),
            ("no", "allow_once"),
        ];
        assert_eq!(
            answered(&misleading, Permission::Allow),
            json!({ "outcome": "selected", "optionId": "no" })
        );
        assert_eq!(
            answered(&misleading, Permission::Reject("why")),
            json!({ "outcome": "selected", "optionId": "allow_always" })
        );
    }

    #[test]
    fn always_is_never_the_answer() {
        let always = [("a", "allow_always"), ("r", "reject_always")];
        assert_eq!(
            answered(&always, Permission::Allow),
            json!({ "outcome": "selected", "optionId": "r" })
        );
        for odd in [
            &[("a", "allow_always")][..],
            &[],
            &[("a", "ALLOW_ONCE"), ("b", "allow_once ")],
        ] {
            for given in [
                Permission::Allow,
                Permission::Reject(""),
                Permission::Cancelled,
            ] {
                assert_eq!(answered(odd, given), json!({ "outcome": "cancelled" }));
            }
        }
    }

    #[test]
    fn only_an_option_that_was_offered_is_a_yes() {
        let offered = request(&[
            ("o", "allow_once"),
            ("a", "allow_always"),
            ("r", "reject_once"),
            ("twice", "allow_once"),
            ("twice", "reject_once"),
            ("odd", "switch_mode"),
        ]);
        let of = |outcome: Value| chosen(&offered, &json!({ "outcome": outcome }));
        let option = |id: &str| of(json!({ "outcome": "selected", "optionId": id }));
        assert_eq!(option("o"), Chosen::Yes);
        assert_eq!(option("a"), Chosen::Yes);
        assert_eq!(option("r"), Chosen::No);
        for odd in ["twice", "odd", "O", ""] {
            assert_eq!(option(odd), Chosen::Nothing, "{odd}");
        }
        for odd in [
            json!({ "outcome": "cancelled", "optionId": "o" }),
            json!({ "optionId": "o" }),
            json!("selected"),
            Value::Null,
        ] {
            assert_eq!(of(odd), Chosen::Nothing);
        }
        assert_eq!(chosen(&offered, &Value::Null), Chosen::Nothing);
    }
}
