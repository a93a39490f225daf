//! Entries, looks and views, one by one.

use camino::Utf8Path;
use proptest::prelude::*;

use super::*;
use crate::agent::Agent;

fn key(session: &str) -> SessionKey {
    SessionKey {
        agent: Agent::Qwen,
        session: session.to_owned(),
        subagent: None,
    }
}

fn entry(session: &str, call: &str, what: Written, content: Option<&str>) -> LedgerEntry {
    LedgerEntry {
        path: "/w/a.py".into(),
        session: key(session),
        call: call.to_owned(),
        what,
        since: 1,
        time: 1,
        confirmed: false,
        content: content.map(|text| content_digest(text.as_bytes())),
        why: None,
    }
}

fn commit(number: u8) -> String {
    format!("{number:02x}").repeat(20)
}

fn look(head: Option<u8>, at: Millis) -> Look {
    Look {
        repository: Some("/w/.git".into()),
        head: head.map(commit),
        at,
    }
}

/// HEAD was at 1 and is still known to be; all was quiet.
fn known() -> WorkspaceBaseline {
    match looked("/w".into(), None, &[], &look(Some(1), 10), false) {
        Looked::Moved(first) => first,
        other => panic!("{other:?}"),
    }
}

fn after(known: &WorkspaceBaseline, look: &Look, in_flight: bool) -> Looked {
    looked("/w".into(), Some(known), &[], look, in_flight)
}

#[test]
fn the_first_look_sets_the_baseline() {
    let first = known();
    assert_eq!(first.commit, Some(commit(1)));
    assert_eq!((first.by, first.since), (BaselineBy::FirstSeen, 10));
    let names = [
        None,
        Some(""),
        Some("HEAD"),
        Some("abc"),
        Some("../../etc/passwd"),
    ];
    for name in names {
        let look = Look {
            head: name.map(str::to_owned),
            ..look(None, 10)
        };
        let Looked::Moved(first) = looked("/w".into(), None, &[], &look, false) else {
            panic!("{name:?}");
        };
        assert_eq!(first.commit, None, "{name:?} is no commit");
    }
}

/// Each row changes one thing of a quiet change, which alone moves it.
#[test]
fn only_a_quiet_change_moves_the_baseline() {
    type Change = fn(&mut WorkspaceBaseline, &mut Look, &mut bool);
    let rows: [(&str, Change, bool); 12] = [
        ("nothing", |_, _, _| {}, true),
        (
            "HEAD stays",
            |_, look, _| look.head = Some(commit(1)),
            false,
        ),
        (
            "a call is in flight",
            |_, _, in_flight| *in_flight = true,
            false,
        ),
        (
            "a call ended since the last look",
            |known, _, _| known.stirred(15),
            false,
        ),
        (
            "a call ended in the same millisecond",
            |known, _, _| known.stirred(10),
            false,
        ),
        (
            "a call ended before the last look",
            |known, _, _| known.stirred(9),
            true,
        ),
        (
            "a call could have left a process",
            |known, _, _| known.unsettled(5, "x"),
            false,
        ),
        (
            "HEAD was elsewhere before",
            |known, _, _| known.head = Some(commit(9)),
            false,
        ),
        (
            "there was no HEAD before",
            |known, _, _| known.head = None,
            false,
        ),
        (
            "it is another repository",
            |_, look, _| look.repository = Some("/x/.git".into()),
            false,
        ),
        (
            "the repository is gone",
            |_, look, _| look.repository = None,
            false,
        ),
        (
            "the look is older than the last one",
            |_, look, _| look.at = 9,
            false,
        ),
    ];
    for (what, change, moves) in rows {
        let (mut known, mut look, mut in_flight) = (known(), look(Some(2), 20), false);
        change(&mut known, &mut look, &mut in_flight);
        let before = known.commit.clone();
        match after(&known, &look, in_flight) {
            Looked::Moved(moved) => {
                assert!(moves, "{what}");
                assert_eq!(moved.commit, Some(commit(2)), "{what}");
                assert_eq!(moved.by, BaselineBy::QuietChange, "{what}");
            }
            Looked::Noted(noted) => {
                assert!(!moves, "{what}");
                assert_eq!(noted.commit, before, "{what}");
            }
            Looked::Same => assert!(!moves, "{what}"),
        }
    }
}

#[test]
fn a_repository_that_a_person_begins_is_followed() {
    let nothing = Look {
        repository: None,
        head: None,
        at: 10,
    };
    let Looked::Moved(first) = looked("/w".into(), None, &[], &nothing, false) else {
        panic!();
    };
    let Looked::Moved(moved) = after(&first, &look(Some(1), 20), false) else {
        panic!();
    };
    assert_eq!(moved.commit, Some(commit(1)));
    assert_eq!(moved.repository, Some("/w/.git".into()));
}

