//! What an endpoint's answers mean for the settings.

use camino::Utf8Path;
use countersign_classifier::{Probe, Problem, StyleProbe};
use countersign_core::model::{ClassifierSettings, Stage};

use super::finding::Finding;
use crate::commands::model::KEY;

const ENDPOINT: &str = "endpoint";
const MODEL: &str = "model";
const ANSWERS: &str = "answers";
const LATENCY: &str = "latency";

/// Most names of models that are listed.
const MOST_MODELS: usize = 10;

/// The findings; `file` is where the settings are changed.
pub(super) fn findings(
    probe: &Probe,
    settings: &ClassifierSettings,
    file: &Utf8Path,
) -> Vec<Finding> {
    if !probe.reachable {
        let (what, remedy) = told(probe.problem.as_ref());
        return vec![Finding::broken(
            ENDPOINT,
            format!("{} does not answer: {what}", settings.base_url),
            remedy.unwrap_or_else(|| format!("start it, or set {KEY}.baseUrl in {file}")),
        )];
    }
    let status = probe
        .status
        .map_or_else(String::new, |status| format!(" (HTTP status {status})"));
    let mut findings = vec![Finding::ok(
        ENDPOINT,
        format!("{} answers{status}", settings.base_url),
    )];
    match probe.model_exists {
        Some(true) => findings.push(Finding::ok(MODEL, format!("{} is there", settings.model))),
        Some(false) => findings.push(Finding::broken(
            MODEL,
            format!(
                "the endpoint knows no {}{}",
                settings.model,
                offered(&probe.models)
            ),
            format!("set {KEY}.model (or .fastModel, which comes before it) in {file}"),
        )),
        None => {}
    }
    let configured = probe.styles.iter().find(|one| {
        one.style == settings.structured_output && one.role == settings.instruction_role
    });
    match configured {
        Some(one) if one.works() => {
            findings.push(Finding::ok(
                ANSWERS,
                format!("both stages answer in the right form ({})", way(one)),
            ));
            findings.push(latency(one, settings, file));
        }
        _ => findings.push(otherwise(probe, settings, file)),
    }
    findings
}

/// The configured way does not work: another one may.
fn otherwise(probe: &Probe, settings: &ClassifierSettings, file: &Utf8Path) -> Finding {
    let style = settings.structured_output.as_str();
    let role = settings.instruction_role.as_str();
    let configured = format!("{style}, instruction as {role}");
    let failed = probe
        .styles
        .iter()
        .filter(|one| {
            one.style == settings.structured_output && one.role == settings.instruction_role
        })
        .flat_map(|one| &one.stages)
        .find_map(|stage| Some((stage.stage, stage.problem.as_ref()?)));
    let what = match failed {
        Some((stage, problem)) => format!(
            "the {stage} stage fails with {configured}: {}",
            problem.what
        ),
        None => format!(
            "no answer of the right form with {configured}: {}",
            told(probe.problem.as_ref()).0
        ),
    };
    let mut changes = Vec::new();
    if let Some(style) = probe.recommended {
        if style != settings.structured_output {
            changes.push(format!("{KEY}.structuredOutput to \"{}\"", style.as_str()));
        }
        if let Some(role) = probe.instruction_role
            && role != settings.instruction_role
        {
            changes.push(format!("{KEY}.instructionRole to \"{}\"", role.as_str()));
        }
    }
    let change = if changes.is_empty() {
        let remedy = failed
            .map(|(_, problem)| problem.remedy.clone())
            .filter(|remedy| !remedy.is_empty());
        remedy
            .or_else(|| told(probe.problem.as_ref()).1)
            .unwrap_or_else(|| format!("try another model: set {KEY}.model in {file}"))
    } else {
        format!("set {} in {file}: that works", changes.join(" and "))
    };
    Finding::broken(ANSWERS, what, change)
}

