//! From the shape that agents know, `[{matcher, hooks: [{type, …}]}]`, to one
//! entry for each hook.

use std::collections::BTreeMap;

use url::{Host, Url};

use crate::document::{Member, Node, Value};
use crate::extract::Item;
use crate::hooks::{DEFAULT_TIMEOUT, Definition, HookAction, LONGEST_TIMEOUT, Matcher};
use crate::problem::Problems;
use crate::text::TextRule;

/// The longest command line, in bytes.
const LONGEST_COMMAND: usize = 8 * 1024;

/// The longest address, in bytes.
const LONGEST_URL: usize = 2 * 1024;

/// Most headers of an address, and the longest value, in bytes.
const MOST_HEADERS: usize = 16;
const LONGEST_VALUE: usize = 4 * 1024;

/// Headers that are the guard's to set.
const OWN_HEADERS: [&str; 7] = [
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "te",
];

/// The hooks of a list of groups. What cannot be read is reported and left out.
pub(crate) fn items(path: &str, groups: &[Node], problems: &mut Problems<'_>) -> Vec<Item> {
    let mut items = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        let path = format!("{path}[{at}]");
        if let Err(problem) = group_items(&path, group, &mut items, problems) {
            problems.error(group.position, format!("{path}: {problem}"));
        }
    }
    items
}

fn group_items(
    path: &str,
    group: &Node,
    items: &mut Vec<Item>,
    problems: &mut Problems<'_>,
) -> Result<(), String> {
    let members = Members::of(group)?;
    members.warn_of_others(path, &["matcher", "hooks"], problems);
    let matcher = match members.get("matcher")? {
        None => String::new(),
        Some(node) => text(node, "matcher")?.to_owned(),
    };
    let matcher = match Matcher::new(&matcher) {
        Ok(matcher) => matcher.as_str().to_owned(),
        Err(problem) => return Err(format!("matcher: {problem}; these hooks are left out")),
    };
    let hooks = members
        .get("hooks")?
        .ok_or("`hooks`, the list of what runs, is missing")?;
    let Value::List(hooks) = &hooks.value else {
        return Err(format!(
            "hooks: expected a list, found {}",
            hooks.value.kind()
        ));
    };
    for (at, hook) in hooks.iter().enumerate() {
        let path = format!("{path}.hooks[{at}]");
        match definition(&path, hook, &matcher, problems) {
            Ok(definition) => items.push(Item {
                text: definition.text(),
                position: hook.position,
            }),
            Err(problem) => problems.error(
                hook.position,
                format!("{path}: {problem}; the hook is left out"),
            ),
        }
    }
    Ok(())
}

fn definition(
    path: &str,
    hook: &Node,
    matcher: &str,
    problems: &mut Problems<'_>,
) -> Result<Definition, String> {
    let members = Members::of(hook)?;
    let kind = members.get("type")?.ok_or("`type` is missing")?;
    let action = match text(kind, "type")? {
        "command" => {
            members.warn_of_others(path, &["type", "command", "timeout"], problems);
            command(&members)?
        }
        "http" => {
            let known = ["type", "url", "headers", "allowedEnvVars", "timeout"];
            members.warn_of_others(path, &known, problems);
            http(&members)?
        }
        _ => return Err("type: expected `command` or `http`".to_owned()),
    };
    let timeout = match members.get("timeout")? {
        None => DEFAULT_TIMEOUT,
        Some(node) => timeout(node).unwrap_or_else(|| {
            problems.error(
                node.position,
                format!(
                    "{path}.timeout: expected seconds, a whole number from 1 to \
                     {LONGEST_TIMEOUT}; {DEFAULT_TIMEOUT} holds"
                ),
            );
            DEFAULT_TIMEOUT
        }),
    };
    Ok(Definition {
        matcher: matcher.to_owned(),
        action,
        timeout,
        files: BTreeMap::new(),
    })
}

fn timeout(node: &Node) -> Option<u64> {
    let Value::Number(digits) = &node.value else {
        return None;
    };
    let seconds = digits.parse().ok()?;
    (1..=LONGEST_TIMEOUT).contains(&seconds).then_some(seconds)
}

