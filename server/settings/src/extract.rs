//! What one document states: the known settings with their places, and
//! everything that could not be read.

use std::collections::{BTreeMap, HashSet};

use crate::descriptor::{Descriptor, Direction, Fixed, Given, Kind};
use crate::document::{Node, Value};
use crate::problem::{Position, Problems};

/// Where a document keeps which settings.
pub(crate) struct Vocabulary {
    /// The path in the document, with dots, and the setting it states.
    pub(crate) words: Vec<(&'static str, &'static Descriptor)>,
    /// Whether other keys are reported: true for our own files only.
    pub(crate) closed: bool,
    /// An entry that means "the built-in ones" and states nothing.
    pub(crate) filler: Option<&'static str>,
    /// Whether the document is of a workspace. What such a one may not name is
    /// not even read.
    pub(crate) of_workspace: bool,
}

impl Vocabulary {
    /// The vocabulary of our own settings files.
    pub(crate) fn own(of_workspace: bool) -> Self {
        Self {
            words: crate::table::DESCRIPTORS
                .iter()
                .map(|setting| (setting.key, setting))
                .collect(),
            closed: true,
            filler: None,
            of_workspace,
        }
    }

    fn exact(&self, path: &str) -> Option<(&'static str, &'static Descriptor)> {
        self.words.iter().find(|(word, _)| *word == path).copied()
    }

    fn inside<'v>(&'v self, path: &'v str) -> impl Iterator<Item = &'static Descriptor> + 'v {
        self.words.iter().filter_map(move |(word, setting)| {
            let is_inside = path.is_empty()
                || word
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.starts_with('.'));
            is_inside.then_some(*setting)
        })
    }
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) text: String,
    pub(crate) position: Option<Position>,
}

/// What a document states about one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stated {
    List(Vec<Item>),
    Scalar {
        value: Given,
        position: Option<Position>,
    },
}

/// What a document states.
#[derive(Debug, Default)]
pub(crate) struct Statement {
    pub(crate) settings: BTreeMap<&'static str, Stated>,
    /// What restricts and could not be read, with its place in words.
    pub(crate) unclear: Option<String>,
}

struct Found<'n> {
    path: &'static str,
    nodes: Vec<&'n Node>,
    position: Option<Position>,
}

/// Reads what the vocabulary knows from a document.
pub(crate) fn extract(
    root: &Node,
    vocabulary: &Vocabulary,
    problems: &mut Problems<'_>,
) -> Statement {
    let mut reader = Reader {
        vocabulary,
        problems,
        unclear: None,
    };
    let mut found = BTreeMap::new();
    reader.collect(root, "", &mut found);
    let mut settings = BTreeMap::new();
    for (key, entry) in found {
        let Some(setting) = Descriptor::find(key) else {
            continue;
        };
        let stated = if setting.kind.is_list() {
            reader.list(setting, &entry)
        } else {
            reader.scalar(setting, &entry)
        };
        if let Some(stated) = stated {
            settings.insert(key, stated);
        }
    }
    Statement {
        settings,
        unclear: reader.unclear,
    }
}

struct Reader<'r, 'p> {
    vocabulary: &'r Vocabulary,
    problems: &'r mut Problems<'p>,
    unclear: Option<String>,
}

