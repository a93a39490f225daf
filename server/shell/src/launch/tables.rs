//! Launchers as data: names, options, where the command starts.
//!
//! Options that make a launcher do something else than running the command
//! (a log file, a shell, another root) are left out on purpose: with them it
//! is not understood.

use countersign_core::command::Word;

use super::options::Spec;

/// Launchers whose command follows their options and operands.
const SPECS: &[Spec] = &[
    // Only change how the command runs.
    Spec {
        names: &["timeout", "gtimeout"],
        is_transparent: true,
        flags: "vfp",
        values: "ks",
        long_flags: &["preserve-status", "foreground", "verbose"],
        long_values: &["kill-after", "signal"],
        operands: 1,
        ..Spec::NONE
    },
    Spec {
        names: &["nice"],
        is_transparent: true,
        values: "n",
        long_values: &["adjustment"],
        takes_numbers: true,
        ..Spec::NONE
    },
    Spec {
        names: &["nohup"],
        is_transparent: true,
        ..Spec::NONE
    },
    Spec {
        names: &["time", "gtime"],
        is_transparent: true,
        flags: "pvq",
        values: "f",
        long_flags: &["portability", "verbose", "quiet"],
        long_values: &["format"],
        ..Spec::NONE
    },
    Spec {
        names: &["stdbuf", "gstdbuf"],
        is_transparent: true,
        values: "ioe",
        long_values: &["input", "output", "error"],
        ..Spec::NONE
    },
    // Change who runs it, where, or with what rights.
    Spec {
        names: &["sudo"],
        flags: "AbBEHknNPS",
        values: "CDghpRrTtuU",
        long_flags: &[
            "askpass",
            "background",
            "bell",
            "preserve-env",
            "set-home",
            "reset-timestamp",
            "non-interactive",
            "no-update",
            "preserve-groups",
            "stdin",
        ],
        long_values: &[
            "close-from",
            "chdir",
            "group",
            "host",
            "prompt",
            "chroot",
            "role",
            "command-timeout",
            "type",
            "user",
            "other-user",
        ],
        ..Spec::NONE
    },
    Spec {
        names: &["doas"],
        flags: "nL",
        values: "uCa",
        ..Spec::NONE
    },
    Spec {
        names: &["setsid"],
        flags: "cfw",
        long_flags: &["ctty", "fork", "wait"],
        ..Spec::NONE
    },
    Spec {
        names: &["ionice"],
        flags: "t",
        values: "cn",
        long_flags: &["ignore"],
        long_values: &["class", "classdata"],
        ..Spec::NONE
    },
    Spec {
        names: &["chrt"],
        flags: "bdfiorRavG",
        values: "TPD",
        long_flags: &[
            "batch",
            "deadline",
            "fifo",
            "idle",
            "other",
            "rr",
            "reset-on-fork",
            "all-tasks",
            "verbose",
        ],
        long_values: &["sched-runtime", "sched-period", "sched-deadline"],
        operands: 1,
        ..Spec::NONE
    },
    Spec {
        names: &["taskset"],
        flags: "ac",
        long_flags: &["all-tasks", "cpu-list"],
        operands: 1,
        ..Spec::NONE
    },
    Spec {
        names: &["chroot"],
        long_flags: &["skip-chdir"],
        long_values: &["groups", "userspec"],
        operands: 1,
        ..Spec::NONE
    },
    Spec {
        names: &["unshare"],
        flags: "muinpUCTfrc",
        values: "RwSG",
        long_flags: &[
            "mount",
            "uts",
            "ipc",
            "net",
            "pid",
            "user",
            "cgroup",
            "time",
            "fork",
            "map-root-user",
            "map-current-user",
            "mount-proc",
            "keep-caps",
            "kill-child",
        ],
        long_values: &["root", "wd", "setuid", "setgid", "propagation", "setgroups"],
        ..Spec::NONE
    },
    Spec {
        names: &["nsenter"],
        flags: "aF",
        values: "tSG",
        attached: "muinpUCTrw",
        long_flags: &[
            "all",
            "mount",
            "uts",
            "ipc",
            "net",
            "pid",
            "user",
            "cgroup",
            "time",
            "root",
            "wd",
            "no-fork",
            "preserve-credentials",
        ],
        long_values: &["target", "setuid", "setgid"],
        ..Spec::NONE
    },
    Spec {
        names: &["strace"],
        flags: "cCdDfFhikqnrtTvVwxyYzZ",
        values: "abeEIPsSuUX",
        ..Spec::NONE
    },
    Spec {
        names: &["ltrace"],
        flags: "cCfhiLrStTV",
        values: "aADelnsuwx",
        ..Spec::NONE
    },
    Spec {
        names: &["busybox", "toybox"],
        ..Spec::NONE
    },
    Spec {
        names: &["exec"],
        flags: "cl",
        values: "a",
        ..Spec::NONE
    },
    Spec {
        names: &["builtin", "noglob", "nocorrect", "repeat"],
        ..Spec::NONE
    },
    Spec {
        names: &[
            "xvfb-run",
            "dbus-run-session",
            "fakeroot",
            "torsocks",
            "torify",
            "unbuffer",
        ],
        ..Spec::NONE
    },
    Spec {
        names: &["caffeinate"],
        flags: "dimsu",
        values: "tw",
        ..Spec::NONE
    },
];

