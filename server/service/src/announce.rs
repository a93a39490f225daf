//! Being found: the announcement of this server follows what is open in its
//! editor, which modes are in force there, and when it was last used.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::redact;
use countersign_core::state::Millis;
use countersign_ipc::discovery::{Announcement, Degraded, Publication, PublishError, Root, listen};
use countersign_ipc::instance::ServerInstance;
use countersign_ipc::wire::PROTOCOL;

use tokio::task::JoinHandle;

use crate::degraded::Component;
use crate::service::Service;
use crate::socket;

/// How often the announcement is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// How old the announced activity may become before it is said anew.
const ACTIVITY_EVERY: Millis = 5_000;

/// How much is announced of what is degraded: the announcement is small.
const MOST_DEGRADED: usize = 16;
const WHY_BYTES: usize = 512;

/// Why hooks are not answered.
#[derive(Debug, thiserror::Error)]
pub enum HooksError {
    /// Nobody can find the server.
    #[error("hooks cannot find this server: {0}")]
    Publish(#[from] PublishError),
    /// Nobody can connect to it.
    #[error("hooks cannot reach this server: its socket cannot be made ({0})")]
    Listen(#[from] std::io::Error),
}

/// Announces the server and answers hooks, for as long as this runs. What is
/// removed of it meanwhile is made anew.
///
/// # Errors
/// When the runtime folder cannot be used from the start.
pub async fn answer_hooks(service: Arc<Service>, version: &str) -> Result<(), HooksError> {
    let mut presence = Presence::new(&service, version)?;
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        // An editor that just began is found at once.
        tokio::select! {
            _ = ticks.tick() => {}
            () = service.folders_changed.notified() => {}
        }
        let kept = presence.keep_up(&service, version);
        let Err(why) = kept else { continue };
        // The announcement goes before a new one can be made.
        drop(presence);
        tracing::warn!("the announcement is made anew: {why}");
        presence = loop {
            match Presence::new(&service, version) {
                Ok(presence) => {
                    service.well_again(Component::Socket);
                    break presence;
                }
                Err(error) => service.degrade(Component::Socket, &error.to_string()),
            }
            ticks.tick().await;
        };
    }
}

/// A server that hooks can find and reach, until this is dropped.
struct Presence {
    announced: Announcement,
    publication: Publication,
    serving: JoinHandle<()>,
}

impl Presence {
    fn new(service: &Arc<Service>, version: &str) -> Result<Self, HooksError> {
        let announced = announcement(service, version);
        let publication = Publication::publish(&service.places().runtime_dir, &announced)?;
        let listener = listen(&publication)?;
        Ok(Self {
            announced,
            publication,
            serving: tokio::spawn(socket::serve(Arc::clone(service), listener)),
        })
    }

    /// Says what is news; the error is why it cannot be found any more.
    fn keep_up(&mut self, service: &Service, version: &str) -> Result<(), String> {
        if self.serving.is_finished() {
            return Err("its socket failed".to_owned());
        }
        if !self.publication.is_whole() {
            return Err("somebody removed or replaced its files".to_owned());
        }
        let now = announcement(service, version);
        let is_news = now.roots != self.announced.roots
            || now.degraded != self.announced.degraded
            || now.activity - self.announced.activity >= ACTIVITY_EVERY;
        if is_news {
            let updated = self.publication.update(&now);
            updated.map_err(|error| error.to_string())?;
            self.announced = now;
        }
        Ok(())
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Service {
    /// Waits until the hooks that are connected have their answers, so long at
    /// most. Call it when nothing waits for a person any more.
    pub async fn hooks_answered(&self, within: Duration) {
        self.connections.over(within).await;
    }
}

fn announcement(service: &Service, version: &str) -> Announcement {
    Announcement {
        protocol: PROTOCOL,
        version: version.to_owned(),
        instance: ServerInstance {
            process: service.server().process.clone(),
            key: service.server().key.clone(),
        },
        // Nobody is asked before the editor is there to ask.
        roots: service
            .surface_kind()
            .map(|_| service.roots())
            .unwrap_or_default()
            .into_iter()
            .map(|folder| Root {
                mode: service.mode_at(&folder),
                folder,
            })
            .collect(),
        activity: service.activity(),
        degraded: degraded(service),
    }
}

/// For `countersign doctor`, which connects to nobody.
fn degraded(service: &Service) -> Vec<Degraded> {
    let parts = service.degraded_parts().into_iter().take(MOST_DEGRADED);
    parts
        .map(|part| Degraded {
            part: part.part.to_string(),
            since: part.since,
            why: redact::bounded(&part.why, WHY_BYTES).into_owned(),
        })
        .collect()
}
