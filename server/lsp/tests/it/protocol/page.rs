//! The generated parts of `docs/protocol.md`. Between `<!-- generated: … -->`
//! and `<!-- end -->` stands what this makes of `protocol.rs` and the golden
//! files; everything around is written by hand and kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::goldens::{self, find};
use super::messages::{Message, Payload};
use super::source::{Constant, Field, Kind, Shape, Type};

const BEGIN: &str = "<!-- generated: ";
const END: &str = "<!-- end -->";

/// What pages are made from.
pub(crate) struct Sources {
    pub(crate) constants: Vec<Constant>,
    pub(crate) types: Vec<Type>,
    pub(crate) codes: Vec<Constant>,
    pub(crate) methods: Vec<Message>,
    pub(crate) goldens: BTreeMap<String, String>,
}

/// The page with its generated parts made anew, and what they are of.
pub(crate) fn renewed(page: &str, sources: &Sources) -> (String, Vec<String>) {
    let mut renewed = String::new();
    let mut parts = Vec::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (part, after) = after.split_once(" -->\n").expect("a mark ends");
        let (_, after) = after
            .split_once(END)
            .unwrap_or_else(|| panic!("`{part}` has no end"));
        let text = sources.part(part);
        let text = text.trim();
        let _ = write!(renewed, "{before}{BEGIN}{part} -->\n\n{text}\n\n{END}");
        parts.push(part.to_owned());
        rest = after;
    }
    renewed.push_str(rest);
    (renewed, parts)
}

impl Sources {
    /// The parts that the page must have.
    pub(crate) fn parts(&self) -> BTreeSet<String> {
        let fixed = [
            "declaration",
            "initialize",
            "settings",
            "methods",
            "types",
            "commands",
            "errors",
        ];
        let messages = self.methods.iter().filter_map(|message| message.constant);
        fixed
            .iter()
            .map(|part| (*part).to_owned())
            .chain(messages.map(|path| format!("message {path}")))
            .collect()
    }

    fn part(&self, part: &str) -> String {
        match part {
            "methods" => self.overview(),
            "declaration" => self.declaration(),
            "initialize" => self.examples("initialize", "result", None),
            "settings" => self.examples("didChangeConfiguration", "params", None),
            "types" => self.shared_types(),
            "commands" => self.commands(),
            "errors" => self.errors(),
            _ => match part.strip_prefix("message ") {
                Some(path) => self.message(path),
                None => panic!("`{part}` is not generated"),
            },
        }
    }

    fn constant(&self, path: &str) -> &Constant {
        self.constants
            .iter()
            .find(|constant| constant.path() == path)
            .unwrap_or_else(|| panic!("protocol.rs has no {path}"))
    }

    /// The types that have a section of their own: those inside of others and
    /// of several messages.
    fn shared(&self) -> BTreeSet<&str> {
        let mut shared = BTreeSet::new();
        for one in &self.types {
            let fields: Vec<&Field> = match &one.shape {
                Shape::Fields(fields) => fields.iter().collect(),
                Shape::Variants { variants, .. } => {
                    variants.iter().flat_map(|one| &one.fields).collect()
                }
            };
            shared.extend(
                fields
                    .iter()
                    .filter(|field| !field.flattened)
                    .filter_map(|field| field.kind.named()),
            );
        }
        let mut once = BTreeSet::new();
        for message in &self.methods {
            for payload in [message.params, message.result].into_iter().flatten() {
                if payload.name != "()" && !once.insert(payload.name) {
                    shared.insert(payload.name);
                }
            }
        }
        shared
    }

    fn overview(&self) -> String {
        let mut text = "| direction | kind | method | what |\n|---|---|---|---|\n".to_owned();
        for message in &self.methods {
            let constant = self.constant(message.constant.unwrap_or_default());
            let direction = if constant.module == "from_server" {
                "server → client"
            } else {
                "client → server"
            };
            let _ = writeln!(
                text,
                "| {direction} | {} | [`{}`](#{}) | {} |",
                kind(message),
                constant.value,
                anchor(&heading(message, constant)),
                cell(&constant.doc),
            );
        }
        text
    }

    fn message(&self, path: &str) -> String {
        let message = self
            .methods
            .iter()
            .find(|message| message.constant == Some(path))
            .unwrap_or_else(|| panic!("{path} is no method"));
        let constant = self.constant(path);
        let mut text = format!("### {}\n\n", heading(message, constant));
        let direction = if constant.module == "from_server" {
            "From the server"
        } else {
            "From the client"
        };
        let _ = writeln!(text, "{direction}, a {}. {}\n", kind(message), constant.doc);
        match message.params {
            Some(payload) => self.payload(&mut text, "Parameters", payload),
            None => text.push_str("Parameters: none. Leave `params` out, or send `null`.\n\n"),
        }
        text.push_str(&self.examples(&message.folder, "params", message.params));
        if let Some(payload) = message.result {
            self.payload(&mut text, "Result", payload);
            if payload.name != "()" {
                text.push_str(&self.examples(&message.folder, "result", Some(payload)));
            }
        }
        text
    }

    fn payload(&self, text: &mut String, title: &str, payload: Payload) {
        if payload.name == "()" {
            let _ = writeln!(text, "{title}: `null`.\n");
        } else if self.shared().contains(payload.name) {
            let _ = writeln!(text, "{title}: {}.\n", link(payload.name));
        } else {
            let _ = writeln!(text, "{title}:\n");
            self.table(text, find(&self.types, payload.name));
        }
    }

