//! Shells that somebody else types into over the network, and fork bombs.

use countersign_core::command::{Origin, RedirectKind, SimpleCommand, Stdin, WordValue};
use countersign_core::programs::{self, Risk};

use super::{Case, Found, is_connection, literals, opened};

const SHELLS: &[&str] = &[
    "ash",
    "bash",
    "csh",
    "dash",
    "fish",
    "ksh",
    "mksh",
    "powershell",
    "pwsh",
    "rbash",
    "sh",
    "tcsh",
    "zsh",
];

/// Programs that pass bytes from and to a connection.
const PIPES: &[&str] = &["nc", "ncat", "netcat", "openssl", "socat", "telnet"];

impl Case<'_> {
    /// A shell is handed to whoever is at the other end of a connection.
    pub(super) fn shells(&self) -> Found {
        let connects = self
            .view
            .commands
            .iter()
            .flat_map(opened)
            .any(|(_, target)| is_connection(target));
        let makes_pipe = self.named().any(|(_, name, command)| {
            name == "mkfifo" || name == "mknod" && literals(command).any(|word| word == "p")
        });
        for (index, name, command) in self.named() {
            let is_one = if is_shell(&name) {
                reads_commands(command)
                    && (talks(command, connects)
                        || self.is_between_pipes(index, command, makes_pipe))
            } else {
                match name.as_str() {
                    "nc" | "ncat" | "netcat" => runs_a_shell(command),
                    "socat" => connects_a_shell(command),
                    _ => {
                        programs::risk(&name) == Some(Risk::RunsCode)
                            && literals(command).any(is_shell_in_code)
                    }
                }
            };
            if is_one {
                return Some((
                    format!("`{name}` would hand a shell to the network"),
                    command.span.clone(),
                ));
            }
        }
        None
    }

    /// Whether what a shell says goes to the network and what it is told comes
    /// back through a pipe with a name.
    fn is_between_pipes(&self, index: usize, command: &SimpleCommand, makes_pipe: bool) -> bool {
        let speaks_to = (self.view.commands.get(index + 1)).is_some_and(|next| {
            next.stdin == Stdin::Pipe && next.base_name().is_some_and(|name| PIPES.contains(&name))
        });
        let is_interactive = literals(command).any(is_interactive);
        speaks_to && (makes_pipe || is_interactive)
            || makes_pipe
                && command.stdin == Stdin::Pipe
                && (index.checked_sub(1))
                    .and_then(|before| self.view.commands.get(before)?.base_name())
                    .is_some_and(|name| PIPES.contains(&name))
    }

    /// A function that starts itself twice.
    pub(super) fn fork_bomb(&self) -> Found {
        let own = |command: &SimpleCommand| match command.words.as_slice() {
            [word] if command.origin == Origin::Function => word.literal().map(str::to_owned),
            _ => None,
        };
        let pairs = self
            .view
            .commands
            .iter()
            .zip(self.view.commands.iter().skip(1));
        for (first, second) in pairs {
            let Some(name) = own(first) else { continue };
            let defined = format!("defines a function `{name}`");
            let is_defined = (self.view.problems.iter()).any(|problem| problem.reason == defined);
            let is_called = (self.view.commands.iter())
                .any(|command| command.origin != Origin::Function && command.name() == Some(&name));
            if is_defined
                && is_called
                && second.stdin == Stdin::Pipe
                && own(second).as_ref() == Some(&name)
            {
                return Some((
                    format!("`{name}` would start itself without end"),
                    first.span.clone(),
                ));
            }
        }
        None
    }
}

fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name)
}

fn is_interactive(word: &str) -> bool {
    word == "--interactive"
        || word.starts_with('-') && !word.starts_with("--") && word.contains('i')
}

/// Whether a shell is not told what to run: no text, no file.
fn reads_commands(command: &SimpleCommand) -> bool {
    command.words.iter().skip(1).all(|word| {
        word.literal().is_some_and(|text| {
            text.starts_with("--") || text.starts_with('-') && !text.contains('c')
        })
    })
}

/// Whether a shell reads or writes a connection.
fn talks(command: &SimpleCommand, connects: bool) -> bool {
    let descriptors = command
        .redirects
        .iter()
        .filter(|redirect| redirect.kind == RedirectKind::Descriptor)
        .count();
    opened(command).any(|(_, target)| is_connection(target)) || connects && descriptors > 1
}

/// `nc -e /bin/sh`, `ncat --sh-exec …`.
fn runs_a_shell(command: &SimpleCommand) -> bool {
    let words: Vec<&str> = literals(command).collect();
    let names_shell = |text: &str| {
        text.split(|c: char| c.is_whitespace() || c == '/')
            .any(is_shell)
    };
    let behind = |flag: &str| {
        let mut pairs = words.iter().zip(words.iter().skip(1));
        pairs.any(|(word, next)| {
            let is_flag = *word == flag
                || flag == "-e"
                    && word.starts_with('-')
                    && !word.starts_with("--")
                    && word.ends_with('e');
            is_flag && names_shell(next)
        })
    };
    behind("-e")
        || behind("-c")
        || behind("--exec")
        || behind("--sh-exec")
        || words.iter().any(|word| {
            ["-e", "--exec=", "--sh-exec="].iter().any(|flag| {
                word.strip_prefix(flag)
                    .is_some_and(|value| !value.is_empty() && names_shell(value))
            })
        })
}

/// `socat TCP:host:1 EXEC:sh`.
fn connects_a_shell(command: &SimpleCommand) -> bool {
    let is_address = |word: &str, kinds: &[&str]| {
        let word = word.to_ascii_lowercase();
        kinds.iter().any(|kind| word.starts_with(kind))
    };
    let is_far = |word: &str| is_address(word, &["tcp", "udp", "openssl", "sctp", "ssl"]);
    let is_own_shell = |word: &str| {
        let program = word.split_once(':').map_or("", |(_, program)| program);
        let program = program.trim_start_matches(['"', '\'']);
        let program = program
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | '"' | '\''))
            .next();
        is_address(word, &["exec:", "system:"])
            && program.is_some_and(|program| is_shell(programs::bare_name(program)))
    };
    literals(command).any(is_far) && literals(command).any(is_own_shell)
}

/// Whether code for an interpreter puts a shell's ends onto a connection.
fn is_shell_in_code(code: &str) -> bool {
    let code = code.to_ascii_lowercase();
    let has = |texts: &[&str]| texts.iter().any(|text| code.contains(text));
    has(&["socket", "fsockopen"])
        && has(&[
            "/bin/sh",
            "/bin/bash",
            "/bin/zsh",
            "\"sh\"",
            "'sh'",
            "\"bash\"",
            "'bash'",
        ])
        && has(&[
            "dup2",
            "pty",
            "sh -i",
            "sh\",\"-i\"",
            "sh','-i'",
            "sh\", \"-i\"",
            ">&s",
        ])
}

/// Whether nothing is known of a value.
pub(super) const fn is_unknown(value: &WordValue) -> bool {
    matches!(value, WordValue::Dynamic { .. })
}
