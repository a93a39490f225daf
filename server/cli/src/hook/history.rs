//! What a hook that decides alone can tell a classifier of the conversation:
//! the person's words from the agent's own file, and the calls that the journal
//! knows.

use countersign_agents::HookEvent;
use countersign_core::projection::Projection;
use countersign_core::redact;
use countersign_core::state::{Record, RecordKind};
use countersign_core::transcript::{Entry, Fate, Transcript};
use countersign_service::guard::Guard;
use countersign_service::turns;
use countersign_store::{Filter, JournalRow};
use serde_json::{Map, Value};

use super::state::State;

/// Rows of the session that are looked at, the newest.
const ROWS: usize = 200;

/// What is told of what an earlier call asked for, in bytes.
const SUBJECT_BYTES: usize = 2 * 1024;

/// The conversation as far as it can be known. What cannot be read is left out.
pub(super) fn transcript(
    event: &HookEvent,
    guard: &Guard,
    state: &State,
    is_trusted: bool,
) -> Transcript {
    let file = event.transcript_path.as_ref().filter(|_| is_trusted);
    let texts = file.map(|file| turns(&event.key, file, guard));
    let texts = match texts {
        Some(Ok(texts)) => texts,
        Some(Err(why)) => {
            tracing::debug!("what the user typed is not known: {why}");
            Vec::new()
        }
        None => Vec::new(),
    };
    let filter = Filter {
        session: Some(event.key.session.clone()),
        agent: Some(event.key.agent),
        limit: ROWS,
        ..Filter::default()
    };
    let rows = state
        .journal
        .as_ref()
        .and_then(|journal| journal.journal(&filter).ok());
    together(texts, &rows.unwrap_or_default())
}

/// The texts at the places where the journal says that a message came; those
/// from before its rows stand at the beginning.
fn together(texts: Vec<String>, rows: &[JournalRow]) -> Transcript {
    let is_message = |row: &&JournalRow| row.record.kind == RecordKind::UserMessage;
    let messages = rows.iter().filter(is_message).count();
    let before = texts.len().saturating_sub(messages);
    // Messages whose text is not known are passed over: the oldest.
    let mut without_text = messages.saturating_sub(texts.len());
    let mut texts = texts.into_iter();
    let mut transcript = Transcript::default();
    for text in texts.by_ref().take(before) {
        transcript.push(Entry::user(text));
    }
    for row in rows {
        let record = &row.record;
        match record.kind {
            RecordKind::UserMessage if without_text > 0 => without_text -= 1,
            RecordKind::UserMessage => {
                if let Some(text) = texts.next() {
                    transcript.push(Entry::user(text));
                }
            }
            RecordKind::Decision => transcript.push(call(record)),
            RecordKind::Answer => {
                if let Some(id) = &record.call {
                    let fate = match record.decision.as_deref() {
                        Some("allow") => Fate::Approved,
                        Some(_) | None => Fate::Rejected,
                    };
                    transcript.settle(id, fate);
                }
            }
            RecordKind::Result
            | RecordKind::Unguarded
            | RecordKind::SessionStart
            | RecordKind::SessionEnd
            | RecordKind::Reset
            | RecordKind::Rules
            | RecordKind::Trust
            | RecordKind::Ignored
            | RecordKind::Problem
            | RecordKind::Anchor => {}
        }
    }
    transcript
}

fn call(record: &Record) -> Entry {
    let mut arguments = Map::new();
    if let Some(subject) = &record.subject {
        let subject = redact::bounded(subject, SUBJECT_BYTES).into_owned();
        arguments.insert("subject".to_owned(), Value::String(subject));
    }
    let fate = match (record.decision.as_deref(), record.reason.as_deref()) {
        (Some("allow"), Some("approval" | "grant")) => Fate::Approved,
        (Some("allow"), _) => Fate::Allowed,
        (Some("ask"), _) => Fate::Asked,
        (Some(_) | None, _) => Fate::Denied,
    };
    Entry::Call {
        id: record.call.clone().unwrap_or_default(),
        projection: Projection {
            tool: record.tool.clone().unwrap_or_default(),
            arguments,
            withheld: vec!["all but what it was about".to_owned()],
        },
        fate,
        subagent: record.key.as_ref().and_then(|key| key.subagent.clone()),
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::agent::Agent;
    use countersign_core::call::{Digest, SessionKey};

    use super::*;

    fn row(kind: RecordKind, change: impl FnOnce(&mut Record)) -> JournalRow {
        let mut record = Record::of(kind, 0);
        record.key = Some(SessionKey {
            agent: Agent::ClaudeCode,
            session: "s".to_owned(),
            subagent: None,
        });
        change(&mut record);
        JournalRow {
            seq: 1,
            record,
            hash: Digest([0; 32]),
        }
    }

    fn decided(id: &str, decision: &str) -> JournalRow {
        row(RecordKind::Decision, |record| {
            record.call = Some(id.to_owned());
            record.decision = Some(decision.to_owned());
            record.subject = Some(format!("prune {id}"));
        })
    }

    fn told(transcript: &Transcript) -> Vec<String> {
        transcript
            .entries()
            .map(|entry| match entry {
                Entry::User { text } => text.clone(),
                Entry::Call {
                    projection, fate, ..
                } => format!("{} {fate:?}", projection.arguments["subject"]),
            })
            .collect()
    }

    #[test]
    fn texts_stand_where_their_messages_came() {
        let message = || row(RecordKind::UserMessage, |_| {});
        let answer = row(RecordKind::Answer, |record| {
            record.call = Some("b".to_owned());
            record.decision = Some("allow".to_owned());
        });
        let rows = [
            decided("a", "allow"),
            message(),
            decided("b", "ask"),
            answer,
            message(),
            decided("c", "block"),
        ];
        let texts = |count: usize| (1..=count).map(|n| format!("text {n}")).collect();
        assert_eq!(
            told(&together(texts(3), &rows)),
            [
                "text 1",
                "\"prune a\" Allowed",
                "text 2",
                "\"prune b\" Approved",
                "text 3",
                "\"prune c\" Denied"
            ]
        );
        assert_eq!(
            told(&together(texts(1), &rows)),
            [
                "\"prune a\" Allowed",
                "\"prune b\" Approved",
                "text 1",
                "\"prune c\" Denied"
            ]
        );
    }
}