impl Reader<'_, '_> {
    fn collect<'n>(
        &mut self,
        node: &'n Node,
        prefix: &str,
        found: &mut BTreeMap<&'static str, Found<'n>>,
    ) {
        let members = match &node.value {
            Value::Object(members) => members,
            Value::Null => return,
            other => {
                let name = if prefix.is_empty() {
                    "settings"
                } else {
                    prefix
                };
                self.problems.error(
                    node.position,
                    format!("{name}: expected an object, found {}", other.kind()),
                );
                if self
                    .vocabulary
                    .inside(prefix)
                    .any(|setting| setting.direction == Direction::Tightens)
                {
                    self.unclear(name);
                }
                return;
            }
        };
        let mut seen = HashSet::new();
        for member in members {
            let path = if prefix.is_empty() {
                member.name.clone()
            } else {
                format!("{prefix}.{}", member.name)
            };
            let known = self.vocabulary.exact(&path);
            let holds_others = known.is_none() && self.vocabulary.inside(&path).next().is_some();
            if known.is_none() && !holds_others {
                if self.vocabulary.closed && path != "$schema" {
                    self.problems.warning(
                        member.position,
                        format!(
                            "unknown setting `{}` is ignored; {}",
                            plain(&path),
                            remedy_for_unknown(&path)
                        ),
                    );
                }
                continue;
            }
            if !seen.insert(member.name.as_str()) {
                self.problems.error(
                    member.position,
                    format!("`{path}` stands here twice; the stricter reading of both counts"),
                );
            }
            match known {
                Some((word, setting)) => found
                    .entry(setting.key)
                    .or_insert_with(|| Found {
                        path: word,
                        nodes: Vec::new(),
                        position: member.position,
                    })
                    .nodes
                    .push(&member.node),
                None => self.collect(&member.node, &path, found),
            }
        }
    }

    fn unclear(&mut self, path: &str) {
        self.unclear
            .get_or_insert_with(|| format!("`{path}` cannot be read"));
    }

    /// Whether the setting may not stand here at all. The merge says so; what
    /// the value is does not matter and is not looked at.
    fn is_refused(&self, setting: &Descriptor) -> bool {
        self.vocabulary.of_workspace && !setting.in_workspaces()
    }

    fn list(&mut self, setting: &Descriptor, found: &Found<'_>) -> Option<Stated> {
        if self.is_refused(setting) {
            let node = found.nodes.iter().find(|node| node.value != Value::Null)?;
            let first = match &node.value {
                Value::List(items) => items.first().unwrap_or(node),
                _ => node,
            };
            return Some(Stated::List(vec![Item {
                text: String::new(),
                position: first.position,
            }]));
        }
        let mut united: Option<Vec<Item>> = None;
        for node in &found.nodes {
            let Some(items) = self.items(setting, found.path, node) else {
                continue;
            };
            united = Some(match united {
                None => items,
                // What gives leave counts only if every reading gives it.
                Some(mut before) if setting.direction == Direction::Loosens => {
                    before.retain(|item| items.iter().any(|other| other.text == item.text));
                    before
                }
                Some(mut before) => {
                    before.extend(items);
                    before
                }
            });
        }
        united.map(Stated::List)
    }

    fn items(&mut self, setting: &Descriptor, path: &str, node: &Node) -> Option<Vec<Item>> {
        let tightens = setting.direction == Direction::Tightens;
        match &node.value {
            Value::Null => None,
            Value::List(nodes) if setting.kind == Kind::Hooks => {
                Some(crate::hooks::items(path, nodes, self.problems))
            }
            Value::List(nodes) => {
                let mut items = Vec::with_capacity(nodes.len());
                for (at, node) in nodes.iter().enumerate() {
                    let Value::Text(text) = &node.value else {
                        self.problems.error(
                            node.position,
                            format!(
                                "{path}[{at}]: expected a string, found {}",
                                node.value.kind()
                            ),
                        );
                        if tightens {
                            self.unclear(path);
                        }
                        continue;
                    };
                    if self.accepts(setting, &format!("{path}[{at}]"), text, node.position) {
                        items.push(Item {
                            text: text.clone(),
                            position: node.position,
                        });
                    }
                }
                Some(items)
            }
            Value::Text(text) if tightens => {
                self.problems.error(
                    node.position,
                    format!("{path}: expected a list, found a string; it counts as a list of one"),
                );
                Some(vec![Item {
                    text: text.clone(),
                    position: node.position,
                }])
            }
            other => {
                self.problems.error(
                    node.position,
                    format!("{path}: expected a list, found {}", other.kind()),
                );
                if tightens {
                    self.unclear(path);
                }
                None
            }
        }
    }

    fn accepts(
        &mut self,
        setting: &Descriptor,
        path: &str,
        text: &str,
        at: Option<Position>,
    ) -> bool {
        if self.vocabulary.filler == Some(text) {
            return false;
        }
        match setting.kind {
            // What a rule says, and whether it says anything, is for the rules
            // themselves to tell.
            Kind::Rules(_) => true,
            Kind::Words(words) if !words.contains(&text) => {
                self.problems
                    .error(at, format!("{path}: expected one of {}", words.join(", ")));
                false
            }
            _ if text.trim().is_empty() => {
                self.problems
                    .warning(at, format!("{path}: an empty entry is ignored"));
                false
            }
            Kind::McpTools if !is_mcp_name(text) => {
                self.problems.error(
                    at,
                    format!(
                        "{path}: expected the name of an MCP server, mcp__server or mcp__server__tool, without other patterns than `__*` at the end; the entry is ignored"
                    ),
                );
                false
            }
            _ => true,
        }
    }

    fn scalar(&mut self, setting: &Descriptor, found: &Found<'_>) -> Option<Stated> {
        let mut chosen: Option<(Given, Option<Position>)> = None;
        for node in &found.nodes {
            let position = node.position.or(found.position);
            let Some(value) = self.value(setting, found.path, node) else {
                continue;
            };
            chosen = Some(match chosen {
                None => (value, position),
                Some((before, _)) if setting.is_exact() && before != value => {
                    (Given::Fixed(Fixed::Unusable), position)
                }
                Some((before, at)) => {
                    if setting.kind.rank(&value) < setting.kind.rank(&before) {
                        (value, position)
                    } else {
                        (before, at)
                    }
                }
            });
        }
        chosen.map(|(value, position)| Stated::Scalar { value, position })
    }

    fn value(&mut self, setting: &Descriptor, path: &str, node: &Node) -> Option<Given> {
        if self.is_refused(setting) && node.value != Value::Null {
            return Some(Given::Fixed(setting.malformed));
        }
        let problem = match read(setting.kind, &node.value) {
            Ok(value) => return value,
            Err(problem) => problem,
        };
        let instead = if setting.is_exact() {
            setting.without().to_owned()
        } else {
            format!("{} holds", words(&Given::Fixed(setting.malformed)))
        };
        self.problems
            .error(node.position, format!("{path}: {problem}; {instead}"));
        Some(Given::Fixed(setting.malformed))
    }
}