fn latency(works: &StyleProbe, settings: &ClassifierSettings, file: &Utf8Path) -> Finding {
    let stages = works.stages.iter().map(|stage| {
        let attempts = match stage.attempts {
            0 | 1 => String::new(),
            attempts => format!(" in {attempts} attempts"),
        };
        format!("{} {} ms{attempts}", stage.stage, stage.millis)
    });
    let told = stages.collect::<Vec<_>>().join(", ");
    let slow = works.stages.iter().find_map(|stage| {
        let (deadline, name) = match stage.stage {
            Stage::Fast => (settings.stage1_ms, "stage1Ms"),
            Stage::Thinking => (settings.stage2_ms, "stage2Ms"),
        };
        // A real prompt is longer than ours here.
        (stage.millis > deadline / 2).then_some((stage.stage, deadline, name))
    });
    match slow {
        None => Finding::ok(LATENCY, told),
        Some((stage, deadline, name)) => Finding::warning(
            LATENCY,
            format!(
                "{told}; the {stage} stage has {deadline} ms in all, and real questions are longer"
            ),
            format!(
                "name a faster model in {KEY}.fastModel, or raise {KEY}.timeouts.{name}, in {file}"
            ),
        ),
    }
}

fn way(style: &StyleProbe) -> String {
    format!(
        "{}, instruction as {}",
        style.style.as_str(),
        style.role.as_str()
    )
}

fn told(problem: Option<&Problem>) -> (String, Option<String>) {
    problem.map_or_else(
        || ("no reason is known".to_owned(), None),
        |problem| {
            let remedy = Some(problem.remedy.clone()).filter(|remedy| !remedy.is_empty());
            (problem.what.clone(), remedy)
        },
    )
}

