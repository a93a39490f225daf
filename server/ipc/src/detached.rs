//! Whether a process was sent away from whatever started it, so that the chain
//! above it does not show who that was: `setsid -f` is all an agent needs for
//! a process that has nothing but the first one above it.
//!
//! Not everything can be told: a program that poses as a terminal, a
//! `tmux` of the agent's own and a login over the network look like a person's.

use std::path::Path;

use crate::known::base_name;
use crate::process::{Chain, Process};

/// Programs besides the first process that take over processes whose parent
/// ended.
const REAPERS: &[&str] = &[
    "catatonit",
    "dinit",
    "docker-init",
    "dumb-init",
    "lxqt-session",
    "runsv",
    "runsvdir",
    "s6-supervise",
    "s6-svscan",
    "systemd",
    "tini",
];

/// Programs that start commands for somebody who left them there.
const SCHEDULERS: &[&str] = &[
    "anacron", "at", "atd", "batch", "cron", "crond", "dcron", "fcron", "incrond",
];

/// Programs besides wrappers that nobody has as the first of a session.
const GO_BETWEENS: &[&str] = &["daemonize", "expect", "nsenter", "script", "unshare"];

/// Whether the first process of the chain was detached, or may have been:
///
/// - the leader of its session is not above it, or
/// - it, or that leader, has a parent that takes over orphans (a terminal, an
///   editor, `sshd` and `login` stay above the shells that they start), or
/// - further up stands an orphan that only starts other programs, or
/// - a scheduler started it.
pub(crate) fn is_detached(chain: &Chain, is_wrapper: impl Fn(&Process) -> bool) -> bool {
    let Some(own) = chain.processes.first() else {
        return true;
    };
    // 0 is a leader outside of this pid namespace (`docker exec`).
    let has_leader = own.session == 0
        || chain
            .processes
            .iter()
            .any(|process| process.id.pid == own.session);
    if !has_leader {
        return true;
    }
    let parents = chain.processes.iter().skip(1);
    chain.processes.iter().zip(parents).any(|(child, parent)| {
        if is_one_of(parent, SCHEDULERS) {
            return true;
        }
        if !takes_over(parent) || takes_over(child) {
            return false;
        }
        // In a container, the first process may lead the session in which a
        // person works.
        child.id.pid == own.id.pid
            || child.id.pid == own.session
            || (child.session != parent.id.pid
                && (is_wrapper(child) || is_one_of(child, GO_BETWEENS)))
    })
}

/// Whether orphans become this process's children.
fn takes_over(process: &Process) -> bool {
    process.id.pid == 1 || is_one_of(process, REAPERS)
}

