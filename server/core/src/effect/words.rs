//! Effects in plain words, for the person who must answer, the journal and
//! `countersign check`: many of them in few lines, and nothing in a name that
//! could be taken for words of the guard.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::command::Folder;
use crate::redact;

use super::{Doing, Effect, EffectKind, Target, Touch};

/// The most lines that [`lines`] gives.
pub const MOST_LINES: usize = 50;

/// The most names in a line; what is left is counted.
const MOST_NAMES: usize = 6;

/// The most names in a line that matter.
const MOST_NAMES_THAT_MATTER: usize = 20;

/// The most of a name, in bytes.
const MOST_OF_A_NAME: usize = 160;

/// The most hooks, and names below a destination, that are told.
const MOST_DETAILS: usize = 10;

/// The most places in the command's text that a line names.
const MOST_SPANS: usize = 50;

/// An effect that is to be told.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The effect.
    pub effect: &'a Effect,
    /// The path that it means, resolved, as people know it; without one the
    /// words of the command are told.
    pub place: Option<&'a str>,
    /// Whether it is one of those that are not contained: told before others
    /// where there is not room for all.
    pub matters: bool,
}

/// What some effects of one kind come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// In plain words; one line, lower case, without a full stop.
    pub text: String,
    /// What in the command's text causes it, in bytes: sorted, each once, at
    /// most 50.
    pub spans: Vec<Range<usize>>,
    /// Whether one of the effects matters.
    pub matters: bool,
}

/// One effect in plain words: `writes src/out.txt`. One line, lower case,
/// without a full stop; control characters are written out.
#[must_use]
pub fn line(effect: &Effect, place: Option<&str>) -> String {
    let saying = Saying::of(effect, place);
    let names: Vec<&str> = saying.names.iter().map(String::as_str).collect();
    saying.verb.with(&names, names.len())
}

/// Many effects in at most [`MOST_LINES`] lines, in the order of the text:
/// those of one command and one kind are one line, and what a line has no room
/// for is counted in it. No kind of effect is ever left out.
#[must_use]
pub fn lines(told: &[Told<'_>]) -> Vec<Line> {
    let by_command = grouped(told, |effect| Some(effect.command));
    if by_command.len() <= MOST_LINES {
        return by_command;
    }
    // There are fewer kinds than lines.
    grouped(told, |_| None)
}

fn grouped(told: &[Told<'_>], command: impl Fn(&Effect) -> Option<usize>) -> Vec<Line> {
    let mut groups: Vec<Group> = Vec::new();
    let mut known = BTreeMap::new();
    for told in told {
        let saying = Saying::of(told.effect, told.place);
        let index = *known
            .entry((command(told.effect), saying.verb))
            .or_insert(groups.len());
        if index == groups.len() {
            groups.push(Group::new(saying.verb));
        }
        if let Some(group) = groups.get_mut(index) {
            group.add(saying.names, told);
        }
    }

    // Two commands may do the same.
    let mut lines: Vec<Line> = Vec::new();
    let mut known = BTreeMap::new();
    for line in groups.into_iter().map(Group::line) {
        let index = *known.entry(line.text.clone()).or_insert(lines.len());
        match lines.get_mut(index) {
            None => lines.push(line),
            Some(same) => {
                same.matters |= line.matters;
                same.spans.extend(line.spans);
            }
        }
    }
    for line in &mut lines {
        line.spans.sort_by_key(|span| (span.start, span.end));
        line.spans.dedup();
        line.spans.truncate(MOST_SPANS);
    }
    lines
}

/// Effects of one kind.
struct Group {
    verb: Verb,
    /// Each name once, in the order of the text, and whether it matters.
    names: Vec<(String, bool)>,
    known: BTreeMap<String, usize>,
    spans: Vec<Range<usize>>,
    matters: bool,
}

impl Group {
    const fn new(verb: Verb) -> Self {
        Self {
            verb,
            names: Vec::new(),
            known: BTreeMap::new(),
            spans: Vec::new(),
            matters: false,
        }
    }

    fn add(&mut self, names: Vec<String>, told: &Told<'_>) {
        self.matters |= told.matters;
        self.spans.push(told.effect.span.clone());
        for name in names {
            let index = *self.known.entry(name.clone()).or_insert(self.names.len());
            match self.names.get_mut(index) {
                Some((_, matters)) => *matters |= told.matters,
                None => self.names.push((name, told.matters)),
            }
        }
    }

    fn line(self) -> Line {
        let (first, others): (Vec<_>, Vec<_>) =
            self.names.iter().partition(|(_, matters)| *matters);
        let most = first.len().clamp(MOST_NAMES, MOST_NAMES_THAT_MATTER);
        let names: Vec<&str> = first
            .into_iter()
            .chain(others)
            .map(|(name, _)| name.as_str())
            .collect();
        Line {
            text: self.verb.with(&names, most),
            spans: self.spans,
            matters: self.matters,
        }
    }
}

/// What is done, apart from with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verb {
    Touches(Touch),
    Does(Doing),
    Works,
}

impl Verb {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Does(doing) => doing.as_str(),
            Self::Works => "works with the git repository",
            Self::Touches(touch) => match touch {
                Touch::List => "looks at",
                Touch::ListTree => "looks at everything in",
                Touch::Read => "reads",
                Touch::ReadTree => "reads everything in",
                Touch::Write => "writes",
                Touch::Edit => "changes",
                Touch::MakeFolder => "creates the folder",
                Touch::Mode => "changes permissions, owner or times of",
                Touch::Delete => "deletes",
                Touch::DeleteFolder => "deletes the empty folder",
                Touch::DeleteTree => "deletes everything in",
                Touch::MoveFrom => "moves away",
                Touch::Execute => "runs",
                Touch::Load => "looks for and obeys",
            },
        }
    }

    /// With the first names, and how many there are besides.
    fn with(self, names: &[&str], most: usize) -> String {
        let verb = self.as_str();
        let mut told = names
            .iter()
            .take(most)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        if told.is_empty() {
            return verb.to_owned();
        }
        let besides = names.len().saturating_sub(most);
        if besides > 0 {
            told.push_str(&format!(" and {besides} more"));
        }
        match self {
            Self::Touches(_) | Self::Works => format!("{verb} {told}"),
            Self::Does(Doing::Network) => format!("{verb}: {told}"),
            Self::Does(_) => format!("{verb} ({told})"),
        }
    }
}

