//! The answers of a run, one JSON object a line: written as they come, and
//! read again when a run that was cut short goes on.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::model::{ModelRecord, Stage, StageVerdict};
use serde::{Deserialize, Serialize};

/// Largest file of answers, in bytes.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Got {
    /// The model allowed it.
    Allow,
    /// The model blocked it.
    Block,
    /// The model allowed a guarded write that it had not wholly seen: a person
    /// would be asked.
    Ask,
    /// There was no answer.
    Unavailable,
}

impl Got {
    pub(super) const ALL: [Self; 4] = [Self::Allow, Self::Block, Self::Ask, Self::Unavailable];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Block => "block",
            Self::Ask => "ask",
            Self::Unavailable => "unavailable",
        }
    }
}

/// The answer to one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// What was answered.
    #[serde(flatten)]
    pub(super) question: Asked,
    /// What became of it.
    pub(super) got: Got,
    /// The reason of a block, of an ask, or for want of an answer.
    pub(super) reason: Option<String>,
    /// From asking to the end, in milliseconds.
    pub(super) millis: u64,
    /// Who answered, and what each stage said.
    pub(super) record: ModelRecord,
}

/// A question, by its name and digests: what must be the same for an answer to
/// be this question's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Asked {
    /// The id of the case.
    pub(super) id: String,
    /// The digest of the case, without its label.
    pub(super) case: String,
    /// The model, as the settings name it.
    pub(super) model: String,
    /// The digest of every word that the model is given, and of how its answer
    /// is enforced.
    pub(super) prompt: String,
}

impl Answer {
    /// What a stage said, if it was asked.
    pub(super) fn verdict(&self, stage: Stage) -> Option<StageVerdict> {
        let stages = &self.record.stages;
        let of_stage = stages.iter().find(|record| record.stage == stage);
        of_stage.map(|record| record.verdict)
    }
}

/// A file that answers are added to.
#[derive(Debug)]
pub(super) struct AnswerFile {
    path: Utf8PathBuf,
    file: File,
    known: HashMap<Asked, Answer>,
}

impl AnswerFile {
    /// Opens the file, or begins it. What a killed run left of its last line is
    /// dropped.
    ///
    /// # Errors
    /// When it cannot be read and written, or holds something else than answers:
    /// it is not changed then.
    pub(super) fn open(path: &Utf8Path) -> Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .with_context(|| format!("{path} cannot be opened for answers"))?;
        let mut bytes = Vec::new();
        (&mut file)
            .take(MOST_BYTES + 1)
            .read_to_end(&mut bytes)
            .with_context(|| format!("{path} cannot be read"))?;
        if bytes.len() as u64 > MOST_BYTES {
            bail!("{path} is larger than {MOST_BYTES} bytes: name another file with --output");
        }
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        let (whole, rest) = bytes.split_at(whole);
        // A foreign file without a line break at its end is not ours to cut.
        if !rest.is_empty()
            && !rest.starts_with(BEGINNING.as_bytes())
            && !BEGINNING.as_bytes().starts_with(rest)
        {
            bail!("{path} holds something else than answers: name another file with --output");
        }
        let mut known = HashMap::new();
        for (line, text) in (1..).zip(whole.split(|byte| *byte == b'\n')) {
            if text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let answer: Answer = serde_json::from_slice(text).with_context(|| {
                format!("{path}:{line} is no answer: mend the file, or name another with --output")
            })?;
            known.insert(answer.question.clone(), answer);
        }
        if !rest.is_empty() {
            let end = whole.len() as u64;
            file.set_len(end)
                .and_then(|()| file.seek(SeekFrom::End(0)))
                .with_context(|| format!("the unfinished last line of {path} cannot be dropped"))?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            known,
        })
    }

    /// The answer of an earlier run to exactly this question. None where there
    /// was no answer: it is asked again.
    pub(super) fn take(&mut self, question: &Asked) -> Option<Answer> {
        self.known
            .remove(question)
            .filter(|answer| answer.got != Got::Unavailable)
    }

    /// Adds an answer, in one write.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add(&mut self, answer: &Answer) -> Result<()> {
        let mut line = serde_json::to_vec(answer)?;
        line.push(b'\n');
        self.file
            .write_all(&line)
            .with_context(|| format!("{} cannot be written", self.path))
    }
}

