//! Trying an endpoint for `doctor`.

use countersign_core::decision::UnavailableReason;
use countersign_core::model::{
    ClassifierSettings, InstructionRole, Provider, Stage, StructuredOutput,
};
use countersign_core::projection::Projection;
use countersign_core::prompt::{Hints, Material, Prompt, compose};
use countersign_core::redact::visible;
use countersign_core::transcript::Transcript;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

use crate::client::{self, Response};
use crate::codec;
use crate::endpoint::{Endpoint, Ready, StageOutcome, too_late};
use crate::failure::{Failure, cut};
use crate::probe::{Probe, Problem, StageProbe, StyleProbe};
use crate::schedule::Schedule;

/// Most models that are told of.
const MOST_MODELS: usize = 50;

/// Longest name of a model that is told, in characters.
const MODEL_CHARACTERS: usize = 100;

/// Tries an endpoint.
pub(crate) async fn probe(endpoint: &Endpoint, settings: &ClassifierSettings) -> Probe {
    let mut probe = Probe::default();
    let ready = match endpoint.ready() {
        Ok(ready) => ready,
        Err(failure) => {
            probe.problem = Some(failure.problem(None));
            return probe;
        }
    };
    match look(endpoint, settings, &ready).await {
        Ok(response) => {
            probe.reachable = true;
            probe.status = Some(response.status.as_u16());
            note_models(&mut probe, settings, &response);
        }
        Err(failure) => probe.problem = Some(failure.problem(ready.key.as_ref())),
    }
    // Without a connection every question would only wait for its deadline.
    if let Some(problem) = &probe.problem
        && problem.reason == UnavailableReason::Transport
    {
        return probe;
    }
    probe.problem = None;
    try_styles(endpoint, settings, &mut probe).await;
    probe
}

/// Looks at what the endpoint tells of its models.
async fn look(
    endpoint: &Endpoint,
    settings: &ClassifierSettings,
    ready: &Ready,
) -> Result<Response, Failure> {
    let begin = Instant::now();
    let schedule = Schedule::new(begin, endpoint.milliseconds(Stage::Fast));
    let _place = endpoint.place(schedule).await?;
    let deadline = schedule.deadline;
    let client = endpoint.client(deadline, ready).await?;
    let headers = codec::headers(settings, ready.key.as_ref());
    timeout_at(
        deadline,
        client::get(&client, &ready.addresses.models, headers),
    )
    .await
    .map_err(|_| too_late(Stage::Fast, begin.elapsed()))?
}

#[derive(Deserialize)]
struct ModelList {
    data: Vec<ListedModel>,
}

#[derive(Deserialize)]
struct ListedModel {
    id: String,
}

/// Not every endpoint has a list; none proves nothing.
fn note_models(probe: &mut Probe, settings: &ClassifierSettings, response: &Response) {
    match settings.provider {
        Provider::OpenaiCompatible => {
            let Ok(list) = serde_json::from_slice::<ModelList>(&response.body) else {
                return;
            };
            if !response.status.is_success() || list.data.is_empty() {
                return;
            }
            let listed = list.data.iter().any(|model| model.id == settings.model);
            // Some lists leave models out; a question tells for certain.
            probe.model_exists = listed.then_some(true);
            probe.models = list
                .data
                .iter()
                .take(MOST_MODELS)
                .map(|model| {
                    cut(
                        &visible(&cut(&model.id, MODEL_CHARACTERS)),
                        MODEL_CHARACTERS,
                    )
                })
                .collect();
        }
        Provider::Anthropic | Provider::Gemini => {
            let shows_one = response.status.is_success()
                && serde_json::from_slice::<Map<String, Value>>(&response.body)
                    .is_ok_and(|model| model.contains_key("id") || model.contains_key("name"));
            if shows_one {
                probe.model_exists = Some(true);
            }
        }
    }
}

/// The styles that differ at the provider, the strictest first.
fn styles(provider: Provider) -> impl Iterator<Item = StructuredOutput> {
    StructuredOutput::ALL
        .into_iter()
        // Anthropic has no such style; it would be asked plainly twice.
        .filter(move |style| {
            provider != Provider::Anthropic || *style != StructuredOutput::JsonObject
        })
}

async fn try_styles(endpoint: &Endpoint, settings: &ClassifierSettings, probe: &mut Probe) {
    let prompt = harmless();
    let other_role = match settings.instruction_role {
        InstructionRole::System => InstructionRole::User,
        InstructionRole::User => InstructionRole::System,
    };
    let mut first_problem = None;
    let mut role = settings.instruction_role;
    for style in styles(settings.provider) {
        let mut tried = try_style(endpoint, settings, style, role, &prompt, probe).await;
        if stops(&tried) {
            first_problem = first_problem.or_else(|| problem_of(&tried));
            probe.styles.push(tried);
            break;
        }
        // Until something works, the role may be what stands in the way.
        if !tried.works() && probe.instruction_role.is_none() {
            let again = try_style(endpoint, settings, style, other_role, &prompt, probe).await;
            if again.works() {
                role = other_role;
                first_problem = first_problem.or_else(|| problem_of(&tried));
                tried = again;
            }
        }
        if tried.works() {
            probe.instruction_role.get_or_insert(role);
            probe.recommended.get_or_insert(style);
            probe.model_exists = Some(true);
        } else {
            first_problem = first_problem.or_else(|| problem_of(&tried));
        }
        probe.styles.push(tried);
    }
    if probe.model_exists.is_none() && probe.styles.iter().any(knows_no_such_model) {
        probe.model_exists = Some(false);
    }
    probe.problem = standing_in_the_way(settings, probe, first_problem);
}

