//! Reading the journal.

use countersign_core::agent::Agent;
use countersign_core::call::Digest;
use countersign_core::model::Stage;
use countersign_core::state::{Millis, Record, RecordKind, StateError};
use rusqlite::types::Value;

use crate::chain::Head;
use crate::error::damaged;
use crate::facets::{FROM, STAGE};
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
    /// With this reason; of an allow, the layer.
    pub reason: Option<String>,
    /// Where the word of this stage of the classifier counted.
    pub stage: Option<Stage>,
    /// Of this canonical tool.
    pub tool: Option<String>,
    /// Of this kind.
    pub kind: Option<RecordKind>,
    /// Of this call, by the guard's id or the agent's.
    pub call: Option<String>,
    /// With this text, in whatever case, in what was asked for, the detail, an
    /// effect or what kept the classifier from answering: as they are kept, and so
    /// never what was masked. Reads every row that the rest lets through.
    pub text: Option<String>,
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
            reason: None,
            stage: None,
            tool: None,
            kind: None,
            call: None,
            text: None,
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
        let stage = format!("{STAGE} = ?");
        let conditions = [
            ("session = ?", text(&self.session)),
            ("agent = ?", named(self.agent.map(Agent::as_str))),
            ("decision = ?", text(&self.decision)),
            ("reason = ?", text(&self.reason)),
            (stage.as_str(), named(self.stage.map(Stage::as_str))),
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

    /// The statement that finds the rows, and its values. The bodies of rows
    /// that are not wanted are not read: what was not found in the first fifty
    /// rows may not be in a million.
    fn statement(&self) -> (String, Vec<Value>) {
        let (conditions, mut values) = self.conditions();
        let order = if self.after_seq.is_some() {
            "ASC"
        } else {
            "DESC"
        };
        // A text is looked for in the rows that the statement finds.
        let limit = match self.text {
            Some(_) => i64::MAX,
            None => i64::try_from(self.limit).unwrap_or(i64::MAX),
        };
        values.push(Value::Integer(limit));
        let is_only_a_range = Self {
            after_seq: None,
            text: None,
            limit: usize::MAX,
            ..self.clone()
        } == Self::default();
        let select = "SELECT seq, body, hash FROM journal";
        let sql = if is_only_a_range {
            format!("{select} WHERE {conditions} ORDER BY seq {order} LIMIT ?")
        } else if self.session.is_some() {
            format!(
                "{select} INDEXED BY journal_session WHERE {conditions} ORDER BY seq {order} LIMIT ?"
            )
        } else {
            format!(
                "{select} WHERE seq IN (SELECT seq {FROM} WHERE {conditions} ORDER BY seq {order} \
                 LIMIT ?) ORDER BY seq {order}"
            )
        };
        (sql, values)
    }
}

/// A text that is looked for, in whatever case.
pub(crate) struct Needle {
    text: String,
    /// As it stands in JSON, so that most bodies need not be decoded.
    in_json: String,
}

impl Needle {
    pub(crate) fn new(text: &str) -> Self {
        let text = text.to_lowercase();
        // Text is always JSON.
        let quoted = serde_json::Value::String(text.clone()).to_string();
        let in_json = quoted
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or_default()
            .to_owned();
        Self { text, in_json }
    }

    /// Whether it may be in the record of this body.
    fn may_be_in(&self, body: &str) -> bool {
        body.to_lowercase().contains(&self.in_json)
    }

    pub(crate) fn is_in(&self, record: &Record) -> bool {
        let problem = record
            .model
            .as_ref()
            .and_then(|model| model.problem.as_ref());
        let texts = [&record.subject, &record.detail];
        let mut texts = texts.into_iter().flatten().chain(&record.effects);
        let mut texts = texts.by_ref().chain(problem);
        texts.any(|text| text.to_lowercase().contains(&self.text))
    }
}

impl Store {
    /// The rows that the filter lets through, oldest first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn journal(&self, filter: &Filter) -> Result<Vec<JournalRow>, StateError> {
        let (sql, values) = filter.statement();
        let needle = filter.text.as_deref().map(Needle::new);
        let mut rows = self.view(&mut |transaction| {
            let mut found = Vec::new();
            let mut broken = None;
            let mut look = || -> rusqlite::Result<()> {
                let mut statement = transaction.connection().prepare_cached(&sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(values.iter()))?;
                while found.len() < filter.limit
                    && let Some(row) = rows.next()?
                {
                    let (seq, body): (i64, String) = (row.get(0)?, row.get(1)?);
                    if needle
                        .as_ref()
                        .is_some_and(|needle| !needle.may_be_in(&body))
                    {
                        continue;
                    }
                    let record = match serde_json::from_str::<Record>(&body) {
                        Ok(record) => record,
                        Err(error) => {
                            broken = Some(format!("row {seq}: {error}"));
                            return Ok(());
                        }
                    };
                    if needle.as_ref().is_none_or(|needle| needle.is_in(&record)) {
                        found.push(JournalRow {
                            seq,
                            record,
                            hash: Digest(row.get(2)?),
                        });
                    }
                }
                Ok(())
            };
            let looked = look();
            looked.map_err(|error| transaction.fail(error))?;
            match broken {
                Some(what) => Err(damaged(transaction.path(), &what)),
                None => Ok(found),
            }
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
