//! Certain harm, and attacks on the guard itself: the few commands that are
//! blocked whoever asks for them.
//!
//! Everything here must be certain from the words alone; what is only possible
//! is not contained, and somebody looks at it. Pure given a [`World`].

mod devices;
mod driving;
mod guard;
mod places;
mod search;
mod secrets;
mod senders;
mod shells;

use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::CommandText;
use countersign_core::command::{
    CommandView, Folder, Known, Origin, RedirectKind, SimpleCommand, Word, WordValue,
};
use countersign_core::effect::{Effect, Effects, Target, Touch};
use countersign_core::paths::FileKind;
use countersign_core::programs;

use crate::contain::{Place, World};

/// What a command would destroy or give away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catastrophe {
    /// What it would do, in plain words; lower case, without a full stop.
    pub reason: String,
    /// Whether it is the guard that is attacked: holds in every mode.
    pub guard: bool,
    /// What in the text causes it, in bytes.
    pub span: Range<usize>,
}

/// What must not be lost.
pub struct Stakes<'a> {
    /// The user's home folder, canonical.
    pub home: &'a Utf8Path,
    /// The workspace folders, canonical.
    pub workspaces: &'a [Utf8PathBuf],
    /// Variables of the environment with their usual values. They are taken to
    /// hold only where the guard itself is concerned: elsewhere nothing is
    /// known of the environment.
    pub variables: &'a [(&'a str, &'a str)],
    /// Whether such a change of a place changes the guard's own files.
    pub is_guards_own: &'a dyn Fn(&Place, Touch) -> bool,
}

/// The certain harm that a command would do, if it does any.
///
/// `view` and `effects` are those of `command`.
#[must_use]
pub fn catastrophe(
    command: &CommandText,
    view: &CommandView,
    effects: &Effects,
    world: &dyn World,
    stakes: &Stakes<'_>,
) -> Option<Catastrophe> {
    let case = Case {
        view,
        effects,
        world,
        stakes,
    };
    match (case.harm(), case.attack()) {
        (Some(harm), Some(_)) => Some(Catastrophe {
            guard: true,
            ..harm
        }),
        (harm, None) => {
            let attack = attack_by_variables(command, world, stakes);
            match (harm, attack) {
                (Some(harm), Some(_)) => Some(Catastrophe {
                    guard: true,
                    ..harm
                }),
                (harm, attack) => harm.or(attack),
            }
        }
        (None, attack) => attack,
    }
}

/// An attack on the guard if variables of the environment have their usual
/// values: here doubt must not help the attacker.
fn attack_by_variables(
    command: &CommandText,
    world: &dyn World,
    stakes: &Stakes<'_>,
) -> Option<Catastrophe> {
    let mut used: Vec<(String, String, &str)> = Vec::new();
    for (name, value) in stakes.variables {
        let (bare, braced) = (format!("${name}"), format!("${{{name}"));
        let is_used = command.text.contains(&bare) || command.text.contains(&braced);
        if is_used && value.chars().all(is_plain) {
            used.push((bare, braced, value));
        }
    }
    if used.is_empty() {
        return None;
    }
    let values: String = used
        .iter()
        .map(|(bare, _, value)| format!("export {}='{value}'\n", bare.trim_start_matches('$')))
        .collect();
    let shift = |at: usize| at.saturating_sub(values.len());
    let found = attack_of(&format!("{values}{}", command.text), command, world, stakes);
    if let Some(found) = found {
        return Some(Catastrophe {
            span: shift(found.span.start)..shift(found.span.end),
            ..found
        });
    }
    // A shell that is started gets them as well.
    let mut text = command.text.clone();
    for (bare, braced, value) in &used {
        let name = bare.trim_start_matches('$');
        if !command.text.contains(&format!("{name}=")) {
            text = text.replace(&format!("{braced}}}"), value);
            text = replace_name(&text, bare, value);
        }
    }
    attack_of(&text, command, world, stakes).map(|found| Catastrophe {
        span: 0..command.text.len(),
        ..found
    })
}