/// An effect as a verb and names.
struct Saying {
    verb: Verb,
    names: Vec<String>,
}

impl Saying {
    fn of(effect: &Effect, place: Option<&str>) -> Self {
        match &effect.kind {
            EffectKind::Path { touch, target } => Self {
                verb: Verb::Touches(*touch),
                names: names(target, place),
            },
            EffectKind::Repository { folder, hooks } => Self {
                verb: Verb::Works,
                names: vec![repository(folder, hooks, place)],
            },
            EffectKind::Script(script) => Self {
                verb: Verb::Touches(Touch::Execute),
                names: vec![at(&script.text, &script.folder)],
            },
            EffectKind::Task(task) => Self {
                verb: Verb::Does(task.doing()),
                names: vec![quoted(&task.name, true)],
            },
            EffectKind::Doing(doing, what) => Self {
                verb: Verb::Does(*doing),
                names: if what.is_empty() {
                    Vec::new()
                } else {
                    vec![quoted(what, true)]
                },
            },
        }
    }
}

fn names(target: &Target, place: Option<&str>) -> Vec<String> {
    let place = place.map(|place| quoted(place, false));
    let place_or = |text: &str, folder: &Folder| place.clone().unwrap_or_else(|| at(text, folder));
    match target {
        Target::Path { text, folder } => vec![place_or(text, folder)],
        Target::Glob {
            pattern, folder, ..
        } => vec![place.unwrap_or_else(|| format!("what matches {}", at(pattern, folder)))],
        Target::Into {
            text,
            folder,
            names,
            is_folder,
        } => match place {
            Some(place) => vec![place],
            None => destination(text, folder, names, *is_folder),
        },
        Target::Links { text, folder } => {
            vec![format!(
                "what links at and below {} lead to",
                place_or(text, folder)
            )]
        }
        Target::Pieces { text, folder } => {
            vec![format!(
                "what the names at and below {} become, split at blanks",
                place_or(text, folder)
            )]
        }
        Target::SplitMatches { pattern, folder } => {
            vec![format!(
                "what the matches of {} become, split at blanks",
                place_or(pattern, folder)
            )]
        }
        Target::StandIns { .. } => {
            vec!["files that stand in for Python's own modules, if there are any".to_owned()]
        }
        Target::Unknown => vec!["files that are not known".to_owned()],
    }
}

fn destination(text: &str, folder: &Folder, names: &[String], is_folder: bool) -> Vec<String> {
    let below = |name: &String| {
        let separator = if text.ends_with('/') { "" } else { "/" };
        at(&format!("{text}{separator}{name}"), folder)
    };
    match names {
        [] => vec![at(text, folder)],
        [name] if !is_folder => vec![format!("{} (or {})", at(text, folder), below(name))],
        names => names.iter().map(below).collect(),
    }
}

fn repository(folder: &Folder, hooks: &[&str], place: Option<&str>) -> String {
    let mut text = match (place, folder) {
        (Some(place), _) => format!("of {}", quoted(place, false)),
        (None, Folder::Call) => "here".to_owned(),
        (None, Folder::Moved(_)) => format!("of {}", at(".", folder)),
        (None, Folder::Unknown) => "of a folder that is not known".to_owned(),
    };
    if !hooks.is_empty() {
        let hooks: Vec<&str> = hooks.iter().take(MOST_DETAILS).copied().collect();
        text.push_str(&format!(
            ", where these hooks would run if it has them: {}",
            hooks.join(", ")
        ));
    }
    text
}

/// The path as seen from the call's folder.
fn at(text: &str, folder: &Folder) -> String {
    let is_relative = |text: &str| !text.starts_with(['/', '~']);
    if !is_relative(text) {
        return quoted(text, false);
    }
    match folder {
        Folder::Call => quoted(text, false),
        Folder::Unknown => format!("{} in a folder that is not known", quoted(text, false)),
        Folder::Moved(steps) => {
            let from = steps
                .iter()
                .rposition(|step| !is_relative(step))
                .unwrap_or(0);
            let mut path = String::new();
            let last = (text != ".").then_some(text);
            for step in steps.iter().skip(from).map(String::as_str).chain(last) {
                if !path.is_empty() && !path.ends_with('/') {
                    path.push('/');
                }
                path.push_str(step);
            }
            quoted(&path, false)
        }
    }
}

/// A name that an agent chose: one line, bounded, and in quotes unless it is
/// plain, so that it cannot look like words beside it.
fn quoted(text: &str, allows_blanks: bool) -> String {
    let visible = redact::visible(&redact::bounded(text, MOST_OF_A_NAME));
    let is_plain =
        |c: char| c.is_alphanumeric() || (c.is_ascii_graphic() && !",;'\"`()".contains(c));
    let blanks_are_fine = allows_blanks && text.trim() == text && !text.contains("  ");
    if !visible.is_empty()
        && visible
            .chars()
            .all(|c| is_plain(c) || (blanks_are_fine && c == ' '))
    {
        return visible;
    }
    format!("'{}'", visible.replace('\'', "\\'"))
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
