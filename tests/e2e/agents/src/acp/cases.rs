//! What must hold for every agent behind the proxy.

mod files;
mod options;

use std::process::ExitCode;
use std::time::Duration;

use countersign_test_support::lsp::Editor;
use countersign_test_support::model_server::{ModelServer, Reply};
use libtest_mimic::{Arguments, Trial};
use serde_json::{Value, json};

use super::agents::{ALL, AcpAgent, BEGINS_LOOSE, WITH_FILES};
use super::client::Client;
use crate::desk::Desk;
use crate::detached::{kill_agents, marked};
use crate::model::Script;
use crate::wait::{until, within};
use crate::world::World;

/// The longest that anything may take. Two cores may be shared with a build.
const WALL: Duration = Duration::from_secs(90);

/// How many agents run at a time where the command line does not say.
const THREADS: usize = 2;

const CONTAINED: (&str, &str) = ("touch made.txt", "made.txt");
const REFUSED: (&str, &str) = ("touch refused.txt", "refused.txt");
const PROTECTED: &str = ".pre-commit-config.yaml";
const GROWN: &str = "grown.txt";

type Case = fn(&AcpAgent);

const CASES: &[(&str, Case)] = &[
    ("without_the_proxy_what_the_client_allows_runs", control),
    ("what_is_contained_runs_without_a_question", contained),
    (
        "what_a_rule_denies_does_not_run_and_the_person_hears_why",
        denied,
    ),
    ("what_a_person_approves_in_the_editor_runs", approved),
    ("what_a_person_denies_in_the_editor_does_not_run", rejected),
    (
        "without_an_editor_the_client_asks_and_always_is_once",
        no_editor,
    ),
    (
        "a_server_killed_before_its_prompt_is_answered_is_a_no",
        server_killed,
    ),
    ("a_write_to_a_protected_path_needs_a_person", protected),
    ("an_allowed_edit_happens_once", edited),
    (
        "after_three_blocks_of_the_classifier_a_person_is_asked",
        three_blocks,
    ),
    ("a_mode_that_loosens_is_refused", loosening),
    ("a_cancelled_turn_takes_its_question_along", cancelled),
    ("an_agent_that_dies_takes_everything_along", agent_dies),
    ("a_client_that_dies_takes_everything_along", client_dies),
];

/// What holds where the client reads and writes the agent's files.
const OF_FILES: &[(&str, Case)] = &[
    (
        "an_allowed_edit_of_what_is_there_happens_once",
        files::edited,
    ),
    (
        "what_a_rule_keeps_secret_the_client_does_not_read",
        files::secret,
    ),
    (
        "a_write_that_a_person_allowed_is_asked_about_once",
        files::asked_once,
    ),
];

/// What holds where the agent's mode is a configuration option.
const OF_OPTIONS: (&str, Case) = ("an_option_that_loosens_is_refused", options::loosening);

/// What holds of opencode, in which a user makes modes of their own.
const OF_OWN_MODES: &[(&str, Case)] = &[
    (
        "a_session_that_begins_in_a_loose_mode_is_put_into_one_that_asks",
        options::begins_loose,
    ),
    (
        "in_a_mode_whose_name_says_nothing_what_nobody_was_asked_is_told",
        options::silently_loose,
    ),
];

