//! What the journal comes to: how calls were decided by day, agent, tool and
//! layer, and how long deciding and answering took. One pass over the index; a
//! long journal is counted from both its ends at once.

use std::collections::{BTreeMap, HashMap};
use std::thread;

use countersign_core::decision::{AskReason, DeniedReason, Via};
use countersign_core::state::{Millis, RecordKind, StateError};

use crate::facets::{Facet, Rows};
use crate::store::Store;

/// Most agents, tools or layers that are told apart: agents name tools. What
/// is beyond is counted under [`OTHERS`].
const MOST_NAMES: usize = 500;

/// Fewer rows than these are not worth a thread and a connection of their own.
const MANY_ROWS: i64 = 100_000;

/// Most asks that wait for their answer in the count.
const MOST_ASKS: usize = 100_000;

/// The name under which is counted what has no name of its own.
pub const OTHERS: &str = "(others)";

const DAY: Millis = 24 * 60 * 60 * 1_000;

/// How calls were decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// All of them.
    pub calls: u64,
    /// Allowed without asking a person.
    pub allowed: u64,
    /// Put to a person.
    pub asked: u64,
    /// Blocked without asking a person.
    pub blocked: u64,
    /// Decided, or put to a person, without asking a model.
    pub without_model: u64,
}

/// How long something took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// How many times it was measured; the rest is 0 if never.
    pub count: u64,
    /// Half of the times are not longer.
    pub median: u64,
    /// Nine in ten are not longer.
    pub p90: u64,
    /// The longest.
    pub longest: u64,
}

/// One layer, or one reason: `allow rule`, `block rule_denied`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// `allow`, `ask` or `block`.
    pub decision: String,
    /// The layer of an allow, else the reason.
    pub reason: String,
    /// How many calls it decided.
    pub calls: u64,
    /// How long deciding took, in microseconds; with a model, its answer too.
    pub micros: Times,
}

/// What the journal comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    /// When the first and the last call was decided.
    pub span: Option<(Millis, Millis)>,
    /// All calls.
    pub all: Tally,
    /// By day (UTC), as days since 1970; a day without a call is left out.
    pub days: BTreeMap<i64, Tally>,
    /// By agent.
    pub agents: BTreeMap<String, Tally>,
    /// By canonical tool.
    pub tools: BTreeMap<String, Tally>,
    /// By layer, the one that decided most first.
    pub layers: Vec<Layer>,
    /// How long deciding took without a model, in microseconds.
    pub micros: Times,
    /// The same where a model was asked.
    pub micros_with_model: Times,
    /// How often an ask ended in which way.
    pub answers: BTreeMap<String, u64>,
    /// How long people took to answer, in milliseconds: from the ask to a yes or
    /// a no of theirs.
    pub waited: Times,
    /// Tools that ran without having been decided.
    pub unguarded: u64,
    /// Rows about something that was wrong with the guard itself.
    pub problems: u64,
}

impl Store {
    /// Counts the rows between two times (each may be left out; both ends
    /// belong to it).
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn statistics(
        &self,
        since: Option<Millis>,
        until: Option<Millis>,
    ) -> Result<Statistics, StateError> {
        let times = (since, until);
        let (first, last) = self.rows()?;
        if last.saturating_sub(first) < MANY_ROWS {
            return Ok(self.count(times, Rows::ALL)?.over());
        }
        self.in_halves(times, first.midpoint(last))
    }

    /// Counts the rows up to `middle` and those behind it side by side.
    fn in_halves(&self, times: Period, middle: i64) -> Result<Statistics, StateError> {
        let (early, late) = (Rows::up_to(middle), Rows::behind(middle));
        // Where there can be only one connection, it has to do both.
        let Ok(other) = self.beside() else {
            return Ok(self.count(times, Rows::ALL)?.over());
        };
        let (early, late) = thread::scope(|scope| {
            let late = scope.spawn(|| other.count(times, late));
            (self.count(times, early), late.join())
        });
        let late = late.map_err(|_| {
            StateError::Unreadable("counting the newer half of the journal failed".to_owned())
        })?;
        let mut all = early?;
        all.follow(late?);
        Ok(all.over())
    }

    fn count(&self, (since, until): Period, rows: Rows) -> Result<Count, StateError> {
        let mut count = Count::default();
        self.facets_of(rows, since, until, &mut |facet| count.add(facet))?;
        Ok(count)
    }
}

/// From when until when; each may be left out.
type Period = (Option<Millis>, Option<Millis>);

#[derive(Default)]
struct Count {
    statistics: Statistics,
    /// By reason: of what was allowed, asked and blocked.
    layers: [BTreeMap<String, CountedLayer>; 3],
    with_model: Vec<u64>,
    without_model: Vec<u64>,
    asked_at: HashMap<String, Millis>,
    /// When a person answered what was asked before the first row.
    answered_at: HashMap<String, Millis>,
    waited: Vec<u64>,
}

