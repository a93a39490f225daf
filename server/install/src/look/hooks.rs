//! The hooks that an agent's settings name, each with what speaks against it.

use countersign_core::agent::Agent;
use serde_json::Value;

use super::{Binary, FoundHook, Looking};
use crate::command_line::{HookCall, Words, is_ours};
use crate::entries::{command_of, covers};
use crate::layers::{Layer, LayerKind};
use crate::profile::Shape;
use crate::trust;
use crate::version::Version;

/// Lists of hooks by name that are not called.
const DISABLED: &[&str] = &["/hooksConfig/disabled", "/hooks/disabled"];

/// The least time in which a person can answer, in milliseconds.
const TO_ANSWER: f64 = 30_000.0;

/// An entry of ours, taken out of its file.
struct Entry {
    event: String,
    matcher: Option<Value>,
    handler: Value,
    command: String,
    /// Where it stands among the event's groups, and in its group.
    place: (usize, usize),
}

impl Looking<'_, '_> {
    pub(super) fn find_hooks(&mut self) {
        let mut found = Vec::new();
        for file in &self.files {
            if !file.layer.kind.holds_hooks() {
                continue;
            }
            let entries = self.entries(&file.value);
            found.extend(entries.into_iter().map(|entry| (file.layer, entry)));
        }
        for (layer, entry) in found {
            let hook = self.judge(layer, &entry);
            self.hooks.push(hook);
        }
    }

    fn entries(&self, settings: &Value) -> Vec<Entry> {
        let mut entries = Vec::new();
        let hooks = settings.get("hooks").and_then(Value::as_object);
        for (event, list) in hooks.into_iter().flatten() {
            let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
            for (index, item) in list.iter().enumerate() {
                let handlers: Vec<&Value> = if self.facts.profile.shape == Shape::Nested {
                    let handlers = item.get("hooks").and_then(Value::as_array);
                    handlers.into_iter().flatten().collect()
                } else {
                    vec![item]
                };
                for (inner, handler) in handlers.into_iter().enumerate() {
                    let command = command_of(handler).unwrap_or_default();
                    if !is_ours(&command, self.facts.home) {
                        continue;
                    }
                    entries.push(Entry {
                        event: event.clone(),
                        matcher: item.get("matcher").cloned(),
                        handler: handler.clone(),
                        command,
                        place: (index, inner),
                    });
                }
            }
        }
        entries
    }

    fn judge(&mut self, layer: &Layer, entry: &Entry) -> FoundHook {
        let before = self.findings.len();
        let profile = self.facts.profile;
        let known = profile
            .events
            .iter()
            .find(|event| event.name == entry.event);
        let decides = known.is_some_and(|event| event.decides);
        let words = Words::of(&entry.command, self.facts.home);
        let call = words.as_ref().and_then(HookCall::of);
        let binary = call.as_ref().map(|call| (self.facts.binary)(&call.program));
        let timeout = entry
            .handler
            .get("timeout")
            .or_else(|| entry.handler.get("timeoutSec"));
        let waits = profile.waits(timeout.and_then(Value::as_f64));
        let place = format!("{} in {}", entry.event, layer.path);
        self.judge_event(&place, entry, known.is_some());
        match &call {
            Some(call) => {
                self.judge_call(&place, call, entry);
                self.judge_binary(&place, call, binary.as_ref());
                if decides {
                    self.judge_time(&place, call, waits, timeout);
                }
            }
            None => self.unguarded(
                format!("{place}: the command does more than call the hook, so what becomes of a block is not known"),
                self.install_again(),
            ),
        }
        if decides {
            self.judge_reach(&place, entry);
        }
        let is_trusted = self.judge_switches(layer, &place, entry);
        let is_sound = is_trusted
            && !self
                .findings
                .iter()
                .skip(before)
                .any(|finding| finding.level == super::Level::Unguarded);
        FoundHook {
            event: entry.event.clone(),
            decides,
            layer: layer.kind,
            file: layer.path.clone(),
            command: entry.command.clone(),
            waits_millis: waits,
            is_sound,
            call,
            binary,
        }
    }

