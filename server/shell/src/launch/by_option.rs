//! Programs that are no launchers, and yet run a command that an option or a
//! variable gives them: what it is belongs to the commands that deny rules
//! look at.

use countersign_core::command::{Assignment, SimpleCommand, Word, WordValue};

/// A program with the options whose values it runs.
struct Entry {
    names: &'static [&'static str],
    /// Letters of short options, alone, in clusters, or with their value.
    letters: &'static str,
    /// Long options; GNU programs take every beginning of them.
    long: &'static [&'static str],
}

const ENTRIES: &[Entry] = &[
    Entry {
        names: &["mapfile", "readarray"],
        letters: "C",
        long: &[],
    },
    Entry {
        names: &["man"],
        letters: "PH",
        long: &["pager", "html"],
    },
    Entry {
        names: &["sort", "gsort"],
        letters: "",
        long: &["compress-program"],
    },
    Entry {
        names: &["tar", "gtar", "bsdtar"],
        letters: "IF",
        long: &[
            "checkpoint-action",
            "info-script",
            "new-volume-script",
            "rmt-command",
            "rsh-command",
            "to-command",
            "use-compress-program",
        ],
    },
    Entry {
        names: &["rsync"],
        letters: "e",
        long: &["rsh", "rsync-path"],
    },
    Entry {
        names: &["scp", "sftp"],
        letters: "S",
        long: &[],
    },
    Entry {
        names: &["zip"],
        letters: "",
        long: &["unzip-command"],
    },
    Entry {
        names: &["npx"],
        letters: "c",
        long: &["call"],
    },
    Entry {
        names: &["make", "gmake"],
        letters: "",
        long: &["eval"],
    },
    Entry {
        names: &["nc", "ncat", "netcat"],
        letters: "ec",
        long: &["exec", "sh-exec", "lua-exec"],
    },
    Entry {
        names: &["wget"],
        letters: "",
        long: &["use-askpass"],
    },
    Entry {
        names: &["rg"],
        letters: "",
        long: &["pre", "hostname-bin"],
    },
    Entry {
        names: &["cargo"],
        letters: "",
        long: &["config"],
    },
    Entry {
        names: &["git"],
        letters: "",
        long: &[
            "config-env",
            "exec",
            "exec-path",
            "extcmd",
            "open-files-in-pager",
            "receive-pack",
            "upload-pack",
        ],
    },
];

/// Settings of git, by their beginnings, whose values are data.
const GIT_DATA: &[&str] = &[
    "advice.",
    "author.",
    "color.",
    "commit.gpgsign=",
    "committer.",
    "core.autocrlf=",
    "core.quotepath=",
    "init.defaultbranch=",
    "merge.conflictstyle=",
    "tag.gpgsign=",
    "user.",
];

/// Programs that show or edit, or do nothing: what people set so that nothing
/// waits for them.
const HARMLESS: &[&str] = &["", ":", "cat", "false", "less", "more", "ssh", "true"];

/// Variables whose values are run, by their endings.
const VARIABLES: &[&str] = &[
    "ASKPASS",
    "BASH_ENV",
    "BROWSER",
    "EDITOR",
    "GIT_EXTERNAL_DIFF",
    "GIT_SSH",
    "LESSCLOSE",
    "LESSOPEN",
    "PAGER",
    "PROMPT_COMMAND",
    "PS4",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "SSH_COMMAND",
    "VISUAL",
];

/// Whether the command runs another one that one of its options or variables
/// gives.
pub(super) fn runs_another(name: &str, command: &SimpleCommand) -> bool {
    command.assignments.iter().any(is_run) || {
        let words: Vec<&str> = command
            .words
            .iter()
            .skip(1)
            .filter_map(Word::literal)
            .collect();
        by_table(name, &words) || by_itself(name, &words)
    }
}

fn is_run(assignment: &Assignment) -> bool {
    VARIABLES
        .iter()
        .any(|ending| assignment.name.ends_with(ending))
        && match &assignment.value {
            None => false,
            Some(WordValue::Literal(value)) => !HARMLESS.contains(&value.as_str()),
            Some(WordValue::Glob(_) | WordValue::Dynamic { .. }) => true,
        }
}

fn by_table(name: &str, words: &[&str]) -> bool {
    let Some(entry) = ENTRIES.iter().find(|entry| entry.names.contains(&name)) else {
        return false;
    };
    words.iter().any(|word| match word.strip_prefix("--") {
        Some(option) => {
            let option = option.split('=').next().unwrap_or_default();
            !option.is_empty() && entry.long.iter().any(|long| long.starts_with(option))
        }
        None => word
            .strip_prefix('-')
            .is_some_and(|cluster| cluster.contains(|c| entry.letters.contains(c))),
    })
}

/// Programs with a form of their own.
fn by_itself(name: &str, words: &[&str]) -> bool {
    let any = |is: &dyn Fn(&str) -> bool| words.iter().any(|word| is(word));
    match name {
        "tar" | "gtar" | "bsdtar" => words
            .first()
            .is_some_and(|old| !old.starts_with('-') && old.contains(['I', 'F'])),
        "zip" => any(&|word| word.starts_with("-TT")),
        "scp" | "sftp" => any(&|word| word.to_ascii_lowercase().contains("command")),
        "make" | "gmake" => any(&|word| word.starts_with("SHELL")),
        "go" => any(&|word| {
            let option = word.trim_start_matches('-');
            word.starts_with('-')
                && ["exec", "toolexec", "vettool"]
                    .iter()
                    .any(|runs| option.split('=').next() == Some(runs))
        }),
        // A new table of commands that run later.
        "crontab" => any(&|word| word == "-" || !word.starts_with('-')),
        "less" | "more" | "vi" | "vim" | "view" | "nvim" | "ex" => {
            any(&|word| word.contains(['!', '|']))
        }
        "git" => git(words),
        _ => false,
    }
}

fn git(words: &[&str]) -> bool {
    let mut sub_command = None;
    let mut before = "";
    for word in words {
        if before == "-c" && sub_command.is_none() {
            let setting = word.to_ascii_lowercase();
            let value = word.split_once('=').map(|(_, value)| value);
            let is_data = GIT_DATA.iter().any(|known| setting.starts_with(known));
            if !is_data && value.is_some_and(|value| !HARMLESS.contains(&value)) {
                return true;
            }
        } else if sub_command.is_none() && !word.starts_with('-') && before != "-C" {
            sub_command = Some(*word);
        }
        // A transport that is a command.
        if word.contains("ext::") {
            return true;
        }
        before = word;
    }
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    match sub_command {
        Some("filter-branch") => true,
        Some("submodule") => has(&["foreach"]),
        Some("grep") => words.iter().any(|word| word.starts_with("-O")),
        Some("rebase" | "difftool") => words.iter().any(|word| word.starts_with("-x")),
        Some("clone") => words.iter().any(|word| word.starts_with("-u")),
        // An alias or helper that is a command.
        Some("config") => words.iter().any(|word| word.starts_with('!')),
        _ => false,
    }
}
