//! The agents that speak the protocol themselves.

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::agent::AgentUnderTest;
use crate::agents::{Gemini, Opencode, Qwen, opencode};
use crate::model::ToolCall;
use crate::surroundings::program;
use crate::world::World;

/// An agent that speaks the protocol.
#[derive(Clone, Copy)]
pub struct AcpAgent {
    /// How it is without the protocol.
    pub agent: &'static dyn AgentUnderTest,
    /// What its tests are called by.
    pub title: &'static str,
    words: &'static [&'static str],
    /// Whether it shows the input of what it asks about. If not, a person is
    /// asked about everything that is not denied.
    pub shows_input: bool,
    /// Its own mode in which it asks, where it does not begin in that.
    pub asking_mode: Option<&'static str>,
    /// Its own mode in which it does not ask, if it has one.
    pub loose_mode: Option<&'static str>,
    /// Its mode in which it does not ask, if that is a configuration option too.
    pub loose_option: Option<&'static str>,
    /// The mode in which its sessions begin, where settings say that.
    begins_in: Option<&'static str>,
    /// Whether the client says that it reads and writes files for the agent.
    pub has_files: bool,
    /// Whether its tool that reads has the client do it; else only its edits do.
    pub reads_through_client: bool,
    /// How often it has the client write a file that it may write. opencode
    /// does whatever the client says, and writes it itself as well.
    pub client_writes: usize,
}

/// The option that is an agent's mode.
pub(super) const MODE: &str = "mode";

/// A mode of the user's own in opencode, in which it does not ask, as its name says.
const LOOSE: &str = "yolo";

/// One whose name says nothing.
pub(super) const SILENTLY_LOOSE: &str = "orchardist";

const QWEN: AcpAgent = AcpAgent {
    agent: &Qwen,
    title: "qwen",
    words: &["qwen", "--acp"],
    shows_input: true,
    asking_mode: Some("default"),
    loose_mode: Some("yolo"),
    loose_option: Some("yolo"),
    begins_in: None,
    has_files: true,
    reads_through_client: true,
    client_writes: 1,
};

const GEMINI: AcpAgent = AcpAgent {
    agent: &Gemini,
    title: "gemini",
    words: &["gemini", "--acp", "--model", "gemini-2.5-flash"],
    shows_input: false,
    asking_mode: None,
    loose_mode: Some("yolo"),
    loose_option: None,
    begins_in: None,
    has_files: false,
    reads_through_client: false,
    client_writes: 0,
};

const OPENCODE: AcpAgent = AcpAgent {
    agent: &Opencode,
    title: "opencode",
    words: &["opencode", "acp"],
    shows_input: true,
    asking_mode: None,
    loose_mode: None,
    loose_option: Some(LOOSE),
    begins_in: None,
    has_files: false,
    reads_through_client: false,
    client_writes: 1,
};

/// Every one.
pub(super) const ALL: [AcpAgent; 3] = [QWEN, GEMINI, OPENCODE];

/// Those of which the client reads and writes the files.
pub(super) const WITH_FILES: [AcpAgent; 2] = [
    QWEN,
    AcpAgent {
        title: "gemini-with-files",
        has_files: true,
        client_writes: 1,
        ..GEMINI
    },
];

/// One whose sessions begin in a mode in which it does not ask.
pub(super) const BEGINS_LOOSE: AcpAgent = AcpAgent {
    begins_in: Some(LOOSE),
    ..OPENCODE
};

impl AcpAgent {
    /// Its command line.
    pub(super) fn words(&self) -> Vec<String> {
        let (name, rest) = self.words.split_first().expect("a program");
        let rest = rest.iter().map(|word| (*word).to_owned());
        [program(name).into_string()]
            .into_iter()
            .chain(rest)
            .collect()
    }

    /// Its variables.
    pub(super) fn environment(&self, world: &World, model: &str) -> Vec<(String, String)> {
        if self.agent.name() == "opencode" {
            let mut more = vec![("agent", modes_of_opencode())];
            more.extend(self.begins_in.map(|mode| ("default_agent", json!(mode))));
            return opencode::environment(world, model, "ask", &more);
        }
        self.agent.launch(world, model).environment
    }

    /// The call of the tool that reads a file, of [`WITH_FILES`].
    pub(super) fn read(&self, file: &Utf8Path) -> ToolCall {
        ToolCall::new("read_file", json!({ "file_path": file }))
    }
}

/// Modes that a user adds to those that opencode has, and in which it asks nobody.
fn modes_of_opencode() -> Value {
    let mode = json!({
        "mode": "primary",
        "description": "does what it likes",
        "permission": { "bash": "allow", "edit": "allow", "external_directory": "allow" },
    });
    json!({ LOOSE: mode, SILENTLY_LOOSE: mode })
}
