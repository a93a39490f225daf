//! An agent under test, and one run of it: it is started with a prompt, talks to
//! the scripted model, and ends by itself within the wall limit.

use std::time::Duration;

use camino::Utf8Path;

use crate::detached::{Detached, Launch};
use crate::installed;
use crate::model::{Model, Request, Script, ToolCall, ToolResult};
use crate::wait::within;
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

    /// What its tests are called by.
    fn title(&self) -> &'static str {
        self.name()
    }

    /// Whether it runs every tool where there is no guard. Else it runs nothing
    /// but what the guard allows.
    fn runs_unasked(&self) -> bool {
        true
    }

    /// What its model says to requests beside the conversation: what they contain,
    /// and the answer.
    fn asides(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// The call of its shell tool.
    fn shell(&self, command: &str) -> ToolCall;

    /// The call of the tool that writes a new file, named by its absolute path.
    fn write(&self, file: &Utf8Path, content: &str) -> ToolCall;

    /// Writes what the agent needs in its home to talk to this model and to
    /// nobody else. No hooks.
    fn settle(&self, world: &World, model: &str);

    /// Installs the guard's hooks beside that, which have this many seconds to
    /// decide: those that `countersign install` writes.
    fn install(&self, world: &World, timeout: u32) {
        installed::install(world, self.name(), timeout);
    }

    /// Settings as a person keeps them, in a layout of their own, with comments where
    /// the agent takes any, and with [`World::other_hook`] before every tool: files of
    /// the home. None of an agent whose hooks no command writes.
    fn kept(&self, _world: &World) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Settings with hooks in them, changed so that this agent does not read them any
    /// more, says little or nothing and goes on. None where it does not go on.
    fn spoilt(&self, _settings: &str) -> Option<String> {
        None
    }

    /// What `countersign install` is told beside what it is told of every agent.
    fn install_flags(&self) -> &'static [&'static str] {
        &[]
    }

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
        let with_aside =
            |script: Script, (contained, answer): &(&str, &str)| script.aside(contained, answer);
        let model = Model::start(agent.asides().iter().fold(script, with_aside));
        agent.settle(world, &model.url());
        let launch = agent.launch(world, &model.url());
        let log = world.new_folder(agent.title());
        let process = Detached::start(&launch, world.root(), &log);
        Self {
            process,
            model,
            agent: agent.title(),
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

impl Session {
    /// Waits until the model has seen this many results.
    ///
    /// # Panics
    /// When it does not within the wall limit.
    #[track_caller]
    pub fn wait_for_results(&self, count: usize) {
        let seen = within(WALL, || (self.model.results().len() >= count).then_some(()));
        assert!(seen.is_some(), "{}: {}", self.agent, self.process.said());
    }
}

impl Ended {
    /// The results' texts, of which there are so many.
    ///
    /// # Panics
    /// When there are more or fewer.
    #[must_use]
    #[track_caller]
    pub fn only<const COUNT: usize>(&self) -> [&str; COUNT] {
        let texts: Vec<&str> = self
            .results
            .iter()
            .map(|result| result.text.as_str())
            .collect();
        texts.try_into().unwrap_or_else(|_| {
            let requests = self.brief();
            panic!("not {COUNT} results: {}\n{requests:#?}", self.said)
        })
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
