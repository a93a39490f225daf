//! The tool calls of a session as the agent reports them, and what became of
//! each: a call that ran without a decision, or as another one than was
//! decided, is found here.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_agents::acp::{self, Source};
use countersign_core::agent::Agent;
use countersign_core::call::Call;
use serde_json::{Map, Value};

/// Calls that are known of one session, and the bytes that they may hold.
const MOST_CALLS: usize = 256;
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// How long a call that was allowed may wait for the client's part of it.
const ALLOWED_FOR: Duration = Duration::from_secs(10 * 60);

/// Kinds of tools that never run undecided.
const GUARDED: &[&str] = &["execute", "edit", "delete", "move"];

/// What was decided about a call.
#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    /// Nothing yet.
    None,
    /// It is being decided; this is what about.
    Deciding(Arc<Value>),
    /// It may run; this is what was said of it, and the call that it is.
    Allowed {
        answered: Arc<Value>,
        call: Arc<Call>,
        /// Whether the client was asked to run it already.
        used: bool,
        /// When it was allowed.
        since: Instant,
    },
    /// It must not run, or the answer about it is void.
    Blocked,
}

/// A call.
#[derive(Debug)]
pub(crate) struct ToolCall {
    id: String,
    /// Everything that was said of it, the latest word of each field.
    fields: Map<String, Value>,
    /// Its first title.
    announced: Option<String>,
    pub(crate) verdict: Verdict,
    /// Whether it began to run.
    began: bool,
    /// Whether its end was told.
    told: bool,
    bytes: usize,
}

/// What an update means for the guard.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Nothing.
    Nothing,
    /// The call was changed while it is being decided.
    ChangedBefore,
    /// It was changed after the answer.
    ChangedAfter(Source),
    /// It ended, and may have run.
    Ended {
        source: Source,
        failed: bool,
        /// Whether the client ran it for the agent, so that it was decided
        /// there.
        by_client: bool,
    },
}

/// The calls of one session.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    known: VecDeque<ToolCall>,
    bytes: usize,
    /// Files that the client was allowed to write, the latest last.
    written: VecDeque<String>,
    /// Terminals that the client was allowed to open.
    terminals: VecDeque<(String, Option<Source>)>,
}

impl Calls {
    /// What the agent says of a call now; `None` for a field that is not there.
    pub(crate) fn update(&mut self, id: &str, said: Map<String, Value>, is_replay: bool) -> Seen {
        let index = self.find(id);
        let Some(call) = self.known.get_mut(index) else {
            return Seen::Nothing;
        };
        let input = said.get("rawInput").cloned();
        let bytes = call.hears(said);
        self.bytes += bytes;
        let seen = Self::judge(call, input.as_ref(), is_replay);
        self.keep_bounded();
        match seen {
            Seen::Ended {
                source,
                failed,
                by_client: false,
            } => {
                let by_client = self.ran_by_client(&source);
                Seen::Ended {
                    source,
                    failed,
                    by_client,
                }
            }
            seen => seen,
        }
    }

    /// What a permission request says of a call: all that is known of it with
    /// that, and how it was announced.
    pub(crate) fn asks(
        &mut self,
        agent: Agent,
        id: &str,
        mut said: Map<String, Value>,
    ) -> (Value, Option<String>) {
        let index = self.find(id);
        let Some(call) = self.known.get_mut(index) else {
            return (Value::Object(said), None);
        };
        let announced = call.fields.get("rawInput");
        if let Some(input) = acp::asked_input(agent, announced, said.get("rawInput")) {
            said.insert("rawInput".to_owned(), input);
        }
        let bytes = call.hears(said);
        self.bytes += bytes;
        let asked = (Value::Object(call.fields.clone()), call.announced.clone());
        self.keep_bounded();
        asked
    }

    /// Sets what became of a call.
    pub(crate) fn decided(&mut self, id: &str, verdict: Verdict) {
        if let Some(call) = self.known.iter_mut().find(|call| call.id == id) {
            call.verdict = verdict;
        }
    }

    /// Whether there is a call that was allowed and that the client now is to
    /// run; it counts once. What was allowed long ago is decided anew.
    pub(crate) fn take_allowed(&mut self, is_it: impl Fn(&Call) -> bool) -> bool {
        self.known
            .iter_mut()
            .rev()
            .any(|known| match &mut known.verdict {
                Verdict::Allowed {
                    call, used, since, ..
                } if !*used && since.elapsed() <= ALLOWED_FOR && is_it(call) => {
                    *used = true;
                    true
                }
                Verdict::None
                | Verdict::Deciding(_)
                | Verdict::Allowed { .. }
                | Verdict::Blocked => false,
            })
    }

    /// The client was allowed to write a file.
    pub(crate) fn writes(&mut self, path: &str) {
        self.written.push_back(path.to_owned());
        if self.written.len() > MOST_CALLS {
            self.written.pop_front();
        }
    }

    /// The client was allowed to open a terminal, and did.
    pub(crate) fn opened(&mut self, terminal: &str, source: Option<Source>) {
        self.terminals.push_back((terminal.to_owned(), source));
        if self.terminals.len() > MOST_CALLS {
            self.terminals.pop_front();
        }
    }

