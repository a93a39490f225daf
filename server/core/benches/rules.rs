//! A decision over 1,000 mixed rules: the target is 20 µs at the median.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::hint::black_box;

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::{
    Access, CommandText, Operation, PathUse, ShellDialect, Subject as CallSubject,
};
use countersign_core::command::{CommandView, Operand, SimpleCommand, Word, WordValue};
use countersign_core::facts::OperationFacts;
use countersign_core::paths::{FileKind, PathFact};
use countersign_core::rules::{Reading, RuleList, RuleOrigin, RuleSet, Scope, Subject};
use countersign_core::tool::Tool;
use criterion::{Criterion, criterion_group, criterion_main};

const CWD: &str = "/work/app";
const HOME: &str = "/home/u";

/// Rules of every kind, as a long-lived project with several layers has them.
fn rules() -> RuleSet {
    let origin = RuleOrigin {
        scope: Scope::User,
        file: Some("/home/u/.config/countersign/settings.json".into()),
        line: Some(1),
        root: CWD.into(),
        reading: Reading::Countersign,
    };
    let rules = (0..1_000_u32).map(|number| {
        let list = match number % 3 {
            0 => RuleList::Deny,
            1 => RuleList::Ask,
            _ => RuleList::Allow,
        };
        let text = match number / 3 % 10 {
            0 => format!("Bash(tool{number} *)"),
            1 => format!("Bash(git sub{number} --flag *)"),
            2 => format!("Bash(npm run task{number})"),
            3 => format!("Bash(*marker{number}*)"),
            4 => format!("Read(//srv/data{number}/**)"),
            5 => format!("Edit(./generated/part{number}/**)"),
            6 => format!("Read(secret{number}.env)"),
            7 => format!("WebFetch(domain:host{number}.example.com)"),
            8 => format!("mcp__server{number}__tool"),
            _ => format!("Read(**/*.kind{number})"),
        };
        (list, text, origin.clone())
    });
    let last = [(
        RuleList::Allow,
        "Bash(cargo test *)".to_owned(),
        origin.clone(),
    )];
    RuleSet::compile(rules.chain(last), Utf8Path::new(HOME))
}

fn fact(given: &str, access: Access) -> PathFact {
    let absolute = Utf8PathBuf::from(format!("{CWD}/{given}"));
    PathFact {
        given: given.to_owned(),
        canonical: absolute.clone(),
        absolute,
        access,
        kind: FileKind::File,
        links: 1,
    }
}

fn command(text: &str) -> SimpleCommand {
    let words: Vec<Word> = text
        .split(' ')
        .map(|word| Word {
            value: WordValue::Literal(word.to_owned()),
            span: 0..0,
        })
        .collect();
    let operands = text
        .split(' ')
        .enumerate()
        .skip(1)
        .filter(|(_, word)| !word.starts_with('-'))
        .map(|(word, text)| Operand {
            word,
            path: fact(text, Access::Read),
        })
        .collect();
    SimpleCommand {
        words,
        operands,
        ..SimpleCommand::default()
    }
}

fn shell(texts: &[&str]) -> (Operation, OperationFacts) {
    let operation = Operation {
        tool: Tool::RunShellCommand,
        subject: CallSubject::Command(CommandText {
            text: texts.join(" && "),
            dialect: ShellDialect::Bash,
        }),
        parameters: BTreeMap::new(),
    };
    let facts = OperationFacts {
        command: Some(CommandView {
            commands: texts.iter().map(|text| command(text)).collect(),
            problems: Vec::new(),
        }),
        ..OperationFacts::default()
    };
    (operation, facts)
}

fn file(tool: Tool, path: &str, access: Access) -> (Operation, OperationFacts) {
    let operation = Operation {
        tool,
        subject: CallSubject::Paths(vec![PathUse {
            path: path.to_owned(),
            access,
            change: None,
        }]),
        parameters: BTreeMap::new(),
    };
    let facts = OperationFacts {
        paths: vec![fact(path, access)],
        ..OperationFacts::default()
    };
    (operation, facts)
}

/// Steps 1, 3 and 4 of the order of decisions.
fn decide(rules: &RuleSet, operation: &Operation, facts: &OperationFacts) -> bool {
    let subject = Subject {
        operation,
        facts,
        cwd: Utf8Path::new(CWD),
        home: Utf8Path::new(HOME),
    };
    rules.deny(&subject).is_none()
        && rules.ask(&subject).is_none()
        && rules.malformed_for(operation).is_none()
        && matches!(
            rules.vouch(&subject, &|_| true, &|_| false, &|_| None),
            countersign_core::rules::Vouch::All(_)
        )
}

fn a_decision(criterion: &mut Criterion) {
    let rules = rules();
    let mut group = criterion.benchmark_group("rules/1000");
    for (name, (operation, facts)) in [
        ("command", shell(&["cargo test -p core --lib"])),
        (
            "compound",
            shell(&[
                "cargo test -p core",
                "git commit -m message",
                "ls -la src/lib.rs",
            ]),
        ),
        (
            "read",
            file(Tool::ReadFile, "src/deep/er/module.rs", Access::Read),
        ),
        ("write", file(Tool::WriteFile, "src/lib.rs", Access::Write)),
        ("search", file(Tool::GrepSearch, "src", Access::ReadTree)),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| decide(black_box(&rules), black_box(&operation), black_box(&facts)));
        });
    }
    group.finish();
}

criterion_group!(benches, a_decision);
criterion_main!(benches);