/// Characters that stand for themselves, quoted or not.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | '@')
}

/// The text with a value for each `$NAME` that is not the beginning of a longer
/// name.
fn replace_name(text: &str, name: &str, value: &str) -> String {
    let mut parts = text.split(name);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let goes_on = part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        replaced.push_str(if goes_on { name } else { value });
        replaced.push_str(part);
    }
    replaced
}

/// An attack on the guard by another text.
fn attack_of(
    text: &str,
    command: &CommandText,
    world: &dyn World,
    stakes: &Stakes<'_>,
) -> Option<Catastrophe> {
    let view = crate::view(&CommandText {
        text: text.to_owned(),
        dialect: command.dialect,
    });
    let case = Case {
        view: &view,
        effects: &crate::effects(&view),
        world,
        stakes,
    };
    case.attack()
}

/// One command text, and the world around it.
struct Case<'a> {
    view: &'a CommandView,
    effects: &'a Effects,
    world: &'a dyn World,
    stakes: &'a Stakes<'a>,
}

/// What is found, without a word on the guard.
type Found = Option<(String, Range<usize>)>;

impl<'a> Case<'a> {
    fn harm(&self) -> Option<Catastrophe> {
        self.places()
            .or_else(|| self.devices())
            .or_else(|| self.secrets())
            .or_else(|| self.shells())
            .or_else(|| self.fork_bomb())
            .map(|(reason, span)| Catastrophe {
                reason,
                guard: false,
                span,
            })
    }

    fn attack(&self) -> Option<Catastrophe> {
        self.changes_the_guard()
            .or_else(|| self.kills_the_guard())
            .or_else(|| self.drives())
            .map(|(reason, span)| Catastrophe {
                reason,
                guard: true,
                span,
            })
    }

    /// The commands with their names as the tables have them, and their
    /// numbers.
    fn named(&self) -> impl Iterator<Item = (usize, String, &'a SimpleCommand)> + use<'a> {
        let view = self.view;
        let named = move |(index, command): (usize, &'a SimpleCommand)| {
            let name = programs::table_name(command.name()?);
            (!runs_elsewhere(view, command)).then_some((index, name, command))
        };
        self.view.commands.iter().enumerate().filter_map(named)
    }

    /// The effects on paths that are certain: of words that are paths, not of
    /// what a search may find below them, and not of one of several branches.
    fn certain(&self) -> impl Iterator<Item = (Touch, &'a Target, &'a Effect, &'a SimpleCommand)> {
        let view = self.view;
        self.effects.effects.iter().filter_map(move |effect| {
            let countersign_core::effect::EffectKind::Path { touch, target } = &effect.kind else {
                return None;
            };
            let command = view.commands.get(effect.command)?;
            if runs_elsewhere(view, command) {
                return None;
            }
            let is_find = command
                .name()
                .is_some_and(|name| matches!(programs::bare_name(name), "find" | "gfind"));
            let is_doubtful = words_at(command, &effect.span).any(|word| is_doubtful(&word.value));
            (!(is_doubtful || is_find && touch.changes()))
                .then_some((*touch, target, effect, command))
        })
    }

    /// The places that a target means.
    fn places_of(&self, target: &Target, touch: Touch) -> Vec<Place> {
        match target {
            Target::Path { text, folder } => vec![self.world.place(text, folder, touch)],
            Target::Glob {
                pattern, folder, ..
            } => self.matches(pattern, folder, touch),
            Target::Into {
                text,
                folder,
                names,
                is_folder,
            } => {
                let there = self.world.place(text, folder, touch);
                if *is_folder || there.kind == FileKind::Directory || text.ends_with('/') {
                    names
                        .iter()
                        .map(|name| self.world.place(&format!("{text}/{name}"), folder, touch))
                        .collect()
                } else {
                    vec![there]
                }
            }
            Target::Links { .. }
            | Target::Pieces { .. }
            | Target::SplitMatches { .. }
            | Target::StandIns { .. }
            | Target::Unknown => Vec::new(),
        }
    }

    fn matches(&self, pattern: &str, folder: &Folder, touch: Touch) -> Vec<Place> {
        self.world
            .expand(pattern, folder)
            .unwrap_or_default()
            .iter()
            .map(|text| self.world.place(text, folder, touch))
            .collect()
    }
}

/// Launchers behind which paths mean files of another machine, or of a
/// container.
const ELSEWHERE: &[&str] = &[
    "adb",
    "chroot",
    "distrobox",
    "docker",
    "docker-compose",
    "kubectl",
    "lxc",
    "mosh",
    "nerdctl",
    "nsenter",
    "oc",
    "podman",
    "ssh",
    "sshpass",
    "systemd-nspawn",
    "toolbox",
    "unshare",
    "vagrant",
];

/// Whether a command runs where paths mean other files.
fn runs_elsewhere(view: &CommandView, command: &SimpleCommand) -> bool {
    let mut origin = command.origin;
    // A launcher stands before what it runs.
    for _ in 0..view.commands.len() {
        let (Origin::Wrapped { by } | Origin::Launched { by }) = origin else {
            return false;
        };
        let Some(launcher) = view.commands.get(by) else {
            return false;
        };
        if launcher
            .base_name()
            .is_some_and(|name| ELSEWHERE.contains(&name))
        {
            return true;
        }
        origin = launcher.origin;
    }
    false
}

/// The words and redirects' targets of a command that stand there; several
/// where a text inside one word was looked through.
fn words_at<'a>(
    command: &'a SimpleCommand,
    span: &'a Range<usize>,
) -> impl Iterator<Item = &'a Word> {
    let words = command.words.iter().filter(|word| word.span == *span);
    let targets = command
        .redirects
        .iter()
        .filter(|redirect| redirect.span == *span)
        .filter_map(|redirect| redirect.target.as_ref());
    words.chain(targets)
}

