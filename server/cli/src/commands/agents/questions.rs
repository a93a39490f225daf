//! What `install` asks a person: to agree, the mode, and the classifier.

use std::io::{BufRead as _, Write as _};

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;
use countersign_core::mode::ApprovalMode;
use countersign_guard::Guard;
use countersign_service::AUTO_NOTICE;
use countersign_settings::{Places, set_user_values};
use serde_json::Value;

use crate::arguments::Install;
use crate::commands::doctor::offers;
use crate::output::{self, ASK, BOLD, DIM, styled};

/// Only `y` or `yes` is a yes; everything else, an empty line too, is a no.
pub(super) fn agreed(question: &str) -> Result<bool> {
    let answer = answered(&format!("{question} [y/N]"))?;
    Ok(matches!(answer.as_str(), "y" | "Y" | "yes"))
}

fn answered(question: &str) -> Result<String> {
    let mut out = output::stdout();
    write!(out, "{} ", styled(ASK, question))?;
    out.flush()?;
    drop(out);
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("the answer cannot be read")?;
    Ok(line.trim().to_owned())
}

/// The mode that sessions start in: as the command line says, and otherwise
/// asked for where no settings name one and somebody is there.
pub(super) fn mode(places: &Places, folder: &Utf8Path, install: &Install) -> Result<()> {
    let effective = Guard::looking_in(places.clone(), folder).effective;
    let mode = match install.mode {
        Some(mode) => mode,
        None if effective.approval_mode.is_some() || install.yes || !output::interactive() => {
            return Ok(());
        }
        None => {
            let mut out = output::stdout();
            writeln!(
                out,
                "\n{}\n  default    you are asked about everything that is not certainly harmless\n  \
                 auto-edit  edits of ordinary files of a trusted workspace are not asked about\n  \
                 auto       as much as possible is decided without you\n  plan       only reading",
                styled(BOLD, "Which mode do sessions start in?")
            )?;
            drop(out);
            let answer = answered("default, auto-edit, auto or plan; empty leaves it at default:")?;
            if answer.is_empty() {
                return Ok(());
            }
            match crate::commands::starting_mode(&answer) {
                Ok(mode) => mode,
                Err(why) => {
                    writeln!(output::stdout(), "{why}; the mode stays as it was")?;
                    return Ok(());
                }
            }
        }
    };
    let mut values: Vec<(&str, Value)> = vec![("tools.approvalMode", mode.as_str().into())];
    if mode == ApprovalMode::Auto && !effective.auto_acknowledged {
        if !install.json {
            writeln!(output::stdout(), "{AUTO_NOTICE}")?;
        }
        // Who wrote `--mode auto` chose it.
        if install.mode.is_none() && !agreed("Use auto mode?")? {
            writeln!(output::stdout(), "the mode stays as it was")?;
            return Ok(());
        }
        values.push(("ui.autoModeAcknowledged", true.into()));
    }
    set_user_values(places, &values)
        .with_context(|| format!("{} is not changed", places.user_file()))?;
    if !install.json {
        let line = format!("sessions start in {mode} mode: {}", places.user_file());
        writeln!(output::stdout(), "{}", styled(DIM, &line))?;
    }
    Ok(())
}

/// The endpoint, model and key variable that the agent uses, for the classifier:
/// where none is configured, and a person says so. The key itself stays where
/// it is.
pub(super) fn classifier(
    places: &Places,
    folder: &Utf8Path,
    home: &Utf8Path,
    install: &Install,
) -> Result<()> {
    let is_configured = || {
        let guard = Guard::looking_in(places.clone(), folder);
        guard.effective.classifier.is_some()
    };
    let can_ask = output::interactive() && !install.yes && !install.json;
    if install.no_classifier || !(install.classifier || can_ask) || is_configured() {
        return Ok(());
    }
    let found = offers::of_agent(install.agent, home);
    if install.classifier {
        let Some(offer) = found.offers.iter().find(|offer| offer.model.is_some()) else {
            bail!(
                "the hook is installed, and no classifier: the settings of {} name no endpoint \
                 with a model",
                install.agent
            );
        };
        offer.take(places)?;
        if !install.json {
            let line = format!("the classifier is {}", offer.in_words());
            let line = countersign_core::redact::visible(&line);
            writeln!(output::stdout(), "{}", styled(DIM, &line))?;
        }
        return Ok(());
    }
    if found.offers.iter().any(|offer| offer.model.is_some()) {
        let mut out = output::stdout();
        writeln!(
            out,
            "\n{}",
            styled(BOLD, "A model can judge what nothing else decides.")
        )?;
        offers::take_over(places, &found.offers, &mut out, std::io::stdin().lock())?;
    }
    Ok(())
}