    /// What runs in a terminal, told once.
    pub(crate) fn take_terminal(&mut self, terminal: &str) -> Option<Source> {
        self.terminals
            .iter_mut()
            .find(|(id, _)| id == terminal)
            .and_then(|(_, source)| source.take())
    }

    fn find(&mut self, id: &str) -> usize {
        if let Some(index) = self.known.iter().position(|call| call.id == id) {
            return index;
        }
        self.known.push_back(ToolCall {
            id: id.to_owned(),
            fields: Map::new(),
            announced: None,
            verdict: Verdict::None,
            began: false,
            told: false,
            bytes: 0,
        });
        self.known.len() - 1
    }

    fn keep_bounded(&mut self) {
        while self.known.len() > 1 && (self.known.len() > MOST_CALLS || self.bytes > MOST_BYTES) {
            if let Some(oldest) = self.known.pop_front() {
                self.bytes = self.bytes.saturating_sub(oldest.bytes);
            }
        }
    }

    fn judge(call: &mut ToolCall, input: Option<&Value>, is_replay: bool) -> Seen {
        let text = |field| call.fields.get(field).and_then(Value::as_str);
        let status = text("status").map(str::to_owned);
        let is_guarded = text("kind").is_some_and(|kind| GUARDED.contains(&kind));
        if is_replay {
            // It happened in an earlier session of the agent.
            call.told = true;
            return Seen::Nothing;
        }
        if let Some(input) = input {
            match &call.verdict {
                Verdict::Deciding(asked) if acp::rewrites(asked, input) => {
                    call.verdict = Verdict::Blocked;
                    return Seen::ChangedBefore;
                }
                Verdict::Allowed { answered, .. } if acp::rewrites(answered, input) => {
                    call.verdict = Verdict::Blocked;
                    call.told = true;
                    return Seen::ChangedAfter(call.source());
                }
                Verdict::None
                | Verdict::Deciding(_)
                | Verdict::Allowed { .. }
                | Verdict::Blocked => {}
            }
        }
        let failed = match status.as_deref() {
            Some("in_progress") => {
                call.began = true;
                return Seen::Nothing;
            }
            Some("completed") => false,
            Some("failed") => true,
            Some(_) | None => return Seen::Nothing,
        };
        if call.told {
            return Seen::Nothing;
        }
        let source = match &call.verdict {
            Verdict::Allowed { answered, .. } => Source::ToolCall {
                tool_call: (**answered).clone(),
                announced: call.announced.clone(),
            },
            // What was refused and failed did not run.
            Verdict::Blocked if failed => return Seen::Nothing,
            // What failed before it began did not run either.
            Verdict::None if failed && !call.began => return Seen::Nothing,
            Verdict::None | Verdict::Deciding(_) | Verdict::Blocked => {
                if !is_guarded {
                    return Seen::Nothing;
                }
                call.source()
            }
        };
        call.told = true;
        Seen::Ended {
            source,
            failed,
            by_client: false,
        }
    }

    /// Whether everything that a call shows of what it did was done by the
    /// client, which was allowed to. Each write counts for one call.
    fn ran_by_client(&mut self, source: &Source) -> bool {
        let Source::ToolCall { tool_call, .. } = source else {
            return false;
        };
        let content = tool_call.get("content").and_then(Value::as_array);
        let mut shown = 0;
        let mut left = self.written.clone();
        for item in content.into_iter().flatten() {
            let text = |field| item.get(field).and_then(Value::as_str);
            let is_known = match text("type") {
                Some("diff") => text("path")
                    .and_then(|path| left.iter().rposition(|written| written == path))
                    .and_then(|index| left.remove(index))
                    .is_some(),
                Some("terminal") => text("terminalId")
                    .is_some_and(|terminal| self.terminals.iter().any(|(id, _)| id == terminal)),
                _ => continue,
            };
            if !is_known {
                return false;
            }
            shown += 1;
        }
        if shown > 0 {
            self.written = left;
        }
        shown > 0
    }
}

impl ToolCall {
    /// Takes what was said; the bytes that it holds more.
    fn hears(&mut self, said: Map<String, Value>) -> usize {
        if self.announced.is_none() {
            self.announced = said.get("title").and_then(Value::as_str).map(str::to_owned);
        }
        let mut bytes = 0;
        for (name, value) in said {
            // An update without a field leaves it as it is.
            if !value.is_null() {
                bytes += name.len() + held(&value);
                self.fields.insert(name, value);
            }
        }
        self.bytes += bytes;
        bytes
    }

    fn source(&self) -> Source {
        Source::ToolCall {
            tool_call: Value::Object(self.fields.clone()),
            announced: self.announced.clone(),
        }
    }
}

/// About how many bytes a value holds.
fn held(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 16,
        Value::String(text) => 24 + text.len(),
        Value::Array(items) => 24 + items.iter().map(held).sum::<usize>(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| 48 + name.len() + held(value))
            .sum(),
    }
}