fn offered(models: &[String]) -> String {
    if models.is_empty() {
        return String::new();
    }
    let more = match models.len().checked_sub(MOST_MODELS) {
        Some(more) if more > 0 => format!(" and {more} more"),
        Some(_) | None => String::new(),
    };
    let names: Vec<&str> = models
        .iter()
        .take(MOST_MODELS)
        .map(String::as_str)
        .collect();
    format!("; it has {}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use countersign_classifier::StageProbe;
    use countersign_core::decision::UnavailableReason;
    use countersign_core::model::{InstructionRole, Provider, StructuredOutput};

    use super::super::finding::Status;
    use super::*;

    fn settings() -> ClassifierSettings {
        ClassifierSettings {
            provider: Provider::OpenaiCompatible,
            base_url: "http://127.0.0.1:11434/v1".to_owned(),
            model: "qwen3:8b".to_owned(),
            structured_output: StructuredOutput::JsonSchema,
            instruction_role: InstructionRole::System,
            api_key_env: None,
            proxy: None,
            ca_file: None,
            stage1_ms: 10_000,
            stage2_ms: 30_000,
            max_concurrent: 16,
        }
    }

    fn problem(what: &str, remedy: &str) -> Problem {
        Problem {
            reason: UnavailableReason::Schema,
            what: what.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    fn stage(stage: Stage, millis: u64, problem: Option<Problem>) -> StageProbe {
        StageProbe {
            stage,
            millis,
            attempts: 1,
            status: Some(200),
            problem,
        }
    }

    fn style(style: StructuredOutput, role: InstructionRole, millis: u64) -> StyleProbe {
        StyleProbe {
            style,
            role,
            stages: Stage::ALL.map(|one| stage(one, millis, None)).to_vec(),
        }
    }

    fn failing(style: StructuredOutput, what: &str, remedy: &str) -> StyleProbe {
        StyleProbe {
            style,
            role: InstructionRole::System,
            stages: vec![stage(Stage::Fast, 80, Some(problem(what, remedy)))],
        }
    }

    fn reached(styles: Vec<StyleProbe>) -> Probe {
        Probe {
            reachable: true,
            status: Some(200),
            model_exists: Some(true),
            instruction_role: Some(InstructionRole::System),
            styles,
            ..Probe::default()
        }
    }

    fn told_of(probe: &Probe) -> Vec<Finding> {
        findings(probe, &settings(), Utf8Path::new("/c/settings.json"))
    }

    #[track_caller]
    fn assert_told(finding: &Finding, status: Status, detail: &[&str], change: &[&str]) {
        assert_eq!(finding.status, status, "{finding:?}");
        let changed = finding.change.as_deref().unwrap_or_default();
        for part in detail {
            assert!(finding.detail.contains(part), "no `{part}` in {finding:?}");
        }
        for part in change {
            assert!(changed.contains(part), "no `{part}` in {finding:?}");
        }
        assert_eq!(changed.is_empty(), change.is_empty(), "{finding:?}");
    }

    #[test]
    fn an_endpoint_that_works_is_told_with_its_latency() {
        let works = style(StructuredOutput::JsonSchema, InstructionRole::System, 120);
        let findings = told_of(&reached(vec![works]));
        assert_eq!(findings.len(), 4);
        assert_told(&findings[0], Status::Ok, &["answers", "200"], &[]);
        assert_told(&findings[1], Status::Ok, &["qwen3:8b is there"], &[]);
        assert_told(
            &findings[2],
            Status::Ok,
            &["json-schema, instruction as system"],
            &[],
        );
        assert_told(
            &findings[3],
            Status::Ok,
            &["fast 120 ms, thinking 120 ms"],
            &[],
        );
    }

    #[test]
    fn a_model_that_nothing_showed_is_not_said_to_be_there() {
        let unknown = Probe {
            model_exists: None,
            ..reached(Vec::new())
        };
        let findings = told_of(&unknown);
        assert!(findings.iter().all(|finding| finding.check != MODEL));
        assert!(!format!("{findings:?}").contains("is there"));
    }

    #[test]
    fn an_endpoint_that_does_not_answer_is_broken_with_its_remedy() {
        let silent = Probe {
            problem: Some(problem("connection refused", "start the server")),
            ..Probe::default()
        };
        let findings = told_of(&silent);
        assert_eq!(findings.len(), 1);
        assert_told(
            &findings[0],
            Status::Broken,
            &["http://127.0.0.1:11434/v1", "connection refused"],
            &["start the server"],
        );
        let findings = told_of(&Probe::default());
        assert_told(
            &findings[0],
            Status::Broken,
            &["no reason"],
            &["baseUrl", "/c/settings.json"],
        );
    }

    #[test]
    fn a_model_that_is_not_there_is_told_with_those_that_are() {
        let probe = Probe {
            model_exists: Some(false),
            models: (0..12)
                .map(|number| format!("m{number}\u{1b}[2J"))
                .collect(),
            problem: Some(problem("no such model", "")),
            ..reached(Vec::new())
        };
        let findings = told_of(&probe);
        assert_told(
            &findings[1],
            Status::Broken,
            &["knows no qwen3:8b", "it has m0", "m9", "and 2 more"],
            &["classifier.model", "/c/settings.json"],
        );
        assert!(!findings[1].detail.contains('\u{1b}'));
    }

    #[test]
    fn the_only_style_and_role_that_work_are_recommended_by_key_and_value() {
        let probe = Probe {
            recommended: Some(StructuredOutput::ToolCall),
            instruction_role: Some(InstructionRole::User),
            ..reached(vec![
                failing(
                    StructuredOutput::JsonSchema,
                    "response_format is not known",
                    "",
                ),
                style(StructuredOutput::ToolCall, InstructionRole::User, 90),
            ])
        };
        let findings = told_of(&probe);
        assert_told(
            findings.last().unwrap(),
            Status::Broken,
            &["fast stage", "json-schema", "response_format is not known"],
            &[
                "permissions.autoMode.classifier.structuredOutput to \"tool-call\"",
                "permissions.autoMode.classifier.instructionRole to \"user\"",
                "/c/settings.json",
            ],
        );
    }

    #[test]
    fn where_nothing_works_the_problem_and_its_remedy_are_told() {
        let failed = failing(
            StructuredOutput::JsonSchema,
            "it refused",
            "take a larger model",
        );
        let findings = told_of(&reached(vec![failed]));
        assert_told(
            findings.last().unwrap(),
            Status::Broken,
            &["it refused"],
            &["larger model"],
        );
        let findings = told_of(&reached(Vec::new()));
        assert_told(
            findings.last().unwrap(),
            Status::Broken,
            &["no reason"],
            &["classifier.model"],
        );
    }

    #[test]
    fn an_answer_near_its_deadline_is_a_warning() {
        let slow = style(StructuredOutput::JsonSchema, InstructionRole::System, 7_000);
        let findings = told_of(&reached(vec![slow]));
        assert_told(
            findings.last().unwrap(),
            Status::Warning,
            &["fast 7000 ms", "10000 ms"],
            &["fastModel", "timeouts.stage1Ms", "/c/settings.json"],
        );
    }
}
