//! What switches hooks off as a whole.

use countersign_core::agent::Agent;
use serde_json::Value;

use super::folders::Trust;
use super::{Looking, Parsed};
use crate::layers::LayerKind;
use crate::version::Version;

/// A setting that switches every hook off.
struct Switch {
    agent: Agent,
    /// Its names; the first is today's.
    names: &'static [&'static str],
    /// The value that does.
    off: bool,
    /// The first version that was measured not to heed it.
    until: Option<Version>,
}

const SWITCHES: &[Switch] = &[
    Switch {
        agent: Agent::ClaudeCode,
        names: &["/disableAllHooks"],
        off: true,
        until: None,
    },
    Switch {
        agent: Agent::Qwen,
        names: &["/disableAllHooks"],
        off: true,
        until: None,
    },
    Switch {
        agent: Agent::Qwen,
        names: &["/hooksConfig/enabled"],
        off: false,
        until: Some(Version::new(0, 24, 4)),
    },
    Switch {
        agent: Agent::Gemini,
        names: &["/hooksConfig/enabled"],
        off: false,
        until: None,
    },
    Switch {
        agent: Agent::Gemini,
        names: &["/tools/enableHooks"],
        off: false,
        until: Some(Version::new(0, 61, 0)),
    },
    Switch {
        agent: Agent::Codex,
        names: CODEX,
        off: false,
        until: None,
    },
];

/// The names of Codex's switch.
pub(super) const CODEX: &[&str] = &["/features/hooks", "/features/codex_hooks"];

/// What a file says of a switch: its name, and the value.
pub(super) fn said<'n>(file: &Parsed<'_>, names: &[&'n str]) -> Option<(&'n str, bool)> {
    names.iter().find_map(|name| {
        let value = file.value.pointer(name)?.as_bool()?;
        Some((*name, value))
    })
}

