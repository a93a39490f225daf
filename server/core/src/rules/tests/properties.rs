//! Properties that hold for all commands.

use proptest::prelude::*;

use crate::command::{Assignment, Choice, CommandView, Known, Origin, SimpleCommand, WordValue};
use crate::rules::testing::{Case, command, rules};
use crate::rules::{RuleList, RuleSet, Vouch};

const DENY: &[&str] = &[
    "deny Bash(rm *)",
    "deny Bash(git push * --force)",
    "deny Bash(curl * | sh)",
    "deny Bash(*secret*)",
    "deny Read(.env)",
    "deny Edit(./lock.json)",
];
const ALLOW: &[&str] = &[
    "allow Bash(frob *)",
    "allow Bash(ls *)",
    "allow Bash(timeout 5 frob *)",
];

fn a_word() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("rm".to_owned()),
        Just("git".to_owned()),
        Just("push".to_owned()),
        Just("--force".to_owned()),
        Just("curl".to_owned()),
        Just("sh".to_owned()),
        Just("ls".to_owned()),
        Just("frob".to_owned()),
        Just(".env".to_owned()),
        Just("$X".to_owned()),
        Just("*.rs".to_owned()),
        Just(">lock.json".to_owned()),
        "[a-z./-]{1,6}",
    ]
}

fn a_command() -> impl Strategy<Value = SimpleCommand> {
    let origin = prop_oneof![
        4 => Just(Origin::Direct),
        1 => Just(Origin::Substituted),
        1 => Just(Origin::Function),
        1 => (0_usize..3).prop_map(|by| Origin::Wrapped { by }),
        1 => (0_usize..3).prop_map(|by| Origin::Launched { by }),
    ];
    (proptest::collection::vec(a_word(), 0..5), origin).prop_map(|(words, origin)| SimpleCommand {
        origin,
        ..command(&words.join(" "))
    })
}

fn a_view() -> impl Strategy<Value = CommandView> {
    proptest::collection::vec(a_command(), 0..4).prop_map(|commands| CommandView {
        commands,
        problems: Vec::new(),
    })
}

/// How strictly deny rules judge: 0 not at all, 1 perhaps, 2 for certain.
fn strictness(set: &RuleSet, view: &CommandView) -> u8 {
    let case = Case::shell(view.clone());
    set.deny(&case.subject())
        .map_or(0, |hit| if hit.certain { 2 } else { 1 })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn more_commands_never_make_it_less_strict(view in a_view(), more in a_command(), at in 0_usize..4) {
        let set = rules(DENY);
        let before = strictness(&set, &view);
        let mut longer = view;
        longer.commands.insert(at.min(longer.commands.len()), more);
        prop_assert!(strictness(&set, &longer) >= before);
    }

    #[test]
    fn assignments_never_make_it_less_strict(view in a_view(), name in "[A-Z]{1,5}") {
        let set = rules(DENY);
        let before = strictness(&set, &view);
        let mut assigned = view;
        for command in &mut assigned.commands {
            command.assignments.push(Assignment {
                name: name.clone(),
                value: Some(WordValue::Literal("1".to_owned())),
                for_this_command: true,
                span: 0..0,
            });
        }
        prop_assert_eq!(strictness(&set, &assigned), before);
    }

    #[test]
    fn what_becomes_unknown_is_never_ruled_out(
        view in a_view(), command in 0_usize..4, word in 0_usize..5, kind in 0..4,
    ) {
        let set = rules(DENY);
        let before = strictness(&set, &view);
        let mut vaguer = view;
        if let Some(command) = vaguer.commands.get_mut(command)
            && let Some(word) = command.words.get_mut(word)
            // What a program that is not known to read files may be given is
            // beyond path rules.
            && word.literal().is_some_and(|text| text != ".env")
        {
            let text = word.literal().unwrap_or_default().to_owned();
            let values = vec![WordValue::Literal(text.clone()), WordValue::Literal(format!("{text}x"))];
            let choice = Choice { by: None, values, splits: false };
            word.value = match kind {
                0 => WordValue::unknown(),
                1 => WordValue::Dynamic { prefix: String::new(), known: Known::OneWord },
                2 => WordValue::Dynamic { prefix: text.chars().take(1).collect(), known: Known::OneWord },
                _ => WordValue::Dynamic { prefix: text, known: Known::OneOf(choice) },
            };
            if before > 0 {
                prop_assert!(strictness(&set, &vaguer) > 0);
            }
        }
    }

    #[test]
    fn no_allow_holds_with_an_uncovered_command(view in a_view(), at in 0_usize..4, origin in prop_oneof![
        Just(Origin::Direct), Just(Origin::Substituted), Just(Origin::Function),
    ]) {
        let set = rules(ALLOW);
        let mut longer = view;
        let at = at.min(longer.commands.len());
        // What is inserted moves the indices of what stands behind it.
        for command in &mut longer.commands {
            if let Origin::Wrapped { by } | Origin::Launched { by } = &mut command.origin
                && *by >= at
            {
                *by += 1;
            }
        }
        longer.commands.insert(at, SimpleCommand { origin, ..command("uncovered x") });
        prop_assert!(!Case::shell(longer).is_allowed(&set));
    }

    #[test]
    fn what_is_allowed_stays_allowed_with_more_rules(view in a_view()) {
        let case = Case::shell(view);
        if case.is_allowed(&rules(ALLOW)) {
            let more: Vec<&str> = ALLOW.iter().chain(&["allow Bash(echo *)", "allow Edit(x)"]).copied().collect();
            prop_assert!(case.is_allowed(&rules(&more)));
        }
    }

    #[test]
    fn compiling_and_judging_any_text_is_total(text in any::<String>(), list in 0_usize..3, view in a_view()) {
        let list = RuleList::ALL[list];
        let line = format!("{list} {text}");
        let set = rules(&[&line]);
        let case = Case::shell(view);
        let _ = (set.deny(&case.subject()), set.ask(&case.subject()), set.malformed_for(&case.operation));
        let vouch = case.vouch(&set);
        prop_assert!(list == RuleList::Allow || !matches!(vouch, Vouch::All(_)));
        let again = set.rules()[0].text();
        prop_assert_eq!(again, text);
    }
}
