//! Everything that a decision needs from the outside world, found out before
//! it by the engine.

use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};

use crate::command::CommandView;
use crate::effect::{Effect, Effects, Unproven};
use crate::ledger::Footprint;
use crate::paths::PathFact;

/// The facts of a call, one entry for each of its operations, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// The facts of each operation.
    pub operations: Vec<OperationFacts>,
    /// Where the call's folder really is; none where that cannot be told.
    pub cwd: Option<Utf8PathBuf>,
}

/// The facts of one operation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OperationFacts {
    /// The parsed command, for shell tools.
    pub command: Option<CommandView>,
    /// The paths that the operation names, for file tools; in the order of
    /// [`crate::call::Subject::Paths`].
    pub paths: Vec<PathFact>,
    /// What lies below folders that would be read as a whole.
    pub trees: Vec<TreeFact>,
    /// What static analysis proves of the command.
    pub analysis: Analysis,
    /// What the command may write, where analysis looked at it.
    pub writes: Option<Footprint>,
    /// What the command would run or load as the definition of a task.
    pub loads: Loads,
    /// Paths that the command would read or change, of which a deny or ask
    /// rule speaks; bounded.
    pub touched: Vec<PathFact>,
    /// Whether the command would run a file of the workspace that is not as
    /// the baseline has it.
    pub runs_changed: bool,
    /// What the command would do, and why it is not contained, for people.
    pub found: Findings,
}

/// What a command would run or load without naming it, bounded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loads {
    /// The files that define a task, and scripts: canonical paths.
    pub definitions: Vec<Utf8PathBuf>,
    /// The files of the project that a task may run and that agents changed:
    /// canonical paths. All of them, or none where that is not known.
    pub edited: Option<Vec<Utf8PathBuf>>,
    /// Whether the command is contained but for those: all that it does
    /// besides is proven.
    pub but_for_edited: bool,
}

impl Loads {
    /// The most paths that are kept of each kind.
    pub const MOST: usize = 200;
}

/// What lies below a folder, as far as deny and ask rules speak of it. A
/// folder without such a fact is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFact {
    /// The canonical folder.
    pub root: Utf8PathBuf,
    /// The paths in it of which a deny or ask rule speaks.
    pub restricted: Vec<Utf8PathBuf>,
    /// Whether everything in it was looked at.
    pub complete: bool,
}

impl OperationFacts {
    /// What is known of the folder and everything below it.
    #[must_use]
    pub fn tree(&self, root: &Utf8Path) -> Option<&TreeFact> {
        self.trees.iter().find(|tree| tree.root == root)
    }
}

/// What analysis found out about a command, bounded: it is kept as long as the
/// call, and only told, never decided by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// What it would do, in the order of the text.
    pub effects: Vec<Effect>,
    /// How many effects there are besides.
    pub left_out: usize,
    /// Why it is not contained; empty where it is.
    pub because: Vec<Unproven>,
}

impl Findings {
    /// The most effects that are kept.
    pub const MOST_EFFECTS: usize = 512;

    /// The most reasons that are kept.
    pub const MOST_REASONS: usize = 64;

    /// What the effects are, and why they are not contained: of too many those
    /// that a reason speaks of, and the first.
    #[must_use]
    pub fn new(effects: Effects, mut because: Vec<Unproven>) -> Self {
        let mut effects = effects.effects;
        let left_out = effects.len().saturating_sub(Self::MOST_EFFECTS);
        if left_out > 0 {
            let reasons = Places::of(&because);
            let (mut kept, mut others): (Vec<_>, Vec<_>) = effects
                .into_iter()
                .enumerate()
                .partition(|(_, effect)| reasons.meet(&effect.span));
            kept.truncate(Self::MOST_EFFECTS);
            others.truncate(Self::MOST_EFFECTS - kept.len());
            kept.append(&mut others);
            kept.sort_by_key(|(index, _)| *index);
            effects = kept.into_iter().map(|(_, effect)| effect).collect();
        }
        let reasons = because.len();
        if reasons > Self::MOST_REASONS {
            because.truncate(Self::MOST_REASONS - 1);
            because.push(Unproven {
                reason: format!("{} more reasons", reasons - because.len()),
                span: 0..0,
            });
        }
        Self {
            effects,
            left_out,
            because,
        }
    }

