//! The JSON schema and the page about settings, both from the descriptors.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::descriptor::{Descriptor, Direction, Fixed, Kind, Merge};
use crate::hooks::{DEFAULT_TIMEOUT, LONGEST_TIMEOUT};
use crate::table::DESCRIPTORS;

/// The JSON schema of a settings file.
#[must_use]
pub fn schema() -> Value {
    let settings: Vec<_> = DESCRIPTORS
        .iter()
        .map(|setting| (setting.key, setting))
        .collect();
    let mut root = object(&settings);
    root.insert(
        "$schema".to_owned(),
        json!("http://json-schema.org/draft-07/schema#"),
    );
    root.insert("title".to_owned(), json!("Countersign settings"));
    root.insert("allowComments".to_owned(), json!(true));
    root.insert("allowTrailingCommas".to_owned(), json!(true));
    if let Some(Value::Object(properties)) = root.get_mut("properties") {
        properties.insert("$schema".to_owned(), json!({ "type": "string" }));
    }
    Value::Object(root)
}

/// The schema of an object with these settings, named from here on.
fn object(settings: &[(&'static str, &'static Descriptor)]) -> Map<String, Value> {
    let mut inner: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    let mut properties = Map::new();
    for (path, setting) in settings {
        match path.split_once('.') {
            Some((name, rest)) => inner.entry(name).or_default().push((rest, *setting)),
            None => {
                properties.insert((*path).to_owned(), property(setting));
            }
        }
    }
    for (name, settings) in inner {
        properties.insert(name.to_owned(), Value::Object(object(&settings)));
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema
}

fn property(setting: &Descriptor) -> Value {
    let mut schema = match setting.kind {
        Kind::Rules(_) | Kind::Prose | Kind::Names | Kind::McpTools => {
            json!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true })
        }
        Kind::Words(words) => {
            json!({ "type": "array", "items": { "enum": words }, "uniqueItems": true })
        }
        Kind::Hooks => hooks(),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Text(rule) => {
            let mut schema =
                json!({ "type": "string", "minLength": 1, "maxLength": rule.longest() });
            if let (Value::Object(members), Some(pattern)) = (&mut schema, rule.pattern()) {
                members.insert("pattern".to_owned(), json!(pattern));
            }
            schema
        }
        Kind::Flag { .. } => json!({ "type": "boolean" }),
        Kind::Count { least, most } => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
    };
    if let Value::Object(members) = &mut schema {
        members.insert("description".to_owned(), json!(setting.doc));
        match setting.default {
            Fixed::Nothing if setting.kind.is_list() => {
                members.insert("default".to_owned(), json!([]));
            }
            Fixed::Nothing | Fixed::Unusable => {}
            Fixed::Flag(flag) => {
                members.insert("default".to_owned(), json!(flag));
            }
            Fixed::Choice(word) => {
                members.insert("default".to_owned(), json!(word));
            }
            Fixed::Count(count) => {
                members.insert("default".to_owned(), json!(count));
            }
        }
    }
    schema
}

/// The schema of a list of hooks.
fn hooks() -> Value {
    let timeout = json!({
        "type": "integer", "minimum": 1, "maximum": LONGEST_TIMEOUT, "default": DEFAULT_TIMEOUT,
        "description": "How long it may take, in seconds."
    });
    let text = json!({ "type": "string", "minLength": 1 });
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["hooks"],
            "additionalProperties": false,
            "properties": {
                "matcher": {
                    "type": "string",
                    "description": "A tool, a list of tools (`Bash|Edit`), or a regular expression; left out: all."
                },
                "hooks": {
                    "type": "array",
                    "items": { "oneOf": [
                        {
                            "type": "object",
                            "required": ["type", "command"],
                            "additionalProperties": false,
                            "properties": {
                                "type": { "const": "command" },
                                "command": text,
                                "timeout": timeout,
                            }
                        },
                        {
                            "type": "object",
                            "required": ["type", "url"],
                            "additionalProperties": false,
                            "properties": {
                                "type": { "const": "http" },
                                "url": { "type": "string", "format": "uri" },
                                "headers": {
                                    "type": "object",
                                    "additionalProperties": { "type": "string" }
                                },
                                "allowedEnvVars": { "type": "array", "items": text },
                                "timeout": timeout,
                            }
                        },
                    ] }
                },
            }
        }
    })
}

const INTRODUCTION: &str = "\
<!-- Generated from the descriptors in server/settings. Do not edit: run `UPDATE_DOCS=1 cargo test -p countersign-settings`. -->

# Settings

Settings are JSON with comments and trailing commas. They are read in layers, the strongest first:

1. the machine: `/etc/countersign/settings.json`
2. the user: `~/.config/countersign/settings.json`
3. the user's settings of the editor
4. the workspace: `.countersign/settings.json`
5. the workspace's settings of the editor, such as `.vscode/settings.json`

