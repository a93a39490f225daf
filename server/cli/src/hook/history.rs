//! What a hook that decides alone can tell a classifier of the conversation:
//! the person's words from the agent's own file, and the calls that the journal
//! knows.

use countersign_agents::HookEvent;
use countersign_alone::State;
use countersign_core::projection::Projection;
use countersign_core::redact;
use countersign_core::state::{Record, RecordKind};
use countersign_core::transcript::{Entry, Fate, Transcript};
use countersign_guard::Guard;
use countersign_service::turns;
use countersign_store::{Filter, JournalRow};
use serde_json::{Map, Value};

/// Rows of the session that are looked at, the newest.
const ROWS: usize = 200;

/// What is told of what an earlier call asked for, in bytes.
const SUBJECT_BYTES: usize = 2 * 1024;

/// The conversation as far as it can be known. What cannot be read is left out.
pub(super) fn transcript(
    event: &HookEvent,
    guard: &Guard,
    state: &State,
    is_the_users: bool,
) -> Transcript {
    let file = event.transcript_path.as_ref().filter(|_| is_the_users);
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
    let rows = rows.unwrap_or_default();
    // Of a long session the rows begin somewhere in it.
    let is_whole = rows.len() < ROWS;
    together(texts, &rows, is_whole)
}

/// The texts at the places where the journal says that a message came, if there
/// are as many of them as texts: each is the other's then. Else nothing says
/// which is which (some were typed while the agent worked, or before the guard
/// was there), and all texts stand before the calls, in their own order: a text
/// must not seem to answer a call that came after it.
fn together(texts: Vec<String>, rows: &[JournalRow], is_whole: bool) -> Transcript {
    let is_message = |row: &&JournalRow| {
        let of_root = row.record.key.as_ref();
        row.record.kind == RecordKind::UserMessage
            && of_root.is_some_and(|key| key.subagent.is_none())
    };
    let is_aligned = is_whole && rows.iter().filter(is_message).count() == texts.len();
    let mut texts = texts.into_iter();
    let mut transcript = Transcript::default();
    if !is_aligned {
        for text in texts.by_ref() {
            transcript.push(Entry::user(text));
        }
    }
    for row in rows {
        let record = &row.record;
        match record.kind {
            RecordKind::UserMessage => {
                if is_message(&row)
                    && let Some(text) = texts.next()
                {
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
            told(&together(texts(2), &rows, true)),
            [
                "\"prune a\" Allowed",
                "text 1",
                "\"prune b\" Approved",
                "text 2",
                "\"prune c\" Denied"
            ]
        );
    }

    #[test]
    fn texts_that_cannot_be_placed_stand_before_the_calls_in_their_own_order() {
        let message = || row(RecordKind::UserMessage, |_| {});
        let to_sub_agent = row(RecordKind::UserMessage, |record| {
            record.key.as_mut().unwrap().subagent = Some("a1".to_owned());
        });
        let rows = [decided("a", "allow"), message(), decided("b", "block")];
        let texts = |count: usize| (1..=count).map(|n| format!("text {n}")).collect();
        let calls = ["\"prune a\" Allowed", "\"prune b\" Denied"];
        let in_front = ["text 1", "text 2", calls[0], calls[1]];
        assert_eq!(told(&together(texts(2), &rows, true)), in_front);
        assert_eq!(told(&together(texts(0), &rows, true)), calls);
        // The same number by chance, where rows are missing.
        let in_front = ["text 1", calls[0], calls[1]];
        assert_eq!(told(&together(texts(1), &rows, false)), in_front);
        // A sub-agent's prompt is no message of the person.
        let rows = [decided("a", "allow"), to_sub_agent, decided("b", "block")];
        assert_eq!(told(&together(texts(1), &rows, true)), in_front);
    }
}
