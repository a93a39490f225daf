//! What the tests of rules are written with: operations and command views made
//! of short texts. No shell grammar: words are split at spaces.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::call::{Access, CommandText, Operation, PathUse, ShellDialect, Subject as CallSubject};
use crate::command::{
    Assignment, CommandView, Known, Operand, Origin, Problem, Redirect, RedirectKind,
    SimpleCommand, Stdin, Word, WordValue,
};
use crate::facts::OperationFacts;
use crate::paths::{FileKind, PathFact};
use crate::rules::{Part, Reading, Rule, RuleList, RuleOrigin, RuleSet, Scope, Subject, Vouch};
use crate::tool::Tool;

pub(super) const CWD: &str = "/work/app";
pub(super) const HOME: &str = "/home/u";

/// The origin of every rule of the tests: the workspace's file.
pub(super) fn origin(reading: Reading) -> RuleOrigin {
    RuleOrigin {
        scope: Scope::Workspace,
        file: Some("/work/app/.countersign/settings.json".into()),
        line: Some(7),
        root: CWD.into(),
        reading,
    }
}

/// Rules from lines of the form `deny Bash(rm *)`.
pub(super) fn rules(lines: &[&str]) -> RuleSet {
    read_as(Reading::Countersign, lines)
}

pub(super) fn read_as(reading: Reading, lines: &[&str]) -> RuleSet {
    let rules = lines.iter().map(|line| {
        let (list, text) = line.split_once(' ').unwrap();
        let list = RuleList::ALL
            .into_iter()
            .find(|known| known.as_str() == list)
            .unwrap();
        (list, text.to_owned(), origin(reading))
    });
    RuleSet::compile(rules, Utf8Path::new(HOME))
}

/// A path as the host would resolve it, without links.
pub(super) fn fact(given: &str, access: Access) -> PathFact {
    let absolute = crate::paths::lexical(Utf8Path::new(CWD), given, Utf8Path::new(HOME));
    let name = absolute.file_name().unwrap_or_default();
    let kind = if name.contains('.') || name == "Makefile" {
        FileKind::File
    } else {
        FileKind::Directory
    };
    PathFact {
        given: given.to_owned(),
        canonical: absolute.clone(),
        absolute,
        access,
        kind,
        links: 1,
    }
}

fn value(text: &str) -> WordValue {
    match text.split_once('$') {
        Some((prefix, _)) => WordValue::Dynamic {
            prefix: prefix.to_owned(),
            known: Known::Nothing,
        },
        None if text.contains('*') => WordValue::Glob(text.to_owned()),
        None => WordValue::Literal(text.to_owned()),
    }
}

fn word(text: &str) -> Word {
    Word {
        value: value(text),
        span: 0..0,
    }
}

fn redirect(text: &str) -> Option<Redirect> {
    let text = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let (kind, target) = if text.starts_with(">&") || text.starts_with("<&") {
        (RedirectKind::Descriptor, None)
    } else if text.starts_with("<<") {
        (RedirectKind::Here, None)
    } else if let Some(target) = text.strip_prefix(">>") {
        (RedirectKind::Append, Some(target))
    } else if let Some(target) = text.strip_prefix("<>") {
        (RedirectKind::ReadWrite, Some(target))
    } else if let Some(target) = text.strip_prefix('>') {
        (RedirectKind::Write, Some(target))
    } else {
        (RedirectKind::Read, Some(text.strip_prefix('<')?))
    };
    let target = target.map(word);
    let access = if kind.writes() {
        Access::Write
    } else {
        Access::Read
    };
    Some(Redirect {
        path: target
            .as_ref()
            .and_then(Word::literal)
            .map(|text| fact(text, access)),
        kind,
        target,
        span: 0..0,
    })
}

/// One simple command: `$x` is dynamic, `*` a pattern, `NAME=value` in front
/// an assignment, `>file` a redirect.
pub(super) fn command(text: &str) -> SimpleCommand {
    let mut command = SimpleCommand::default();
    for part in text.split(' ').filter(|part| !part.is_empty()) {
        if let Some(redirect) = redirect(part) {
            if matches!(redirect.kind, RedirectKind::Read | RedirectKind::Here) {
                command.stdin = Stdin::Redirected;
            }
            command.redirects.push(redirect);
        } else if let Some((name, text)) = part.split_once('=')
            && command.words.is_empty()
        {
            command.assignments.push(Assignment {
                name: name.to_owned(),
                value: Some(value(text)),
                for_this_command: true,
                span: 0..0,
            });
        } else {
            command.words.push(word(part));
        }
    }
    command.operands = command
        .words
        .iter()
        .enumerate()
        .skip(1)
        .filter_map(|(index, word)| {
            let text = word.literal().filter(|text| !text.starts_with('-'))?;
            Some(Operand {
                word: index,
                path: fact(text, Access::Read),
            })
        })
        .collect();
    command
}

