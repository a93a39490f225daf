//! A person is asked in a real language server session.

use super::{GROWN, PATIENT, assert_made, assert_not_made, assert_told, auto, grow, guarded};
use crate::agent::{AgentUnderTest, Session, run};
use crate::desk::Desk;

pub(super) fn approved(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto(), PATIENT);
    let mut desk = Desk::open(&world);
    let session = Session::start(agent, &world, grow(agent, &world));
    let approval = desk.approval(GROWN);
    desk.approve(&approval);
    let ended = session.end();
    let _ = ended.result();
    assert_made(&world, GROWN, &ended);
}

pub(super) fn denied(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto(), PATIENT);
    let mut desk = Desk::open(&world);
    let session = Session::start(agent, &world, grow(agent, &world));
    let approval = desk.approval(GROWN);
    desk.deny(&approval);
    let ended = session.end();
    assert_told(&world, &ended, "did not approve");
    assert_not_made(&world, GROWN, &ended);
}

pub(super) fn nobody(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto(), PATIENT);
    let ended = run(agent, &world, grow(agent, &world));
    assert_told(&world, &ended, "Countersign");
    assert_not_made(&world, GROWN, &ended);
}

pub(super) fn killed(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto(), PATIENT);
    let mut desk = Desk::open(&world);
    let session = Session::start(agent, &world, grow(agent, &world));
    desk.approval(GROWN);
    desk.kill();
    let ended = session.end();
    assert_told(&world, &ended, "was lost while it decided");
    assert_not_made(&world, GROWN, &ended);
}

pub(super) fn timed_out(agent: &dyn AgentUnderTest) {
    // The hook keeps two seconds of them to answer in.
    let world = guarded(agent, &auto(), 5);
    let mut desk = Desk::open(&world);
    let session = Session::start(agent, &world, grow(agent, &world));
    desk.approval(GROWN);
    let ended = session.end();
    assert_told(&world, &ended, "nobody answered");
    assert_not_made(&world, GROWN, &ended);
}
