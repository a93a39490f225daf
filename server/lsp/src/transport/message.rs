//! Tells calls of the client from its answers, and both from what is neither.
//! Answers are read with care: only one that is well-formed counts as what the
//! client wanted to say.

use serde_json::{Map, Value};
use tower_lsp::jsonrpc::{Error, ErrorCode, Id, Request, Response};

use crate::protocol::requests::WITHOUT_PARAMETERS;

/// What the client sent.
#[derive(Debug)]
pub(super) enum Incoming {
    /// The notification that ends serving.
    Exit,
    /// A request or a notification.
    Call(Request),
    /// The answer to a request of ours. One that is malformed is an error.
    Answer(Response),
    /// Not a message; what to answer.
    Unusable(Response),
    /// The client could not read a message of ours, and says why.
    Complaint(String),
}

/// Reads the body of a message.
pub(super) fn parse(body: &[u8]) -> Incoming {
    let value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(problem) => {
            let error = error(
                ErrorCode::ParseError,
                format!("the message is not JSON: {problem}"),
            );
            return Incoming::Unusable(Response::from_error(Id::Null, error));
        }
    };
    let Value::Object(object) = value else {
        // The language server protocol has no batches.
        return unusable(Id::Null, "a message is one JSON object".to_owned());
    };
    let id = object
        .get("id")
        .and_then(|id| serde_json::from_value::<Id>(id.clone()).ok());
    if object.contains_key("method") {
        return call(id, object);
    }
    match (id, object.get("error")) {
        (Some(Id::Null) | None, Some(error)) => Incoming::Complaint(error.to_string()),
        (Some(Id::Null) | None, None) => {
            unusable(Id::Null, "a message has a method or an id".to_owned())
        }
        (Some(id), _) => Incoming::Answer(answer(id, object)),
    }
}

fn call(id: Option<Id>, mut object: Map<String, Value>) -> Incoming {
    // Clients in which a missing value is null send `null` for no parameters,
    // others `{}`; tower-lsp takes both for parameters.
    let takes_none = object
        .get("method")
        .and_then(Value::as_str)
        .is_some_and(|method| method == "shutdown" || WITHOUT_PARAMETERS.contains(&method));
    let is_nothing = |params: &Value| {
        params.is_null() || (takes_none && params.as_object().is_some_and(Map::is_empty))
    };
    if object.get("params").is_some_and(is_nothing) {
        object.remove("params");
    }
    match serde_json::from_value::<Request>(Value::Object(object)) {
        Ok(request) if request.method() == "exit" => Incoming::Exit,
        Ok(request) => Incoming::Call(request),
        Err(problem) => unusable(id.unwrap_or(Id::Null), problem.to_string()),
    }
}

/// Clients in which a missing value is left out send no `result` for null.
/// Some send both members always; an error that is there prevails.
fn answer(id: Id, mut object: Map<String, Value>) -> Response {
    let malformed = |what: &str| {
        error(
            ErrorCode::InvalidRequest,
            format!("the editor's answer is malformed: {what}"),
        )
    };
    if object.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Response::from_error(id, malformed("it is not of JSON-RPC 2.0"));
    }
    match object.remove("error") {
        None | Some(Value::Null) => {
            let result = object.remove("result").unwrap_or(Value::Null);
            Response::from_ok(id, result)
        }
        Some(error) => {
            let error = serde_json::from_value(error).unwrap_or_else(|_| malformed("its error"));
            Response::from_error(id, error)
        }
    }
}

fn unusable(id: Id, problem: String) -> Incoming {
    Incoming::Unusable(Response::from_error(
        id,
        error(ErrorCode::InvalidRequest, problem),
    ))
}

/// An error of JSON-RPC with a message.
pub(super) fn error(code: ErrorCode, message: String) -> Error {
    Error {
        code,
        message: message.into(),
        data: None,
    }
}
