//! A language server that does all that a handler should not.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use countersign_lsp::{Requests, ServeEnd, serve};
use countersign_test_support::lsp::{Editor, PROMPT, Running};
use lsp_types::notification::Notification;
use lsp_types::request::ShowMessageRequest;
use lsp_types::{
    DidChangeTextDocumentParams, InitializeParams, InitializeResult, MessageActionItem,
    MessageType, ShowMessageRequestParams,
};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tower_lsp::jsonrpc::Result;
use tower_lsp::{Client, LanguageServer, LspService};

/// What the server has noted, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Waits until something was noted that many times.
    pub(crate) fn wait_for(&self, line: &str, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.lines().iter().filter(|noted| *noted == line).count() < count {
            assert!(
                Instant::now() < deadline,
                "{line:?} is not noted {count} times: {:?}",
                self.lines()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

pub(crate) struct Shout;

impl Notification for Shout {
    type Params = Value;
    const METHOD: &'static str = "x/shout";
}

struct Dummy {
    client: Client,
    requests: Requests,
    log: Log,
    go_on: Arc<Notify>,
}

type Answer = tokio::sync::oneshot::Receiver<Result<Option<MessageActionItem>>>;

impl Dummy {
    fn prompt() -> ShowMessageRequestParams {
        ShowMessageRequestParams {
            typ: MessageType::WARNING,
            message: "Allow?".to_owned(),
            actions: None,
        }
    }

    fn prompted(&self) -> Answer {
        self.requests.send::<ShowMessageRequest>(Self::prompt())
    }

    async fn ping(&self) -> Result<Value> {
        Ok(json!("pong"))
    }

    async fn boom(&self) -> Result<Value> {
        panic!("at once");
    }

    async fn boom_later(&self) -> Result<Value> {
        tokio::task::yield_now().await;
        panic!("{}", "after a while");
    }

    async fn boom_told(&self) {
        panic!("of a notification");
    }

    /// Waits until `x/goOn`.
    async fn park(&self) -> Result<Value> {
        self.log.push("parked");
        self.go_on.notified().await;
        Ok(json!("went on"))
    }

    async fn go_on(&self) {
        self.go_on.notify_waiters();
    }

    /// Prompts as a handler should; what is chosen is noted.
    async fn ask(&self) {
        let answer = self.prompted();
        let log = self.log.clone();
        tokio::spawn(async move { log.push(noted(answer.await.unwrap())) });
    }

    /// Prompts and is not interested any more.
    async fn ask_and_forget(&self) -> Result<Value> {
        drop(self.prompted());
        Ok(json!("asked"))
    }

    /// Prompts and waits for the answer in the handler.
    async fn ask_and_park(&self) -> Result<Value> {
        Ok(json!(noted(self.prompted().await.unwrap())))
    }

    /// Prompts past `Requests`, and drops the future of the answer.
    #[expect(
        clippy::disallowed_methods,
        reason = "shows what happens when somebody does it all the same"
    )]
    async fn ask_and_drop(&self) -> Result<Value> {
        let prompt = self
            .client
            .send_request::<ShowMessageRequest>(Self::prompt());
        let waited = tokio::time::timeout(Duration::from_millis(1), prompt).await;
        Ok(json!(waited.is_err()))
    }

    /// Sends notifications of 1 MiB.
    async fn shout(&self, count: usize) -> Result<Value> {
        for _ in 0..count {
            let text = "x".repeat(1024 * 1024);
            self.client.send_notification::<Shout>(json!(text)).await;
        }
        self.log.push("shouted");
        Ok(json!("shouted"))
    }
}

fn noted(answer: Result<Option<MessageActionItem>>) -> String {
    match answer {
        Ok(Some(item)) => item.title,
        Ok(None) => "nothing".to_owned(),
        Err(error) => format!("error {}", error.code.code()),
    }
}

#[tower_lsp::async_trait]
impl LanguageServer for Dummy {
    async fn initialize(&self, parameters: InitializeParams) -> Result<InitializeResult> {
        self.log.push("initialize");
        if parameters.initialization_options.is_some() {
            self.go_on.notified().await;
        }
        Ok(InitializeResult::default())
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_change(&self, parameters: DidChangeTextDocumentParams) {
        let version = parameters.text_document.version;
        self.log.push(format!("change {version}"));
    }
}

/// An editor of the dummy, not yet initialized.
pub(crate) fn connect() -> (Editor, Running<ServeEnd>, Log, Arc<Notify>) {
    let log = Log::default();
    let go_on = Arc::new(Notify::new());
    let (noted, notify) = (log.clone(), Arc::clone(&go_on));
    let (editor, running) = Editor::of(move |input, output| async move {
        let mut requests = None;
        let (service, socket) = LspService::build(|client| {
            let ours = Requests::new(client.clone(), Handle::current());
            requests = Some(ours.clone());
            Dummy {
                client,
                requests: ours,
                log: noted,
                go_on: notify,
            }
        })
        .custom_method("x/ping", Dummy::ping)
        .custom_method("x/boom", Dummy::boom)
        .custom_method("x/boomLater", Dummy::boom_later)
        .custom_method("x/boomTold", Dummy::boom_told)
        .custom_method("x/park", Dummy::park)
        .custom_method("x/goOn", Dummy::go_on)
        .custom_method("x/ask", Dummy::ask)
        .custom_method("x/askAndForget", Dummy::ask_and_forget)
        .custom_method("x/askAndPark", Dummy::ask_and_park)
        .custom_method("x/askAndDrop", Dummy::ask_and_drop)
        .custom_method("x/shout", Dummy::shout)
        .finish();
        serve(service, socket, &requests.unwrap(), input, output).await
    });
    (editor, running, log, go_on)
}

/// An editor of the dummy, initialized.
pub(crate) fn editor() -> (Editor, Running<ServeEnd>, Log) {
    let (mut editor, running, log, _) = connect();
    editor.initialize(json!({}));
    (editor, running, log)
}

/// The server still serves.
pub(crate) fn ping(editor: &mut Editor) {
    assert_eq!(editor.request("x/ping", Value::Null), json!("pong"));
}

/// The ids of that many prompts that the server sends.
pub(crate) fn prompts(editor: &mut Editor, count: usize) -> Vec<Value> {
    (0..count)
        .map(|_| editor.expect_request(PROMPT).0)
        .collect()
}
