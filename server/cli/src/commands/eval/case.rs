//! Labelled calls: one JSON object a line, checked wholly before anything is
//! asked. The format is in `docs/eval.md`.

use std::collections::HashMap;
use std::io::Read as _;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use countersign_agents::{EditorCall, editor_call, editor_session};
use countersign_core::agent::Agent;
use countersign_core::call::{Call, Digest};
use countersign_core::redact::is_deceptive;
use countersign_core::transcript::Fate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Largest file of cases, in bytes.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Most cases of a file.
const MOST_CASES: usize = 100_000;

/// Most steps before a call: user texts, and earlier calls.
const MOST_STEPS: usize = 1_000;

/// Longest id and category, in characters.
const MOST_NAME: usize = 100;

/// The limits that settings have for hints and facts about the surroundings:
/// a case beyond them would measure what no session can be told.
const MOST_SENTENCE: usize = 200;
const MOST_HINTS: usize = 50;
const MOST_ENVIRONMENT: usize = 20;

/// Where a case's call is made if it does not say. Nothing needs to be there.
pub(super) const FOLDER: &str = "/home/dev/project";

/// What should become of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Expect {
    /// It is harmless, or what the user asked for.
    Allow,
    /// It should not run.
    Block,
}

impl Expect {
    pub(super) const ALL: [Self; 2] = [Self::Allow, Self::Block];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Block => "block",
        }
    }
}

/// One line of a file of cases.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) category: String,
    pub(super) expect: Expect,
    #[serde(default)]
    pub(super) note: Option<String>,
    #[serde(default = "generic")]
    pub(super) agent: Agent,
    #[serde(default = "folder")]
    pub(super) cwd: Utf8PathBuf,
    pub(super) tool: String,
    pub(super) input: Value,
    #[serde(default)]
    pub(super) user: Vec<String>,
    #[serde(default)]
    pub(super) earlier: Vec<Earlier>,
    #[serde(default)]
    pub(super) hints: CaseHints,
    #[serde(default)]
    pub(super) environment: Vec<String>,
    #[serde(default)]
    pub(super) forward_arguments: Vec<String>,
}

/// A call before the one that is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Earlier {
    pub(super) tool: String,
    pub(super) input: Value,
    pub(super) outcome: Outcome,
    /// How many of the user's texts stand before it; all of them, if it does
    /// not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<usize>,
}

/// What became of an earlier call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Allowed,
    Approved,
    Denied,
    Rejected,
    Asked,
}

impl Outcome {
    pub(super) const fn fate(self) -> Fate {
        match self {
            Self::Allowed => Fate::Allowed,
            Self::Approved => Fate::Approved,
            Self::Denied => Fate::Denied,
            Self::Rejected => Fate::Rejected,
            Self::Asked => Fate::Asked,
        }
    }
}

/// A case's hints. Those of the settings are not used: a file of cases gives
/// the same questions everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct CaseHints {
    pub(super) allow: Vec<String>,
    pub(super) soft_deny: Vec<String>,
    pub(super) hard_deny: Vec<String>,
}

fn generic() -> Agent {
    Agent::Generic
}

fn folder() -> Utf8PathBuf {
    Utf8PathBuf::from(FOLDER)
}

/// Every case of a file.
///
/// # Errors
/// When the file cannot be read, or any line of it is no case: the error names
/// file and line, and nothing has been asked then.
pub(super) fn read(file: &Utf8Path) -> Result<Vec<Case>> {
    let mut text = String::new();
    let opened = std::fs::File::open(file).with_context(|| format!("{file} cannot be read"))?;
    opened
        .take(MOST_BYTES + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("{file} cannot be read"))?;
    if text.len() as u64 > MOST_BYTES {
        bail!("{file} is larger than {MOST_BYTES} bytes: split it");
    }
    parse(&text, file)
}

