//! The agents that speak the protocol themselves.

use crate::agent::AgentUnderTest;
use crate::agents::{Gemini, Opencode, Qwen, opencode};
use crate::surroundings::program;
use crate::world::World;

/// An agent that speaks the protocol.
#[derive(Clone, Copy)]
pub struct AcpAgent {
    /// How it is without the protocol.
    pub agent: &'static dyn AgentUnderTest,
    words: &'static [&'static str],
    /// Whether it shows the input of what it asks about. If not, a person is
    /// asked about everything that is not denied.
    pub shows_input: bool,
    /// Its own mode in which it asks, where it does not begin in that.
    pub asking_mode: Option<&'static str>,
    /// Its own mode in which it does not ask, if it has one.
    pub loose_mode: Option<&'static str>,
    /// Whether the client says that it reads and writes files for the agent.
    pub has_files: bool,
    /// How often it has the client write a file that it may write. opencode
    /// does whatever the client says, and writes it itself as well.
    pub client_writes: usize,
}

/// Every one.
pub(super) const ALL: [AcpAgent; 3] = [
    AcpAgent {
        agent: &Qwen,
        words: &["qwen", "--acp"],
        shows_input: true,
        asking_mode: Some("default"),
        loose_mode: Some("yolo"),
        has_files: true,
        client_writes: 1,
    },
    AcpAgent {
        agent: &Gemini,
        words: &["gemini", "--acp", "--model", "gemini-2.5-flash"],
        shows_input: false,
        asking_mode: None,
        loose_mode: Some("yolo"),
        has_files: false,
        client_writes: 0,
    },
    AcpAgent {
        agent: &Opencode,
        words: &["opencode", "acp"],
        shows_input: true,
        asking_mode: None,
        loose_mode: None,
        has_files: false,
        client_writes: 1,
    },
];

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
            return opencode::environment(world, model, "ask");
        }
        self.agent.launch(world, model).environment
    }
}
