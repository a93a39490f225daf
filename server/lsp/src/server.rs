//! The handlers of tower-lsp. None of them works or awaits the client: what
//! changes something is posted to the actor in the order of arrival, what only
//! looks is looked up in a thread of its own.

use std::sync::Arc;

use countersign_core::approval::AnswerSource;
use countersign_core::call::Digest;
use countersign_engine::ledger::Vouching;
use countersign_service::{AnswerError, Choice, GrantError, PersonError, Remember, Said, Service};
use countersign_store::Filter;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp::lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionParams, CodeActionProviderCapability,
    CodeActionResponse, CodeLens, CodeLensOptions, CodeLensParams, DidChangeConfigurationParams,
    DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams, DidOpenTextDocumentParams,
    DidSaveTextDocumentParams, ExecuteCommandOptions, ExecuteCommandParams, Hover, HoverParams,
    HoverProviderCapability, InitializeParams, InitializeResult, InitializedParams, OneOf,
    SaveOptions, ServerCapabilities, ServerInfo, TextDocumentSyncCapability, TextDocumentSyncKind,
    TextDocumentSyncOptions, TextDocumentSyncSaveOptions, WorkspaceFoldersServerCapabilities,
    WorkspaceServerCapabilities,
};
use tower_lsp::{LanguageServer, async_trait};

use crate::actor::Event;
use crate::agent_calls::AgentMessage;
use crate::client::ClientCapabilities;
use crate::draw;
use crate::draw::diagnostics::Files;
use crate::draw::lens::RuleStats;
use crate::protocol::{
    self, CallParams, CallResult, CancelToolCallParams, ConsentParams, ConsentTo, ExplainParams,
    ExplainResult, GrantParams, JournalParams, JournalResult, PendingApprovalsResult,
    ResetCountersParams, ResolveApprovalParams, ResolveApprovalResult, SessionEventParams,
    SessionsResult, SetBaselineParams, SetModeParams, SetModeResult, TextDocumentContentParams,
    TextDocumentContentResult, ToolCallParams, ToolResultParams, TrustParams,
};
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::{convert, requests_of_a_person};

/// Rows of the journal that rule statistics are taken from.
const STATS_ROWS: usize = 5_000;

/// Most rows that a client gets of the journal.
const MOST_ROWS: usize = 1_000;

/// Codes of our own for errors, below those that the protocols reserve.
pub(crate) mod code {
    /// What is asked for is not there (any more).
    pub(crate) const NOT_FOUND: i64 = -31_001;
    /// An answer that came less than half a second after its prompt.
    pub(crate) const TOO_SOON: i64 = -31_002;
    /// What was shown is not what is there now.
    pub(crate) const CHANGED: i64 = -31_003;
    /// It is not done, for the reason that the message gives: trust, an
    /// explanation or a confirmation comes first, the nonce is another one, the
    /// rule was not offered, or settings or state cannot be written.
    pub(crate) const REFUSED: i64 = -31_004;
    /// Only a client that declares `experimental.countersign` may.
    pub(crate) const NOT_DECLARED: i64 = -31_005;
}

/// The language server.
pub(crate) struct Backend {
    pub(crate) shared: Arc<Shared>,
    pub(crate) events: mpsc::UnboundedSender<Event>,
}

impl Backend {
    fn post(&self, event: Event) {
        // An actor that is gone has ended the server too.
        let _ = self.events.send(event);
    }

    fn service(&self) -> &Arc<Service> {
        &self.shared.service
    }

