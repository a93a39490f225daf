//! What must hold for every agent, as functions over an agent: each begins a
//! world of its own, and looks at files and at what the model was told.

mod asked;
mod command_line;
mod faults;
mod judged;

use std::process::ExitCode;

use camino::Utf8PathBuf;
use libtest_mimic::{Arguments, Trial};
use serde_json::{Value, json};

use crate::agent::{AgentUnderTest, Ended, run as run_agent};
use crate::model::{Script, ToolCall};
use crate::world::World;

/// A case.
type Case = fn(&dyn AgentUnderTest);

/// What holds without a guard: what a case blocks would have run, or what it lets
/// run would not have.
const CONTROLS: [(&str, Case); 2] = [
    ("without_hooks_the_tool_runs", control),
    ("without_hooks_nothing_runs", control_at_prompts),
];

/// Every case by what it promises.
const CASES: &[(&str, Case)] = &[
    ("a_contained_command_runs", contained),
    (
        "what_is_denied_or_nobody_can_be_asked_about_does_not_run",
        denied,
    ),
    ("a_write_to_a_protected_path_does_not_happen", protected),
    (
        "what_a_person_approves_runs_and_what_they_deny_does_not",
        asked::answered,
    ),
    (
        "a_server_killed_before_its_prompt_is_answered_lets_nothing_run",
        asked::killed,
    ),
    (
        "a_prompt_that_nobody_answers_and_a_server_that_hangs_let_nothing_run",
        asked::unanswered,
    ),
    (
        "after_three_blocks_of_the_classifier_a_person_is_asked",
        judged::three_blocks,
    ),
    (
        "no_answer_of_a_hostile_classifier_lets_anything_run",
        judged::hostile,
    ),
    (
        "a_classifier_beyond_the_deadline_lets_nothing_run",
        judged::beyond_the_deadline,
    ),
    ("however_a_hook_fails_nothing_runs", faults::all),
];

/// What holds of the commands themselves, for agents whose hooks they write.
const INSTALLED: [(&str, Case); 1] = [(
    "installed_by_a_script_it_is_guarded_and_uninstalled_it_is_what_it_was",
    command_line::scripted,
)];

/// What holds of agents that go on without settings that they cannot read.
const UNREAD: (&str, Case) = (
    "settings_that_it_does_not_read_are_called_unguarded",
    command_line::unread,
);

/// The questions are the same for every agent: they are asked of one.
const ASKED_OF: &str = "claude-code";

const AT_A_TERMINAL: (&str, Case) = (
    "installed_at_a_terminal_it_is_guarded_as_the_person_says",
    command_line::at_a_terminal,
);

/// How many agents run at a time where the command line does not say: each is a
/// whole JavaScript engine.
const THREADS: usize = 2;

