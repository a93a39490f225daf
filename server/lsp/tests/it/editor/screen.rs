//! An editor and the person before it: approvals, prompts, commands.

use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use countersign_service::TOO_SOON;
use countersign_test_support::lsp::{Editor, PROMPT};
use serde_json::{Value, json};

use super::hook::{Hook, Outcome};
use super::world::{PATIENCE, eventually};

/// An editor with a person before it.
pub(crate) struct Screen(pub(crate) Editor);

impl Deref for Screen {
    type Target = Editor;
    fn deref(&self) -> &Editor {
        &self.0
    }
}

impl DerefMut for Screen {
    fn deref_mut(&mut self) -> &mut Editor {
        &mut self.0
    }
}

/// The codes of our errors.
pub(crate) const NOT_FOUND: i64 = -31_001;
pub(crate) const TOO_SOON_CODE: i64 = -31_002;
pub(crate) const CHANGED: i64 = -31_003;
pub(crate) const REFUSED: i64 = -31_004;
pub(crate) const NOT_DECLARED: i64 = -31_005;

/// An answer to an approval.
pub(crate) fn answer(approval: &Value, choice: &str) -> Value {
    json!({ "id": approval["id"], "nonce": approval["nonce"], "choice": choice })
}

impl Screen {
    /// Waits for the next approval.
    pub(crate) fn approval(&mut self) -> Value {
        self.expect_notification("countersign/approvalRequested", |_| true)
    }

    /// Waits for the end of an approval: how it ended.
    #[track_caller]
    pub(crate) fn resolved(&mut self, approval: &Value) -> String {
        let id = approval["id"].clone();
        let resolved =
            self.expect_notification("countersign/approvalResolved", |params| params["id"] == id);
        resolved["answer"].as_str().unwrap().to_owned()
    }

    /// Answers an approval as soon as it can be answered: the result or the
    /// code of the error.
    pub(crate) fn resolve(&mut self, answer: &Value) -> Result<Value, i64> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answered = self.try_request("countersign/resolveApproval", answer.clone());
            match answered {
                Err(error) if error.code == TOO_SOON_CODE && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => return Err(error.code),
                Ok(result) => return Ok(result),
            }
        }
    }

    /// Answers an approval and waits for its end: the result.
    #[track_caller]
    pub(crate) fn choose(&mut self, approval: &Value, choice: &str) -> Value {
        self.choose_with(approval, choice, json!({}))
    }

    /// The same, with more fields in the answer.
    #[track_caller]
    pub(crate) fn choose_with(&mut self, approval: &Value, choice: &str, more: Value) -> Value {
        let mut answer = answer(approval, choice);
        for (name, value) in more.as_object().unwrap() {
            answer[name] = value.clone();
        }
        let result = self.resolve(&answer).unwrap();
        self.resolved(approval);
        result
    }

    /// Waits for a prompt: its id, its text and its titles.
    #[track_caller]
    pub(crate) fn prompt(&mut self) -> Prompt {
        let (id, params) = self.expect_request(PROMPT);
        let titles = params["actions"].as_array().unwrap();
        Prompt {
            id,
            since: Instant::now(),
            text: params["message"].as_str().unwrap().to_owned(),
            titles: titles
                .iter()
                .map(|action| action["title"].as_str().unwrap().to_owned())
                .collect(),
        }
    }

    /// Clicks in a prompt.
    #[track_caller]
    pub(crate) fn click(&mut self, prompt: &Prompt, title: &str) {
        assert!(
            prompt.titles.iter().any(|known| known == title),
            "{prompt:?}"
        );
        self.answer(&prompt.id, json!({ "title": title }));
    }

    /// Clicks a yes in a prompt that is about no call, after reading it.
    #[track_caller]
    pub(crate) fn agree(&mut self, prompt: &Prompt, title: &str) {
        // The server's clock for the prompt may have begun a little later than
        // this side's: a busy machine reads what is still being sent.
        let read = TOO_SOON + TOO_SOON / 4;
        std::thread::sleep(read.saturating_sub(prompt.since.elapsed()));
        self.click(prompt, title);
    }

    /// Reads a prompt about a call, then clicks what approves, and again if
    /// that was too soon, until the call is decided.
    #[track_caller]
    pub(crate) fn approve(&mut self, prompt: Prompt, title: &str, hook: Hook) -> Outcome {
        let mut hook = hook;
        let mut prompt = Some(prompt);
        eventually("the approval", || {
            if let Some(open) = prompt.take() {
                std::thread::sleep(TOO_SOON);
                self.click(&open, title);
            }
            if hook.is_over() {
                return true;
            }
            if self
                .unread()
                .iter()
                .any(|message| message["method"] == PROMPT)
            {
                prompt = Some(self.prompt());
            }
            false
        });
        hook.outcome()
    }

    /// Runs a command of ours: its result or the code of the error.
    pub(crate) fn command(&mut self, name: &str, arguments: Value) -> Result<Value, i64> {
        let name = format!("countersign.server.{name}");
        self.try_request(
            "workspace/executeCommand",
            json!({ "command": name, "arguments": arguments }),
        )
        .map_err(|error| error.code)
    }

    /// Waits for a message to the person that says this.
    #[track_caller]
    pub(crate) fn message(&mut self, says: &str) -> String {
        let shown = self.expect_notification("window/showMessage", |params| {
            params["message"].as_str().unwrap().contains(says)
        });
        shown["message"].as_str().unwrap().to_owned()
    }

    /// Waits until a document has diagnostics as wanted: these.
    #[track_caller]
    pub(crate) fn diagnostics(
        &mut self,
        uri: &str,
        mut wanted: impl FnMut(&[Value]) -> bool,
    ) -> Vec<Value> {
        let params = self.expect_notification("textDocument/publishDiagnostics", |params| {
            params["uri"] == uri && wanted(params["diagnostics"].as_array().unwrap())
        });
        params["diagnostics"].as_array().unwrap().clone()
    }

    /// What is drawn in documents and was not looked at. Only of an editor that
    /// must look at diagnostics; from now on it need not.
    pub(crate) fn other_diagnostics(&mut self) -> Vec<Value> {
        let mut drawn = self.unread();
        drawn.retain(|message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["diagnostics"] != json!([])
        });
        self.allow("textDocument/publishDiagnostics");
        drawn
    }

    /// Waits for a status as wanted.
    #[track_caller]
    pub(crate) fn status_when(&mut self, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        self.expect_notification("countersign/status", |status| wanted(status))
    }
}

/// A standard prompt.
#[derive(Debug)]
pub(crate) struct Prompt {
    pub(crate) id: Value,
    since: Instant,
    pub(crate) text: String,
    pub(crate) titles: Vec<String>,
}
