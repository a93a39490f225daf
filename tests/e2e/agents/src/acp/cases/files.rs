//! What the client reads and writes for the agent: decided like any other call,
//! and nobody is asked twice. The files are there before: Gemini CLI makes no new
//! ones through a client, whatever that answers.

use std::fs;

use camino::Utf8PathBuf;
use serde_json::json;

use super::{CONTAINED, PROTECTED, auto};
use crate::acp::agents::AcpAgent;
use crate::acp::client::Client;
use crate::model::Script;
use crate::world::World;

/// A file that a rule keeps secret, and what is in it.
const SECRET: (&str, &str) = ("ledger.txt", "the cellar key is under the third vine\n");

const BEFORE: &str = "rows: []\n";
const AFTER: &str = "rows: [vines]\n";

fn put(world: &World, file: &str, text: &str) -> Utf8PathBuf {
    let path = world.workspace().join(file);
    fs::write(&path, text).expect("a file");
    path
}

#[track_caller]
fn assert_holds(path: &Utf8PathBuf, text: &str, client: &Client) {
    let now = fs::read_to_string(path).expect("a file");
    assert_eq!(now, text, "{}", client.told());
}

/// Reads a file and writes it: agents know what they write over.
fn rewrite(agent: &AcpAgent, path: &Utf8PathBuf) -> Script {
    Script::new([agent.read(path), agent.agent.write(path, AFTER)])
}

pub(super) fn edited(agent: &AcpAgent) {
    let world = World::new(&auto());
    let path = put(&world, CONTAINED.1, BEFORE);
    let mut client = Client::behind_proxy(agent, &world, rewrite(agent, &path));
    let turn = client.prompt();
    if !agent.shows_input {
        let question = client.question(CONTAINED.1);
        assert_holds(&path, BEFORE, &client);
        client.answer(&question, "allow_once");
    }
    client.end_of(turn);
    assert_holds(&path, AFTER, &client);
    assert_eq!(client.writes_of(CONTAINED.1), 1, "{}", client.told());
    let questions = usize::from(!agent.shows_input);
    assert_eq!(client.questions(), questions, "{}", client.told());
    client.assert_not_told("UNGUARDED");
}

pub(super) fn asked_once(agent: &AcpAgent) {
    for (answer, after, writes) in [("allow_once", AFTER, 1), ("reject_once", BEFORE, 0)] {
        let world = World::new(&auto());
        let path = put(&world, PROTECTED, BEFORE);
        let mut client = Client::behind_proxy(agent, &world, rewrite(agent, &path));
        let turn = client.prompt();
        let question = client.question(PROTECTED);
        assert_holds(&path, BEFORE, &client);
        client.answer(&question, answer);
        client.end_of(turn);
        assert_holds(&path, after, &client);
        assert_eq!(client.writes_of(PROTECTED), writes, "{}", client.told());
        assert_eq!(client.questions(), 1, "{}", client.told());
        client.assert_not_told("UNGUARDED");
    }
}

/// Where the tool that reads does so itself, an edit still has the client read.
pub(super) fn secret(agent: &AcpAgent) {
    for (is_denied, is_guarded) in [(true, false), (false, true), (true, true)] {
        let mut settings = auto();
        if is_denied {
            settings["permissions"]["deny"] = json!([format!("Read({})", SECRET.0)]);
        }
        let world = World::new(&settings);
        let path = put(&world, SECRET.0, SECRET.1);
        let script = Script::new([if agent.reads_through_client {
            agent.read(&path)
        } else {
            agent.agent.write(&path, AFTER)
        }]);
        let mut client = if is_guarded {
            Client::behind_proxy(agent, &world, script)
        } else {
            Client::alone(agent, &world, script)
        };
        let turn = client.prompt();
        let is_read = !(is_denied && is_guarded);
        if is_read && !agent.reads_through_client {
            let question = client.question(SECRET.0);
            client.answer(&question, "reject_once");
        }
        client.end_of(turn);
        assert_eq!(client.reads_of(SECRET.0) > 0, is_read, "{}", client.told());
        assert_holds(&path, SECRET.1, &client);
        if is_read && !agent.reads_through_client {
            continue;
        }
        let told = client.model.results();
        assert!(!told.is_empty(), "{}", client.told());
        let knows = told
            .iter()
            .any(|result| result.text.contains(SECRET.1.trim_end()));
        assert_eq!(knows, is_read, "{}", client.told());
        client.assert_not_asked();
    }
}
