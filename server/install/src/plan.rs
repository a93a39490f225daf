//! What installing and taking out would change: from the text of a file to its
//! new text, without touching either.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_core::redact;

use crate::command_line::HookCommand;
use crate::document::{Document, value};
use crate::entries::{self, Field, Wanted};
use crate::plugin;
use crate::profile::{Profile, Shape};
use crate::refused::Refused;
use crate::trust;
use crate::version::Version;

/// What is to be installed.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The binary, absolute.
    pub program: &'a Utf8Path,
    /// `--home` of the hook, if settings and state are not in the user's places.
    pub state_home: Option<&'a Utf8Path>,
    /// The user's home folder.
    pub home: &'a Utf8Path,
    /// The agent's installed version, if it is known.
    pub version: Option<Version>,
    /// How long the agent waits for a decision, in seconds; ten minutes if none.
    pub timeout: Option<u32>,
}

/// A change of one file.
#[derive(Clone, PartialEq, Eq)]
pub struct Edit {
    /// The file.
    pub path: Utf8PathBuf,
    /// Its text now; none if there is no file.
    pub before: Option<String>,
    /// Its text then; none if the file goes away.
    pub after: Option<String>,
}

/// Settings may hold keys: only sizes are shown.
impl std::fmt::Debug for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edit")
            .field("path", &self.path)
            .field("before", &self.before.as_ref().map(String::len))
            .field("after", &self.after.as_ref().map(String::len))
            .finish()
    }
}

impl Edit {
    /// Whether the file is already as it should be.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.before == self.after
    }
}

/// What installing changes, and what it asks the agent for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The change of the file of hooks.
    pub edit: Edit,
    /// What the file is without anything of ours: what taking out leads back to.
    pub without: Option<String>,
    /// The events that are asked for, with the time that the agent waits.
    pub events: Vec<(&'static str, u32)>,
    /// The events that this version is not known to know.
    pub left_out: Vec<&'static str>,
}

/// Plans the installation into a file.
///
/// # Errors
/// Why nothing may be written.
pub fn install(
    profile: &'static Profile,
    path: &Utf8Path,
    before: Option<&str>,
    wish: &Wish<'_>,
) -> Result<Plan, Refused> {
    if !wish.program.is_absolute() || wish.program.as_str().contains(char::is_control) {
        return Err(Refused::Wish(format!(
            "the binary {:?} cannot be named in a command line; put it into an ordinary folder",
            wish.program
        )));
    }
    if let Some(timeout) = wish.timeout
        && !(10..=profile.longest_timeout).contains(&timeout)
    {
        return Err(Refused::Wish(format!(
            "--timeout of {} is from 10 to {} seconds, not {timeout}",
            profile.title, profile.longest_timeout
        )));
    }
    if profile.shape == Shape::Plugin {
        return install_plugin(profile, path, before, wish);
    }
    let events: Vec<_> = profile.known_events(wish.version).collect();
    let wanted: Vec<Wanted> = events
        .iter()
        .map(|event| {
            let timeout = profile.timeout(event, wish.timeout);
            let command = HookCommand {
                program: wish.program,
                home: wish.state_home,
                agent: profile.agent.as_str(),
                event: event.name,
                timeout,
            };
            let timeout = ("timeout", Field::Number(profile.in_unit(timeout)));
            let command = ("command", Field::Text(command.to_string()));
            let mut fields = Vec::new();
            if profile.shape != Shape::Closing {
                fields.push(("type", Field::Text("command".to_owned())));
            }
            if let Some(name) = profile.entry_name {
                fields.push(("name", Field::Text(name.to_owned())));
            }
            fields.extend([timeout, command]);
            if profile.shape == Shape::Flat {
                // Copilot CLI reads the same file, and counts in this field.
                let seconds = profile.timeout(event, wish.timeout);
                fields.push(("timeoutSec", Field::Number(u64::from(seconds))));
            }
            if profile.shape == Shape::Closing && event.decides {
                fields.push(("failClosed", Field::Flag(true)));
            }
            Wanted {
                event: event.name,
                fields,
            }
        })
        .collect();
    let text = before.unwrap_or_default();
    let shape = profile.shape;
    let document = Document::open(path, text)?;
    entries::put(&document.root, shape, wish.home, &wanted).map_err(|problem| Refused::Shape {
        file: path.to_owned(),
        problem,
    })?;
    let after = document.text();
    check(path, shape, wish.home, text, &after)?;
    let names = |event: &&&'static crate::profile::Event| event.name;
    Ok(Plan {
        without: without(profile, path, before, wish.home)?,
        edit: Edit {
            path: path.to_owned(),
            before: before.map(str::to_owned),
            after: Some(after),
        },
        left_out: profile
            .events
            .iter()
            .map(|event| event.name)
            .filter(|name| {
                !events
                    .iter()
                    .map(|event| event.name)
                    .any(|known| known == *name)
            })
            .collect(),
        events: events
            .iter()
            .map(|event| (names(&event), profile.timeout(event, wish.timeout)))
            .collect(),
    })
}

fn install_plugin(
    profile: &'static Profile,
    path: &Utf8Path,
    before: Option<&str>,
    wish: &Wish<'_>,
) -> Result<Plan, Refused> {
    if let Some(text) = before
        && !text.trim().is_empty()
        && !plugin::is_ours(text)
    {
        return Err(Refused::Shape {
            file: path.to_owned(),
            problem: "it is a plugin that Countersign did not write; give it another name first"
                .to_owned(),
        });
    }
    let timeout = wish.timeout.unwrap_or(profile.default_timeout);
    Ok(Plan {
        edit: Edit {
            path: path.to_owned(),
            before: before.map(str::to_owned),
            after: Some(plugin::render(wish.program, wish.state_home, timeout)),
        },
        without: before
            .filter(|text| !plugin::is_ours(text))
            .map(str::to_owned),
        events: vec![("tool.execute.before", timeout)],
        left_out: Vec::new(),
    })
}

