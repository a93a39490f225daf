//! Reads the layers of a workspace and keeps them until a file changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::rules::{Reading, Scope};

use crate::assemble::assemble;
use crate::consent::{KeptTightening, WorkspaceEntry, without};
use crate::document::{Malformed, Node};
use crate::effective::{Effective, ImportFrom};
use crate::extract::{Stated, Statement, Vocabulary, extract};
use crate::file::{self, Content, Location, Stamp};
use crate::hooks::HookSurroundings;
use crate::last_good::LastGood;
use crate::layer::Layer;
use crate::merge::{Input, merge};
use crate::places::{Places, WORKSPACE_FILE};
use crate::private::StateFileError;
use crate::problem::{Problems, SettingsProblem, Severity, of_state};
use crate::table::key;
use crate::trust::{Identity, TrustStore};

/// What an editor says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EditorLayers {
    /// The user's settings of the editor.
    pub user: Option<serde_json::Value>,
    /// The workspace's settings of the editor: workspace scope, always.
    pub workspace: Option<serde_json::Value>,
    /// Whether the editor trusts the workspace, if it has the notion. `false`
    /// holds even for a folder that is trusted in the user's state.
    pub trusted: Option<bool>,
}

/// Loads settings and keeps them while no file changes.
#[derive(Debug)]
pub struct Loader {
    places: Places,
    remembers: bool,
    loaded: BTreeMap<Option<Utf8PathBuf>, Loaded>,
}

#[derive(Debug)]
struct Loaded {
    editor: EditorLayers,
    watched: Vec<(Location, Option<Stamp>)>,
    identity: Option<Identity>,
    effective: Arc<Effective>,
}

/// More workspaces than this at once are read anew.
const MOST_WORKSPACES: usize = 64;

/// Loads the settings of a workspace once.
#[must_use]
pub fn load(places: &Places, workspace: Option<&Utf8Path>, editor: &EditorLayers) -> Effective {
    let mut loader = Loader::new(places.clone());
    let effective = loader.load(workspace, editor);
    drop(loader);
    Arc::unwrap_or_clone(effective)
}

impl Loader {
    /// A loader that keeps last good contents, and what restricts a workspace,
    /// in the state folder.
    #[must_use]
    pub fn new(places: Places) -> Self {
        Self {
            places,
            remembers: true,
            loaded: BTreeMap::new(),
        }
    }

    /// A loader that writes nothing.
    #[must_use]
    pub fn reading_only(places: Places) -> Self {
        Self {
            remembers: false,
            ..Self::new(places)
        }
    }

    /// The settings that hold for a workspace. Cheap while no file changes.
    pub fn load(&mut self, workspace: Option<&Utf8Path>, editor: &EditorLayers) -> Arc<Effective> {
        let asked = workspace.map(Utf8Path::to_owned);
        let identity = workspace.and_then(|workspace| Identity::of(workspace).ok());
        if let Some(loaded) = self.loaded.get(&asked)
            && loaded.is_current(identity.as_ref(), editor)
        {
            return Arc::clone(&loaded.effective);
        }
        let mut pass = Pass::new(&self.places, self.remembers);
        let effective = Arc::new(pass.load(workspace, identity.as_ref(), editor));
        if self.loaded.len() >= MOST_WORKSPACES {
            self.loaded.clear();
        }
        self.loaded.insert(
            asked,
            Loaded {
                editor: editor.clone(),
                watched: pass.watched,
                identity,
                effective: Arc::clone(&effective),
            },
        );
        effective
    }
}

impl Loaded {
    fn is_current(&self, identity: Option<&Identity>, editor: &EditorLayers) -> bool {
        self.identity.as_ref() == identity
            && self.editor == *editor
            && self.watched.iter().all(|(location, before)| {
                before.is_none_or(|stamp| !stamp.is_recent()) && location.stamp() == *before
            })
    }
}

/// One reading of everything.
struct Pass<'p> {
    places: &'p Places,
    remembers: bool,
    last_good: LastGood,
    watched: Vec<(Location, Option<Stamp>)>,
    problems: Vec<SettingsProblem>,
    degraded: Vec<String>,
    layers: Vec<Layer>,
}

impl<'p> Pass<'p> {
    fn new(places: &'p Places, remembers: bool) -> Self {
        Self {
            places,
            remembers,
            last_good: LastGood::new(&places.state_dir, remembers),
            watched: Vec::new(),
            problems: Vec::new(),
            degraded: Vec::new(),
            layers: Vec::new(),
        }
    }

