//! Which writes of a shell command bring content to a guarded place that does
//! not stand in the command: what a redirect, a copy or an in-place editor
//! puts into a protected or outside file is no more shown than a cut edit is.
//!
//! Deletions, modes and empty files are shown by their words. Where the place
//! of a write is known only when the command runs, it counts as guarded.

use camino::Utf8Path;

use crate::call::{Access, Call};
use crate::command::{CommandView, Folder, Origin, RedirectKind, SimpleCommand, Stdin, WordValue};
use crate::guard;
use crate::paths::{FileKind, PathFact, inside, lies_in};
use crate::policy::Policy;
use crate::programs;
use crate::redact;

/// What opens nothing that stays.
const HARMLESS_DEVICES: &[&str] = &["/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"];

/// Where the system keeps what nobody misses; the second pair is macOS's.
const TEMPORARY: &[&str] = &["/tmp", "/var/tmp", "/private/tmp", "/private/var/tmp"];

/// Programs that change files without bringing content: their words tell all.
const WITHOUT_CONTENT: &[&str] = &[
    "chattr",
    "chgrp",
    "chmod",
    "chown",
    "fallocate",
    "mkdir",
    "mkfifo",
    "mknod",
    "mktemp",
    "rm",
    "rmdir",
    "setfacl",
    "shred",
    "srm",
    "touch",
    "trash",
    "truncate",
    "umount",
    "unlink",
];

/// Sub-commands of git that take away or only make folders.
const GIT_WITHOUT_CONTENT: &[&str] = &["clean", "init", "rm"];

/// Programs that bring the content of some files to the last one.
const COPIERS: &[&str] = &["cp", "ditto", "install", "ln", "mv", "rsync", "scp"];

/// Programs that change only files that there are.
const IN_PLACE_EDITORS: &[&str] = &["awk", "gawk", "gsed", "perl", "ruby", "sed"];

/// Of the copiers, those whose `-t` names the place.
const WITH_TARGET_OPTION: &[&str] = &["cp", "install", "ln", "mv"];

/// Programs that write only to the files that these options name.
const WRITE_TO_OPTIONS: &[(&str, &[&str])] = &[
    ("c++", &["-o"]),
    ("cc", &["-o"]),
    ("clang", &["-o"]),
    ("curl", &["-o", "--output"]),
    ("g++", &["-o"]),
    ("gcc", &["-o"]),
    ("ld", &["-o"]),
    ("rustc", &["-o", "--out-dir"]),
    ("sort", &["-o", "--output"]),
    (
        "wget",
        &["-O", "--output-document", "-P", "--directory-prefix"],
    ),
];

/// Launchers that add words of their own to what they run.
const ADD_WORDS: &[&str] = &["parallel", "xargs"];

/// The writes of one command.
#[derive(Debug, Default)]
pub(super) struct ShellWrites {
    /// What of guarded writes does not stand in the command, in plain words.
    pub(super) hidden: Vec<String>,
    /// Whether content that stands in the command goes to a guarded place.
    pub(super) shown: bool,
}

/// The guarded writes of a command whose words are `view`; none of it is known
/// without them.
pub(super) fn shell_writes(
    call: &Call,
    text: &str,
    view: Option<&CommandView>,
    policy: &Policy,
) -> ShellWrites {
    let Some(view) = view else {
        return ShellWrites {
            hidden: vec!["what the command would write, which is not known".to_owned()],
            shown: false,
        };
    };
    let mut look = Look {
        call,
        text,
        view,
        policy,
        found: ShellWrites::default(),
    };
    for (index, command) in view.commands.iter().enumerate() {
        look.redirects(index, command);
        look.operands(index, command);
    }
    look.found
}

/// Where a write goes.
enum Place {
    Ordinary,
    Guarded(String),
    Unknown,
}

struct Look<'a> {
    call: &'a Call,
    text: &'a str,
    view: &'a CommandView,
    policy: &'a Policy,
    found: ShellWrites,
}