/// An agent's commit, then a person's on top of it.
#[test]
fn a_commit_on_top_of_an_agents_does_not_move_the_baseline() {
    let mut known = known();
    known.stirred(20);
    let Looked::Noted(mut noted) = after(&known, &look(Some(2), 30), false) else {
        panic!();
    };
    for at in 40..60 {
        match after(&noted, &look(Some(3 + (at % 5) as u8), at), false) {
            Looked::Noted(next) => noted = next,
            Looked::Same => {}
            Looked::Moved(moved) => panic!("{moved:?}"),
        }
        assert_eq!(noted.commit, Some(commit(1)));
    }
}

#[test]
fn a_look_after_the_last_result_makes_quiet_changes_count_again() {
    let mut known = known();
    known.stirred(20);
    assert_eq!(after(&known, &look(Some(1), 20), false), Looked::Same);
    assert_eq!(after(&known, &look(Some(1), 25), true), Looked::Same);
    let Looked::Noted(settled) = after(&known, &look(Some(1), 25), false) else {
        panic!();
    };
    assert!(settled.is_settled(&look(Some(1), 30)));
    let Looked::Moved(moved) = after(&settled, &look(Some(2), 30), false) else {
        panic!();
    };
    assert_eq!(moved.commit, Some(commit(2)));
    // Where no change counts anyway, only a change is noted.
    known.unsettled(20, "x");
    assert!(known.is_settled(&look(Some(1), 25)));
    assert!(!known.is_settled(&look(Some(2), 25)));
}

#[test]
fn a_second_workspace_of_a_repository_has_the_baseline_of_the_first() {
    let mut first = known();
    first.unsettled(20, "git commit");
    for workspace in ["/w/sub", "/elsewhere/worktree", "/"] {
        let kin = [first.clone()];
        let Looked::Moved(second) = looked(workspace.into(), None, &kin, &look(Some(7), 30), false)
        else {
            panic!();
        };
        assert_eq!(second.commit, Some(commit(1)), "{workspace}");
        assert_eq!(second.restless, first.restless, "{workspace}");
    }
    // Another repository in it, after anything may have happened there.
    let other = Look {
        repository: Some("/w/sub/.git".into()),
        ..look(Some(7), 30)
    };
    let inner = |first: &WorkspaceBaseline| match looked(
        "/w/sub".into(),
        None,
        std::slice::from_ref(first),
        &other,
        false,
    ) {
        Looked::Moved(second) => second.commit,
        other => panic!("{other:?}"),
    };
    assert_eq!(inner(&first), None);
    first.restless = None;
    assert_eq!(inner(&first), Some(commit(7)));
}

#[test]
fn what_anybody_may_have_written_stays_so() {
    let mark = entry("s", "1", Written::Unbounded, None);
    for what in [
        Written::Created,
        Written::Changed,
        Written::Deleted,
        Written::Moved,
    ] {
        let later = entry("s", "2", what, Some("x"));
        assert_eq!(
            folded(Some(mark.clone()), later.clone()).what,
            Written::Unbounded
        );
        assert_eq!(folded(Some(later), mark.clone()).what, Written::Unbounded);
    }
}

#[test]
fn a_file_is_its_sessions_creation_only_with_the_sessions_own_bytes() {
    let view = |entries: Vec<LedgerEntry>| LedgerView {
        entries,
        above: Vec::new(),
        in_flight: Vec::new(),
        complete: true,
    };
    let path = Utf8Path::new("/w/a.py");
    let own = |entries: Vec<LedgerEntry>, session: &str, disk: &str| {
        view(entries).is_own_creation(path, &key(session), content_digest(disk.as_bytes()))
    };
    let made = entry("s", "1", Written::Created, Some("one"));
    assert!(own(vec![made.clone()], "s", "one"));
    assert!(!own(vec![made.clone()], "s", "what a person made of it"));
    assert!(!own(vec![made.clone()], "another session", "one"));
    assert!(!own(Vec::new(), "s", "one"));
    let fold = |later: LedgerEntry| vec![folded(Some(made.clone()), later)];
    let edited = fold(entry("s", "2", Written::Changed, Some("two")));
    assert!(own(edited.clone(), "s", "two") && !own(edited, "s", "one"));
    assert!(!own(
        fold(entry("s", "2", Written::Changed, None)),
        "s",
        "one"
    ));
    let others = fold(entry("another session", "2", Written::Changed, Some("two")));
    assert!(!own(others.clone(), "s", "two") && !own(others, "another session", "two"));
    // A person's file that was moved there.
    assert!(!own(
        fold(entry("s", "2", Written::Moved, None)),
        "s",
        "one"
    ));
    // A file that was there before.
    let changed = entry("s", "1", Written::Changed, Some("one"));
    assert!(!own(vec![changed.clone()], "s", "one"));
    assert!(view(vec![changed]).is_known_content(path, content_digest(b"one")));
    // Two contents in one call: nobody knows which one was last.
    let twice = folded(
        Some(made.clone()),
        entry("s", "1", Written::Changed, Some("two")),
    );
    assert_eq!(twice.content, None);
}

