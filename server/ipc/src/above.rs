//! The agents above the process that a hook speaks for: a session in a process
//! that another agent started is no person's.

use countersign_core::state::ProcessId;

use crate::known::{KnownAgent, agent_of};
use crate::process::{Chain, ChainEnd};
use crate::procfs::ProcessTable;

/// What stands above a process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgentsAbove {
    /// The known agents, the nearest first.
    pub agents: Vec<AgentAbove>,
    /// Whether everything above was seen. In a container, everything that can
    /// be seen there.
    pub is_whole: bool,
}

/// A known agent above a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentAbove {
    /// Its process.
    pub process: ProcessId,
    /// Which agent it is.
    pub agent: KnownAgent,
    /// Whether it may be no more than the program that starts the agent below
    /// it: the same agent, with nothing between the two. Agents come as a
    /// script that starts the program proper; what they let their tools start
    /// can look the same.
    pub may_be_launcher: bool,
}

/// The known agents above exactly this process, itself not counted. Of a process
/// that has ended nothing is known.
#[must_use]
pub fn agents_above(process: &ProcessId) -> AgentsAbove {
    ProcessTable::system().map_or_else(|_| AgentsAbove::default(), |table| of(table, process))
}

fn of(table: &ProcessTable, process: &ProcessId) -> AgentsAbove {
    let chain = table.ancestors(process.pid);
    if chain.processes.first().is_none_or(|own| own.id != *process) {
        return AgentsAbove::default();
    }
    in_chain(&chain)
}

fn in_chain(chain: &Chain) -> AgentsAbove {
    let mut agents = Vec::new();
    // The agent of the process just below, while there was nothing else.
    let mut below = chain.processes.first().and_then(agent_of);
    for process in chain.processes.iter().skip(1) {
        let agent = agent_of(process);
        if let Some(agent) = agent {
            agents.push(AgentAbove {
                process: process.id.clone(),
                agent,
                may_be_launcher: below == Some(agent),
            });
        }
        below = agent.filter(|agent| below == Some(*agent));
    }
    AgentsAbove {
        agents,
        is_whole: matches!(chain.end, ChainEnd::Complete | ChainEnd::Namespace),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::fake::{Fake, desktop};

    /// The agents above process `pid`, as `name pid`, a possible launcher with
    /// a question mark.
    fn above(fake: &Fake, pid: u32) -> (Vec<String>, bool) {
        let table = fake.table();
        let found = of(&table, &table.identity(pid).unwrap());
        let names = found.agents.iter().map(|above| {
            let mark = if above.may_be_launcher { "?" } else { "" };
            format!("{} {}{mark}", above.agent.name(), above.process.pid)
        });
        (names.collect(), found.is_whole)
    }

    fn claude() -> Fake {
        desktop().with(3, 2, "claude", "/opt/claude", "claude")
    }

    #[test]
    fn above_a_persons_agent_there_is_none() {
        assert_eq!(above(&claude(), 3), (Vec::new(), true));
    }

    #[test]
    fn an_agent_that_an_agent_runs_has_it_above_itself() {
        let fake = claude()
            .with(4, 3, "sh", "/usr/bin/dash", "sh -c task")
            .with(5, 4, "claude", "/opt/claude", "claude -p task")
            .with(6, 3, "codex", "/opt/codex", "codex exec task")
            .with(7, 6, "python3", "/usr/bin/python3", "python3 loop.py");
        assert_eq!(above(&fake, 5), (vec!["claude-code 3".to_owned()], true));
        assert_eq!(above(&fake, 6), (vec!["claude-code 3".to_owned()], true));
        let both = vec!["codex 6".to_owned(), "claude-code 3".to_owned()];
        assert_eq!(above(&fake, 7), (both, true));
    }

    #[test]
    fn a_script_that_starts_the_agent_proper_may_be_its_launcher() {
        let script = "node /n/node_modules/@openai/codex/bin/codex.js";
        let fake = claude()
            .with(4, 3, "sh", "/usr/bin/dash", "sh -c task")
            .with(5, 4, "node", "/usr/bin/node", script)
            .with(6, 5, "codex", "/n/vendor/codex/codex", "codex");
        let found = vec!["codex 5?".to_owned(), "claude-code 3".to_owned()];
        assert_eq!(above(&fake, 6), (found, true));
        // `exec` leaves nothing between an agent and the one that it runs.
        let fake = claude().with(4, 3, "claude", "/opt/claude", "claude -p task");
        assert_eq!(above(&fake, 4), (vec!["claude-code 3?".to_owned()], true));
        let fake = fake.with(5, 4, "sh", "/usr/bin/dash", "sh -c task").with(
            6,
            5,
            "claude",
            "/opt/claude",
            "claude -p more",
        );
        let found = vec!["claude-code 4".to_owned(), "claude-code 3".to_owned()];
        assert_eq!(above(&fake, 6), (found, true));
    }

    #[test]
    fn what_cannot_be_seen_is_said() {
        let fake = Fake::new().with(5, 99, "claude", "/opt/claude", "claude");
        assert_eq!(above(&fake, 5), (Vec::new(), false));
        let fake = claude();
        let ended = ProcessId {
            start: 1,
            ..fake.table().identity(3).unwrap()
        };
        assert_eq!(of(&fake.table(), &ended), AgentsAbove::default());
    }
}
