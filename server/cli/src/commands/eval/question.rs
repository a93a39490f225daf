//! From a case to the words that a model gets: the same on every machine,
//! whatever settings and files it has.

use std::sync::Arc;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::{Call, Digest};
use countersign_core::classify::{self, Verdict};
use countersign_core::decision::Decision;
use countersign_core::facts::Facts;
use countersign_core::mode::ApprovalMode;
use countersign_core::model::{ClassifierSettings, Stage};
use countersign_core::policy::Policy;
use countersign_core::projection::TooLong;
use countersign_core::prompt::{self, Hints, Prompt};
use countersign_core::transcript::{Entry, Transcript};
use countersign_engine::policy::{Surroundings, policy};
use countersign_engine::prepare;
use countersign_guard::Guard;
use countersign_service::{material, past};
use countersign_settings::{Effective, Places};

use super::answers::{Asked, Got};
use super::case::{Case, FOLDER};

/// A case, ready to be asked.
pub(super) struct Question {
    pub(super) asked: Asked,
    /// The words; or why there are none, which counts as no answer.
    pub(super) prompt: Result<Prompt, TooLong>,
    call: Call,
    facts: Facts,
    policy: Policy,
}

impl Question {
    /// What is asked about a case.
    ///
    /// # Errors
    /// When the case is not one that was checked.
    pub(super) fn of(case: &Case, settings: &ClassifierSettings) -> Result<Self> {
        let guard = guard(case);
        let prepared = |call: Call| {
            let facts = prepare::facts(&call, &guard.host, &guard.policy);
            (call, facts)
        };
        let transcript = transcript(case, |index| {
            let (call, facts) = prepared(case.earlier_call(index)?);
            let outcome = case
                .earlier
                .get(index)
                .map(|earlier| earlier.outcome.fate());
            Ok(outcome.map(|fate| past(&call, &facts, &guard, fate)))
        })?;
        let mut call = case.call()?;
        // The canonical words are nobody's own; who speaks them is the case's to say.
        call.key.agent = case.agent;
        let (call, facts) = prepared(call);
        let prompt =
            material(&call, &facts, &guard, transcript).map(|material| prompt::compose(&material));
        Ok(Self {
            asked: Asked {
                id: case.id.clone(),
                case: case.digest().to_string(),
                model: settings.model.clone(),
                prompt: digest(prompt.as_ref().ok(), settings).to_string(),
            },
            prompt,
            call,
            facts,
            policy: guard.policy,
        })
    }

    /// What the verdict would mean for the call, and why.
    pub(super) fn outcome(&self, verdict: &Verdict) -> (Got, Option<String>) {
        match verdict {
            Verdict::Unavailable(why) => (Got::Unavailable, Some(why.to_string())),
            Verdict::Allow | Verdict::Block { .. } => {
                let decision = classify::decision(verdict, &self.call, &self.facts, &self.policy);
                let reason = Some(decision.detail().to_owned());
                match decision {
                    Decision::Allow { .. } => (Got::Allow, None),
                    Decision::Denied { .. } | Decision::Block { .. } => (Got::Block, reason),
                    Decision::Ask { .. } => (Got::Ask, reason),
                }
            }
        }
    }
}

/// What came before: each earlier call behind the user's texts that it follows.
fn transcript(
    case: &Case,
    mut call: impl FnMut(usize) -> Result<Option<Entry>>,
) -> Result<Transcript> {
    let mut transcript = Transcript::default();
    let mut texts = case.user.iter();
    let mut told = 0;
    for (index, earlier) in case.earlier.iter().enumerate() {
        let after = earlier.after.unwrap_or(case.user.len());
        for text in texts.by_ref().take(after.saturating_sub(told)) {
            transcript.push(Entry::user(text));
            told += 1;
        }
        if let Some(entry) = call(index)? {
            transcript.push(entry);
        }
    }
    for text in texts {
        transcript.push(Entry::user(text));
    }
    Ok(transcript)
}

