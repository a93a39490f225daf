//! Codex's profiles: settings for the sessions that are started with one. What
//! switches hooks off in one is of the user's own making and for these sessions
//! alone, so it is a warning that names the profile.

use camino::Utf8Path;
use countersign_core::agent::Agent;
use serde_json::Value;

use super::Looking;
use super::switches::{CODEX, said, written};
use crate::layers::LayerKind;
use crate::version::Version;

/// How the names of profiles' files end.
const ENDING: &str = ".config.toml";

/// The first version in which profiles are files, and no tables.
const FILES: Version = Version::new(0, 134, 0);

/// The name of the profile that is in a file.
fn profile_of(file: &Utf8Path) -> Option<String> {
    Some(file.file_name()?.strip_suffix(ENDING)?.to_owned())
}

impl Looking<'_, '_> {
    pub(super) fn find_profiles(&mut self) {
        if self.facts.profile.agent == Agent::Codex {
            self.find_profile_files();
            self.find_profile_tables();
        }
    }

    fn find_profile_files(&mut self) {
        // What the machine pins, no profile changes.
        let mut machine = self.of_kind(LayerKind::Managed);
        let is_pinned = machine.any(|file| {
            let pins = ["managed_config.toml", "requirements.toml"];
            let is_strong = file
                .layer
                .path
                .file_name()
                .is_some_and(|name| pins.contains(&name));
            is_strong && said(file, CODEX).is_some()
        });
        drop(machine);
        let off: Vec<(String, String, _)> = self
            .of_kind(LayerKind::Profile)
            .filter(|_| !is_pinned)
            .filter_map(|file| {
                let name = profile_of(&file.layer.path)?;
                let (switch, is_on) = said(file, CODEX)?;
                (!is_on).then(|| (name, written(switch), file.layer.path.clone()))
            })
            .collect();
        for (name, switch, path) in off {
            self.warn(
                format!(
                    "sessions with `--profile {name}` call no hook: `{switch}` is false in {path}"
                ),
                format!("take `{switch}` out of {path}"),
            );
        }
    }

    /// Newer versions do not start with such a table's name.
    fn find_profile_tables(&mut self) {
        if self.facts.version.is_some_and(|version| version >= FILES) {
            return;
        }
        let mut off = Vec::new();
        let mut chosen = None;
        for file in self.counting() {
            let said = file.value.get("profile").and_then(Value::as_str);
            chosen = said.map(str::to_owned).or(chosen);
            let profiles = file.value.get("profiles").and_then(Value::as_object);
            for (name, settings) in profiles.into_iter().flatten() {
                let is_off = |switch: &&&str| settings.pointer(switch) == Some(&Value::Bool(false));
                if let Some(switch) = CODEX.iter().find(is_off) {
                    off.push((name.clone(), written(switch), file.layer.path.clone()));
                }
            }
        }
        for (name, switch, path) in off {
            let setting = format!("profiles.{name}.{switch}");
            let change = format!("take `{setting}` out of {path}");
            if chosen.as_ref() == Some(&name) {
                self.unguarded(
                    format!("every hook is off: `{setting}` is false in {path}"),
                    change,
                );
            } else {
                self.warn(
                    format!("sessions with `--profile {name}` call no hook: `{setting}` is false in {path}"),
                    change,
                );
            }
        }
    }

    /// A profile that switches one hook off.
    pub(super) fn judge_profiles(&mut self, place: &str, keys: &[String]) {
        let off: Vec<(String, _)> = self
            .of_kind(LayerKind::Profile)
            .filter(|file| {
                let state = file.value.pointer("/hooks/state");
                keys.iter().any(|key| {
                    let hook = state.and_then(|state| state.get(key));
                    hook.and_then(|hook| hook.get("enabled")) == Some(&Value::Bool(false))
                })
            })
            .filter_map(|file| {
                let name = profile_of(&file.layer.path)?;
                Some((name, file.layer.path.clone()))
            })
            .collect();
        for (name, path) in off {
            self.warn(
                format!("{place}: sessions with `--profile {name}` do not call the hook: it is switched off in {path}"),
                format!("take its `enabled` out of {path}"),
            );
        }
    }
}
