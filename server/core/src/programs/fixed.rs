//! Commands behind which a wildcard is harmless: a program with a fixed
//! sub-command, and the options that neither run other code nor write, read or
//! send anywhere else.

/// A command with the words that a wildcard behind it may stand for.
#[derive(Debug)]
pub struct FixedCommand {
    /// The program and its sub-command.
    pub words: &'static [&'static str],
    options: Options,
    operands: Operands,
    /// Whether files that operands name are changed.
    changes: bool,
}

/// The options that a wildcard may stand for.
#[derive(Debug)]
enum Options {
    /// Every option: none of them does more than the command without it.
    All,
    /// GNU style: clusters of letters, then long names. A letter or name with
    /// `=` takes a value.
    Listed {
        letters: &'static str,
        letters_with_value: &'static str,
        long: &'static str,
        /// `-5` is a number.
        numbers: bool,
    },
    /// Go style: long names with one or two dashes, values behind `=`.
    Go(&'static str),
}

/// The operands that a wildcard may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operands {
    /// Anything.
    Any,
    /// Names and paths that stay below the folder.
    Below,
    /// Paths that begin with `.` and stay below the folder.
    Dotted,
}

const NO_OPTIONS: Options = Options::Listed {
    letters: "",
    letters_with_value: "",
    long: "",
    numbers: false,
};

/// Options of cargo that choose what is built and how it is told.
const CARGO: Options = Options::Listed {
    letters: "vqr",
    letters_with_value: "pFjDWA",
    long: "all all-features all-targets bench= benches bin= bins check color= doc edition= \
           exact example= examples exclude= features= frozen future-incompat-report ignored \
           include-ignored jobs= keep-going lib list locked message-format= no-capture \
           no-default-features no-deps no-fail-fast no-run nocapture offline package= \
           profile= quiet release show-output skip= test= test-threads= tests verbose \
           workspace",
    numbers: false,
};

/// Flags of `go build`, `go test` and `go vet` that choose what is built and
/// run. Not: -exec, -toolexec, -vettool, -o, -C, -overlay, -modfile, -mod,
/// the compiler's and linker's flags, profiles.
const GO: Options = Options::Go(
    "bench= benchmem benchtime= count= cover covermode= cpu= failfast fullpath json list= n \
     p= parallel= race run= short shuffle= skip= tags= timeout= trimpath v x",
);

/// Options of git's commands that show. Not: --output, --ext-diff, --textconv,
/// --no-index, -O, -L.
const GIT_SHOW: Options = Options::Listed {
    letters: "abcimpqrstuwz",
    letters_with_value: "nSGUM",
    long: "abbrev abbrev= abbrev-commit after= ahead-behind all author= before= branch \
           branches cached cc check color color= committer= compact-summary cumulative \
           date= date-order decorate decorate= diff-filter= dirstat exit-code find-copies \
           find-renames first-parent follow format= full-index function-context graph grep= \
           histogram ignore-all-space ignore-blank-lines ignore-space-change ignored \
           left-right long max-count= merge-base merges minimal name-only name-status \
           no-abbrev no-color no-ext-diff no-merges no-patch no-renames no-textconv not \
           numstat oneline patch patch-with-stat patience pickaxe-all pickaxe-regex \
           porcelain porcelain= pretty= quiet raw relative remotes reverse short shortstat \
           show-stash since= skip= staged stat stat= summary tags topo-order unified= \
           until= untracked-files untracked-files= word-diff word-diff=",
    numbers: true,
};

const fn fixed(
    words: &'static [&'static str],
    options: Options,
    operands: Operands,
) -> FixedCommand {
    FixedCommand {
        words,
        options,
        operands,
        changes: false,
    }
}

