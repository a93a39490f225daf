// Reads the knowledge base and writes it as bytes, with an index as Rust. Part of
// the build script; it knows the format (see docs/effects.md) and nothing of what
// it means.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, StrDeserializer};

use super::model::{
    Command, Count, Doing, Flag, Operand, Parser, Role, StdinUse, Style, SubName, Value, When,
};
use super::packed;

/// A file of the knowledge base.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    command: Vec<Written>,
}

/// A command, or a sub-command of one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    names: Vec<String>,
    /// What it does, for who reads the file: `prints files`.
    #[allow(dead_code)]
    does: String,
    #[serde(default)]
    options: Style,
    /// Whether a version may follow its names: `gcc-12`, `python3.11`.
    #[serde(default)]
    versions: bool,
    /// Options that, alone, only make it say something of itself: `--version`.
    #[serde(default)]
    queries: String,
    /// The same, behind each of its sub-commands.
    #[serde(default)]
    sub_queries: String,
    /// Whether it replaces a word `@FILE` by what the file holds.
    #[serde(default)]
    response_files: bool,
    /// Forms in which it is harmless, whatever else it does: `NAME status`.
    /// Words are `a|b`, `--option=`, `[letters]`, NAME, TEXT, READ, LIST; `*`
    /// and `?` may follow.
    #[serde(default)]
    forms: Vec<String>,
    /// `-a --all -o=write --color[=text] -W*` (a name glued to it)
    #[serde(default)]
    flags: String,
    /// Whether `-20` is a flag.
    #[serde(default)]
    numbers: bool,
    /// Roles of operands in order: `read`, `read?`, `read*`, `read+`.
    #[serde(default)]
    operands: Vec<String>,
    /// What it does to the current folder when no operand is given.
    without_operands: Option<Role>,
    /// What its standard input is to it: `data`, `code` or
    /// `instead`.
    #[serde(default)]
    stdin: StdinUse,
    /// What it does besides what operands and options say.
    #[serde(default)]
    effects: Vec<Doing>,
    /// The parser of its own that understands it.
    parser: Option<Parser>,
    /// Whether any words at all are harmless, options too.
    #[serde(default)]
    any_words: bool,
    /// What other flags change: one of them, or with `-a -b & -c` one of each
    /// group; what has more groups says more.
    #[serde(default)]
    when: BTreeMap<String, WrittenWhen>,
    /// Files that say what it runs, looked for in its folder and above. Only
    /// with them a task can be contained.
    #[serde(default)]
    defined_by: Vec<String>,
    /// Words that begin with a dash and are known behind `--`.
    #[serde(default)]
    behind: String,
    #[serde(default)]
    sub: Vec<Written>,
    /// Run by the tests, not needed here.
    #[serde(default)]
    #[allow(dead_code)]
    contained: Vec<String>,
    #[serde(default)]
    #[allow(dead_code)]
    not_contained: Vec<String>,
    /// Contained only where the files that define the task are trusted.
    #[serde(default)]
    #[allow(dead_code)]
    trusted: Vec<String>,
}

/// What changes when one of some flags is given.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWhen {
    operands: Option<Vec<String>>,
    #[serde(default)]
    effects: Vec<Doing>,
    without_operands: Option<Role>,
    stdin: Option<StdinUse>,
}

/// What is known: each command and sub-command once, however many names it has.
pub(crate) struct Knowledge {
    pub(crate) entries: Vec<Command<String>>,
    /// Which entry each name of a command means.
    pub(crate) names: BTreeMap<String, u16>,
}

pub(crate) fn read(files: impl Iterator<Item = (String, String)>) -> Result<Knowledge, String> {
    let mut entries = Vec::new();
    let mut names = BTreeMap::new();
    for (file, text) in files {
        let parsed: File = toml::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
        for written in parsed.command {
            let named = written.names.join(", ");
            let entry = add(written, &mut entries)
                .map_err(|problem| format!("{file}: {named}: {problem}"))?;
            for name in &entries[usize::from(entry)].names {
                if names.insert(name.clone(), entry).is_some() {
                    return Err(format!("{file}: `{name}` is described twice"));
                }
            }
        }
    }
    Ok(Knowledge { entries, names })
}

