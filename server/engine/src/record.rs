//! Journal rows: what is written of a call. The store masks and bounds every
//! row that it appends; here only the bodies of edits are left out.

use camino::Utf8PathBuf;
use countersign_core::call::{Call, SessionKey, Subject};
use countersign_core::redact;
use countersign_core::state::{Millis, Record, RecordKind};

use crate::apply::{self, Applying};

/// A row of a session with nothing but its kind and time.
pub(crate) fn bare(kind: RecordKind, key: Option<&SessionKey>, time: Millis) -> Record {
    Record {
        key: key.cloned(),
        ..Record::of(kind, time)
    }
}

/// The row of a decision, without counters and latency.
pub(crate) fn of_decision(applying: &Applying<'_>, workspace: Option<Utf8PathBuf>) -> Record {
    let call = applying.request.call;
    Record {
        call: Some(applying.id.to_owned()),
        agent_call: call.id.clone(),
        tool: Some(apply::tool(call).to_string()),
        workspace,
        decision: Some(applying.decision.verb().to_owned()),
        reason: Some(applying.decision.reason().to_owned()),
        detail: Some(applying.decision.detail().to_owned()),
        subject: Some(subject(call)),
        ..bare(RecordKind::Decision, Some(&call.key), applying.now)
    }
}

/// What a call asked for: commands and prompts whole, edit bodies as digest
/// and beginning.
#[must_use]
pub fn subject(call: &Call) -> String {
    let parts: Vec<String> = call
        .operations
        .iter()
        .map(|operation| match &operation.subject {
            Subject::Command(command) => command.text.clone(),
            Subject::Paths(paths) => paths
                .iter()
                .map(|path| match &path.change {
                    Some(change) => format!("{} {}", path.path, redact::edit_body(&change.new)),
                    None => path.path.clone(),
                })
                .collect::<Vec<_>>()
                .join(", "),
            Subject::Urls(urls) if urls.is_empty() => "a host that is not named".to_owned(),
            Subject::Urls(urls) => urls.join(", "),
            Subject::Delegate { kind, prompt } => {
                format!("{}: {prompt}", kind.as_deref().unwrap_or("agent"))
            }
            Subject::Other => call.raw_tool.clone(),
        })
        .collect();
    parts.join("\n")
}