    fn load(
        &mut self,
        asked: Option<&Utf8Path>,
        identity: Option<&Identity>,
        editor: &EditorLayers,
    ) -> Effective {
        let workspace = identity.map(|identity| identity.path.clone());
        if let (Some(asked), None) = (asked, identity) {
            Problems::new(Some(asked), &mut self.problems).error(
                None,
                "the workspace folder cannot be read; nothing is inside it and nothing of it is trusted",
            );
        }
        self.read_layers(workspace.as_ref(), editor);
        let (stored, accepted) = self.trust(identity);
        let trusted = identity.is_some()
            && match editor.trusted {
                Some(trusted) => trusted,
                None => stored,
            };
        let kept_store =
            identity.map(|identity| KeptTightening::new(&self.places.state_dir, identity));
        let kept = kept_store
            .as_ref()
            .map_or_else(Vec::new, |store| self.kept(store));
        let merged = merge(
            &Input {
                layers: &self.layers,
                trusted,
                accepted: &accepted,
                kept: &kept,
                workspace: workspace.as_deref(),
            },
            &mut self.problems,
        );
        if let Some(store) = kept_store
            && self.remembers
            && !without(&merged.tightening, &kept).is_empty()
            && let Err(error) = store.add(&merged.tightening)
        {
            self.warn(&error);
        }
        let withdrawn = if trusted {
            without(&accepted, &merged.loosening)
        } else {
            Vec::new()
        };
        let degraded = (!self.degraded.is_empty()).then(|| self.degraded.join("; "));
        Effective {
            workspace,
            trusted,
            withdrawn,
            degraded,
            ..assemble(
                merged,
                &self.places.home,
                std::mem::take(&mut self.problems),
            )
        }
    }

    fn read_layers(&mut self, workspace: Option<&Utf8PathBuf>, editor: &EditorLayers) {
        let own = Vocabulary::own(false);
        let system = Location::Own(self.places.system.clone());
        let user = Location::Own(self.places.user_file());
        let home = self.places.home.clone();
        self.file(&system, Scope::System, Utf8PathBuf::from("/"), &own);
        self.file(&user, Scope::User, home.clone(), &own);
        if let Some(value) = &editor.user {
            self.editor(value, Scope::EditorUser, home, &own);
        }
        let imports = self.imports();
        for from in &imports {
            let import = from.of_user(self.places, workspace);
            self.read(
                &import.location,
                Scope::User,
                import.root,
                import.reading,
                &from.vocabulary(),
            );
        }
        let Some(folder) = workspace else {
            return;
        };
        let own = Vocabulary::own(true);
        let location = Location::Workspace {
            folder: folder.clone(),
            below: Utf8PathBuf::from(WORKSPACE_FILE),
        };
        self.file(&location, Scope::Workspace, folder.clone(), &own);
        for from in &imports {
            // A new file in it changes the folder.
            self.watch(from.workspace_folder(folder));
            for import in from.of_workspace(folder) {
                self.read(
                    &import.location,
                    Scope::Workspace,
                    import.root,
                    import.reading,
                    &from.vocabulary(),
                );
            }
        }
        if let Some(value) = &editor.workspace {
            self.editor(value, Scope::EditorWorkspace, folder.clone(), &own);
        }
    }

    /// Which agents' files the system and user layers import.
    fn imports(&self) -> Vec<ImportFrom> {
        [ImportFrom::Qwen, ImportFrom::Claude]
            .into_iter()
            .filter(|from| {
                self.layers.iter().any(|layer| {
                    matches!(
                        layer.settings.get(key::IMPORT),
                        Some(Stated::List(items)) if items.iter().any(|item| item.text == from.as_str())
                    )
                })
            })
            .collect()
    }

    fn watch(&mut self, location: Location) {
        let stamp = location.stamp();
        self.watched.push((location, stamp));
    }

    fn file(&mut self, location: &Location, scope: Scope, root: Utf8PathBuf, words: &Vocabulary) {
        self.read(location, scope, root, Reading::Countersign, words);
    }

