//! An agent under test, and one run of it: it is started with a prompt, talks to
//! the scripted model, and ends by itself within the wall limit.

use std::time::Duration;

use camino::Utf8Path;

use crate::detached::{Detached, Launch};
use crate::model::{Model, Request, Script, ToolCall, ToolResult};
use crate::world::World;

/// What the user asks for; the model does what its script says.
pub const PROMPT: &str = "please do it";

/// The longest that a run may take. A run takes a few seconds; two cores may be
/// shared with a build.
const WALL: Duration = Duration::from_secs(90);

/// What the cases need to know of an agent.
pub trait AgentUnderTest: Sync {
    /// Its name in the guard.
    fn name(&self) -> &'static str;

    /// The call of its shell tool.
    fn shell(&self, command: &str) -> ToolCall;

    /// The call of the tool that writes a new file, named by its absolute path.
    fn write(&self, file: &Utf8Path, content: &str) -> ToolCall;

    /// Writes what the agent needs in its home to talk to this model and to
    /// nobody else. No hooks.
    fn settle(&self, world: &World, model: &str);

    /// Installs the guard's hooks beside that, which give up after this many
    /// seconds.
    fn install(&self, world: &World, timeout: u32);

    /// Starts it with the prompt in the world's workspace, without anybody before
    /// it, in its mode that runs every tool: only the guard is in between.
    fn launch(&self, world: &World, model: &str) -> Launch;
}

/// A run that goes on.
#[derive(Debug)]
pub struct Session {
    process: Detached,
    model: Model,
    agent: &'static str,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The results of the tools, as the model saw them.
    pub results: Vec<ToolResult>,
    /// Every request of the agent.
    pub requests: Vec<Request>,
    /// What the agent printed.
    pub said: String,
}

impl Session {
    /// Starts the agent; hooks are those that the world has.
    #[must_use]
    pub fn start(agent: &dyn AgentUnderTest, world: &World, script: Script) -> Self {
        let model = Model::start(script);
        agent.settle(world, &model.url());
        let launch = agent.launch(world, &model.url());
        let log = world.new_folder(agent.name());
        let process = Detached::start(&launch, world.root(), &log);
        Self {
            process,
            model,
            agent: agent.name(),
        }
    }

    /// Waits until the agent has ended.
    ///
    /// # Panics
    /// When it does not within the wall limit; it is killed then.
    #[must_use]
    #[track_caller]
    pub fn end(self) -> Ended {
        let in_time = self.process.ended_within(WALL);
        let ended = Ended {
            results: self.model.results(),
            requests: self.model.requests(),
            said: self.process.said(),
        };
        assert!(in_time, "{} never ended: {ended:#?}", self.agent);
        ended
    }
}

impl Ended {
    /// The only result.
    ///
    /// # Panics
    /// When there is none, or more.
    #[must_use]
    #[track_caller]
    pub fn result(&self) -> &str {
        let [result] = self.results.as_slice() else {
            let requests = self.brief();
            panic!(
                "{}, not one result: {}\n{requests:#?}",
                self.results.len(),
                self.said
            );
        };
        &result.text
    }

    /// Every result in one text, for failures.
    #[must_use]
    pub fn told(&self) -> String {
        let mut text = "the model was told:".to_owned();
        for result in &self.results {
            text.push_str("\n- ");
            text.push_str(&result.text);
        }
        text
    }

    /// The requests without their long bodies.
    fn brief(&self) -> Vec<String> {
        self.requests
            .iter()
            .map(|request| {
                let body = request.body.to_string();
                let begin: String = body.chars().take(300).collect();
                let tail = body.chars().count().saturating_sub(600);
                let end: String = body.chars().skip(tail).collect();
                format!("{} {}: {begin} … {end}", request.method, request.target)
            })
            .collect()
    }
}

/// Runs the agent to its end.
#[must_use]
#[track_caller]
pub fn run(agent: &dyn AgentUnderTest, world: &World, script: Script) -> Ended {
    Session::start(agent, world, script).end()
}
