//! `countersign doctor`: whether everything the guard needs works, and what to
//! change. Where no classifier is configured it offers what the agents use.
//! Under an agent it only reports what settings and files say: it contacts
//! nobody and changes nothing.

mod canary;
mod checks;
mod endpoint;
mod finding;
mod guarded;
pub(super) mod offers;
mod parts;

use std::io::{BufRead, Write};
use std::process::ExitCode;

use anyhow::Result;
use camino::Utf8Path;
use countersign_classifier::Probe;
use countersign_core::redact;
use countersign_guard::Guard;
use countersign_settings::Places;
use serde_json::json;

use crate::commands::agents::Surroundings;
use crate::commands::model;
use crate::output::{self, BOLD, DIM, styled};

use finding::Finding;
use offers::Found;

/// Something is broken.
const BROKEN: u8 = 1;

/// Looks at everything, and tells it.
pub(super) fn run(places: Places, json: bool, agents_home: Option<&Utf8Path>) -> Result<ExitCode> {
    crate::judge::leave_no_core_dump();
    let folder = crate::commands::current_folder()?;
    let agent = model::under_an_agent();
    let agents = Surroundings::new(&places, &folder, agents_home, agent.is_none())?;
    let doctor = Doctor {
        places,
        folder: &folder,
        agent: agent.as_deref(),
        agents,
    };
    if json {
        return doctor.as_json();
    }
    let can_ask = agent.is_none() && output::interactive();
    let mut out = output::stdout();
    doctor.tell(&mut out, can_ask.then(|| std::io::stdin().lock()))
}

struct Doctor<'a> {
    places: Places,
    folder: &'a Utf8Path,
    /// Why an agent may have started this, if one may have.
    agent: Option<&'a str>,
    /// Where the agents keep their settings.
    agents: Surroundings,
}

impl Doctor<'_> {
    fn guard(&self) -> Guard {
        Guard::looking_in(self.places.clone(), self.folder)
    }

    fn as_json(&self) -> Result<ExitCode> {
        let guard = self.guard();
        let mut findings = self.local(&guard);
        let (asked, probe) = self.endpoint(&guard)?;
        findings.extend(asked);
        let found = if guard.effective.classifier.is_none() {
            offers::of(&self.agents.home)
        } else {
            Found::default()
        };
        let is_broken = findings.iter().any(Finding::is_broken);
        let report = json!({
            "ok": !is_broken,
            "findings": findings,
            "probe": probe,
            "offers": found.offers,
            "notes": found.notes,
        });
        writeln!(
            output::stdout(),
            "{}",
            serde_json::to_string_pretty(&report)?
        )?;
        Ok(status(is_broken))
    }

    /// Tells everything, and offers what the agents use if somebody is there to
    /// answer.
    fn tell(&self, out: &mut impl Write, answers: Option<impl BufRead>) -> Result<ExitCode> {
        let mut guard = self.guard();
        let local = self.local(&guard);
        for finding in &local {
            finding.write(out)?;
        }
        let mut is_broken = local.iter().any(Finding::is_broken);
        if guard.effective.classifier.is_none() {
            let found = offers::of(&self.agents.home);
            list(out, &found, self.agent)?;
            let took = match answers {
                Some(answers) => offers::take_over(&self.places, &found.offers, out, answers)?,
                None => false,
            };
            if !took {
                return Ok(status(is_broken));
            }
            guard = self.guard();
            for finding in self.of_classifier(&guard) {
                finding.write(out)?;
                is_broken |= finding.is_broken();
            }
        }
        if self.agent.is_none() {
            writeln!(
                out,
                "{}",
                styled(DIM, "asking the model a few harmless questions …")
            )?;
        }
        let (asked, _) = self.endpoint(&guard)?;
        for finding in &asked {
            finding.write(out)?;
            is_broken |= finding.is_broken();
        }
        Ok(status(is_broken))
    }

    /// What can be found out without asking anybody.
    fn local(&self, guard: &Guard) -> Vec<Finding> {
        let mut findings = checks::settings(guard);
        findings.extend(checks::state(&self.places, guard));
        findings.extend(parts::of_servers(&self.places));
        findings.extend(checks::workspace(guard));
        findings.extend(guarded::of_agents(&self.agents, self.agent.is_none()));
        findings.extend(self.of_classifier(guard));
        findings
    }

    fn of_classifier(&self, guard: &Guard) -> Vec<Finding> {
        let mut findings = vec![checks::classifier(guard)];
        if let Some(settings) = &guard.effective.classifier {
            findings.push(checks::key(settings, guard, model::has_key));
        }
        findings
    }

    /// What the endpoint answers, unless an agent may have started this.
    fn endpoint(&self, guard: &Guard) -> Result<(Vec<Finding>, Option<Probe>)> {
        let Some(settings) = &guard.effective.classifier else {
            return Ok((Vec::new(), None));
        };
        if let Some(why) = self.agent {
            let detail = format!("not contacted, because {why}; run it in a terminal of your own");
            return Ok((vec![Finding::skipped("endpoint", detail)], None));
        }
        let probe = model::runtime()?.block_on(model::models().probe(settings));
        let findings = endpoint::findings(&probe, settings, &guard.places.user_file());
        Ok((findings, Some(probe)))
    }
}

