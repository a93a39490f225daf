//! What the user says of telemetry, for whoever exports it.

use countersign_settings::TelemetrySettings;

use crate::service::Service;

impl Service {
    /// What the user and the machine say of telemetry: the same in every
    /// workspace. Reads settings files where they changed.
    #[must_use]
    pub fn telemetry_settings(&self) -> TelemetrySettings {
        self.guards.anywhere().effective.telemetry.clone()
    }
}