fn parse(text: &str, file: &Utf8Path) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let mut lines = HashMap::new();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        let place = || format!("{file}:{line}");
        let case: Case =
            serde_json::from_str(text).with_context(|| format!("{} is no case", place()))?;
        case.check().with_context(place)?;
        if let Some(first) = lines.insert(case.id.clone(), line) {
            bail!(
                "{}: the id `{}` stands in line {first} already",
                place(),
                case.id
            );
        }
        cases.push(case);
        if cases.len() > MOST_CASES {
            bail!("{file} has more than {MOST_CASES} cases: split it");
        }
    }
    if cases.is_empty() {
        bail!("{file} has no cases: each line is one, as docs/eval.md says");
    }
    Ok(cases)
}

impl Case {
    fn check(&self) -> Result<()> {
        for (what, name) in [("id", &self.id), ("category", &self.category)] {
            let is_plain = !name.is_empty()
                && name.chars().count() <= MOST_NAME
                && !name.chars().any(|c| c.is_control() || is_deceptive(c));
            if !is_plain {
                bail!("`{what}` must be one line of 1 to {MOST_NAME} plain characters");
            }
        }
        if self.user.len() + self.earlier.len() > MOST_STEPS {
            bail!("`user` and `earlier` have more than {MOST_STEPS} entries");
        }
        let hints = &self.hints;
        let denying = hints.soft_deny.len() + hints.hard_deny.len();
        if hints.allow.len() > MOST_HINTS || denying > MOST_HINTS {
            bail!("`hints` has more than {MOST_HINTS} entries in a list");
        }
        if self.environment.len() > MOST_ENVIRONMENT {
            bail!("`environment` has more than {MOST_ENVIRONMENT} entries");
        }
        let lists = [
            &hints.allow,
            &hints.soft_deny,
            &hints.hard_deny,
            &self.environment,
        ];
        for sentence in lists.into_iter().flatten() {
            if sentence.chars().count() > MOST_SENTENCE {
                bail!(
                    "a hint or fact about the surroundings has more than {MOST_SENTENCE} characters"
                );
            }
        }
        let mut before = 0;
        for earlier in &self.earlier {
            let after = earlier.after.unwrap_or(self.user.len());
            if after > self.user.len() {
                bail!(
                    "an earlier call comes `after` {after} user texts, and there are {}",
                    self.user.len()
                );
            }
            if after < before {
                bail!("earlier calls must be in order: `after` goes back from {before} to {after}");
            }
            before = after;
        }
        self.call().context("the call is not understood")?;
        for earlier in 0..self.earlier.len() {
            self.earlier_call(earlier)
                .with_context(|| format!("earlier call {} is not understood", earlier + 1))?;
        }
        Ok(())
    }

    /// The call that is judged.
    pub(super) fn call(&self) -> Result<Call> {
        self.decode(&self.tool, &self.input)
    }

    /// One of the calls before it, counted from 0.
    pub(super) fn earlier_call(&self, index: usize) -> Result<Call> {
        let earlier = self.earlier.get(index).context("there is no such call")?;
        self.decode(&earlier.tool, &earlier.input)
    }

    /// A call in the canonical words, whoever the agent is.
    fn decode(&self, tool: &str, input: &Value) -> Result<Call> {
        let key = editor_session(Agent::Generic, "eval", None)?;
        Ok(editor_call(&EditorCall {
            key: &key,
            id: "call",
            cwd: self.cwd.as_str(),
            tool,
            input,
            plan_mode: false,
        })?)
    }

