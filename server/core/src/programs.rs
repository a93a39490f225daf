//! What is known of programs by their names, as data: what a wildcard behind a
//! name could do, and for which commands a wildcard is harmless.
//!
//! Names are never proof that something is harmless; they only say what a rule
//! could match. Unknown names are the dangerous case everywhere.

mod fixed;

pub use fixed::{FixedCommand, fixed_command};

use crate::command::SimpleCommand;

/// The last part of a program's name: `rm` for `/bin/rm` and `C:\bin\rm`.
#[must_use]
pub fn bare_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// What a wildcard behind a program's name could do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Risk {
    /// Runs the code it is given, from standard input too.
    RunsCode,
    /// Runs the program it is given.
    Launches,
    /// Fetches and runs, or installs, packages.
    RunsPackages,
    /// Runs a task that a file of the project defines.
    RunsTasks,
    /// Runs commands on another machine.
    Remote,
    /// Runs commands in a container or a virtual machine.
    Container,
    /// Starts another coding agent.
    StartsAgent,
    /// Sends or fetches over the network.
    Network,
    /// Reads any file, credentials too.
    Reads,
    /// Writes, moves or deletes any file.
    Writes,
    /// Changes infrastructure, services or accounts.
    Infrastructure,
    /// Changes version control, local and remote, and runs what it configures.
    VersionControl,
}

impl Risk {
    /// The risk in words that follow the program's name.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::RunsCode => "runs any code it is given",
            Self::Launches => "runs any program it is given",
            Self::RunsPackages => "fetches and runs packages",
            Self::RunsTasks => "runs any task that a file of the project defines",
            Self::Remote => "runs commands on other machines",
            Self::Container => "runs commands in containers and mounts what it is told to",
            Self::StartsAgent => "starts another coding agent",
            Self::Network => "sends data to any host",
            Self::Reads => "reads any file, credentials too",
            Self::Writes => "writes or deletes files outside the workspace",
            Self::Infrastructure => "publishes, or changes services and infrastructure",
            Self::VersionControl => {
                "changes history and remotes, and runs what its configuration names"
            }
        }
    }
}

