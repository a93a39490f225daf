//! What `doctor` learns of an endpoint by asking it: plain data, so that
//! whoever prints it needs to know nothing of HTTP.

use countersign_core::decision::UnavailableReason;
use countersign_core::model::{InstructionRole, Stage, StructuredOutput};
use serde::Serialize;

/// What an endpoint answered when it was tried.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Probe {
    /// Whether an HTTP answer came at all, of whatever status.
    pub reachable: bool,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// Whether the endpoint knows the model; none if it could not be found
    /// out.
    pub model_exists: Option<bool>,
    /// Models that the endpoint offers, if it has a list: at most 50, of at
    /// most 100 characters each, safe to print.
    pub models: Vec<String>,
    /// What each style of structured output came to, the strictest first.
    /// Empty if the endpoint could not be asked at all.
    pub styles: Vec<StyleProbe>,
    /// The strictest style in which both stages were answered well.
    pub recommended: Option<StructuredOutput>,
    /// The role of the last instruction that works; the configured one if
    /// both do.
    pub instruction_role: Option<InstructionRole>,
    /// Why nothing works, or what stands in the way of the configured way.
    pub problem: Option<Problem>,
    /// Tokens that were read in all.
    pub input_tokens: u64,
    /// Tokens that were written in all.
    pub output_tokens: u64,
}

/// What one style of structured output came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StyleProbe {
    /// The style.
    pub style: StructuredOutput,
    /// The role in which the last instruction was given.
    pub role: InstructionRole,
    /// Both stages, or only the first if that failed.
    pub stages: Vec<StageProbe>,
}

impl StyleProbe {
    /// Whether both stages were answered in the form that was asked for.
    #[must_use]
    pub fn works(&self) -> bool {
        self.stages.len() == Stage::ALL.len()
            && self.stages.iter().all(|stage| stage.problem.is_none())
    }
}

/// What one stage came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageProbe {
    /// Which one.
    pub stage: Stage,
    /// How long the answer took with all attempts, in milliseconds.
    pub millis: u64,
    /// How often the endpoint was asked.
    pub attempts: u32,
    /// The HTTP status of the last answer.
    pub status: Option<u16>,
    /// Why there is no answer of the right form.
    pub problem: Option<Problem>,
}

/// What went wrong, for people; without keys and safe to print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The kind, as it is counted.
    pub reason: UnavailableReason,
    /// What failed.
    pub what: String,
    /// What to change; empty if nothing better than trying again is known.
    pub remedy: String,
}
