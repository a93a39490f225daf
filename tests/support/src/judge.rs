//! Judging many calls in one world, each in a session of its own: for tables
//! of calls that need no script.

use anyhow::{Context as _, Result};
use countersign_core::decision::Decision;
use countersign_core::state::CallEvent;
use countersign_engine::request::{Asking, Reply};

use crate::parse::Scenario;
use crate::world::{Actor, World};

/// What each call comes to, in the words of a scenario's script
/// (`shell git push`, `write F TEXT` …) and without a classifier; `None` where
/// the guard has no opinion. The scenario's own script is not played.
///
/// # Errors
/// When the world cannot be made, or a call is not understood.
pub fn judge<'a>(
    world: &Scenario,
    mode: &str,
    calls: impl Iterator<Item = &'a str>,
) -> Result<Vec<Option<Decision>>> {
    let mut world = World::new(world)?;
    world.mode = Some(mode.parse()?);
    world.classifier = false;
    world.asking = Asking::Surface;
    calls
        .enumerate()
        .map(|(index, call)| {
            let actor = Actor::parse(&format!("s{index}@p{index}"))?;
            let call = world.call(&actor, call).with_context(|| call.to_owned())?;
            Ok(match world.decide(&actor, &call, CallEvent::PreTool)? {
                Reply::Done(outcome) => Some(outcome.decision),
                Reply::NoOpinion => None,
                Reply::Classify => anyhow::bail!("there is no classifier"),
            })
        })
        .collect()
}
