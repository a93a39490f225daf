//! `countersign hooks`: every event with what it tells, what the ends of its
//! hooks mean, and what is configured in the current workspace.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use countersign_core::redact;
use countersign_guard::Guard;
use countersign_settings::Places;
use countersign_user_hooks::{ListedEvent, ListedHook, Listing, list};

use crate::output::{self, ASK, BLOCK, BOLD, DIM, styled};

pub(super) fn run(places: Places, json: bool) -> Result<ExitCode> {
    let folder = crate::commands::current_folder()?;
    let guard = Guard::looking_in(places, &folder);
    let listing = list(&guard.effective);
    let mut out = output::stdout();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&listing)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    head(&mut out, &listing)?;
    for event in &listing.events {
        show(&mut out, event)?;
    }
    for problem in &listing.problems {
        let problem = redact::visible(problem);
        writeln!(out, "{} {problem}", styled(BLOCK, "problem:"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn head(out: &mut impl std::io::Write, listing: &Listing) -> Result<()> {
    if listing.disabled {
        let why = "All hooks are off: disableAllHooks is set.";
        writeln!(out, "{}\n", styled(BLOCK, why))?;
    }
    match &listing.workspace {
        Some(workspace) if !listing.trusted => writeln!(
            out,
            "{} is not trusted, so hooks of its own settings are not read.\n",
            redact::visible(workspace)
        )?,
        Some(_) | None => {}
    }
    Ok(())
}

fn show(out: &mut impl std::io::Write, event: &ListedEvent) -> Result<()> {
    writeln!(out, "{}: {}", styled(BOLD, event.event), event.when)?;
    writeln!(out, "  matcher: {}", event.matcher)?;
    let names: Vec<&str> = event.payload.iter().map(|field| field.name).collect();
    writeln!(out, "  payload: {}", names.join(", "))?;
    for code in &event.exit_codes {
        writeln!(out, "  exit {}: {}", code.code, code.meaning)?;
    }
    if event.hooks.is_empty() {
        writeln!(out, "  {}", styled(DIM, "no hooks"))?;
    }
    for hook in &event.hooks {
        configured(out, hook)?;
    }
    writeln!(out)?;
    Ok(())
}

fn configured(out: &mut impl std::io::Write, hook: &ListedHook) -> Result<()> {
    let matcher = if hook.matcher.is_empty() {
        "all".to_owned()
    } else {
        redact::visible(&hook.matcher)
    };
    let waits = match hook.consent {
        "waiting" => styled(ASK, " (waits for your consent: countersign trust)").to_string(),
        _ => String::new(),
    };
    writeln!(
        out,
        "  {} {matcher} -> {}: {}{waits}",
        styled(ASK, "*"),
        hook.kind,
        redact::visible(&hook.runs),
    )?;
    let place = format!(
        "    {}, {}, at most {} s",
        hook.scope,
        redact::visible(&hook.place),
        hook.timeout
    );
    writeln!(out, "{}", styled(DIM, &place))?;
    Ok(())
}
