//! What switches hooks off as a whole, and what is missing among them.

use countersign_core::agent::Agent;
use serde_json::Value;

use super::Looking;
use crate::layers::LayerKind;

/// Settings that switch every hook off, by the value that does.
const SWITCHES: &[(Agent, &str, bool)] = &[
    (Agent::ClaudeCode, "/disableAllHooks", true),
    (Agent::Qwen, "/disableAllHooks", true),
    (Agent::Qwen, "/hooksConfig/enabled", false),
    (Agent::Gemini, "/hooksConfig/enabled", false),
    (Agent::Gemini, "/tools/enableHooks", false),
    (Agent::Codex, "/features/hooks", false),
    (Agent::Codex, "/features/codex_hooks", false),
];

/// Settings of an administrator that leave only the machine's own hooks.
const MANAGED_ONLY: &[(Agent, &str)] = &[
    (Agent::ClaudeCode, "/allowManagedHooksOnly"),
    (Agent::Codex, "/allow_managed_hooks_only"),
];

impl Looking<'_, '_> {
    pub(super) fn find_switches(&mut self) {
        if self.hooks.is_empty() {
            return;
        }
        let agent = self.facts.profile.agent;
        for (_, pointer, off) in SWITCHES.iter().filter(|(of, ..)| *of == agent) {
            // The strongest file that says anything counts.
            let said = self.files.iter().rev().find_map(|file| {
                let value = file.value.pointer(pointer)?.as_bool()?;
                Some((value, file.layer.path.clone()))
            });
            if let Some((value, path)) = said
                && value == *off
            {
                let name = pointer.trim_start_matches('/').replace('/', ".");
                self.unguarded(
                    format!("every hook is off: `{name}` is {value} in {path}"),
                    format!("take `{name}` out of {path}"),
                );
            }
        }
        for (_, pointer) in MANAGED_ONLY.iter().filter(|(of, _)| *of == agent) {
            let said = self.files.iter().find(|file| {
                let value = file.value.pointer(pointer).and_then(Value::as_bool);
                file.layer.kind == LayerKind::Managed && value == Some(true)
            });
            let path = said.map(|file| file.layer.path.clone());
            let is_managed = |hook: &super::FoundHook| hook.layer == LayerKind::Managed;
            if let Some(path) = path
                && !self
                    .hooks
                    .iter()
                    .any(|hook| hook.decides && is_managed(hook))
            {
                self.unguarded(
                    format!("only the machine's own hooks are called, says {path}"),
                    "have the administrator put the hook there",
                );
            }
        }
        if agent == Agent::Vscode {
            self.find_unread_folders();
        }
    }

    /// VS Code can be told not to look into a folder of hooks.
    fn find_unread_folders(&mut self) {
        let mut unread = Vec::new();
        for file in &self.files {
            if file.layer.kind != LayerKind::Switches {
                continue;
            }
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

    /// Whether every event at which calls are decided has a hook, and only one.
    pub(super) fn find_gaps(&mut self) {
        if self.hooks.is_empty() {
            return;
        }
        let profile = self.facts.profile;
        let missing: Vec<&str> = profile
            .known_events(self.facts.version)
            .filter(|event| !self.hooks.iter().any(|hook| hook.event == event.name))
            .map(|event| event.name)
            .collect();
        let (deciding, telling): (Vec<&str>, Vec<&str>) = missing.into_iter().partition(|name| {
            profile
                .events
                .iter()
                .any(|event| event.name == *name && event.decides)
        });
        // The first one sees every call; the others spare prompts.
        let first = profile.events.iter().find(|event| event.decides);
        for name in deciding {
            let text = format!("{name} has no hook of Countersign");
            if first.is_some_and(|event| event.name == name) || profile.entry_closes() {
                self.unguarded(text, self.install_again());
            } else {
                self.warn(
                    format!("{text}: the agent asks where it need not"),
                    self.install_again(),
                );
            }
        }
        if !telling.is_empty() {
            self.warn(
                format!(
                    "{} have no hook of Countersign: results and turns are not seen",
                    telling.join(", ")
                ),
                self.install_again(),
            );
        }
        let mut twice: Vec<&str> = Vec::new();
        for (index, hook) in self.hooks.iter().enumerate() {
            let is_again = self
                .hooks
                .iter()
                .take(index)
                .any(|other| other.event == hook.event);
            if is_again && !twice.contains(&hook.event.as_str()) {
                twice.push(&hook.event);
            }
        }
        if !twice.is_empty() {
            let files: std::collections::BTreeSet<&str> =
                self.hooks.iter().map(|hook| hook.file.as_str()).collect();
            let text = format!(
                "{} call the hook twice, from {}",
                twice.join(", "),
                files.into_iter().collect::<Vec<_>>().join(" and ")
            );
            self.warn(
                text,
                "take one of them out, as `countersign uninstall` does",
            );
        }
    }
}
