//! The single steps of the order of decisions.

use camino::Utf8PathBuf;

use crate::call::{Access, Call, Operation, Subject as CallSubject};
use crate::command::{Folder, SimpleCommand, WordValue};
use crate::decision::{AskReason, BlockReason, Decision, Via};
use crate::facts::{Analysis, OperationFacts};
use crate::guard;
use crate::mode::ApprovalMode;
use crate::paths::{self, FileKind, PathFact, Protected, ProtectedKind};
use crate::policy::{Policy, StaticAnalysis};
use crate::rules::{Hit, Scope, Subject, Vouch, glob_prefix};
use crate::tool::{Tool, ToolFamily};

/// Where a step looks.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) call: &'a Call,
    pub(super) operation: &'a Operation,
    pub(super) facts: &'a OperationFacts,
    pub(super) policy: &'a Policy,
    pub(super) mode: ApprovalMode,
}

impl<'a> At<'a> {
    fn subject(&self) -> Subject<'a> {
        Subject {
            operation: self.operation,
            facts: self.facts,
            cwd: &self.call.cwd,
            home: &self.policy.home,
        }
    }

    fn protected(&self, path: &PathFact) -> Option<Protected> {
        self.policy.protected.check(path)
    }

    /// Every path that the operation would change for certain.
    fn written(&self) -> impl Iterator<Item = &'a PathFact> + use<'a> {
        let named = self.facts.paths.iter().filter(|path| path.access.writes());
        let redirected = self
            .facts
            .command
            .iter()
            .flat_map(|view| &view.commands)
            .flat_map(|command| &command.redirects)
            .filter(|redirect| redirect.kind.writes())
            .filter_map(|redirect| redirect.path.as_ref());
        named.chain(redirected)
    }
}

/// Step 1: a deny rule matches for certain.
pub(super) fn deny_rule(at: &At<'_>) -> Option<Decision> {
    let hit = at.policy.rules.deny(&at.subject())?;
    hit.certain.then(|| Decision::Block {
        reason: BlockReason::RuleDenied,
        detail: told("deny rule", &hit),
    })
}

fn told(list: &str, hit: &Hit<'_>) -> String {
    if hit.certain {
        format!("{list} {} matches {}", hit.rule, hit.what)
    } else {
        format!("{list} {} may match {}", hit.rule, hit.what)
    }
}

/// Step 2: certain harm, or an attack on the guard.
pub(super) fn static_block(at: &At<'_>) -> Option<Decision> {
    if let Some(decision) = guard_attack(at) {
        return Some(decision);
    }
    let Analysis::Blocked { reason, guard: _ } = &at.facts.analysis else {
        return None;
    };
    if lifted_by_the_user(at) {
        return None;
    }
    Some(blocked(reason.clone()))
}

fn blocked(detail: String) -> Decision {
    Decision::Block {
        reason: BlockReason::StaticBlocked,
        detail,
    }
}

/// The part of step 2 that holds in every mode and that nothing lifts.
pub(super) fn guard_attack(at: &At<'_>) -> Option<Decision> {
    if let Analysis::Blocked {
        reason,
        guard: true,
    } = &at.facts.analysis
    {
        return Some(blocked(reason.clone()));
    }
    for path in at.written() {
        if let Some(Protected {
            kind: ProtectedKind::Guard,
            what,
        }) = at.protected(path)
        {
            return Some(blocked(format!(
                "would change the guard's own files: {} ({what})",
                path.canonical
            )));
        }
    }
    let view = at.facts.command.as_ref()?;
    for command in &view.commands {
        if let Some(reason) = guard::drives_the_guard(command) {
            return Some(blocked(reason));
        }
        let (Some(name), Some(access)) =
            (command.base_name(), guard::changes_its_operands(command))
        else {
            continue;
        };
        for operand in &command.operands {
            if let Some(Protected {
                kind: ProtectedKind::Guard,
                what,
            }) = at.protected(&PathFact {
                access: guard::changes_operand(command, access, operand.word),
                ..operand.path.clone()
            }) {
                return Some(blocked(format!(
                    "`{name}` would change the guard's own files: {} ({what})",
                    operand.path.canonical
                )));
            }
        }
        if let Some(folder) = guards_folder_by_pattern(at, command, access) {
            return Some(blocked(format!(
                "`{name}` would change the guard's own files in {folder}"
            )));
        }
    }
    None
}

