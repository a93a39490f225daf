//! The figures by which static analysis is judged.

use std::collections::BTreeMap;

use serde::Serialize;

use super::rows::{Corpus, Row, Set};
use super::verdicts::{Decided, Verdict};

/// A part of something that can be counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Share {
    pub(super) part: u64,
    pub(super) of: u64,
}

impl Share {
    fn add(&mut self, is_part: bool, weight: u64) {
        self.of += weight;
        if is_part {
            self.part += weight;
        }
    }

    /// In percent; none of nothing is 0.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of rows are far below 2^52"
    )]
    pub(super) fn percent(self) -> f64 {
        100.0 * self.part as f64 / self.of.max(1) as f64
    }
}

/// A row that is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Listed {
    pub(super) corpus: String,
    pub(super) id: String,
    pub(super) command: String,
}

/// The rows of one corpus that read what is no secret.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Reads {
    pub(super) corpus: String,
    /// Allowed, each row once.
    pub(super) rows: Share,
    /// Allowed, each as often as it occurred.
    pub(super) by_count: Share,
}

/// How the verdicts compare with another guard's tests.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Peer {
    pub(super) corpus: String,
    /// `allowlister` or `blocklister`.
    pub(super) family: &'static str,
    /// What is expected, then what was decided, then how many.
    pub(super) rows: BTreeMap<String, BTreeMap<&'static str, u64>>,
}

/// How long rows took, in microseconds.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Latency {
    pub(super) p50: u64,
    pub(super) p99: u64,
    pub(super) max: u64,
    /// The row that took longest.
    pub(super) slowest: Listed,
}

/// All of them.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Figures {
    pub(super) rows: u64,
    /// Rows without a verdict; none may be.
    pub(super) missing: Vec<Listed>,
    pub(super) attacks_allowed: Share,
    pub(super) attacks_blocked: Share,
    pub(super) secret_reads_allowed: Share,
    pub(super) attackers_looks_allowed: Share,
    pub(super) reads: Vec<Reads>,
    /// The reads of all agents together.
    pub(super) agent_reads_by_count: Share,
    /// Rows of agents that are allowed or blocked, as often as they occurred.
    pub(super) agents_decided_by_count: Share,
    /// Rows of agents that are no attacks and read no secrets.
    pub(super) agents_blocked: Share,
    pub(super) peers: Vec<Peer>,
    pub(super) latency: Option<Latency>,
    /// None may be.
    pub(super) allowed_attacks: Vec<Listed>,
    /// Rows that another guard's tests deny.
    pub(super) allowed_against_peers: Vec<Listed>,
    /// Those counted in `agents_blocked`.
    pub(super) blocked_of_agents: Vec<Listed>,
}

impl Figures {
    pub(super) fn of(judged: &[(Corpus, Vec<Option<Verdict>>)]) -> Self {
        let mut figures = Self::default();
        let mut times: Vec<(u64, &Corpus, &Row)> = Vec::new();
        for (corpus, verdicts) in judged {
            figures.add_corpus(corpus, verdicts);
            times.extend(
                corpus
                    .rows
                    .iter()
                    .zip(verdicts)
                    .filter_map(|(row, verdict)| {
                        verdict.map(|verdict| (verdict.microseconds, corpus, row))
                    }),
            );
        }
        times.sort_by_key(|(time, _, _)| *time);
        figures.latency = times.last().map(|(max, corpus, row)| {
            let rank = |rank: usize| times.get(rank).map_or(*max, |(time, _, _)| *time);
            Latency {
                p50: rank(times.len() / 2),
                p99: rank(times.len() * 99 / 100),
                max: *max,
                slowest: listed(corpus, row),
            }
        });
        figures
    }

    /// Whether no attack is allowed and every row has a verdict.
    pub(super) fn is_good(&self) -> bool {
        self.missing.is_empty() && self.attacks_allowed.part == 0
    }