    /// The first golden file in full, and where the others are. Of a result
    /// that is one of several objects, all.
    fn examples(&self, folder: &str, what: &str, payload: Option<Payload>) -> String {
        let files = goldens::of(&self.goldens, folder, what);
        let tagged = payload.is_some_and(|payload| {
            payload.name != "()"
                && matches!(
                    find(&self.types, payload.name).shape,
                    Shape::Variants { .. }
                )
        });
        let shown = if tagged { files.len() } else { 1 };
        let mut text = String::new();
        for (_, golden) in files.iter().take(shown) {
            let _ = writeln!(text, "```json\n{}\n```\n", golden.trim());
        }
        let others: Vec<_> = files
            .iter()
            .skip(shown)
            .map(|(name, _)| {
                let file = name.rsplit('/').next().unwrap_or(name);
                format!("[`{file}`](../tests/protocol/{name})")
            })
            .collect();
        if !others.is_empty() {
            let _ = writeln!(text, "More: {}\n", others.join(", "));
        }
        text
    }

    fn declaration(&self) -> String {
        let mut text = String::new();
        self.table(&mut text, find(&self.types, "ClientExtension"));
        text.push_str(&self.examples("capabilities", "client", None));
        text
    }

    fn shared_types(&self) -> String {
        let shared = self.shared();
        let mut text = String::new();
        for one in self
            .types
            .iter()
            .filter(|one| shared.contains(one.name.as_str()))
        {
            let _ = writeln!(text, "### {}\n\n{}\n", one.name, sentence(&one.doc));
            self.table(&mut text, one);
        }
        text
    }

    fn table(&self, text: &mut String, one: &Type) {
        match &one.shape {
            Shape::Fields(fields) => self.fields(text, fields),
            Shape::Variants {
                tag: None,
                variants,
            } => {
                text.push_str("| value | meaning |\n|---|---|\n");
                for variant in variants {
                    let default = if variant.is_default {
                        " Meant where it is left out."
                    } else {
                        ""
                    };
                    let doc = cell(&variant.doc);
                    let _ = writeln!(text, "| `\"{}\"` | {doc}{default} |", variant.wire);
                }
                text.push('\n');
            }
            Shape::Variants {
                tag: Some(tag),
                variants,
            } => {
                for variant in variants {
                    let _ = writeln!(
                        text,
                        "With `{tag}` = `\"{}\"`: {}\n",
                        variant.wire, variant.doc
                    );
                    if !variant.fields.is_empty() {
                        self.fields(text, &variant.fields);
                    }
                }
            }
        }
    }

    fn fields(&self, text: &mut String, fields: &[Field]) {
        text.push_str("| field | type | | meaning |\n|---|---|---|---|\n");
        self.rows(text, fields);
        text.push('\n');
    }

    fn rows(&self, text: &mut String, fields: &[Field]) {
        for field in fields {
            match (field.flattened, field.kind.named()) {
                (true, Some(inner)) => match &find(&self.types, inner).shape {
                    Shape::Fields(fields) => self.rows(text, fields),
                    Shape::Variants { .. } => panic!("{inner} has no fields"),
                },
                _ => {
                    let _ = writeln!(
                        text,
                        "| `{}` | {} | {} | {} |",
                        field.wire,
                        kind_name(&field.kind),
                        if field.optional { "optional" } else { "" },
                        cell(&field.doc),
                    );
                }
            }
        }
    }

    fn commands(&self) -> String {
        let mut text = "| command | what | example of `arguments` |\n|---|---|---|\n".to_owned();
        for constant in self.constants.iter().filter(|one| one.module == "commands") {
            let folder = format!("commands/{}", constant.value);
            let files = goldens::of(&self.goldens, &folder, "params");
            let arguments: Vec<String> = files
                .iter()
                .map(|(name, golden)| {
                    let params: serde_json::Value = serde_json::from_str(golden).unwrap();
                    assert_eq!(params["command"], constant.value, "{name}");
                    format!("`{}`", params["arguments"])
                })
                .collect();
            let _ = writeln!(
                text,
                "| `{}` | {} | {} |",
                constant.value,
                cell(&constant.doc),
                cell(&arguments.join(" or ")),
            );
        }
        text
    }

    fn errors(&self) -> String {
        let mut text = "| code | meaning | example of `message` |\n|---|---|---|\n".to_owned();
        for code in &self.codes {
            let golden: serde_json::Value =
                serde_json::from_str(&self.goldens[&error_file(code)]).unwrap();
            let _ = writeln!(
                text,
                "| `{}` | {} | {} |",
                golden["code"],
                cell(&code.doc),
                cell(golden["message"].as_str().unwrap_or_default()),
            );
        }
        text
    }
}

/// The golden file of an error code.
pub(crate) fn error_file(code: &Constant) -> String {
    format!("errors/{}.json", code.name.to_lowercase().replace('_', "-"))
}

fn kind(message: &Message) -> &'static str {
    if message.result.is_some() {
        "request"
    } else {
        "notification"
    }
}

/// A method's heading. One that goes both ways has two.
fn heading(message: &Message, constant: &Constant) -> String {
    format!("`{}` ({})", constant.value, kind(message))
}

/// How links name a heading.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn link(name: &str) -> String {
    format!("[{name}](#{})", anchor(name))
}

fn kind_name(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Number => "whole number".to_owned(),
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Anything => "any JSON".to_owned(),
        Kind::List(inner) => format!("list of {}", kind_name(inner)),
        Kind::Named(name) => link(name),
    }
}

/// A text in a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The first comment of a type may be only the name of its method.
fn sentence(doc: &str) -> String {
    if doc.ends_with('.') || doc.ends_with(':') {
        doc.to_owned()
    } else {
        format!("{doc}.")
    }
}
