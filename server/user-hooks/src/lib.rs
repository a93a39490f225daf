//! Runs what people hooked to events: programs and addresses, each within its
//! time and size, in surroundings that no agent can set.