    fn read(
        &mut self,
        location: &Location,
        scope: Scope,
        root: Utf8PathBuf,
        reading: Reading,
        vocabulary: &Vocabulary,
    ) {
        let path = location.path();
        self.watch(location.clone());
        let text = match file::read(location) {
            Content::Missing => return,
            Content::Text(text) => Ok(text),
            Content::Unusable(reason) => Err(reason),
        };
        let parsed = match &text {
            Ok(text) => Node::parse(text),
            Err(reason) => Err(Malformed {
                position: None,
                message: reason.clone(),
            }),
        };
        let is_good = matches!(parsed, Ok(Some(_)));
        let node = match parsed {
            Ok(Some(node)) => node,
            Ok(None) => match self.last_good(&path) {
                Ok(Some(node)) => {
                    Problems::new(Some(&path), &mut self.problems)
                        .error(None, "it is empty; its last good content holds");
                    node
                }
                Ok(None) => return,
                Err(()) => {
                    self.degraded.push(format!("`{path}` is empty"));
                    return;
                }
            },
            Err(Malformed { position, message }) => {
                let recalled = self.last_good(&path);
                let holds = if matches!(recalled, Ok(Some(_))) {
                    "its last good content holds"
                } else {
                    "auto-edit, auto and yolo act as default until it is mended"
                };
                Problems::new(Some(&path), &mut self.problems)
                    .error(position, format!("{message}; {holds}"));
                let Ok(Some(node)) = recalled else {
                    self.degraded.push(format!("`{path}` cannot be read"));
                    return;
                };
                node
            }
        };
        let Statement {
            mut settings,
            unclear,
        } = extract(
            &node,
            vocabulary,
            &mut Problems::new(Some(&path), &mut self.problems),
        );
        self.bind_hooks(&mut settings, scope, &root, Some(&path));
        match (unclear, &text) {
            (Some(unclear), _) => self.degraded.push(format!("{unclear} in `{path}`")),
            (None, Ok(text)) if is_good => {
                if let Err(error) = self.last_good.keep(&path, text) {
                    self.warn(&error);
                }
            }
            (None, _) => {}
        }
        self.layers.push(Layer {
            scope,
            file: Some(path),
            root,
            reading,
            settings,
        });
    }

    /// The last good content. `Err`: there may be one, and it is out of reach.
    fn last_good(&mut self, path: &Utf8Path) -> Result<Option<Node>, ()> {
        match self.last_good.recall(path) {
            Ok(Some(text)) => Node::parse(&text).map_err(|_| ()),
            Ok(None) => Ok(None),
            Err(error) => {
                self.warn(&error);
                Err(())
            }
        }
    }

    fn editor(
        &mut self,
        value: &serde_json::Value,
        scope: Scope,
        root: Utf8PathBuf,
        vocabulary: &Vocabulary,
    ) {
        let node = Node::from_json(value);
        let Statement {
            mut settings,
            unclear,
        } = extract(
            &node,
            vocabulary,
            &mut Problems::new(None, &mut self.problems),
        );
        self.bind_hooks(&mut settings, scope, &root, None);
        if let Some(unclear) = unclear {
            self.degraded
                .push(format!("{unclear} in the settings of the editor"));
        }
        self.layers.push(Layer {
            scope,
            file: None,
            root,
            reading: Reading::Countersign,
            settings,
        });
    }

    /// A workspace's hooks are accepted with the files that they name.
    fn bind_hooks(
        &mut self,
        settings: &mut BTreeMap<&'static str, Stated>,
        scope: Scope,
        root: &Utf8Path,
        file: Option<&Utf8Path>,
    ) {
        if !crate::layer::is_workspace(scope) {
            return;
        }
        let surroundings = HookSurroundings {
            home: &self.places.home,
            workspace: Some(root),
            config_dir: &self.places.config_dir,
        };
        let mut problems = Problems::new(file, &mut self.problems);
        for path in crate::hooks::bind(settings, root, surroundings, &mut problems) {
            self.watch(Location::Own(path));
        }
    }

    fn trust(&mut self, identity: Option<&Identity>) -> (bool, Vec<WorkspaceEntry>) {
        let store = TrustStore::new(self.places);
        self.watch(Location::Own(store.file()));
        let Some(identity) = identity else {
            return (false, Vec::new());
        };
        match store.find(identity) {
            Ok(Some(folder)) => (true, folder.accepted),
            Ok(None) => (false, Vec::new()),
            Err(error) => {
                self.error(&error);
                (false, Vec::new())
            }
        }
    }

    fn kept(&mut self, store: &KeptTightening) -> Vec<WorkspaceEntry> {
        self.watch(Location::Own(store.file()));
        store.read().unwrap_or_else(|error| {
            self.error(&error);
            self.degraded.push(error.to_string());
            Vec::new()
        })
    }

    fn warn(&mut self, error: &StateFileError) {
        self.problems.push(of_state(Severity::Warning, error));
    }

    fn error(&mut self, error: &StateFileError) {
        self.problems.push(of_state(Severity::Error, error));
    }
}
