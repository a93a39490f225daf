//! A person is asked in a real language server session, and answers, or does not.

use std::fs;

use super::{CONTAINED, assert_held_back, assert_made, assert_not_made, auto, grow, guarded};
use crate::agent::{AgentUnderTest, Session};
use crate::desk::Desk;
use crate::model::Script;

const ROWS: [&str; 2] = ["row-1.txt", "row-2.txt"];

pub(super) fn answered(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto());
    let mut desk = Desk::open(&world);
    let calls = ROWS.map(|file| grow(agent, &world, file));
    let session = Session::start(agent, &world, Script::new(calls));
    let approval = desk.approval(ROWS[0]);
    desk.approve(&approval);
    let approval = desk.approval(ROWS[1]);
    desk.deny(&approval);
    let ended = session.end();
    let [_, denied] = ended.only();
    assert_made(&world, ROWS[0], &ended);
    assert_not_made(&world, ROWS[1], &ended);
    assert!(denied.contains("did not approve"), "{denied}");
}

/// The prompt's own call is blocked. The next one finds the announcement of a
/// server that is no more: the hook decides alone, with nobody to ask.
pub(super) fn killed(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto());
    let mut desk = Desk::open(&world);
    let calls = ROWS.map(|file| grow(agent, &world, file));
    let session = Session::start(agent, &world, Script::new(calls));
    desk.approval(ROWS[0]);
    desk.kill();
    let left = fs::read_dir(world.places().runtime_dir);
    assert!(left.is_ok_and(|files| files.count() > 0), "nothing is left");
    let ended = session.end();
    let [lost, alone] = ended.only();
    assert!(lost.contains("was lost while it decided"), "{lost}");
    assert_held_back(agent, alone);
    for file in ROWS {
        assert_not_made(&world, file, &ended);
    }
}

/// The server hangs from the second prompt on; also what it would allow by itself
/// does not run then.
pub(super) fn unanswered(agent: &dyn AgentUnderTest) {
    // The hook keeps two seconds of them to answer in.
    let world = guarded(agent, &auto());
    world.hurry_hooks(5);
    let mut desk = Desk::open(&world);
    let calls = ROWS.map(|file| grow(agent, &world, file));
    let calls = calls.into_iter().chain([agent.shell(CONTAINED.0)]);
    let session = Session::start(agent, &world, Script::new(calls));
    desk.approval(ROWS[0]);
    desk.approval(ROWS[1]);
    desk.hang();
    session.wait_for_results(3);
    // What follows only tells the server that the session ends.
    desk.go_on();
    let ended = session.end();
    let [unanswered, hung, contained] = ended.only();
    assert!(unanswered.contains("nobody answered"), "{unanswered}");
    for told in [hung, contained] {
        assert!(told.contains("did not answer in time"), "{told}");
    }
    for file in ROWS.iter().chain([&CONTAINED.1]) {
        assert_not_made(&world, file, &ended);
    }
}
