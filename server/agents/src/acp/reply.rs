//! The answer to a proxy, in the frame that hooks get theirs in.

use serde::{Deserialize, Serialize};

use crate::encode::{Answer, HookOutput};

/// How a server answers a proxy.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
enum Reply {
    None,
    Allow { message: String },
    Ask { message: String },
    Block { message: String },
}

/// The answer for a proxy.
#[must_use]
pub fn encode(answer: &Answer) -> HookOutput {
    let reply = match answer {
        Answer::NoOpinion => Reply::None,
        Answer::Allow { note } => Reply::Allow {
            message: note.clone(),
        },
        Answer::Ask { message } => Reply::Ask {
            message: message.clone(),
        },
        Answer::Block { message } => Reply::Block {
            message: message.clone(),
        },
    };
    HookOutput {
        stdout: serde_json::to_vec(&reply).unwrap_or_default(),
        stderr: Vec::new(),
        exit: 0,
    }
}

/// What a proxy was answered. Everything that is no answer is a block.
#[must_use]
pub fn answer(output: &HookOutput) -> Answer {
    let reply = (output.exit == 0)
        .then(|| serde_json::from_slice(&output.stdout).ok())
        .flatten();
    match reply {
        Some(Reply::None) => Answer::NoOpinion,
        Some(Reply::Allow { message }) => Answer::Allow { note: message },
        Some(Reply::Ask { message }) => Answer::Ask { message },
        Some(Reply::Block { message }) => Answer::Block { message },
        None => {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.trim();
            Answer::Block {
                message: if said.is_empty() {
                    "Countersign: the server gave no answer; restart the editor".to_owned()
                } else {
                    said.to_owned()
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_arrive_as_they_were_given() {
        let text = || "why".to_owned();
        for given in [
            Answer::NoOpinion,
            Answer::Allow { note: text() },
            Answer::Ask { message: text() },
            Answer::Block { message: text() },
        ] {
            assert_eq!(answer(&encode(&given)), given);
        }
    }

    #[test]
    fn what_is_no_answer_is_a_block() {
        let allow = br#"{"decision":"allow","message":""}"#.to_vec();
        for (stdout, stderr, exit) in [
            (allow, "no", 2),
            (b"".to_vec(), "", 0),
            (b"{}".to_vec(), "", 0),
            (br#"{"decision":"permit","message":""}"#.to_vec(), "", 0),
        ] {
            let output = HookOutput {
                stdout,
                stderr: stderr.as_bytes().to_vec(),
                exit,
            };
            assert!(matches!(answer(&output), Answer::Block { .. }));
        }
    }
}
