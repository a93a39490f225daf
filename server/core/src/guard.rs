//! The guard's own protection in shell commands, as far as the words alone
//! show it: it holds in every mode and nothing lifts it.

use crate::call::Access;
use crate::command::{Known, SimpleCommand, Word, WordValue};
use crate::own::{HOOK_PROGRAM, PROGRAM};
use crate::programs::{self, Risk};

/// Sub-commands of `countersign` that only look; all others are for people.
const LOOKING: &[&str] = &[
    "check", "explain", "log", "stats", "hooks", "doctor", "schema", "version", "help",
];

/// Programs whose operands, or the folders they stand for, go away.
const REMOVERS: &[&str] = &[
    "gio", "mv", "rename", "rm", "rmdir", "shred", "srm", "trash", "unlink",
];

/// Programs that change an operand, besides those of the tables.
const WRITERS: &[&str] = &[
    "ed", "emacs", "ex", "mount", "nano", "nvim", "sqlite3", "umount", "vi", "vim",
];

/// Programs that stand among those that write and change no operand.
const SHOWERS: &[&str] = &["mypy", "tree"];

/// Sub-commands of git that change files that its words name.
const GIT_WRITERS: &[&str] = &[
    "apply", "checkout", "clean", "clone", "init", "mv", "reset", "restore", "rm", "stash",
    "switch", "worktree",
];

/// What a command does to the files that its operands name, if it is known to
/// change them.
#[must_use]
pub fn changes_its_operands(command: &SimpleCommand) -> Option<Access> {
    let name = programs::table_name(command.name()?);
    let name = name.as_str();
    if REMOVERS.contains(&name) {
        return Some(Access::Delete);
    }
    let has = |is: &dyn Fn(&str) -> bool| {
        let mut words = command.words.iter().skip(1).filter_map(Word::literal);
        words.any(is)
    };
    // A short option alone, in a cluster, or with its value.
    let option = |letter: char, long: &str| {
        has(&|word| match word.strip_prefix("--") {
            Some(name) => name.starts_with(long),
            None => word.starts_with('-') && word.contains(letter),
        })
    };
    let writes = match name {
        "sed" | "gsed" => option('i', "in-place"),
        "perl" | "ruby" | "awk" | "gawk" => option('i', "include"),
        "sort" | "curl" => option('o', "output"),
        "wget" => option('O', "output") || option('P', "directory-prefix"),
        "unzip" => true,
        "find" | "gfind" => has(&|word| {
            ["-delete", "-exec", "-ok", "-fprint", "-fls"]
                .iter()
                .any(|action| word.starts_with(action))
        }),
        "git" => has(&|word| GIT_WRITERS.contains(&word)),
        _ => {
            WRITERS.contains(&name)
                || programs::writes_operands(name)
                || (programs::risk(name) == Some(Risk::Writes) && !SHOWERS.contains(&name))
        }
    };
    writes.then_some(Access::Write)
}

/// What a command that changes its operands does to the one at `word`: the last
/// operand of `mv` is where things come to, unless an option names that place.
#[must_use]
pub fn changes_operand(command: &SimpleCommand, access: Access, word: usize) -> Access {
    let is_last = word + 1 == command.words.len();
    let names_target = || {
        command.words.iter().any(|word| match word.literal() {
            Some(text) => text.starts_with("-t") || text.starts_with("--t"),
            None => may_be_an_option(&word.value),
        })
    };
    if is_last && command.base_name() == Some("mv") && !names_target() {
        Access::Write
    } else {
        access
    }
}

/// Whether a word that is not literal may become an option.
fn may_be_an_option(value: &WordValue) -> bool {
    match value {
        WordValue::Literal(text) | WordValue::Glob(text) => text.starts_with(['-', '*', '?', '[']),
        WordValue::Dynamic { known, .. } => match known {
            Known::Below(below) => below.may_be_option || below.is_split,
            Known::Natural | Known::Stream => false,
            Known::OneOf(choice) => choice.values.iter().any(may_be_an_option),
            Known::Nothing | Known::OneWord | Known::Integer => true,
        },
    }
}

