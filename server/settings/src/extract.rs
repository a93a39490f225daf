//! What one document states: the known settings with their places, and
//! everything that could not be read.

use std::collections::{BTreeMap, HashSet};

use crate::descriptor::{Descriptor, Direction, Fixed, Kind};
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
}

impl Vocabulary {
    /// The vocabulary of our own settings files.
    pub(crate) fn own() -> Self {
        Self {
            words: crate::descriptor::DESCRIPTORS
                .iter()
                .map(|setting| (setting.key, setting))
                .collect(),
            closed: true,
            filler: None,
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
        value: Fixed,
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
                            "unknown setting `{}` is ignored; `countersign schema` lists the known ones",
                            plain(&path)
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

    fn list(&mut self, setting: &Descriptor, found: &Found<'_>) -> Option<Stated> {
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
            _ => true,
        }
    }

    fn scalar(&mut self, setting: &Descriptor, found: &Found<'_>) -> Option<Stated> {
        let mut strictest: Option<(Fixed, Option<Position>)> = None;
        for node in &found.nodes {
            let value = match read(setting.kind, &node.value) {
                Ok(None) => continue,
                Ok(Some(value)) => value,
                Err(expected) => {
                    self.problems.error(
                        node.position,
                        format!(
                            "{}: expected {expected}, found {}; {} holds",
                            found.path,
                            shown(&node.value),
                            words(setting.malformed),
                        ),
                    );
                    setting.malformed
                }
            };
            let rank = setting.kind.rank(value);
            if strictest.is_none_or(|(before, _)| rank < setting.kind.rank(before)) {
                strictest = Some((value, node.position.or(found.position)));
            }
        }
        strictest.map(|(value, position)| Stated::Scalar { value, position })
    }
}

fn read(kind: Kind, value: &Value) -> Result<Option<Fixed>, String> {
    match (kind, value) {
        (_, Value::Null) => Ok(None),
        (Kind::Flag { .. }, Value::Flag(flag)) => Ok(Some(Fixed::Flag(*flag))),
        (Kind::Flag { .. }, _) => Err("true or false".to_owned()),
        (Kind::Choice(words), Value::Text(text)) => words
            .iter()
            .find(|word| *word == text)
            .map(|word| Some(Fixed::Choice(word)))
            .ok_or_else(|| format!("one of {}", words.join(", "))),
        (Kind::Choice(words), _) => Err(format!("one of {}", words.join(", "))),
        (Kind::Count { least, most }, value) => {
            let expected = || format!("a whole number from {least} to {most}");
            let Value::Number(digits) = value else {
                return Err(expected());
            };
            digits
                .parse::<u64>()
                .ok()
                .filter(|count| (least..=most).contains(count))
                .map(|count| Some(Fixed::Count(count)))
                .ok_or_else(expected)
        }
        (Kind::Rules(_) | Kind::Prose | Kind::Names | Kind::Words(_), _) => Ok(None),
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

pub(crate) fn words(value: Fixed) -> String {
    match value {
        Fixed::Nothing => "nothing".to_owned(),
        Fixed::Flag(flag) => flag.to_string(),
        Fixed::Choice(word) => format!("`{word}`"),
        Fixed::Count(count) => count.to_string(),
    }
}
