//! What the chain above a process says about agents.

use std::path::Path;

use countersign_core::own::{HOOK_PROGRAM, PROGRAM};
use countersign_core::state::ProcessId;

use crate::detached::is_detached;
use crate::known::{KnownAgent, agent_of, base_name};
use crate::process::{Chain, ChainEnd, Process, Unavailable};
use crate::procfs::ProcessTable;

/// Programs that only start another one: no session belongs to them.
const WRAPPERS: &[&str] = &[
    "sh",
    "ash",
    "bash",
    "csh",
    "dash",
    "elvish",
    "fish",
    "ksh",
    "mksh",
    "nu",
    "rbash",
    "tcsh",
    "xonsh",
    "zsh",
    "busybox",
    "toybox",
    "chrt",
    PROGRAM,
    HOOK_PROGRAM,
    "doas",
    "env",
    "ionice",
    "nice",
    "nohup",
    "runuser",
    "setpriv",
    "setsid",
    "stdbuf",
    "su",
    "sudo",
    "taskset",
    "time",
    "timeout",
    "unbuffer",
    "xargs",
];

/// Whether this process runs under an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ancestry {
    /// The nearest agent above this process.
    pub agent: Option<(KnownAgent, ProcessId)>,
    /// Whether it was sent to the background away from whoever started it, or
    /// may have been, so that the chain does not show that.
    pub detached: bool,
    /// This process and everything above it.
    pub chain: Chain,
}

impl Ancestry {
    pub(crate) fn of(chain: Chain) -> Self {
        let agent = chain
            .processes
            .iter()
            .skip(1)
            .find_map(|process| Some((agent_of(process)?, process.id.clone())));
        let detached = is_detached(&chain, is_wrapper);
        Self {
            agent,
            detached,
            chain,
        }
    }

    /// Whether an agent may have started this process: there is one above it,
    /// or not everything above it can be seen. What only a person may do is
    /// refused then.
    #[must_use]
    pub fn may_be_under_agent(&self) -> bool {
        self.agent.is_some() || self.detached || self.chain.end != ChainEnd::Complete
    }

    /// Why it may be an agent that started this process, if one may have: a
    /// clause for people.
    #[must_use]
    pub fn doubt(&self) -> Option<String> {
        if let Some((agent, process)) = &self.agent {
            return Some(format!(
                "{} (process {}) started it",
                agent.name(),
                process.pid
            ));
        }
        if self.detached {
            return Some(
                "it was started in the background or as a container's first program, so that \
                 nothing shows who started it (run it from a shell)"
                    .to_owned(),
            );
        }
        self.may_be_under_agent()
            .then(|| "not everything above this process can be seen".to_owned())
    }
}

/// The process of this pid and everything above it, at most 64 processes.
#[must_use]
pub fn ancestors(pid: u32) -> Chain {
    ProcessTable::system().map_or_else(
        |_| Chain {
            processes: Vec::new(),
            end: ChainEnd::Unknown,
        },
        |table| table.ancestors(pid),
    )
}

/// Whether this process runs under an agent, itself not counted.
#[must_use]
pub fn under_agent() -> Ancestry {
    Ancestry::of(ancestors(std::process::id()))
}

/// The process that a hook speaks for: the nearest ancestor that does more
/// than start another one. For a hook that an agent runs, that is the agent,
/// under whatever name it is installed.
///
/// Not simply the agent that is recognised somewhere above: a program that the
/// agent was allowed to run has it above itself too, and must not be able to
/// report results or messages in its name. (An agent's shell tool that runs
/// the hook looks the same as the agent; such a command is blocked before it
/// runs.)
#[must_use]
pub fn caller() -> Option<ProcessId> {
    speaker_of(std::process::id())
}

/// The process that a hook of this pid speaks for.
pub(crate) fn speaker_of(pid: u32) -> Option<ProcessId> {
    let table = ProcessTable::system().ok()?;
    speaker(&table.ancestors_until(pid, speaks))
}

