//! The hash chain over the journal's rows.

use countersign_core::call::Digest;
use countersign_core::state::Record;

/// What the first row follows.
pub(crate) const GENESIS: Digest = Digest([0; 32]);

/// The newest row: its number (0 for none) and its hash.
pub(crate) type Head = (i64, Digest);

/// A row's columns, as they are kept beside its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) time: i64,
    /// Kind, agent, session, sub-agent, call, the agent's call, tool, decision,
    /// reason; in the order of [`Columns::NAMES`].
    pub(crate) texts: [Option<String>; 9],
}

impl Columns {
    /// The names in the table.
    pub(crate) const NAMES: &'static str =
        "kind, agent, session, subagent, call, agent_call, tool, decision, reason";

    pub(crate) fn of(record: &Record) -> Self {
        let key = record.key.as_ref();
        Self {
            time: record.time,
            texts: [
                Some(record.kind.as_str().to_owned()),
                key.map(|key| key.agent.to_string()),
                key.map(|key| key.session.clone()),
                key.and_then(|key| key.subagent.clone()),
                record.call.clone(),
                record.agent_call.clone(),
                record.tool.clone(),
                record.decision.clone(),
                record.reason.clone(),
            ],
        }
    }
}

/// The hash of a row: over the hash before it, its number, every column and
/// its body, each with its length, and with a column that is empty told from
/// one that is not there.
pub(crate) fn hash(previous: &Digest, seq: i64, columns: &Columns, body: &str) -> Digest {
    let texts: Vec<Vec<u8>> = columns
        .texts
        .iter()
        .map(|text| match text {
            None => vec![0],
            Some(text) => [&[1], text.as_bytes()].concat(),
        })
        .collect();
    let seq = seq.to_le_bytes();
    let time = columns.time.to_le_bytes();
    let fixed: [&[u8]; 3] = [&previous.0, &seq, &time];
    let parts = fixed
        .into_iter()
        .chain(texts.iter().map(Vec::as_slice))
        .chain([body.as_bytes()]);
    Digest::of_parts(parts)
}
