//! What the ledger holds after each step of a call.

use std::sync::Arc;

use countersign_core::approval::{Answer, AnswerSource};
use countersign_core::decision::Decision;
use countersign_core::denials::DenialLimits;
use countersign_core::ledger::{BaselineBy, IN_FLIGHT_FOR, Written, content_digest};
use countersign_core::mode::ApprovalMode;
use countersign_core::paths::FileKind;
use countersign_core::state::{CallEvent, RecordKind};
use countersign_engine::events::AgentEvent;
use countersign_engine::ledger::Vouching;
use countersign_engine::prepare::approval_digest;
use countersign_engine::request::Asking;
use countersign_engine::resolve::Bound;
use countersign_store::{Filter, MemoryStore};

use crate::ledger_desk::{Desk, Wanted, commit, git, moves, reads, session, shell, write};

fn desk() -> Desk {
    Desk::new(Arc::new(MemoryStore::new()))
}

fn new_file() -> Wanted {
    write(&session("s"), "/w/new.py", "print()", FileKind::Missing)
}

fn paths(desk: &Desk) -> Vec<(String, Written, bool)> {
    let entries = desk.entries().into_iter();
    entries
        .map(|entry| (entry.path.to_string(), entry.what, entry.confirmed))
        .collect()
}

#[test]
fn an_allowed_write_is_known_before_it_runs_and_confirmed_by_its_result() {
    let desk = desk();
    desk.begin(&new_file());
    let path = "/w/new.py".to_owned();
    assert_eq!(paths(&desk), [(path.clone(), Written::Created, false)]);
    assert_eq!(desk.in_flight(), 1);
    desk.result(&new_file(), false);
    assert_eq!(paths(&desk), [(path, Written::Created, true)]);
    assert_eq!(desk.in_flight(), 0);
    let view = desk.view("/w");
    let digest = content_digest(b"print()");
    assert!(view.is_own_creation("/w/new.py".into(), &session("s"), digest));
    assert!(!view.is_own_creation("/w/new.py".into(), &session("t"), digest));
}

#[test]
fn a_result_of_a_failure_ends_the_call_and_confirms_nothing() {
    let desk = desk();
    desk.begin(&new_file());
    desk.result(&new_file(), true);
    assert_eq!(
        paths(&desk),
        [("/w/new.py".to_owned(), Written::Created, false)]
    );
    assert_eq!(desk.in_flight(), 0);
}

#[test]
fn what_only_reads_leaves_no_trace() {
    let desk = desk();
    desk.does(&reads(&session("s"), "/w/a"));
    assert!(paths(&desk).is_empty());
    assert_eq!(desk.in_flight(), 0);
}

#[test]
fn a_second_event_of_a_call_adds_nothing() {
    let desk = desk();
    desk.begin(&new_file());
    let before = desk.entries();
    let outcome = desk.decide(&new_file(), CallEvent::PermissionRequest);
    assert!(outcome.joined);
    assert_eq!((desk.entries(), desk.in_flight()), (before, 1));
}

/// A link that was set to another file between the two events.
#[test]
fn a_second_event_that_would_write_elsewhere_adds_that() {
    let desk = desk();
    desk.begin(&new_file());
    let mut elsewhere = new_file();
    elsewhere.facts.operations[0].paths[0].canonical = "/w/conftest.py".into();
    let outcome = desk.decide(&elsewhere, CallEvent::PermissionRequest);
    assert!(outcome.joined);
    let known: Vec<String> = paths(&desk).into_iter().map(|(path, ..)| path).collect();
    assert_eq!(known, ["/w/conftest.py", "/w/new.py"]);
}

#[test]
fn what_is_denied_adds_nothing() {
    let mut desk = desk().in_mode(ApprovalMode::Default);
    desk.asking = Asking::Nobody;
    for wanted in [new_file(), shell(&session("s"), "make", None)] {
        let outcome = desk.begin(&wanted);
        assert!(matches!(outcome.decision, Decision::Block { .. }));
    }
    assert!(paths(&desk).is_empty());
    assert_eq!(desk.in_flight(), 0);
}

