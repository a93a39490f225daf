//! What is taken over from other agents' settings files: their permission
//! lists and auto mode hints, and nothing else.

use camino::Utf8PathBuf;
use countersign_core::rules::Reading;

use crate::descriptor::Descriptor;
use crate::effective::ImportFrom;
use crate::extract::Vocabulary;
use crate::file::{self, Location};
use crate::places::Places;
use crate::table::key;

/// Settings files of an agent below one folder.
pub(crate) struct Import {
    pub(crate) location: Location,
    /// The folder that its root-relative paths begin at.
    pub(crate) root: Utf8PathBuf,
    pub(crate) reading: Reading,
}

const PERMISSIONS: [(&str, &str); 3] = [
    ("permissions.allow", key::ALLOW),
    ("permissions.ask", key::ASK),
    ("permissions.deny", key::DENY),
];

const QWEN_HINTS: [(&str, &str); 4] = [
    ("permissions.autoMode.hints.allow", key::HINTS_ALLOW),
    ("permissions.autoMode.hints.softDeny", key::HINTS_SOFT_DENY),
    ("permissions.autoMode.hints.hardDeny", key::HINTS_HARD_DENY),
    ("permissions.autoMode.hints.deny", key::HINTS_DENY),
];

const CLAUDE_HINTS: [(&str, &str); 3] = [
    ("autoMode.allow", key::HINTS_ALLOW),
    ("autoMode.soft_deny", key::HINTS_SOFT_DENY),
    ("autoMode.hard_deny", key::HINTS_HARD_DENY),
];

impl ImportFrom {
    /// Where that agent's files keep what is taken over.
    pub(crate) fn vocabulary(self) -> Vocabulary {
        let hints: &[(&str, &str)] = match self {
            Self::Qwen => &QWEN_HINTS,
            Self::Claude => &CLAUDE_HINTS,
        };
        Vocabulary {
            words: PERMISSIONS
                .iter()
                .chain(hints)
                .filter_map(|(path, key)| Descriptor::find(key).map(|setting| (*path, setting)))
                .collect(),
            closed: false,
            filler: Some("$defaults"),
            // It names nothing that a workspace may not.
            of_workspace: false,
        }
    }

    const fn folder(self) -> &'static str {
        match self {
            Self::Qwen => ".qwen",
            Self::Claude => ".claude",
        }
    }

    const fn reading(self) -> Reading {
        match self {
            Self::Qwen => Reading::Qwen,
            Self::Claude => Reading::Claude,
        }
    }

    /// The user's file. Claude reads root-relative paths of it from its own
    /// folder, Qwen from the workspace.
    pub(crate) fn of_user(self, places: &Places, workspace: Option<&Utf8PathBuf>) -> Import {
        let folder = places.home.join(self.folder());
        let root = match self {
            Self::Claude => folder.clone(),
            Self::Qwen => workspace.unwrap_or(&places.home).clone(),
        };
        Import {
            location: Location::Own(folder.join("settings.json")),
            root,
            reading: self.reading(),
        }
    }

    /// The folder of that agent in a workspace.
    pub(crate) fn workspace_folder(self, workspace: &Utf8PathBuf) -> Location {
        Location::Workspace {
            folder: workspace.clone(),
            below: Utf8PathBuf::from(self.folder()),
        }
    }

    /// The files of a workspace.
    pub(crate) fn of_workspace(self, workspace: &Utf8PathBuf) -> Vec<Import> {
        let names = match self {
            Self::Claude => vec!["settings.json".to_owned(), "settings.local.json".to_owned()],
            Self::Qwen => file::settings_files(&workspace.join(self.folder())),
        };
        names
            .into_iter()
            .map(|name| Import {
                location: Location::Workspace {
                    folder: workspace.clone(),
                    below: Utf8PathBuf::from(self.folder()).join(name),
                },
                root: workspace.clone(),
                reading: self.reading(),
            })
            .collect()
    }
}