/// Sub-commands that run the words after them.
const RUNNERS: &[(&str, &[&str])] = &[
    ("bundle", &["exec"]),
    ("conda", &["run"]),
    ("git", &["bisect", "run"]),
    ("hatch", &["run"]),
    ("mise", &["exec"]),
    ("mise", &["x"]),
    ("npm", &["exec"]),
    ("npm", &["x"]),
    ("pdm", &["run"]),
    ("perf", &["record"]),
    ("perf", &["stat"]),
    ("pipenv", &["run"]),
    ("pixi", &["run"]),
    ("pnpm", &["exec"]),
    ("poetry", &["run"]),
    ("rye", &["run"]),
    ("uv", &["run"]),
    ("yarn", &["exec"]),
];

/// Launchers in whose words the command may be anywhere, or whose words are
/// texts for a shell in ways not modelled here.
pub(super) const OPAQUE: &[&str] = &[
    "alacritty",
    "arch",
    "at",
    "batch",
    "bwrap",
    "capsh",
    "cargo-watch",
    "catchsegv",
    "cgexec",
    "choom",
    "chpst",
    "concurrently",
    "cpulimit",
    "direnv",
    "entr",
    "expect",
    "faketime",
    "firejail",
    "foot",
    "gdb",
    "gnome-terminal",
    "hyperfine",
    "kitty",
    "konsole",
    "linux32",
    "linux64",
    "lldb",
    "lxc",
    "machinectl",
    "newgrp",
    "nix",
    "nix-shell",
    "nodemon",
    "numactl",
    "osascript",
    "pkexec",
    "prlimit",
    "proot",
    "proxychains",
    "proxychains4",
    "rlwrap",
    "run0",
    "runcon",
    "sandbox-exec",
    "screen",
    "setarch",
    "setpriv",
    "sg",
    "socat",
    "softlimit",
    "sshpass",
    "start-stop-daemon",
    "systemd-run",
    "tmux",
    "tsocks",
    "valgrind",
    "vagrant",
    "watchexec",
    "wsl",
    "x-terminal-emulator",
    "xterm",
    "zellij",
];

/// Shells with another language.
pub(super) const FOREIGN_SHELLS: &[&str] = &[
    "cmd",
    "csh",
    "elvish",
    "fish",
    "nu",
    "powershell",
    "pwsh",
    "tcsh",
    "xonsh",
];

/// Whether a program is the dynamic loader, which runs the program that a word
/// names.
pub(super) fn is_loader(name: &str) -> bool {
    ["ld.so", "ld-linux", "ld-musl", "ld64.so"]
        .iter()
        .any(|loader| name.starts_with(loader))
}

/// The options of a launcher.
pub(super) fn spec(name: &str) -> Option<&'static Spec> {
    SPECS.iter().find(|spec| spec.names.contains(&name))
}

/// Where the command of a sub-command that runs one starts.
pub(super) fn runner(name: &str, words: &[Word]) -> Option<usize> {
    RUNNERS
        .iter()
        .filter(|(program, _)| *program == name)
        .map(|(_, sub_command)| sub_command)
        .find(|sub_command| {
            let given = words.iter().skip(1).map(|word| word.literal());
            sub_command
                .iter()
                .copied()
                .map(Some)
                .eq(given.take(sub_command.len()))
        })
        .map(|sub_command| sub_command.len() + 1)
}
