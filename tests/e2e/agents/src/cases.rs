//! What must hold for every agent, as functions over an agent: each begins a
//! world of its own, and looks at files and at what the model was told.

mod asked;
mod faults;
mod judged;

use std::process::ExitCode;

use camino::Utf8PathBuf;
use libtest_mimic::{Arguments, Trial};
use serde_json::{Value, json};

use crate::agent::{AgentUnderTest, Ended, run as run_agent};
use crate::model::Script;
use crate::world::World;

/// A case.
type Case = fn(&dyn AgentUnderTest);

/// Every case by what it promises.
const CASES: &[(&str, Case)] = &[
    ("without_hooks_the_tool_runs", control),
    ("a_contained_command_runs", contained),
    (
        "a_denied_command_does_not_run_and_the_model_hears_why",
        denied,
    ),
    ("a_write_to_a_protected_path_does_not_happen", protected),
    ("what_a_person_approves_runs", asked::approved),
    ("what_a_person_denies_does_not_run", asked::denied),
    ("with_nobody_to_ask_a_fallback_does_not_run", asked::nobody),
    (
        "a_server_killed_before_its_prompt_is_answered_is_a_block",
        asked::killed,
    ),
    (
        "a_prompt_that_nobody_answers_in_time_is_a_block",
        asked::timed_out,
    ),
    (
        "after_three_blocks_of_the_classifier_a_person_is_asked",
        judged::three_blocks,
    ),
    ("what_a_classifier_allows_runs", judged::allowed),
    (
        "no_answer_of_a_hostile_classifier_lets_anything_run",
        judged::hostile,
    ),
    (
        "a_classifier_beyond_the_deadline_lets_nothing_run",
        judged::beyond_the_deadline,
    ),
    ("a_hook_that_panics_lets_nothing_run", faults::panics),
    (
        "a_hook_whose_stack_overflows_lets_nothing_run",
        faults::overflows,
    ),
    ("a_hook_that_aborts_lets_nothing_run", faults::aborts),
    ("a_hook_that_faults_lets_nothing_run", faults::segfaults),
    (
        "a_hook_that_is_sent_rubbish_lets_nothing_run",
        faults::rubbish,
    ),
    (
        "a_dead_server_lets_nothing_unasked_run",
        faults::dead_server,
    ),
    ("a_server_that_hangs_lets_nothing_run", faults::hung_server),
    ("a_full_disk_acts_as_default", faults::full_disk),
    ("broken_settings_act_as_default", faults::broken_settings),
    ("an_unreadable_state_lets_nothing_run", faults::broken_state),
];

/// How many agents run at a time where the command line does not say: each is a
/// whole JavaScript engine.
const THREADS: usize = 2;

/// Runs every case for each of these agents, as far as the command line's filters
/// let it.
#[must_use]
pub fn run(agents: &[&'static dyn AgentUnderTest]) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let trials = agents
        .iter()
        .flat_map(|agent| CASES.iter().map(|(name, case)| trial(*agent, name, *case)))
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A case of an agent as a test.
#[must_use]
pub fn trial(agent: &'static dyn AgentUnderTest, name: &str, case: Case) -> Trial {
    Trial::test(format!("{}::{name}", agent.name()), move || {
        case(agent);
        Ok(())
    })
}

/// How long the agent waits for a hook, in seconds, unless a case says otherwise.
const PATIENT: u32 = 60;

/// A command that stays in the workspace, and the file that it makes.
const CONTAINED: (&str, &str) = ("touch made.txt", "made.txt");

/// A harmless command that a rule of the test denies, and the file that it would
/// make.
const REFUSED: (&str, &str) = ("touch refused.txt", "refused.txt");

/// A file that only a command makes which nothing vouches for.
const GROWN: &str = "grown.txt";

/// Auto mode without a classifier, and one deny rule.
fn auto() -> Value {
    json!({
        "tools": { "approvalMode": "auto" },
        "permissions": { "deny": ["Bash(touch refused*)"] },
    })
}

/// A world with the hooks installed.
fn guarded(agent: &dyn AgentUnderTest, settings: &Value, timeout: u32) -> World {
    let world = World::new(settings);
    agent.install(&world, timeout);
    world
}

/// The model runs one command.
fn shell(agent: &dyn AgentUnderTest, command: &str) -> Script {
    Script::new([agent.shell(command)])
}

/// The model runs the command that makes [`GROWN`], about which a person or a
/// model has to be asked.
fn grow(agent: &dyn AgentUnderTest, world: &World) -> Script {
    shell(agent, &format!("{} {GROWN}", world.trellis()))
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
fn assert_made(world: &World, file: &str, ended: &Ended) {
    let made = world.workspace().join(file);
    assert!(made.exists(), "no {}", described(&made, world, ended));
}

#[track_caller]
fn assert_not_made(world: &World, file: &str, ended: &Ended) {
    let made = world.workspace().join(file);
    assert!(
        !made.exists(),
        "there is {}",
        described(&made, world, ended)
    );
}

/// The only result says this.
#[track_caller]
fn assert_told(world: &World, ended: &Ended, part: &str) {
    let told = ended.result();
    let file = world.workspace();
    assert!(
        told.contains(part),
        "no `{part}`: {}",
        described(&file, world, ended)
    );
}

fn control(agent: &dyn AgentUnderTest) {
    let world = World::new(&auto());
    let ended = run_agent(agent, &world, shell(agent, REFUSED.0));
    let _ = ended.result();
    assert_made(&world, REFUSED.1, &ended);
    let world = World::new(&auto());
    let ended = run_agent(agent, &world, grow(agent, &world));
    assert_made(&world, GROWN, &ended);
    let (world, file) = (World::new(&auto()), ".git/hooks/post-checkout");
    let call = agent.write(&world.workspace().join(file), "true\n");
    let ended = run_agent(agent, &world, Script::new([call]));
    assert_made(&world, file, &ended);
}

fn contained(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto(), PATIENT);
    let ended = run_agent(agent, &world, shell(agent, CONTAINED.0));
    let _ = ended.result();
    assert_made(&world, CONTAINED.1, &ended);
}

fn denied(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto(), PATIENT);
    let ended = run_agent(agent, &world, shell(agent, REFUSED.0));
    assert_told(&world, &ended, "a permission rule");
    assert_not_made(&world, REFUSED.1, &ended);
}

fn protected(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto(), PATIENT);
    let files = [".git/hooks/post-checkout", ".countersign/settings.json"];
    let calls = files.map(|file| agent.write(&world.workspace().join(file), "{}\n"));
    let ended = run_agent(agent, &world, Script::new(calls));
    assert_eq!(ended.results.len(), files.len(), "{}", ended.told());
    for file in files {
        assert_not_made(&world, file, &ended);
    }
}