/// Runs every case for every agent, as far as the command line's filters let it.
#[must_use]
pub fn run() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let trials = ALL
        .iter()
        .flat_map(|agent| CASES.iter().map(move |case| (agent, case)))
        // One that has no such mode cannot be put into it.
        .filter(|(agent, (_, case))| {
            agent.loose_mode.is_some() || !std::ptr::fn_addr_eq(*case, loosening as Case)
        })
        // No model judges what is not shown.
        .filter(|(agent, (_, case))| {
            agent.shows_input || !std::ptr::fn_addr_eq(*case, three_blocks as Case)
        })
        .chain(of_files())
        .chain(of_options())
        .map(|(agent, (name, case))| {
            Trial::test(format!("acp::{}::{name}", agent.title), move || {
                case(agent);
                Ok(())
            })
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A case, and whose it is.
type Chosen = (&'static AcpAgent, &'static (&'static str, Case));

fn of_files() -> impl Iterator<Item = Chosen> {
    let cases = |agent| OF_FILES.iter().map(move |case| (agent, case));
    WITH_FILES.iter().flat_map(cases)
}

fn of_options() -> impl Iterator<Item = Chosen> {
    let has_one = |agent: &&AcpAgent| agent.loose_option.is_some();
    let loosening = ALL.iter().filter(has_one).map(|agent| (agent, &OF_OPTIONS));
    loosening.chain(OF_OWN_MODES.iter().map(|case| (&BEGINS_LOOSE, case)))
}

/// Auto mode without a classifier, and one deny rule.
fn auto() -> Value {
    json!({
        "tools": { "approvalMode": "auto" },
        "permissions": { "deny": ["Bash(touch refused*)"] },
    })
}

fn shell(agent: &AcpAgent, command: &str) -> Script {
    Script::new([agent.agent.shell(command)])
}

/// A command that makes a file, and about which a person has to be asked.
fn grow(agent: &AcpAgent, world: &World) -> Script {
    shell(agent, &format!("{} {GROWN}", world.trellis()))
}

#[track_caller]
fn assert_made(world: &World, file: &str, client: &Client) {
    let made = world.workspace().join(file);
    assert!(made.exists(), "no {made}\n{}", client.told());
}

#[track_caller]
fn assert_not_made(world: &World, file: &str, client: &Client) {
    let made = world.workspace().join(file);
    assert!(!made.exists(), "there is {made}\n{}", client.told());
}

fn control(agent: &AcpAgent) {
    for (command, file) in [REFUSED, CONTAINED] {
        let world = World::new(&auto());
        let mut client = Client::alone(agent, &world, shell(agent, command));
        let turn = client.prompt();
        let question = client.question(file);
        client.answer(&question, "allow_once");
        client.end_of(turn);
        assert_made(&world, file, &client);
    }
}

fn contained(agent: &AcpAgent) {
    let world = World::new(&auto());
    let mut client = Client::behind_proxy(agent, &world, shell(agent, CONTAINED.0));
    let turn = client.prompt();
    if !agent.shows_input {
        // What it would run is only what it says it is.
        let question = client.question(CONTAINED.1);
        client.answer(&question, "allow_once");
    }
    client.end_of(turn);
    assert_made(&world, CONTAINED.1, &client);
    if agent.shows_input {
        client.assert_not_asked();
    }
    client.assert_not_told("UNGUARDED");
}

fn denied(agent: &AcpAgent) {
    let world = World::new(&auto());
    let mut client = Client::behind_proxy(agent, &world, shell(agent, REFUSED.0));
    let turn = client.prompt();
    client.end_of(turn);
    assert_not_made(&world, REFUSED.1, &client);
    client.assert_not_asked();
    client.assert_told("a permission rule");
    client.assert_not_told("UNGUARDED");
}

fn approved(agent: &AcpAgent) {
    let world = World::new(&auto());
    let mut desk = Desk::open(&world);
    let mut client = Client::behind_proxy(agent, &world, grow(agent, &world));
    let turn = client.prompt();
    let approval = asked(agent, &mut desk, &client);
    desk.approve(&approval);
    client.end_of(turn);
    assert_made(&world, GROWN, &client);
    client.assert_not_asked();
    client.assert_not_told("UNGUARDED");
}

fn rejected(agent: &AcpAgent) {
    let world = World::new(&auto());
    let mut desk = Desk::open(&world);
    let mut client = Client::behind_proxy(agent, &world, grow(agent, &world));
    let turn = client.prompt();
    let approval = asked(agent, &mut desk, &client);
    desk.deny(&approval);
    client.end_of(turn);
    assert_not_made(&world, GROWN, &client);
    client.assert_not_asked();
    client.assert_told("did not approve");
    client.assert_not_told("UNGUARDED");
}

/// The editor asks, after the agent has thought as long as it likes.
#[track_caller]
fn asked(agent: &AcpAgent, desk: &mut Desk, client: &Client) -> Value {
    let what = format!("{} asks", agent.agent.name());
    until_said(&what, client);
    desk.approval(GROWN)
}

/// Waits until the model was asked, behind which everything is quick.
#[track_caller]
fn until_said(what: &str, client: &Client) {
    let said = within(WALL, || (!client.model.requests().is_empty()).then_some(()));
    assert!(said.is_some(), "never: {what}\n{}", client.told());
}

fn no_editor(agent: &AcpAgent) {
    let world = World::new(&auto());
    let files = ["row-1.txt", "row-2.txt"];
    let calls = files.map(|file| agent.agent.shell(&format!("{} {file}", world.trellis())));
    let mut client = Client::behind_proxy(agent, &world, Script::new(calls));
    let turn = client.prompt();
    let question = client.question("row-1.txt");
    client.answer(&question, "allow_always");
    let question = client.question("row-2.txt");
    assert_made(&world, "row-1.txt", &client);
    client.answer(&question, "reject_once");
    client.end_of(turn);
    assert_not_made(&world, "row-2.txt", &client);
    client.assert_not_told("UNGUARDED");
}

fn server_killed(agent: &AcpAgent) {
    let world = World::new(&auto());
    let mut desk = Desk::open(&world);
    let mut client = Client::behind_proxy(agent, &world, grow(agent, &world));
    let turn = client.prompt();
    asked(agent, &mut desk, &client);
    desk.kill();
    client.end_of(turn);
    assert_not_made(&world, GROWN, &client);
    client.assert_not_asked();
    client.assert_told("was lost while it decided");
}

fn protected(agent: &AcpAgent) {
    let world = World::new(&auto());
    let path = world.workspace().join(PROTECTED);
    let script = Script::new([agent.agent.write(&path, "repos: []\n")]);
    let mut client = Client::behind_proxy(agent, &world, script);
    let turn = client.prompt();
    let question = client.question(PROTECTED);
    assert_not_made(&world, PROTECTED, &client);
    client.answer(&question, "reject_once");
    client.end_of(turn);
    assert_not_made(&world, PROTECTED, &client);
    assert_eq!(client.writes_of(PROTECTED), 0, "{}", client.told());
}

fn edited(agent: &AcpAgent) {
    let world = World::new(&auto());
    let path = world.workspace().join(CONTAINED.1);
    let script = Script::new([agent.agent.write(&path, "rows of vines\n")]);
    let mut client = Client::behind_proxy(agent, &world, script);
    let turn = client.prompt();
    if !agent.shows_input {
        let question = client.question(CONTAINED.1);
        assert_not_made(&world, CONTAINED.1, &client);
        client.answer(&question, "allow_once");
    }
    client.end_of(turn);
    assert_made(&world, CONTAINED.1, &client);
    let written = client.writes_of(CONTAINED.1);
    assert_eq!(written, agent.client_writes, "{}", client.told());
    if agent.shows_input {
        client.assert_not_asked();
    }
    client.assert_not_told("UNGUARDED");
}

/// Some agents end their turn at a no, others try on: either way each call counts.
fn three_blocks(agent: &AcpAgent) {
    let classifier = ModelServer::start();
    classifier.always(Reply::block("it grows over the neighbour's fence"));
    let world = World::new(&json!({
        "tools": { "approvalMode": "auto" },
        "permissions": { "autoMode": { "classifier": {
            "provider": "openai-compatible",
            "baseUrl": format!("{}/v1", classifier.url()),
            "model": "judge-1",
            "timeouts": { "stage1Ms": 30_000, "stage2Ms": 30_000 },
        }}},
    }));
    let mut desk = Desk::open(&world);
    let command = format!("{} {GROWN}", world.trellis());
    let calls = std::array::from_fn::<_, 8, _>(|_| agent.agent.shell(&command));
    let mut client = Client::behind_proxy(agent, &world, Script::new(calls));
    let is_asked = |desk: &Desk| {
        let unread = desk.editor.unread();
        let mut methods = unread.iter().map(|message| &message["method"]);
        methods.any(|method| method == "countersign/approvalRequested")
    };
    let mut turn = 0;
    while !is_asked(&desk) {
        assert!(turn == 0 || client.has_ended(turn), "{}", client.told());
        assert_not_made(&world, GROWN, &client);
        assert!(classifier.requests().len() <= 6, "{}", client.told());
        turn = client.prompt();
        let happened = within(WALL, || {
            (client.has_ended(turn) || is_asked(&desk)).then_some(())
        });
        assert!(happened.is_some(), "{}", client.told());
    }
    let approval = desk.approval(GROWN);
    assert_eq!(approval["reason"], "consecutive_block");
    assert_eq!(classifier.requests().len(), 6, "two stages each");
    assert_not_made(&world, GROWN, &client);
    client.assert_told("over the neighbour's fence");
    desk.approve(&approval);
    until_made(&world, GROWN, &client);
    client.assert_not_asked();
}

#[track_caller]
fn until_made(world: &World, file: &str, client: &Client) {
    let made = world.workspace().join(file);
    let is_made = within(WALL, || made.exists().then_some(()));
    assert!(is_made.is_some(), "no {made}\n{}", client.told());
}

fn loosening(agent: &AcpAgent) {
    let world = World::new(&auto());
    let mut client = Client::behind_proxy(agent, &world, shell(agent, REFUSED.0));
    let mode = agent.loose_mode.unwrap_or_default();
    let refused = client.set_mode(mode);
    let error = refused.expect_err("a mode in which it does not ask");
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains("would not ask"), "{error}");
    let turn = client.prompt();
    client.end_of(turn);
    assert_not_made(&world, REFUSED.1, &client);
}

fn cancelled(agent: &AcpAgent) {
    let world = World::new(&auto());
    let mut desk = Desk::open(&world);
    let mut client = Client::behind_proxy(agent, &world, grow(agent, &world));
    let turn = client.prompt();
    let approval = asked(agent, &mut desk, &client);
    client.cancel();
    assert_eq!(client.end_of(turn), "cancelled", "{}", client.told());
    let id = approval["id"].clone();
    desk.editor
        .expect_notification("countersign/approvalResolved", |resolved| {
            resolved["id"] == id
        });
    assert!(too_late(&mut desk.editor, &approval));
    assert_not_made(&world, GROWN, &client);
}

/// Whether a yes finds nothing any more.
fn too_late(editor: &mut Editor, approval: &Value) -> bool {
    let answer = json!({
        "id": approval["id"], "nonce": approval["nonce"], "choice": "approve",
    });
    editor
        .try_request("countersign/resolveApproval", answer)
        .is_err()
}

fn agent_dies(agent: &AcpAgent) {
    let world = World::new(&auto());
    let mut client = Client::behind_proxy(agent, &world, grow(agent, &world));
    client.prompt();
    client.question(GROWN);
    kill_agents(world.root());
    client.ends();
    until("nothing is left", || marked(world.root()).is_empty());
    assert_not_made(&world, GROWN, &client);
}

fn client_dies(agent: &AcpAgent) {
    let world = World::new(&auto());
    let mut client = Client::behind_proxy(agent, &world, grow(agent, &world));
    client.prompt();
    client.question(GROWN);
    client.dies();
    client.ends();
    until("nothing is left", || marked(world.root()).is_empty());
    assert_not_made(&world, GROWN, &client);
}