const FIXED: &[FixedCommand] = &[
    fixed(&["cargo", "bench"], CARGO, Operands::Any),
    fixed(&["cargo", "build"], CARGO, Operands::Any),
    fixed(&["cargo", "check"], CARGO, Operands::Any),
    fixed(&["cargo", "clippy"], CARGO, Operands::Any),
    FixedCommand {
        changes: true,
        ..fixed(&["cargo", "fmt"], CARGO, Operands::Below)
    },
    fixed(&["cargo", "test"], CARGO, Operands::Any),
    fixed(&["go", "build"], GO, Operands::Dotted),
    fixed(&["go", "test"], GO, Operands::Dotted),
    fixed(&["go", "vet"], GO, Operands::Dotted),
    fixed(&["git", "diff"], GIT_SHOW, Operands::Below),
    fixed(&["git", "log"], GIT_SHOW, Operands::Below),
    fixed(&["git", "show"], GIT_SHOW, Operands::Below),
    fixed(&["git", "status"], GIT_SHOW, Operands::Below),
    fixed(
        &["pytest"],
        Options::Listed {
            letters: "vqsxl",
            letters_with_value: "kmnr",
            long: "co collect-only color= durations= exitfirst failed-first ff last-failed lf \
           maxfail= no-header no-summary quiet showlocals stepwise sw tb= verbose",
            numbers: false,
        },
        Operands::Below,
    ),
    fixed(&["basename"], Options::All, Operands::Any),
    fixed(&["cd"], NO_OPTIONS, Operands::Any),
    fixed(&["df"], Options::All, Operands::Any),
    fixed(&["dirname"], Options::All, Operands::Any),
    fixed(
        &["du"],
        Options::Listed {
            letters: "acdhkmsx",
            letters_with_value: "",
            long: "all apparent-size bytes human-readable max-depth= summarize total",
            numbers: false,
        },
        Operands::Any,
    ),
    fixed(&["echo"], Options::All, Operands::Any),
    fixed(&["false"], Options::All, Operands::Any),
    fixed(&["id"], Options::All, Operands::Any),
    fixed(&["ls"], Options::All, Operands::Any),
    fixed(&["nproc"], Options::All, Operands::Any),
    fixed(&["printf"], NO_OPTIONS, Operands::Any),
    fixed(&["pwd"], Options::All, Operands::Any),
    fixed(&["readlink"], Options::All, Operands::Any),
    fixed(&["realpath"], Options::All, Operands::Any),
    fixed(&["seq"], Options::All, Operands::Any),
    fixed(&["sleep"], Options::All, Operands::Any),
    fixed(&["stat"], Options::All, Operands::Any),
    fixed(
        &["test"],
        Options::Listed {
            letters: "bcdefghknprstuwxzGLNOS",
            letters_with_value: "",
            long: "",
            numbers: false,
        },
        Operands::Any,
    ),
    fixed(&["tr"], Options::All, Operands::Any),
    fixed(&["true"], Options::All, Operands::Any),
    fixed(&["uname"], Options::All, Operands::Any),
    fixed(
        &["wc"],
        Options::Listed {
            letters: "clmwL",
            letters_with_value: "",
            long: "bytes chars lines max-line-length words",
            numbers: false,
        },
        Operands::Any,
    ),
    fixed(&["which"], Options::All, Operands::Any),
    fixed(&["whoami"], Options::All, Operands::Any),
];

/// The entry whose words these words begin with. The program counts by its
/// bare name only: `./ls` is another program.
pub fn fixed_command<'w>(
    words: impl Iterator<Item = &'w str> + Clone,
) -> Option<&'static FixedCommand> {
    FIXED.iter().find(|entry| {
        let mut words = words.clone();
        entry.words.iter().all(|own| words.next() == Some(own))
    })
}

impl FixedCommand {
    /// The first word that a wildcard may not stand for. The words are those
    /// behind the sub-command, each with whether a wildcard stands for it.
    pub fn uncovered<'w>(&self, words: impl Iterator<Item = (&'w str, bool)>) -> Option<&'w str> {
        let mut value_follows = false;
        for (word, wild) in words {
            let is_value = std::mem::take(&mut value_follows);
            if !is_value {
                value_follows = self.options.take_next(word);
            }
            if wild && !is_value && !self.covers(word) {
                return Some(word);
            }
        }
        None
    }

    /// Whether files that operands name are changed, when every word is one
    /// that a wildcard may stand for.
    #[must_use]
    pub const fn changes_operands(&self) -> bool {
        self.changes
    }

    /// Whether a wildcard may stand for this word: an option that is known to
    /// be harmless, or an operand of the kind that the command takes.
    fn covers(&self, word: &str) -> bool {
        match word.strip_prefix('-') {
            Some("" | "-") => true,
            Some(option) => self.options.contain(option),
            None => self.operands.contain(word),
        }
    }
}

impl Options {
    /// Whether the word behind this one is certainly its value. Only where a
    /// value can never be left out; elsewhere what follows counts as operand.
    fn take_next(&self, word: &str) -> bool {
        match self {
            Self::Go(names) => word
                .strip_prefix("--")
                .or_else(|| word.strip_prefix('-'))
                .is_some_and(|name| {
                    names
                        .split_whitespace()
                        .any(|known| known.strip_suffix('=') == Some(name))
                }),
            Self::All | Self::Listed { .. } => false,
        }
    }

    /// `option` is the word without its first dash.
    fn contain(&self, option: &str) -> bool {
        match self {
            Self::All => true,
            Self::Go(names) => named(names, option.strip_prefix('-').unwrap_or(option)),
            Self::Listed {
                letters,
                letters_with_value,
                long,
                numbers,
            } => match option.strip_prefix('-') {
                Some(option) => named(long, option),
                None if *numbers && option.chars().all(|c| c.is_ascii_digit()) => true,
                None => {
                    for letter in option.chars() {
                        if letters_with_value.contains(letter) {
                            // The rest is its value.
                            return true;
                        }
                        if !letters.contains(letter) {
                            return false;
                        }
                    }
                    true
                }
            },
        }
    }
}