    /// The places in the command's text that a reason speaks of.
    #[must_use]
    pub fn reasons(&self) -> Places {
        Places::of(&self.because)
    }
}

/// Places in a command's text: sorted, and none meets another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places(Vec<Range<usize>>);

impl Places {
    /// Those that the reasons speak of; a reason without a place has none.
    fn of(because: &[Unproven]) -> Self {
        let mut spans: Vec<Range<usize>> = because
            .iter()
            .map(|reason| reason.span.clone())
            .filter(|span| !span.is_empty())
            .collect();
        spans.sort_by_key(|span| span.start);
        let mut places: Vec<Range<usize>> = Vec::new();
        for span in spans {
            match places.last_mut() {
                Some(last) if span.start < last.end => last.end = last.end.max(span.end),
                _ => places.push(span),
            }
        }
        Self(places)
    }

    /// Whether one of them has a byte in common with the span.
    #[must_use]
    pub fn meet(&self, span: &Range<usize>) -> bool {
        let before = self.0.partition_point(|place| place.end <= span.start);
        self.0
            .get(before)
            .is_some_and(|place| !span.is_empty() && place.start < span.end)
    }
}

/// What static analysis proves of a command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Analysis {
    /// Nothing is proven: the command may do anything.
    #[default]
    NotProven,
    /// Every effect is contained.
    Contained {
        /// Whether every effect is a read.
        read_only: bool,
    },
    /// Certain harm, or an attack on the guard itself.
    Blocked {
        /// What it would do, in plain words.
        reason: String,
        /// Whether it is the guard that is attacked: holds in every mode.
        guard: bool,
    },
}

impl Analysis {
    /// The name in telemetry.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotProven => "not_proven",
            Self::Contained { read_only: true } => "read_only",
            Self::Contained { read_only: false } => "contained",
            Self::Blocked { .. } => "blocked",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::effect::{Doing, EffectKind};

    use super::*;

    fn effects(count: usize) -> Effects {
        Effects {
            effects: (0..count)
                .map(|index| Effect {
                    kind: EffectKind::Doing(Doing::Network, index.to_string()),
                    command: index,
                    span: index * 2..index * 2 + 1,
                })
                .collect(),
            unproven: Vec::new(),
        }
    }

    fn reason(span: Range<usize>) -> Unproven {
        Unproven {
            reason: "it talks".to_owned(),
            span,
        }
    }

    #[test]
    fn of_too_many_effects_those_that_matter_are_kept_and_the_rest_is_counted() {
        let found = Findings::new(effects(600), vec![reason(1_198..1_199), reason(0..0)]);
        assert_eq!(found.effects.len(), Findings::MOST_EFFECTS);
        assert_eq!(found.left_out, 88);
        let commands: Vec<usize> = found.effects.iter().map(|effect| effect.command).collect();
        assert!(commands.is_sorted());
        assert_eq!(commands[510..], [510, 599]);
        assert_eq!(Findings::new(effects(512), Vec::new()).left_out, 0);
    }

    #[test]
    fn of_too_many_reasons_the_rest_is_counted() {
        let found = Findings::new(effects(1), vec![reason(0..1); 100]);
        assert_eq!(found.because.len(), Findings::MOST_REASONS);
        assert_eq!(found.because[63].reason, "37 more reasons");
    }

    #[test]
    fn a_place_is_met_only_by_what_has_a_byte_of_it() {
        let found = Findings::new(
            effects(0),
            vec![reason(8..12), reason(2..4), reason(3..5), reason(9..10)],
        );
        let places = found.reasons();
        for met in [2..3, 4..5, 0..3, 4..9, 11..20, 0..100] {
            assert!(places.meet(&met), "{met:?}");
        }
        for missed in [0..2, 5..8, 12..13, 3..3, 7..7] {
            assert!(!places.meet(&missed), "{missed:?}");
        }
    }
}