/// The process of this pid, and the process that it would speak for as a hook.
pub(crate) fn peer_and_speaker(pid: u32) -> Option<(Process, Option<ProcessId>)> {
    let table = ProcessTable::system().ok()?;
    let mut chain = table.ancestors_until(pid, speaks);
    let speaker = speaker(&chain);
    if chain.processes.is_empty() {
        return None;
    }
    Some((chain.processes.swap_remove(0), speaker))
}

/// Whether exactly this process still runs; `false` where that cannot be told.
#[must_use]
pub fn alive(process: &ProcessId) -> bool {
    ProcessTable::system().is_ok_and(|table| table.alive(process))
}

/// Whether this process descends from exactly that one; `false` where that
/// cannot be told.
#[must_use]
pub fn is_ancestor(process: &ProcessId) -> bool {
    ancestors(std::process::id())
        .processes
        .iter()
        .skip(1)
        .any(|ancestor| ancestor.id == *process)
}

/// Which boot of the machine this is.
///
/// # Errors
/// When processes cannot be read here.
pub fn boot_id() -> Result<String, Unavailable> {
    Ok(ProcessTable::system()?.boot().to_owned())
}

fn speaker(chain: &Chain) -> Option<ProcessId> {
    chain
        .processes
        .iter()
        .skip(1)
        .find(|process| speaks(process))
        // The first process speaks for nobody, unless a container runs an agent
        // as its first.
        .filter(|process| process.id.pid != 1 || agent_of(process).is_some())
        .map(|process| process.id.clone())
}

fn speaks(process: &Process) -> bool {
    !is_wrapper(process) || agent_of(process).is_some()
}

/// Whether the process only starts another one. Its executable decides where
/// it can be seen: a name is the process's own word.
pub(crate) fn is_wrapper(process: &Process) -> bool {
    let name = match &process.exe {
        Some(exe) => base_name(exe),
        None => process
            .argv
            .first()
            .and_then(|name| base_name(Path::new(name.strip_prefix('-').unwrap_or(name)))),
    };
    name.is_some_and(|name| WRAPPERS.contains(&name)) && !runs_script(&process.argv)
}

/// Whether these are the arguments of a shell that runs a script file, which is
/// a program of its own: agents start hooks with `-c`. Of other programs in the
/// list the operand is what they start, and says nothing.
fn runs_script(argv: &[String]) -> bool {
    let mut words = argv.iter();
    let shell = words
        .next()
        .and_then(|name| base_name(Path::new(name.strip_prefix('-').unwrap_or(name))));
    if !shell.is_some_and(|shell| SHELLS.contains(&shell)) {
        return false;
    }
    while let Some(word) = words.next() {
        if word == "--" {
            return words.next().is_some();
        }
        let Some(option) = word.strip_prefix(['-', '+']) else {
            return true;
        };
        if option.starts_with('-') {
            continue;
        }
        if option.contains('c') {
            return false;
        }
        if option.ends_with(['o', 'O']) {
            words.next();
        }
    }
    false
}

