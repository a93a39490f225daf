//! Modes of the agent that are configuration options: what loosens is refused, a
//! session that begins so is put right, and what no name says is told.

use super::{CONTAINED, GROWN, assert_made, assert_not_made, auto, grow, shell, until_made};
use crate::acp::agents::{AcpAgent, MODE, SILENTLY_LOOSE};
use crate::acp::client::Client;
use crate::world::World;

pub(super) fn loosening(agent: &AcpAgent) {
    let loose = agent.loose_option.unwrap_or_default();
    assert_loose_alone(agent, Some(loose));

    let world = World::new(&auto());
    let mut client = Client::behind_proxy(agent, &world, grow(agent, &world));
    let refused = client.set_option(MODE, loose);
    let error = refused.expect_err("a mode in which it does not ask");
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains("would not ask"), "{error}");
    assert_asks(&world, &mut client);
}

pub(super) fn begins_loose(agent: &AcpAgent) {
    assert_loose_alone(agent, None);

    let world = World::new(&auto());
    let mut client = Client::behind_proxy(agent, &world, grow(agent, &world));
    client.assert_told("config_option_update");
    assert_asks(&world, &mut client);
    client.assert_not_told("UNGUARDED");
}

pub(super) fn silently_loose(agent: &AcpAgent) {
    let world = World::new(&auto());
    let mut client = Client::behind_proxy(agent, &world, shell(agent, CONTAINED.0));
    client.assert_told("config_option_update");
    let set = client.set_option(MODE, SILENTLY_LOOSE);
    assert!(set.is_ok(), "{set:?}");
    let turn = client.prompt();
    client.end_of(turn);
    assert_made(&world, CONTAINED.1, &client);
    client.assert_told("UNGUARDED");
}

/// Without the proxy the agent asks nobody in this mode, or in the one in which it
/// begins.
#[track_caller]
fn assert_loose_alone(agent: &AcpAgent, mode: Option<&str>) {
    let world = World::new(&auto());
    let mut client = Client::alone(agent, &world, grow(agent, &world));
    if let Some(mode) = mode {
        let set = client.set_option(MODE, mode);
        assert!(set.is_ok(), "{set:?}");
    }
    client.prompt();
    until_made(&world, GROWN, &client);
    client.assert_not_asked();
}

/// The agent asks, and does nothing where the answer is no.
#[track_caller]
fn assert_asks(world: &World, client: &mut Client) {
    let turn = client.prompt();
    let question = client.question(GROWN);
    client.answer(&question, "reject_once");
    client.end_of(turn);
    assert_not_made(world, GROWN, client);
}
