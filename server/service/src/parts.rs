//! What a call is made of, for people: which parts of it were already fine,
//! and what stands in the way of the others.

use countersign_core::call::{Call, Subject as CallSubject};
use countersign_core::command::{CommandView, Origin, SimpleCommand};
use countersign_core::decide::{self, Situation, Step};
use countersign_core::decision::{AskReason, Decision};
use countersign_core::denials::Counters;
use countersign_core::facts::{Analysis, Facts, OperationFacts};
use countersign_core::mode::ApprovalMode;
use countersign_core::paths::PathFact;
use countersign_core::policy::Policy;
use countersign_core::rules::{Subject, Vouch};

/// One part of a call and what the static layers say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The part as it stands in the call.
    pub text: String,
    /// Whether it would be allowed by itself.
    pub fine: bool,
    /// By what, or what is in the way.
    pub why: String,
}

/// What is decided in this mode without a model, grants or counters.
#[must_use]
pub fn static_decision(
    call: &Call,
    facts: &Facts,
    policy: &Policy,
    mode: ApprovalMode,
) -> Decision {
    match decide::decide(&Situation {
        call,
        facts,
        policy,
        mode,
        counters: Counters::default(),
        granted: false,
        classifier: false,
    }) {
        Step::Done(decision) => decision,
        Step::NoOpinion | Step::Classify => Decision::Ask {
            reason: AskReason::NoClassifier,
            detail: "no static layer decides this".to_owned(),
        },
    }
}

/// The parts of a call: each simple command of its own, as the allow rules see
/// it, or each path of a file operation. Empty where a call has no parts.
#[must_use]
pub fn parts(call: &Call, facts: &Facts, policy: &Policy, mode: ApprovalMode) -> Vec<Part> {
    let operations = call.operations.iter().zip(&facts.operations);
    operations
        .flat_map(|(operation, operation_facts)| {
            let of = |facts: OperationFacts, text: String| {
                let alone = Call {
                    operations: vec![operation.clone()],
                    ..call.clone()
                };
                part(&alone, facts, text, policy, mode)
            };
            match &operation.subject {
                CallSubject::Command(command) => {
                    let view = operation_facts.command.as_ref();
                    simple_commands(view)
                        .map(|simple| {
                            let text = command.text.get(simple.span.clone());
                            let facts = OperationFacts {
                                command: Some(alone(simple)),
                                analysis: of_a_part(&operation_facts.analysis),
                                ..OperationFacts::default()
                            };
                            of(facts, text.unwrap_or_default().to_owned())
                        })
                        .collect::<Vec<_>>()
                }
                CallSubject::Paths(paths) => paths
                    .iter()
                    .map(|path| path.path.clone())
                    .map(|text| of(operation_facts.clone(), text))
                    .collect(),
                CallSubject::Urls(_) | CallSubject::Delegate { .. } | CallSubject::Other => {
                    Vec::new()
                }
            }
        })
        .collect()
}

/// The simple commands that stand in the text themselves: what they launch
/// belongs to them.
pub(crate) fn simple_commands(view: Option<&CommandView>) -> impl Iterator<Item = &SimpleCommand> {
    view.into_iter()
        .flat_map(|view| &view.commands)
        .filter(|command| !matches!(command.origin, Origin::Launched { .. }))
}

/// What is proven of a command is proven of each of its parts. Of a part of
/// another nothing is: its rules must still cover all of the parts.
fn of_a_part(analysis: &Analysis) -> Analysis {
    match analysis {
        Analysis::Contained { .. } => analysis.clone(),
        Analysis::NotProven | Analysis::Blocked { .. } => Analysis::NotProven,
    }
}

/// A simple command as the only one of its command.
fn alone(command: &SimpleCommand) -> CommandView {
    CommandView {
        commands: vec![SimpleCommand {
            origin: Origin::Direct,
            ..command.clone()
        }],
        problems: Vec::new(),
    }
}

fn part(
    call: &Call,
    facts: OperationFacts,
    text: String,
    policy: &Policy,
    mode: ApprovalMode,
) -> Part {
    let facts = Facts {
        operations: vec![facts],
        cwd: None,
    };
    let decision = static_decision(call, &facts, policy, mode);
    let (fine, why) = match &decision {
        Decision::Allow { .. } => (true, decision.detail().to_owned()),
        Decision::Denied { .. } | Decision::Block { .. } => (false, decision.detail().to_owned()),
        Decision::Ask { reason, .. } => match reason {
            AskReason::NoClassifier | AskReason::ApprovalMode => {
                (false, in_the_way(call, &facts, policy))
            }
            AskReason::AskRule
            | AskReason::RuleMalformed
            | AskReason::ConsecutiveBlock
            | AskReason::ConsecutiveUnavailable
            | AskReason::TotalDenial
            | AskReason::ClassifierUnavailable
            | AskReason::Unprojected => (false, decision.detail().to_owned()),
        },
    };
    Part { text, fine, why }
}

/// What no allow rule covers.
fn in_the_way(call: &Call, facts: &Facts, policy: &Policy) -> String {
    let (Some(operation), Some(facts)) = (call.operations.first(), facts.operations.first()) else {
        return "nothing is known of it".to_owned();
    };
    let subject = Subject {
        operation,
        facts,
        cwd: &call.cwd,
        home: &policy.home,
    };
    let protected = |path: &PathFact| policy.protected.check(path).map(|protected| protected.what);
    match policy.rules.vouch(
        &subject,
        &|rule| rule.over_broad().is_none(),
        &|_| false,
        &protected,
    ) {
        Vouch::All(_) => "a protected path would be written".to_owned(),
        Vouch::Not { part } => format!("not covered: {part}"),
    }
}
