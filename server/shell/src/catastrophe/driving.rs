//! Typing into the editor, the terminal or the desktop where a person
//! approves.

use countersign_core::command::SimpleCommand;

use super::guard::names_the_guard;
use super::{Case, Found, literals};

impl Case<'_> {
    /// Keys would be typed where the person is.
    pub(super) fn drives(&self) -> Found {
        let own_display = self
            .view
            .commands
            .iter()
            .flat_map(|command| &command.assignments)
            .any(|assignment| assignment.name == "DISPLAY");
        self.named().find_map(|(_, name, command)| {
            types(&name, command, own_display).then(|| {
                (
                    format!("`{name}` would type where a person approves"),
                    command.span.clone(),
                )
            })
        })
    }
}

/// Whether a program types where the person is: a target that a word names may
/// be the agent's own.
fn types(name: &str, command: &SimpleCommand, own_display: bool) -> bool {
    let has = |words: &[&str]| literals(command).any(|word| words.contains(&word));
    let begins = |texts: &[&str]| {
        literals(command).any(|word| texts.iter().any(|text| word.starts_with(text)))
    };
    // Nothing that is not known may be the name of a target.
    let is_known = command.words.iter().all(|word| word.literal().is_some());
    let about_the_guard = literals(command).any(names_the_guard);
    match name {
        "nvim" | "vim" | "gvim" | "nvr" => {
            has(&["--remote-send", "--remote-expr"])
                || begins(&["--remote-send=", "--remote-expr="])
        }
        "emacsclient" | "gnuclient" => has(&["-e", "--eval"]) || begins(&["--eval=", "-ne", "-te"]),
        "tmux" => {
            let sends = has(&["send-keys", "send"]);
            let own = has(&["new", "new-session", "neww", "new-window"]);
            sends && (about_the_guard || is_known && !own && !begins(&["-t"]))
        }
        "screen" => {
            let sends = has(&["-X"]) && has(&["stuff"]);
            sends && (about_the_guard || is_known && !begins(&["-S", "-dmS"]))
        }
        "zellij" => {
            has(&["action"]) && has(&["write", "write-chars"]) && !begins(&["-s", "--session"])
        }
        "kitty" | "kitten" => {
            has(&["@"]) && has(&["send-text", "send-key"]) && !begins(&["-m", "--match", "--to"])
        }
        "wezterm" => has(&["send-text"]) && !begins(&["--pane-id"]),
        "xdotool" | "xte" => !own_display && (begins(&["key", "type", "click"]) || has(&["str"])),
        "ydotool" | "dotool" | "wtype" | "xvkbd" => !own_display && command.words.len() > 1,
        "osascript" => literals(command).any(|word| {
            let word = word.to_ascii_lowercase();
            ["keystroke", "key code", "click button"]
                .iter()
                .any(|act| word.contains(act))
        }),
        _ => false,
    }
}
