//! Journal rows as they are kept: masked and bounded, whoever appends them.

use std::borrow::Cow;

use countersign_core::model::Stage;
use countersign_core::redact;
use countersign_core::state::Record;

use crate::chain::Columns;

/// Longest subject, in bytes.
const SUBJECT: usize = 16 * 1024;

/// Longest detail, in bytes.
const DETAIL: usize = 4 * 1024;

/// Most effects, and the longest, in characters.
const EFFECTS: usize = 64;
const EFFECT: usize = 300;

/// Longest name or id, in bytes.
const NAME: usize = 1024;

/// How much more than is kept is looked through for secrets, so that a secret
/// at the cut is seen whole.
const LOOKED_AT: usize = 4;

/// A row as it is written: all but its number and hash, which it gets there.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) columns: Columns,
    /// The record in JSON.
    pub(crate) body: String,
}

impl Row {
    /// The row of a record, masked and bounded.
    pub(crate) fn of(record: &Record) -> Result<Self, serde_json::Error> {
        let record = kept(record);
        Ok(Self {
            columns: Columns::of(&record),
            body: serde_json::to_string(&record)?,
        })
    }
}

/// The record as it is kept.
pub(crate) fn kept(record: &Record) -> Record {
    let mut kept = record.clone();
    if let Some(key) = &mut kept.key {
        name(Some(&mut key.session));
        name(key.subagent.as_mut());
    }
    for text in [
        &mut kept.call,
        &mut kept.agent_call,
        &mut kept.tool,
        &mut kept.decision,
        &mut kept.reason,
        &mut kept.source,
    ] {
        name(text.as_mut());
    }
    if let Some(workspace) = &mut kept.workspace {
        let mut text = workspace.as_str().to_owned();
        name(Some(&mut text));
        *workspace = text.into();
    }
    if let Some(model) = &mut kept.model {
        for text in [
            &mut model.stage,
            &mut model.model,
            &mut model.request_id,
            &mut model.message_id,
            &mut model.provider,
        ] {
            name(text.as_mut());
        }
        model.stages.truncate(Stage::ALL.len());
        for stage in &mut model.stages {
            name(stage.request_id.as_mut());
            name(stage.message_id.as_mut());
        }
        model.problem = model.problem.take().map(|text| masked(&text, NAME));
    }
    kept.detail = kept.detail.map(|text| masked(&text, DETAIL));
    kept.subject = kept.subject.map(|text| masked(&text, SUBJECT));
    kept.effects = effects(&kept.effects);
    kept
}

fn name(text: Option<&mut String>) {
    if let Some(text) = text
        && let Cow::Owned(bounded) = redact::bounded(text, NAME)
    {
        *text = bounded;
    }
}

fn masked(text: &str, most: usize) -> String {
    let looked_at = redact::bounded(text, most * LOOKED_AT);
    redact::bounded(&redact::mask(&looked_at), most).into_owned()
}

fn effects(effects: &[String]) -> Vec<String> {
    let fit = if effects.len() > EFFECTS {
        EFFECTS - 1
    } else {
        EFFECTS
    };
    let mut kept: Vec<String> = effects.iter().take(fit).map(|text| effect(text)).collect();
    let more = effects.len().saturating_sub(fit);
    if more > 0 {
        kept.push(format!("… and {more} more"));
    }
    kept
}

fn effect(text: &str) -> String {
    let text = masked(text, EFFECT * 4);
    if text.chars().nth(EFFECT).is_none() {
        return text;
    }
    text.chars().take(EFFECT - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use countersign_core::model::{ModelRecord, StageRecord, StageVerdict};
    use countersign_core::state::RecordKind;
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn record(subject: &str) -> Record {
        serde_json::from_value(serde_json::json!({
            "time": 1, "kind": "decision", "subject": subject
        }))
        .unwrap()
    }

    #[test]
    fn texts_are_cut_with_a_mark() {
        let mut long = record(&"ü".repeat(20_000));
        long.detail = Some("d".repeat(5000));
        long.effects = vec!["e".repeat(400); 70];
        long.kind = RecordKind::Problem;
        let kept = kept(&long);
        let subject = kept.subject.unwrap();
        assert!(
            subject.len() <= SUBJECT && subject.ends_with("more bytes]"),
            "{}",
            subject.len()
        );
        let detail = kept.detail.unwrap();
        assert!(detail.len() <= DETAIL && detail.ends_with("more bytes]"));
        assert_eq!(kept.effects.len(), EFFECTS);
        assert_eq!(kept.effects.last().unwrap(), "… and 7 more");
        assert_eq!(kept.effects.first().unwrap().chars().count(), EFFECT);
    }

    #[test]
    fn what_an_endpoint_says_of_itself_is_bounded_and_masked() {
        let mut judged = record("x");
        let id = Some("i".repeat(5000));
        let stage = StageRecord {
            stage: Stage::Fast,
            verdict: StageVerdict::Block,
            millis: 1,
            attempts: 1,
            request_id: id.clone(),
            message_id: id.clone(),
            input_tokens: None,
            cached_tokens: None,
            output_tokens: None,
        };
        judged.model = Some(ModelRecord {
            provider: id,
            stages: vec![stage; 9],
            problem: Some("no answer to ghp_aB3dE6gH9aB3dE6gH9aB3dE6gH9aB3dE6gH9".to_owned()),
            ..ModelRecord::default()
        });
        let model = kept(&judged).model.unwrap();
        assert!(model.provider.unwrap().len() <= NAME);
        assert_eq!(model.stages.len(), 2);
        assert!(model.stages[0].request_id.as_ref().unwrap().len() <= NAME);
        assert!(!model.problem.unwrap().contains("aB3"));
    }

    #[test]
    fn secrets_at_the_cut_are_masked() {
        let secret = "ghp_aB3dE6gH9aB3dE6gH9aB3dE6gH9aB3dE6gH9";
        for before in SUBJECT - 60..SUBJECT {
            let kept = kept(&record(&format!(
                "{} {secret} {}",
                "x".repeat(before),
                "y".repeat(100)
            )));
            assert!(!kept.subject.unwrap().contains("aB3"), "{before}");
        }
    }

    proptest! {
        #[test]
        fn keeping_twice_is_keeping_once(subject in any::<String>(), effects in prop::collection::vec("\\PC{0,400}", 0..70)) {
            let mut given = record(&subject);
            given.effects = effects;
            let once = kept(&given);
            prop_assert_eq!(&kept(&once), &once);
        }
    }
}
