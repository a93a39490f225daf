//! A user of an agent, whose files are made up.

use camino::Utf8Path;
use countersign_core::agent::Agent;
use countersign_install::{
    Bases, Binary, Content, Facts, Layer, Level, Report, Standing, Version, layers, look, profile,
    trust_hooks,
};

use crate::support::{HOME, PROGRAM, installed};

/// The folder of the project.
pub(crate) const SHOP: &str = "/work/shop";

/// A user's files; all others are not there.
pub(crate) struct User {
    pub(crate) agent: Agent,
    pub(crate) files: Vec<(String, String)>,
    pub(crate) variables: Vec<(&'static str, &'static str)>,
    pub(crate) version: Option<Version>,
    pub(crate) binary: fn(&str) -> Binary,
}

impl User {
    /// With the hook installed.
    pub(crate) fn new(agent: Agent) -> Self {
        let text = if agent == Agent::Opencode {
            crate::support::plan(agent, None)
                .unwrap()
                .edit
                .after
                .unwrap()
        } else {
            installed(agent, "")
        };
        let mut user = Self {
            agent,
            files: Vec::new(),
            variables: Vec::new(),
            version: Some(Version::new(900, 0, 0)),
            binary: |word| {
                if word == PROGRAM {
                    Binary::This(word.into())
                } else {
                    Binary::Other(word.into())
                }
            },
        };
        user.files.push((user.own_file(), text));
        if agent == Agent::Codex {
            user.trust();
        }
        user
    }

    fn own_file(&self) -> String {
        let name = match self.agent {
            Agent::ClaudeCode => ".claude/settings.json",
            Agent::Qwen => ".qwen/settings.json",
            Agent::Codex => ".codex/hooks.json",
            Agent::Gemini => ".gemini/settings.json",
            Agent::Opencode => ".config/opencode/plugin/countersign.js",
            Agent::Cursor => ".cursor/hooks.json",
            Agent::Vscode | Agent::Generic => ".copilot/hooks/countersign.json",
        };
        format!("{HOME}/{name}")
    }

    fn trust(&mut self) {
        let config = format!("{HOME}/.codex/config.toml");
        let hooks = self.own_file();
        let text = self.files[0].1.clone();
        let edit = trust_hooks(
            Utf8Path::new(&hooks),
            &text,
            Utf8Path::new(&config),
            None,
            Utf8Path::new(HOME),
        );
        self.files.retain(|(file, _)| *file != config);
        self.files.push((config, edit.unwrap().after.unwrap()));
    }

    /// With this changed in the file of hooks.
    #[track_caller]
    pub(crate) fn change(mut self, from: &str, to: &str) -> Self {
        assert!(self.files[0].1.contains(from), "{}", self.files[0].1);
        self.files[0].1 = self.files[0].1.replace(from, to);
        self
    }

    /// With another file.
    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.to_owned()));
        self
    }

    /// With a variable.
    pub(crate) fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    /// With the hooks in another file than that of the user.
    pub(crate) fn moved(mut self, path: &str) -> Self {
        path.clone_into(&mut self.files[0].0);
        self
    }

    /// With another version.
    pub(crate) fn version(mut self, major: u32, minor: u32, patch: u32) -> Self {
        self.version = Some(Version::new(major, minor, patch));
        self
    }

    pub(crate) fn look(&self) -> Report {
        let home = Utf8Path::new(HOME);
        let variable = |name: &str| {
            let set = self.variables.iter().find(|(set, _)| *set == name);
            set.map(|(_, value)| (*value).to_owned())
        };
        let mut layers = layers(
            self.agent,
            &Bases {
                home,
                workspace: Some(Utf8Path::new(SHOP)),
                machine: Utf8Path::new("/machine"),
                variable: &variable,
            },
        );
        for (file, text) in &self.files {
            let content = Content::Text(text.clone());
            if let Some(layer) = layers.iter_mut().find(|layer| layer.path == *file) {
                layer.content = content;
                continue;
            }
            let path = Utf8Path::new(file);
            let many = layers.iter().position(|layer| {
                layer.path.parent() == path.parent() && layer.is_for(path.file_name().unwrap())
            });
            let many = many.unwrap_or_else(|| panic!("{file} is not read"));
            let layer = Layer {
                path: path.to_owned(),
                content,
                ..layers[many].clone()
            };
            layers.insert(many, layer);
        }
        look(
            &Facts {
                profile: profile(self.agent).unwrap(),
                version: self.version,
                is_here: true,
                home,
                codex_config: Utf8Path::new("/home/ada/.codex/config.toml"),
                workspace: Some(Utf8Path::new(SHOP)),
                variable: &variable,
                binary: &self.binary,
            },
            &layers,
        )
    }

    #[track_caller]
    pub(crate) fn assert_unguarded(&self, part: &str) {
        let report = self.look();
        assert_eq!(report.standing, Standing::Unguarded, "{report:#?}");
        let finding = report
            .findings
            .iter()
            .find(|finding| finding.text.contains(part));
        let finding = finding.unwrap_or_else(|| panic!("no {part:?} in {report:#?}"));
        assert_eq!(finding.level, Level::Unguarded, "{finding:?}");
        assert!(!finding.change.is_empty(), "{finding:?}");
    }

    #[track_caller]
    pub(crate) fn assert_warned(&self, part: &str) {
        let report = self.look();
        assert_eq!(report.standing, Standing::Guarded, "{report:#?}");
        assert!(
            report
                .findings
                .iter()
                .any(|finding| finding.level == Level::Warning && finding.text.contains(part)),
            "no {part:?} in {report:#?}"
        );
    }

    /// It is guarded, and nothing but notes is said.
    #[track_caller]
    pub(crate) fn assert_guarded(&self) {
        let report = self.look();
        assert_eq!(report.standing, Standing::Guarded, "{report:#?}");
        assert!(
            report
                .findings
                .iter()
                .all(|finding| finding.level == Level::Note),
            "{report:#?}"
        );
    }
}