/// What holds for a case: auto mode in a trusted workspace without rules, in a
/// home of nobody here.
fn guard(case: &Case) -> Guard {
    let places = places();
    let effective = Effective {
        workspace: Some(case.cwd.clone()),
        trusted: true,
        hints: Hints {
            allow: case.hints.allow.clone(),
            soft_deny: case.hints.soft_deny.clone(),
            hard_deny: case.hints.hard_deny.clone(),
        },
        environment: case.environment.clone(),
        mcp_forwarding: case.forward_arguments.clone(),
        ..Effective::default()
    };
    let surroundings = Surroundings {
        workspaces: vec![case.cwd.clone()],
        ..Surroundings::default()
    };
    let mut guard = Guard::looking_in(places.clone(), &case.cwd);
    guard.policy = Policy {
        mode: ApprovalMode::Auto,
        ..policy(&effective, &places, &surroundings)
    };
    guard.workspace = Some(case.cwd.clone());
    guard.effective = Arc::new(effective);
    guard
}

/// The places of somebody whose home holds the cases' usual folder.
fn places() -> Places {
    let home = Utf8Path::new(FOLDER)
        .parent()
        .map_or_else(|| Utf8PathBuf::from("/home/dev"), Utf8Path::to_owned);
    Places {
        system: home.join(".nothing/settings.json"),
        config_dir: home.join(".config/countersign"),
        state_dir: home.join(".local/state/countersign"),
        runtime_dir: home.join(".local/state/countersign/run"),
        home,
        relocated: false,
    }
}

/// Of every word that the model is given, and of how its answer is enforced.
fn digest(prompt: Option<&Prompt>, settings: &ClassifierSettings) -> Digest {
    let schemas = Stage::ALL.map(|stage| {
        // A schema of ours is always JSON; its text only tells versions apart.
        serde_json::to_string(&prompt::schema(stage)).unwrap_or_default()
    });
    let mut parts = vec![
        settings.provider.as_str(),
        settings.base_url.as_str(),
        settings.structured_output.as_str(),
        settings.instruction_role.as_str(),
    ];
    parts.extend(Stage::ALL.map(prompt::instruction));
    parts.extend(schemas.iter().map(String::as_str));
    if let Some(prompt) = prompt {
        parts.extend([prompt.system.as_str(), prompt.content.as_str()]);
    }
    Digest::of_parts(parts.into_iter().map(str::as_bytes))
}

#[cfg(test)]
mod tests {
    use countersign_core::decide::{self, Situation, Step};
    use countersign_core::decision::{UnavailableReason, Via};
    use countersign_core::denials::Counters;
    use countersign_core::model::{InstructionRole, Provider, StructuredOutput};
    use serde_json::{Value, json};

    use super::super::case::{Expect, read};
    use super::*;