    fn judge_event(&mut self, place: &str, entry: &Entry, is_known: bool) {
        let profile = self.facts.profile;
        let mut known = countersign_agents::known_events(profile.agent).peekable();
        let has_adapter = known.peek().is_some();
        if !is_known && has_adapter && !known.any(|name| name == entry.event) {
            let names: Vec<&str> = profile.events.iter().map(|event| event.name).collect();
            self.unguarded(
                format!("{place}: {} has no event of that name", profile.title),
                format!(
                    "the events are {}; {}",
                    names.join(", "),
                    self.install_again()
                ),
            );
        }
        let too_new = profile
            .events
            .iter()
            .find(|event| event.name == entry.event)
            .zip(self.facts.version)
            .filter(|(event, version)| event.since > *version);
        if let Some((event, version)) = too_new {
            self.unguarded(
                format!(
                    "{place}: {} {version} is not known to know this event (it came with {}), and \
                     may leave out every hook of the file",
                    profile.title, event.since
                ),
                self.install_again(),
            );
        }
    }

    fn judge_call(&mut self, place: &str, call: &HookCall, entry: &Entry) {
        let agent = self.facts.profile.agent.as_str();
        if call.agent != agent {
            self.unguarded(
                format!(
                    "{place}: the hook is told that {:?} calls it, and this is {agent}",
                    call.agent
                ),
                self.install_again(),
            );
        }
        if call.event.as_deref() != Some(entry.event.as_str()) {
            self.unguarded(
                format!(
                    "{place}: the hook is told of the event {:?}",
                    call.event.as_deref().unwrap_or_default()
                ),
                self.install_again(),
            );
        }
        if !call.unknown.is_empty() {
            // The hook blocks every call then.
            self.warn(
                format!(
                    "{place}: the hook does not know {:?} and blocks every call",
                    call.unknown
                ),
                self.install_again(),
            );
        }
        if !call.through.is_empty() {
            self.warn(
                format!(
                    "{place}: {:?} starts the hook; what it does with a block is not known",
                    call.through
                ),
                self.install_again(),
            );
        }
    }

    fn judge_binary(&mut self, place: &str, call: &HookCall, binary: Option<&Binary>) {
        let program = &call.program;
        match binary {
            Some(Binary::This(_)) | None => {}
            Some(Binary::Other(file)) => self.warn(
                format!("{place}: calls another binary, {file}"),
                self.install_again(),
            ),
            Some(Binary::Relative) => self.unguarded(
                format!("{place}: {program} is looked for in whatever folder the agent is in"),
                self.install_again(),
            ),
            Some(Binary::Missing) => self.unguarded(
                format!("{place}: there is no {program}, and the agent goes on without it"),
                self.install_again(),
            ),
            Some(Binary::NotRunnable) => self.unguarded(
                format!("{place}: {program} cannot be run, and the agent goes on without it"),
                format!("make it a program, or {}", self.install_again()),
            ),
        }
        if !program.contains('/') && matches!(binary, Some(Binary::This(_) | Binary::Other(_))) {
            self.warn(
                format!("{place}: {program} is looked for in the search path of the agent, which may be another one"),
                self.install_again(),
            );
        }
    }

    fn judge_time(&mut self, place: &str, call: &HookCall, waits: f64, timeout: Option<&Value>) {
        let title = self.facts.profile.title;
        // What the hook assumes where its command line does not say.
        let hook = f64::from(call.timeout.unwrap_or(30)) * 1_000.0;
        let seconds = |millis: f64| format!("{} s", millis / 1_000.0);
        if waits < hook {
            let unit = match timeout.and_then(Value::as_f64) {
                Some(number) if number < 1_000.0 && waits < 1_000.0 => {
                    format!(" ({title} counts milliseconds)")
                }
                _ => String::new(),
            };
            self.unguarded(
                format!(
                    "{place}: {title} waits {}{unit}, the hook takes up to {}; a late answer is none",
                    seconds(waits),
                    seconds(hook)
                ),
                self.install_again(),
            );
        } else if hook < TO_ANSWER {
            self.warn(
                format!(
                    "{place}: {} are little time for a person to answer",
                    seconds(hook)
                ),
                self.install_again(),
            );
        }
    }