/// What a broken value of the classifier's comes to.
pub(crate) const NO_CLASSIFIER: &str = "there is no classifier until it is mended";

/// Whether a text can name a server, a tool or, with `__*` at its end, all tools
/// of a server. Other patterns are refused, so that nobody believes that they
/// do what they do in a rule.
fn is_mcp_name(text: &str) -> bool {
    let text = text.strip_suffix("__*").unwrap_or(text);
    text.chars().count() <= 200
        && !text
            .chars()
            .any(|character| character.is_control() || character.is_whitespace())
        && !text.contains(['*', '?', '(', ')'])
}

fn remedy_for_unknown(path: &str) -> &'static str {
    // Where people would put the key.
    let is_key = path
        .strip_prefix("permissions.autoMode.classifier.")
        .is_some_and(|name| ["apikey", "key", "token"].contains(&name.to_lowercase().as_str()));
    if is_key {
        "keys do not belong into a file: put it into an environment variable and name that with `apiKeyEnv`"
    } else {
        "`countersign schema` lists the known ones"
    }
}

/// The single value, or what is wrong with it; none for `null` and for lists.
pub(crate) fn read(kind: Kind, value: &Value) -> Result<Option<Given>, String> {
    let expected = |what: String| format!("expected {what}, found {}", shown(value));
    let fixed = |value| Ok(Some(Given::Fixed(value)));
    match (kind, value) {
        (_, Value::Null) => Ok(None),
        (Kind::Flag { .. }, Value::Flag(flag)) => fixed(Fixed::Flag(*flag)),
        (Kind::Flag { .. }, _) => Err(expected("true or false".to_owned())),
        (Kind::Choice(words), value) => {
            let word = words
                .iter()
                .find(|word| matches!(value, Value::Text(text) if *word == text));
            match word {
                Some(word) => fixed(Fixed::Choice(word)),
                None => Err(expected(format!("one of {}", words.join(", ")))),
            }
        }
        (Kind::Text(rule), Value::Text(text)) => {
            rule.read(text).map(|text| Some(Given::Text(text)))
        }
        (Kind::Text(_), other) => Err(format!("expected a string, found {}", other.kind())),
        (Kind::Count { least, most }, value) => {
            let count = match value {
                Value::Number(digits) => digits.parse::<u64>().ok(),
                _ => None,
            };
            match count.filter(|count| (least..=most).contains(count)) {
                Some(count) => fixed(Fixed::Count(count)),
                None => Err(expected(format!("a whole number from {least} to {most}"))),
            }
        }
        (
            Kind::Rules(_)
            | Kind::Prose
            | Kind::Names
            | Kind::McpTools
            | Kind::Words(_)
            | Kind::Hooks,
            _,
        ) => Ok(None),
    }
}

/// A value in a message: bounded, and without control characters.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("`{}`", plain(text)),
        Value::Number(digits) => plain(digits),
        other => other.kind().to_owned(),
    }
}

fn plain(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

pub(crate) fn words(value: &Given) -> String {
    match value {
        Given::Fixed(Fixed::Nothing) => "nothing".to_owned(),
        Given::Fixed(Fixed::Flag(flag)) => flag.to_string(),
        Given::Fixed(Fixed::Choice(word)) => format!("`{word}`"),
        Given::Fixed(Fixed::Count(count)) => count.to_string(),
        Given::Fixed(Fixed::Unusable) => "no value".to_owned(),
        // It may be a secret in the wrong place.
        Given::Text(_) => "a text".to_owned(),
    }
}