impl Look<'_> {
    fn redirects(&mut self, index: usize, command: &SimpleCommand) {
        for redirect in &command.redirects {
            if redirect.kind.writes() {
                let place = redirect
                    .path
                    .as_ref()
                    .map_or(Place::Unknown, |path| self.place(path));
                let is_shown = self.prints_only_its_words(index, command);
                self.write(place, is_shown);
            }
        }
    }

    fn write(&mut self, place: Place, is_shown: bool) {
        let told = match place {
            Place::Ordinary => return,
            _ if is_shown => {
                self.found.shown = true;
                return;
            }
            Place::Guarded(name) => format!("what the command would write to {name}"),
            Place::Unknown => {
                "what the command would write to a place that is known only when it runs".to_owned()
            }
        };
        if !self.found.hidden.contains(&told) {
            self.found.hidden.push(told);
        }
    }

    /// The operands that a command is known to write.
    fn operands(&mut self, index: usize, command: &SimpleCommand) {
        let Some(name) = command.name().map(programs::table_name) else {
            return;
        };
        let name = name.as_str();
        if COPIERS.contains(&name) {
            return self.copy(command, name);
        }
        if let Some((_, options)) = WRITE_TO_OPTIONS.iter().find(|(known, _)| *known == name) {
            return self.values_of(command, options);
        }
        match name {
            "tee" | "sponge" => {
                let is_shown = self.prints_only_its_words(index, command);
                let writes_more = self.adds_words(command);
                for word in places_of_words(command) {
                    let place = self.word(command, word);
                    self.write(place, is_shown);
                }
                if writes_more {
                    self.write(Place::Unknown, is_shown);
                }
            }
            "dd" => {
                for (word, value) in command.words.iter().enumerate().skip(1) {
                    let place = match &value.value {
                        WordValue::Literal(text) if !text.starts_with("of=") => continue,
                        WordValue::Literal(_) => self.word(command, word),
                        WordValue::Glob(text) | WordValue::Dynamic { prefix: text, .. }
                            if ["if=", "bs=", "count="]
                                .iter()
                                .any(|input| text.starts_with(input)) =>
                        {
                            continue;
                        }
                        WordValue::Glob(_) | WordValue::Dynamic { .. } => Place::Unknown,
                    };
                    self.write(place, false);
                }
            }
            "git" if is_git(command, &["mv"]) => self.copy(command, name),
            "find" | "gfind" => self.found_files(index, command),
            _ if brings_content(command) => self.all_operands(command),
            _ => {}
        }
    }

    /// In-place editors and whatever else changes its operands. A word that is
    /// not known may be one of them; what is done to it stands in the command.
    fn all_operands(&mut self, command: &SimpleCommand) {
        let name = command.name().map(programs::table_name).unwrap_or_default();
        let only_existing = IN_PLACE_EDITORS.contains(&name.as_str());
        for operand in &command.operands {
            // Their scripts look like paths (`/a/d`).
            if only_existing && operand.path.kind == FileKind::Missing {
                continue;
            }
            let place = self.place(&operand.path);
            self.write(place, false);
        }
    }

    /// `find` itself writes lists; what it runs changes what it finds.
    fn found_files(&mut self, index: usize, command: &SimpleCommand) {
        self.values_of(command, &["-fprint", "-fprint0", "-fprintf", "-fls"]);
        let changes =
            self.view.commands.iter().any(|inner| {
                inner.origin == Origin::Launched { by: index } && brings_content(inner)
            });
        if changes {
            self.all_operands(command);
        }
    }

    /// The values of options, attached or the next word.
    fn values_of(&mut self, command: &SimpleCommand, options: &[&str]) {
        for (index, word) in command.words.iter().enumerate().skip(1) {
            let Some(text) = word.literal() else { continue };
            let Some(option) = options.iter().find(|option| names(text, option)) else {
                continue;
            };
            let is_next = !text.contains('=')
                && (text.starts_with("--")
                    || text == *option
                    || option.len() > 2
                    || option.get(1..).is_some_and(|letter| text.ends_with(letter)));
            let value = if is_next { index + 1 } else { index };
            if value < command.words.len() {
                let place = self.word(command, value);
                self.write(place, false);
            }
        }
    }

    /// What comes to the last operand, or to where an option says.
    fn copy(&mut self, command: &SimpleCommand, name: &str) {
        let is_folder_option = |text: &str| text == "-d" || text == "--directory";
        if name == "install" && has(command, is_folder_option) {
            return;
        }
        let operands = places_of_words(command);
        let last = operands.last().copied();
        let mut targets: Vec<usize> = last.into_iter().collect();
        if WITH_TARGET_OPTION.contains(&name) {
            for (index, word) in command.words.iter().enumerate().skip(1) {
                let Some(text) = word.literal() else { continue };
                let names_target = match text.strip_prefix("--") {
                    Some(long) => long.starts_with('t'),
                    None => text.starts_with('-') && text.contains('t'),
                };
                if names_target {
                    let next = (index + 1 < command.words.len()).then_some(index + 1);
                    let attached = command.operands.iter().any(|operand| operand.word == index);
                    targets.extend(next.into_iter().chain(attached.then_some(index)));
                }
            }
        }
        if self.adds_words(command) {
            self.write(Place::Unknown, false);
        }
        targets.sort_unstable();
        targets.dedup();
        if name == "ln" && operands.len() == 1 {
            // The link has its target's name and stands where the command runs.
            let at = self.here(command);
            self.into(command, &[], at.as_ref(), last.into_iter().collect());
            return;
        }
        for target in &targets {
            let sources = operands.iter().filter(|word| !targets.contains(word));
            let sources: Vec<usize> = sources.copied().collect();
            let facts: Vec<&PathFact> = facts_of(command, *target).collect();
            if facts.is_empty() {
                self.write(Place::Unknown, false);
            }
            for fact in facts {
                if fact.kind == FileKind::Directory {
                    self.into(command, &targets, Some(fact), sources.clone());
                } else {
                    let place = self.place(fact);
                    self.write(place, false);
                }
            }
        }
    }

    /// What comes into a folder under the names that it has.
    fn into(
        &mut self,
        command: &SimpleCommand,
        targets: &[usize],
        folder: Option<&PathFact>,
        sources: Vec<usize>,
    ) {
        let Some(folder) = folder else {
            return self.write(Place::Unknown, false);
        };
        let place = self.place(folder);
        self.write(place, false);
        let contents_only = command.name().map(programs::table_name).as_deref() == Some("rsync");
        for source in sources.into_iter().filter(|word| !targets.contains(word)) {
            let text = command.words.get(source).and_then(|word| word.literal());
            let text = text.filter(|text| !(contents_only && text.ends_with('/')));
            let name = text.and_then(|text| text.trim_end_matches('/').rsplit('/').next());
            match name.filter(|name| !matches!(*name, "" | "." | "..")) {
                Some(name) => {
                    let place = self.place(&below(folder, name));
                    self.write(place, false);
                }
                // Any name: what holds for the folder as a whole.
                None => {
                    let whole = written(folder);
                    if let Some(name) = self.protected(&whole) {
                        self.write(Place::Guarded(name), false);
                    }
                }
            }
        }
    }

    fn here(&self, command: &SimpleCommand) -> Option<PathFact> {
        (command.folder == Folder::Call).then(|| PathFact {
            given: ".".to_owned(),
            absolute: self.call.cwd.clone(),
            canonical: self.call.cwd.clone(),
            access: Access::Write,
            kind: FileKind::Directory,
            links: 1,
        })
    }

    /// Where a word leads that names a file to be written.
    fn word(&self, command: &SimpleCommand, word: usize) -> Place {
        let mut places = facts_of(command, word).map(|fact| self.place(fact));
        let Some(first) = places.next() else {
            return Place::Unknown;
        };
        places.fold(first, |so_far, next| match so_far {
            Place::Ordinary => next,
            Place::Guarded(_) | Place::Unknown => so_far,
        })
    }

    fn place(&self, path: &PathFact) -> Place {
        if HARMLESS_DEVICES.contains(&path.absolute.as_str()) {
            return Place::Ordinary;
        }
        // A folder is changed in what lies in it.
        let path = if path.kind == FileKind::Directory {
            below(path, "*")
        } else {
            written(path)
        };
        if let Some(name) = self.protected(&path) {
            return Place::Guarded(name);
        }
        let linked = path.links > 1 && path.kind == FileKind::File;
        if linked || !(inside(&self.policy.workspaces, &path).is_some() || is_temporary(&path)) {
            return Place::Guarded(shown_name(&path));
        }
        Place::Ordinary
    }

    fn protected(&self, path: &PathFact) -> Option<String> {
        let protected = self.policy.protected.check(path)?;
        Some(format!("{} ({})", shown_name(path), protected.what))
    }

    /// Whether the launcher adds words, of which the last may be the place.
    fn adds_words(&self, command: &SimpleCommand) -> bool {
        let Origin::Launched { by } = command.origin else {
            return false;
        };
        let name = self.view.commands.get(by).and_then(SimpleCommand::name);
        name.is_some_and(|name| ADD_WORDS.contains(&programs::table_name(name).as_str()))
    }

    /// Whether all that the command prints stands in the command text.
    fn prints_only_its_words(&self, index: usize, command: &SimpleCommand) -> bool {
        // A function or alias may have any name.
        if !self.view.problems.is_empty()
            || self
                .view
                .commands
                .iter()
                .any(|c| c.origin == Origin::Function)
        {
            return false;
        }
        let reads = command
            .redirects
            .iter()
            .any(|redirect| matches!(redirect.kind, RedirectKind::Read | RedirectKind::ReadWrite));
        let Some(name) = command.words.first() else {
            // Some shells copy their input where no command is named.
            return !reads && command.stdin != Stdin::Pipe;
        };
        let name = name.literal().unwrap_or_default();
        let name = ["/bin/", "/usr/bin/"]
            .iter()
            .find_map(|folder| name.strip_prefix(folder))
            .unwrap_or(name);
        match name {
            ":" | "true" => true,
            "echo" | "printf" => command.words.iter().all(|word| word.literal().is_some()),
            "cat" => {
                let only_input = command
                    .words
                    .iter()
                    .skip(1)
                    .all(|w| w.literal() == Some("-"));
                only_input && !reads && self.is_fed_by_its_text(index)
            }
            "tee" => !reads && self.is_fed_by_its_text(index),
            _ => false,
        }
    }

    /// Whether standard input is a here-document or here-string without
    /// expansions.
    fn is_fed_by_its_text(&self, mut index: usize) -> bool {
        // Launchers stand before what they run.
        while let Some(command) = self.view.commands.get(index) {
            if command.stdin != Stdin::Redirected {
                return false;
            }
            let mut here = command
                .redirects
                .iter()
                .filter(|redirect| redirect.kind == RedirectKind::Here)
                .peekable();
            if here.peek().is_some() {
                return here.all(|redirect| self.is_literal_here(redirect.span.start));
            }
            match command.origin {
                Origin::Wrapped { by } | Origin::Launched { by } if by < index => index = by,
                _ => return false,
            }
        }
        false
    }

    fn is_literal_here(&self, start: usize) -> bool {
        let rest = self.text.get(start..).unwrap_or_default();
        let Some(rest) = rest
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .strip_prefix("<<")
        else {
            return false;
        };
        let is_document = !rest.starts_with('<');
        let end = rest.trim_start_matches(['-', ' ', '\t']);
        // A quoted end makes all of the document literal.
        (is_document && end.starts_with(['\'', '"', '\\'])) || !rest.contains(['$', '`'])
    }
}