/// A change that would do anything to what is not ours is not made.
fn check(
    path: &Utf8Path,
    shape: Shape,
    home: &Utf8Path,
    before: &str,
    after: &str,
) -> Result<(), Refused> {
    let foreign = |text: &str| Ok(entries::foreign(value(path, text)?, shape, home));
    if foreign(before)? == foreign(after)? {
        return Ok(());
    }
    Err(Refused::Shape {
        file: path.to_owned(),
        problem: "the change would damage other settings in it; make it by hand, as \
                  docs/agents.md says"
            .to_owned(),
    })
}

/// A file without anything of ours; none where there is no file, or nothing
/// else is in one of our own.
///
/// # Errors
/// When the file is broken.
fn without(
    profile: &Profile,
    path: &Utf8Path,
    text: Option<&str>,
    home: &Utf8Path,
) -> Result<Option<String>, Refused> {
    let Some(text) = text else {
        return Ok(None);
    };
    if profile.shape == Shape::Plugin {
        return Ok((!plugin::is_ours(text)).then(|| text.to_owned()));
    }
    let document = Document::open(path, text)?;
    if !entries::take_out(&document.root, profile.shape, home) {
        return Ok(Some(text.to_owned()));
    }
    let after = document.text();
    check(path, profile.shape, home, text, &after)?;
    Ok(Some(after))
}

/// Plans to take everything of ours out of a file. `recorded` is what the file
/// was before it was installed, if the file is since as `install` left it.
/// `made`: whether `install` made the file.
///
/// # Errors
/// When the file is broken.
pub fn uninstall(
    profile: &'static Profile,
    path: &Utf8Path,
    text: &str,
    recorded: Option<Option<&str>>,
    made: bool,
    home: &Utf8Path,
) -> Result<Edit, Refused> {
    let after = match recorded {
        Some(recorded) => recorded.map(str::to_owned),
        None => without(profile, path, Some(text), home)?
            .filter(|after| !made || holds_something(path, after)),
    };
    Ok(Edit {
        path: path.to_owned(),
        before: Some(text.to_owned()),
        after,
    })
}

/// Whether anything but a version is left in a file that `install` made.
fn holds_something(path: &Utf8Path, text: &str) -> bool {
    let Ok(value) = value(path, text) else {
        return true;
    };
    let has_comments = text.contains("//") || text.contains("/*");
    let members = value.as_object();
    let is_bare = members.is_some_and(|members| members.keys().all(|name| name == "version"));
    has_comments || !is_bare
}

/// Plans Codex's trust for the hooks of ours in `hooks_text`.
///
/// # Errors
/// When either file is broken.
pub fn trust_hooks(
    hooks_file: &Utf8Path,
    hooks_text: &str,
    config: &Utf8Path,
    config_text: Option<&str>,
    home: &Utf8Path,
) -> Result<Edit, Refused> {
    let keys = codex_keys(hooks_file, hooks_text, home)?;
    let after = trust::trust_edit(config, config_text.unwrap_or_default(), &keys)?;
    Ok(Edit {
        path: config.to_owned(),
        before: config_text.map(str::to_owned),
        after: Some(after),
    })
}

/// Plans to take back Codex's trust for the hooks of ours in `hooks_text`.
///
/// # Errors
/// When either file is broken.
pub fn distrust_hooks(
    hooks_file: &Utf8Path,
    hooks_text: &str,
    config: &Utf8Path,
    config_text: &str,
    home: &Utf8Path,
) -> Result<Edit, Refused> {
    let keys = codex_keys(hooks_file, hooks_text, home)?;
    let keys: Vec<String> = keys.into_iter().map(|(key, _)| key).collect();
    let after = trust::distrust(config, config_text, &keys)?;
    Ok(Edit {
        path: config.to_owned(),
        before: Some(config_text.to_owned()),
        after: Some(after),
    })
}

fn codex_keys(
    file: &Utf8Path,
    text: &str,
    home: &Utf8Path,
) -> Result<Vec<(String, String)>, Refused> {
    let value = value(file, text)?;
    let hooks = value.get("hooks").cloned().unwrap_or_default();
    Ok(trust::keys(file, &hooks, home))
}

/// A change as a unified diff; what looks like a key is masked.
#[must_use]
pub fn diff(edit: &Edit) -> String {
    let before = edit.before.as_deref().unwrap_or_default();
    let after = edit.after.as_deref().unwrap_or_default();
    let name = |text: &Option<String>| match text {
        Some(_) => edit.path.to_string(),
        None => "/dev/null".to_owned(),
    };
    let text = similar::TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&name(&edit.before), &name(&edit.after))
        .to_string();
    let lines: Vec<String> = text
        .lines()
        .map(|line| redact::visible(&redact::mask(line.trim_end_matches('\r'))))
        .collect();
    let mut shown = lines.join("\n");
    if !shown.is_empty() {
        shown.push('\n');
    }
    shown
}

/// Whether this agent's settings keep trust by hash.
#[must_use]
pub fn needs_trust(agent: Agent) -> bool {
    agent == Agent::Codex
}
