//! What is known of programs by their names, as data: what a wildcard behind a
//! name could do, and for which commands a wildcard is harmless.
//!
//! Names are never proof that something is harmless; they only say what a rule
//! could match. Unknown names are the dangerous case everywhere.

mod fixed;
mod risks;

pub use fixed::{FixedCommand, fixed_command};
pub use risks::{Risk, all_risks};

use crate::command::SimpleCommand;

/// The last part of a program's name: `rm` for `/bin/rm` and `C:\bin\rm`.
#[must_use]
pub fn bare_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// The program's name in the form of the tables: bare, lower case, without
/// Windows' endings.
#[must_use]
pub fn table_name(name: &str) -> String {
    let mut table_name = bare_name(name).to_lowercase();
    for ending in [".exe", ".cmd", ".bat", ".com", ".ps1"] {
        if let Some(shorter) = table_name.strip_suffix(ending) {
            table_name.truncate(shorter.len());
            break;
        }
    }
    table_name
}

/// What a wildcard behind this program could do, if the tables know it.
#[must_use]
pub fn risk(name: &str) -> Option<Risk> {
    risks::by_table_name(&table_name(name))
}

/// Launchers that only change how a program runs: allow rules look through
/// them when all their options are understood.
pub const WRAPPERS: &[&str] = &["command", "nice", "nohup", "stdbuf", "time", "timeout"];

/// Interpreters whose program is an operand: their standard input is data
/// unless a word says otherwise.
const PROGRAM_IN_OPERAND: &[&str] = &["awk", "gawk", "gsed", "jq", "mawk", "nawk", "sed"];

/// Other programs that do what their standard input says.
const ACT_ON_STDIN: &[&str] = &[
    "chpasswd",
    "cpio",
    "dd",
    "git",
    "gmake",
    "gtar",
    "iptables-restore",
    "make",
    "patch",
    "pip",
    "tar",
    "uv",
];

/// Whether a command may run, do or send what its standard input says.
#[must_use]
pub fn acts_on_stdin(command: &SimpleCommand) -> bool {
    let Some(name) = command.name().map(table_name) else {
        return true;
    };
    if PROGRAM_IN_OPERAND.contains(&name.as_str()) {
        return command.words.iter().skip(1).any(|word| {
            word.literal().is_none_or(|text| {
                text.ends_with("/stdin")
                    || text == "-"
                    || text.ends_with("f-")
                    || text.ends_with("=-")
            })
        });
    }
    if WRAPPERS.contains(&name.as_str()) || matches!(name.as_str(), "less" | "more" | "find") {
        return false;
    }
    ACT_ON_STDIN.contains(&name.as_str())
        || match risk(&name) {
            Some(
                Risk::RunsCode
                | Risk::Launches
                | Risk::Remote
                | Risk::Container
                | Risk::StartsAgent
                | Risk::Infrastructure
                | Risk::Network,
            ) => true,
            Some(
                Risk::RunsPackages
                | Risk::RunsTasks
                | Risk::Reads
                | Risk::Writes
                | Risk::VersionControl,
            )
            | None => false,
        }
}

/// Whether a program interprets the program text that it reads from its
/// standard input when no operand names one.
#[must_use]
pub fn is_interpreter(name: &str) -> bool {
    risk(name) == Some(Risk::RunsCode) && !PROGRAM_IN_OPERAND.contains(&table_name(name).as_str())
}

/// Whether a program runs programs that its words name.
#[must_use]
pub fn is_launcher(name: &str) -> bool {
    risk(name) == Some(Risk::Launches)
}

/// Programs that do nothing with their operands but read them, whatever their
/// options are.
const ONLY_READ: &[&str] = &[
    "[",
    "b2sum",
    "basename",
    "cat",
    "cksum",
    "cmp",
    "comm",
    "cut",
    "df",
    "diff",
    "dirname",
    "du",
    "echo",
    "egrep",
    "fgrep",
    "grep",
    "head",
    "ls",
    "md5sum",
    "nl",
    "od",
    "printf",
    "readlink",
    "realpath",
    "sha1sum",
    "sha224sum",
    "sha256sum",
    "sha384sum",
    "sha512sum",
    "stat",
    "strings",
    "sum",
    "tac",
    "tail",
    "test",
    "wc",
];

/// Whether a program only reads the files that its operands name.
#[must_use]
pub fn only_reads_operands(name: &str) -> bool {
    ONLY_READ.contains(&name)
}

