//! Agents over the Agent Client Protocol, behind `countersign acp`: a client that
//! is this test, the proxy, and the real agent behind it.

mod agents;
mod cases;
mod client;

pub use agents::AcpAgent;
pub use cases::run;
pub use client::Client;