    fn corpus() -> Vec<Case> {
        read(Utf8Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/corpora/eval.jsonl"
        )))
        .unwrap()
    }

    fn settings() -> ClassifierSettings {
        ClassifierSettings {
            provider: Provider::OpenaiCompatible,
            base_url: "http://127.0.0.1:1/v1".to_owned(),
            model: "m".to_owned(),
            structured_output: StructuredOutput::JsonSchema,
            instruction_role: InstructionRole::System,
            api_key_env: None,
            proxy: None,
            ca_file: None,
            stage1_ms: 1_000,
            stage2_ms: 1_000,
            max_concurrent: 1,
        }
    }

    fn case(fields: Value) -> Case {
        let mut line = json!({ "id": "a", "category": "c", "expect": "block" });
        line.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        serde_json::from_value(line).unwrap()
    }

    fn content(case: &Case) -> String {
        Question::of(case, &settings())
            .unwrap()
            .prompt
            .unwrap()
            .content
    }

    #[test]
    fn the_corpus_asks_about_calls_that_only_a_model_decides() {
        for case in corpus() {
            let question = Question::of(&case, &settings()).unwrap();
            assert!(question.prompt.is_ok(), "{}", case.id);
            let step = decide::decide(&Situation {
                call: &question.call,
                facts: &question.facts,
                policy: &question.policy,
                mode: ApprovalMode::Auto,
                counters: Counters::default(),
                granted: false,
                classifier: true,
            });
            let is_fine = match &step {
                Step::Classify => true,
                // What the static layers prove must agree with the label.
                Step::Done(Decision::Allow { via, .. }) => {
                    *via == Via::Static && case.expect == Expect::Allow
                }
                Step::Done(Decision::Block { .. }) => case.expect == Expect::Block,
                Step::Done(Decision::Denied { .. } | Decision::Ask { .. }) | Step::NoOpinion => {
                    false
                }
            };
            assert!(is_fine, "{}: {step:?}", case.id);
        }
    }

    #[test]
    fn a_question_is_the_same_on_every_machine() {
        let home = Places::for_user().unwrap().home;
        for case in corpus() {
            let (one, other) = (
                Question::of(&case, &settings()).unwrap(),
                Question::of(&case, &settings()).unwrap(),
            );
            assert_eq!(one.asked, other.asked);
            let prompt = one.prompt.unwrap();
            if home != "/" {
                assert!(!prompt.content.contains(home.as_str()), "{}", case.id);
            }
        }
    }

    #[test]
    fn the_label_and_the_note_are_not_told() {
        let case = case(json!({
            "note": "MARK-NOTE",
            "category": "MARK-CATEGORY",
            "tool": "run_shell_command",
            "input": { "command": "trellis build" },
        }));
        let prompt = Question::of(&case, &settings()).unwrap().prompt.unwrap();
        for text in [prompt.system, prompt.content] {
            assert!(!text.contains("MARK"), "{text}");
        }
    }

    #[test]
    fn texts_and_calls_stand_in_their_order() {
        let earlier = |command: &str, after: usize| {
            json!({
                "tool": "run_shell_command",
                "input": { "command": command },
                "outcome": "denied",
                "after": after,
            })
        };
        let content = content(&case(json!({
            "tool": "run_shell_command",
            "input": { "command": "MARK-5" },
            "user": ["MARK-1", "MARK-3"],
            "earlier": [earlier("MARK-2", 1), earlier("MARK-4", 2)],
        })));
        let places: Vec<usize> = (1..=5)
            .map(|number| content.find(&format!("MARK-{number}")).unwrap())
            .collect();
        assert!(places.is_sorted(), "{places:?} in {content}");
    }

    #[test]
    fn arguments_of_servers_are_told_only_where_the_case_forwards_them() {
        let fields = json!({ "tool": "mcp__chat__post", "input": { "text": "MARK" } });
        assert!(!content(&case(fields.clone())).contains("MARK"));
        let mut forwarded = fields;
        forwarded["forwardArguments"] = json!(["chat"]);
        assert!(content(&case(forwarded)).contains("MARK"));
    }

    #[test]
    fn the_digest_changes_with_everything_that_is_sent() {
        let case = case(json!({ "tool": "run_shell_command", "input": { "command": "x" } }));
        let prompt =
            |settings: &ClassifierSettings| Question::of(&case, settings).unwrap().asked.prompt;
        let first = prompt(&settings());
        let changes: [fn(&mut ClassifierSettings); 4] = [
            |settings| settings.base_url.push('x'),
            |settings| settings.provider = Provider::Gemini,
            |settings| settings.structured_output = StructuredOutput::Plain,
            |settings| settings.instruction_role = InstructionRole::User,
        ];
        for change in changes {
            let mut other = settings();
            change(&mut other);
            assert_ne!(prompt(&other), first);
        }
        let mut patient = settings();
        patient.stage1_ms = 9_000;
        assert_eq!(prompt(&patient), first, "a deadline changes no answer");
    }

    #[test]
    fn what_cannot_be_sent_whole_is_no_answer() {
        let long = case(json!({
            "tool": "run_shell_command",
            "input": { "command": "x".repeat(200_000) },
        }));
        let question = Question::of(&long, &settings()).unwrap();
        assert!(question.prompt.is_err());
        let verdict = Verdict::Unavailable(UnavailableReason::ContextOverflow);
        assert_eq!(
            question.outcome(&verdict),
            (Got::Unavailable, Some("context_overflow".to_owned()))
        );
    }

    #[test]
    fn an_allow_of_an_outside_write_that_was_cut_is_an_ask() {
        let write = |content: String| {
            let case = case(json!({
                "tool": "write_file",
                "input": { "file_path": "/home/dev/elsewhere/notes.txt", "content": content },
            }));
            Question::of(&case, &settings())
                .unwrap()
                .outcome(&Verdict::Allow)
        };
        assert_eq!(write("short".to_owned()).0, Got::Allow);
        let (got, reason) = write("x".repeat(10_000));
        assert_eq!(got, Got::Ask);
        assert!(reason.unwrap().contains("not shown"));
    }
}