/// Whether a word only may be what it seems to be.
fn is_doubtful(value: &WordValue) -> bool {
    match value {
        WordValue::Literal(_) | WordValue::Glob(_) => false,
        // All values of a loop's variable are used, one of a branch's is.
        WordValue::Dynamic {
            known: Known::OneOf(choice),
            ..
        } => choice.by.is_none(),
        WordValue::Dynamic { known, .. } => matches!(known, Known::Below(_)),
    }
}

/// The letters that `rm`, `chmod`, `chown` and `wipefs` take together.
const CLUSTERED: &str = "rRfivdIchHLPaonq";

/// Whether a short option with this letter is given, or the long one, perhaps
/// shortened; unknown words are none.
fn has_option(command: &SimpleCommand, letters: &[char], long: &str) -> bool {
    command.words.iter().skip(1).any(|word| {
        let Some(text) = word.literal() else {
            return false;
        };
        match text.strip_prefix("--") {
            Some(name) => {
                let name = name.split('=').next().unwrap_or(name);
                !name.is_empty() && !long.is_empty() && long.starts_with(name)
            }
            // A longer word of other characters is an option of something else.
            None => text.strip_prefix('-').is_some_and(|cluster| {
                cluster.contains(letters) && cluster.chars().all(|c| CLUSTERED.contains(c))
            }),
        }
    })
}

/// The literal words behind the name.
fn literals(command: &SimpleCommand) -> impl Iterator<Item = &str> {
    command.words.iter().skip(1).filter_map(Word::literal)
}

/// The targets of redirects that open files, as far as they are known: the
/// text, or what it begins with.
fn opened(command: &SimpleCommand) -> impl Iterator<Item = (RedirectKind, &str)> {
    command.redirects.iter().filter_map(|redirect| {
        let text = match &redirect.target.as_ref()?.value {
            WordValue::Literal(text) => text,
            WordValue::Dynamic { prefix, .. } => prefix,
            WordValue::Glob(_) => return None,
        };
        Some((redirect.kind, text.as_str()))
    })
}

/// Whether a redirect's target is a connection that bash opens.
fn is_connection(target: &str) -> bool {
    target.starts_with("/dev/tcp/") || target.starts_with("/dev/udp/")
}
