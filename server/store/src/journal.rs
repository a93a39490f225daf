//! Reading the journal.

use countersign_core::agent::Agent;
use countersign_core::call::Digest;
use countersign_core::state::{Millis, Record, RecordKind, StateError};
use rusqlite::types::Value;

use crate::chain::Head;
use crate::error::damaged;
use crate::store::Store;

/// Which rows to read; what is not said does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Of this session (its sub-agents' too), by the agent's id of it.
    pub session: Option<String>,
    /// Of this agent.
    pub agent: Option<Agent>,
    /// With this decision: `allow`, `block` or `ask`.
    pub decision: Option<String>,
    /// Of this canonical tool.
    pub tool: Option<String>,
    /// Of this kind.
    pub kind: Option<RecordKind>,
    /// Of this call, by the guard's id or the agent's.
    pub call: Option<String>,
    /// From this time on.
    pub since: Option<Millis>,
    /// Up to and with this time.
    pub until: Option<Millis>,
    /// At most so many rows: the newest, or the first ones after `after_seq`.
    pub limit: usize,
    /// Behind this row, to follow the journal.
    pub after_seq: Option<i64>,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            session: None,
            agent: None,
            decision: None,
            tool: None,
            kind: None,
            call: None,
            since: None,
            until: None,
            limit: usize::MAX,
            after_seq: None,
        }
    }
}

/// A row of the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalRow {
    /// Its number: 1 for the first, without gaps.
    pub seq: i64,
    /// What it says. Control and invisible characters are in it as they came;
    /// whoever shows it uses `redact::visible`.
    pub record: Record,
    /// The hash over it and all rows before it.
    pub hash: Digest,
}

impl Filter {
    /// The conditions in SQL and their values.
    fn conditions(&self) -> (String, Vec<Value>) {
        let text = |text: &Option<String>| text.clone().map(Value::Text);
        let named = |name: Option<&str>| name.map(|name| Value::Text(name.to_owned()));
        let conditions = [
            ("session = ?", text(&self.session)),
            ("agent = ?", named(self.agent.map(Agent::as_str))),
            ("decision = ?", text(&self.decision)),
            ("tool = ?", text(&self.tool)),
            ("kind = ?", named(self.kind.map(RecordKind::as_str))),
            ("? IN (call, agent_call)", text(&self.call)),
            ("time >= ?", self.since.map(Value::Integer)),
            ("time <= ?", self.until.map(Value::Integer)),
            ("seq > ?", self.after_seq.map(Value::Integer)),
        ];
        let mut sql = String::from("1");
        let mut values = Vec::new();
        for (condition, value) in conditions {
            if let Some(value) = value {
                sql.push_str(" AND ");
                sql.push_str(condition);
                values.push(value);
            }
        }
        (sql, values)
    }
}

impl Store {
    /// The rows that the filter lets through, oldest first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn journal(&self, filter: &Filter) -> Result<Vec<JournalRow>, StateError> {
        let order = if filter.after_seq.is_some() {
            "ASC"
        } else {
            "DESC"
        };
        let (conditions, mut values) = filter.conditions();
        let sql = format!(
            "SELECT seq, body, hash FROM journal WHERE {conditions} ORDER BY seq {order} LIMIT ?"
        );
        values.push(Value::Integer(
            i64::try_from(filter.limit).unwrap_or(i64::MAX),
        ));
        let mut rows = self.view(&mut |transaction| {
            let found: Vec<(i64, String, [u8; 32])> = transaction
                .connection()
                .prepare_cached(&sql)
                .and_then(|mut statement| {
                    let values = rusqlite::params_from_iter(values.iter());
                    statement
                        .query_map(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                        .collect()
                })
                .map_err(|error| transaction.fail(error))?;
            found
                .into_iter()
                .map(|(seq, body, hash)| {
                    let record = serde_json::from_str(&body).map_err(|error| {
                        damaged(transaction.path(), &format!("row {seq}: {error}"))
                    })?;
                    Ok(JournalRow {
                        seq,
                        record,
                        hash: Digest(hash),
                    })
                })
                .collect::<Result<Vec<_>, StateError>>()
        })?;
        if filter.after_seq.is_none() {
            rows.reverse();
        }
        Ok(rows)
    }

    /// The number (0 for none) and the hash of the newest row. Kept elsewhere,
    /// it lets [`Store::verify_against`] find a journal that was replaced.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn head(&self) -> Result<Head, StateError> {
        self.view(&mut |transaction| transaction.head())
    }
}