#[test]
fn a_view_says_which_code_differs_and_when_it_cannot_say() {
    let mut view = LedgerView {
        entries: vec![
            entry("s", "1", Written::Changed, None),
            LedgerEntry {
                path: "/w/logo.PNG".into(),
                ..entry("s", "1", Written::Created, None)
            },
        ],
        above: Vec::new(),
        in_flight: Vec::new(),
        complete: true,
    };
    let code: Vec<_> = view.code_that_differs(|_| true).collect();
    assert_eq!(code.len(), 1);
    assert_eq!(view.differing(|_| true).count(), 2);
    assert_eq!(view.code_that_differs(|_| false).count(), 0);
    assert!(!view.is_possibly_written());
    view.complete = false;
    assert!(view.is_possibly_written());
    view.complete = true;
    view.above = vec![entry("s", "2", Written::Unbounded, None)];
    assert!(view.is_possibly_written());
    view.above.clear();
    view.entries.push(entry("s", "2", Written::Unbounded, None));
    assert!(view.is_possibly_written());
    for name in [
        "README.md",
        "a",
        "a.txt",
        "Makefile",
        "a.svg",
        "a.json",
        "a.png.sh",
    ] {
        assert!(may_be_code(name.into()), "{name}");
    }
}

#[test]
fn too_much_to_keep_is_anything() {
    let write = |path: String| PlannedWrite {
        path: path.into(),
        what: Written::Changed,
        content: None,
    };
    let of = |writes: Vec<PlannedWrite>| {
        Footprint {
            writes,
            ..Footprint::default()
        }
        .bounded()
    };
    let many = (0..=MOST_WRITES)
        .map(|n| write(format!("/w/{n}")))
        .collect();
    let many = of(many);
    assert!(many.unbounded.is_some() && many.moves_head && many.writes.len() == MOST_WRITES);
    assert!(
        of(vec![write(format!("/{}", "x".repeat(LONGEST_PATH)))])
            .unbounded
            .is_some()
    );
    assert!(of(vec![write("relative".to_owned())]).unbounded.is_some());
    let few = of(vec![write("/w/a".to_owned()); 3]);
    assert!(few.unbounded.is_none() && !few.moves_head && few.writes.len() == 1);
    assert!(of(vec![write("/w/.git/HEAD".to_owned())]).moves_head);
    assert!(of(vec![write("/w/.GIT/refs/heads/x".to_owned())]).moves_head);
    assert!(Footprint::default().bounded().is_nothing());
}

#[test]
fn a_call_is_in_flight_until_it_is_old_or_its_agent_is_gone() {
    let process = ProcessId {
        pid: 1,
        start: 1,
        boot: "b".to_owned(),
    };
    let mut call = InFlight {
        call: "1".to_owned(),
        key: key("s"),
        workspace: "/w".into(),
        process: Some(process),
        since: 1000,
        unbounded: false,
        moves_head: false,
    };
    assert!(call.may_run(1000, |_| true));
    // The clock was set back.
    assert!(call.may_run(0, |_| true));
    assert!(call.may_run(1000 + IN_FLIGHT_FOR - 1, |_| true));
    assert!(!call.may_run(1000 + IN_FLIGHT_FOR, |_| true));
    assert!(!call.may_run(1000, |_| false));
    call.process = None;
    assert!(call.may_run(1000, |_| false));
}

/// What happens to a workspace.
#[derive(Debug, Clone)]
enum Event {
    /// A guarded call begins, which can move HEAD or not.
    Begins {
        moves: bool,
    },
    Ends,
    /// The call in flight moves HEAD.
    AgentMoves(u8),
    /// What an earlier call that can move HEAD left behind does so.
    LeftoverMoves(u8),
    Looks,
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<bool>().prop_map(|moves| Event::Begins { moves }),
        Just(Event::Ends),
        (1..6_u8).prop_map(Event::AgentMoves),
        (1..6_u8).prop_map(Event::LeftoverMoves),
        Just(Event::Looks),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever an agent and its processes do to HEAD, and whenever anybody
    /// looks, the baseline stays.
    #[test]
    fn no_agent_moves_the_baseline(
        events in prop::collection::vec((any_event(), 0..3_i64), 0..60)
    ) {
        let mut kept = known();
        let (mut now, mut head) = (10, 1);
        let mut in_flight: Option<bool> = None;
        let mut left_behind = false;
        for (event, later) in events {
            now += later;
            match event {
                Event::Begins { moves } => {
                    in_flight = Some(in_flight.unwrap_or(false) || moves);
                    kept.stirred(now);
                    if moves {
                        kept.unsettled(now, "x");
                        left_behind = true;
                    }
                }
                Event::Ends => {
                    in_flight = None;
                    kept.stirred(now);
                }
                // Also by a call that was not thought to be able to.
                Event::AgentMoves(to) if in_flight.is_some() => head = to,
                Event::LeftoverMoves(to) if left_behind => head = to,
                Event::AgentMoves(_) | Event::LeftoverMoves(_) => {}
                Event::Looks => match after(&kept, &look(Some(head), now), in_flight.is_some()) {
                    Looked::Same => {}
                    Looked::Noted(noted) => kept = noted,
                    Looked::Moved(moved) => prop_assert!(false, "{moved:?}"),
                },
            }
            prop_assert_eq!(&kept.commit, &Some(commit(1)));
        }
    }
}
