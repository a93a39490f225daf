//! Credentials on their way into the network within one command.

use std::ops::Range;

use countersign_core::command::{Folder, Origin, RedirectKind, SimpleCommand, Stdin};
use countersign_core::effect::Touch;
use countersign_core::programs;

use super::senders::{Sender, sender};
use super::{Case, Found, is_connection, literals, opened};
use crate::contain::Scope;

/// Programs whose output is what they read, perhaps in another form.
const WHOLE: &[&str] = &[
    "base32", "base64", "bzip2", "cat", "dd", "gzip", "hexdump", "nl", "od", "openssl", "pv",
    "rev", "tac", "tar", "tee", "tr", "xxd", "xz", "zip", "zstd",
];

/// Programs whose output is a part of what they read.
const PARTS: &[&str] = &[
    "awk", "cut", "egrep", "fgrep", "gawk", "grep", "head", "sed", "sort", "strings", "tail",
];

/// Programs whose first operand is no file.
const PATTERN_FIRST: &[&str] = &["awk", "egrep", "fgrep", "gawk", "grep", "sed", "tr"];

impl Case<'_> {
    /// What holds credentials flows into the network.
    pub(super) fn secrets(&self) -> Found {
        self.named().find_map(|(index, name, command)| {
            let (what, to) = self.sent(index, command)?;
            Some((
                format!("`{name}` would send {what} to {to}"),
                command.span.clone(),
            ))
        })
    }

    /// What of the secrets a command sends.
    fn sent(&self, index: usize, command: &SimpleCommand) -> Option<(String, &'static str)> {
        const NETWORK: &str = "another machine";
        if opened(command).any(|(kind, target)| kind.writes() && is_connection(target)) {
            let what = self
                .read_by(command, false)
                .or_else(|| self.piped_into(index, command))
                .or_else(|| self.printed_by(index, command))?;
            return Some((what, NETWORK));
        }
        let Sender {
            takes_input,
            files,
            inserts,
            whole_only,
        } = sender(command)?;
        let own = || {
            files
                .iter()
                .find_map(|file| self.secret(file, &command.folder))
        };
        let input = || {
            if !takes_input {
                return None;
            }
            let redirected = || {
                opened(command)
                    .filter(|(kind, _)| *kind == RedirectKind::Read)
                    .find_map(|(_, file)| self.secret(file, &command.folder))
            };
            redirected().or_else(|| self.piped_into(index, command))
        };
        let inserted = || {
            inserts
                .iter()
                .find_map(|span| self.substituted(index, span, whole_only))
        };
        let what = own().or_else(input).or_else(inserted)?;
        Some((what, NETWORK))
    }

    /// What `echo` and `printf` print of secrets.
    fn printed_by(&self, index: usize, command: &SimpleCommand) -> Option<String> {
        matches!(command.base_name(), Some("echo" | "printf"))
            .then(|| {
                let mut words = command.words.iter().skip(1);
                words.find_map(|word| {
                    super::shells::is_unknown(&word.value)
                        .then(|| self.substituted(index, &word.span, false))
                        .flatten()
                })
            })
            .flatten()
    }

    /// The secrets that come to a command through a pipe.
    fn piped_into(&self, index: usize, command: &SimpleCommand) -> Option<String> {
        if command.stdin != Stdin::Pipe {
            return None;
        }
        for before in (0..index).rev() {
            let source = self.view.commands.get(before)?;
            if let Some(what) = self.read_by(source, false) {
                return Some(what);
            }
            let passes = passes(source, false) && source.stdin == Stdin::Pipe;
            if !passes {
                return None;
            }
        }
        None
    }

    /// The secrets that a substitution inside a word puts there.
    fn substituted(&self, index: usize, word: &Range<usize>, whole: bool) -> Option<String> {
        let is_inside = |command: &SimpleCommand| {
            word.start <= command.span.start && command.span.end <= word.end
        };
        let commands = self.view.commands.iter().enumerate();
        let mut inside = commands.filter(|(at, command)| {
            *at != index && command.origin == Origin::Substituted && is_inside(command)
        });
        inside.find_map(|(at, source)| {
            let what = self.read_by(source, whole)?;
            let mut rest = self.view.commands.iter().skip(at + 1);
            let mut behind = rest
                .by_ref()
                .take_while(|command| command.stdin == Stdin::Pipe && is_inside(command));
            behind.all(|command| passes(command, whole)).then_some(what)
        })
    }

    /// The secrets that a command reads and prints.
    fn read_by(&self, command: &SimpleCommand, whole: bool) -> Option<String> {
        let input = || {
            opened(command)
                .filter(|(kind, _)| *kind == RedirectKind::Read)
                .find_map(|(_, file)| self.secret(file, &command.folder))
        };
        // `$(<file)`
        if command.words.is_empty() {
            return input();
        }
        let name = programs::table_name(command.name()?);
        if command.words.len() == 1 && matches!(name.as_str(), "env" | "printenv") {
            return Some("the environment".to_owned());
        }
        if !passes(command, whole) {
            return None;
        }
        let skipped = usize::from(PATTERN_FIRST.contains(&name.as_str()));
        literals(command)
            .filter(|word| !word.starts_with('-'))
            .skip(skipped)
            .map(|word| word.strip_prefix("if=").unwrap_or(word))
            .find_map(|word| self.secret(word, &command.folder))
            .or_else(input)
    }

    /// The path of a file or folder of credentials.
    fn secret(&self, text: &str, folder: &Folder) -> Option<String> {
        if text.is_empty() || text.contains("://") {
            return None;
        }
        let place = self.world.place(text, folder, Touch::Read);
        let name = place.path.file_name()?;
        if is_public(&place.path) || is_sample(name) {
            return None;
        }
        let holds = |touch| {
            let scope = self.world.place(text, folder, touch).scope;
            matches!(scope, Scope::Credential(_))
        };
        let is_secret = is_environment_file(name)
            || holds(Touch::Read)
            || name.starts_with('.') && holds(Touch::ReadTree);
        is_secret.then(|| place.path.to_string())
    }
}

