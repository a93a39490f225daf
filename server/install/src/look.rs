//! Whether an agent's hook really guards: read from every file in which the
//! agent looks. A hook that is disabled, shadowed, untrusted, too slow, or not
//! this program is no guard.

mod folders;
mod gaps;
mod hooks;
mod misfits;
mod plugin_file;
mod profiles;
mod readers;
mod switches;
mod variables;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use serde::Serialize;
use serde_json::Value;

use folders::Trust;

use crate::command_line::HookCall;
use crate::layers::{Content, Layer, LayerKind};
use crate::profile::{Profile, Shape};
use crate::version::Version;
use crate::{document, trust};

/// What a hook's command starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binary {
    /// This program.
    This(Utf8PathBuf),
    /// Another one of its name.
    Other(Utf8PathBuf),
    /// A file in the folder that the agent happens to be in.
    Relative,
    /// Nothing: there is no such file.
    Missing,
    /// A file that cannot be run.
    NotRunnable,
}

/// What is known beside the settings.
pub struct Facts<'a> {
    /// The agent.
    pub profile: &'static Profile,
    /// Its installed version, if that is known.
    pub version: Option<Version>,
    /// Whether the user has it: its program or its folder is there.
    pub is_here: bool,
    /// The user's home folder.
    pub home: &'a Utf8Path,
    /// Where Codex keeps what it trusts.
    pub codex_config: &'a Utf8Path,
    /// The folder of the project, if there is one.
    pub workspace: Option<&'a Utf8Path>,
    /// The variables with which the agent is started.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// What the first word of a command line starts.
    pub binary: &'a dyn Fn(&str) -> Binary,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// It guards, and could do better.
    Warning,
    /// Calls run unguarded.
    Unguarded,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was found, and where.
    pub text: String,
    /// What to change; empty where nothing is to be.
    pub change: String,
}

/// Whether the agent's calls are guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The agent is not there, and neither is a hook.
    Absent,
    /// It is there, and no hook of ours.
    NotInstalled,
    /// A hook is there that does not guard.
    Unguarded,
    /// Calls are guarded.
    Guarded,
}

/// A hook of ours.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundHook {
    /// The agent's name of the event.
    pub event: String,
    /// Whether calls are decided at it.
    pub decides: bool,
    /// Who wrote it.
    pub layer: LayerKind,
    /// The file it stands in.
    pub file: Utf8PathBuf,
    /// Its command line.
    pub command: String,
    /// How long the agent waits for it, in milliseconds.
    pub waits_millis: f64,
    /// Whether nothing speaks against it.
    pub is_sound: bool,
    /// What the command line says; none where it does more than that.
    #[serde(skip)]
    pub call: Option<HookCall>,
    /// What it starts.
    #[serde(skip)]
    pub binary: Option<Binary>,
}

/// What was found of an agent.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The agent's name on the command line.
    pub agent: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Its installed version, if it is known.
    pub version: Option<String>,
    /// Whether its calls are guarded.
    pub standing: Standing,
    /// The hooks that were found.
    pub hooks: Vec<FoundHook>,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
}

/// A file that could be read.
struct Parsed<'a> {
    layer: &'a Layer,
    value: Value,
    is_toml: bool,
}

struct Looking<'a, 'f> {
    facts: &'a Facts<'f>,
    files: Vec<Parsed<'a>>,
    trust: Trust,
    hooks: Vec<FoundHook>,
    findings: Vec<Finding>,
}

/// Reads what an agent's settings come to.
#[must_use]
pub fn look(facts: &Facts<'_>, layers: &[Layer]) -> Report {
    let mut looking = Looking {
        facts,
        files: Vec::new(),
        trust: Trust::Trusted,
        hooks: Vec::new(),
        findings: Vec::new(),
    };
    if facts.profile.shape == Shape::Plugin {
        looking.plugins(layers);
    } else {
        looking.parse(layers);
        looking.trust = looking.folder_trust();
        looking.find_hooks();
        if !looking.hooks.is_empty() {
            looking.find_switches();
            looking.find_variables();
            looking.find_profiles();
            looking.find_distrust();
            looking.find_gaps();
        }
    }
    looking.report()
}