    /// Looks something up where that holds up nobody.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || look(&shared))
            .await
            .map_err(|_| Error::internal_error())
    }

    /// A person's act comes only from a client that says that it draws for a
    /// person itself.
    fn source(&self) -> Result<AnswerSource> {
        let client = self.shared.client();
        if client.draws_approvals() {
            Ok(client.surface().source())
        } else {
            Err(failure(
                code::NOT_DECLARED,
                "declare the capability experimental.countersign to act for a person; other \
                 clients use the commands countersign.server.*",
            ))
        }
    }

    fn uses(&self) {
        self.service().is_used();
    }

    // Agents inside the editor.

    pub(crate) async fn tool_call(&self, params: ToolCallParams) {
        self.post(Event::Agent(Box::new(AgentMessage::Call(params))));
    }

    pub(crate) async fn tool_result(&self, params: ToolResultParams) {
        self.post(Event::Agent(Box::new(AgentMessage::Result(params))));
    }

    pub(crate) async fn cancel_tool_call(&self, params: CancelToolCallParams) {
        self.post(Event::Cancel(params));
    }

    pub(crate) async fn user_message(&self, params: SessionEventParams) {
        self.post(Event::Agent(Box::new(AgentMessage::UserMessage(params))));
    }

    pub(crate) async fn session_start(&self, params: SessionEventParams) {
        self.post(Event::Agent(Box::new(AgentMessage::SessionStart(params))));
    }

    pub(crate) async fn session_end(&self, params: SessionEventParams) {
        self.post(Event::Agent(Box::new(AgentMessage::SessionEnd(params))));
    }

    // A person's acts.

    pub(crate) async fn set_mode(&self, params: SetModeParams) -> Result<SetModeResult> {
        self.source()?;
        self.uses();
        let mode = params.mode.parse().map_err(invalid)?;
        let session = params.session.as_ref().map(convert::session_key);
        let session = session.transpose().map_err(invalid)?;
        let said = Said {
            acknowledged: params.acknowledged,
            confirmed: params.confirmed,
        };
        match self.service().set_mode(session, mode, said).await {
            Ok(()) => Ok(SetModeResult::Done),
            Err(PersonError::NeedsNotice(notice)) => Ok(SetModeResult::NeedsNotice {
                text: notice.text,
                set_aside: notice.set_aside,
            }),
            Err(error @ PersonError::NeedsConfirmation) => Ok(SetModeResult::NeedsConfirmation {
                text: error.to_string(),
            }),
            Err(error) => Err(of_person(&error)),
        }
    }

    pub(crate) async fn resolve_approval(
        &self,
        params: ResolveApprovalParams,
    ) -> Result<ResolveApprovalResult> {
        let source = self.source()?;
        self.uses();
        let choice = match params.choice {
            protocol::ChoiceKind::Deny => Choice::Deny {
                message: params.message,
            },
            protocol::ChoiceKind::Dismiss => Choice::Dismiss,
            protocol::ChoiceKind::Approve => Choice::Approve,
            protocol::ChoiceKind::ApproveAndSwitchToDefault => Choice::ApproveAndSwitchToDefault,
            protocol::ChoiceKind::Remember => Choice::Remember {
                rules: params.rules,
                scope: match params.scope {
                    protocol::RememberScope::Session => Remember::Session,
                    protocol::RememberScope::Project => Remember::Project,
                    protocol::RememberScope::User => Remember::User,
                },
            },
        };
        self.service()
            .answer(&params.id, Some(&params.nonce), choice, source)
            .await
            .map(|answered| ResolveApprovalResult {
                decision: answered.decision.verb().to_owned(),
                warning: answered.warning,
            })
            .map_err(|error| of_answer(&error))
    }

    pub(crate) async fn grant(&self, params: GrantParams) -> Result<Value> {
        let source = self.source()?;
        self.uses();
        let granted = self.service().grant(params.id, source).await;
        granted
            .map(|()| Value::Null)
            .map_err(|error| of_person(&error))
    }

    pub(crate) async fn reset_counters(&self, params: ResetCountersParams) -> Result<Value> {
        self.source()?;
        self.uses();
        let session = params.session.as_ref().map(convert::session_key);
        let session = session.transpose().map_err(invalid)?;
        requests_of_a_person::reset_counters(self.service(), session)
            .await
            .map(|()| Value::Null)
            .map_err(|error| of_person(&error))
    }

    pub(crate) async fn trust(&self, params: TrustParams) -> Result<Value> {
        let source = self.source()?;
        self.uses();
        self.service()
            .trust(params.folder.into(), params.trusted, source)
            .await
            .map(|()| Value::Null)
            .map_err(|error| of_person(&error))
    }

    pub(crate) async fn set_baseline(&self, params: SetBaselineParams) -> Result<Value> {
        let source = self.source()?;
        self.uses();
        let vouching = if params.work_tree {
            Vouching::WorkTree
        } else {
            Vouching::Commit
        };
        self.service()
            .set_baseline(params.folder.into(), params.commit, vouching, source)
            .await
            .map(|()| Value::Null)
            .map_err(|error| of_person(&error))
    }

    pub(crate) async fn consent(&self, params: ConsentParams) -> Result<Value> {
        let source = self.source()?;
        self.uses();
        let digest = Digest::from_hex(&params.digest)
            .ok_or_else(|| invalid("digest: not a SHA-256 in hexadecimal"))?;
        let folder = params.folder.into();
        let consented = match params.what {
            ConsentTo::Loosening => self.service().consent(folder, digest, source).await,
            ConsentTo::Removal => self.service().confirm_removal(folder, digest, source).await,
        };
        consented
            .map(|()| Value::Null)
            .map_err(|error| of_person(&error))
    }

    // Looking.

    pub(crate) async fn pending_approvals(&self) -> Result<PendingApprovalsResult> {
        // The nonces in it are for a client that shows them to a person.
        self.source()?;
        let pending = self.service().pending();
        Ok(PendingApprovalsResult {
            approvals: pending
                .iter()
                .map(|pending| convert::approval(pending, false))
                .collect(),
        })
    }

    pub(crate) async fn status(&self) -> Result<protocol::Status> {
        self.look(|shared| convert::status(&shared.service)).await
    }

    pub(crate) async fn sessions(&self) -> Result<SessionsResult> {
        let status = self.status().await?;
        Ok(SessionsResult {
            sessions: status.sessions,
        })
    }

    pub(crate) async fn explain(&self, params: ExplainParams) -> Result<ExplainResult> {
        let id = params.id.clone();
        let markdown = self
            .look(move |shared| requests_of_a_person::explain(&shared.service, &params.id))
            .await?;
        markdown
            .map(|markdown| ExplainResult { markdown })
            .ok_or_else(|| failure(code::NOT_FOUND, format!("no call {id} is known")))
    }

    pub(crate) async fn call(&self, params: CallParams) -> Result<CallResult> {
        // Unmasked, for a client that asks a person about it.
        self.source()?;
        let id = params.id.clone();
        let call = self
            .look(move |shared| requests_of_a_person::call(&shared.service, &params.id))
            .await?;
        call.ok_or_else(|| failure(code::NOT_FOUND, format!("no call {id} waits or was denied")))
    }

    pub(crate) async fn journal(&self, params: JournalParams) -> Result<JournalResult> {
        let filter = Filter {
            session: params.session,
            decision: params.decision,
            limit: params.limit.unwrap_or(100).min(MOST_ROWS),
            ..Filter::default()
        };
        let rows = self
            .look(move |shared| shared.service.journal().rows(&filter))
            .await?
            .map_err(|error| failure(code::NOT_FOUND, error))?;
        let rows = rows.iter().map(|row| {
            let mut value = serde_json::to_value(&row.record)?;
            if let Some(object) = value.as_object_mut() {
                object.insert("seq".to_owned(), row.seq.into());
                object.insert("hash".to_owned(), row.hash.to_string().into());
            }
            Ok(value)
        });
        Ok(JournalResult {
            rows: rows
                .collect::<std::result::Result<_, serde_json::Error>>()
                .map_err(|_| Error::internal_error())?,
        })
    }

    pub(crate) async fn text_document_content(
        &self,
        params: TextDocumentContentParams,
    ) -> Result<TextDocumentContentResult> {
        let uri = params
            .uri
            .parse()
            .map_err(|error| invalid(format!("uri: `{}` is none ({error})", params.uri)))?;
        let text = self
            .look(move |shared| {
                let key = draw::uri::parse(&uri)?;
                let snapshot = Snapshot::take(&shared.service);
                Some(draw::session_document::render(&snapshot, &key).text)
            })
            .await?;
        text.map(|text| TextDocumentContentResult { text })
            .ok_or_else(|| failure(code::NOT_FOUND, format!("no document {}", params.uri)))
    }
}