On macOS the first two are `/Library/Application Support/countersign/settings.json` and the same below the home folder. The home folder comes from the user database; no environment variable moves any of this.

## What a workspace may do

Anybody may have written the files of a workspace, so a workspace can only tighten:

- From every workspace, trusted or not: what restricts. Those are deny and ask rules, deny hints, further protected paths and context files, and stricter values of single settings.
- From a trusted workspace, once a person accepted exactly that set: allow rules, allow hints and facts about the surroundings. When the files change, what is new is suspended until a person accepts it too.
- Never: what the table below marks as not for workspaces.

A folder is trusted by its canonical path and inode; a folder inside a trusted one is a workspace of its own.

Deny and ask rules, protected paths and context files that leave a workspace's files stay in force until a person confirms it.

## When a file cannot be read

A file with a syntax error leaves its last good content in force and is reported with line and column. If there is none, `auto-edit`, `auto` and `yolo` act as `default` until the file is mended. A value of a wrong type is reported by name and place; the other values count, and the value itself counts as the table says. A key that stands twice counts in the stricter reading of both. Where no reading is stricter, as of the classifier's endpoint, two that differ count as none. Unknown keys are reported and ignored. Files are at most 1 MiB, in UTF-8. In a workspace they, and the folder they are in, must not be symbolic links.

## How layers merge

- *united*: the lists of all layers, each entry once.
- *highest*: the strongest layer that names it counts; a workspace may only make it stricter.
- *strictest*: the strictest value of all layers that name it counts.
- *user*: not read from workspaces. The strongest layer counts; lists are united.

## Imports

With `import`, permission lists and auto mode hints of other agents are read too: `~/.qwen/settings.json`, `~/.claude/settings.json`, and in the workspace `.qwen/settings*.json`, `.claude/settings.json` and `.claude/settings.local.json`. Each has the scope of its folder: those of the workspace follow the rules for workspaces above. Where the agent reads a rule differently, deny and ask rules take the wider reading and allow rules the narrower. Root-relative paths (`/docs`) begin at the workspace; in `~/.claude/settings.json` at `~/.claude`, in the user's own file at the home folder.
";

/// The page about settings, `docs/settings.md`.
#[must_use]
pub fn document() -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("\n## All settings\n\n");
    page.push_str(
        "| setting | type | default | layers | in a workspace |\n|---|---|---|---|---|\n",
    );
    for setting in DESCRIPTORS {
        // Writing to a string does not fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            setting.key,
            kind(setting.kind),
            default(setting),
            merge(setting.merge),
            workspace(setting),
        );
    }
    for setting in DESCRIPTORS {
        let _ = write!(page, "\n### `{}`\n\n{}\n", setting.key, setting.doc);
        if setting.malformed == Fixed::Unusable {
            let without = setting.without().trim_end_matches(" until it is mended");
            let _ = writeln!(page, "\nWhile the value cannot be read, {without}.");
        } else if !setting.kind.is_list() && setting.malformed != setting.default {
            let _ = writeln!(
                page,
                "\nA value that cannot be read counts as {}.",
                value(setting.malformed)
            );
        }
    }
    page
}

fn kind(kind: Kind) -> String {
    match kind {
        Kind::Rules(_) => "list of rules".to_owned(),
        Kind::Prose => "list of sentences".to_owned(),
        Kind::Names => "list of names or patterns".to_owned(),
        Kind::McpTools => "list of servers or tools".to_owned(),
        Kind::Words(words) => format!("list of {}", coded(words)),
        Kind::Hooks => "list of hooks".to_owned(),
        Kind::Choice(words) => format!("one of {}", coded(words)),
        Kind::Text(rule) => rule.describe().to_owned(),
        Kind::Flag { .. } => "`true` or `false`".to_owned(),
        Kind::Count { least, most } => format!("whole number, {least} to {most}"),
    }
}

fn coded(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn default(setting: &Descriptor) -> String {
    match setting.default {
        Fixed::Nothing if setting.kind.is_list() => "`[]`".to_owned(),
        other => value(other),
    }
}

fn value(value: Fixed) -> String {
    match value {
        Fixed::Nothing | Fixed::Unusable => "not set".to_owned(),
        Fixed::Flag(flag) => format!("`{flag}`"),
        Fixed::Choice(word) => format!("`{word}`"),
        Fixed::Count(count) => format!("`{count}`"),
    }
}

const fn merge(merge: Merge) -> &'static str {
    match merge {
        Merge::UnitedLists => "united",
        Merge::Highest => "highest",
        Merge::MostRestrictive => "strictest",
        Merge::UserOnly => "user",
    }
}

const fn workspace(setting: &Descriptor) -> &'static str {
    match (setting.merge, setting.direction) {
        (Merge::UserOnly, _) => "not read",
        (_, Direction::Tightens) => "always",
        (_, Direction::Loosens) => "trusted and accepted",
        (_, Direction::ByValue | Direction::Neutral) => "stricter only",
    }
}
