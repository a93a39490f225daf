//! The export of telemetry of a server: on while the user's settings or the
//! editor's environment want it, and told in the status when it fails.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use countersign_service::{Component, Service};
use countersign_settings::TelemetrySettings;
use countersign_telemetry::config::{ConfigError, ExportConfig};
use countersign_telemetry::{Health, Pseudonyms, Telemetry};

/// How often is looked whether the settings want something else.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How long everything may take to be sent at the end.
pub(crate) const FLUSH: Duration = Duration::from_secs(2);

/// Exports as the settings say, for as long as this runs. A server that must
/// not decide has nothing to tell.
pub(crate) async fn follow(service: Arc<Service>, telemetry: Telemetry) {
    if service.refusal().is_some() {
        return;
    }
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut known = None;
    loop {
        ticks.tick().await;
        let (service, telemetry) = (Arc::clone(&service), telemetry.clone());
        let before = known.take();
        let looked = tokio::task::spawn_blocking(move || look(&service, &telemetry, before));
        match looked.await {
            Ok(now) => known = Some(now),
            Err(error) => {
                tracing::error!("telemetry is not exported any more: {error}");
                return;
            }
        }
    }
}

/// What the settings come to.
type Wanted = Result<Option<ExportConfig>, ConfigError>;

/// Begins, changes or ends the export where the settings want that.
fn look(
    service: &Arc<Service>,
    telemetry: &Telemetry,
    before: Option<(TelemetrySettings, Wanted)>,
) -> (TelemetrySettings, Wanted) {
    let settings = service.telemetry_settings();
    if let Some((known, wanted)) = before
        && known == settings
    {
        return (known, wanted);
    }
    let wanted = ExportConfig::find(&settings, &variable);
    match &wanted {
        Ok(Some(config)) => {
            if let Err(problem) = start(service, telemetry, config.clone()) {
                service.degrade(
                    Component::Export,
                    &format!("telemetry is not exported: {problem}"),
                );
            }
        }
        Ok(None) => {
            telemetry.stop(FLUSH);
            service.well_again(Component::Export);
        }
        Err(error) => {
            telemetry.stop(FLUSH);
            service.degrade(Component::Export, &error.to_string());
        }
    }
    (settings, wanted)
}

fn start(
    service: &Arc<Service>,
    telemetry: &Telemetry,
    config: ExportConfig,
) -> Result<(), String> {
    let pseudonyms = match Pseudonyms::of_machine(&service.places().state_dir) {
        Ok(pseudonyms) => Some(pseudonyms),
        Err(error) => {
            tracing::warn!("sessions in telemetry have pseudonyms for this run only: {error}");
            Pseudonyms::of_process()
        }
    };
    let status = Status {
        service: Arc::downgrade(service),
        dropped: AtomicU64::new(0),
    };
    service.well_again(Component::Export);
    telemetry.start(config, pseudonyms, FLUSH, move |health| status.tell(health))
}

/// Tells how the export does.
struct Status {
    service: Weak<Service>,
    /// What was dropped when it was last told.
    dropped: AtomicU64,
}

impl Status {
    fn tell(&self, health: &Health) {
        let Some(service) = self.service.upgrade() else {
            return;
        };
        let before = self.dropped.swap(health.dropped, Ordering::Relaxed);
        match problem(health, before) {
            Some(problem) => service.degrade(Component::Export, &problem),
            None => service.well_again(Component::Export),
        }
    }
}

/// What is wrong with the export, if something is.
fn problem(health: &Health, dropped_before: u64) -> Option<String> {
    let dropped = match health.dropped {
        0 => String::new(),
        count => format!("; {count} spans and log records were dropped"),
    };
    match &health.failing {
        Some(failing) => Some(format!(
            "telemetry is not exported: {}{dropped}; check the collector, or telemetry.endpoint \
             and the OTEL_* variables of your editor",
            failing.why
        )),
        None if health.dropped > dropped_before => Some(format!(
            "telemetry is exported with gaps{dropped}; the collector is too slow"
        )),
        None => None,
    }
}

/// Only in a server, which refuses to work where an agent started it: an agent
/// must not say where to.
#[expect(
    clippy::disallowed_methods,
    reason = "the variables of the person's own editor"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use countersign_telemetry::Failing;

    use super::*;

    #[test]
    fn what_is_dropped_is_told_until_nothing_is_dropped_any_more() {
        let mut health = Health::default();
        assert_eq!(problem(&health, 0), None);
        health.dropped = 7;
        let gaps = problem(&health, 3).unwrap();
        assert!(
            gaps.contains("7 spans and log records were dropped"),
            "{gaps}"
        );
        assert_eq!(problem(&health, 7), None);
        health.failing = Some(Failing {
            since: SystemTime::UNIX_EPOCH,
            why: "the collector answered with status 500".to_owned(),
        });
        let failing = problem(&health, 7).unwrap();
        assert!(failing.contains("status 500; 7 spans"), "{failing}");
    }
}