#[test]
fn what_is_asked_is_known_once_a_person_says_yes() {
    for (answer, yes) in [
        (Answer::ProceedOnce, true),
        (Answer::Cancel { message: None }, false),
        (Answer::Timeout, false),
    ] {
        let desk = desk().in_mode(ApprovalMode::Default);
        let wanted = shell(&session("s"), "make", None);
        let outcome = desk.begin(&wanted);
        assert!(
            matches!(outcome.decision, Decision::Ask { .. }),
            "{outcome:?}"
        );
        assert!(paths(&desk).is_empty() && desk.in_flight() == 0);
        let digest = approval_digest(&wanted.call, &wanted.facts);
        let bound = Bound {
            shown: digest,
            now: digest,
        };
        desk.engine
            .resolve(
                &outcome.key,
                &outcome.call,
                bound,
                &answer,
                AnswerSource::DemoTerminal,
                DenialLimits::default(),
            )
            .unwrap();
        assert_eq!(desk.view("/w/sub").is_possibly_written(), yes, "{answer:?}");
        assert_eq!(desk.in_flight(), usize::from(yes));
        if yes {
            desk.result(&wanted, false);
            assert_eq!(paths(&desk), [("/w".to_owned(), Written::Unbounded, true)]);
            assert_eq!(desk.in_flight(), 0);
        }
    }
}

/// The agent's prompt may have been answered, and the call be running, before
/// anything is heard of it.
#[test]
fn what_the_agents_own_prompt_asks_counts_as_running_until_it_is_refused() {
    let desk = || {
        let mut desk = desk().in_mode(ApprovalMode::Default);
        desk.asking = Asking::Delegate;
        desk
    };
    let key = session("s");
    let make = shell(&key, "make", None);

    let refused = desk();
    refused.begin(&make);
    assert!(refused.view("/w").is_possibly_written());
    refused.note(&key, AgentEvent::UserMessage);
    assert!(!refused.view("/w").is_possibly_written());
    assert!(
        refused
            .engine
            .baseline("/w".into())
            .unwrap()
            .unwrap()
            .restless
            .is_none()
    );

    for failed in [false, true] {
        let ran = desk();
        ran.begin(&make);
        ran.result(&make, failed);
        assert_eq!(
            paths(&ran),
            [("/w".to_owned(), Written::Unbounded, !failed)]
        );
        assert_eq!(ran.in_flight(), 0);
        assert!(
            ran.engine
                .baseline("/w".into())
                .unwrap()
                .unwrap()
                .restless
                .is_some()
        );
    }

    let edit = desk();
    edit.begin(&new_file());
    assert_eq!(
        paths(&edit),
        [("/w/new.py".to_owned(), Written::Created, false)]
    );
    edit.result(&new_file(), false);
    assert_eq!(
        paths(&edit),
        [("/w/new.py".to_owned(), Written::Created, true)]
    );

    // Nobody ever hears of it again.
    let silent = desk();
    silent.begin(&make);
    silent.kill_agent();
    silent.later(1);
    assert!(silent.view("/w").is_possibly_written());
    silent.engine.look("/w".into(), &silent.look()).unwrap();
    assert_eq!(
        paths(&silent),
        [("/w".to_owned(), Written::Unbounded, false)]
    );
    assert_eq!(silent.in_flight(), 0);
}

#[test]
fn a_tool_that_nobody_decided_may_have_written_anything() {
    let desk = desk();
    desk.begin(&reads(&session("s"), "/w/a"));
    assert!(desk.result(&new_file(), false).unguarded);
    assert!(desk.view("/w").is_possibly_written());
    let kept = desk.engine.baseline("/w".into()).unwrap().unwrap();
    assert!(kept.restless.is_some());
}

#[test]
fn what_cannot_be_told_may_write_anything() {
    let key = session("s");
    let mut linked = write(&key, "/w/a", "x", FileKind::File);
    linked.facts.operations[0].paths[0].links = 2;
    let loops = write(&key, "/w/loop", "x", FileKind::Unresolvable);
    let mut unseen = write(&key, "/w/a", "x", FileKind::File);
    unseen.facts.operations[0].paths.clear();
    let command = shell(&key, "make", None);
    for wanted in [linked, loops, unseen, command] {
        let desk = desk();
        desk.begin(&wanted);
        assert!(desk.view("/w").is_possibly_written(), "{:?}", wanted.call);
    }
    let desk = desk();
    desk.begin(&moves(&key, "/w/from", "/w/to", FileKind::Directory));
    assert!(desk.view("/w/to/below").is_possibly_written());
    assert!(!desk.view("/w/other").is_possibly_written());
}

#[test]
fn a_call_without_a_result_ends_with_the_turn_or_after_hours() {
    let key = session("s");
    for end in [AgentEvent::TurnEnd, AgentEvent::SessionEnd] {
        let desk = desk();
        desk.begin(&new_file());
        desk.note(&session("another"), end);
        assert_eq!(desk.in_flight(), 1);
        desk.note(&key, end);
        assert_eq!(desk.in_flight(), 0);
        assert_eq!(paths(&desk).len(), 1);
    }
    let desk = desk();
    desk.begin(&new_file());
    desk.later(IN_FLIGHT_FOR);
    assert_eq!(desk.in_flight(), 1);
    desk.begin(&reads(&key, "/w/a"));
    assert_eq!(desk.in_flight(), 0);
    assert_eq!(paths(&desk).len(), 1);
}

