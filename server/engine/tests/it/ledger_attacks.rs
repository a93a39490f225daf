//! Laundering: ways in which an agent might make its own files look like the
//! person's. Whatever it does, the baseline stays and the entry is there.

use std::sync::Arc;

use camino::Utf8Path;
use countersign_core::approval::AnswerSource;
use countersign_core::ledger::{Footprint, PlannedWrite, Written};
use countersign_core::paths::FileKind;
use countersign_core::state::StateStore;
use countersign_engine::events::AgentEvent;
use countersign_engine::ledger::Vouching;
use countersign_store::{GroupedStore, MemoryStore, Store};
use proptest::prelude::*;

use crate::ledger_desk::{Desk, Wanted, commit, git, moves, reads, session, shell, write};

/// A command that writes exactly these paths.
fn writes(session_name: &str, text: &str, paths: &[(&str, Written)]) -> Wanted {
    let footprint = Footprint {
        writes: paths
            .iter()
            .map(|(path, what)| PlannedWrite {
                path: (*path).into(),
                what: *what,
                content: None,
            })
            .collect(),
        ..Footprint::default()
    };
    shell(&session(session_name), text, Some(footprint))
}

/// An agent wrote `/w/a.sh`; then this happens.
fn after(launder: impl Fn(&mut Desk)) {
    let mut desk = Desk::new(Arc::new(MemoryStore::new()));
    desk.does(&write(&session("s"), "/w/a.sh", "evil", FileKind::Missing));
    launder(&mut desk);
    desk.does(&reads(&session("s"), "/w/x"));
    assert_eq!(desk.baseline(), commit(1));
    let view = desk.view("/w");
    let paths: Vec<_> = view
        .code_that_differs(|_| true)
        .map(|entry| entry.path.as_str())
        .collect();
    assert!(paths.contains(&"/w/a.sh"), "{paths:?}");
}

#[test]
fn committing_it_launders_nothing() {
    after(|desk| {
        let commits = git(&session("s"), "git commit -m x");
        desk.begin(&commits);
        desk.head = commit(2);
        desk.result(&commits, false);
        // And whatever a person does on top.
        for number in 3..6 {
            desk.head = commit(number);
            desk.does(&reads(&session("s"), "/w/x"));
        }
    });
}

/// The agent asked for a commit in the background; it happens when all is quiet.
#[test]
fn committing_it_when_nobody_looks_launders_nothing() {
    for command in ["sleep 3600 && git commit -m x &", "nohup ./later.sh"] {
        after(|desk| {
            desk.does(&git(&session("s"), command));
            desk.note(&session("s"), AgentEvent::TurnEnd);
            for _ in 0..3 {
                desk.does(&reads(&session("s"), "/w/x"));
            }
            desk.head = commit(2);
        });
    }
}

#[test]
fn a_program_that_nobody_knows_may_commit_later_and_launders_nothing() {
    after(|desk| {
        desk.does(&shell(&session("s"), "make", None));
        desk.does(&reads(&session("s"), "/w/x"));
        desk.head = commit(2);
    });
}

/// Results that are never reported, and one that is reported by the call itself.
#[test]
fn a_commit_while_the_agent_is_silent_launders_nothing() {
    after(|desk| {
        desk.begin(&git(&session("s"), "git commit -m x"));
        desk.head = commit(2);
        desk.kill_agent();
        desk.later(1);
    });
    after(|desk| {
        let commits = git(&session("s"), "git commit -m x");
        desk.begin(&commits);
        desk.result(&commits, false);
        desk.head = commit(2);
    });
}

#[test]
fn switching_stashing_and_merging_launder_nothing() {
    after(|desk| {
        for (number, command) in ["git switch x", "git stash", "git stash pop", "git merge x"]
            .into_iter()
            .enumerate()
        {
            let wanted = git(&session("s"), command);
            desk.begin(&wanted);
            desk.head = commit(2 + number as u8);
            desk.result(&wanted, false);
        }
    });
}

