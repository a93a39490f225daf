//! Files that Python would load in place of its own modules: it looks for them in
//! the folder that it runs in first.

use countersign_core::command::Folder;
use countersign_core::effect::Touch;
use countersign_core::paths::FileKind;

use super::{Judge, Scope};
use crate::python::stands_in;

impl Judge<'_> {
    /// Why Python may load code of the folder.
    pub(super) fn stand_ins(&self, folder: &Folder, command: usize) -> Option<String> {
        let Some(at) = self.place(".", folder, Touch::List) else {
            return Some("where Python runs cannot be told".to_owned());
        };
        let path = &at.path;
        match (&at.scope, at.kind) {
            // Nothing is in a folder that is not there.
            (Scope::Unknown | Scope::Device | Scope::Sink, _) => {
                return Some(format!(
                    "it cannot be told what Python would load from {path}"
                ));
            }
            (_, FileKind::Directory | FileKind::Missing) => {}
            _ => return Some(format!("Python would run in {path}, which is no folder")),
        }
        if self.changes.replace_folder(path, command) || self.adds_to_history(command) {
            return Some(format!(
                "the command changes what is in {path}, where Python looks for modules first"
            ));
        }
        let changed = self.changes.names_in(path);
        if let Some(name) = changed
            .into_iter()
            .find(|name| stands_in(name) != Some(false))
        {
            return Some(format!(
                "the command changes {path}/{name}, which Python may load in place of its own module"
            ));
        }
        let Some(names) = self.expand("*", folder) else {
            return Some(format!(
                "{path} holds too much to tell what Python would load from it"
            ));
        };
        let is_loaded = |name: &&String| match stands_in(name) {
            Some(is_loaded) => is_loaded,
            None => self.is_package(name, folder),
        };
        names
            .iter()
            .find(is_loaded)
            .map(|name| format!("Python would load {name} in {path} in place of its own module"))
    }

    /// Whether a folder makes a package: without an `__init__`, Python's own
    /// module goes before it.
    fn is_package(&self, name: &str, folder: &Folder) -> bool {
        let pattern = format!("{name}/__init__*");
        self.expand(&pattern, folder)
            .is_none_or(|found| found.iter().any(|one| *one != pattern))
    }
}
