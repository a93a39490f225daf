//! Asking all questions, several at a time, and keeping each answer at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use countersign_classifier::Models;
use countersign_core::classify::{ClassifierAnswer, Verdict};
use countersign_core::decision::UnavailableReason;
use countersign_core::model::{ClassifierSettings, ModelRecord};
use tokio::task::JoinSet;

use super::answers::Answer;
use super::question::Question;

/// Asks every question and gives each answer, with its place in the list, to
/// `keep` as it comes.
///
/// # Errors
/// When an answer cannot be kept: nothing more is asked then.
pub(super) async fn ask(
    questions: Vec<(usize, Question)>,
    models: &Models,
    settings: &Arc<ClassifierSettings>,
    concurrency: usize,
    mut keep: impl FnMut(usize, Answer) -> Result<()>,
) -> Result<()> {
    let mut waiting = VecDeque::from(questions);
    // Dropped on an early end, which cancels what is under way.
    let mut asking = JoinSet::new();
    loop {
        while asking.len() < concurrency.max(1)
            && let Some((place, question)) = waiting.pop_front()
        {
            let (models, settings) = (models.clone(), Arc::clone(settings));
            asking.spawn(async move { (place, answer(&question, &models, &settings).await) });
        }
        let Some(answered) = asking.join_next().await else {
            return Ok(());
        };
        let (place, answer) = answered.context("asking ended in an error of our own")?;
        keep(place, answer)?;
    }
}

async fn answer(question: &Question, models: &Models, settings: &ClassifierSettings) -> Answer {
    let begun = Instant::now();
    let ClassifierAnswer { verdict, model } = match &question.prompt {
        Ok(prompt) => models.ask(settings, prompt).await,
        Err(too_long) => ClassifierAnswer {
            verdict: Verdict::Unavailable(UnavailableReason::ContextOverflow),
            model: ModelRecord {
                problem: Some(too_long.to_string()),
                ..ModelRecord::default()
            },
        },
    };
    let (got, reason) = question.outcome(&verdict);
    Answer {
        question: question.asked.clone(),
        got,
        reason,
        millis: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        record: model,
    }
}