impl<'a> Looking<'a, '_> {
    fn parse(&mut self, layers: &'a [Layer]) {
        for layer in layers {
            if layer.path.extension() == Some("plist") {
                if layer.content != Content::Missing {
                    self.note(format!(
                        "{} was distributed by an administrator; it is not looked at here",
                        layer.path
                    ));
                }
                continue;
            }
            let text = match &layer.content {
                Content::Missing => continue,
                Content::Text(text) => text,
                Content::Unreadable(why) => {
                    self.unreadable(layer, why, false);
                    continue;
                }
            };
            let is_toml = layer.path.extension() == Some("toml");
            match self.parsed(layer, text) {
                Ok(value) => self.files.push(Parsed {
                    layer,
                    value,
                    is_toml,
                }),
                Err(why) => {
                    let holds_ours = layer.kind.holds_hooks() && text.contains("countersign");
                    self.unreadable(layer, &why, holds_ours);
                }
            }
        }
    }

    fn parsed(&self, layer: &Layer, text: &str) -> Result<Value, String> {
        if matches!(
            layer.kind,
            LayerKind::Variables | LayerKind::ProjectVariables
        ) {
            return Ok(variables::parse(text));
        }
        let value = if layer.path.extension() == Some("toml") {
            trust::parse(&layer.path, text)
                .map(|table| serde_json::to_value(table).unwrap_or_default())
        } else {
            document::value(&layer.path, text)
        };
        let value = value.map_err(|error| error.to_string())?;
        let is_of_hooks = layer.kind.holds_hooks() && layer.path.extension() != Some("toml");
        if let Some(why) = readers::objection(self.facts.profile, text).filter(|_| is_of_hooks) {
            return Err(why);
        }
        // The machine's settings are taken without what does not fit.
        let is_whole_or_nothing = self.facts.profile.agent == Agent::ClaudeCode
            && layer.kind.holds_hooks()
            && layer.kind != LayerKind::Managed;
        match misfits::misfit(&value).filter(|_| is_whole_or_nothing) {
            Some(why) => Err(why),
            None => Ok(value),
        }
    }

    /// The files of a kind, the weakest first.
    fn of_kind(&self, kind: LayerKind) -> impl Iterator<Item = &Parsed<'a>> {
        self.files
            .iter()
            .filter(move |file| file.layer.kind == kind)
    }

    /// Every file of settings that says something for all sessions, the weakest
    /// first.
    fn settings(&self) -> Vec<&Parsed<'a>> {
        let is_setting = |kind: LayerKind| kind.holds_hooks() || kind == LayerKind::Switches;
        self.files
            .iter()
            .filter(|file| is_setting(file.layer.kind))
            .collect()
    }

    /// Those that hold hooks and that the agent reads here.
    fn counting(&self) -> Vec<&Parsed<'a>> {
        let mut files = self.settings();
        files.retain(|file| {
            file.layer.kind.holds_hooks()
                && (self.trust == Trust::Trusted || !file.layer.kind.is_of_project())
        });
        files
    }

    fn unreadable(&mut self, layer: &Layer, why: &str, holds_ours: bool) {
        let text = format!("{} cannot be read: {why}", layer.path);
        let change = "mend it: until then the agent may leave out everything in it";
        if holds_ours {
            self.unguarded(text, change);
        } else {
            self.warn(text, change);
        }
    }

    fn unguarded(&mut self, text: impl Into<String>, change: impl Into<String>) {
        self.say(Level::Unguarded, text, change);
    }

    fn warn(&mut self, text: impl Into<String>, change: impl Into<String>) {
        self.say(Level::Warning, text, change);
    }

    fn note(&mut self, text: impl Into<String>) {
        self.say(Level::Note, text, "");
    }

    fn say(&mut self, level: Level, text: impl Into<String>, change: impl Into<String>) {
        let finding = Finding {
            level,
            text: text.into(),
            change: change.into(),
        };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// How to put things right.
    fn install_again(&self) -> String {
        format!("run `countersign install {}`", self.facts.profile.agent)
    }

    fn report(mut self) -> Report {
        let profile = self.facts.profile;
        let standing = if self.hooks.is_empty() && !self.is_unguarded() {
            if self.facts.is_here {
                Standing::NotInstalled
            } else {
                Standing::Absent
            }
        } else if self.is_unguarded() {
            Standing::Unguarded
        } else {
            Standing::Guarded
        };
        if standing == Standing::Guarded {
            for note in profile.notes {
                self.note(*note);
            }
        }
        self.findings
            .sort_by_key(|finding| std::cmp::Reverse(finding.level));
        Report {
            agent: profile.agent.as_str(),
            title: profile.title,
            version: self.facts.version.map(|version| version.to_string()),
            standing,
            hooks: self.hooks,
            findings: self.findings,
        }
    }

    fn is_unguarded(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.level == Level::Unguarded)
    }
}
