//! How often rules matched, as the journal tells.

use std::collections::BTreeMap;

use countersign_core::decision::{AskReason, BlockReason, Via};
use countersign_core::rules::{Rule, RuleList};
use countersign_core::state::{Millis, RecordKind};
use countersign_store::JournalRow;

/// How often something matched, and when last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Matched {
    pub(crate) count: u32,
    pub(crate) last: Millis,
}

/// How often rules matched in some rows of the journal.
///
/// What a decision says of rules are words with the rule's text and place in
/// it (`core::decide`), so that this counts only what stands there: of several
/// rules that would match, the one that decided; of calls that asked anew, each
/// asking; nothing of rules whose line has changed since, whose words the
/// journal masked or cut, or of sub-commands that an allow rule covered in a
/// call that something else decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RuleStats {
    /// By what decisions of allow rules say.
    allowed: BTreeMap<String, Matched>,
    /// By what decisions of deny and ask rules say.
    restricted: BTreeMap<String, Matched>,
}

impl RuleStats {
    /// Counts the decisions among the rows.
    pub(crate) fn of(rows: &[JournalRow]) -> Self {
        let mut stats = Self::default();
        for row in rows {
            let record = &row.record;
            let (RecordKind::Decision, Some(reason), Some(detail)) =
                (record.kind, record.reason.as_deref(), &record.detail)
            else {
                continue;
            };
            let by_allow = reason == Via::Rule.as_str();
            let by_other = reason == BlockReason::RuleDenied.as_str()
                || reason == AskReason::AskRule.as_str()
                || reason == AskReason::RuleMalformed.as_str();
            let counts = match (by_allow, by_other) {
                (true, _) => &mut stats.allowed,
                (false, true) => &mut stats.restricted,
                (false, false) => continue,
            };
            let matched = counts.entry(detail.clone()).or_insert(Matched {
                count: 0,
                last: record.time,
            });
            matched.count = matched.count.saturating_add(1);
            matched.last = matched.last.max(record.time);
        }
        stats
    }

    /// How often a rule matched; none if it did not.
    pub(crate) fn matched(&self, rule: &Rule) -> Option<Matched> {
        let name = rule.to_string();
        let found: Vec<Matched> = match rule.list() {
            RuleList::Allow => self
                .allowed
                .iter()
                .filter(|(detail, _)| lists(detail, &name))
                .map(|(_, matched)| *matched)
                .collect(),
            RuleList::Deny | RuleList::Ask => {
                let by_name = [
                    format!("{} rule {name} matches ", rule.list()),
                    format!("{} rule {name} may match ", rule.list()),
                    format!("rule {name} cannot be read; "),
                ];
                by_name
                    .iter()
                    .flat_map(|start| {
                        self.restricted
                            .range(start.clone()..)
                            .take_while(move |(detail, _)| detail.starts_with(start))
                            .map(|(_, matched)| *matched)
                    })
                    .collect()
            }
        };
        found.into_iter().reduce(|one, other| Matched {
            count: one.count.saturating_add(other.count),
            last: one.last.max(other.last),
        })
    }
}

/// Whether a list that is joined with commas has the name in it.
fn lists(detail: &str, name: &str) -> bool {
    detail.match_indices(name).any(|(at, _)| {
        let before = detail.get(..at).unwrap_or_default();
        let after = detail
            .get(at.saturating_add(name.len())..)
            .unwrap_or_default();
        (before.is_empty() || before.ends_with(", "))
            && (after.is_empty() || after.starts_with(", "))
    })
}