#[derive(Default)]
struct CountedLayer {
    calls: u64,
    micros: Vec<u64>,
}

/// The names of [`Count::layers`].
const DECISIONS: [&str; 3] = ["allow", "ask", "block"];

impl Count {
    fn add(&mut self, facet: &Facet<'_>) {
        match facet.kind {
            RecordKind::Decision => self.decision(facet),
            RecordKind::Answer => self.answer(facet),
            RecordKind::Unguarded => self.statistics.unguarded += 1,
            RecordKind::Problem => self.statistics.problems += 1,
            RecordKind::Result
            | RecordKind::UserMessage
            | RecordKind::SessionStart
            | RecordKind::SessionEnd
            | RecordKind::Reset
            | RecordKind::Rules
            | RecordKind::Trust
            | RecordKind::Ignored
            | RecordKind::Anchor => {}
        }
    }

    fn decision(&mut self, facet: &Facet<'_>) {
        let decision = facet.decision.unwrap_or_default();
        let asked_model = asked_a_model(facet);
        let add = |tally: &mut Tally| {
            tally.calls += 1;
            tally.without_model += u64::from(!asked_model);
            match decision {
                "allow" => tally.allowed += 1,
                "ask" => tally.asked += 1,
                _ => tally.blocked += 1,
            }
        };
        let statistics = &mut self.statistics;
        let (first, last) = statistics.span.unwrap_or((facet.time, facet.time));
        statistics.span = Some((first.min(facet.time), last.max(facet.time)));
        add(&mut statistics.all);
        add(statistics
            .days
            .entry(facet.time.div_euclid(DAY))
            .or_default());
        named(&mut statistics.agents, facet.agent, add);
        named(&mut statistics.tools, facet.tool, add);
        let [allowed, asked, blocked] = &mut self.layers;
        let layers = match decision {
            "allow" => allowed,
            "ask" => asked,
            _ => blocked,
        };
        named(layers, facet.reason, |layer| {
            layer.calls += 1;
            layer.micros.extend(facet.micros);
        });
        if asked_model {
            self.with_model.extend(facet.micros);
        } else {
            self.without_model.extend(facet.micros);
        }
        if decision == "ask"
            && let Some(call) = facet.call
            && self.asked_at.len() < MOST_ASKS
        {
            self.asked_at.insert(call.to_owned(), facet.time);
        }
    }

    fn answer(&mut self, facet: &Facet<'_>) {
        let answer = facet.reason.unwrap_or(OTHERS);
        named(&mut self.statistics.answers, Some(answer), |times| {
            *times += 1;
        });
        // Only what a person chose took a person's time.
        let by_a_person = answer.starts_with("proceed") || matches!(answer, "cancel" | "dismissed");
        let Some(call) = facet.call else {
            return;
        };
        match self.asked_at.remove(call) {
            Some(asked_at) if by_a_person => self.waited.push(between(asked_at, facet.time)),
            None if by_a_person && self.answered_at.len() < MOST_ASKS => {
                self.answered_at
                    .entry(call.to_owned())
                    .or_insert(facet.time);
            }
            Some(_) | None => {}
        }
    }