/// Shells among the wrappers.
const SHELLS: &[&str] = &[
    "sh", "ash", "bash", "csh", "dash", "elvish", "fish", "ksh", "mksh", "nu", "rbash", "tcsh",
    "xonsh", "zsh",
];

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::fake::{Fake, desktop};

    #[test]
    fn a_chain_goes_up_to_init_and_names_every_process() {
        let fake = desktop()
            .with(3, 2, "claude", "/opt/claude", "claude")
            .with(4, 3, "a) R 9 (b", "/usr/bin/dash", "sh -c hook");
        let chain = fake.chain(4);
        assert_eq!(chain.end, ChainEnd::Complete);
        let pids: Vec<u32> = chain.processes.iter().map(|one| one.id.pid).collect();
        assert_eq!(pids, [4, 3, 2, 90, 1]);
        let own = &chain.processes[0];
        assert_eq!(own.name, "a) R 9 (b");
        assert_eq!(own.argv, ["sh", "-c", "hook"]);
        assert_eq!((own.parent, own.session), (3, 2));
        assert_eq!(own.id.boot, "boot-1");
    }

    #[test]
    fn a_persons_terminal_is_not_under_an_agent() {
        let fake = desktop().with(3, 2, "countersign", "/bin/countersign", "countersign trust");
        let ancestry = Ancestry::of(fake.chain(3));
        assert_eq!(ancestry.agent, None);
        assert!(!ancestry.may_be_under_agent());
    }

    #[test]
    fn the_nearest_agent_counts() {
        let fake = desktop()
            .with(3, 2, "claude", "/opt/claude", "claude")
            .with(4, 3, "codex", "/opt/codex", "codex")
            .with(5, 4, "sh", "/usr/bin/dash", "sh")
            .with(6, 5, "countersign", "/bin/countersign", "countersign trust");
        let ancestry = Ancestry::of(fake.chain(6));
        let (agent, process) = ancestry.agent.clone().unwrap();
        assert_eq!((agent.name(), process.pid), ("codex", 4));
        assert!(ancestry.may_be_under_agent());
        assert_eq!(speaker(&fake.chain(6)).unwrap().pid, 4);
    }

    /// A test binary, a script's interpreter: what an agent runs does not speak
    /// for it.
    #[test]
    fn a_program_of_an_agent_does_not_speak_for_it() {
        let fake = desktop()
            .with(3, 2, "claude", "/opt/claude", "claude")
            .with(4, 3, "sh", "/usr/bin/dash", "sh -c tests")
            .with(5, 4, "tests", "/work/target/debug/tests", "tests")
            .with(6, 5, "sh", "/usr/bin/dash", "sh -c hook")
            .with(7, 6, "countersign", "/bin/countersign", "countersign hook");
        assert_eq!(speaker(&fake.chain(7)).unwrap().pid, 5);
    }

    /// A script that the agent was allowed to run is a program of its own, and
    /// not the agent.
    #[test]
    fn a_script_of_a_shell_speaks_for_itself() {
        for (argv, speaker_pid) in [
            ("sh ./script.sh", 4),
            ("/bin/sh -e -u ./script.sh arg", 4),
            ("bash -o pipefail script", 4),
            ("bash -- script", 4),
            ("sh -c hook", 3),
            ("bash -lc hook", 3),
            ("bash -eo pipefail -c hook", 3),
            ("bash --norc -c hook", 3),
        ] {
            let fake = desktop()
                .with(3, 2, "claude", "/opt/claude", "claude")
                .with(4, 3, "sh", "/usr/bin/dash", argv)
                .with(5, 4, "countersign", "/bin/countersign", "countersign hook");
            assert_eq!(speaker(&fake.chain(5)).unwrap().pid, speaker_pid, "{argv}");
        }
    }

    #[test]
    fn a_command_named_like_an_agent_is_not_under_itself() {
        let fake = desktop().with(3, 2, "claude", "/bin/countersign", "claude trust");
        assert_eq!(Ancestry::of(fake.chain(3)).agent, None);
    }

    #[test]
    fn leaving_the_session_looks_like_an_agents_doing() {
        // The process is in the session of process 2, which is not above it.
        let fake = desktop().with(3, 1, "countersign", "/bin/countersign", "countersign trust");
        let ancestry = Ancestry::of(fake.chain(3));
        assert!(ancestry.detached && ancestry.may_be_under_agent());
    }

    #[test]
    fn what_cannot_be_seen_may_be_an_agent() {
        let hidden = Fake::new()
            .with(2, 9, "bash", "/usr/bin/bash", "bash")
            .with(3, 2, "countersign", "/bin/countersign", "countersign");
        let chain = hidden.chain(3);
        assert_eq!(chain.end, ChainEnd::Hidden);
        assert!(Ancestry::of(chain).may_be_under_agent());

        let foreign = desktop();
        let own = foreign.0.path().join(std::process::id().to_string());
        fs::remove_file(own.join("ns/user")).unwrap();
        symlink("user:[4026532000]", own.join("ns/user")).unwrap();
        let chain = foreign.chain(2);
        assert_eq!(chain.end, ChainEnd::Namespace);
        assert!(Ancestry::of(chain).may_be_under_agent());

        let nothing = Chain {
            processes: Vec::new(),
            end: ChainEnd::Unknown,
        };
        assert!(Ancestry::of(nothing).may_be_under_agent());
    }

    #[test]
    fn a_parent_that_is_younger_than_its_child_is_not_believed() {
        let fake = desktop()
            .with_start(3, 1, "claude", "/opt/claude", "claude", 900)
            .with(4, 3, "sh", "/usr/bin/dash", "sh");
        let chain = fake.chain(4);
        assert_eq!((chain.processes.len(), chain.end), (1, ChainEnd::Hidden));
    }

    #[test]
    fn a_loop_or_an_endless_chain_ends() {
        let looped = Fake::new()
            .with_start(3, 4, "a", "/a", "a", 5)
            .with_start(4, 3, "b", "/b", "b", 5);
        let chain = looped.chain(3);
        assert_eq!((chain.processes.len(), chain.end), (64, ChainEnd::TooDeep));
    }

    #[test]
    fn an_unknown_agent_opens_its_sessions_through_any_wrapper() {
        let fake = desktop()
            .with(3, 2, "newagent", "/opt/newagent", "newagent")
            .with(4, 3, "sh", "/usr/bin/dash", "sh -c hook")
            .with(5, 4, "timeout", "/usr/bin/timeout", "timeout 5 hook")
            .with(6, 5, "countersign", "/bin/countersign", "countersign hook");
        assert_eq!(speaker(&fake.chain(6)).unwrap().pid, 3);
    }

    #[test]
    fn where_there_are_only_shells_nobody_opened_the_session() {
        let fake = Fake::new()
            .with(1, 0, "systemd", "/usr/lib/systemd/systemd", "/sbin/init")
            .with(2, 1, "bash", "/usr/bin/bash", "-bash")
            .with(3, 2, "countersign", "/bin/countersign", "countersign hook");
        assert_eq!(speaker(&fake.chain(3)), None);
    }

    #[test]
    fn a_program_is_not_a_wrapper_because_it_says_so() {
        let fake = desktop().with(3, 2, "sh", "/opt/newagent", "sh").with(
            4,
            3,
            "countersign",
            "/bin/countersign",
            "countersign hook",
        );
        assert_eq!(speaker(&fake.chain(4)).unwrap().pid, 3);
    }

    #[test]
    fn a_process_lives_only_as_itself() {
        let fake = desktop();
        let table = fake.table();
        let shell = table.ancestors(2).processes[0].id.clone();
        assert!(table.alive(&shell));
        let later = ProcessId {
            start: shell.start + 1,
            ..shell.clone()
        };
        let before_the_boot = ProcessId {
            boot: "boot-0".to_owned(),
            ..shell.clone()
        };
        assert!(!table.alive(&later) && !table.alive(&before_the_boot));
        let stat = fake.0.path().join("2/stat");
        let text = fs::read_to_string(&stat).unwrap().replace(") S ", ") Z ");
        fs::write(&stat, text).unwrap();
        assert!(!table.alive(&shell), "a zombie does not run");
    }

    #[test]
    fn a_link_in_place_of_a_file_is_not_followed() {
        let fake = desktop().with(3, 2, "claude", "/opt/claude", "claude");
        let stat = fake.0.path().join("3/stat");
        fs::rename(&stat, fake.0.path().join("elsewhere")).unwrap();
        symlink(fake.0.path().join("elsewhere"), &stat).unwrap();
        assert_eq!(fake.chain(3).end, ChainEnd::Hidden);
    }
}