fn command(members: &Members<'_>) -> Result<HookAction, String> {
    let command = members.get("command")?.ok_or("`command` is missing")?;
    let command = text(command, "command")?;
    if command.trim().is_empty() || command.len() > LONGEST_COMMAND || command.contains('\0') {
        return Err(format!(
            "command: expected a command line of at most {LONGEST_COMMAND} bytes"
        ));
    }
    Ok(HookAction::Command {
        command: command.to_owned(),
    })
}

fn http(members: &Members<'_>) -> Result<HookAction, String> {
    let address = members.get("url")?.ok_or("`url` is missing")?;
    let address = url(text(address, "url")?)?;
    let mut headers = BTreeMap::new();
    if let Some(node) = members.get("headers")? {
        let given = Members::of(node).map_err(|problem| format!("headers: {problem}"))?;
        if given.all.len() > MOST_HEADERS {
            return Err(format!("headers: more than {MOST_HEADERS}"));
        }
        for member in given.all {
            let name = member.name.to_ascii_lowercase();
            let value = text(&member.node, "a header")?;
            // Neither is repeated: people put secrets into both.
            if !is_header_name(&name) || OWN_HEADERS.contains(&name.as_str()) {
                return Err("headers: a name is none, or is set by the guard itself".to_owned());
            }
            if value.len() > LONGEST_VALUE || value.chars().any(char::is_control) {
                return Err(format!(
                    "headers: a value has a control character, or more than {LONGEST_VALUE} bytes"
                ));
            }
            if headers.insert(name, value.to_owned()).is_some() {
                return Err("headers: a name stands there twice".to_owned());
            }
        }
    }
    let mut allowed_env_vars = Vec::new();
    if let Some(node) = members.get("allowedEnvVars")? {
        let Value::List(names) = &node.value else {
            return Err("allowedEnvVars: expected a list".to_owned());
        };
        if names.len() > MOST_HEADERS {
            return Err(format!("allowedEnvVars: more than {MOST_HEADERS}"));
        }
        for name in names {
            let name = TextRule::VariableName
                .read(text(name, "allowedEnvVars")?)
                .map_err(|problem| format!("allowedEnvVars: {problem}"))?;
            allowed_env_vars.push(name);
        }
    }
    Ok(HookAction::Http {
        url: address,
        headers,
        allowed_env_vars,
    })
}

/// An address over which nobody on the way can read a call, or say yes to it.
fn url(text: &str) -> Result<String, String> {
    const EXPECTED: &str =
        "url: expected one that begins with https://, or with http:// on this machine";
    if text.len() > LONGEST_URL || text.chars().any(char::is_control) || text.trim() != text {
        return Err(EXPECTED.to_owned());
    }
    let url = Url::parse(text).map_err(|_| EXPECTED.to_owned())?;
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if !(url.scheme() == "https" && url.host().is_some() || url.scheme() == "http" && is_here) {
        return Err(EXPECTED.to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(
            "url: it must have no user name, password or fragment; use a header".to_owned(),
        );
    }
    Ok(url.as_str().to_owned())
}

fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 128
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character))
}

fn text<'n>(node: &'n Node, name: &str) -> Result<&'n str, String> {
    match &node.value {
        Value::Text(text) => Ok(text),
        other => Err(format!("{name}: expected a string, found {}", other.kind())),
    }
}

/// The members of an object, each of which must stand there once.
struct Members<'n> {
    all: &'n [Member],
}

impl<'n> Members<'n> {
    fn of(node: &'n Node) -> Result<Self, String> {
        match &node.value {
            Value::Object(all) => Ok(Self { all }),
            other => Err(format!("expected an object, found {}", other.kind())),
        }
    }

    fn get(&self, name: &str) -> Result<Option<&'n Node>, String> {
        let mut found = self
            .all
            .iter()
            .filter(|member| member.name == name)
            .map(|member| &member.node);
        let first = found.next().filter(|node| node.value != Value::Null);
        if found.next().is_some() {
            return Err(format!("`{name}` stands there twice"));
        }
        Ok(first)
    }

    fn warn_of_others(&self, path: &str, known: &[&str], problems: &mut Problems<'_>) {
        for member in self.all {
            if !known.contains(&member.name.as_str()) {
                problems.warning(
                    member.position,
                    format!(
                        "{path}: an unknown member is ignored; known are {}",
                        known.join(", ")
                    ),
                );
            }
        }
    }
}
