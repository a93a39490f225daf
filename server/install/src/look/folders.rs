//! Whether the agent trusts the folder. In one that it does not trust it leaves
//! out what came with the project, and Gemini CLI calls no hook at all.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use serde_json::Value;

use super::Looking;
use crate::layers::LayerKind;

/// Whether the agent trusts the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// It does, or does not ask.
    Trusted,
    /// Nobody has said: it asks the person at the start.
    Unknown,
    /// It does not.
    Untrusted,
}

impl Trust {
    const fn of(is_trusted: bool) -> Self {
        if is_trusted {
            Self::Trusted
        } else {
            Self::Untrusted
        }
    }
}

impl Looking<'_, '_> {
    pub(super) fn folder_trust(&self) -> Trust {
        let Some(workspace) = self.facts.workspace else {
            return Trust::Trusted;
        };
        let variable = |name: &str| (self.facts.variable)(name);
        match self.facts.profile.agent {
            Agent::Gemini => {
                let said = variable("GEMINI_CLI_TRUST_WORKSPACE");
                if variable("GEMINI_RESTRICTED_MODE").as_deref() == Some("true") {
                    return Trust::Untrusted;
                }
                match said.as_deref() {
                    Some("false") => Trust::Untrusted,
                    Some("true") => Trust::Trusted,
                    _ if !self.asks_for_trust(true) => Trust::Trusted,
                    // The longest rule counts. Where there is none it asks, and
                    // runs nothing before it is trusted.
                    _ => match self.by_rules(workspace, |rule, _| rule.as_str().len()) {
                        Trust::Unknown => Trust::Trusted,
                        said => said,
                    },
                }
            }
            Agent::Qwen if self.asks_for_trust(false) => {
                // The deepest folder counts.
                self.by_rules(workspace, |_, folder| folder.components().count())
            }
            Agent::Codex => self.by_projects(workspace),
            _ => Trust::Trusted,
        }
    }

    /// Whether folders are trusted one by one. A project has no say in it.
    fn asks_for_trust(&self, where_nothing_is_said: bool) -> bool {
        let said = self.settings().into_iter().rev().find_map(|file| {
            let value = file.value.pointer("/security/folderTrust/enabled");
            value?
                .as_bool()
                .filter(|_| !file.layer.kind.is_of_project())
        });
        said.unwrap_or(where_nothing_is_said)
    }

    /// By what a person said of this folder or one above it; of two that weigh
    /// the same the stricter counts.
    fn by_rules(
        &self,
        workspace: &Utf8Path,
        weight: impl Fn(&Utf8Path, &Utf8Path) -> usize,
    ) -> Trust {
        let here = both(workspace);
        let mut found: Option<(usize, bool)> = None;
        for file in self.of_kind(LayerKind::Folders) {
            for (rule, level) in file.value.as_object().into_iter().flatten() {
                let rule = Utf8Path::new(rule);
                let (folder, trusts) = match level.as_str() {
                    Some("TRUST_FOLDER") => (rule, true),
                    Some("TRUST_PARENT") => (rule.parent().unwrap_or(rule), true),
                    Some("DO_NOT_TRUST") => (rule, false),
                    _ => continue,
                };
                let covers = both(folder)
                    .iter()
                    .any(|folder| here.iter().any(|here| here.starts_with(folder)));
                let weight = weight(rule, folder);
                let is_stronger = found.is_none_or(|(most, trusted)| {
                    weight > most || (weight == most && trusted && !trusts)
                });
                if covers && is_stronger {
                    found = Some((weight, trusts));
                }
            }
        }
        found.map_or(Trust::Unknown, |(_, trusts)| Trust::of(trusts))
    }

    /// As Codex keeps it, among its settings.
    fn by_projects(&self, workspace: &Utf8Path) -> Trust {
        let here = both(workspace);
        let said = self.settings().into_iter().rev().find_map(|file| {
            let projects = file
                .value
                .get("projects")
                .filter(|_| !file.layer.kind.is_of_project())?;
            here.iter().find_map(|folder| {
                let level = projects.get(folder.as_str())?.get("trust_level");
                level.and_then(Value::as_str)
            })
        });
        said.map_or(Trust::Unknown, |level| Trust::of(level == "trusted"))
    }

    /// What follows for the hooks from a folder that is not trusted.
    pub(super) fn find_distrust(&mut self) {
        let Some(workspace) = self.facts.workspace else {
            return;
        };
        let title = self.facts.profile.title;
        match (self.facts.profile.agent, self.trust) {
            (Agent::Gemini, Trust::Untrusted) => self.unguarded(
                format!("{title} does not trust {workspace}, and calls no hook in it"),
                "trust the folder with `/permissions` in Gemini CLI, or leave it alone: it asks \
                 before every tool there",
            ),
            (Agent::Codex | Agent::Qwen, Trust::Unknown | Trust::Untrusted)
                if self.has_deciding(LayerKind::is_of_project) =>
            {
                let text =
                    format!("{title} does not trust {workspace}, and calls no hook of the project");
                let change = format!("start {title} in it and trust it");
                if self.has_deciding(|kind| !kind.is_of_project()) {
                    self.warn(text, change);
                } else {
                    self.unguarded(text, format!("{change}, or {}", self.install_again()));
                }
            }
            _ => {}
        }
    }
}

/// A folder under the name that it was given, and without links.
fn both(folder: &Utf8Path) -> [Utf8PathBuf; 2] {
    let real = folder.canonicalize_utf8();
    [
        folder.to_owned(),
        real.unwrap_or_else(|_| folder.to_owned()),
    ]
}
