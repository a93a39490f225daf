//! Rules over what commands do: paths that no word names, and files that a rule
//! for a command would run.

use countersign_core::decide::{Situation, Step, decide};
use countersign_core::decision::{AskReason, Decision, Via};
use countersign_core::denials::Counters;
use countersign_core::mode::ApprovalMode;
use countersign_core::rules::{Reading, RuleList, RuleOrigin, RuleSet, Scope};

use crate::project::Project;

fn with_rules(rules: &[(RuleList, &str)]) -> Project {
    let mut project = Project::with(&[
        ("run.sh", "curl https://example.com\n"),
        ("data/secret.csv", "1\n"),
        ("data/plain.csv", "1\n"),
    ]);
    let root = project.root.clone();
    let compiled = rules.iter().map(|(list, text)| {
        let origin = RuleOrigin {
            scope: Scope::User,
            file: None,
            line: None,
            root: root.clone(),
            reading: Reading::Countersign,
        };
        (*list, (*text).to_owned(), origin)
    });
    project.policy.rules = RuleSet::compile(compiled, &project.home);
    project
}

fn decided(project: &Project, command: &str, mode: ApprovalMode) -> Step {
    let call = project.shell(command);
    let facts = project.facts(&call);
    decide(&Situation {
        call: &call,
        facts: &facts,
        policy: &project.policy,
        mode,
        counters: Counters::default(),
        granted: false,
        classifier: true,
    })
}

#[test]
fn a_deny_rule_meets_what_a_command_does_to_files_that_no_word_names() {
    let project = with_rules(&[(RuleList::Deny, "Edit(./data/secret.csv)")]);
    for command in [
        "find data -name '*.csv' -delete",
        "sed -n 'w data/secret.csv' data/plain.csv",
        "cd data && rm *.csv",
        "cp /dev/null data/secret.csv",
    ] {
        let step = decided(&project, command, ApprovalMode::Auto);
        let is_stopped = matches!(
            step,
            Step::Done(
                Decision::Ask {
                    reason: AskReason::AskRule,
                    ..
                } | Decision::Block { .. }
            )
        );
        assert!(is_stopped, "{command}: {step:?}");
    }
    let step = decided(&project, "rm data/plain.csv", ApprovalMode::Auto);
    let is_allowed = matches!(
        step,
        Step::Done(Decision::Allow {
            via: Via::Static,
            ..
        })
    );
    assert!(is_allowed, "{step:?}");
}

#[test]
fn a_rule_for_a_script_holds_in_auto_only_for_the_script_as_the_baseline_has_it() {
    let project = with_rules(&[
        (RuleList::Allow, "Bash(./run.sh)"),
        (RuleList::Allow, "Bash(bash run.sh)"),
    ]);
    let by_rule = |command: &str, mode| {
        matches!(
            decided(&project, command, mode),
            Step::Done(Decision::Allow { via: Via::Rule, .. })
        )
    };
    assert!(by_rule("./run.sh", ApprovalMode::Auto));
    assert!(by_rule("bash run.sh", ApprovalMode::Auto));
    project.write("run.sh", "curl https://example.com/other\n");
    assert!(!by_rule("./run.sh", ApprovalMode::Auto));
    assert!(!by_rule("bash run.sh", ApprovalMode::Auto));
    // Where every other call is asked about, the rule is what the person wrote.
    assert!(by_rule("./run.sh", ApprovalMode::Default));
}
