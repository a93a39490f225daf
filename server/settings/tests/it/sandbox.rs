//! A user, a machine and a workspace in a temporary folder.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::rules::{RuleList, Scope};
use countersign_settings::{EditorLayers, Effective, Places, TrustStore, load};
use tempfile::TempDir;

pub(crate) struct Sandbox {
    _folder: TempDir,
    pub(crate) root: Utf8PathBuf,
    pub(crate) places: Places,
    pub(crate) workspace: Utf8PathBuf,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        let places = Places {
            system: root.join("etc/settings.json"),
            config_dir: root.join("home/.config/countersign"),
            state_dir: root.join("home/.local/state/countersign"),
            runtime_dir: root.join("run"),
            home: root.join("home"),
            relocated: true,
        };
        let workspace = root.join("work/app");
        std::fs::create_dir_all(&workspace).unwrap();
        Self {
            _folder: folder,
            root,
            places,
            workspace,
        }
    }

    pub(crate) fn system(&self, text: &str) {
        write(&self.places.system, text);
    }

    pub(crate) fn user(&self, text: &str) {
        write(&self.places.user_file(), text);
    }

    pub(crate) fn workspace(&self, text: &str) {
        write(&self.workspace_file(), text);
    }

    pub(crate) fn workspace_file(&self) -> Utf8PathBuf {
        Places::workspace_file(&self.workspace)
    }

    pub(crate) fn in_workspace(&self, name: &str, text: &str) {
        write(&self.workspace.join(name), text);
    }

    pub(crate) fn at_home(&self, name: &str, text: &str) {
        write(&self.places.home.join(name), text);
    }

    pub(crate) fn trust(&self) {
        self.store().trust(&self.workspace).unwrap();
    }

    pub(crate) fn store(&self) -> TrustStore {
        TrustStore::new(&self.places)
    }

    pub(crate) fn load(&self) -> Effective {
        self.load_with(&EditorLayers::default())
    }

    pub(crate) fn load_with(&self, editor: &EditorLayers) -> Effective {
        load(&self.places, Some(&self.workspace), editor)
    }
}

pub(crate) fn write(path: &Utf8Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// The texts of a list of rules, in order.
pub(crate) fn rules(effective: &Effective, list: RuleList) -> Vec<&str> {
    effective
        .rules
        .iter()
        .filter(|(of, _, _)| *of == list)
        .map(|(_, text, _)| text.as_str())
        .collect()
}

pub(crate) fn scope(effective: &Effective, text: &str) -> Scope {
    effective
        .rules
        .iter()
        .find(|(_, rule, _)| rule == text)
        .map(|(_, _, origin)| origin.scope)
        .unwrap()
}

/// The problems as people see them.
pub(crate) fn problems(effective: &Effective) -> Vec<String> {
    effective.problems.iter().map(ToString::to_string).collect()
}

pub(crate) fn texts(entries: &[countersign_settings::WorkspaceEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.text.as_str()).collect()
}
