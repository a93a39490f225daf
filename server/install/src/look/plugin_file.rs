//! opencode's plugin: whether it is there, whole, and calls this program.

use super::{Binary, FoundHook, Looking};
use crate::command_line::HookCall;
use crate::layers::{Content, Layer};
use crate::plugin;

impl Looking<'_, '_> {
    pub(super) fn plugins(&mut self, layers: &[Layer]) {
        for layer in layers {
            match &layer.content {
                Content::Missing => {}
                Content::Unreadable(why) => self.unreadable(layer, why, true),
                Content::Text(text) => self.plugin(layer, text),
            }
        }
        let deciding = self.hooks.iter().filter(|hook| hook.decides).count();
        if deciding > 1 {
            // The plugin itself takes care that only one of them asks.
            self.warn(
                "the plugin is there for the user and for the project",
                "take one of them out, as `countersign uninstall` does",
            );
        }
    }

    fn plugin(&mut self, layer: &Layer, text: &str) {
        let path = &layer.path;
        if !plugin::is_ours(text) {
            self.unguarded(
                format!("{path} is a plugin that Countersign did not write"),
                "give it another name, and install again",
            );
            return;
        }
        let filled = plugin::read(text);
        if !plugin::is_current(text) {
            self.unguarded(
                format!("{path} is not the plugin of this version: it is older, or was changed"),
                self.install_again(),
            );
        }
        let binary = filled
            .as_ref()
            .map(|filled| (self.facts.binary)(&filled.program));
        if let Some(filled) = &filled {
            let call = HookCall {
                program: filled.program.clone(),
                ..HookCall::default()
            };
            // A missing hook blocks here: the plugin throws.
            match &binary {
                Some(Binary::This(_)) | None => {}
                Some(Binary::Other(file)) => self.warn(
                    format!("{path} calls another binary, {file}"),
                    self.install_again(),
                ),
                Some(Binary::Missing | Binary::Relative | Binary::NotRunnable) => self.warn(
                    format!(
                        "{path}: {} cannot be run, so every call is blocked",
                        call.program
                    ),
                    self.install_again(),
                ),
            }
        }
        let is_sound = !self.is_unguarded();
        self.hooks.push(FoundHook {
            event: "tool.execute.before".to_owned(),
            decides: true,
            layer: layer.kind,
            file: path.clone(),
            command: filled
                .as_ref()
                .map(|filled| filled.program.clone())
                .unwrap_or_default(),
            waits_millis: f64::from(filled.as_ref().map_or(0, |filled| filled.timeout)) * 1_000.0,
            is_sound,
            call: filled.map(|filled| HookCall {
                program: filled.program,
                agent: self.facts.profile.agent.as_str().to_owned(),
                event: Some("tool.execute.before".to_owned()),
                timeout: Some(filled.timeout),
                home: filled
                    .options
                    .iter()
                    .skip_while(|option| *option != "--home")
                    .nth(1)
                    .map(Into::into),
                ..HookCall::default()
            }),
            binary,
        });
    }
}
