//! What the tests of projections are written with.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::agent::Agent;
use crate::call::{
    Access, Call, Change, CommandText, Operation, PathUse, SessionKey, ShellDialect, Subject,
};
use crate::command::CommandView;
use crate::denials::DenialLimits;
use crate::facts::{Facts, OperationFacts};
use crate::mode::{AgentMode, ApprovalMode};
use crate::paths::{FileKind, PathFact, ProtectedOptions, ProtectedPaths, lexical};
use crate::policy::{OnUnavailable, Policy, StaticAnalysis};
use crate::rules::RuleSet;
use crate::tool::Tool;

pub(crate) const CWD: &str = "/work/app";
const HOME: &str = "/home/u";

/// A policy with one workspace and the built-in protection.
pub(crate) fn policy() -> Policy {
    Policy {
        mode: ApprovalMode::Auto,
        rules: RuleSet::compile(std::iter::empty(), Utf8Path::new(HOME)),
        protected: LazyLock::new(Box::new(|| {
            ProtectedPaths::new(ProtectedOptions {
                home: HOME.into(),
                config_dir: "/home/u/.config/countersign".into(),
                state_dir: "/home/u/.local/state/countersign".into(),
                workspaces: vec![CWD.into()],
                ..ProtectedOptions::default()
            })
        })),
        workspaces: vec![CWD.into()],
        home: HOME.into(),
        limits: DenialLimits::default(),
        review_credential_reads: true,
        classify_all_shell: false,
        static_analysis: StaticAnalysis::default(),
        run_edited_code: false,
        on_unavailable: OnUnavailable::Block,
        problems: Vec::new(),
    }
}

/// A call of several operations.
pub(crate) fn call(operations: Vec<(Tool, Subject)>, raw_input: Value) -> Call {
    let parameters: BTreeMap<String, String> = raw_input
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| {
            let text = value.as_str().map(str::to_owned);
            let text = text.or_else(|| value.as_bool().map(|value| value.to_string()))?;
            Some((name.clone(), text))
        })
        .collect();
    Call {
        key: SessionKey {
            agent: Agent::ClaudeCode,
            session: "s".to_owned(),
            subagent: None,
        },
        id: None,
        raw_tool: "RawTool".to_owned(),
        cwd: CWD.into(),
        search_path: Vec::new(),
        agent_mode: AgentMode::Other,
        operations: operations
            .into_iter()
            .map(|(tool, subject)| Operation {
                tool,
                subject,
                parameters: parameters.clone(),
            })
            .collect(),
        raw_input,
    }
}

pub(crate) fn shell(command: &str) -> Call {
    let subject = Subject::Command(CommandText {
        text: command.to_owned(),
        dialect: ShellDialect::Bash,
    });
    let input = serde_json::json!({ "command": command });
    call(vec![(Tool::RunShellCommand, subject)], input)
}

pub(crate) fn path(path: &str, access: Access, change: Option<Change>) -> PathUse {
    PathUse {
        path: path.to_owned(),
        access,
        change,
    }
}

pub(crate) fn edit(file: &str, old: &str, new: &str) -> Call {
    let change = Change {
        old: old.to_owned(),
        new: new.to_owned(),
    };
    let subject = Subject::Paths(vec![path(file, Access::Write, Some(change))]);
    let input = serde_json::json!({ "file_path": file, "old_string": old, "new_string": new });
    call(vec![(Tool::Edit, subject)], input)
}

pub(crate) fn write(file: &str, content: &str) -> Call {
    let change = Change {
        old: String::new(),
        new: content.to_owned(),
    };
    let subject = Subject::Paths(vec![path(file, Access::Write, Some(change))]);
    let input = serde_json::json!({ "file_path": file, "content": content });
    call(vec![(Tool::WriteFile, subject)], input)
}

/// The facts of a call whose paths have no links.
pub(crate) fn facts(call: &Call) -> Facts {
    let fact = |used: &PathUse| {
        let absolute: Utf8PathBuf = lexical(&call.cwd, &used.path, Utf8Path::new(HOME));
        PathFact {
            given: used.path.clone(),
            canonical: absolute.clone(),
            absolute,
            access: used.access,
            kind: FileKind::File,
            links: 1,
        }
    };
    Facts {
        operations: call
            .operations
            .iter()
            .map(|operation| OperationFacts {
                paths: match &operation.subject {
                    Subject::Paths(paths) => paths.iter().map(fact).collect(),
                    _ => Vec::new(),
                },
                command: match &operation.subject {
                    Subject::Command(_) => Some(CommandView::default()),
                    _ => None,
                },
                ..OperationFacts::default()
            })
            .collect(),
        cwd: Some(call.cwd.clone()),
    }
}