/// Why a command is an attempt to drive the guard itself, if it is one:
/// `countersign` with any sub-command that could approve, grant, trust,
/// loosen, forge an event or switch off.
#[must_use]
pub fn drives_the_guard(command: &SimpleCommand) -> Option<String> {
    let name = command.base_name()?.to_ascii_lowercase();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    if ![PROGRAM, HOOK_PROGRAM].contains(&name) {
        return None;
    }
    let mut words = command.words.iter().skip(1).map(|word| word.literal());
    let looks = match words.next() {
        None | Some(Some("--version" | "--help" | "-V" | "-h")) => true,
        Some(Some("log")) => {
            let mut is_searched_for = false;
            words.all(|word| {
                let is_text = std::mem::replace(&mut is_searched_for, word == Some("--text"));
                word.is_some_and(|word| {
                    (word != "prune" || is_text) && !word.starts_with("--anchor")
                })
            })
        }
        // Asking the model uncounted would let an agent try out which words pass.
        Some(Some("check")) => words
            .take_while(|word| *word != Some("--"))
            .all(|word| word.is_some_and(|word| !word.starts_with("--with"))),
        Some(Some(sub_command)) => LOOKING.contains(&sub_command),
        // Not known before it runs.
        Some(None) => false,
    };
    (!looks).then(|| {
        "an agent may only look with `countersign` (check, explain, log, stats, hooks, doctor, \
         schema, version); everything else is for a person"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> SimpleCommand {
        SimpleCommand {
            words: text
                .split(' ')
                .map(|word| Word {
                    value: match word.strip_prefix('$') {
                        Some(_) => WordValue::unknown(),
                        None => WordValue::Literal(word.to_owned()),
                    },
                    span: 0..0,
                })
                .collect(),
            ..SimpleCommand::default()
        }
    }

    #[test]
    fn looking_is_fine() {
        for text in [
            "countersign",
            "countersign --version",
            "countersign check -- ls",
            "countersign check --json -- ls --with-model",
            "countersign log --json",
            "countersign log verify",
            "countersign log --follow --agent claude-code",
            "countersign log --text prune",
            "countersign log --text prune-me",
            "countersign explain 0f3a",
            "countersign stats --json --since 7d",
            "countersign hooks --json",
            "countersign doctor",
            "/usr/local/bin/countersign schema",
            "grep countersign README.md",
            "countersigned trust",
        ] {
            assert_eq!(drives_the_guard(&command(text)), None, "{text}");
        }
    }

    #[test]
    fn driving_is_not() {
        for text in [
            "countersign trust",
            "countersign hook claude-code --event PostToolUse",
            "countersign-hook hook claude-code --event PostToolUse",
            "/usr/local/bin/countersign-hook trust",
            "COUNTERSIGN-HOOK.EXE hook qwen",
            "countersign-hook $SUB",
            "./target/release/countersign install claude-code",
            "countersign log prune",
            "countersign log --text x prune",
            "countersign log --text --text prune prune",
            "countersign run-user-hooks",
            "countersign acp -- claude",
            "countersign log verify --anchor=x",
            "countersign $SUB",
            "countersign log $X",
            "countersign check --with-model -- ls",
            "countersign check --json --with-model=1 -- ls",
            "countersign check $X -- ls",
            "countersign eval cases.jsonl",
            "countersign --home /tmp trust",
            "Countersign.EXE uninstall qwen",
            "countersign install codex --trust-hooks --yes",
            "countersign uninstall codex --yes",
            "countersign status",
            "countersign demo",
        ] {
            assert!(drives_the_guard(&command(text)).is_some(), "{text}");
        }
    }

    #[test]
    fn a_move_takes_away_all_but_its_last_operand() {
        for (text, word, expected) in [
            ("mv a b", 1, Access::Delete),
            ("mv a b", 2, Access::Write),
            ("mv -t b a", 3, Access::Delete),
            ("mv --target-directory=b a", 2, Access::Delete),
            ("mv $X b", 2, Access::Delete),
            ("rm a b", 2, Access::Delete),
        ] {
            let access = changes_operand(&command(text), Access::Delete, word);
            assert_eq!(access, expected, "{text}");
        }
    }

    #[test]
    fn what_a_search_finds_names_no_target_of_a_move() {
        use crate::command::{Below, Folder};
        let mut moving = command("mv {} ..");
        let found = |may_be_option| WordValue::Dynamic {
            prefix: String::new(),
            known: Known::Below(Below {
                roots: vec![".".to_owned()],
                folder: Folder::Call,
                several: false,
                may_be_option,
                may_be_link: true,
                is_split: false,
            }),
        };
        for (may_be_option, expected) in [(false, Access::Write), (true, Access::Delete)] {
            moving.words[1].value = found(may_be_option);
            assert_eq!(changes_operand(&moving, Access::Delete, 2), expected);
        }
    }

    #[test]
    fn what_changes_its_operands() {
        for (text, access) in [
            ("rm x", Some(Access::Delete)),
            ("/bin/MV x y", Some(Access::Delete)),
            ("cp x y", Some(Access::Write)),
            ("sed -i s/a/b/ x", Some(Access::Write)),
            ("sed -n p x", None),
            ("find x -delete", Some(Access::Write)),
            ("find x -name y", None),
            ("curl -o x y", Some(Access::Write)),
            ("git rm x", Some(Access::Write)),
            ("git add x", None),
            ("gzip x", Some(Access::Write)),
            ("sort -o x y", Some(Access::Write)),
            ("sort x", None),
            ("cat x", None),
            ("tree x", None),
        ] {
            assert_eq!(changes_its_operands(&command(text)), access, "{text}");
        }
    }
}
