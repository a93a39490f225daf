//! Whatever an agent offers to keep it from calling the hook: the real agent runs
//! a command that its hook would deny, and what the installer reads from the same
//! files says whether it ran.

mod claude;
mod codex;
mod gemini;
mod qwen;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_install::{
    Bases, Facts, Level, Report, Standing, codex_config, disk, layers, look, profile, program,
};
use libtest_mimic::Trial;
use serde_json::Value;

use crate::agent::{AgentUnderTest, run};
use crate::agents::{Claude, Codex, Gemini, Qwen};
use crate::cases::{NOWHERE, PATIENT, REFUSED, assert_made, assert_not_made, auto};
use crate::detached::Launch;
use crate::model::{Script, ToolCall};
use crate::surroundings;
use crate::world::World;

/// What a switch comes to.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    /// The hook is not called, and its agent is unguarded.
    Silences,
    /// The hook is called, and nothing is said.
    Means,
    /// The hook is called in this session; a warning says which ones are without.
    CalledBut(&'static str),
    /// The hook is not called in this session; a warning says that it is one of a
    /// kind.
    NotCalledAs(&'static str),
}

use Outcome::{CalledBut, Means, NotCalledAs, Silences};

/// A switch.
struct Row {
    /// What it is called by.
    name: &'static str,
    /// The files that it takes, from `~/` in the home or `./` in the project, and
    /// what stands in them: JSON is put into what is there, all else behind it.
    /// `{home}` and `{project}` are those folders.
    files: &'static [(&'static str, &'static str)],
    /// The variables of the agent.
    variables: &'static [(&'static str, &'static str)],
    /// What else is on its command line.
    words: &'static [&'static str],
    /// Where the hooks are, if not where they are installed.
    moved: Option<&'static str>,
    outcome: Outcome,
}

/// A switch in files alone.
const fn files(
    name: &'static str,
    outcome: Outcome,
    files: &'static [(&'static str, &'static str)],
) -> Row {
    Row {
        name,
        files,
        variables: &[],
        words: &[],
        moved: None,
        outcome,
    }
}

/// Hooks that are in this file.
const fn moved(name: &'static str, outcome: Outcome, file: &'static str) -> Row {
    let mut row = files(name, outcome, &[]);
    row.moved = Some(file);
    row
}

impl Row {
    const fn variables(mut self, variables: &'static [(&'static str, &'static str)]) -> Self {
        self.variables = variables;
        self
    }

    const fn files(mut self, files: &'static [(&'static str, &'static str)]) -> Self {
        self.files = files;
        self
    }

    const fn words(mut self, words: &'static [&'static str]) -> Self {
        self.words = words;
        self
    }
}

/// An agent, where `install` puts its hooks, and its switches.
struct Table {
    agent: &'static dyn AgentUnderTest,
    hooks: &'static str,
    rows: &'static [Row],
}

static TABLES: [Table; 4] = [
    Table {
        agent: &Claude,
        hooks: "~/.claude/settings.json",
        rows: claude::ROWS,
    },
    Table {
        agent: &Codex,
        hooks: "~/.codex/hooks.json",
        rows: codex::ROWS,
    },
    Table {
        agent: &Gemini,
        hooks: "~/.gemini/settings.json",
        rows: gemini::ROWS,
    },
    Table {
        agent: &Qwen,
        hooks: "~/.qwen/settings.json",
        rows: qwen::ROWS,
    },
];

/// Every switch as a test.
pub(crate) fn trials() -> impl Iterator<Item = Trial> {
    TABLES.iter().flat_map(|table| {
        table.rows.iter().map(move |row| {
            let name = format!("{}::switches::{}", table.agent.title(), row.name);
            Trial::test(name, move || {
                check(table, row);
                Ok(())
            })
        })
    })
}

/// The agent with the switch.
struct Switched {
    agent: &'static dyn AgentUnderTest,
    row: &'static Row,
}

impl AgentUnderTest for Switched {
    fn name(&self) -> &'static str {
        self.agent.name()
    }

    fn shell(&self, command: &str) -> ToolCall {
        self.agent.shell(command)
    }

    fn write(&self, file: &Utf8Path, content: &str) -> ToolCall {
        self.agent.write(file, content)
    }

    fn settle(&self, world: &World, model: &str) {
        self.agent.settle(world, model);
    }

    fn launch(&self, world: &World, model: &str) -> Launch {
        let mut launch = self.agent.launch(world, model);
        for (name, value) in self.row.variables {
            launch.environment.retain(|(set, _)| set != name);
            launch
                .environment
                .push(((*name).to_owned(), filled(value, world)));
        }
        let words = self.row.words.iter().map(|word| (*word).to_owned());
        // Behind the program, so that the prompt stays where it is.
        launch.words.splice(1..1, words);
        launch
    }
}

