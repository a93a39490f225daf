//! Layers become one set of settings: the one place that says what a
//! workspace may do. Driven by the descriptors alone.

use std::collections::{BTreeMap, HashSet};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::rules::{Reading, RuleOrigin, Scope};

use crate::consent::{WorkspaceEntry, without};
use crate::descriptor::{Descriptor, Direction, Fixed, Given, Merge};
use crate::effective::Source;
use crate::extract::{Item, Stated, words};
use crate::layer::Layer;
use crate::problem::{Position, Problems, SettingsProblem};
use crate::table::{DESCRIPTORS, key};

/// What is merged.
pub(crate) struct Input<'a> {
    /// The layers, strongest first.
    pub(crate) layers: &'a [Layer],
    pub(crate) trusted: bool,
    /// What a person accepted of the workspace.
    pub(crate) accepted: &'a [WorkspaceEntry],
    /// What restricted the workspace when it was last looked at.
    pub(crate) kept: &'a [WorkspaceEntry],
    /// The canonical workspace folder.
    pub(crate) workspace: Option<&'a Utf8Path>,
}

/// An entry of a merged list.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) text: String,
    pub(crate) origin: RuleOrigin,
    pub(crate) column: Option<u32>,
}

/// The value that holds of a setting that is not a list.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub(crate) value: Given,
    /// Where it comes from; none for the default.
    pub(crate) source: Option<Source>,
    pub(crate) column: Option<u32>,
}

impl Chosen {
    /// Its place in its file.
    pub(crate) fn position(&self) -> Option<Position> {
        let line = self.source.as_ref()?.line?;
        Some(Position {
            line,
            column: self.column?,
        })
    }
}

/// What merging came to.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    lists: BTreeMap<&'static str, Vec<Entry>>,
    scalars: BTreeMap<&'static str, Chosen>,
    /// Entries of the trusted workspace that give leave.
    pub(crate) loosening: Vec<WorkspaceEntry>,
    /// Those of them that nobody accepted.
    pub(crate) pending: Vec<WorkspaceEntry>,
    /// Entries of the workspace that restrict, as its files are now.
    pub(crate) tightening: Vec<WorkspaceEntry>,
    /// Entries that are in force only because nobody confirmed their removal.
    pub(crate) kept: Vec<WorkspaceEntry>,
}

impl Merged {
    pub(crate) fn take_list(&mut self, key: &'static str) -> Vec<Entry> {
        self.lists.remove(key).unwrap_or_default()
    }

    /// The value of a setting that is neither a list nor a text.
    pub(crate) fn scalar(&self, key: &str) -> Fixed {
        match self.chosen(key).map(|chosen| &chosen.value) {
            Some(Given::Fixed(value)) => *value,
            Some(Given::Text(_)) | None => Fixed::Nothing,
        }
    }

    pub(crate) fn chosen(&self, key: &str) -> Option<&Chosen> {
        self.scalars.get(key)
    }
}

/// Merges the layers.
pub(crate) fn merge(input: &Input<'_>, problems: &mut Vec<SettingsProblem>) -> Merged {
    let mut merger = Merger {
        input,
        problems,
        merged: Merged::default(),
        readings: input.layers.iter().map(|layer| layer.reading).collect(),
        accepted: input
            .accepted
            .iter()
            .map(WorkspaceEntry::identity)
            .collect(),
        has_editor: input
            .layers
            .iter()
            .any(|layer| layer.scope == Scope::EditorWorkspace),
    };
    for setting in DESCRIPTORS {
        if setting.kind.is_list() {
            merger.list(setting);
        } else {
            merger.scalar(setting);
        }
    }
    merger.merged
}

struct Merger<'m> {
    input: &'m Input<'m>,
    problems: &'m mut Vec<SettingsProblem>,
    merged: Merged,
    /// How the layers are read, to know whose kept entries still count.
    readings: Vec<Reading>,
    accepted: HashSet<(&'m str, &'m str, &'m str)>,
    /// Whether an editor told its settings of the workspace.
    has_editor: bool,
}

type Known = HashSet<(String, Reading, Option<Utf8PathBuf>)>;

/// The same entry, wherever it stands. Root-relative paths mean something
/// else in each root.
fn identity(
    text: &str,
    reading: Reading,
    root: &Utf8Path,
) -> (String, Reading, Option<Utf8PathBuf>) {
    let rooted = text.contains("(/") || text.starts_with('/');
    (text.to_owned(), reading, rooted.then(|| root.to_owned()))
}

