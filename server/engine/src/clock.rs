//! Time, as a port: tests and the demo bring their own.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign_core::state::Millis;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch.
    fn now(&self) -> Millis;
}

/// The system's clock. It may jump; nothing but the age of rows depends on it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|since| Millis::try_from(since.as_millis()).ok())
            .unwrap_or(0)
    }
}
