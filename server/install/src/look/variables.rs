//! Variables that switch hooks off or move the agent's settings away: of this
//! process, from the settings' `env`, and from files of variables.

use camino::Utf8PathBuf;
use countersign_core::agent::Agent;
use serde_json::Value;

use super::folders::Trust;
use super::{Looking, Parsed};
use crate::layers::LayerKind;

/// Variables that switch off what a person has added, hooks too.
const CLAUDE: &[&str] = &["CLAUDE_CODE_SAFE_MODE", "CLAUDE_CODE_SIMPLE"];
const QWEN: &[&str] = &["QWEN_CODE_SAFE_MODE", "QWEN_CODE_SIMPLE"];

/// Variables that move the machine's settings, which only Qwen Code heeds where
/// they stand in a file.
const MACHINE: &[&str] = &[
    "QWEN_CODE_SYSTEM_SETTINGS_PATH",
    "QWEN_CODE_SYSTEM_DEFAULTS_PATH",
];

/// Where a variable was set.
enum Source {
    Process,
    Env(Utf8PathBuf),
    File(Utf8PathBuf),
}

/// What the agents take for yes.
fn is_on(value: &str) -> bool {
    matches!(
        value.trim().to_ascii_lowercase().as_str(),
        "1" | "true" | "yes" | "on"
    )
}

/// The text of a variable in an `env` of settings.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn in_env(file: &Parsed<'_>, name: &str) -> Option<String> {
    text(file.value.get("env")?.get(name)?)
}

impl Looking<'_, '_> {
    pub(super) fn find_variables(&mut self) {
        match self.facts.profile.agent {
            Agent::ClaudeCode => self.find_variables_of_claude(),
            Agent::Qwen => self.find_variables_of_qwen(),
            _ => {}
        }
    }

    /// The settings win over the process; a project's do not count for these.
    fn find_variables_of_claude(&mut self) {
        let mut files = self.settings();
        files.retain(|file| !file.layer.kind.is_of_project());
        let moved = files.iter().rev().find_map(|file| {
            let value = in_env(file, "CLAUDE_CONFIG_DIR")?;
            Some((Utf8PathBuf::from(value), file.layer.path.clone()))
        });
        let set: Vec<(&str, Source)> = CLAUDE
            .iter()
            .filter_map(|name| {
                let (value, source) = files
                    .iter()
                    .rev()
                    .find_map(|file| {
                        let path = file.layer.path.clone();
                        Some((in_env(file, name)?, Source::Env(path)))
                    })
                    .or_else(|| Some(((self.facts.variable)(name)?, Source::Process)))?;
                is_on(&value).then_some((*name, source))
            })
            .collect();
        let own: Option<Utf8PathBuf> = self
            .of_kind(LayerKind::User)
            .find_map(|file| Some(file.layer.path.parent()?.to_owned()));
        for (name, source) in set {
            let (what, change) = self.told(name, &source);
            self.only_the_machines(&what, &change);
        }
        if let Some((folder, path)) = moved
            && own.is_some_and(|own| own != folder)
        {
            let change = format!("take `CLAUDE_CONFIG_DIR` out of {path}");
            let what = format!("`env.CLAUDE_CONFIG_DIR` in {path} moves the settings to {folder}");
            self.only_the_machines(&what, &change);
        }
    }

    /// The first that says something counts: the process, the nearest file of
    /// variables, those at home, the settings.
    fn find_variables_of_qwen(&mut self) {
        for name in QWEN {
            if let Some(source) = self.set_in_qwen(name, self.trust == Trust::Trusted) {
                let (what, change) = self.told(name, &source);
                self.unguarded(format!("every hook is off: {what}"), change);
            } else if self.trust == Trust::Unknown
                && let Some(source) = self.set_in_qwen(name, true)
            {
                let (what, change) = self.told(name, &source);
                self.warn(
                    format!("every hook is off once Qwen Code trusts this folder: {what}"),
                    change,
                );
            }
        }
        let at_home = |name: &str| {
            let is_set = (self.facts.variable)(name).is_some();
            let mut files = self.of_kind(LayerKind::Variables);
            let found = files.find_map(|file| {
                let value = file.value.get(name)?.as_str()?;
                Some((Utf8PathBuf::from(value), file.layer.path.clone()))
            });
            found.filter(|_| !is_set)
        };
        let home = at_home("QWEN_HOME").filter(|(folder, _)| {
            let mut user = self.of_kind(LayerKind::User);
            !user.any(|file| file.layer.path.parent() == Some(folder))
        });
        let machine: Vec<_> = MACHINE
            .iter()
            .filter_map(|name| Some((*name, at_home(name)?)))
            .collect();
        if let Some((folder, path)) = home {
            self.unguarded(
                format!("`QWEN_HOME` in {path} moves the settings to {folder}"),
                format!("take it out of {path}, or set it where you install and start Qwen Code"),
            );
        }
        for (name, (file, path)) in machine {
            self.warn(
                format!("`{name}` in {path} has Qwen Code read {file}, which was not looked at"),
                format!("take it out of {path}, or set it where you run this too"),
            );
        }
    }

