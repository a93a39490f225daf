//! Being found: the announcement of this server follows what is open in its
//! editor, which modes are in force there, and when it was last used.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::state::Millis;
use countersign_ipc::discovery::{Announcement, Publication, PublishError, Root, listen};
use countersign_ipc::instance::ServerInstance;
use countersign_ipc::wire::PROTOCOL;

use crate::service::Service;
use crate::socket;

/// How often the announcement is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// How old the announced activity may become before it is said anew.
const ACTIVITY_EVERY: Millis = 5_000;

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

/// Announces the server and answers hooks, for as long as this runs. Returns
/// only if nobody can be answered.
///
/// # Errors
/// When the runtime folder cannot be used.
pub async fn answer_hooks(service: Arc<Service>, version: &str) -> Result<(), HooksError> {
    let mut announced = announcement(&service, version);
    let mut publication = Publication::publish(&service.places().runtime_dir, &announced)?;
    let listener = listen(&publication)?;
    let mut serving = tokio::spawn(socket::serve(Arc::clone(&service), listener));
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = &mut serving => return Ok(()),
            _ = ticks.tick() => {}
        }
        let now = announcement(&service, version);
        let is_news =
            now.roots != announced.roots || now.activity - announced.activity >= ACTIVITY_EVERY;
        if !is_news {
            continue;
        }
        match publication.update(&now) {
            Ok(()) => announced = now,
            Err(error) => {
                // Somebody removed the folder: the socket went with it.
                tracing::warn!("the announcement is made anew: {error}");
                serving.abort();
                drop(publication);
                publication = Publication::publish(&service.places().runtime_dir, &now)?;
                let listener = listen(&publication)?;
                serving = tokio::spawn(socket::serve(Arc::clone(&service), listener));
                announced = now;
            }
        }
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
        roots: service
            .roots()
            .into_iter()
            .map(|folder| Root {
                mode: service.mode_at(&folder),
                folder,
            })
            .collect(),
        activity: service.activity(),
    }
}