#[test]
fn moving_copying_and_deleting_leave_every_name_on_record() {
    after(|desk| {
        desk.does(&moves(&session("s"), "/w/a.sh", "/w/b.sh", FileKind::File));
        let copies = [("/w/c.sh", Written::Created)];
        desk.does(&writes("s", "cp b.sh c.sh", &copies));
        let gone = [("/w/a.sh", Written::Deleted)];
        desk.does(&writes("s", "rm a.sh", &gone));
        let view = desk.view("/w");
        let paths: Vec<_> = view
            .entries
            .iter()
            .map(|entry| entry.path.as_str())
            .collect();
        assert_eq!(paths, ["/w/a.sh", "/w/b.sh", "/w/c.sh"]);
    });
}

/// A session of another agent, in the same folder, in one below it, in one
/// around it and in a linked work tree.
#[test]
fn a_second_session_launders_nothing() {
    after(|desk| {
        let commits = git(&session("s"), "git commit -m x");
        desk.begin(&commits);
        desk.head = commit(2);
        desk.result(&commits, false);
        for workspace in ["/w", "/w/sub", "/", "/elsewhere"] {
            let mut other = Desk::again(Arc::clone(&desk.store), Arc::clone(&desk.world))
                .in_workspace(workspace);
            other.head = commit(2);
            other.does(&reads(&session("another"), "/w/x"));
            assert_eq!(other.baseline(), commit(1), "{workspace}");
            other.head = commit(3);
            other.does(&reads(&session("another"), "/w/x"));
            assert_eq!(other.baseline(), commit(1), "{workspace}");
        }
    });
}

/// A person trusts HEAD in one work tree; in the other one an agent goes on.
#[test]
fn a_baseline_that_is_set_in_one_work_tree_is_safe_from_the_other() {
    let mut desk = Desk::new(Arc::new(MemoryStore::new()));
    let mut other =
        Desk::again(Arc::clone(&desk.store), Arc::clone(&desk.world)).in_workspace("/elsewhere");
    desk.does(&reads(&session("s"), "/w/x"));
    for round in 0..2 {
        let head = desk.head.clone();
        // The second is covered by the first.
        other.does(&shell(&session("t"), "make", None));
        other.does(&shell(&session("t"), "make", None));
        desk.later(1);
        let (look, source) = (desk.look(), AnswerSource::DemoTerminal);
        desk.engine
            .person_sets_baseline(None, "/w".into(), &look, Vouching::Commit, source)
            .unwrap();
        desk.does(&reads(&session("s"), "/w/x"));
        assert_eq!(desk.baseline(), head);
        // It leaves a process behind, which commits.
        other.does(&shell(&session("t"), "make", None));
        desk.does(&reads(&session("s"), "/w/x"));
        desk.head = commit(7 + round);
        other.head = commit(7 + round);
        desk.does(&reads(&session("s"), "/w/x"));
        assert_eq!(desk.baseline(), head);
    }
}

/// What an agent wrote from an inner workspace is on record for the outer one.
#[test]
fn writing_it_from_a_workspace_inside_launders_nothing() {
    let desk = Desk::new(Arc::new(MemoryStore::new())).in_workspace("/w/sub");
    desk.does(&write(
        &session("s"),
        "/w/sub/conftest.py",
        "evil",
        FileKind::Missing,
    ));
    assert_eq!(desk.view("/w").code_that_differs(|_| true).count(), 1);
}

/// What one agent does.
#[derive(Debug, Clone)]
enum Act {
    Writes(u8),
    Reads,
    /// Begins a call that moves HEAD, perhaps in the background.
    BeginsGit,
    /// Begins a program that nobody knows.
    BeginsAnything,
    /// The oldest call in flight has its result.
    Result {
        failed: bool,
    },
    Message,
    TurnEnd,
    /// Whatever the agent began that can move HEAD moves it.
    Moves(u8),
    Looks,
    Waits(i64),
    /// The guard's process is another one.
    Restarts,
    Dies,
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..3_u8).prop_map(Act::Writes),
        Just(Act::Reads),
        Just(Act::BeginsGit),
        Just(Act::BeginsAnything),
        any::<bool>().prop_map(|failed| Act::Result { failed }),
        Just(Act::Message),
        Just(Act::TurnEnd),
        (1..5_u8).prop_map(Act::Moves),
        Just(Act::Looks),
        prop_oneof![0..3_i64, Just(1 << 40)].prop_map(Act::Waits),
        Just(Act::Restarts),
        Just(Act::Dies),
    ]
}