    /// Where a variable is set to yes for Qwen Code.
    fn set_in_qwen(&self, name: &str, with_project: bool) -> Option<Source> {
        let process = (self.facts.variable)(name).map(|value| (value, Source::Process));
        let nearest = self
            .of_kind(LayerKind::ProjectVariables)
            .last()
            .filter(|_| with_project);
        let at_home: Vec<&Parsed<'_>> = self.of_kind(LayerKind::Variables).collect();
        let in_files = nearest.into_iter().chain(at_home.into_iter().rev());
        let in_files = in_files.filter_map(|file| {
            let value = file.value.get(name)?.as_str()?;
            let is_left_out = !is_qwens(&file.layer.path) && self.is_left_out(name);
            let source = Source::File(file.layer.path.clone());
            (!is_left_out).then(|| (value.to_owned(), source))
        });
        let mut settings = self.settings();
        settings.retain(|file| with_project || !file.layer.kind.is_of_project());
        let in_settings = settings.into_iter().rev().filter_map(|file| {
            // Only texts are taken.
            let value = file.value.get("env")?.get(name)?.as_str()?;
            Some((value.to_owned(), Source::Env(file.layer.path.clone())))
        });
        let (value, source) = process
            .into_iter()
            .chain(in_files)
            .chain(in_settings)
            .find(|(value, _)| !value.is_empty())?;
        is_on(&value).then_some(source)
    }

    /// Whether Qwen Code is told not to take a variable from a `.env`.
    fn is_left_out(&self, name: &str) -> bool {
        self.counting().iter().any(|file| {
            let names = file.value.pointer("/advanced/excludedEnvVars");
            let names = names.and_then(Value::as_array);
            names.is_some_and(|names| names.iter().any(|left_out| left_out == name))
        })
    }

    /// What is said of a variable that is set, and what to change.
    fn told(&self, name: &str, source: &Source) -> (String, String) {
        let title = self.facts.profile.title;
        match source {
            Source::Process => (
                format!("{name} is set in this environment"),
                format!("unset {name} where you start {title}"),
            ),
            Source::Env(path) => (
                format!("`env.{name}` is on in {path}"),
                format!("take `{name}` out of {path}"),
            ),
            Source::File(path) => (
                format!("{name} is set in {path}"),
                if is_qwens(path) {
                    format!("take it out of {path}")
                } else {
                    format!(
                        "take it out of {path}; `advanced.excludedEnvVars` in your settings of \
                         {title} keeps it out for good"
                    )
                },
            ),
        }
    }
}

/// Whether a file of variables stands in a folder of Qwen Code's own.
fn is_qwens(path: &camino::Utf8Path) -> bool {
    path.parent().and_then(camino::Utf8Path::file_name) == Some(".qwen")
}

/// The variables of a file, one on a line, as a JSON object.
pub(super) fn parse(text: &str) -> Value {
    let variables = text.lines().filter_map(|line| {
        let line = line.trim();
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let (name, value) = line.split_once('=').or_else(|| line.split_once(": "))?;
        let (name, value) = (name.trim(), value.trim());
        let is_name = !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
        let quote = value
            .chars()
            .next()
            .filter(|first| matches!(first, '"' | '\'' | '`'));
        let value = match quote.and_then(|quote| value.get(1..)?.split_once(quote)) {
            Some((value, _)) => value,
            None => value.split('#').next().unwrap_or_default().trim_end(),
        };
        is_name.then(|| (name.to_owned(), value.into()))
    });
    Value::Object(variables.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_as_they_are_written() {
        let text = "# A=0\nA=1\n export B = 'x # y' # z\nC=\"q\"\nD: d\nE=a#b\n9 x=1\nF=\nA=2\n";
        let want = serde_json::json!({
            "A": "2", "B": "x # y", "C": "q", "D": "d", "E": "a", "F": "",
        });
        assert_eq!(parse(text), want);
    }
}