#[test]
fn the_first_session_sets_the_baseline_and_it_is_on_record() {
    let store = Arc::new(MemoryStore::new());
    let mut desk = Desk::new(Arc::clone(&store) as Arc<_>);
    assert_eq!(desk.engine.baseline("/w".into()).unwrap(), None);
    desk.does(&reads(&session("s"), "/w/a"));
    assert_eq!(desk.baseline(), commit(1));
    let rows = |kind| {
        let rows = store.journal(&Filter::default()).into_iter();
        rows.filter(|row| row.record.kind == kind).count()
    };
    assert_eq!(rows(RecordKind::Trust), 1);

    // A person commits, also between writes of an agent.
    desk.head = commit(2);
    desk.does(&reads(&session("s"), "/w/a"));
    assert_eq!(desk.baseline(), commit(2));
    desk.does(&new_file());
    desk.head = commit(3);
    desk.does(&reads(&session("t"), "/w/a"));
    assert_eq!(desk.baseline(), commit(3));
    assert_eq!(rows(RecordKind::Trust), 3);
    assert_eq!(paths(&desk).len(), 1);
}

#[test]
fn a_person_sets_the_baseline_and_quiet_changes_count_again() {
    let mut desk = desk();
    let key = session("s");
    desk.does(&shell(&key, "make", None));
    desk.head = commit(2);
    desk.does(&reads(&key, "/w/a"));
    assert_eq!(desk.baseline(), commit(1));
    let by_person = |desk: &Desk, vouching| {
        desk.later(1);
        let source = AnswerSource::DemoTerminal;
        desk.engine
            .person_sets_baseline(None, "/w".into(), &desk.look(), vouching, source)
            .unwrap()
    };
    let set = by_person(&desk, Vouching::Commit);
    assert_eq!(
        (set.commit, set.by, set.restless),
        (commit(2), BaselineBy::Person, None)
    );
    assert!(
        desk.view("/w").is_possibly_written(),
        "the commit is trusted, not the files"
    );
    desk.head = commit(3);
    desk.does(&reads(&key, "/w/a"));
    assert_eq!(desk.baseline(), commit(3));
    by_person(&desk, Vouching::WorkTree);
    assert!(!desk.view("/w").is_possibly_written());

    // While such a call runs, what comes later is not the person's.
    desk.begin(&git(&key, "git commit"));
    assert!(by_person(&desk, Vouching::Commit).restless.is_some());
}

#[test]
fn a_call_that_may_move_head_before_anybody_looked_leaves_no_baseline() {
    let desk = desk();
    let key = session("s");
    let wanted = shell(&key, "make", None);
    let request = countersign_engine::request::Request {
        call: &wanted.call,
        facts: &wanted.facts,
        policy: &desk.policy,
        mode: desk.policy.mode,
        event: CallEvent::PreTool,
        process: None,
        asking: Asking::Surface,
        granted: false,
        classifier: false,
        server: None,
        memory: None,
        head: None,
        spent_micros: 0,
        background: countersign_engine::request::Background::default(),
    };
    desk.engine.decide(&request).unwrap();
    desk.does(&reads(&key, "/w/a"));
    let kept = desk.engine.baseline("/w".into()).unwrap().unwrap();
    assert_eq!((kept.commit, kept.by), (None, BaselineBy::Unseen));
}

/// The second such call of a workspace costs nothing, and is not forgotten when
/// a person trusts what is there while it runs.
#[test]
fn what_is_on_record_already_is_not_recorded_again() {
    let desk = desk();
    let key = session("s");
    desk.does(&shell(&key, "make", None));
    let kept = |desk: &Desk| (desk.entries(), desk.engine.baseline("/w".into()).unwrap());
    let before = kept(&desk);
    let again = shell(&key, "make test", None);
    desk.begin(&again);
    assert_eq!((kept(&desk), desk.in_flight()), (before, 0));
    let source = AnswerSource::DemoTerminal;
    let by_person = |desk: &Desk| {
        desk.later(1);
        desk.engine
            .person_sets_baseline(None, "/w".into(), &desk.look(), Vouching::WorkTree, source)
            .unwrap()
    };
    assert!(by_person(&desk).restless.is_some());
    assert!(desk.view("/w").is_possibly_written());
    desk.result(&again, false);
    let set = by_person(&desk);
    assert!(set.restless.is_none() && !set.marked);
    assert!(!desk.view("/w").is_possibly_written());
    // And from here on it is on record again.
    desk.begin(&again);
    assert!(desk.view("/w").is_possibly_written());
    assert_eq!(desk.in_flight(), 1);
    // A path is always recorded.
    desk.begin(&new_file());
    assert_eq!(paths(&desk).len(), 2);
}