fn act(
    desk: &mut Desk,
    what: &Act,
    who: u8,
    number: usize,
    begun: &mut Vec<Wanted>,
) -> Option<String> {
    let key = session(&who.to_string());
    match what {
        Act::Writes(file) => {
            let path = format!("/w/{file}.py");
            let wanted = write(&key, &path, &number.to_string(), FileKind::Missing);
            desk.begin(&wanted);
            begun.push(wanted);
            return Some(path);
        }
        Act::Reads => drop(desk.begin(&reads(&key, "/w/x"))),
        Act::BeginsGit => {
            let wanted = git(&key, &format!("git commit -m {number}"));
            desk.begin(&wanted);
            begun.push(wanted);
        }
        Act::BeginsAnything => {
            let wanted = shell(&key, &format!("make {number}"), None);
            desk.begin(&wanted);
            begun.push(wanted);
            return Some("/w".to_owned());
        }
        Act::Result { failed } => {
            if !begun.is_empty() {
                let wanted = begun.remove(0);
                desk.result(&wanted, *failed);
            }
        }
        Act::Message => drop(desk.note(&key, AgentEvent::UserMessage)),
        Act::TurnEnd => drop(desk.note(&key, AgentEvent::TurnEnd)),
        Act::Moves(_) | Act::Restarts => {}
        Act::Looks => desk.engine.look(desk.workspace(), &desk.look()).unwrap(),
        Act::Waits(by) => drop(desk.later(*by)),
        Act::Dies => desk.kill_agent(),
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Through any acts of two agents, two processes of the guard on one
    /// state, and restarts of either.
    #[test]
    fn no_agent_moves_the_baseline_or_loses_an_entry(
        acts in prop::collection::vec((any_act(), 0..2_u8, any::<bool>()), 1..40)
    ) {
        let folder = quick();
        let dir = Utf8Path::from_path(folder.path()).unwrap().join("state");
        let hook = || Arc::new(Store::open(&dir).unwrap()) as Arc<dyn StateStore>;
        let server = || Arc::new(GroupedStore::open(&dir).unwrap()) as Arc<dyn StateStore>;
        let mut alone = Desk::new(hook());
        let mut served = Desk::again(server(), Arc::clone(&alone.world));
        alone.does(&reads(&session("0"), "/w/x"));
        prop_assert_eq!(alone.baseline(), commit(1));
        let mut written = std::collections::BTreeSet::new();
        let mut begun = Vec::new();
        let mut can_move = false;
        for (number, (what, who, by_server)) in acts.iter().enumerate() {
            can_move |= matches!(what, Act::BeginsGit | Act::BeginsAnything);
            if let Act::Moves(to) = what
                && can_move
            {
                alone.head = commit(*to);
                served.head = commit(*to);
            }
            if matches!(what, Act::Restarts) {
                let (world, head) = (Arc::clone(&served.world), served.head.clone());
                drop(served);
                served = Desk::again(server(), world);
                served.head = head;
                alone.store = hook();
            }
            let desk = if *by_server { &mut served } else { &mut alone };
            written.extend(act(desk, what, *who, number, &mut begun));
            for desk in [&served, &alone] {
                prop_assert_eq!(desk.baseline(), commit(1), "after {} {:?}", number, what);
                let known: std::collections::BTreeSet<String> =
                    desk.entries().into_iter().map(|entry| entry.path.to_string()).collect();
                prop_assert!(known.is_superset(&written), "{known:?} after {number} {what:?}");
            }
        }
    }
}

/// In memory where that can be.
fn quick() -> tempfile::TempDir {
    tempfile::TempDir::new_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}
