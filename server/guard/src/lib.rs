//! The guard as whoever decides calls needs it, a server or a hook by itself:
//! what holds in a folder, an engine over a store, what an event of an agent is
//! to that engine and what its decision is to the agent.

mod broken;
mod events;
mod guard;

pub use broken::Broken;
pub use events::{agent_event, answer_of, asking_without_surface};
pub use guard::{Ground, Guard, engine, host, places, valid_beginning};