fn check(table: &Table, row: &'static Row) {
    let world = World::new(&auto());
    table.agent.settle(&world, NOWHERE);
    table.agent.install(&world, PATIENT);
    if let Some(to) = row.moved {
        let from = place(table.hooks, &world);
        put(&place(to, &world), &read(&from));
        fs::remove_file(from).expect("the hooks");
        // What it needs beside them.
        table.agent.settle(&world, NOWHERE);
    }
    for (file, text) in row.files {
        let file = place(file, &world);
        add(&file, &filled(text, &world));
    }
    let agent = Switched {
        agent: table.agent,
        row,
    };
    let report = report(&agent, &world);
    let ended = run(&agent, &world, Script::new([agent.shell(REFUSED.0)]));
    let [told] = ended.only();
    let silenced = matches!(row.outcome, Silences | NotCalledAs(_));
    if silenced {
        assert_made(&world, REFUSED.1, &ended);
    } else {
        assert_not_made(&world, REFUSED.1, &ended);
        assert!(told.contains("a permission rule"), "{told}");
    }
    assert_told(row.outcome, &report);
}

#[track_caller]
fn assert_told(outcome: Outcome, report: &Report) {
    let unguarded = matches!(outcome, Silences);
    let standing = if unguarded {
        Standing::Unguarded
    } else {
        Standing::Guarded
    };
    assert_eq!(report.standing, standing, "{report:#?}");
    let warnings: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| finding.level == Level::Warning)
        .map(|finding| finding.text.as_str())
        .collect();
    match outcome {
        CalledBut(said) | NotCalledAs(said) => {
            let is_said = warnings.iter().any(|warning| warning.contains(said));
            assert!(is_said, "no {said:?} in {report:#?}");
        }
        Means => assert!(warnings.is_empty(), "{report:#?}"),
        Silences => {}
    }
}

/// What the installer reads from the files that the agent reads.
fn report(agent: &Switched, world: &World) -> Report {
    let kind: Agent = agent.name().parse().expect("an agent");
    let profile = profile(kind).expect("an agent with hooks");
    let launch = agent.launch(world, NOWHERE);
    let variable = |name: &str| {
        let set = launch.environment.iter().find(|(set, _)| set == name);
        set.map(|(_, value)| value.clone())
    };
    let (home, workspace) = (world.home(), world.workspace());
    let bases = Bases {
        home: &home,
        workspace: Some(&workspace),
        machine: Utf8Path::new("/"),
        variable: &variable,
    };
    let mut layers = layers(kind, &bases);
    disk::read_layers(&mut layers);
    let programs = surroundings::programs();
    let version =
        program::installed(profile, programs.as_str(), true).and_then(|found| found.version);
    let own = surroundings::binary();
    let facts = Facts {
        profile,
        version,
        is_here: true,
        home: &home,
        codex_config: &codex_config(&bases),
        workspace: Some(&workspace),
        variable: &variable,
        binary: &|word| program::binary(word, &own, programs.as_str()),
    };
    look(&facts, &layers)
}

fn place(file: &str, world: &World) -> Utf8PathBuf {
    match (file.strip_prefix("~/"), file.strip_prefix("./")) {
        (Some(file), _) => world.home().join(file),
        (_, Some(file)) => world.workspace().join(file),
        _ => panic!("{file} is in no folder"),
    }
}

fn filled(text: &str, world: &World) -> String {
    text.replace("{home}", world.home().as_str())
        .replace("{project}", world.workspace().as_str())
}

fn read(file: &Utf8Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

fn put(file: &Utf8Path, text: &str) {
    let folder = file.parent().expect("a folder");
    fs::create_dir_all(folder).expect("a folder");
    fs::write(file, text).expect("a file");
}

/// Puts more into a file.
fn add(file: &Utf8Path, more: &str) {
    let mut text = read(file);
    if file.extension() == Some("json") && !text.is_empty() {
        let parse = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let mut now = parse(&text);
        merge(&mut now, parse(more));
        text = now.to_string();
    } else {
        text.push_str(more);
    }
    put(file, &text);
}

fn merge(now: &mut Value, more: Value) {
    match (now, more) {
        (Value::Object(now), Value::Object(more)) => {
            for (name, value) in more {
                merge(now.entry(name).or_insert(Value::Null), value);
            }
        }
        (now, more) => *now = more,
    }
}