    /// What tells whether an earlier answer is still about this case: all but
    /// its name and label.
    pub(super) fn digest(&self) -> Digest {
        let asked = serde_json::json!([
            self.agent,
            self.cwd,
            self.tool,
            self.input,
            self.user,
            self.earlier,
            self.hints,
            self.environment,
            self.forward_arguments,
        ]);
        Digest::of_parts([asked.to_string().as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line() -> Value {
        json!({
            "id": "build",
            "category": "allow",
            "expect": "allow",
            "tool": "run_shell_command",
            "input": { "command": "cargo build" },
        })
    }

    fn with(key: &str, value: Value) -> Value {
        let mut line = line();
        line.as_object_mut().unwrap().insert(key.to_owned(), value);
        line
    }

    fn parsed(lines: &[Value]) -> Result<Vec<Case>> {
        let text: String = lines.iter().map(|line| format!("{line}\n\n")).collect();
        parse(&text, Utf8Path::new("cases.jsonl"))
    }

    #[test]
    fn what_a_case_does_not_say_is_nothing() {
        let cases = parsed(&[line()]).unwrap();
        let case = &cases[0];
        assert_eq!(case.agent, Agent::Generic);
        assert_eq!(case.cwd, FOLDER);
        assert!(case.user.is_empty() && case.earlier.is_empty() && case.environment.is_empty());
        assert_eq!(case.call().unwrap().cwd, FOLDER);
    }

    #[test]
    fn a_bad_line_is_named_with_its_place_and_reason() {
        let earlier = |after: Value| json!({ "tool": "read_file", "input": { "file_path": "a" }, "outcome": "allowed", "after": after });
        for (bad, part) in [
            (with("expect", json!("ask")), "ask"),
            (with("expcet", json!("allow")), "expcet"),
            (with("id", json!("")), "`id`"),
            (with("id", json!("a\nb")), "`id`"),
            (with("category", json!("x".repeat(101))), "`category`"),
            (with("input", json!({})), "command"),
            (with("cwd", json!("here")), "cwd"),
            (with("agent", json!("nobody")), "nobody"),
            (with("environment", json!(vec!["x"; 21])), "`environment`"),
            (
                with("environment", json!(["x".repeat(201)])),
                "200 characters",
            ),
            (with("hints", json!({ "allow": vec!["x"; 51] })), "`hints`"),
            (with("hints", json!({ "softly": [] })), "softly"),
            (with("user", json!(vec!["x"; 1001])), "1000 entries"),
            (with("earlier", json!([earlier(json!(1))])), "`after` 1"),
            (
                with(
                    "earlier",
                    json!([{ "tool": "edit", "input": {}, "outcome": "denied" }]),
                ),
                "earlier call 1",
            ),
            (
                with(
                    "earlier",
                    json!([{ "tool": "edit", "input": {}, "outcome": "lost" }]),
                ),
                "lost",
            ),
        ] {
            let error = format!("{:#}", parsed(&[line_of("first"), bad]).unwrap_err());
            assert!(error.starts_with("cases.jsonl:3"), "{error}");
            assert!(error.contains(part), "no `{part}` in {error}");
        }
        let twice = parsed(&[line(), line()]).unwrap_err().to_string();
        assert!(
            twice.contains("cases.jsonl:3") && twice.contains("line 1"),
            "{twice}"
        );
        assert!(parsed(&[]).unwrap_err().to_string().contains("no cases"));
    }

    fn line_of(id: &str) -> Value {
        with("id", json!(id))
    }

    #[test]
    fn earlier_calls_go_forward() {
        let earlier = |after: usize| json!({ "tool": "read_file", "input": { "file_path": "a" }, "outcome": "denied", "after": after });
        let case = |calls: Value| {
            let mut case = with("user", json!(["one", "two"]));
            case.as_object_mut()
                .unwrap()
                .insert("earlier".to_owned(), calls);
            parsed(&[case])
        };
        assert!(case(json!([earlier(1), earlier(2)])).is_ok());
        let error = case(json!([earlier(2), earlier(1)])).unwrap_err();
        assert!(format!("{error:#}").contains("in order"));
    }

    #[test]
    fn the_digest_is_of_what_is_asked_and_of_nothing_else() {
        let digest = |line: Value| parsed(&[line]).unwrap()[0].digest();
        let first = digest(line());
        for same in [
            with("id", json!("other")),
            with("expect", json!("block")),
            with("category", json!("other")),
            with("note", json!("why")),
        ] {
            assert_eq!(digest(same), first);
        }
        for other in [
            with("cwd", json!("/home/dev/other")),
            with("input", json!({ "command": "cargo test" })),
            with("user", json!(["build it"])),
            with("agent", json!("qwen")),
            with("environment", json!(["it is a toy"])),
            with("hints", json!({ "allow": ["builds"] })),
            with("forwardArguments", json!(["tickets"])),
        ] {
            assert_ne!(digest(other), first);
        }
    }
}
