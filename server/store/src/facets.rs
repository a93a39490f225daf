//! Looking over the whole journal without reading its bodies: what counts and
//! finds rows takes them from an index, in the order of the rows.

use countersign_core::state::{Millis, RecordKind, StateError};

use crate::store::Store;
use crate::transaction::SqlTransaction;

/// The index, forced: without statistics the planner does not know that it is
/// much smaller than the table.
pub(crate) const FROM: &str = "FROM journal INDEXED BY journal_facets";

/// The stage of the classifier whose word counted, as the index has it.
pub(crate) const STAGE: &str =
    "CASE WHEN json_valid(body) THEN json_extract(body, '$.model.stage') END";

/// How long deciding took, as the index has it.
pub(crate) const MICROS: &str =
    "CASE WHEN json_valid(body) THEN json_extract(body, '$.micros') END";

/// What is known of a row without its body. Values that we do not write are
/// left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facet<'r> {
    /// The row's number.
    pub seq: i64,
    /// When.
    pub time: Millis,
    /// What kind of row.
    pub kind: RecordKind,
    /// The agent's name.
    pub agent: Option<&'r str>,
    /// The canonical tool.
    pub tool: Option<&'r str>,
    /// `allow`, `block` or `ask`.
    pub decision: Option<&'r str>,
    /// The layer of an allow, else the reason.
    pub reason: Option<&'r str>,
    /// The stage of the classifier whose word counted.
    pub stage: Option<&'r str>,
    /// How long deciding took, in microseconds.
    pub micros: Option<u64>,
    /// The guard's id of the call; only of asks and answers, which it joins.
    pub call: Option<&'r str>,
}

/// Rows by their numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    first: i64,
    last: i64,
}

impl Rows {
    pub(crate) const ALL: Self = Self {
        first: i64::MIN,
        last: i64::MAX,
    };

    /// Up to this number, itself too.
    pub(crate) const fn up_to(last: i64) -> Self {
        Self { last, ..Self::ALL }
    }

    /// Behind this number.
    pub(crate) const fn behind(number: i64) -> Self {
        Self {
            first: number.saturating_add(1),
            ..Self::ALL
        }
    }
}

impl Store {
    /// The numbers of the first and the last row; both 0 if there is none.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(crate) fn rows(&self) -> Result<(i64, i64), StateError> {
        self.view(&mut |transaction| {
            let sql = "SELECT (SELECT coalesce(min(seq), 0) FROM journal),
                (SELECT coalesce(max(seq), 0) FROM journal)";
            transaction
                .connection()
                .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
                .map_err(|error| transaction.fail(error))
        })
    }

    /// Shows every one of these rows between two times (each may be left out;
    /// both ends belong to it), the oldest first. Rows of a kind that is not known are
    /// passed over.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(crate) fn facets_of(
        &self,
        rows: Rows,
        since: Option<Millis>,
        until: Option<Millis>,
        visit: &mut dyn FnMut(&Facet<'_>),
    ) -> Result<(), StateError> {
        let sql = facets();
        let bounds = [
            since.unwrap_or(Millis::MIN),
            until.unwrap_or(Millis::MAX),
            rows.first,
            rows.last,
        ];
        self.view(&mut |transaction| {
            let mut look = || {
                let mut statement = transaction.connection().prepare_cached(&sql)?;
                let mut rows = statement.query(bounds)?;
                while let Some(row) = rows.next()? {
                    if let Some(facet) = facet(row)? {
                        visit(&facet);
                    }
                }
                Ok(())
            };
            look().map_err(|error| transaction.fail(error))
        })
    }

    /// The calls whose guard's id begins with `id`, or whose agent's id it is:
    /// the newest first, at most `limit`.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn calls_of(&self, id: &str, limit: usize) -> Result<Vec<String>, StateError> {
        let sql = format!(
            "SELECT call {FROM} WHERE call IS NOT NULL
                AND (substr(call, 1, length(?1)) = ?1 OR agent_call = ?1) ORDER BY seq DESC"
        );
        self.view(&mut |transaction| {
            let look = |transaction: &SqlTransaction<'_>| {
                let mut found: Vec<String> = Vec::new();
                let mut statement = transaction.connection().prepare_cached(&sql)?;
                let mut rows = statement.query([id])?;
                while let Some(row) = rows.next()? {
                    let call = row.get_ref(0)?.as_str().unwrap_or_default();
                    if found.iter().all(|known| known != call) {
                        if found.len() >= limit {
                            break;
                        }
                        found.push(call.to_owned());
                    }
                }
                Ok(found)
            };
            look(transaction).map_err(|error| transaction.fail(error))
        })
    }
}

fn facets() -> String {
    format!(
        "SELECT seq, time, kind, agent, tool, decision, reason, {STAGE}, {MICROS}, call
            {FROM} WHERE time BETWEEN ?1 AND ?2 AND seq BETWEEN ?3 AND ?4 ORDER BY seq"
    )
}

fn facet<'r>(row: &'r rusqlite::Row<'_>) -> rusqlite::Result<Option<Facet<'r>>> {
    let text = |column| row.get_ref(column).map(|value| value.as_str().ok());
    let kind = text(2)?;
    let kind = RecordKind::ALL
        .into_iter()
        .find(|known| kind == Some(known.as_str()));
    let number = |column| row.get_ref(column).map(|value| value.as_i64().ok());
    let (Some(kind), Some(time)) = (kind, number(1)?) else {
        return Ok(None);
    };
    let decision = text(5)?;
    // Most rows are allows, and of those nobody asks for the call.
    let joins = kind == RecordKind::Answer || decision == Some("ask");
    Ok(Some(Facet {
        seq: row.get(0)?,
        time,
        kind,
        agent: text(3)?,
        tool: text(4)?,
        decision,
        reason: text(6)?,
        stage: text(7)?,
        micros: number(8)?.and_then(|micros| u64::try_from(micros).ok()),
        call: if joins { text(9)? } else { None },
    }))
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;

    /// Where it were otherwise, every row would be looked up, and its body parsed.
    #[test]
    fn the_index_has_everything_that_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap().join("state");
        let store = Store::open(&folder).unwrap();
        let plan = store.view(&mut |transaction| {
            let sql = format!("EXPLAIN QUERY PLAN {}", facets());
            let mut statement = transaction.connection().prepare(&sql).unwrap();
            let steps = statement.query_map([1, 2, 3, 4], |row| row.get::<_, String>(3));
            let steps: rusqlite::Result<Vec<_>> = steps.unwrap().collect();
            Ok(steps.unwrap().join("; "))
        });
        let plan = plan.unwrap();
        assert!(plan.contains("COVERING INDEX"), "{plan}");
    }
}