/// Whether the process runs one of these programs; its own words count only
/// where its executable cannot be seen.
fn is_one_of(process: &Process, names: &[&str]) -> bool {
    let name = match &process.exe {
        Some(exe) => base_name(exe),
        None => process
            .argv
            .first()
            .and_then(|name| base_name(Path::new(name))),
    };
    name.is_some_and(|name| names.contains(&name))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::path::PathBuf;

    use countersign_core::state::ProcessId;

    use super::*;
    use crate::ancestry::Ancestry;
    use crate::process::ChainEnd;

    /// A chain from below to above: pid, session, program and its words.
    fn ancestry(processes: &[(u32, u32, &str)]) -> Ancestry {
        let above = processes.iter().skip(1).map(|(pid, ..)| *pid).chain([0]);
        let processes = processes
            .iter()
            .zip(above)
            .map(|((pid, session, words), parent)| Process {
                id: ProcessId {
                    pid: *pid,
                    start: u64::from(*pid),
                    boot: "boot-1".to_owned(),
                },
                parent,
                session: *session,
                exe: words.split(' ').next().map(PathBuf::from),
                name: String::new(),
                argv: words.split(' ').map(str::to_owned).collect(),
            })
            .collect();
        Ancestry::of(Chain {
            processes,
            end: ChainEnd::Complete,
        })
    }

    const INIT: (u32, u32, &str) = (1, 1, "/usr/lib/systemd/systemd");
    const OWN_INIT: (u32, u32, &str) = (5, 5, "/usr/lib/systemd/systemd --user");

    #[test]
    fn what_was_sent_away_may_be_an_agents() {
        for (how, processes) in [
            (
                "setsid -f countersign",
                vec![(90, 90, "/bin/countersign trust"), INIT],
            ),
            (
                "the user's own first process takes over",
                vec![(90, 90, "/bin/countersign trust"), OWN_INIT, INIT],
            ),
            (
                "setsid -f sh -c countersign",
                vec![
                    (91, 90, "/bin/countersign trust"),
                    (90, 90, "/bin/sh -c countersign"),
                    INIT,
                ],
            ),
            (
                "setsid -f sh -c 'setsid countersign'",
                vec![
                    (91, 91, "/bin/countersign trust"),
                    (90, 90, "/bin/sh -c countersign"),
                    INIT,
                ],
            ),
            (
                "setsid -f script -c countersign",
                vec![
                    (92, 91, "/bin/countersign trust"),
                    (91, 91, "/bin/sh -c countersign"),
                    (90, 90, "/usr/bin/script -c countersign"),
                    OWN_INIT,
                    INIT,
                ],
            ),
            (
                "at now",
                vec![
                    (92, 91, "/bin/countersign trust"),
                    (91, 91, "/bin/sh"),
                    (80, 80, "/usr/sbin/atd -f"),
                    INIT,
                ],
            ),
            (
                "a container's only program",
                vec![
                    (7, 1, "/bin/countersign trust"),
                    (1, 1, "/sbin/docker-init"),
                ],
            ),
        ] {
            let ancestry = ancestry(&processes);
            assert!(ancestry.detached && ancestry.may_be_under_agent(), "{how}");
            assert!(ancestry.doubt().unwrap().contains("from a shell"), "{how}");
        }
    }

    #[test]
    fn a_person_works_below_something_that_stays() {
        let own = |session| (99, session, "/bin/countersign trust");
        let shell = (90, 90, "/usr/bin/bash");
        for (where_, processes) in [
            (
                "a console",
                vec![
                    own(90),
                    (90, 90, "/usr/bin/bash -l"),
                    (80, 80, "/bin/login --"),
                    INIT,
                ],
            ),
            (
                "a terminal of the desktop",
                vec![
                    own(90),
                    shell,
                    (80, 80, "/usr/libexec/gnome-terminal-server"),
                    OWN_INIT,
                    INIT,
                ],
            ),
            (
                "a terminal that runs one program",
                vec![
                    own(99),
                    (80, 80, "/usr/bin/xterm -e countersign"),
                    OWN_INIT,
                    INIT,
                ],
            ),
            (
                "ssh",
                vec![
                    own(90),
                    shell,
                    (81, 80, "/usr/sbin/sshd-session"),
                    (80, 80, "/usr/sbin/sshd"),
                    INIT,
                ],
            ),
            (
                "a command over ssh",
                vec![
                    own(99),
                    (81, 80, "/usr/sbin/sshd-session"),
                    (80, 80, "/usr/sbin/sshd"),
                    INIT,
                ],
            ),
            (
                "tmux",
                vec![own(90), shell, (80, 80, "/usr/bin/tmux new"), INIT],
            ),
            (
                "an editor's terminal",
                vec![
                    own(90),
                    shell,
                    (82, 80, "/usr/share/code/code"),
                    (81, 80, "/usr/share/code/code"),
                    OWN_INIT,
                    INIT,
                ],
            ),
            (
                "an editor's terminal on another machine",
                vec![
                    own(90),
                    shell,
                    (82, 70, "/opt/server/node"),
                    (81, 70, "/bin/sh /opt/server/code-server"),
                    INIT,
                ],
            ),
            (
                "a script of a shell",
                vec![
                    own(90),
                    (98, 90, "/bin/sh ./script"),
                    shell,
                    (80, 80, "/usr/bin/kitty"),
                    OWN_INIT,
                    INIT,
                ],
            ),
            (
                "docker run --init bash",
                vec![own(1), (7, 1, "/usr/bin/bash"), (1, 1, "/sbin/docker-init")],
            ),
            (
                "a shell in a container's shell",
                vec![own(1), (7, 1, "/usr/bin/bash"), (1, 1, "/usr/bin/bash")],
            ),
            ("docker exec bash", vec![own(90), shell]),
            ("docker exec countersign", vec![own(99)]),
        ] {
            let ancestry = ancestry(&processes);
            assert!(!ancestry.may_be_under_agent(), "{where_}");
            assert_eq!(ancestry.doubt(), None, "{where_}");
        }
    }
}