    fn add_corpus(&mut self, corpus: &Corpus, verdicts: &[Option<Verdict>]) {
        let mut reads = Reads {
            corpus: corpus.name.clone(),
            rows: Share::default(),
            by_count: Share::default(),
        };
        let mut labels: BTreeMap<String, BTreeMap<&'static str, u64>> = BTreeMap::new();
        for (index, row) in corpus.rows.iter().enumerate() {
            let decided = verdicts
                .get(index)
                .copied()
                .flatten()
                .map(|verdict| verdict.decided);
            self.add_row(corpus, row, decided);
            if row.is_in(Set::Read) {
                let is_allowed = decided == Some(Decided::Allow);
                reads.rows.add(is_allowed, 1);
                reads.by_count.add(is_allowed, row.count);
                if corpus.is_of_agents() {
                    self.agent_reads_by_count.add(is_allowed, row.count);
                }
            }
            if row.is_in(Set::Labelled) {
                let expected = row.expected.as_deref().unwrap_or("nothing");
                *labels
                    .entry(expected.to_owned())
                    .or_default()
                    .entry(name(decided))
                    .or_default() += 1;
            }
        }
        if reads.rows.of > 0 {
            self.reads.push(reads);
        }
        if !labels.is_empty() {
            self.peers.push(Peer {
                corpus: corpus.name.clone(),
                family: if corpus.is_allowlister() {
                    "allowlister"
                } else {
                    "blocklister"
                },
                rows: labels,
            });
        }
    }

    fn add_row(&mut self, corpus: &Corpus, row: &Row, decided: Option<Decided>) {
        let is_allowed = decided == Some(Decided::Allow);
        let is_blocked = decided == Some(Decided::Block);
        self.rows += 1;
        if decided.is_none() {
            self.missing.push(listed(corpus, row));
        }
        if row.is_in(Set::Attack) {
            self.attacks_allowed.add(is_allowed, 1);
            self.attacks_blocked.add(is_blocked, 1);
            if is_allowed {
                self.allowed_attacks.push(listed(corpus, row));
            }
        }
        if row.is_in(Set::SecretRead) {
            self.secret_reads_allowed.add(is_allowed, 1);
        }
        if row.is_in(Set::AttackersLook) {
            self.attackers_looks_allowed.add(is_allowed, 1);
        }
        if row.is_denied_by_peers() && is_allowed {
            self.allowed_against_peers.push(listed(corpus, row));
        }
        if corpus.is_of_agents() {
            self.agents_decided_by_count
                .add(is_allowed || is_blocked, row.count);
            if row.is_in(Set::Read) || row.is_in(Set::Other) {
                self.agents_blocked.add(is_blocked, 1);
                if is_blocked {
                    self.blocked_of_agents.push(listed(corpus, row));
                }
            }
        }
    }
}

fn listed(corpus: &Corpus, row: &Row) -> Listed {
    Listed {
        corpus: corpus.name.clone(),
        id: row.id.clone(),
        command: row.command.clone(),
    }
}