/// Whether what a command reads is in what it prints.
fn passes(command: &SimpleCommand, whole: bool) -> bool {
    let Some(name) = command.name().map(programs::table_name) else {
        return false;
    };
    if WHOLE.contains(&name.as_str()) {
        return !(name == "openssl" && literals(command).any(|word| word == "dgst"));
    }
    let only_says = |word: &str| match word.strip_prefix("--") {
        Some(name) => name.starts_with("co") || name.starts_with("q") || name.starts_with("files"),
        None => word.starts_with('-') && word.contains(['c', 'q', 'l', 'L']),
    };
    let greps = name.ends_with("grep");
    !whole && PARTS.contains(&name.as_str()) && !(greps && literals(command).any(only_says))
}

/// `.env` and its variants.
fn is_environment_file(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let rest = name.strip_prefix(".env");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// `.env.example` and the like hold no secrets.
fn is_sample(name: &str) -> bool {
    const SAMPLES: &[&str] = &[
        "defaults", "dist", "example", "sample", "schema", "template",
    ];
    let name = name.to_ascii_lowercase();
    name.strip_prefix(".env.")
        .is_some_and(|rest| rest.split('.').any(|part| SAMPLES.contains(&part)))
}

/// What lies among keys and is no secret.
fn is_public(path: &camino::Utf8Path) -> bool {
    let Some(name) = path.file_name() else {
        return true;
    };
    let in_ssh = path.parent().and_then(camino::Utf8Path::file_name) == Some(".ssh");
    name.ends_with(".pub")
        || in_ssh
            && (name == "config" || name.starts_with("known_hosts") || name == "authorized_keys")
}
