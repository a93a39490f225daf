//! What holds in each folder, compiled once and kept while no settings file
//! changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::mode::ApprovalMode;
use countersign_engine::host::Host;
use countersign_guard::{Ground, Guard};
use countersign_settings::{EditorLayers, Effective, Loader, Places};

use crate::service::lock;

/// How long what is known of mounted file systems is believed.
const MOUNTS_FOR: Duration = Duration::from_secs(1);

/// More at once are compiled anew.
const MOST: usize = 256;

/// Guards by where a session began, where it is now, and what is remembered.
pub(crate) struct Guards {
    places: Places,
    loader: Mutex<Loader>,
    editor: Mutex<Arc<EditorSettings>>,
    host: Mutex<(Instant, Arc<Host>)>,
    kept: Mutex<HashMap<Key, Arc<Guard>>>,
}

/// What an editor said of its own settings and folders.
#[derive(Debug, Clone, Default)]
pub(crate) struct EditorSettings {
    /// The canonical folders that are open in it.
    pub(crate) roots: Vec<Utf8PathBuf>,
    /// Its settings.
    pub(crate) layers: EditorLayers,
}

impl EditorSettings {
    /// The editor's settings as far as they speak of a workspace: those of the
    /// user everywhere, those of its folders only there.
    fn of(&self, workspace: Option<&Utf8Path>) -> EditorLayers {
        let is_open = workspace.is_some_and(|workspace| {
            self.roots
                .iter()
                .any(|root| workspace.starts_with(root) || root.starts_with(workspace))
        });
        // A folder around the one that is open was not trusted in the editor.
        let is_root = workspace
            .is_some_and(|workspace| self.roots.iter().any(|root| workspace.starts_with(root)));
        EditorLayers {
            user: self.layers.user.clone(),
            workspace: self.layers.workspace.clone().filter(|_| is_open),
            trusted: match self.layers.trusted {
                Some(true) if is_root => Some(true),
                Some(false) if is_open => Some(false),
                Some(_) | None => None,
            },
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    began_in: Option<Utf8PathBuf>,
    here: Option<Utf8PathBuf>,
    rules: Vec<String>,
    tighten: Option<ApprovalMode>,
}

impl Guards {
    pub(crate) fn new(places: Places) -> Self {
        Self {
            loader: Mutex::new(Loader::new(places.clone())),
            host: Mutex::new((Instant::now(), Arc::new(countersign_guard::host(&places)))),
            places,
            editor: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// What holds in `folder` for a session that began in `began_in` and for
    /// which these rules are remembered.
    pub(crate) fn get(
        &self,
        began_in: Option<Utf8PathBuf>,
        folder: &Utf8Path,
        rules: &[String],
        tighten: Option<ApprovalMode>,
    ) -> Arc<Guard> {
        let host = self.host();
        let here = host.workspace_of(folder, &self.places.home);
        let began_in =
            countersign_guard::valid_beginning(began_in, here.as_deref(), &host, &self.places);
        self.at(began_in, here, rules, tighten, host)
    }

    /// What holds for a whole workspace.
    pub(crate) fn of_workspace(&self, workspace: &Utf8Path) -> Arc<Guard> {
        self.at(None, Some(workspace.to_owned()), &[], None, self.host())
    }

    /// What holds in no workspace.
    pub(crate) fn anywhere(&self) -> Arc<Guard> {
        self.at(None, None, &[], None, self.host())
    }

    fn at(
        &self,
        began_in: Option<Utf8PathBuf>,
        here: Option<Utf8PathBuf>,
        rules: &[String],
        tighten: Option<ApprovalMode>,
        host: Arc<Host>,
    ) -> Arc<Guard> {
        let editor = Arc::clone(&lock(&self.editor));
        let ground = Ground::find(
            &mut lock(&self.loader),
            here.clone(),
            began_in.clone(),
            &|workspace| editor.of(workspace),
        );
        let key = Key {
            began_in,
            here,
            rules: rules.to_vec(),
            tighten,
        };
        if let Some(known) = lock(&self.kept).get(&key)
            && ground.is_still(known)
        {
            return Arc::clone(known);
        }
        let made = Arc::new(ground.guard(&self.places, host, rules, tighten));
        let mut kept = lock(&self.kept);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&made));
        made
    }

    /// What the editor says from now on.
    pub(crate) fn set_editor(&self, settings: EditorSettings) {
        *lock(&self.editor) = Arc::new(settings);
    }

    /// What the editor said last.
    pub(crate) fn editor(&self) -> Arc<EditorSettings> {
        Arc::clone(&lock(&self.editor))
    }

    /// The file system as it is mounted now.
    pub(crate) fn host(&self) -> Arc<Host> {
        let mut host = lock(&self.host);
        if host.0.elapsed() > MOUNTS_FOR {
            let now = countersign_guard::host(&self.places).with_repositories_of(&host.1);
            *host = (Instant::now(), Arc::new(now));
        }
        Arc::clone(&host.1)
    }

    /// The settings of a workspace.
    pub(crate) fn effective(&self, workspace: &Utf8Path) -> Arc<Effective> {
        Arc::clone(&self.of_workspace(workspace).effective)
    }
}