/// Whether a long option is listed, with or without its value. Shortened names
/// are not: only the program knows what they stand for.
fn named(names: &str, option: &str) -> bool {
    names
        .split_whitespace()
        .any(|known| match known.strip_suffix('=') {
            Some(known) => option
                .strip_prefix(known)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('=')),
            None => option == known,
        })
}

impl Operands {
    fn contain(self, word: &str) -> bool {
        // `@file` and `name=@file` read arguments from files.
        let below = !word.starts_with(['/', '~', '@', '\\'])
            && !word.contains("://")
            && !word.split(['/', '\\']).any(|part| part == "..");
        match self {
            Self::Any => true,
            Self::Below => below,
            Self::Dotted => below && word.starts_with('.'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(command: &str, word: &str) -> bool {
        fixed_command(command.split(' '))
            .unwrap()
            .uncovered(std::iter::once((word, true)))
            .is_none()
    }

    #[test]
    fn options_that_run_or_write_are_not_covered() {
        for (command, word) in [
            ("cargo test", "--config"),
            ("cargo test", "--config=target.x.runner='sh'"),
            ("cargo test", "--target-dir=/tmp/x"),
            ("cargo test", "--manifest-path=../evil/Cargo.toml"),
            ("cargo test", "--logfile=/home/u/.bashrc"),
            ("cargo test", "-Zunstable-options"),
            ("cargo test", "--conf"),
            ("cargo clippy", "-Clinker=./x"),
            ("cargo clippy", "--fix"),
            ("cargo fmt", "--config-path=/tmp"),
            ("go test", "-exec"),
            ("go test", "--exec=sh"),
            ("go build", "-toolexec=./x"),
            ("go build", "-o=/home/u/.bashrc"),
            ("go vet", "-vettool=./x"),
            ("go test", "-coverprofile=/x"),
            ("go test", "example.com/evil"),
            ("go test", "../evil"),
            ("git diff", "--output=/tmp/p"),
            ("git diff", "--ext-diff"),
            ("git diff", "--no-index"),
            ("git diff", "/home/u/.ssh/id_rsa"),
            ("git diff", "../../.ssh/id_rsa"),
            ("git log", "--textconv"),
            ("git log", "-Oorder"),
            ("pytest", "-p"),
            ("pytest", "-pevil"),
            ("pytest", "-c"),
            ("pytest", "-ocache_dir=/x"),
            ("pytest", "--rootdir=/tmp"),
            ("pytest", "--basetemp=/home/u"),
            ("pytest", "/tmp/evil"),
            ("pytest", "@/tmp/args"),
            ("printf", "-v"),
            ("test", "-v"),
            ("wc", "--files0-from=/etc/shadow"),
            ("du", "--exclude-from=/etc/shadow"),
            ("du", "-X/etc/shadow"),
        ] {
            assert!(!covers(command, word), "{command} {word}");
        }
    }

    #[test]
    fn everyday_options_are_covered() {
        for (command, word) in [
            ("cargo test", "--workspace"),
            ("cargo test", "-p"),
            ("cargo test", "--"),
            ("cargo test", "--nocapture"),
            ("cargo test", "my::test"),
            ("cargo clippy", "-Dwarnings"),
            ("go test", "-run=TestX"),
            ("go test", "--count=1"),
            ("go test", "./..."),
            ("git status", "--short"),
            ("git status", "-sb"),
            ("git log", "-5"),
            ("git log", "--oneline"),
            ("git diff", "HEAD~2..HEAD"),
            ("git diff", "src/a.rs"),
            ("pytest", "-xvs"),
            ("pytest", "tests/test_a.py::test_b"),
            ("pytest", "--maxfail=1"),
            ("ls", "-la"),
        ] {
            assert!(covers(command, word), "{command} {word}");
        }
    }

    #[test]
    fn values_behind_gos_flags_are_no_packages() {
        let test = fixed_command(["go", "test"].into_iter()).unwrap();
        let words = |line: &'static str| line.split(' ').map(|word| (word, true));
        assert_eq!(test.uncovered(words("-run TestX ./...")), None);
        assert_eq!(
            test.uncovered(words("-run -count evil.example/x")),
            Some("evil.example/x")
        );
        assert_eq!(
            test.uncovered(words("-v evil.example/x")),
            Some("evil.example/x")
        );
    }

    #[test]
    fn a_path_is_another_program() {
        assert!(fixed_command(["./ls"].into_iter()).is_none());
        assert!(fixed_command(["cargo", "run"].into_iter()).is_none());
        assert!(fixed_command(["cargo"].into_iter()).is_none());
    }
}
