//! `countersign install` and what goes with it, as people run them: from a script
//! and at a terminal, over settings that somebody else has a hook in.

use std::fs;

use serde_json::{Value, json};

use super::{CONTAINED, REFUSED, assert_made, assert_not_made};
use crate::agent::{AgentUnderTest, run as run_agent};
use crate::model::Script;
use crate::person::Person;
use crate::terminal::Terminal;
use crate::world::World;

/// An agent with its settings, and the person whose they are.
struct Stage<'w> {
    agent: &'w dyn AgentUnderTest,
    world: &'w World,
    person: Person<'w>,
    home: String,
    /// The agent's settings before anything was installed.
    before: Vec<(&'static str, String)>,
}

/// A deny rule and no mode: that one is chosen when the hooks are installed.
fn rules() -> Value {
    json!({ "permissions": { "deny": ["Bash(touch refused*)"] } })
}

impl<'w> Stage<'w> {
    /// Without a guard the agent runs everything, and tells the other hook.
    #[track_caller]
    fn set(agent: &'w dyn AgentUnderTest, world: &'w World) -> Self {
        for (file, text) in agent.kept(world) {
            world.write_home(file, &text);
        }
        let mut stage = Self {
            agent,
            world,
            person: Person(world),
            home: world.home().into_string(),
            before: Vec::new(),
        };
        stage.assert_runs_unguarded();
        stage.before = stage.settings();
        assert!(!stage.before.is_empty());
        stage
    }

    /// The words of a command about the agent, in its home.
    fn words<'s>(&'s self, command: &'s str, more: &[&'s str]) -> Vec<&'s str> {
        let about = [command, self.agent.name(), "--agents-home", &self.home];
        [&about, more].concat()
    }

    /// The files that the person keeps, as they are now.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let kept = self.agent.kept(self.world).into_iter();
        kept.map(|(file, _)| {
            let text = fs::read_to_string(self.world.home().join(file));
            (file, text.unwrap_or_else(|error| panic!("{file}: {error}")))
        })
        .collect()
    }

    /// The agent runs a command that the rules deny.
    #[track_caller]
    fn assert_runs_unguarded(&self) {
        let heard = self.world.other_hook_heard().len();
        let script = Script::new([self.agent.shell(REFUSED.0)]);
        let ended = run_agent(self.agent, self.world, script);
        let [_] = ended.only();
        assert_made(self.world, REFUSED.1, &ended);
        fs::remove_file(self.world.workspace().join(REFUSED.1)).expect("the file made");
        self.assert_heard_since(heard);
    }

    /// The agent runs what the rules and the mode allow, and hears why not where
    /// they do not.
    #[track_caller]
    fn assert_guarded(&self) {
        let heard = self.world.other_hook_heard().len();
        let calls = [REFUSED, CONTAINED].map(|(command, _)| self.agent.shell(command));
        let ended = run_agent(self.agent, self.world, Script::new(calls));
        let [denied, _] = ended.only();
        assert!(denied.contains("a permission rule"), "{denied}");
        assert_not_made(self.world, REFUSED.1, &ended);
        assert_made(self.world, CONTAINED.1, &ended);
        self.assert_heard_since(heard);
    }

    /// The other hook was called since, and none that the person never trusted.
    #[track_caller]
    fn assert_heard_since(&self, before: usize) {
        let heard = self.world.other_hook_heard();
        assert!(heard.len() > before, "the other hook is not called");
        assert!(!heard.iter().any(|line| line.contains("untrusted")));
    }

    /// What `status` says.
    #[track_caller]
    fn assert_stands(&self, standing: &str) {
        let told = self.person.is_told(&self.words("status", &[]));
        assert_eq!(told[0]["standing"], standing, "{told:#}");
        assert_eq!(told[0]["agent"], self.agent.name(), "{told:#}");
    }

    /// Every file of the agent is what it was, and there is no other of ours.
    #[track_caller]
    fn assert_restored(&self, installed: Option<&str>) {
        assert_eq!(self.settings(), self.before);
        let Some(file) = installed else { return };
        let kept = self.before.iter();
        let is_kept = kept.into_iter().any(|(name, _)| file.ends_with(name));
        assert!(is_kept || !fs::exists(file).unwrap_or(true), "{file}");
    }

    /// No hook of ours is called any more.
    #[track_caller]
    fn assert_gone(&self) {
        let journal = self.person.journal();
        self.assert_runs_unguarded();
        assert_eq!(self.person.journal(), journal, "a hook was called");
    }
}