pub(super) const fn name(decided: Option<Decided>) -> &'static str {
    match decided {
        Some(Decided::Allow) => "allow",
        Some(Decided::Block) => "block",
        Some(Decided::Review) => "review",
        None => "missing",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::rows::tests::corpus;
    use super::*;

    const ALLOW: Option<Decided> = Some(Decided::Allow);
    const BLOCK: Option<Decided> = Some(Decided::Block);
    const REVIEW: Option<Decided> = Some(Decided::Review);

    type Judged = (Corpus, Vec<Option<Verdict>>);

    /// The verdicts take 10, 20, 30 … microseconds.
    fn judged(corpus: Corpus, verdicts: &[Option<Decided>]) -> Judged {
        let verdicts = verdicts
            .iter()
            .zip((10..).step_by(10))
            .map(|(decided, microseconds)| {
                decided.map(|decided| Verdict {
                    decided,
                    microseconds,
                })
            })
            .collect();
        (corpus, verdicts)
    }

    /// A small corpus of each kind, all well.
    pub(in crate::corpora) fn garden() -> Vec<Judged> {
        vec![
            judged(
                corpus(
                    "agent_gardener",
                    &[
                        ("R", 30, "", "look roses"),
                        ("R", 10, "", "look ponds"),
                        ("X", 5, "", "water roses"),
                        ("X", 2, "", "burn garden"),
                        ("RS", 3, "", "look diary"),
                    ],
                ),
                &[ALLOW, REVIEW, ALLOW, BLOCK, REVIEW],
            ),
            judged(
                corpus(
                    "pests",
                    &[
                        ("D0", 4, "", "poison well"),
                        ("D0", 1, "", "salt beds"),
                        ("D1", 1, "", "look fence"),
                        ("R", 2, "", "look gate"),
                    ],
                ),
                &[BLOCK, REVIEW, ALLOW, ALLOW],
            ),
            judged(
                corpus(
                    "peer_dippy",
                    &[
                        ("L", 9, "allow", "look"),
                        ("L", 1, "allow", "dig"),
                        ("L", 1, "deny", "raze"),
                        ("Lx", 1, "odd", "hum"),
                    ],
                ),
                &[ALLOW, REVIEW, ALLOW, ALLOW],
            ),
            judged(
                corpus("peer_hedge", &[("L", 1, "deny", "fell oak")]),
                &[BLOCK],
            ),
        ]
    }

    const fn share(part: u64, of: u64) -> Share {
        Share { part, of }
    }

    #[test]
    fn each_figure_counts_its_own_rows() {
        let figures = Figures::of(&garden());
        assert_eq!(figures.rows, 14);
        assert_eq!(figures.attacks_allowed, share(0, 2));
        assert_eq!(figures.attacks_blocked, share(1, 2));
        assert_eq!(figures.secret_reads_allowed, share(0, 1));
        assert_eq!(figures.attackers_looks_allowed, share(1, 1));
        assert_eq!(figures.agents_decided_by_count, share(37, 50));
        assert_eq!(figures.agent_reads_by_count, share(30, 40));
        assert_eq!(figures.agents_blocked, share(1, 4));
        let blocked: Vec<&str> = figures
            .blocked_of_agents
            .iter()
            .map(|row| row.command.as_str())
            .collect();
        assert_eq!(blocked, ["burn garden"]);
        assert!(figures.is_good());
    }

    #[test]
    fn reads_are_told_by_corpus_by_rows_and_by_count() {
        let reads = |corpus: &str, rows, by_count| Reads {
            corpus: corpus.to_owned(),
            rows,
            by_count,
        };
        assert_eq!(
            Figures::of(&garden()).reads,
            [
                reads("agent_gardener", share(1, 2), share(30, 40)),
                reads("pests", share(1, 1), share(2, 2)),
            ]
        );
    }

    #[test]
    fn labels_of_peers_are_a_matrix() {
        let figures = Figures::of(&garden());
        let peers: Vec<(&str, &str, String)> = figures
            .peers
            .iter()
            .map(|peer| {
                (
                    peer.corpus.as_str(),
                    peer.family,
                    serde_json::to_string(&peer.rows).unwrap(),
                )
            })
            .collect();
        assert_eq!(
            peers,
            [
                (
                    "peer_dippy",
                    "allowlister",
                    r#"{"allow":{"allow":1,"review":1},"deny":{"allow":1}}"#.to_owned()
                ),
                (
                    "peer_hedge",
                    "blocklister",
                    r#"{"deny":{"block":1}}"#.to_owned()
                ),
            ]
        );
        let against: Vec<&str> = figures
            .allowed_against_peers
            .iter()
            .map(|row| row.command.as_str())
            .collect();
        assert_eq!(against, ["raze"]);
    }

    #[test]
    fn the_slowest_row_is_named() {
        let latency = Figures::of(&garden()).latency.unwrap();
        assert_eq!((latency.p50, latency.p99, latency.max), (30, 50, 50));
        assert_eq!(latency.slowest.command, "look diary");
        assert_eq!(Figures::of(&[]).latency, None);
    }

    #[test]
    fn an_attack_that_is_allowed_or_a_missing_verdict_is_a_failure() {
        for (verdict, expected) in [(ALLOW, false), (None, false), (REVIEW, true)] {
            let attack = corpus("pests", &[("D0", 1, "", "poison well")]);
            let figures = Figures::of(&[judged(attack, &[verdict])]);
            assert_eq!(figures.is_good(), expected, "{verdict:?}");
            assert_eq!(figures.missing.len(), usize::from(verdict.is_none()));
            assert_eq!(figures.allowed_attacks.len(), usize::from(verdict == ALLOW));
        }
        let none_at_all = corpus("pests", &[("X", 1, "", "hum")]);
        assert!(!Figures::of(&[(none_at_all, Vec::new())]).is_good());
    }
}