/// The guard's own folder whose files a word means by a pattern
/// (`rm ~/x/*`), by its text alone.
fn guards_folder_by_pattern(
    at: &At<'_>,
    command: &SimpleCommand,
    access: Access,
) -> Option<Utf8PathBuf> {
    command.words.iter().skip(1).find_map(|word| {
        let WordValue::Glob(pattern) = &word.value else {
            return None;
        };
        let prefix = glob_prefix(pattern);
        let (folder, _) = prefix.rsplit_once('/')?;
        if command.folder != Folder::Call && !folder.starts_with(['/', '~']) {
            return None;
        }
        let folder = paths::lexical(&at.call.cwd, folder, &at.policy.home);
        let any = folder.join("*");
        let protected = at.protected(&PathFact {
            given: pattern.clone(),
            absolute: any.clone(),
            canonical: any,
            access,
            kind: FileKind::Missing,
            links: 1,
        })?;
        (protected.kind == ProtectedKind::Guard).then_some(folder)
    })
}

/// Whether literal allow rules of the user's own settings cover the whole
/// call: the person wrote down exactly this.
fn lifted_by_the_user(at: &At<'_>) -> bool {
    let vouch = at.policy.rules.vouch(
        &at.subject(),
        &|rule| rule.is_literal() && matches!(rule.origin().scope, Scope::System | Scope::User),
        &|_| false,
        &|_| None,
    );
    matches!(vouch, Vouch::All(_))
}

/// Step 3: an ask rule matches, a deny rule cannot be ruled out, or a deny or
/// ask rule of the tool cannot be read.
pub(super) fn ask_rule(at: &At<'_>) -> Option<Decision> {
    if let Some(hit) = at.policy.rules.ask(&at.subject()) {
        return Some(Decision::Ask {
            reason: AskReason::AskRule,
            detail: told("ask rule", &hit),
        });
    }
    deny_in_doubt(at).or_else(|| {
        let rule = at.policy.rules.malformed_for(at.operation)?;
        Some(Decision::Ask {
            reason: AskReason::RuleMalformed,
            detail: format!(
                "rule {rule} cannot be read; until it is mended, calls of its tool ask"
            ),
        })
    })
}

/// A deny rule that cannot be ruled out asks, in yolo too.
pub(super) fn deny_in_doubt(at: &At<'_>) -> Option<Decision> {
    if let Some(hit) = at.policy.rules.deny(&at.subject()) {
        return Some(Decision::Ask {
            reason: AskReason::AskRule,
            detail: told("deny rule", &hit),
        });
    }
    let rule = at.policy.rules.malformed_deny_for(at.operation)?;
    Some(Decision::Ask {
        reason: AskReason::RuleMalformed,
        detail: format!("rule {rule} cannot be read; until it is mended, calls of its tool ask"),
    })
}

/// Step 4: allow rules vouch for every part, and nothing protected is written.
pub(super) fn allow_rules(at: &At<'_>) -> Option<Decision> {
    if at.written().any(|path| at.protected(path).is_some()) {
        return None;
    }
    let in_auto = at.mode == ApprovalMode::Auto;
    let vouch = at.policy.rules.vouch(
        &at.subject(),
        &|rule| !(in_auto && rule.over_broad().is_some()),
        &|_| false,
        &|path| at.protected(path).map(|protected| protected.what),
    );
    match vouch {
        // The rule is about the file as the baseline has it.
        Vouch::All(_) if in_auto && at.facts.runs_changed => None,
        Vouch::All(rules) => Some(Decision::Allow {
            via: Via::Rule,
            detail: rules
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", "),
        }),
        Vouch::Not { .. } => None,
    }
}

/// Step 5: an edit inside the workspace.
pub(super) fn accept_edits(at: &At<'_>) -> Option<Decision> {
    paths::fast_path(
        &at.operation.tool,
        &at.facts.paths,
        &at.policy.workspaces,
        &at.policy.protected,
    )
    .ok()?;
    let names: Vec<&str> = at
        .facts
        .paths
        .iter()
        .map(|path| path.canonical.as_str())
        .collect();
    Some(Decision::Allow {
        via: Via::AcceptEdits,
        detail: format!("edit inside the workspace: {}", names.join(", ")),
    })
}