/// Commands parted by ` ; ` or, with a pipe between them, ` | `.
pub(super) fn view(text: &str) -> CommandView {
    let mut commands = Vec::new();
    for pipeline in text.split(" ; ") {
        for (position, part) in pipeline.split(" | ").enumerate() {
            let mut command = command(part);
            if position > 0 {
                command.stdin = Stdin::Pipe;
            }
            commands.push(command);
        }
    }
    CommandView {
        commands,
        problems: Vec::new(),
    }
}

/// The view with one more command of this origin.
pub(super) fn with(mut view: CommandView, text: &str, origin: Origin) -> CommandView {
    view.commands.push(SimpleCommand {
        origin,
        ..command(text)
    });
    view
}

/// An operation with its facts.
pub(super) struct Case {
    pub(super) operation: Operation,
    pub(super) facts: OperationFacts,
}

impl Case {
    pub(super) fn new(tool: Tool, subject: CallSubject, facts: OperationFacts) -> Self {
        Self {
            operation: Operation {
                tool,
                subject,
                parameters: BTreeMap::new(),
            },
            facts,
        }
    }

    pub(super) fn shell(view: CommandView) -> Self {
        let text = CommandText {
            text: "text is never looked at".to_owned(),
            dialect: ShellDialect::Bash,
        };
        Self::new(
            Tool::RunShellCommand,
            CallSubject::Command(text),
            OperationFacts {
                command: Some(view),
                ..OperationFacts::default()
            },
        )
    }

    pub(super) fn run(text: &str) -> Self {
        Self::shell(view(text))
    }

    pub(super) fn unclear(text: &str) -> Self {
        let mut view = view(text);
        view.problems.push(Problem {
            reason: "unclosed quote".to_owned(),
            span: None,
        });
        Self::shell(view)
    }

    pub(super) fn path(tool: Tool, path: PathFact) -> Self {
        let named = PathUse {
            path: path.given.clone(),
            access: path.access,
            change: None,
        };
        Self::new(
            tool,
            CallSubject::Paths(vec![named]),
            OperationFacts {
                paths: vec![path],
                ..OperationFacts::default()
            },
        )
    }

    pub(super) fn read(path: &str) -> Self {
        Self::path(Tool::ReadFile, fact(path, Access::Read))
    }

    pub(super) fn write(path: &str) -> Self {
        Self::path(Tool::WriteFile, fact(path, Access::Write))
    }

    pub(super) fn fetch(urls: &[&str]) -> Self {
        Self::new(
            Tool::WebFetch,
            CallSubject::Urls(urls.iter().map(|url| (*url).to_owned()).collect()),
            OperationFacts::default(),
        )
    }

    pub(super) fn other(tool: &str) -> Self {
        Self::new(
            Tool::from_canonical(tool),
            CallSubject::Other,
            OperationFacts::default(),
        )
    }

    pub(super) fn subject(&self) -> Subject<'_> {
        Subject {
            operation: &self.operation,
            facts: &self.facts,
            cwd: Utf8Path::new(CWD),
            home: Utf8Path::new(HOME),
        }
    }

    /// `deny`, `deny?`, `ask`, `ask?` or `-`: what the rules say first.
    pub(super) fn meets(&self, rules: &RuleSet) -> &'static str {
        let deny = rules.deny(&self.subject()).map(|hit| hit.certain);
        let ask = rules.ask(&self.subject()).map(|hit| hit.certain);
        match (deny, ask) {
            (Some(true), _) => "deny",
            (Some(false), _) => "deny?",
            (None, Some(true)) => "ask",
            (None, Some(false)) => "ask?",
            (None, None) => "-",
        }
    }

    pub(super) fn vouch<'r>(&self, rules: &'r RuleSet) -> Vouch<'r> {
        rules.vouch(&self.subject(), &|_| true, &|_: Part<'_>| false, &protected)
    }

    /// Whether allow rules vouch for it, in default mode.
    pub(super) fn is_allowed(&self, rules: &RuleSet) -> bool {
        matches!(self.vouch(rules), Vouch::All(_))
    }

    /// Whether allow rules vouch for it in auto mode.
    pub(super) fn is_allowed_in_auto(&self, rules: &RuleSet) -> bool {
        let active = |rule: &Rule| rule.over_broad().is_none();
        let vouch = rules.vouch(&self.subject(), &active, &|_: Part<'_>| false, &protected);
        matches!(vouch, Vouch::All(_))
    }
}

/// Protected in the tests: `.git` and package.json, for changes.
pub(super) fn protected(path: &PathFact) -> Option<String> {
    let is_protected = path
        .canonical
        .components()
        .any(|part| matches!(part.as_str(), ".git" | "package.json"));
    (is_protected && path.access.writes()).then(|| "protected".to_owned())
}

/// A path whose canonical form is another.
pub(super) fn link(given: &str, to: &str, access: Access) -> PathFact {
    PathFact {
        canonical: Utf8PathBuf::from(to),
        ..fact(given, access)
    }
}