/// Runs every case for each of these agents, and the agents' switches, as far as the
/// command line's filters let it.
#[must_use]
pub fn run(agents: &[&'static dyn AgentUnderTest]) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let trials = agents
        .iter()
        .flat_map(|agent| {
            let [runs, does_not] = CONTROLS;
            let control = if agent.runs_unasked() { runs } else { does_not };
            // At its prompts it is not what the commands write.
            let is_written = agent.runs_unasked();
            let is_asked_of = is_written && agent.name() == ASKED_OF;
            std::iter::once(&control)
                .chain(CASES)
                .chain(INSTALLED.iter().filter(|_| is_written))
                .chain(agent.spoilt("{}").map(|_| &UNREAD))
                .chain(is_asked_of.then_some(&AT_A_TERMINAL))
                .map(|(name, case)| trial(*agent, name, *case))
                .collect::<Vec<_>>()
        })
        .chain(crate::switches::trials())
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A case of an agent as a test.
#[must_use]
pub fn trial(agent: &'static dyn AgentUnderTest, name: &str, case: Case) -> Trial {
    Trial::test(format!("{}::{name}", agent.title()), move || {
        case(agent);
        Ok(())
    })
}

/// No model: which one there is, an agent hears when it is started.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:9";

/// How long the agent waits for a hook, in seconds.
pub(crate) const PATIENT: u32 = 60;

/// A command that stays in the workspace, and the file that it makes.
const CONTAINED: (&str, &str) = ("touch made.txt", "made.txt");

/// A harmless command that a rule of the test denies, and the file that it would
/// make.
pub(crate) const REFUSED: (&str, &str) = ("touch refused.txt", "refused.txt");

/// Files that the guard protects, and no agent by itself.
const PROTECTED: [&str; 2] = [".countersign/settings.json", "Jenkinsfile"];

/// A file that only a command makes which nothing vouches for.
const GROWN: &str = "grown.txt";

/// Auto mode without a classifier, and one deny rule.
pub(crate) fn auto() -> Value {
    json!({
        "tools": { "approvalMode": "auto" },
        "permissions": { "deny": ["Bash(touch refused*)"] },
    })
}

/// A world with the hooks installed.
fn guarded(agent: &dyn AgentUnderTest, settings: &Value) -> World {
    let world = World::new(settings);
    agent.settle(&world, NOWHERE);
    agent.install(&world, PATIENT);
    world
}

/// The call of a command that makes this file, and about which a person or a model
/// has to be asked: nothing vouches for it.
fn grow(agent: &dyn AgentUnderTest, world: &World, file: &str) -> ToolCall {
    agent.shell(&format!("{} {file}", world.trellis()))
}

/// The calls that write [`PROTECTED`].
fn write_protected(agent: &dyn AgentUnderTest, world: &World) -> [ToolCall; PROTECTED.len()] {
    PROTECTED.map(|file| agent.write(&world.workspace().join(file), "{}\n"))
}

/// One call of every kind that a guard does not let run by itself.
fn whatever(agent: &dyn AgentUnderTest, world: &World) -> Script {
    let calls = [agent.shell(REFUSED.0), grow(agent, world, GROWN)];
    Script::new(calls.into_iter().chain(write_protected(agent, world)))
}

fn described(file: &Utf8PathBuf, world: &World, ended: &Ended) -> String {
    format!(
        "{file}\n{}\n{}\nthe guard's log: {}",
        ended.said,
        ended.told(),
        world.log()
    )
}

#[track_caller]
pub(crate) fn assert_made(world: &World, file: &str, ended: &Ended) {
    let made = world.workspace().join(file);
    assert!(made.exists(), "no {}", described(&made, world, ended));
}

#[track_caller]
pub(crate) fn assert_not_made(world: &World, file: &str, ended: &Ended) {
    let made = world.workspace().join(file);
    assert!(
        !made.exists(),
        "there is {}",
        described(&made, world, ended)
    );
}

/// A call was not let run that a person would have to be asked about. Where the
/// agent has a prompt of its own, it is the agent that says so.
#[track_caller]
fn assert_held_back(agent: &dyn AgentUnderTest, told: &str) {
    let says_so = told.contains("Countersign") || !agent.runs_unasked();
    assert!(says_so && !told.is_empty(), "{told}");
}

fn control(agent: &dyn AgentUnderTest) {
    let world = World::new(&auto());
    let ended = run_agent(agent, &world, whatever(agent, &world));
    for file in [REFUSED.1, GROWN].iter().chain(&PROTECTED) {
        assert_made(&world, file, &ended);
    }
}

fn control_at_prompts(agent: &dyn AgentUnderTest) {
    let world = World::new(&auto());
    let calls = [agent.shell(CONTAINED.0)];
    let ended = run_agent(agent, &world, Script::new(calls));
    let [_] = ended.only();
    assert_not_made(&world, CONTAINED.1, &ended);
}

fn contained(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto());
    let calls = [agent.shell(CONTAINED.0)];
    let ended = run_agent(agent, &world, Script::new(calls));
    let [_] = ended.only();
    assert_made(&world, CONTAINED.1, &ended);
}

fn denied(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto());
    let calls = [agent.shell(REFUSED.0), grow(agent, &world, GROWN)];
    let ended = run_agent(agent, &world, Script::new(calls));
    let [denied, asked] = ended.only();
    assert!(denied.contains("a permission rule"), "{denied}");
    assert_held_back(agent, asked);
    assert_not_made(&world, REFUSED.1, &ended);
    assert_not_made(&world, GROWN, &ended);
}

fn protected(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto());
    let calls = write_protected(agent, &world);
    let ended = run_agent(agent, &world, Script::new(calls));
    let told: [&str; PROTECTED.len()] = ended.only();
    for (file, told) in PROTECTED.iter().zip(told) {
        assert_not_made(&world, file, &ended);
        assert_held_back(agent, told);
    }
}
