//! How long the whole static decision takes: view, effects and containment, in
//! a workspace that costs nothing to look at.

#![allow(
    unused_imports,
    missing_docs,
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing
)]

#[path = "../tests/it/knowledge.rs"]
mod knowledge;
#[path = "../tests/it/workspace.rs"]
mod workspace;

/// A workspace that holds nothing, and is looked at for nothing.
struct Nothing;

impl World for Nothing {
    fn place(&self, text: &str, _: &Folder, _: Touch) -> Place {
        let path = Utf8Path::new("/work/project").join(text);
        Place {
            written: path.clone(),
            path,
            scope: Scope::Workspace,
            kind: FileKind::Missing,
            can_be_had_back: true,
        }
    }

    fn expand(&self, pattern: &str, _: &Folder) -> Option<Vec<String>> {
        Some(
            (0..100)
                .map(|number| format!("{pattern}{number}"))
                .collect(),
        )
    }

    fn tree(&self, _: &str, _: &Folder) -> Option<Tree> {
        Some(Tree {
            links_lead_out: false,
            has_odd_names: false,
        })
    }

    fn repository(&self, _: &Folder) -> Repository {
        Repository::default()
    }
}

fn decide(text: &str) -> Containment {
    let view = countersign_shell::view(&CommandText {
        text: text.to_owned(),
        dialect: ShellDialect::Bash,
    });
    countersign_shell::contain(&countersign_shell::effects(&view), &Nothing)
}

use std::collections::BTreeSet;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use countersign_core::call::{CommandText, ShellDialect};
use countersign_core::command::Folder;
use countersign_core::effect::Touch;
use countersign_core::paths::FileKind;
use countersign_shell::{Containment, Place, Repository, Scope, Tree, World};
use criterion::{Criterion, criterion_group, criterion_main};

/// Our own corpora and the examples of the knowledge base, each text once: the
/// parser remembers what it has seen.
fn commands() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpora");
    let rows = ["effects.jsonl", "bypasses.jsonl"].map(|name| {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let rows = text.lines().filter_map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            Some(row["command"].as_str()?.to_owned())
        });
        rows.collect::<Vec<String>>()
    });
    rows.into_iter()
        .flatten()
        .chain(knowledge::contained_examples())
        .chain(knowledge::not_contained_examples())
        .collect()
}

fn timed(text: &str) -> Duration {
    let started = Instant::now();
    black_box(decide(black_box(text)));
    started.elapsed()
}

/// Each command once, as an agent sends them; prints how long they take.
fn distinct(_: &mut Criterion) {
    decide("ls");
    let mut times: Vec<(Duration, String)> = commands()
        .into_iter()
        .map(|text| (timed(&text), text))
        .collect();
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].0;
    println!(
        "{} distinct commands: p50 {:?}, p99 {:?}, most {:?} ({:.60})",
        times.len(),
        at(50),
        at(99),
        at(100),
        times.last().unwrap().1.replace('\n', " "),
    );
}

/// Inputs that are as large as is accepted.
fn worst(_: &mut Criterion) {
    let repeated = |part: &str, times: usize| part.repeat(times);
    let numbered =
        |times: usize, part: fn(usize) -> String| -> String { (0..times).map(part).collect() };
    let cases = [
        (
            "one long command",
            format!("touch {}", repeated("folder/file ", 3_900)),
        ),
        (
            "many deletes",
            format!("rm {}", numbered(3_900, |n| format!("d/{n} "))),
        ),
        (
            "many globs",
            format!("rm {}", numbered(3_900, |n| format!("{n}* "))),
        ),
        ("one glob often", format!("rm {}", repeated("* ", 3_900))),
        (
            "many commands",
            repeated("touch a b c d e f g h i j k l m n o p q r; ", 199),
        ),
        (
            "many moves",
            numbered(66, |n| format!("mv a{n} b{n}; cat b{n}; rm b{n}; ")),
        ),
        (
            "many copies of trees",
            numbered(100, |n| format!("cp -r src b{n}; cat b{n}/x; ")),
        ),
        (
            "git",
            numbered(99, |n| format!("touch d{n}/HEAD; git status; ")),
        ),
        (
            "git with paths",
            format!("git add {}", numbered(3_900, |n| format!("f{n} "))),
        ),
        ("options", format!("ls {}", repeated("-l ", 3_900))),
        (
            "long options",
            format!("grep {} x", repeated("--include=a ", 3_900)),
        ),
        ("sed", format!("sed '{}' a", repeated("s/a/b/;", 8_000))),
        ("awk", format!("awk '{}' a", repeated("{print $1}", 6_000))),
        ("jq", format!("jq '{}.' a", repeated(".a|", 15_000))),
        ("find", format!("find . {}", repeated("-name a -o ", 1_900))),
        ("tar", format!("tar -cf x.tar {}", repeated("a ", 3_900))),
        (
            "loop",
            format!("for f in {}; do cat $f; done", repeated("a ", 1_000)),
        ),
        (
            "loops",
            format!(
                "{}cat $a{}",
                numbered(6, |n| format!(
                    "for {} in 1 2 3 4 5; do ",
                    (b'a' + n as u8) as char
                )),
                repeated("; done", 6)
            ),
        ),
        (
            "gcc",
            format!("gcc {}", numbered(3_900, |n| format!("f{n}.c "))),
        ),
        (
            "wrappers",
            repeated("env timeout 5 nice env nohup ls; ", 30),
        ),
        ("poisoning", repeated("A=1 ", 3_900)),
        ("unknown", repeated("nonesuch $x; ", 199)),
        ("tests", repeated("[ -f a ]; ", 199)),
    ];
    for (name, text) in cases {
        let first = timed(&text);
        println!("{name:22} {first:?}");
    }
}

criterion_group!(benches, distinct, worst);
criterion_main!(benches);
