//! The messages: each method with the types of what is sent along.

use countersign_lsp::protocol::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower_lsp::jsonrpc::Error;
use tower_lsp::lsp_types::{
    DidChangeConfigurationParams, ExecuteCommandParams, InitializeParams, InitializeResult,
};

/// A type as golden files are read with it.
#[derive(Clone, Copy)]
pub(crate) struct Payload {
    /// Its name in `protocol.rs`; others are not ours.
    pub(crate) name: &'static str,
    /// Reads a value as this type and writes it again.
    pub(crate) again: fn(Value) -> serde_json::Result<Value>,
}

fn payload<T: Serialize + DeserializeOwned>() -> Payload {
    let path = std::any::type_name::<T>();
    Payload {
        name: path.rsplit("::").next().unwrap_or(path),
        again: |value| serde_json::to_value(serde_json::from_value::<T>(value)?),
    }
}

/// What is sent with a method.
pub(crate) struct Message {
    /// The constant, as it is called in `protocol.rs`; none for what is not a
    /// method of ours.
    pub(crate) constant: Option<&'static str>,
    /// Its folder below `tests/protocol`.
    pub(crate) folder: String,
    pub(crate) params: Option<Payload>,
    /// None for notifications.
    pub(crate) result: Option<Payload>,
}

/// The folder of a method's golden files.
pub(crate) fn folder(module: &str, method: &str) -> String {
    format!("{}/{}", module.replace('_', "-"), method.replace('/', "-"))
}

macro_rules! messages {
    ($($module:ident::$name:ident ($($params:ty)?) $(-> $result:ty)?;)*) => {
        vec![$(Message {
            constant: Some(concat!(stringify!($module), "::", stringify!($name))),
            folder: folder(stringify!($module), $module::$name),
            params: [$(payload::<$params>())?].first().copied(),
            result: [$(payload::<$result>())?].first().copied(),
        }),*]
    };
}

/// Every method of ours.
pub(crate) fn methods() -> Vec<Message> {
    messages! {
        from_client::TOOL_CALL(ToolCallParams);
        from_client::TOOL_RESULT(ToolResultParams);
        from_client::CANCEL_TOOL_CALL(CancelToolCallParams);
        from_client::USER_MESSAGE(SessionEventParams);
        from_client::SESSION_START(SessionEventParams);
        from_client::SESSION_END(SessionEventParams);
        requests::SET_MODE(SetModeParams) -> SetModeResult;
        requests::RESOLVE_APPROVAL(ResolveApprovalParams) -> ResolveApprovalResult;
        requests::GRANT(GrantParams) -> ();
        requests::RESET_COUNTERS(ResetCountersParams) -> ();
        requests::TRUST(TrustParams) -> ();
        requests::SET_BASELINE(SetBaselineParams) -> ();
        requests::CONSENT(ConsentParams) -> ();
        requests::PENDING_APPROVALS() -> PendingApprovalsResult;
        requests::STATUS() -> Status;
        requests::SESSIONS() -> SessionsResult;
        requests::EXPLAIN(ExplainParams) -> ExplainResult;
        requests::CALL(CallParams) -> CallResult;
        requests::JOURNAL(JournalParams) -> JournalResult;
        requests::TEXT_DOCUMENT_CONTENT(TextDocumentContentParams) -> TextDocumentContentResult;
        from_server::DECISION(DecisionParams);
        from_server::STATUS(Status);
        from_server::APPROVAL_REQUESTED(Approval);
        from_server::APPROVAL_RESOLVED(ApprovalResolvedParams);
        from_server::SERVER_STATUS(ServerStatusParams);
        from_server::TEXT_DOCUMENT_CONTENT_REFRESH(TextDocumentContentParams) -> ();
    }
}

/// What else has golden files: what a client declares and is answered, the
/// settings that it sends, commands, and errors.
pub(crate) fn others() -> Vec<Message> {
    let other = |folder: String, params: Option<Payload>, result: Option<Payload>| Message {
        constant: None,
        folder,
        params,
        result,
    };
    let mut others = vec![
        other(
            "initialize".to_owned(),
            Some(payload::<InitializeParams>()),
            Some(payload::<InitializeResult>()),
        ),
        other(
            "didChangeConfiguration".to_owned(),
            Some(payload::<DidChangeConfigurationParams>()),
            None,
        ),
    ];
    others.extend(commands::ALL.iter().map(|name| {
        other(
            format!("commands/{name}"),
            Some(payload::<ExecuteCommandParams>()),
            Some(payload::<Option<String>>()),
        )
    }));
    others
}

/// What a client declares.
pub(crate) fn declaration() -> Payload {
    payload::<ClientExtension>()
}

/// An error of ours.
pub(crate) fn error() -> Payload {
    payload::<Error>()
}
