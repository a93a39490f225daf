//! What the server knows of sessions besides the store: what a person chose
//! for them, and their story for people. In memory; nothing of it loosens
//! anything after a restart.

use std::collections::VecDeque;
use std::sync::Arc;

use camino::Utf8PathBuf;
use countersign_core::call::{Call, SessionKey};
use countersign_core::decision::{AskReason, Decision};
use countersign_core::denials::{Counters, DenialLimits};
use countersign_core::facts::Facts;
use countersign_core::mode::ApprovalMode;
use countersign_core::state::{Millis, ModelRecord};
use serde_json::Value;

use crate::fatigue::Fatigue;

/// Most sessions that are known at a time.
pub(crate) const MOST_SESSIONS: usize = 256;

/// Most calls of a session's story, and most bytes of what they asked for.
const MOST_CALLS: usize = 100;
const MOST_STORY_BYTES: usize = 128 * 1024;

/// About how many bytes of calls themselves are kept with it; the places of
/// older ones are forgotten.
const MOST_KEPT_BYTES: usize = 256 * 1024;

/// One call in a session's story.
#[derive(Debug, Clone)]
pub struct CallStory {
    /// The guard's id of the call.
    pub id: String,
    /// The session.
    pub key: SessionKey,
    /// When it was decided.
    pub time: Millis,
    /// The canonical tool.
    pub tool: String,
    /// What was asked for, masked and at most 2 KiB.
    pub subject: String,
    /// The mode in force.
    pub mode: ApprovalMode,
    /// What became of it so far.
    pub decision: Decision,
    /// Why a person was asked, if so.
    pub asked: Option<AskReason>,
    /// How the asking ended: `proceed_once`, `cancel` …
    pub answer: Option<&'static str>,
    /// The counters after.
    pub counters: Counters,
    /// Who judged it, if a model did.
    pub model: Option<ModelRecord>,
    /// The call itself with what is known of it, where it was blocked: for
    /// the place of a diagnostic. Not kept for calls of other processes, nor for
    /// long where calls are large.
    pub call: Option<(Arc<Call>, Arc<Facts>)>,
    /// Whether another process decided it: then it is only shown.
    pub elsewhere: bool,
}

/// A session as people see it.
#[derive(Debug, Clone)]
pub struct SessionView {
    /// The root session.
    pub key: SessionKey,
    /// The mode in force at its last call.
    pub mode: ApprovalMode,
    /// The counters of the root.
    pub counters: Counters,
    /// Against these caps.
    pub limits: DenialLimits,
    /// The workspace it began in.
    pub workspace: Option<Utf8PathBuf>,
    /// When it was first and last seen.
    pub started: Millis,
    /// When it was last seen.
    pub seen: Millis,
    /// Whether the agent said that it ended.
    pub ended: bool,
    /// Whether asking is paused until a person acts.
    pub paused: bool,
    /// Over-broad rules that are set aside because of it.
    pub set_aside: Vec<String>,
    /// Whether another process decides its calls: then it is only shown.
    pub elsewhere: bool,
}

/// A session in the server's memory.
#[derive(Debug)]
pub(crate) struct LiveSession {
    pub(crate) view: SessionView,
    /// The mode that a person chose for it.
    pub(crate) chosen: Option<ApprovalMode>,
    /// Allow rules that a person remembered for it.
    pub(crate) rules: Vec<String>,
    pub(crate) fatigue: Fatigue,
    pub(crate) story: VecDeque<Arc<CallStory>>,
    story_bytes: usize,
    kept_bytes: usize,
    /// Blocks before this time are no news any more.
    pub(crate) attention_since: Millis,
}

impl LiveSession {
    pub(crate) fn new(key: SessionKey, mode: ApprovalMode, now: Millis) -> Self {
        Self {
            view: SessionView {
                key: key.root(),
                mode,
                counters: Counters::default(),
                limits: DenialLimits::default(),
                workspace: None,
                started: now,
                seen: now,
                ended: false,
                paused: false,
                set_aside: Vec::new(),
                elsewhere: false,
            },
            chosen: None,
            rules: Vec::new(),
            fatigue: Fatigue::default(),
            story: VecDeque::new(),
            story_bytes: 0,
            kept_bytes: 0,
            attention_since: 0,
        }
    }

    /// A person did something about the session; perhaps its counters are new.
    pub(crate) fn person_acts(&mut self, counters_reset: bool) {
        self.fatigue.person_acts();
        self.view.paused = false;
        if counters_reset {
            self.view.counters = Counters::default();
        }
    }

    /// What was blocked needs no attention any more.
    pub(crate) fn attention_over(&mut self) {
        self.attention_since = self.story.back().map_or(0, |call| call.time + 1);
    }

    /// Adds to the story, or goes on with what it says of the same call.
    pub(crate) fn tell(&mut self, call: Arc<CallStory>) {
        self.kept_bytes += call.kept_bytes();
        if let Some(known) = self.story.iter_mut().find(|known| known.id == call.id) {
            self.kept_bytes -= known.kept_bytes().min(self.kept_bytes);
            *known = call;
        } else {
            self.story_bytes += call.subject.len();
            self.story.push_back(call);
        }
        while self.story.len() > MOST_CALLS || self.story_bytes > MOST_STORY_BYTES {
            let Some(oldest) = self.story.pop_front() else {
                break;
            };
            self.story_bytes -= oldest.subject.len().min(self.story_bytes);
            self.kept_bytes -= oldest.kept_bytes().min(self.kept_bytes);
        }
        for known in &mut self.story {
            if self.kept_bytes <= MOST_KEPT_BYTES {
                break;
            }
            let bytes = known.kept_bytes();
            if bytes > 0 {
                self.kept_bytes -= bytes.min(self.kept_bytes);
                let without = CallStory {
                    call: None,
                    ..CallStory::clone(known)
                };
                *known = Arc::new(without);
            }
        }
    }
}

impl CallStory {
    /// About what it keeps besides its text.
    fn kept_bytes(&self) -> usize {
        self.call.as_ref().map_or(0, |(call, _)| held(call))
    }
}

/// About what a call holds in bytes: its input, which stands in its operations
/// once more.
pub(crate) fn held(call: &Call) -> usize {
    2 * text_in(&call.raw_input)
}

fn text_in(value: &Value) -> usize {
    /// What a value costs besides its text.
    const EACH: usize = 32;
    EACH + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(text_in).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| name.len() + text_in(value))
            .sum(),
    }
}