/// What stands in the way of the configured style and role, if anything does.
fn standing_in_the_way(
    settings: &ClassifierSettings,
    probe: &Probe,
    first: Option<Problem>,
) -> Option<Problem> {
    let configured = match (settings.provider, settings.structured_output) {
        (Provider::Anthropic, StructuredOutput::JsonObject) => StructuredOutput::Plain,
        (_, style) => style,
    };
    let Some(best) = probe.recommended else {
        return first;
    };
    let tried = probe.styles.iter().find(|tried| tried.style == configured);
    let role_works = probe.instruction_role == Some(settings.instruction_role);
    if role_works && tried.is_some_and(StyleProbe::works) {
        return None;
    }
    let mut problem = tried.and_then(problem_of).or(first)?;
    let mut changes = Vec::new();
    if let Some(role) = probe.instruction_role
        && !role_works
    {
        changes.push(format!("instructionRole to \"{}\"", role.as_str()));
    }
    if !tried.is_some_and(StyleProbe::works) {
        changes.push(format!("structuredOutput to \"{}\"", best.as_str()));
    }
    problem.remedy = format!(
        "set {} in permissions.autoMode.classifier",
        changes.join(" and ")
    );
    Some(problem)
}

fn problem_of(tried: &StyleProbe) -> Option<Problem> {
    tried.stages.iter().find_map(|stage| stage.problem.clone())
}

/// Whether a question was refused because of the model's name. A 404 that does
/// not speak of models is about the address.
fn knows_no_such_model(tried: &StyleProbe) -> bool {
    tried.stages.iter().any(|stage| {
        let what = stage.problem.as_ref().map(|problem| &problem.what);
        stage.status == Some(404)
            && what.is_some_and(|what| what.to_ascii_lowercase().contains("model"))
    })
}

/// Whether another style would meet the same: a wrong key or address, no time,
/// no connection.
fn stops(tried: &StyleProbe) -> bool {
    tried.stages.iter().any(|stage| {
        stage.problem.as_ref().is_some_and(|problem| {
            matches!(
                problem.reason,
                UnavailableReason::Transport | UnavailableReason::Timeout
            ) || matches!(stage.status, Some(401 | 403 | 404 | 429))
        })
    })
}

async fn try_style(
    endpoint: &Endpoint,
    settings: &ClassifierSettings,
    style: StructuredOutput,
    role: InstructionRole,
    prompt: &Prompt,
    probe: &mut Probe,
) -> StyleProbe {
    let mut varied = settings.clone();
    varied.structured_output = style;
    varied.instruction_role = role;
    let mut tried = StyleProbe {
        style,
        role,
        stages: Vec::new(),
    };
    for stage in Stage::ALL {
        let outcome = endpoint.ask(&varied, stage, prompt).await;
        note_stage(probe, &outcome);
        let problem = match &outcome.answer {
            Ok(_) => None,
            Err(failure) => Some(failure.problem(outcome.key.as_ref())),
        };
        let failed = problem.is_some();
        tried.stages.push(StageProbe {
            stage,
            millis: outcome.record.millis,
            attempts: outcome.record.attempts,
            status: outcome.status,
            problem,
        });
        if failed {
            break;
        }
    }
    tried
}

fn note_stage(probe: &mut Probe, outcome: &StageOutcome) {
    if outcome.status.is_some() {
        probe.reachable = true;
        probe.status = outcome.status;
    }
    let add = |sum: &mut u64, tokens: Option<u64>| *sum = sum.saturating_add(tokens.unwrap_or(0));
    add(&mut probe.input_tokens, outcome.record.input_tokens);
    add(&mut probe.output_tokens, outcome.record.output_tokens);
}

/// A question as real ones are, about a call that harms nothing.
fn harmless() -> Prompt {
    let mut arguments = Map::new();
    arguments.insert("command".to_owned(), Value::from("git status"));
    compose(&Material {
        agent: "countersign doctor".to_owned(),
        subagent: None,
        cwd: "/project".to_owned(),
        workspaces: vec!["/project".to_owned()],
        hints: Hints::default(),
        environment: Vec::new(),
        context_files: Vec::new(),
        transcript: Transcript::default(),
        facts: Vec::new(),
        pending: Projection {
            tool: "run_shell_command".to_owned(),
            arguments,
            withheld: Vec::new(),
        },
    })
}