/// Step 6: a safe tool that reaches no credentials.
pub(super) fn safe_tool(at: &At<'_>) -> Option<Decision> {
    if !at.operation.tool.is_safe() || reaches_credentials(at).is_some() {
        return None;
    }
    Some(Decision::Allow {
        via: Via::SafeTool,
        detail: format!(
            "{} only reads or keeps the agent's own books",
            at.operation.tool
        ),
    })
}

fn reaches_credentials(at: &At<'_>) -> Option<&'static str> {
    if !at.policy.review_credential_reads {
        return None;
    }
    at.facts
        .paths
        .iter()
        .find_map(|path| paths::credential(path, &at.policy.workspaces, &at.policy.home))
}

/// Step 7: every effect of the command is contained.
pub(super) fn contained(at: &At<'_>, only_reads: bool) -> Option<Decision> {
    let Analysis::Contained { read_only } = at.facts.analysis else {
        return None;
    };
    let enough = match at.policy.static_analysis {
        StaticAnalysis::Contained => read_only || !only_reads,
        StaticAnalysis::ReadOnly => read_only,
        StaticAnalysis::Off => false,
    };
    enough.then(|| Decision::Allow {
        via: Via::Static,
        detail: if read_only {
            "the command only reads".to_owned()
        } else {
            "every effect of the command is contained".to_owned()
        },
    })
}

/// The end of default and auto-edit.
pub(super) fn mode_asks(at: &At<'_>) -> Decision {
    let detail = match reaches_credentials(at) {
        Some(what) if at.operation.tool.is_safe() => format!("would read {what}"),
        _ => format!("{} mode asks for {}", at.mode, at.operation.tool),
    };
    Decision::Ask {
        reason: AskReason::ApprovalMode,
        detail,
    }
}

/// Plan mode: reads are allowed, the web and read-only sub-agents ask, the
/// agent's own plan file may be written, everything else is blocked.
pub(super) fn plan(at: &At<'_>) -> Decision {
    if let Some(block) = deny_rule(at).or_else(|| static_block(at)) {
        return block;
    }
    let allowed = |detail: String| Decision::Allow {
        via: Via::Plan,
        detail,
    };
    let reads = match at.operation.tool.family() {
        ToolFamily::Read | ToolFamily::Bookkeeping | ToolFamily::Web => {
            safe_tool(at).or_else(|| allow_rules(at))
        }
        ToolFamily::Shell => contained(at, true),
        ToolFamily::Edit => plan_file(at).then(|| allowed("the agent's own plan".to_owned())),
        ToolFamily::Delegate
        | ToolFamily::Interaction
        | ToolFamily::Outward
        | ToolFamily::Mcp
        | ToolFamily::Other => None,
    };
    let asks = match &at.operation.tool {
        Tool::WebFetch | Tool::WebSearch => true,
        Tool::Agent => is_read_only(at.operation),
        // A read that reaches credentials: a person may still want it.
        tool => tool.is_safe(),
    };
    match reads {
        // Rules that ask hold for what plan mode would let through.
        Some(allow) => ask_rule(at).unwrap_or(allow),
        None if asks => ask_rule(at).unwrap_or_else(|| mode_asks(at)),
        None => Decision::Block {
            reason: BlockReason::PlanMode,
            detail: format!("plan mode changes nothing; {} may", at.operation.tool),
        },
    }
}

fn plan_file(at: &At<'_>) -> bool {
    !at.facts.paths.is_empty()
        && at.facts.paths.iter().all(|path| {
            path.access == Access::Write
                && paths::is_plan_file(at.call.key.agent, path, &at.policy.home)
        })
}

/// Types of sub-agents that their agents describe as read-only.
const READ_ONLY_SUBAGENTS: &[&str] = &[
    "Explore",
    "Plan",
    "explore",
    "plan",
    "codebase_investigator",
];

fn is_read_only(operation: &Operation) -> bool {
    match &operation.subject {
        CallSubject::Delegate {
            kind: Some(kind), ..
        } => READ_ONLY_SUBAGENTS.contains(&kind.as_str()),
        CallSubject::Delegate { kind: None, .. }
        | CallSubject::Command(_)
        | CallSubject::Paths(_)
        | CallSubject::Urls(_)
        | CallSubject::Other => false,
    }
}
