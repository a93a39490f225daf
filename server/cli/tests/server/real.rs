//! The real thing: agents that run the real hook, a real server, and an editor
//! before which a person sits.

mod asked;
mod counted;
mod crowd;
mod exported;
mod judged;
mod lost;
mod nested;
mod owned;
mod rejudged;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::sandbox::{CLAUDE, Sandbox, With as _};

pub(crate) fn trials() -> Vec<Trial> {
    [
        asked::trials(),
        counted::trials(),
        crowd::trials(),
        exported::trials(),
        judged::trials(),
        lost::trials(),
        nested::trials(),
        owned::trials(),
        rejudged::trials(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const EVENT: &str = "PreToolUse";

/// Asked about in every mode but yolo: nothing vouches for it.
const BUILD: &str = "trellis prune";

/// A command of Claude Code.
fn shell(sandbox: &Sandbox, command: &str) -> Value {
    sandbox.shell(CLAUDE, EVENT, command)
}

/// The same in a session of this name.
fn shell_in(sandbox: &Sandbox, session: &str, command: &str) -> Value {
    shell(sandbox, command).with("session_id", json!(session))
}

/// The words of a hook that has so many seconds by its agent's word.
fn hurried<'a>(sandbox: &'a Sandbox, name: &'a str, event: &'a str, time: &'a str) -> Vec<&'a str> {
    let mut words = sandbox.hook_words(name, event);
    *words.iter_mut().find(|word| **word == "60").unwrap() = time;
    words
}
