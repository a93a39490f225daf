//! Which servers a hook does not ask: those that the agent may have started, or
//! be itself.

use countersign_core::state::ProcessId;

use crate::discovery::Announcement;
use crate::known::agent_of;
use crate::process::{ChainEnd, Process};
use crate::procfs::ProcessTable;

/// Whether a hook may ask this server: it does not descend from the caller (the
/// process that the hook speaks for), is not the caller, and neither is an
/// agent nor runs under one.
///
/// It reads the processes above the server once, at most 64, up to the first
/// that decides.
///
/// # Errors
/// The reason, where the server may not be asked, or where that cannot be told.
pub fn server_acceptable(
    announcement: &Announcement,
    caller: Option<&ProcessId>,
) -> Result<(), String> {
    let table = ProcessTable::system().map_err(|error| error.to_string())?;
    let server = &announcement.instance.process;
    judge(table, server, caller)
        .map_err(|problem| format!("the server of process {} {problem}", server.pid))
}

fn judge(
    table: &ProcessTable,
    server: &ProcessId,
    caller: Option<&ProcessId>,
) -> Result<(), String> {
    let chain = table.ancestors_until(server.pid, |process| objection(process, caller).is_some());
    let Some(own) = chain.processes.first() else {
        return Err("cannot be looked at".to_owned());
    };
    if own.id != *server {
        return Err("does not run any more".to_owned());
    }
    // The chain was ended at the first process with an objection, its own
    // process not counted.
    for process in [Some(own), chain.processes.last()].into_iter().flatten() {
        if let Some(objection) = objection(process, caller) {
            return Err(objection);
        }
    }
    match chain.end {
        // In a container, everything that can be seen was looked at; who can
        // show the hook other processes has started the hook itself there.
        ChainEnd::Complete | ChainEnd::Namespace => Ok(()),
        ChainEnd::Hidden | ChainEnd::TooDeep | ChainEnd::Unknown => {
            Err("runs under processes that cannot all be seen".to_owned())
        }
    }
}

/// What is wrong with a server that is this process or runs under it.
fn objection(process: &Process, caller: Option<&ProcessId>) -> Option<String> {
    if caller == Some(&process.id) {
        return Some("belongs to the agent that made the call".to_owned());
    }
    let agent = agent_of(process)?;
    Some(format!(
        "runs under {} (process {})",
        agent.name(),
        process.id.pid
    ))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::fake::{Fake, desktop};

    /// A person's editor (3) with a server (4), and an agent (5) in a terminal.
    fn editor_and_agent() -> Fake {
        desktop()
            .with(3, 2, "nvim", "/usr/bin/nvim", "nvim")
            .with(4, 3, "countersign", "/bin/countersign", "countersign lsp")
            .with(5, 2, "newagent", "/opt/newagent", "newagent")
    }

    fn verdict(fake: &Fake, server: u32, caller: Option<u32>) -> Result<(), String> {
        let table = fake.table();
        let caller = caller.map(|pid| table.identity(pid).unwrap());
        judge(&table, &table.identity(server).unwrap(), caller.as_ref())
    }

    fn refused(fake: &Fake, server: u32, caller: Option<u32>, because: &str) {
        let reason = verdict(fake, server, caller).unwrap_err();
        assert!(reason.contains(because), "{reason}");
    }

    #[test]
    fn the_server_of_a_persons_editor_is_asked() {
        let fake = editor_and_agent();
        assert_eq!(verdict(&fake, 4, Some(5)), Ok(()));
        assert_eq!(verdict(&fake, 4, None), Ok(()));
    }

    #[test]
    fn a_server_that_the_caller_started_is_not_asked() {
        let fake = editor_and_agent()
            .with(6, 5, "sh", "/usr/bin/dash", "sh")
            .with(7, 6, "countersign", "/bin/countersign", "countersign lsp");
        refused(&fake, 7, Some(5), "the agent that made the call");
        assert_eq!(verdict(&fake, 7, Some(3)), Ok(()));
    }

    #[test]
    fn an_agent_is_not_its_own_server() {
        refused(
            &editor_and_agent(),
            5,
            Some(5),
            "the agent that made the call",
        );
    }

    #[test]
    fn a_server_that_is_an_agent_or_runs_under_one_is_not_asked() {
        let fake = editor_and_agent()
            .with(6, 2, "claude", "/opt/claude", "claude")
            .with(7, 6, "countersign", "/bin/countersign", "countersign lsp");
        refused(&fake, 7, Some(5), "claude-code");
        refused(&fake, 6, Some(5), "claude-code");
    }

    #[test]
    fn a_server_whose_ancestors_cannot_be_seen_is_not_asked() {
        let fake =
            editor_and_agent().with(7, 99, "countersign", "/bin/countersign", "countersign lsp");
        refused(&fake, 7, None, "cannot all be seen");
    }

    #[test]
    fn a_process_that_took_the_servers_pid_is_not_asked() {
        let fake = editor_and_agent();
        let table = fake.table();
        let earlier = ProcessId {
            start: 1,
            ..table.identity(4).unwrap()
        };
        assert!(judge(&table, &earlier, None).is_err());
        let gone = ProcessId { pid: 77, ..earlier };
        assert!(judge(&table, &gone, None).is_err());
    }

    #[test]
    fn in_a_container_what_can_be_seen_decides() {
        let fake = editor_and_agent();
        let own = fake.0.path().join(std::process::id().to_string());
        fs::remove_file(own.join("ns/user")).unwrap();
        symlink("user:[4026532000]", own.join("ns/user")).unwrap();
        assert_eq!(verdict(&fake, 4, Some(5)), Ok(()));
        refused(&fake, 5, Some(5), "the agent that made the call");
    }

    #[test]
    fn descent_is_read_from_parents_alone() {
        let fake = editor_and_agent();
        let table = fake.table();
        let process = |pid| table.identity(pid).unwrap();
        assert!(table.descends_from(4, &process(3)));
        assert!(table.descends_from(4, &process(1)));
        assert!(!table.descends_from(4, &process(4)), "not of itself");
        assert!(!table.descends_from(4, &process(5)));
        assert!(!table.descends_from(3, &process(4)));
        assert!(!table.descends_from(77, &process(1)));
        let other_boot = ProcessId {
            boot: "boot-0".to_owned(),
            ..process(3)
        };
        let earlier = ProcessId {
            start: 2,
            ..process(3)
        };
        assert!(!table.descends_from(4, &other_boot));
        assert!(!table.descends_from(4, &earlier));
    }
}
