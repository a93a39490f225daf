//! What goes wrong in and around a hook: whatever it is, nothing runs.

use std::fs;

use super::{
    CONTAINED, GROWN, PATIENT, assert_made, assert_not_made, assert_told, auto, grow, guarded,
    shell,
};
use crate::agent::{AgentUnderTest, run};
use crate::desk::Desk;
use crate::world::World;

/// A command that would be allowed does not run with such a hook, and the model
/// is told this.
#[track_caller]
fn nothing_runs(agent: &dyn AgentUnderTest, world: &World, told: &str) {
    let ended = run(agent, world, shell(agent, CONTAINED.0));
    assert_told(world, &ended, told);
    assert_not_made(world, CONTAINED.1, &ended);
}

/// The hook of a development build ends in this way after it has read its input.
fn provoked(agent: &dyn AgentUnderTest, how: &str) {
    let world = guarded(agent, &auto(), PATIENT);
    world.hooks_run(&[&format!(r#"exec "$REAL" "$@" --provoke {how}"#)]);
    nothing_runs(agent, &world, "Countersign");
}

pub(super) fn panics(agent: &dyn AgentUnderTest) {
    provoked(agent, "panic");
}

pub(super) fn overflows(agent: &dyn AgentUnderTest) {
    provoked(agent, "overflow");
}

pub(super) fn aborts(agent: &dyn AgentUnderTest) {
    provoked(agent, "abort");
}

pub(super) fn segfaults(agent: &dyn AgentUnderTest) {
    provoked(agent, "segfault");
}

pub(super) fn rubbish(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto(), PATIENT);
    world.hooks_run(&[r#"head -c 4096 /dev/urandom | "$REAL" "$@""#]);
    nothing_runs(agent, &world, "Countersign");
}

/// A server that is gone left its announcement: the hook decides alone, and asks
/// nobody what needs asking.
pub(super) fn dead_server(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto(), PATIENT);
    let desk = Desk::open(&world);
    desk.kill();
    let left = fs::read_dir(world.places().runtime_dir);
    assert!(left.is_ok_and(|files| files.count() > 0), "nothing is left");
    let ended = run(agent, &world, grow(agent, &world));
    assert_told(&world, &ended, "Countersign");
    assert_not_made(&world, GROWN, &ended);
}

pub(super) fn hung_server(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto(), 5);
    let desk = Desk::open(&world);
    desk.hang();
    nothing_runs(agent, &world, "did not answer in time");
    desk.go_on();
}

/// The same call runs first, with room on the disk: it is the full one that stops
/// it.
pub(super) fn full_disk(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto(), PATIENT);
    let before = "touch before.txt";
    let ended = run(agent, &world, shell(agent, before));
    assert_made(&world, "before.txt", &ended);
    // No file of the hook may have a single byte.
    world.hooks_run(&[r#"ulimit -f 0; exec "$REAL" "$@""#]);
    nothing_runs(agent, &world, "Countersign");
}

pub(super) fn broken_settings(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto(), PATIENT);
    world.guard_settings(r#"{ "tools": { "approvalMode": "auto" "#);
    nothing_runs(agent, &world, "Countersign");
}

/// A state that cannot be read is not one that is empty.
pub(super) fn broken_state(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto(), PATIENT);
    world.spoil_state();
    nothing_runs(agent, &world, "Countersign");
}
