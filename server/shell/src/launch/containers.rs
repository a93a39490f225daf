//! `docker run`, `docker exec`, `kubectl exec` and their kin.

use countersign_core::command::{Folder, Word};

use super::Launcher;
use super::options::{self, Spec};
use crate::state::State;
use crate::walk::Walker;

/// Options of `docker run` and `docker exec` that say nothing about what runs.
const DOCKER: Spec = Spec {
    names: &["docker"],
    flags: "idtT",
    values: "evwupl",
    long_flags: &[
        "detach",
        "init",
        "interactive",
        "no-deps",
        "privileged",
        "quiet",
        "read-only",
        "rm",
        "tty",
    ],
    long_values: &[
        "cpus", "env", "env-file", "hostname", "index", "label", "memory", "mount", "name",
        "network", "platform", "publish", "pull", "user", "volume", "workdir",
    ],
    operands: 1,
    ..Spec::NONE
};

impl Walker {
    pub(super) fn container(&mut self, launcher: &Launcher<'_>, state: &mut State) {
        let words = launcher.words;
        let literal = |at: usize| words.get(at).and_then(Word::literal);
        let is_run = |text: Option<&str>| matches!(text, Some("exec" | "run" | "debug"));
        if matches!(launcher.name, "kubectl" | "oc") {
            if !words.iter().any(|word| is_run(word.literal())) {
                return;
            }
            let dashes = words.iter().position(|word| word.literal() == Some("--"));
            match dashes.and_then(|at| words.get(at + 1..)) {
                Some(inner) => {
                    self.start_words(launcher, inner.to_vec(), Folder::Unknown, state);
                }
                None => self.not_understood(launcher, state),
            }
            return;
        }
        let at = match literal(1) {
            Some("compose" | "container") if is_run(literal(2)) => 3,
            text if is_run(text) => 2,
            // Options before the sub-command.
            _ if words.iter().any(|word| is_run(word.literal())) => {
                self.not_understood(launcher, state);
                return;
            }
            _ => return,
        };
        match options::read(words, at, &DOCKER) {
            Some(before) => {
                let inner = words.get(before.next..).unwrap_or_default();
                self.start_words(launcher, inner.to_vec(), Folder::Unknown, state);
            }
            None => self.not_understood(launcher, state),
        }
    }
}
