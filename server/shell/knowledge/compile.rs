// Reads the knowledge base and writes it as Rust. Part of the build script; it
// knows the format (see docs/effects.md) and nothing of what it means.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

/// A file of the knowledge base.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    command: Vec<Command>,
}

/// A command, or a sub-command of one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
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
    without_operands: Option<String>,
    /// What its standard input is to it: `data`, `code` or
    /// `instead`.
    #[serde(default)]
    stdin: Stdin,
    /// What it does besides what operands and options say.
    #[serde(default)]
    effects: Vec<String>,
    /// The parser of its own that understands it.
    parser: Option<String>,
    /// Whether any words at all are harmless, options too.
    #[serde(default)]
    any_words: bool,
    /// What other flags change: one of them, or with `-a -b & -c` one of each
    /// group; what has more groups says more.
    #[serde(default)]
    when: BTreeMap<String, When>,
    /// Files that say what it runs, looked for in its folder and above. Only
    /// with them a task can be contained.
    #[serde(default)]
    defined_by: Vec<String>,
    /// Words that begin with a dash and are known behind `--`.
    #[serde(default)]
    behind: String,
    #[serde(default)]
    sub: Vec<Command>,
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
struct When {
    operands: Option<Vec<String>>,
    #[serde(default)]
    effects: Vec<String>,
    without_operands: Option<String>,
    stdin: Option<Stdin>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Style {
    /// Letters in bundles, long options with two dashes, anywhere among the
    /// operands; long options may be abbreviated.
    #[default]
    Gnu,
    /// As GNU, but only before the first operand.
    Posix,
    /// As GNU without abbreviations.
    Exact,
    /// Long options with one dash, anywhere (`java -version`).
    Single,
    /// The same, and values glued to letters (`-Iinclude`).
    Compiler,
    /// None: every word is an operand.
    None,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stdin {
    /// It reads it as data, or not at all.
    #[default]
    Data,
    /// It runs it where no operand says otherwise.
    Code,
    /// It reads it instead of the current folder if it is a pipe.
    Instead,
}

/// The roles of operands and of the values of options.
const ROLES: &[(&str, &str)] = &[
    ("text", "Text"),
    ("read", "Read"),
    ("read_tree", "ReadTree"),
    ("follow_tree", "FollowTree"),
    ("list", "List"),
    ("list_tree", "ListTree"),
    ("write", "Write"),
    ("edit", "Edit"),
    ("make_folder", "MakeFolder"),
    ("mode", "Mode"),
    ("delete", "Delete"),
    ("delete_folder", "DeleteFolder"),
    ("delete_tree", "DeleteTree"),
    ("move_from", "MoveFrom"),
    ("destination", "Destination"),
    ("folder_destination", "FolderDestination"),
];

/// What a command does besides its operands.
const EFFECTS: &[(&str, &str)] = &[
    ("network", "Network"),
    ("privilege", "Privilege"),
    ("process", "Process"),
    ("install", "Install"),
    ("publish", "Publish"),
    ("history", "History"),
    ("local_history", "LocalHistory"),
    ("infrastructure", "Infrastructure"),
    ("persistence", "Persistence"),
    ("poisoning", "Poisoning"),
    ("interpreter", "Interpreter"),
    ("control", "Control"),
    ("system", "System"),
    ("agent", "Agent"),
    ("task", "Task"),
    ("code_task", "CodeTask"),
    ("translate", "Translate"),
    ("wrapper", "Wrapper"),
];

/// The parsers that some commands have.
const PARSERS: &[(&str, &str)] = &[
    ("ar", "Ar"),
    ("archive", "Archive"),
    ("awk", "Awk"),
    ("cc", "Cc"),
    ("dd", "Dd"),
    ("find", "Find"),
    ("git", "Git"),
    ("javac", "Javac"),
    ("jq", "Jq"),
    ("media", "Media"),
    ("pack", "Pack"),
    ("python", "Python"),
    ("rustc", "Rustc"),
    ("sed", "Sed"),
    ("tar", "Tar"),
    ("test", "Test"),
];

pub(crate) fn compile(files: impl Iterator<Item = (String, String)>) -> Result<String, String> {
    let mut commands = Vec::new();
    for (name, text) in files {
        let file: File = toml::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
        for command in file.command {
            commands.push((name.clone(), command));
        }
    }
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for (index, (file, command)) in commands.iter().enumerate() {
        for name in &command.names {
            if names.insert(name.clone(), index).is_some() {
                return Err(format!("{file}: `{name}` is described twice"));
            }
        }
    }
    // Each entry once, however many names it has: every reference in a static
    // is work for the dynamic loader, before `main`, in every hook.
    let mut out = String::new();
    for (index, (file, command)) in commands.iter().enumerate() {
        let body = of(command)
            .map_err(|problem| format!("{file}: {}: {problem}", command.names.join(", ")))?;
        writeln!(out, "static ENTRY_{index}: Command = {body};").expect("writing to a string");
    }
    out.push_str("pub(super) static COMMANDS: &[(&str, &Command)] = &[\n");
    for (name, index) in &names {
        writeln!(out, "    ({name:?}, &ENTRY_{index}),").expect("writing to a string");
    }
    out.push_str("];\n");
    Ok(out)
}

fn of(command: &Command) -> Result<String, String> {
    if command.names.is_empty() {
        return Err("a command without a name".to_owned());
    }
    if !command.sub.is_empty() && !command.operands.is_empty() {
        return Err("either sub-commands or operands".to_owned());
    }
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    if !command.behind.is_empty() && command.defined_by.is_empty() {
        return Err("`behind` is for tasks, which have `defined_by`".to_owned());
    }
    let when: Result<Vec<String>, String> = command.when.iter().map(when).collect();
    let sub: Result<Vec<String>, String> = command
        .sub
        .iter()
        .map(|sub| of(sub).map_err(|problem| format!("{}: {problem}", sub.names.join(", "))))
        .collect();
    Ok(format!(
        "Command {{ names: &{:?}, style: Style::{:?}, flags: &[{}], numbers: {}, \
         versions: {}, queries: &{:?}, sub_queries: &{:?}, response_files: {}, forms: &{:?}, \
         operands: &[{}], without_operands: {}, stdin: StdinUse::{:?}, effects: &[{}], \
         parser: {}, any_words: {}, defined_by: &{:?}, behind: &{:?}, when: &[{}], sub: &[{}] }}",
        command.names,
        command.style(),
        flags(&command.flags)?.join(", "),
        command.numbers,
        command.versions,
        words(&command.queries),
        words(&command.sub_queries),
        command.response_files,
        command.forms,
        operands(&command.operands)?.join(", "),
        option(command.without_operands.as_deref(), role)?,
        command.stdin,
        effects(&command.effects)?.join(", "),
        option(command.parser.as_deref(), |parser| known(
            PARSERS, "Parser", parser
        ))?,
        command.any_words,
        command.defined_by,
        words(&command.behind),
        when?.join(", "),
        sub?.join(", "),
    ))
}

impl Command {
    const fn style(&self) -> Style {
        self.options
    }
}

fn when((flags, when): (&String, &When)) -> Result<String, String> {
    let groups: Vec<Vec<&str>> = flags
        .split('&')
        .map(|group| group.split_whitespace().collect())
        .collect();
    let groups = format!("{groups:?}").replace('[', "&[");
    let operands = match &when.operands {
        Some(roles) => format!("Some(&[{}])", operands(roles)?.join(", ")),
        None => "None".to_owned(),
    };
    Ok(format!(
        "When {{ flags: {groups}, operands: {operands}, effects: &[{}], without_operands: {}, \
         stdin: {} }}",
        effects(&when.effects)?.join(", "),
        option(when.without_operands.as_deref(), role)?,
        match when.stdin {
            Some(stdin) => format!("Some(StdinUse::{stdin:?})"),
            None => "None".to_owned(),
        },
    ))
}

fn flags(text: &str) -> Result<Vec<String>, String> {
    text.split_whitespace()
        .map(|token| {
            let (name, value) = if let Some(token) = token.strip_suffix(']') {
                let (name, value) = token
                    .split_once("[=")
                    .ok_or_else(|| format!("the flag `{token}]` is not understood"))?;
                (name, format!("Value::Optional({})", role(value)?))
            } else if let Some(name) = token.strip_suffix('*') {
                (name, "Value::Name".to_owned())
            } else if let Some((name, value)) = token.split_once('=') {
                (name, format!("Value::Required({})", role(value)?))
            } else {
                (token, "Value::None".to_owned())
            };
            if !name.starts_with(['-', '+']) || name.len() < 2 {
                return Err(format!("`{name}` is no flag"));
            }
            Ok(format!("Flag {{ name: {name:?}, value: {value} }}"))
        })
        .collect()
}

fn operands(roles: &[String]) -> Result<Vec<String>, String> {
    roles
        .iter()
        .map(|text| {
            let (name, count) = match text.chars().last() {
                Some('?') => (&text[..text.len() - 1], "Optional"),
                Some('*') => (&text[..text.len() - 1], "Any"),
                Some('+') => (&text[..text.len() - 1], "Many"),
                _ => (text.as_str(), "One"),
            };
            Ok(format!(
                "Operand {{ role: {}, count: Count::{count} }}",
                role(name)?
            ))
        })
        .collect()
}

fn effects(names: &[String]) -> Result<Vec<String>, String> {
    names
        .iter()
        .map(|name| known(EFFECTS, "Doing", name))
        .collect()
}

fn role(name: &str) -> Result<String, String> {
    known(ROLES, "Role", name)
}

fn known(table: &[(&str, &str)], kind: &str, name: &str) -> Result<String, String> {
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, variant)| format!("{kind}::{variant}"))
        .ok_or_else(|| {
            let all: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
            format!("`{name}` is none of {}", all.join(", "))
        })
}

fn option(
    text: Option<&str>,
    one: impl Fn(&str) -> Result<String, String>,
) -> Result<String, String> {
    text.map_or_else(
        || Ok("None".to_owned()),
        |text| Ok(format!("Some({})", one(text)?)),
    )
}
