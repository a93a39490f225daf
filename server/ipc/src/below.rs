//! Which process below a proxy is the agent: the one that its hooks speak for.
//! Agents come as a script that starts the program proper, which starts itself
//! once more with other options.

use countersign_core::own::PROGRAM;
use countersign_core::state::ProcessId;

use crate::ancestry::is_wrapper;
use crate::known::{KnownAgent, agent_of, base_name};
use crate::process::Process;
use crate::procfs::ProcessTable;

/// How far down is looked.
const DEEPEST: usize = 8;

/// The agent that a program turned out to be which this process started: the
/// program itself, or the last of those that do nothing but start the next one.
/// None if there is no such process.
#[must_use]
pub fn agent_below(pid: u32) -> Option<ProcessId> {
    let table = ProcessTable::system().ok()?;
    below(pid, &|pid| table.process(pid), &|pid| table.children(pid))
}

fn below(
    pid: u32,
    process: &dyn Fn(u32) -> Option<Process>,
    children: &dyn Fn(u32) -> Vec<u32>,
) -> Option<ProcessId> {
    let mut found = process(pid)?;
    for _ in 0..DEEPEST {
        let agent = agent_of(&found);
        let started = children(found.id.pid);
        let mut next = started
            .into_iter()
            .filter_map(process)
            .filter(|child| goes_on(&found, agent, child));
        // Of two, nothing says which one it is.
        match (next.next(), next.next()) {
            (Some(child), None) => found = child,
            (Some(_), Some(_)) | (None, _) => break,
        }
    }
    Some(found.id)
}

/// Whether a child is what its parent was started for: the same agent once
/// more, or whatever a program that is none starts.
fn goes_on(parent: &Process, agent: Option<KnownAgent>, child: &Process) -> bool {
    match agent {
        Some(agent) => agent_of(child) == Some(agent),
        None => is_wrapper(parent) || agent_of(child).is_some(),
    }
}

/// The process below a proxy that it speaks for: only our own proxy speaks for
/// another process, and only for one that it started. None if it may not.
#[must_use]
pub fn spoken_for(proxy: u32, claimed: u32) -> Option<ProcessId> {
    let table = ProcessTable::system().ok()?;
    let own = table.process(proxy)?;
    if own.exe.as_deref().and_then(base_name) != Some(PROGRAM) {
        return None;
    }
    table
        .identity(claimed)
        .filter(|claimed| table.descends_from(claimed.pid, &own.id))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::fake::{Fake, desktop};

    /// The agent below process 3 of a desktop with these processes: pid,
    /// parent, arguments.
    fn agent(processes: &[(u32, u32, &str)]) -> u32 {
        let fake: Fake = processes
            .iter()
            .fold(desktop(), |fake, (pid, parent, argv)| {
                let program = argv.split(' ').next().unwrap();
                fake.with(*pid, *parent, program, &format!("/usr/bin/{program}"), argv)
            });
        let table = fake.table();
        let of = |pid: u32| {
            let all = processes
                .iter()
                .filter(move |(_, parent, _)| *parent == pid);
            all.map(|(pid, _, _)| *pid).collect::<Vec<u32>>()
        };
        below(3, &|pid| table.process(pid), &of).unwrap().pid
    }

    #[test]
    fn an_agent_that_starts_itself_once_more_is_the_later_one() {
        let qwen = "node /n/node_modules/@qwen-code/qwen-code/cli.js --acp";
        assert_eq!(agent(&[(3, 2, qwen)]), 3);
        assert_eq!(agent(&[(3, 2, qwen), (4, 3, qwen)]), 4);
        assert_eq!(agent(&[(3, 2, qwen), (4, 3, qwen), (5, 4, "sh -c ls")]), 4);
        assert_eq!(
            agent(&[(3, 2, "sh -c agent"), (4, 3, "env agent"), (5, 4, qwen)]),
            5
        );
        assert_eq!(agent(&[(3, 2, "node /x/npx-cli.js"), (4, 3, qwen)]), 4);
    }

    #[test]
    fn what_an_agent_runs_is_not_the_agent() {
        let qwen = "qwen --acp";
        assert_eq!(agent(&[(3, 2, qwen), (4, 3, "claude -p task")]), 3);
        assert_eq!(agent(&[(3, 2, qwen), (4, 3, "cargo test")]), 3);
        assert_eq!(agent(&[(3, 2, "newagent"), (4, 3, "cargo test")]), 3);
        // Of two nothing is known.
        assert_eq!(agent(&[(3, 2, qwen), (4, 3, qwen), (5, 3, qwen)]), 3);
    }
}