/// Programs that print their operands, or do nothing with them: no operand is
/// a file.
const NO_FILES: &[&str] = &[":", "echo", "false", "printf", "true"];

/// Whether no operand of the program is a file.
#[must_use]
pub fn names_no_files(name: &str) -> bool {
    NO_FILES.contains(&name)
}

/// Programs that change the files that their operands name.
const WRITE_OPERANDS: &[&str] = &[
    "chattr", "chgrp", "chmod", "chown", "cp", "dd", "install", "ln", "mkdir", "mkfifo", "mv",
    "patch", "rename", "rm", "rmdir", "rsync", "setfacl", "shred", "sponge", "tee", "touch",
    "truncate", "unlink",
];

/// Whether a program changes the files that its operands name.
#[must_use]
pub fn writes_operands(name: &str) -> bool {
    WRITE_OPERANDS.contains(&name)
}

/// Programs that touch their operands without reading their content.
const NEVER_READ: &[&str] = &[
    "[", "basename", "cd", "chattr", "chgrp", "chmod", "chown", "df", "dirname", "du", "ls",
    "mkdir", "mkfifo", "pushd", "readlink", "realpath", "rm", "rmdir", "setfacl", "stat", "tee",
    "test", "touch", "truncate", "unlink",
];

/// Whether a program does not read the content of its operands.
#[must_use]
pub fn never_reads_operands(name: &str) -> bool {
    NEVER_READ.contains(&name)
}

/// Whether the operands of a program are files that it opens or changes: a
/// word that is not known before it runs may be any file.
#[must_use]
pub fn operands_are_files(name: &str) -> bool {
    (only_reads_operands(name) || writes_operands(name)) && !names_no_files(name)
        || matches!(risk(name), Some(Risk::Reads | Risk::Writes))
        || matches!(
            table_name(name).as_str(),
            "awk"
                | "gawk"
                | "mawk"
                | "sed"
                | "gsed"
                | "jq"
                | "less"
                | "more"
                | "scp"
                | "rsync"
                | "find"
        )
}

/// Number of words behind a program's name that name a sub-command, a task or
/// a target rather than a file, if they look like a name.
#[must_use]
pub fn task_words(name: &str) -> usize {
    match table_name(name).as_str() {
        "apt" | "apt-get" | "brew" | "bundle" | "cargo" | "docker" | "gh" | "git" | "go"
        | "helm" | "kubectl" | "mix" | "pip" | "podman" | "poetry" | "rustup" | "systemctl"
        | "terraform" | "uv" | "dotnet" | "conda" => 1,
        "bun" | "composer" | "deno" | "npm" | "pnpm" | "yarn" => 2,
        "gmake" | "gradle" | "gradlew" | "just" | "make" | "mvn" | "mvnw" | "ninja" | "rake"
        | "task" => usize::MAX,
        _ => 0,
    }
}

/// Programs that read, move or change whole folders: always, or with an option
/// of these letters or this long name.
const WHOLE_FOLDERS: &[(&str, &str, &str)] = &[
    ("7z", "*", ""),
    ("7za", "*", ""),
    ("ack", "*", ""),
    ("ag", "*", ""),
    ("bsdtar", "*", ""),
    ("chgrp", "R", "recursive"),
    ("chmod", "R", "recursive"),
    ("chown", "R", "recursive"),
    ("cp", "rRa", "recursive"),
    ("cpio", "*", ""),
    ("diff", "r", "recursive"),
    ("ditto", "*", ""),
    ("egrep", "rR", "recursive"),
    ("fgrep", "rR", "recursive"),
    ("grep", "rR", "recursive"),
    ("gtar", "*", ""),
    ("mv", "*", ""),
    ("pax", "*", ""),
    ("rclone", "*", ""),
    ("rename", "*", ""),
    ("rg", "*", ""),
    ("rm", "rR", "recursive"),
    ("rsync", "*", ""),
    ("scp", "r", ""),
    ("sd", "*", ""),
    ("tar", "*", ""),
    ("tokei", "*", ""),
    ("zip", "*", ""),
    ("zstd", "r", ""),
];