impl Merger<'_> {
    fn list(&mut self, setting: &'static Descriptor) {
        let mut known = Known::new();
        let mut offered = HashSet::new();
        let mut entries = Vec::new();
        for layer in self.input.layers {
            let Some(Stated::List(items)) = layer.settings.get(setting.key) else {
                continue;
            };
            if layer.is_workspace() && setting.merge == Merge::UserOnly {
                self.refuse(layer, setting, items.first().and_then(|item| item.position));
                continue;
            }
            for item in items {
                if layer.is_workspace() && !self.counts(setting, layer, item, &known, &mut offered)
                {
                    continue;
                }
                if known.insert(identity(&item.text, layer.reading, &layer.root)) {
                    entries.push(Entry {
                        text: item.text.clone(),
                        origin: RuleOrigin {
                            scope: layer.scope,
                            file: layer.file.clone(),
                            line: item.position.map(|at| at.line),
                            root: layer.root.clone(),
                            reading: layer.reading,
                        },
                        column: item.position.map(|at| at.column),
                    });
                }
            }
        }
        if setting.is_kept() {
            self.kept(setting, &mut entries, &mut known);
        }
        self.merged.lists.insert(setting.key, entries);
    }

    /// Whether an entry of a workspace counts.
    fn counts(
        &mut self,
        setting: &'static Descriptor,
        layer: &Layer,
        item: &Item,
        known: &Known,
        offered: &mut HashSet<(String, Reading)>,
    ) -> bool {
        let entry = WorkspaceEntry {
            key: setting.key.to_owned(),
            text: item.text.clone(),
            reading: layer.reading,
            file: layer.file.clone(),
            line: item.position.map(|at| at.line),
        };
        if setting.direction == Direction::Tightens {
            if setting.is_kept() {
                self.merged.tightening.push(entry);
            }
            return true;
        }
        if !self.input.trusted {
            return false;
        }
        let accepted = self.accepted.contains(&entry.identity());
        // Nobody needs to accept what holds anyway.
        if !known.contains(&identity(&item.text, layer.reading, &layer.root))
            && offered.insert((item.text.clone(), layer.reading))
        {
            if !accepted {
                self.merged.pending.push(entry.clone());
            }
            self.merged.loosening.push(entry);
        }
        accepted
    }

    /// Adds what left the workspace's files without anybody confirming it.
    fn kept(&mut self, setting: &Descriptor, entries: &mut Vec<Entry>, known: &mut Known) {
        let Some(workspace) = self.input.workspace else {
            return;
        };
        for entry in without(self.input.kept, &self.merged.tightening) {
            let is_read =
                entry.reading == Reading::Countersign || self.readings.contains(&entry.reading);
            if entry.key != setting.key || !is_read {
                continue;
            }
            if known.insert(identity(&entry.text, entry.reading, workspace)) {
                entries.push(Entry {
                    text: entry.text.clone(),
                    origin: RuleOrigin {
                        scope: Scope::Workspace,
                        file: entry.file.clone(),
                        line: entry.line,
                        root: workspace.to_owned(),
                        reading: entry.reading,
                    },
                    column: None,
                });
            }
            // Without an editor nobody can tell whether its settings changed.
            if entry.file.is_some() || self.has_editor {
                self.merged.kept.push(entry);
            }
        }
    }

    fn scalar(&mut self, setting: &'static Descriptor) {
        let mut chosen: Option<Chosen> = None;
        for (layer, stated) in stated(self.input.layers, setting) {
            if layer.is_workspace() {
                continue;
            }
            let stricter = chosen.as_ref().is_none_or(|before| {
                setting.kind.rank(&stated.value) < setting.kind.rank(&before.value)
            });
            let wins = match setting.merge {
                Merge::MostRestrictive => stricter,
                Merge::Highest | Merge::UserOnly | Merge::UnitedLists => chosen.is_none(),
            };
            if wins {
                chosen = Some(stated);
            }
        }
        let mut chosen = chosen.unwrap_or(Chosen {
            value: Given::Fixed(setting.default),
            source: None,
            column: None,
        });
        for (layer, stated) in stated(self.input.layers, setting) {
            if !layer.is_workspace() {
                continue;
            }
            if setting.merge == Merge::UserOnly {
                self.refuse(layer, setting, stated.position());
                continue;
            }
            let holds = self.in_effect(setting, &chosen.value);
            let (new, old) = (setting.kind.rank(&stated.value), setting.kind.rank(&holds));
            if new < old {
                chosen = stated;
            } else if new > old {
                Problems::new(layer.file.as_deref(), self.problems).warning(
                    stated.position(),
                    format!(
                        "{}: a workspace may only make it stricter; {} is ignored and {} holds",
                        setting.key,
                        words(&stated.value),
                        words(&holds),
                    ),
                );
            }
        }
        self.merged.scalars.insert(setting.key, chosen);
    }

    /// What an unset value comes to.
    fn in_effect(&self, setting: &Descriptor, value: &Given) -> Given {
        if setting.key != key::APPROVAL_MODE || *value != Given::Fixed(Fixed::Nothing) {
            return value.clone();
        }
        let acknowledged = self
            .input
            .layers
            .iter()
            .filter(|layer| !layer.is_workspace())
            .find_map(|layer| match layer.settings.get(key::ACKNOWLEDGED) {
                Some(Stated::Scalar { value, .. }) => Some(value),
                _ => None,
            });
        Given::Fixed(Fixed::Choice(
            if acknowledged == Some(&Given::Fixed(Fixed::Flag(true))) {
                "auto"
            } else {
                "default"
            },
        ))
    }

    fn refuse(&mut self, layer: &Layer, setting: &Descriptor, at: Option<Position>) {
        Problems::new(layer.file.as_deref(), self.problems).warning(
            at,
            format!(
                "{}: not read from a workspace; put it into the user's settings",
                setting.key
            ),
        );
    }
}

fn stated<'l>(
    layers: &'l [Layer],
    setting: &'static Descriptor,
) -> impl Iterator<Item = (&'l Layer, Chosen)> {
    layers.iter().filter_map(move |layer| {
        let Some(Stated::Scalar { value, position }) = layer.settings.get(setting.key) else {
            return None;
        };
        let chosen = Chosen {
            value: value.clone(),
            source: Some(Source {
                scope: layer.scope,
                file: layer.file.clone(),
                line: position.map(|at| at.line),
            }),
            column: position.map(|at| at.column),
        };
        Some((layer, chosen))
    })
}