/// As a script would: every answer stands on the command line.
pub(super) fn scripted(agent: &dyn AgentUnderTest) {
    let world = World::new(&rules());
    let stage = Stage::set(agent, &world);
    stage.assert_stands("not-installed");
    let mut answers = vec![
        "--scope",
        "user",
        "--mode",
        "auto",
        "--no-classifier",
        "--yes",
    ];
    answers.extend(agent.install_flags());
    let install = stage.words("install", &answers);
    let told = stage.person.is_told(&install);
    assert_eq!(told["written"], true, "{told:#}");
    let file = told["file"].as_str().expect("the file written").to_owned();

    assert_eq!(stage.person.journal(), 0);
    stage.assert_guarded();
    assert_ne!(stage.person.journal(), 0, "nothing was recorded");
    stage.assert_stands("guarded");
    assert_blocks(&stage);
    // Nothing of it needs to be done again.
    let told = stage.person.is_told(&install);
    assert_eq!(told["changed"], false, "{told:#}");

    let told = stage.person.is_told(&stage.words("uninstall", &["--yes"]));
    let restored = told["files"].as_array().expect("the files changed");
    assert!(!restored.is_empty());
    assert!(
        restored.iter().all(|file| file["restored"] == true),
        "{told:#}"
    );
    stage.assert_restored(Some(&file));
    stage.assert_stands("not-installed");
    stage.assert_gone();
}

/// `doctor` puts a call to the agent's hooks that they block, and leaves no trace.
#[track_caller]
fn assert_blocks(stage: &Stage<'_>) {
    let journal = stage.person.journal();
    let words = ["doctor", "--agents-home", &stage.home];
    let report = stage.person.is_told(&words);
    let findings = report["findings"].as_array().expect("findings");
    let own: Vec<&Value> = findings
        .iter()
        .filter(|finding| finding["check"] == stage.agent.name())
        .collect();
    let [finding] = own.as_slice() else {
        panic!("{own:#?}");
    };
    assert_eq!(finding["status"], "ok", "{finding:#}");
    let detail = finding["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("blocks what must be blocked"), "{detail}");
    assert_eq!(stage.person.journal(), journal);
}

/// A file that the agent does not read holds no hooks, whatever stands in it.
pub(super) fn unread(agent: &dyn AgentUnderTest) {
    let world = World::new(&rules());
    let stage = Stage::set(agent, &world);
    let mut answers = vec!["--mode", "auto", "--no-classifier", "--yes"];
    answers.extend(agent.install_flags());
    let told = stage.person.is_told(&stage.words("install", &answers));
    let file = told["file"].as_str().expect("the file written");
    stage.assert_stands("guarded");
    let text = fs::read_to_string(file).expect("the file written");
    let Some(spoilt) = agent.spoilt(&text) else {
        return;
    };
    fs::write(file, spoilt).expect("the file written");
    stage.assert_stands("unguarded");
    let script = Script::new([agent.shell(REFUSED.0)]);
    let ended = run_agent(agent, &world, script);
    let [_] = ended.only();
    assert_made(&world, REFUSED.1, &ended);
    assert_eq!(stage.person.journal(), 0, "a hook was called");
}

/// At a terminal, where a person is asked.
pub(super) fn at_a_terminal(agent: &dyn AgentUnderTest) {
    let world = World::new(&rules());
    let stage = Stage::set(agent, &world);
    let terminal = Terminal::open();
    let install = stage.words("install", agent.install_flags());

    let begun = stage.person.begins(&terminal, &install);
    terminal.shows("Write this? [y/N]");
    stage.assert_restored(None);
    terminal.types("n");
    terminal.shows("nothing was changed");
    assert_eq!(begun.ends().status, 0);
    stage.assert_restored(None);
    stage.assert_stands("not-installed");

    let begun = stage.person.begins(&terminal, &install);
    terminal.shows("Write this? [y/N]");
    terminal.types("y");
    terminal.shows("Which mode do sessions start in?");
    terminal.types("auto");
    terminal.shows("Use auto mode? [y/N]");
    terminal.types("y");
    let ended = begun.ends();
    assert_eq!(ended.status, 0, "{ended:?}\n{}", terminal.text());
    stage.assert_guarded();
    stage.assert_stands("guarded");

    let begun = stage
        .person
        .begins(&terminal, &stage.words("uninstall", &[]));
    terminal.shows("Write this? [y/N]");
    stage.assert_stands("guarded");
    terminal.types("y");
    terminal.shows("is byte for byte what it was");
    assert_eq!(begun.ends().status, 0);
    stage.assert_restored(None);
    stage.assert_gone();
}