/// The entries one behind the other, and the Rust that says where each begins
/// and which names it has. Nothing in either is an address: every reference in a
/// static is work for the dynamic loader, before `main`, in every hook.
pub(crate) fn write(knowledge: &Knowledge) -> Result<(Vec<u8>, String), String> {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for entry in &knowledge.entries {
        bytes = postcard::to_extend(entry, bytes).map_err(|error| error.to_string())?;
        ends.push(bytes.len());
    }
    let mut out = String::new();
    let _ = writeln!(
        out,
        "pub(super) static ENTRIES: [u8; {}] = \
         *include_bytes!(concat!(env!(\"OUT_DIR\"), \"/knowledge.postcard\"));",
        bytes.len()
    );
    let owners: Vec<usize> = knowledge.names.values().copied().map(usize::from).collect();
    out.push_str(&packed::numbers("ENTRY_ENDS", "u32", &ends));
    out.push_str(&packed::numbers("NAME_ENTRIES", "u16", &owners));
    out.push_str(&packed::texts(
        "NAMES",
        knowledge.names.keys().map(String::as_str),
    ));
    Ok((bytes, out))
}

/// Adds it behind its sub-commands; its number.
fn add(command: Written, entries: &mut Vec<Command<String>>) -> Result<u16, String> {
    if command.names.is_empty() {
        return Err("a command without a name".to_owned());
    }
    if !command.sub.is_empty() && !command.operands.is_empty() {
        return Err("either sub-commands or operands".to_owned());
    }
    if !command.behind.is_empty() && command.defined_by.is_empty() {
        return Err("`behind` is for tasks, which have `defined_by`".to_owned());
    }
    let when: Result<_, String> = command.when.into_iter().map(when).collect();
    let mut sub_names = Vec::new();
    for sub in command.sub {
        let named = sub.names.join(", ");
        let entry = add(sub, entries).map_err(|problem| format!("{named}: {problem}"))?;
        for (at, name) in entries[usize::from(entry)].names.iter().enumerate() {
            sub_names.push(SubName {
                name: name.clone(),
                is_first: at == 0,
                entry,
            });
        }
    }
    let number = u16::try_from(entries.len()).map_err(|_| "there are too many".to_owned())?;
    entries.push(Command {
        names: command.names.into(),
        style: command.options,
        flags: flags(&command.flags)?,
        versions: command.versions,
        queries: words(&command.queries),
        sub_queries: words(&command.sub_queries),
        response_files: command.response_files,
        forms: command.forms.into(),
        numbers: command.numbers,
        operands: operands(&command.operands)?,
        without_operands: command.without_operands,
        stdin: command.stdin,
        effects: command.effects.into(),
        parser: command.parser,
        any_words: command.any_words,
        defined_by: command.defined_by.into(),
        behind: words(&command.behind),
        when: when?,
        sub: sub_names.into(),
    });
    Ok(number)
}

fn words(text: &str) -> Box<[String]> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn when((flags, when): (String, WrittenWhen)) -> Result<When<String>, String> {
    Ok(When {
        flags: flags.split('&').map(words).collect(),
        operands: when.operands.as_deref().map(operands).transpose()?,
        effects: when.effects.into(),
        without_operands: when.without_operands,
        stdin: when.stdin,
    })
}

fn flags(text: &str) -> Result<Box<[Flag<String>]>, String> {
    text.split_whitespace()
        .map(|token| {
            let (name, value) = if let Some(token) = token.strip_suffix(']') {
                let (name, value) = token
                    .split_once("[=")
                    .ok_or_else(|| format!("the flag `{token}]` is not understood"))?;
                (name, Value::Optional(role(value)?))
            } else if let Some(name) = token.strip_suffix('*') {
                (name, Value::Name)
            } else if let Some((name, value)) = token.split_once('=') {
                (name, Value::Required(role(value)?))
            } else {
                (token, Value::None)
            };
            if !name.starts_with(['-', '+']) || name.len() < 2 {
                return Err(format!("`{name}` is no flag"));
            }
            Ok(Flag {
                name: name.to_owned(),
                value,
            })
        })
        .collect()
}

fn operands(roles: &[String]) -> Result<Box<[Operand]>, String> {
    roles
        .iter()
        .map(|text| {
            let counts = [
                ('?', Count::Optional),
                ('*', Count::Any),
                ('+', Count::Many),
            ];
            let (name, count) = counts
                .into_iter()
                .find_map(|(sign, count)| Some((text.strip_suffix(sign)?, count)))
                .unwrap_or((text, Count::One));
            Ok(Operand {
                role: role(name)?,
                count,
            })
        })
        .collect()
}

fn role(name: &str) -> Result<Role, String> {
    let name: StrDeserializer<'_, Error> = name.into_deserializer();
    Role::deserialize(name).map_err(|error| error.to_string())
}