#[async_trait]
impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let client = ClientCapabilities::of(&params);
        self.shared.begin(client);
        self.post(Event::Begin(Box::new(params)));
        Ok(InitializeResult {
            capabilities: capabilities(),
            server_info: Some(ServerInfo {
                name: "countersign".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        self.post(Event::Initialized);
    }

    async fn shutdown(&self) -> Result<()> {
        let (done, ended) = oneshot::channel();
        self.post(Event::Shutdown(done));
        // Ends at once where the actor is gone.
        let _ = ended.await;
        Ok(())
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        self.post(Event::Configuration(params.settings));
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        self.post(Event::Folders(Box::new(params.event)));
    }

    async fn did_change_watched_files(&self, _: DidChangeWatchedFilesParams) {
        self.post(Event::Settings);
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        // Of all that an editor opens, only settings and our own documents
        // concern us; an editor opens its own settings by itself.
        let _ = params;
        self.uses();
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        self.uses();
        if params.text_document.uri.path().ends_with("/settings.json") {
            self.post(Event::Settings);
        }
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        self.uses();
        let actions = self
            .look(move |shared| {
                let snapshot = Snapshot::take(&shared.service);
                draw::actions::at(
                    &snapshot,
                    &shared.client(),
                    &mut Files::real(),
                    &params.text_document.uri,
                    params.range,
                )
            })
            .await?;
        Ok(Some(actions))
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        let lenses = self
            .look(move |shared| {
                let snapshot = Snapshot::take(&shared.service);
                let stats = stats(&shared.service);
                let uri = &params.text_document.uri;
                let text = draw::uri::to_path(uri).and_then(|path| Files::real().text(&path));
                draw::lens::at(&snapshot, uri, &stats, text.as_deref())
            })
            .await?;
        Ok(Some(lenses))
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        self.look(move |shared| {
            let snapshot = Snapshot::take(&shared.service);
            let place = params.text_document_position_params;
            draw::hover::at(
                &snapshot,
                &shared.client(),
                &mut Files::real(),
                &place.text_document.uri,
                place.position,
                &stats(&shared.service),
            )
        })
        .await
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<Value>> {
        self.uses();
        let (answer, answered) = oneshot::channel();
        self.post(Event::Command {
            name: params.command,
            arguments: params.arguments,
            answer,
        });
        // The actor says what was begun; it waits for nobody.
        answered.await.map_err(|_| Error::internal_error())?
    }
}

fn stats(service: &Service) -> RuleStats {
    let filter = Filter {
        limit: STATS_ROWS,
        ..Filter::default()
    };
    service
        .journal()
        .rows(&filter)
        .map(|rows| RuleStats::of(&rows))
        .unwrap_or_default()
}

fn capabilities() -> ServerCapabilities {
    ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Options(
            TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(TextDocumentSyncKind::NONE),
                save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions {
                    include_text: Some(false),
                })),
                ..TextDocumentSyncOptions::default()
            },
        )),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
            ..CodeActionOptions::default()
        })),
        code_lens_provider: Some(CodeLensOptions {
            resolve_provider: Some(false),
        }),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: protocol::commands::ALL
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
            ..ExecuteCommandOptions::default()
        }),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            file_operations: None,
        }),
        // LSP 3.18; these types are of 3.17.
        experimental: Some(serde_json::json!({
            "countersign": { "version": env!("CARGO_PKG_VERSION") },
            "textDocumentContent": { "schemes": ["countersign"] },
        })),
        ..ServerCapabilities::default()
    }
}