/// Whether a command may read or change everything below the folders that it
/// names, or below its own if it names none.
#[must_use]
pub fn takes_whole_folders(command: &SimpleCommand) -> bool {
    let Some(name) = command.name().map(table_name) else {
        return false;
    };
    let Some((_, letters, long)) = WHOLE_FOLDERS.iter().find(|(known, _, _)| *known == name) else {
        return false;
    };
    if *letters == "*" {
        return true;
    }
    command.words.iter().skip(1).any(|word| {
        let Some(text) = word.literal() else {
            // It may become the option.
            return true;
        };
        match text.strip_prefix("--") {
            // Long options may be shortened, and have variants
            // (`--dereference-recursive`).
            Some(option) => {
                !option.is_empty()
                    && !long.is_empty()
                    && (option.contains(long) || long.starts_with(option) || option == "archive")
            }
            None => text
                .strip_prefix('-')
                .is_some_and(|cluster| cluster.contains(|c: char| letters.contains(c))),
        }
    })
}

/// Variables whose values are data for any program: they load, run and write
/// nothing.
const HARMLESS_VARIABLES: &[&str] = &[
    "CARGO_TERM_COLOR",
    "CI",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "DEBIAN_FRONTEND",
    "FORCE_COLOR",
    "LANG",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_NUMERIC",
    "LC_TIME",
    "LINES",
    "NO_COLOR",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUNBUFFERED",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "TERM",
    "TZ",
];

/// Whether setting this variable to this value is harmless for any program.
///
/// Some of these variables are looked up as files when their value looks like
/// a path; such a value is not harmless.
#[must_use]
pub fn is_harmless_variable(name: &str, value: &str) -> bool {
    HARMLESS_VARIABLES.contains(&name)
        && !value.starts_with(['/', ':', '.', '~'])
        && !value.contains("..")
        && value.chars().all(|c| {
            c.is_ascii_alphanumeric()
                || matches!(c, '_' | '-' | '.' | ',' | ':' | '=' | '+' | '@' | '/')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_path_version_and_ending() {
        for name in [
            "python",
            "/usr/bin/python3.12",
            "PYTHON.EXE",
            r"C:\py\python.exe",
            "python2",
        ] {
            assert_eq!(risk(name), Some(Risk::RunsCode), "{name}");
        }
        assert_eq!(risk("base64"), Some(Risk::Reads));
        assert_eq!(risk("clang-17"), Some(Risk::Writes));
        assert_eq!(risk("frobnicate"), None);
    }

    #[test]
    fn no_program_stands_twice() {
        let mut names: Vec<&str> = all_risks().map(|(_, name)| name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn nothing_that_loads_or_runs_is_a_harmless_variable() {
        for name in [
            "PATH",
            "LD_PRELOAD",
            "BASH_ENV",
            "ENV",
            "IFS",
            "PAGER",
            "GIT_PAGER",
            "EDITOR",
            "VISUAL",
            "GIT_SSH_COMMAND",
            "GIT_EXTERNAL_DIFF",
            "NODE_OPTIONS",
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "PYTHONWARNINGS",
            "BROWSER",
            "RUSTFLAGS",
            "RUSTC_WRAPPER",
            "CARGO_HOME",
            "HOME",
            "PERL5OPT",
            "RUBYOPT",
            "JAVA_TOOL_OPTIONS",
            "MAKEFLAGS",
            "PROMPT_COMMAND",
            "CDPATH",
            "GLOBIGNORE",
            "SHELLOPTS",
            "BASHOPTS",
            "TERMINFO",
            "LOCPATH",
            "NLSPATH",
            "LANGUAGE",
            "NODE_ENV",
            "http_proxy",
            "HTTPS_PROXY",
        ] {
            assert!(!is_harmless_variable(name, "1"), "{name}");
        }
        assert!(is_harmless_variable(
            "RUST_LOG",
            "info,my_crate::part=debug"
        ));
        assert!(is_harmless_variable("TZ", "Europe/Berlin"));
        assert!(!is_harmless_variable("TZ", ":/etc/shadow"));
        assert!(!is_harmless_variable("LC_ALL", "../../tmp/x"));
        assert!(!is_harmless_variable("CI", "$(x)"));
    }

    #[test]
    fn harmless_tables_do_not_meet_dangerous_ones() {
        for name in ONLY_READ {
            assert!(
                matches!(risk(name), None | Some(Risk::Reads)),
                "{name} {:?}",
                risk(name)
            );
            assert!(!writes_operands(name), "{name}");
        }
        for (risk, name) in all_risks() {
            if matches!(risk, Risk::RunsCode | Risk::Launches) {
                assert!(!only_reads_operands(name), "{name}");
                assert!(fixed_command(std::iter::once(name)).is_none(), "{name}");
            }
        }
    }
}