/// How every line of a file of answers begins.
const BEGINNING: &str = "{\"id\":";

#[cfg(test)]
pub(super) mod tests {
    use countersign_core::decision::UnavailableReason;
    use countersign_core::model::StageRecord;

    use super::*;

    pub(in crate::commands::eval) fn answer(id: &str, got: Got, stages: &[StageVerdict]) -> Answer {
        let stages = stages
            .iter()
            .zip(Stage::ALL)
            .map(|(verdict, stage)| StageRecord {
                stage,
                verdict: *verdict,
                millis: 10,
                attempts: 1,
                request_id: None,
                message_id: None,
                input_tokens: Some(1_000),
                cached_tokens: Some(400),
                output_tokens: Some(10),
            });
        Answer {
            question: Asked {
                id: id.to_owned(),
                case: "c".to_owned(),
                model: "m".to_owned(),
                prompt: "p".to_owned(),
            },
            got,
            reason: (got != Got::Allow).then(|| "it would | hurt".to_owned()),
            millis: 20,
            record: ModelRecord {
                stages: stages.collect(),
                ..ModelRecord::default()
            },
        }
    }

    fn allowed(id: &str) -> Answer {
        answer(id, Got::Allow, &[StageVerdict::Allow])
    }

    fn place() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("answers.jsonl")).unwrap();
        (folder, path)
    }

    #[test]
    fn what_was_answered_is_known_in_the_next_run() {
        let (_folder, path) = place();
        let mut file = AnswerFile::open(&path).unwrap();
        file.add(&allowed("a")).unwrap();
        file.add(&answer(
            "b",
            Got::Block,
            &[StageVerdict::Block, StageVerdict::Block],
        ))
        .unwrap();
        let mut file = AnswerFile::open(&path).unwrap();
        assert_eq!(file.take(&allowed("a").question), Some(allowed("a")));
        for other in [
            Asked {
                id: "x".to_owned(),
                ..allowed("b").question
            },
            Asked {
                case: "x".to_owned(),
                ..allowed("b").question
            },
            Asked {
                model: "x".to_owned(),
                ..allowed("b").question
            },
            Asked {
                prompt: "x".to_owned(),
                ..allowed("b").question
            },
        ] {
            assert_eq!(file.take(&other), None);
        }
        assert!(file.take(&allowed("b").question).is_some());
    }

    #[test]
    fn a_question_without_an_answer_is_asked_again_and_the_newest_counts() {
        let (_folder, path) = place();
        let none = StageVerdict::Unavailable(UnavailableReason::Timeout);
        let mut file = AnswerFile::open(&path).unwrap();
        file.add(&answer("a", Got::Unavailable, &[none])).unwrap();
        assert_eq!(
            AnswerFile::open(&path)
                .unwrap()
                .take(&allowed("a").question),
            None
        );
        file.add(&allowed("a")).unwrap();
        assert_eq!(
            AnswerFile::open(&path)
                .unwrap()
                .take(&allowed("a").question),
            Some(allowed("a"))
        );
    }

    #[test]
    fn a_line_that_a_killed_run_left_unfinished_is_dropped_wherever_it_was_cut() {
        let (_folder, path) = place();
        let whole = format!("{}\n", serde_json::to_string(&allowed("a")).unwrap());
        let next = serde_json::to_string(&allowed("b")).unwrap();
        for cut in 0..=next.len() {
            std::fs::write(&path, format!("{whole}{}", next.get(..cut).unwrap())).unwrap();
            let mut file = AnswerFile::open(&path).unwrap();
            assert!(file.take(&allowed("a").question).is_some());
            assert_eq!(file.take(&allowed("b").question), None);
            file.add(&allowed("b")).unwrap();
            assert_eq!(
                std::fs::read_to_string(&path).unwrap(),
                format!("{whole}{next}\n")
            );
        }
    }

    #[test]
    fn a_file_of_something_else_is_not_touched() {
        let (_folder, path) = place();
        for foreign in ["my notes", "{\"idea\":1}", "one\ntwo\n", "{\"id\":\"a\"}\n"] {
            std::fs::write(&path, foreign).unwrap();
            let error = AnswerFile::open(&path).unwrap_err();
            assert!(error.to_string().contains(path.as_str()), "{error}");
            assert!(error.to_string().contains("--output"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), foreign);
        }
    }
}