    /// Whether it is called for every tool.
    fn judge_reach(&mut self, place: &str, entry: &Entry) {
        let ignores_matchers = self.facts.profile.shape == Shape::Flat;
        let matchers = [entry.matcher.as_ref(), entry.handler.get("matcher")];
        if !ignores_matchers && !matchers.into_iter().all(covers) {
            let matcher = matchers.into_iter().flatten().next();
            self.unguarded(
                format!(
                    "{place}: the matcher {} leaves tools out",
                    matcher.map(Value::to_string).unwrap_or_default()
                ),
                format!("leave the matcher out: {}", self.install_again()),
            );
        }
        if entry
            .handler
            .get("if")
            .is_some_and(|value| !value.is_null())
        {
            self.unguarded(
                format!("{place}: `if` leaves calls out"),
                self.install_again(),
            );
        }
        if entry.handler.get("async").and_then(Value::as_bool) == Some(true) {
            self.unguarded(
                format!("{place}: `async` means that nobody waits for the answer"),
                self.install_again(),
            );
        }
        let kind = entry.handler.get("type").and_then(Value::as_str);
        let has_kind = self.facts.profile.shape != Shape::Closing;
        if has_kind && kind != Some("command") {
            self.unguarded(
                format!("{place}: its `type` is not `command`"),
                self.install_again(),
            );
        }
        let closes = entry.handler.get("failClosed").and_then(Value::as_bool) == Some(true);
        if self.facts.profile.shape == Shape::Closing && !closes {
            self.warn(
                format!("{place}: without `failClosed` the tool runs if the hook cannot be run"),
                self.install_again(),
            );
        }
    }

    /// What keeps this one hook from being called; whether it is trusted.
    fn judge_switches(&mut self, layer: &Layer, place: &str, entry: &Entry) -> bool {
        let needs_trust =
            self.facts.profile.agent == Agent::Codex && layer.kind != LayerKind::Managed;
        let is_trusted = !needs_trust || self.judge_trust(layer, place, entry);
        let names = ["name", "command"].map(|key| entry.handler.get(key).and_then(Value::as_str));
        let disabled = self.counting().into_iter().find(|file| {
            self.lists_of_disabled().iter().any(|pointer| {
                let list = file.value.pointer(pointer).and_then(Value::as_array);
                list.is_some_and(|list| {
                    list.iter()
                        .any(|name| names.contains(&name.as_str()) && name.is_string())
                })
            })
        });
        if let Some(file) = disabled {
            let path = file.layer.path.clone();
            self.unguarded(
                format!("{place}: the hook is disabled in {path}"),
                "take its name out of the list of disabled hooks",
            );
        }
        is_trusted
    }

    /// Where an agent names hooks that it does not call. Newer versions were
    /// measured not to look at the others.
    fn lists_of_disabled(&self) -> &'static [&'static str] {
        let is_before = |version: Version| self.facts.version.is_none_or(|is| is < version);
        match self.facts.profile.agent {
            Agent::Gemini if is_before(Version::new(0, 61, 0)) => DISABLED,
            Agent::Gemini => &["/hooksConfig/disabled"],
            Agent::Qwen if is_before(Version::new(0, 24, 4)) => DISABLED,
            _ => &[],
        }
    }

    fn judge_trust(&mut self, layer: &Layer, place: &str, entry: &Entry) -> bool {
        let (group, index) = entry.place;
        let real = layer
            .path
            .canonicalize_utf8()
            .unwrap_or_else(|_| layer.path.clone());
        let keys = [&layer.path, &real].map(|file| trust::key(file, &entry.event, group, index));
        self.judge_profiles(place, &keys);
        let matcher = entry.matcher.as_ref().and_then(Value::as_str);
        let hash = trust::hook_hash(&entry.event, matcher, &entry.handler);
        let config = self.facts.codex_config;
        let state = self
            .files
            .iter()
            .find(|file| file.is_toml && file.layer.path == config)
            .and_then(|file| file.value.pointer("/hooks/state"))
            .and_then(|state| keys.iter().find_map(|key| state.get(key)))
            .cloned();
        let by_hand = "run `/hooks` in Codex and trust the entries of Countersign, or run \
                       `countersign install codex --trust-hooks`";
        let get = |name: &str| state.as_ref().and_then(|state| state.get(name));
        if get("enabled").and_then(Value::as_bool) == Some(false) {
            self.unguarded(
                format!("{place}: the hook is switched off in {config}"),
                "switch it on in `/hooks` in Codex",
            );
        }
        match get("trusted_hash").and_then(Value::as_str) {
            Some(trusted) if trusted == hash => return true,
            Some(_) => self.unguarded(
                format!("{place}: the hook was changed since it was trusted, and Codex skips it"),
                by_hand,
            ),
            // Said once of all that stand there.
            None => self.unguarded(
                format!(
                    "the hooks in {} are not trusted, and Codex skips them without a word",
                    layer.path
                ),
                by_hand,
            ),
        }
        false
    }
}