pub(crate) fn failure(code: i64, message: impl ToString) -> Error {
    Error {
        code: ErrorCode::ServerError(code),
        message: message.to_string().into(),
        data: None,
    }
}

pub(crate) fn invalid(message: impl ToString) -> Error {
    Error::invalid_params(message.to_string())
}

pub(crate) fn of_person(error: &PersonError) -> Error {
    let code = match error {
        PersonError::UnknownSession(_) | PersonError::Grant(GrantError::NotDenied(_)) => {
            code::NOT_FOUND
        }
        PersonError::OtherDigest
        | PersonError::OtherCommit
        | PersonError::Grant(GrantError::Changed(_)) => code::CHANGED,
        PersonError::NotTrusted { .. }
        | PersonError::NeedsNotice(_)
        | PersonError::NeedsConfirmation
        | PersonError::NamesNoSession
        | PersonError::Settings(_)
        | PersonError::Trust(_)
        | PersonError::State(_)
        | PersonError::Refused(_)
        | PersonError::Failed(_) => code::REFUSED,
    };
    failure(code, error)
}

pub(crate) fn of_answer(error: &AnswerError) -> Error {
    let code = match error {
        AnswerError::NotOpen(_) => code::NOT_FOUND,
        AnswerError::TooSoon(_) => code::TOO_SOON,
        AnswerError::Changed(_) => code::CHANGED,
        AnswerError::WrongNonce(_) | AnswerError::NotOffered(..) | AnswerError::State(_) => {
            code::REFUSED
        }
    };
    failure(code, error)
}

/// Arguments of a command, by position.
pub(crate) fn argument<T: DeserializeOwned>(arguments: &[Value], at: usize) -> Option<T> {
    serde_json::from_value(arguments.get(at)?.clone()).ok()
}