fn list(out: &mut impl Write, found: &Found, agent: Option<&str>) -> Result<()> {
    if found.offers.is_empty() {
        let none = "the settings of your agents name no endpoint that could be taken over";
        writeln!(out, "{}", styled(DIM, none))?;
    } else {
        writeln!(out, "\n{}", styled(BOLD, "Your agents use:"))?;
        for offer in &found.offers {
            writeln!(out, "  {}", redact::visible(&offer.in_words()))?;
        }
    }
    for note in &found.notes {
        writeln!(out, "{}", styled(DIM, &redact::visible(note)))?;
    }
    if let Some(why) = agent.filter(|_| !found.offers.is_empty()) {
        let line =
            format!("to take one over, run `countersign doctor` in a terminal of your own: {why}");
        writeln!(out, "{}", styled(DIM, &line))?;
    }
    Ok(())
}

fn status(is_broken: bool) -> ExitCode {
    if is_broken {
        ExitCode::from(BROKEN)
    } else {
        ExitCode::SUCCESS
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;
    use countersign_test_support::model_server::{ModelServer, Reply};

    use super::*;

    /// A user whose Codex asks a server of its own, without a key.
    fn user(server: &ModelServer) -> (tempfile::TempDir, Places) {
        let folder = tempfile::tempdir().unwrap();
        let home = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        std::fs::create_dir_all(home.join(".codex")).unwrap();
        let settings = format!(
            "model = \"scripted-model\"\nmodel_provider = \"own\"\n\
             [model_providers.own]\nbase_url = \"{}/v1\"\nwire_api = \"chat\"\n",
            server.url()
        );
        std::fs::write(home.join(".codex/config.toml"), settings).unwrap();
        let places = Places {
            system: home.join("nothing/settings.json"),
            home: home.clone(),
            ..Places::below(&home.join("countersign")).unwrap()
        };
        (folder, places)
    }

    fn told(places: &Places, agent: Option<&str>, typed: Option<&str>) -> (String, ExitCode) {
        let agents = Surroundings::new(places, &places.home, Some(&places.home), false).unwrap();
        let doctor = Doctor {
            places: places.clone(),
            folder: &places.home,
            agent,
            agents,
        };
        let mut out = Vec::new();
        let code = doctor.tell(&mut out, typed.map(str::as_bytes)).unwrap();
        let text = String::from_utf8(out).unwrap();
        (anstream::adapter::strip_str(&text).to_string(), code)
    }

    #[test]
    fn what_was_taken_over_is_tried_at_once() {
        let server = ModelServer::start();
        server.always(Reply::block("it deletes what cannot be had back"));
        let (_folder, places) = user(&server);
        let (said, code) = told(&places, None, Some("y\n"));
        assert_eq!(code, ExitCode::SUCCESS, "{said}");
        for part in [
            "! classifier   none is configured",
            "Your agents use:",
            "Take this over? [y/N]",
            "✓ classifier   scripted-model at http://127.0.0.1:",
            "✓ answers",
            "✓ latency",
        ] {
            assert!(said.contains(part), "no `{part}` in {said}");
        }
        // It is configured now, and nothing is offered any more.
        let (said, code) = told(&places, None, Some("y\n"));
        assert_eq!(code, ExitCode::SUCCESS, "{said}");
        assert!(!said.contains("Your agents use"), "{said}");
    }

    #[test]
    fn without_a_yes_nobody_is_asked_and_nothing_is_written() {
        let server = ModelServer::start();
        let (_folder, places) = user(&server);
        let (said, code) = told(&places, None, Some("\n"));
        assert_eq!(code, ExitCode::SUCCESS, "{said}");
        assert!(said.contains("[y/N]"), "{said}");
        assert!(!places.user_file().exists());
        assert_eq!(server.seen().connections, 0);
    }

    #[test]
    fn under_an_agent_offers_are_listed_and_nothing_is_asked() {
        let server = ModelServer::start();
        let (_folder, places) = user(&server);
        let (said, code) = told(&places, Some("claude-code (process 7) started it"), None);
        assert_eq!(code, ExitCode::SUCCESS, "{said}");
        assert!(
            said.contains("scripted-model at http://127.0.0.1:"),
            "{said}"
        );
        assert!(
            said.contains("terminal of your own: claude-code (process 7)"),
            "{said}"
        );
        assert!(!said.contains("[y/N]"), "{said}");
        assert_eq!(server.seen().connections, 0);
    }
}
