//! The part of the prompt that is about one call: the conversation before it,
//! what is known of it, and the call itself.

use super::Material;
use super::encoding::{call, object, step_line, string, strings};
use crate::redact;
use crate::transcript::{self, FIRST_USER_TEXTS, LAST_USER_TEXTS, Step, Transcript};

/// Most facts that are told; the first count.
const MOST_FACTS: usize = 64;

/// Most characters of a fact.
const FACT_CHARACTERS: usize = 1_000;

/// Most characters of a name.
const NAME_CHARACTERS: usize = 200;

/// Most characters of a folder; longer ones no system opens.
const PATH_CHARACTERS: usize = 4_096;

/// The conversation, the facts, the surroundings and the call. Every line that
/// is not one of these constant lines is one JSON value.
pub(super) fn content(material: &Material) -> String {
    let mut lines = vec!["# Conversation so far".to_owned()];
    lines.extend(conversation(&material.transcript));
    lines.push("# Static facts about the call to judge".to_owned());
    lines.extend(facts(&material.facts));
    lines.push("# Surroundings of the call to judge".to_owned());
    lines.push(surroundings(material));
    lines.push("# Call to judge".to_owned());
    lines.push(object(&[
        ("pending", call(&material.pending)),
        ("withheld", strings(&material.pending.withheld)),
    ]));
    let mut content = lines.join("\n");
    content.push('\n');
    content
}

fn conversation(transcript: &Transcript) -> Vec<String> {
    let mut lines: Vec<String> = transcript.steps().map(line).collect();
    if lines.is_empty() {
        lines.push("Nothing is known of it.".to_owned());
    } else if !transcript.has_user_text() {
        lines.push("Nothing is known of what the user typed.".to_owned());
    }
    lines
}

fn line(step: Step<'_>) -> String {
    match step {
        Step::Entry(entry) => step_line(entry),
        Step::UserTextsLeftOut(count) => left_out(&format!(
            "{count} texts of the user, between the first {FIRST_USER_TEXTS} and the last {LAST_USER_TEXTS}"
        )),
        Step::CallsLeftOut(count) => left_out(&format!("{count} older calls")),
    }
}

fn left_out(what: &str) -> String {
    object(&[("left_out", string(what))])
}

fn facts(facts: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = facts
        .iter()
        .take(MOST_FACTS)
        .map(|fact| string(&transcript::cut(fact, FACT_CHARACTERS)))
        .collect();
    if lines.is_empty() {
        lines.push("None.".to_owned());
    }
    if let Some(more) = facts.len().checked_sub(MOST_FACTS).filter(|more| *more > 0) {
        lines.push(left_out(&format!("{more} more facts")));
    }
    lines
}

fn surroundings(material: &Material) -> String {
    let masked = |text: &str, most| transcript::cut(&redact::code(text, usize::MAX).text, most);
    let named = |name: &str| string(&masked(name, NAME_CHARACTERS));
    let folder = |path: &String| masked(path, PATH_CHARACTERS);
    let workspaces: Vec<String> = material.workspaces.iter().map(folder).collect();
    let mut fields = vec![("agent", named(&material.agent))];
    if let Some(subagent) = &material.subagent {
        fields.push(("subagent", named(subagent)));
    }
    fields.push(("cwd", string(&folder(&material.cwd))));
    fields.push(("workspaces", strings(&workspaces)));
    object(&fields)
}