/// A setting's name as people write it.
pub(super) fn written(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

impl Looking<'_, '_> {
    pub(super) fn find_switches(&mut self) {
        let agent = self.facts.profile.agent;
        let heeds = |switch: &&Switch| {
            let version = self.facts.version;
            let is_gone = switch
                .until
                .zip(version)
                .is_some_and(|(until, is)| is >= until);
            switch.agent == agent && !is_gone
        };
        for switch in SWITCHES.iter().filter(heeds).collect::<Vec<_>>() {
            self.find_switch(switch);
        }
        match agent {
            Agent::ClaudeCode => self.find_managed_only_of_claude(),
            Agent::Codex => self.find_managed_only_of_codex(),
            Agent::Vscode => self.find_unread_folders(),
            _ => {}
        }
    }

    fn find_switch(&mut self, switch: &Switch) {
        let strongest = |files: Vec<&Parsed<'_>>| {
            let (file, (name, value)) = files
                .into_iter()
                .rev()
                .find_map(|file| Some((file, said(file, switch.names)?)))?;
            let is_off = value == switch.off;
            is_off.then(|| (written(name), file.layer.kind, file.layer.path.clone()))
        };
        let off = switch.off;
        if let Some((name, kind, path)) = strongest(self.counting()) {
            let what = format!("`{name}` is {off} in {path}");
            let change = format!("take `{name}` out of {path}");
            // What anybody else says does not reach the machine's own hooks.
            if switch.agent == Agent::ClaudeCode && kind != LayerKind::Managed {
                self.only_the_machines(&what, &change);
            } else {
                self.unguarded(format!("every hook is off: {what}"), change);
            }
        } else if self.trust == Trust::Unknown
            && let Some((name, _, path)) = strongest(self.settings())
        {
            let title = self.facts.profile.title;
            self.warn(
                format!(
                    "every hook is off once {title} trusts this folder: `{name}` is {off} in {path}"
                ),
                format!("take `{name}` out of {path} before you trust the folder"),
            );
        }
    }

    /// No hooks are called but the machine's.
    pub(super) fn only_the_machines(&mut self, what: &str, change: &str) {
        if self.has_deciding(|kind| kind == LayerKind::Managed) {
            self.warn(
                format!("only the machine's own hooks are called: {what}"),
                change,
            );
        } else {
            self.unguarded(format!("every hook is off: {what}"), change);
        }
    }

    /// Whether a hook that decides stands in a file of such a kind.
    pub(super) fn has_deciding(&self, fits: impl Fn(LayerKind) -> bool) -> bool {
        self.hooks
            .iter()
            .any(|hook| hook.decides && fits(hook.layer))
    }

    fn find_managed_only_of_claude(&mut self) {
        let mut only = None;
        let mut locked: Option<(Value, _)> = None;
        for file in self.of_kind(LayerKind::Managed) {
            if let Some(value) = present(&file.value, "/allowManagedHooksOnly") {
                only = holds(value).then(|| file.layer.path.clone());
            }
            if let Some(value) = present(&file.value, "/strictPluginOnlyCustomization") {
                // Lists are put together; anything else replaces.
                let value = match (locked.take(), value) {
                    (Some((Value::Array(mut before), _)), Value::Array(more)) => {
                        before.extend(more.iter().cloned());
                        Value::Array(before)
                    }
                    _ => value.clone(),
                };
                locked = Some((value, file.layer.path.clone()));
            }
        }
        let locked = locked.filter(|(value, _)| match value {
            Value::Array(surfaces) => surfaces.iter().any(|surface| surface == "hooks"),
            value => holds(value),
        });
        if let Some(path) = only {
            self.managed_only("allowManagedHooksOnly", &path);
        }
        if let Some((_, path)) = locked {
            self.managed_only("strictPluginOnlyCustomization", &path);
        }
    }

    fn find_managed_only_of_codex(&mut self) {
        // In any other file it means nothing.
        let file = self
            .of_kind(LayerKind::Managed)
            .find(|file| file.layer.path.file_name() == Some("requirements.toml"));
        let path = file
            .filter(|file| file.value.get("allow_managed_hooks_only") == Some(&Value::Bool(true)))
            .map(|file| file.layer.path.clone());
        if let Some(path) = path {
            self.managed_only("allow_managed_hooks_only", &path);
        }
    }

    fn managed_only(&mut self, name: &str, path: &camino::Utf8Path) {
        if !self.has_deciding(|kind| kind == LayerKind::Managed) {
            self.unguarded(
                format!("only the machine's own hooks are called: so says `{name}` in {path}"),
                "have the administrator put the hook there",
            );
        }
    }

    /// VS Code can be told not to look into a folder of hooks.
    fn find_unread_folders(&mut self) {
        let mut unread = Vec::new();
        for file in self.of_kind(LayerKind::Switches) {
            // Settings' names have dots of their own.
            let Some(locations) = file.value.get("chat.hookFilesLocations") else {
                continue;
            };
            for (folder, is_read) in locations.as_object().into_iter().flatten() {
                let is_ours = ["/.copilot/hooks", ".github/hooks"]
                    .iter()
                    .any(|name| folder.trim_end_matches('/').ends_with(name));
                if is_ours && is_read == &Value::Bool(false) {
                    unread.push((folder.clone(), file.layer.path.clone()));
                }
            }
        }
        for (folder, path) in unread {
            self.unguarded(
                format!("`chat.hookFilesLocations` in {path} keeps VS Code from reading {folder}"),
                "take that line out",
            );
        }
    }
}

/// A value that is there and is not null.
fn present<'v>(settings: &'v Value, pointer: &str) -> Option<&'v Value> {
    settings.pointer(pointer).filter(|value| !value.is_null())
}

/// Whether Claude Code takes a value of the machine's settings for `true`: one
/// that is neither is taken for the stricter.
fn holds(value: &Value) -> bool {
    value != &Value::Bool(false) && value != "false"
}
