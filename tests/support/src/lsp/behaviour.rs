//! What editors do with a request of the server: the habits of real ones, and
//! of some that are worse.

use serde_json::{Value, json};

use super::connection::Connection;

/// The method of a prompt of the protocol.
pub const PROMPT: &str = "window/showMessageRequest";

/// The code of an error about a method that is not there.
const METHOD_NOT_FOUND: i64 = -32601;

/// How an editor treats requests of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// Leaves them open, as VS Code does with a toast that fades. The test may
    /// answer late.
    NeverAnswers,
    /// Answers null, as eglot does to any request that it does not know.
    AnswersNull,
    /// Does not know the method, as Helix 25.07 does not know prompts.
    HasNoMethod,
    /// Chooses the button of this title.
    Chooses(String),
    /// Chooses the button of this title, two times over.
    AnswersTwice(String),
    /// Sends 500 changes of a document before it chooses the button of this
    /// title.
    FloodsAndChooses(String),
    /// Goes away without a word.
    Dies,
}

impl Behaviour {
    pub(super) fn act(&self, connection: &Connection, id: &Value) {
        match self {
            Self::NeverAnswers => {}
            Self::AnswersNull => connection.answer(id, Value::Null),
            Self::HasNoMethod => {
                connection.answer_error(id, METHOD_NOT_FOUND, "method not found");
            }
            Self::Chooses(title) => connection.answer(id, json!({ "title": title })),
            Self::AnswersTwice(title) => {
                connection.answer(id, json!({ "title": title }));
                connection.answer(id, json!({ "title": title }));
            }
            Self::FloodsAndChooses(title) => {
                connection.flood("file:///flood", 500);
                connection.answer(id, json!({ "title": title }));
            }
            Self::Dies => connection.die(),
        }
    }
}
