//! Modes of the agent in which it would decide alone: put right, or told.

use serde_json::json;

use crate::message::Id;
use crate::proxy::Proxy;
use crate::replies;
use crate::sessions::ModeChange;

impl Proxy {
    /// Acts on a mode of the agent in which it would decide alone.
    pub(crate) fn mode_changed(&mut self, session: &str, change: ModeChange) {
        match change {
            ModeChange::Fine => {}
            ModeChange::Instead(mode) => {
                // One at a time: the agent may say so over and over.
                if self.mode_changes.values().any(|(of, _)| of == session) {
                    return;
                }
                let id = Id::own(&self.asking.next_id());
                let option = self.sessions.get(session).mode_option.clone();
                let (method, params) = match option {
                    Some(option) => (
                        "session/set_config_option",
                        json!({ "sessionId": session, "configId": option, "value": mode }),
                    ),
                    None => (
                        "session/set_mode",
                        json!({ "sessionId": session, "modeId": mode }),
                    ),
                };
                let message = replies::call(Some(&id.raw), method, &params);
                self.to_agent.send(&message, None);
                self.mode_changes.insert(id.key, (session.to_owned(), mode));
            }
            ModeChange::Loose => self.tell_of_mode(session),
        }
    }

    /// Says once that the agent decides alone.
    pub(crate) fn tell_of_mode(&mut self, session: &str) {
        let known = self.sessions.get(session);
        if std::mem::replace(&mut known.told_of_mode, true) {
            return;
        }
        let mode = known.mode.clone().unwrap_or_default();
        self.tell(
            session,
            &format!(
                "Countersign: in its mode {mode} this agent runs tools without asking anybody, and \
                 there is none in which it asks: what it does is UNGUARDED."
            ),
        );
    }
}