/// Whether a command changes its operands by more than its own words say.
fn brings_content(command: &SimpleCommand) -> bool {
    let name = command.name().map(programs::table_name).unwrap_or_default();
    let words_tell_all = match name.as_str() {
        "git" => is_git(command, GIT_WITHOUT_CONTENT),
        "gio" => has(command, |word| matches!(word, "trash" | "remove")),
        name => WITHOUT_CONTENT.contains(&name),
    };
    guard::changes_its_operands(command).is_some() && !words_tell_all
}

fn is_git(command: &SimpleCommand, sub_commands: &[&str]) -> bool {
    let sub_command = command.words.get(1).and_then(|word| word.literal());
    sub_command.is_some_and(|word| sub_commands.contains(&word))
}

fn has(command: &SimpleCommand, is: impl Fn(&str) -> bool) -> bool {
    let mut words = command
        .words
        .iter()
        .skip(1)
        .filter_map(|word| word.literal());
    words.any(is)
}

/// Whether a word is this option, alone, with its value, or in a cluster.
fn names(text: &str, option: &str) -> bool {
    if option.starts_with("--") {
        let name = text.split_once('=').map_or(text, |(name, _)| name);
        return name.len() > 3 && option.starts_with(name);
    }
    if option.len() > 2 {
        return text == option;
    }
    let letter = option.trim_start_matches('-');
    text.starts_with('-') && !text.starts_with("--") && text.contains(letter)
}

