//! Why a payload is not understood: always with the field and, where there is
//! one, the remedy, because the agent's user reads it.

use countersign_core::agent::Agent;

/// A payload that cannot be understood. It is never an allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The agent has no event of this name.
    #[error("{agent} has no hook event `{event}`; it has {known}")]
    UnknownEvent {
        /// The agent.
        agent: Agent,
        /// What `--event` said.
        event: String,
        /// The agent's events, for people.
        known: String,
    },
    /// `--event` and the payload name different events.
    #[error("the hook was called with --event {argument}, but the payload is of {payload}")]
    EventMismatch {
        /// What `--event` said.
        argument: String,
        /// What the payload says.
        payload: String,
    },
    /// The payload is another agent's.
    #[error("this is {caller}'s payload; the hook that was called is for {agent}")]
    ForeignPayload {
        /// Who sent it.
        caller: &'static str,
        /// Whom the hook is for.
        agent: Agent,
    },
    /// The payload is too large.
    #[error("the payload is larger than {limit} bytes")]
    TooLarge {
        /// The largest accepted size, in bytes.
        limit: usize,
    },
    /// The payload is not JSON, or JSON that two parsers may read differently.
    #[error("the payload is not plain JSON: {reason}")]
    NotJson {
        /// What the parser says.
        reason: String,
    },
    /// A field is missing.
    #[error("`{field}` is missing")]
    Missing {
        /// The field.
        field: String,
    },
    /// A field has another type.
    #[error("`{field}` is {found} and not {expected}")]
    WrongType {
        /// The field.
        field: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A field has the right type and a value that cannot be.
    #[error("`{field}` {reason}")]
    Invalid {
        /// The field.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A patch that cannot be understood.
    #[error("the patch in `{field}` cannot be understood at line {line}: {reason}")]
    Patch {
        /// The field that holds the patch.
        field: String,
        /// The line in the patch, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
}
