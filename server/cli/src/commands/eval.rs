//! `countersign eval`: how well the configured model judges labelled calls,
//! how fast, and for how much. Nothing of what the cases name is run.

mod answers;
mod asking;
mod case;
mod markdown;
mod prices;
mod question;
mod statistics;
mod summary;
mod text;

pub(crate) use prices::price;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use camino::Utf8PathBuf;
use countersign_core::model::ClassifierSettings;
use countersign_core::redact;
use countersign_guard::Guard;
use countersign_settings::Places;
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::Eval;
use crate::commands::model;
use crate::output;

use answers::{Answer, AnswerFile};
use case::Case;
use prices::Prices;
use question::Question;
use summary::Summary;

/// Asks the configured model about every case.
pub(super) fn run(places: Places, eval: &Eval) -> Result<ExitCode> {
    crate::judge::leave_no_core_dump();
    let cases = case::read(&eval.cases)?;
    let guard = Guard::looking_in(places, &crate::commands::current_folder()?);
    let settings = Arc::new(model::configured(&guard)?.clone());
    let mut file = match &eval.output {
        Some(path) => Some(AnswerFile::open(path)?),
        None => None,
    };
    let mut answers: Vec<Option<Answer>> = Vec::with_capacity(cases.len());
    let mut questions = Vec::new();
    for (place, case) in cases.iter().enumerate() {
        let question = Question::of(case, &settings)
            .with_context(|| format!("the case `{}` cannot be asked", case.id))?;
        let known = file.as_mut().and_then(|file| file.take(&question.asked));
        if known.is_none() {
            questions.push((place, question));
        }
        answers.push(known);
    }
    let earlier = cases.len() - questions.len();
    ask(
        questions,
        &settings,
        eval,
        file.as_mut(),
        &mut answers,
        earlier,
    )?;

    let answered: Vec<(&Case, Answer)> = cases
        .iter()
        .zip(answers)
        .filter_map(|(case, answer)| Some((case, answer?)))
        .collect();
    let prices = eval
        .price_input
        .zip(eval.price_output)
        .map(|(input, output)| Prices {
            input,
            cached: eval.price_cached.unwrap_or(input),
            output,
        });
    let summary = Summary::of(&settings.model, &answered, earlier, prices);
    tell(&summary, eval)?;
    if summary.unavailable() == summary.cases {
        let commonest = summary.problems.first();
        bail!(
            "no case was answered: {}; `countersign doctor` says what to change",
            commonest.map_or_else(
                || "no reason is known".to_owned(),
                |problem| redact::visible(&problem.problem)
            )
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn ask(
    questions: Vec<(usize, Question)>,
    settings: &Arc<ClassifierSettings>,
    eval: &Eval,
    mut file: Option<&mut AnswerFile>,
    answers: &mut [Option<Answer>],
    earlier: usize,
) -> Result<()> {
    let progress = progress(answers.len(), earlier);
    let models = model::models();
    let done = model::runtime()?.block_on(asking::ask(
        questions,
        &models,
        settings,
        usize::from(eval.concurrency),
        |place, answer| {
            if let Some(file) = &mut file {
                file.add(&answer)?;
            }
            progress.inc(1);
            if let Some(slot) = answers.get_mut(place) {
                *slot = Some(answer);
            }
            Ok(())
        },
    ));
    progress.finish_and_clear();
    done
}

/// Drawn on standard error, and only where that is a terminal.
fn progress(cases: usize, earlier: usize) -> ProgressBar {
    let bar = ProgressBar::new(cases as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} cases, {eta} left") {
        bar.set_style(style);
    }
    bar.set_position(earlier as u64);
    bar
}

fn tell(summary: &Summary, eval: &Eval) -> Result<()> {
    if let Some(path) = &eval.report {
        write_report(path, summary)?;
    }
    let mut out = output::stdout();
    if eval.json {
        writeln!(out, "{}", serde_json::to_string_pretty(summary)?)?;
    } else {
        text::write(&mut out, summary, output::terminal_width())?;
    }
    Ok(())
}

fn write_report(path: &Utf8PathBuf, summary: &Summary) -> Result<()> {
    std::fs::write(path, markdown::report(summary))
        .with_context(|| format!("the report {path} cannot be written"))
}