    /// Adds what was counted of the rows behind those that were counted here.
    fn follow(&mut self, later: Self) {
        let statistics = &mut self.statistics;
        let Statistics {
            span,
            all,
            days,
            agents,
            tools,
            // Made at the end.
            layers: _,
            micros: _,
            micros_with_model: _,
            waited: _,
            answers,
            unguarded,
            problems,
        } = later.statistics;
        statistics.span = match (statistics.span, span) {
            (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
            (one, other) => one.or(other),
        };
        statistics.all.add(&all);
        for (day, tally) in days {
            statistics.days.entry(day).or_default().add(&tally);
        }
        merge(&mut statistics.agents, agents, |sum, part| sum.add(&part));
        merge(&mut statistics.tools, tools, |sum, part| sum.add(&part));
        merge(&mut statistics.answers, answers, |sum, part| *sum += part);
        statistics.unguarded += unguarded;
        statistics.problems += problems;
        for (layers, later) in self.layers.iter_mut().zip(later.layers) {
            merge(layers, later, |sum, part: CountedLayer| {
                sum.calls += part.calls;
                sum.micros.extend(part.micros);
            });
        }
        self.with_model.extend(later.with_model);
        self.without_model.extend(later.without_model);
        self.waited.extend(later.waited);
        for (call, answered_at) in later.answered_at {
            if let Some(asked_at) = self.asked_at.remove(&call) {
                self.waited.push(between(asked_at, answered_at));
            }
        }
        self.asked_at.extend(later.asked_at);
    }

    fn over(mut self) -> Statistics {
        let mut layers = Vec::new();
        for (decision, counted) in DECISIONS.into_iter().zip(self.layers) {
            layers.extend(counted.into_iter().map(|(reason, mut layer)| Layer {
                decision: decision.to_owned(),
                reason,
                calls: layer.calls,
                micros: Times::of(&mut layer.micros),
            }));
        }
        layers.sort_by(|a, b| (b.calls, &a.reason).cmp(&(a.calls, &b.reason)));
        Statistics {
            layers,
            micros: Times::of(&mut self.without_model),
            micros_with_model: Times::of(&mut self.with_model),
            waited: Times::of(&mut self.waited),
            ..self.statistics
        }
    }
}

impl Tally {
    const fn add(&mut self, other: &Self) {
        let Self {
            calls,
            allowed,
            asked,
            blocked,
            without_model,
        } = other;
        self.calls += *calls;
        self.allowed += *allowed;
        self.asked += *asked;
        self.blocked += *blocked;
        self.without_model += *without_model;
    }
}

impl Times {
    /// Of these; they are put in another order.
    fn of(times: &mut [u64]) -> Self {
        let mut at = |percent: usize| {
            let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
            if times.is_empty() {
                return 0;
            }
            *times.select_nth_unstable(place).1
        };
        Self {
            median: at(50),
            p90: at(90),
            longest: at(100),
            count: times.len() as u64,
        }
    }
}

/// Changes the entry of this name, or that of all others where there are too
/// many. Allocates only for a name's first row.
fn named<T: Default>(
    map: &mut BTreeMap<String, T>,
    name: Option<&str>,
    change: impl FnOnce(&mut T),
) {
    let name = name.unwrap_or(OTHERS);
    if let Some(known) = map.get_mut(name) {
        return change(known);
    }
    let name = if map.len() < MOST_NAMES { name } else { OTHERS };
    change(map.entry(name.to_owned()).or_default());
}

/// Adds every entry of `later` to that of the same name.
fn merge<T: Default>(
    map: &mut BTreeMap<String, T>,
    later: BTreeMap<String, T>,
    mut add: impl FnMut(&mut T, T),
) {
    for (name, part) in later {
        named(map, Some(&name), |sum| add(sum, part));
    }
}

/// From asking to answering, in milliseconds; clocks can be set back.
fn between(asked_at: Millis, answered_at: Millis) -> u64 {
    answered_at.saturating_sub(asked_at).max(0).unsigned_abs()
}

/// Whether a model was asked, whatever came of it.
fn asked_a_model(facet: &Facet<'_>) -> bool {
    const OF_A_MODEL: [&str; 5] = [
        Via::Classifier.as_str(),
        DeniedReason::ClassifierBlocked.as_str(),
        DeniedReason::ClassifierUnavailable.as_str(),
        AskReason::ClassifierUnavailable.as_str(),
        AskReason::Unprojected.as_str(),
    ];
    facet.stage.is_some()
        || facet
            .reason
            .is_some_and(|reason| OF_A_MODEL.contains(&reason))
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;
    use countersign_core::agent::Agent;
    use countersign_core::call::SessionKey;
    use countersign_core::state::{Record, StateStore as _};

    use super::*;

    /// Asks with their answers next to them, far from them and without any;
    /// allows with and without a model, over two days and several names.
    fn rows() -> Vec<Record> {
        let agents = [Agent::ClaudeCode, Agent::Codex, Agent::Qwen];
        let row = |number: usize| {
            let (kind, call, decision, reason) = match number % 6 {
                0 => (RecordKind::Decision, number, "ask", "ask_rule"),
                1 => (RecordKind::Answer, number - 1, "allow", "proceed_once"),
                2 => (RecordKind::Decision, number, "allow", "classifier"),
                3 => (RecordKind::Answer, (number / 12) * 6, "block", "cancel"),
                4 => (RecordKind::Unguarded, number, "", ""),
                _ => (RecordKind::Decision, number, "block", "rule_denied"),
            };
            let time = i64::try_from(number).unwrap() * DAY / 20;
            Record {
                key: Some(SessionKey {
                    agent: agents[number % 3],
                    session: "s".to_owned(),
                    subagent: None,
                }),
                call: Some(format!("c{call}")),
                tool: Some(format!("tool {}", number % 4)),
                decision: Some(decision.to_owned()),
                reason: Some(reason.to_owned()),
                micros: Some(u64::try_from(number * 7 % 31).unwrap()),
                ..Record::of(kind, time)
            }
        };
        (0..40).map(row).collect()
    }

    #[test]
    fn two_halves_come_to_the_whole_wherever_it_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap().join("state");
        let store = Store::open(&folder).unwrap();
        let written = store.transition(&mut |transaction| {
            rows().iter().try_for_each(|row| transaction.append(row))
        });
        written.unwrap();
        for times in [(None, None), (Some(DAY / 2), Some(DAY))] {
            let whole = store.count(times, Rows::ALL).unwrap().over();
            assert!(whole.all.calls > 4 && whole.waited.count > 0, "{whole:?}");
            for middle in 0..=41 {
                assert_eq!(store.in_halves(times, middle).unwrap(), whole, "{middle}");
            }
        }
    }
}
