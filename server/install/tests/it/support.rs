//! A user whose binary and home are made up.

use camino::Utf8Path;
use countersign_core::agent::Agent;
use countersign_install::{Plan, Refused, Version, Wish, install, profile};

pub(crate) const HOME: &str = "/home/ada";
pub(crate) const PROGRAM: &str = "/usr/local/bin/countersign";

/// Agents whose hooks stand in JSON.
pub(crate) const IN_JSON: [Agent; 6] = [
    Agent::ClaudeCode,
    Agent::Qwen,
    Agent::Codex,
    Agent::Gemini,
    Agent::Cursor,
    Agent::Vscode,
];

pub(crate) fn wish() -> Wish<'static> {
    Wish {
        program: Utf8Path::new(PROGRAM),
        state_home: None,
        home: Utf8Path::new(HOME),
        version: Some(Version::new(900, 0, 0)),
        timeout: None,
    }
}

pub(crate) fn file() -> &'static Utf8Path {
    Utf8Path::new("/home/ada/settings.json")
}

pub(crate) fn plan(agent: Agent, before: Option<&str>) -> Result<Plan, Refused> {
    install(profile(agent).unwrap(), file(), before, &wish())
}

/// The text after installing.
#[track_caller]
pub(crate) fn installed(agent: Agent, before: &str) -> String {
    plan(agent, Some(before)).unwrap().edit.after.unwrap()
}

/// The text after taking out what stands in it, with nothing remembered.
#[track_caller]
pub(crate) fn removed(agent: Agent, text: &str) -> Option<String> {
    let profile = profile(agent).unwrap();
    let edit =
        countersign_install::uninstall(profile, file(), text, None, false, Utf8Path::new(HOME));
    edit.unwrap().after
}