/// The words behind the name that are no options.
fn places_of_words(command: &SimpleCommand) -> Vec<usize> {
    let words = command.words.iter().enumerate().skip(1);
    words
        .filter(|(_, word)| word.literal().is_none_or(|text| !text.starts_with('-')))
        .map(|(index, _)| index)
        .collect()
}

fn facts_of(command: &SimpleCommand, word: usize) -> impl Iterator<Item = &PathFact> {
    let of_word = command
        .operands
        .iter()
        .filter(move |operand| operand.word == word);
    of_word.map(|operand| &operand.path)
}

fn written(path: &PathFact) -> PathFact {
    PathFact {
        access: Access::Write,
        ..path.clone()
    }
}

/// What lies in a folder under this name.
fn below(folder: &PathFact, name: &str) -> PathFact {
    PathFact {
        given: name.to_owned(),
        absolute: folder.absolute.join(name),
        canonical: folder.canonical.join(name),
        access: Access::Write,
        kind: FileKind::Missing,
        links: 1,
    }
}

fn is_temporary(path: &PathFact) -> bool {
    let lies = |path: &Utf8Path| {
        TEMPORARY
            .iter()
            .any(|folder| lies_in(Utf8Path::new(folder), path))
    };
    let ordinary = matches!(
        path.kind,
        FileKind::Missing | FileKind::File | FileKind::Directory
    );
    ordinary && lies(&path.absolute) && lies(&path.canonical)
}

fn shown_name(path: &PathFact) -> String {
    const MOST: usize = 200;
    let name = redact::code(path.canonical.as_str(), MOST);
    redact::visible(&name.text)
}