/// Programs by what a wildcard behind them could do. Names without version:
/// `python3.12` is looked up as `python` too.
const RISKS: &[(Risk, &[&str])] = &[
    (
        Risk::RunsCode,
        &[
            "ash",
            "awk",
            "bash",
            "bun",
            "clojure",
            "cmd",
            "csh",
            "dash",
            "deno",
            "elixir",
            "erl",
            "ex",
            "ed",
            "expect",
            "fish",
            "gawk",
            "gdb",
            "ghci",
            "groovy",
            "guile",
            "iex",
            "irb",
            "jshell",
            "julia",
            "ksh",
            "lldb",
            "lua",
            "luajit",
            "m4",
            "mawk",
            "mksh",
            "mongosh",
            "mysql",
            "nawk",
            "nft",
            "node",
            "nodejs",
            "nu",
            "ocaml",
            "octave",
            "osascript",
            "perl",
            "php",
            "posh",
            "powershell",
            "psql",
            "pwsh",
            "pypy",
            "python",
            "r",
            "racket",
            "raku",
            "rbash",
            "ruby",
            "rscript",
            "runghc",
            "sbcl",
            "scala",
            "scheme",
            "sh",
            "sqlite",
            "swift",
            "tclsh",
            "tcsh",
            "ts-node",
            "tsx",
            "wish",
            "xonsh",
            "yash",
            "zsh",
            "at",
            "batch",
            "bc",
            "crontab",
            "source",
            ".",
            "eval",
            "trap",
            "sed",
            "gsed",
            "dc",
            "jq",
            "vim",
            "vi",
            "nvim",
            "emacs",
            "nano",
            "helix",
            "hx",
        ],
    ),
    (
        Risk::Launches,
        &[
            "busybox",
            "toybox",
            "builtin",
            "chroot",
            "chrt",
            "command",
            "coproc",
            "dbus-run-session",
            "doas",
            "entr",
            "env",
            "exec",
            "faketime",
            "fakeroot",
            "fd",
            "fdfind",
            "find",
            "firejail",
            "flock",
            "gosu",
            "hyperfine",
            "ionice",
            "ltrace",
            "nice",
            "nohup",
            "noglob",
            "nsenter",
            "parallel",
            "pkexec",
            "proot",
            "prlimit",
            "run0",
            "runuser",
            "screen",
            "script",
            "setarch",
            "setpriv",
            "setsid",
            "setpgid",
            "start-stop-daemon",
            "stdbuf",
            "strace",
            "su",
            "su-exec",
            "sudo",
            "systemd-run",
            "taskset",
            "time",
            "timeout",
            "tini",
            "tmux",
            "torsocks",
            "unbuffer",
            "unshare",
            "valgrind",
            "watch",
            "watchexec",
            "xargs",
            "xdg-open",
            "xvfb-run",
            "open",
            "start",
            "dotenv",
            "direnv",
            "chpst",
            "caffeinate",
            "arch",
            "ld.so",
            "ld-linux-x86-64.so",
            "perf",
            "rlwrap",
            "man",
            "less",
            "more",
            "xdotool",
            "enable",
            "alias",
            "bind",
            "complete",
        ],
    ),
    (
        Risk::RunsPackages,
        &[
            "apk",
            "apt",
            "apt-get",
            "aptitude",
            "brew",
            "bundle",
            "bunx",
            "cabal",
            "cargo",
            "choco",
            "composer",
            "conda",
            "corepack",
            "dlx",
            "dnf",
            "dpkg",
            "easy_install",
            "flatpak",
            "gem",
            "go",
            "helm",
            "luarocks",
            "mamba",
            "micromamba",
            "nix",
            "nix-env",
            "nix-shell",
            "npm",
            "npx",
            "opam",
            "pacman",
            "pdm",
            "pip",
            "pipenv",
            "pipx",
            "pkg",
            "pnpm",
            "pnpx",
            "poetry",
            "port",
            "pub",
            "dart",
            "flutter",
            "rustup",
            "snap",
            "stack",
            "uv",
            "uvx",
            "winget",
            "yarn",
            "yum",
            "zypper",
            "hatch",
            "tox",
            "nox",
            "asdf",
            "mise",
            "volta",
            "fnm",
            "nvm",
            "devbox",
            "rye",
            "pixi",
            "dotnet",
            "mix",
            "rebar",
        ],
    ),
    (
        Risk::RunsTasks,
        &[
            "ant",
            "bazel",
            "bazelisk",
            "buck",
            "cmake",
            "ctest",
            "gmake",
            "gradle",
            "gradlew",
            "gulp",
            "grunt",
            "invoke",
            "jest",
            "just",
            "lerna",
            "make",
            "mage",
            "meson",
            "mocha",
            "mvn",
            "mvnw",
            "ninja",
            "nx",
            "pre-commit",
            "pytest",
            "rake",
            "sbt",
            "scons",
            "task",
            "tsc",
            "turbo",
            "vite",
            "vitest",
            "webpack",
            "eslint",
            "prettier",
            "rollup",
            "playwright",
            "cypress",
            "rspec",
            "phpunit",
            "lefthook",
            "husky",
            "act",
            "xcodebuild",
        ],
    ),
    (
        Risk::Remote,
        &[
            "ansible",
            "ansible-playbook",
            "mosh",
            "rsh",
            "rlogin",
            "telnet",
            "ssh",
            "sshpass",
            "autossh",
            "pssh",
            "plink",
            "fab",
            "cap",
            "salt",
        ],
    ),
    (
        Risk::Container,
        &[
            "buildah",
            "containerd",
            "crictl",
            "ctr",
            "docker",
            "docker-compose",
            "docker-machine",
            "lima",
            "limactl",
            "lxc",
            "lxd",
            "multipass",
            "nerdctl",
            "podman",
            "podman-compose",
            "qemu",
            "runc",
            "singularity",
            "apptainer",
            "skopeo",
            "systemd-nspawn",
            "vagrant",
            "virsh",
            "wsl",
            "colima",
            "devcontainer",
            "distrobox",
            "toolbox",
        ],
    ),
    (
        Risk::StartsAgent,
        &[
            "aider",
            "amp",
            "auggie",
            "claude",
            "cline",
            "codex",
            "copilot",
            "crush",
            "cursor",
            "cursor-agent",
            "droid",
            "gemini",
            "goose",
            "kilocode",
            "kiro",
            "llm",
            "opencode",
            "openhands",
            "q",
            "qwen",
            "qwen-code",
            "roo",
            "zed",
            "code",
            "aichat",
            "continue",
            "windsurf",
        ],
    ),
    (
        Risk::Network,
        &[
            "aria2c",
            "axel",
            "curl",
            "curlie",
            "dig",
            "fetch",
            "ftp",
            "host",
            "http",
            "https",
            "httpie",
            "iperf",
            "lftp",
            "lynx",
            "mail",
            "mailx",
            "mutt",
            "nc",
            "ncat",
            "netcat",
            "nmap",
            "nslookup",
            "openssl",
            "ping",
            "ping6",
            "rclone",
            "rsync",
            "scp",
            "sendmail",
            "sftp",
            "socat",
            "tftp",
            "traceroute",
            "w3m",
            "wget",
            "wget2",
            "whois",
            "websocat",
            "xh",
            "grpcurl",
            "ngrok",
            "cloudflared",
            "smbclient",
            "magic-wormhole",
            "wormhole",
            "croc",
            "drill",
            "ldapsearch",
            "redis-cli",
            "mosquitto_pub",
        ],
    ),
    (
        Risk::Infrastructure,
        &[
            "aws",
            "az",
            "cdk",
            "certbot",
            "consul",
            "doctl",
            "eksctl",
            "fastlane",
            "firebase",
            "fly",
            "flyctl",
            "gcloud",
            "gh",
            "glab",
            "gsutil",
            "heroku",
            "hub",
            "k3s",
            "k9s",
            "kind",
            "kubectl",
            "kustomize",
            "minikube",
            "netlify",
            "nomad",
            "oc",
            "packer",
            "pulumi",
            "railway",
            "render",
            "serverless",
            "sls",
            "sam",
            "skaffold",
            "stripe",
            "supabase",
            "terraform",
            "tofu",
            "terragrunt",
            "twine",
            "vault",
            "vercel",
            "wrangler",
            "systemctl",
            "service",
            "launchctl",
            "loginctl",
            "journalctl",
            "iptables",
            "ufw",
            "ip",
            "ifconfig",
            "mount",
            "umount",
            "useradd",
            "usermod",
            "userdel",
            "passwd",
            "chsh",
            "visudo",
            "sysctl",
            "modprobe",
            "insmod",
            "reboot",
            "shutdown",
            "poweroff",
            "halt",
            "init",
            "kill",
            "killall",
            "pkill",
            "xkill",
            "mkfs",
            "fdisk",
            "parted",
            "argocd",
            "flux",
            "istioctl",
            "op",
            "bw",
            "pass",
            "gpg",
            "security",
            "age",
            "sops",
            "redis-server",
            "mongod",
            "dropdb",
            "createdb",
            "pg_restore",
            "defaults",
            "countersign",
        ],
    ),
    (
        Risk::VersionControl,
        &[
            "bzr", "cvs", "darcs", "fossil", "git", "hg", "jj", "pijul", "repo", "sl", "svn",
            "gitk", "tig", "lazygit", "gt",
        ],
    ),
    (
        Risk::Reads,
        &[
            "ack",
            "ag",
            "base32",
            "base64",
            "bat",
            "batcat",
            "cat",
            "cmp",
            "column",
            "comm",
            "cut",
            "diff",
            "egrep",
            "expand",
            "fgrep",
            "file",
            "fmt",
            "fold",
            "grep",
            "head",
            "hexdump",
            "hexyl",
            "join",
            "look",
            "md5sum",
            "nl",
            "od",
            "paste",
            "pr",
            "rev",
            "rg",
            "ripgrep",
            "sha1sum",
            "sha224sum",
            "sha256sum",
            "sha384sum",
            "sha512sum",
            "shuf",
            "sort",
            "strings",
            "tac",
            "tail",
            "tokei",
            "uniq",
            "xxd",
            "yq",
            "zcat",
            "zgrep",
            "bzcat",
            "xzcat",
            "printenv",
            "cksum",
            "b2sum",
            "sum",
            "iconv",
            "jless",
            "fx",
            "delta",
            "difft",
            "glow",
            "cloc",
            "gron",
            "xmllint",
        ],
    ),
    (
        Risk::Writes,
        &[
            "ar",
            "bunzip2",
            "bzip2",
            "chattr",
            "chgrp",
            "chmod",
            "chown",
            "cp",
            "cpio",
            "csplit",
            "dd",
            "ditto",
            "fallocate",
            "gunzip",
            "gzip",
            "install",
            "ln",
            "mkdir",
            "mkfifo",
            "mknod",
            "mktemp",
            "mv",
            "7z",
            "7za",
            "patch",
            "pax",
            "rename",
            "rm",
            "rmdir",
            "setfacl",
            "shred",
            "split",
            "srm",
            "tar",
            "bsdtar",
            "gtar",
            "tee",
            "touch",
            "trash",
            "truncate",
            "unlink",
            "unxz",
            "unzip",
            "xz",
            "zip",
            "zstd",
            "gcc",
            "cc",
            "c++",
            "clang",
            "g++",
            "ld",
            "as",
            "javac",
            "rustc",
            "rustfmt",
            "gofmt",
            "black",
            "ruff",
            "isort",
            "mypy",
            "clang-format",
            "convert",
            "magick",
            "ffmpeg",
            "pandoc",
            "protoc",
            "objcopy",
            "strip",
            "sponge",
            "dos2unix",
            "unix2dos",
            "sd",
            "tree",
        ],
    ),
];

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

/// The name without what looks like a version: `python` for `python3.12`.
fn without_version(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'))
}

/// What a wildcard behind this program could do, if the tables know it.
#[must_use]
pub fn risk(name: &str) -> Option<Risk> {
    let name = table_name(name);
    let find = |wanted: &str| {
        RISKS
            .iter()
            .find(|(_, names)| names.contains(&wanted))
            .map(|(risk, _)| *risk)
    };
    find(&name).or_else(|| find(without_version(&name)))
}

/// Every program of the tables with its risk.
pub fn all_risks() -> impl Iterator<Item = (Risk, &'static str)> {
    RISKS
        .iter()
        .flat_map(|(risk, names)| names.iter().map(|name| (*risk, *name)))
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
