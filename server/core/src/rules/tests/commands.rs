//! Deny and ask rules for commands.

use crate::command::{CommandView, Origin, SimpleCommand};
use crate::rules::Reading;
use crate::rules::testing::{Case, command, read_as, rules, view, with};

fn denied(rule: &str, text: &str) -> &'static str {
    Case::run(text).meets(&rules(&[&format!("deny {rule}")]))
}

#[test]
fn words_match_as_words() {
    for (rule, text, expected) in [
        ("Bash(git status)", "git status", "deny"),
        ("Bash(git status)", "git status -s", "-"),
        ("Bash(git status)", "git statuses", "-"),
        ("Bash(git status *)", "git status", "deny"),
        ("Bash(git status *)", "git status -s", "deny"),
        ("Bash(git status:*)", "git status -s", "deny"),
        ("Bash(ls *)", "lsof -i", "-"),
        ("Bash(ls *)", "ls", "deny"),
        ("Bash(rm:*)", "rm -rf x", "deny"),
        ("Bash(rm*)", "rm -rf x", "deny"),
        ("Bash(rm*)", "rmdir x", "deny"),
        ("Bash(*)", "anything at all", "deny"),
        ("Bash()", "anything at all", "deny"),
        ("Bash", "anything at all", "deny"),
        (
            "Bash(git push * --force)",
            "git push origin main --force",
            "deny",
        ),
        ("Bash(git push * --force)", "git push --force", "deny"),
        (
            "Bash(git push * --force)",
            "git push origin --force-with-lease",
            "-",
        ),
        ("Bash(git * push *)", "git -C . push", "deny"),
        ("Bash(git * push *)", "git push origin", "deny"),
        (
            "Bash(* --no-verify *)",
            "git commit --no-verify -m x",
            "deny",
        ),
        ("Bash(* --no-verify *)", "git commit -m x", "-"),
        ("Bash('rm' \"-rf\" x)", "rm -rf x", "deny"),
        ("Bash(npm run deploy:*)", "npm run deploy:prod", "deny"),
        ("Bash(npm run deploy:*)", "npm run deploy now", "deny"),
        ("Bash(npm run deploy:*)", "npm run build", "-"),
        ("run_shell_command(rm *)", "rm x", "deny"),
    ] {
        assert_eq!(denied(rule, text), expected, "{rule}: {text}");
    }
}

#[test]
fn programs_match_by_their_bare_name() {
    for (rule, text, expected) in [
        ("Bash(rm *)", "/bin/rm x", "deny"),
        ("Bash(rm *)", "./bin/rm x", "deny"),
        ("Bash(rm *)", "RM.EXE x", "deny"),
        ("Bash(rm *)", "/bin/rm.exe x", "deny"),
        ("Bash(rm *)", "/bin/rmdir x", "-"),
        ("Bash(/bin/rm *)", "/bin/rm x", "deny"),
        // It may be the same program, and may be another.
        ("Bash(/bin/rm *)", "rm x", "deny?"),
        ("Bash(./gradlew *)", "./gradlew test", "deny"),
        ("Bash(./gradlew *)", "/work/app/gradlew test", "deny?"),
        ("Bash(./gradlew *)", "gradle test", "-"),
    ] {
        assert_eq!(denied(rule, text), expected, "{rule}: {text}");
    }
}

#[test]
fn every_simple_command_counts_wherever_it_stands() {
    let set = rules(&["deny Bash(rm *)"]);
    assert_eq!(Case::run("cd x ; ls ; rm -rf y").meets(&set), "deny");
    assert_eq!(Case::run("ls | rm x").meets(&set), "deny");
    let launcher = "bash -c whatever";
    for origin in [
        Origin::Wrapped { by: 0 },
        Origin::Launched { by: 0 },
        Origin::Substituted,
        Origin::Function,
    ] {
        let case = Case::shell(with(view(launcher), "rm x", origin));
        assert_eq!(case.meets(&set), "deny", "{origin:?}");
    }
}

#[test]
fn what_is_not_known_cannot_be_ruled_out() {
    for (rule, text, expected) in [
        ("Bash(rm -rf *)", "rm $X", "deny?"),
        ("Bash(rm -rf *)", "$X -rf y", "deny?"),
        ("Bash(rm -rf *)", "rm -rf $X", "deny"),
        ("Bash(rm -rf *)", "r$X y", "deny?"),
        ("Bash(rm -rf *)", "mv $X", "-"),
        ("Bash(rm -rf *)", "ls $X -rf", "-"),
        ("Bash(git push)", "git $X", "deny?"),
        ("Bash(git push)", "git push$X", "deny?"),
        ("Bash(git push)", "git $X push", "deny?"),
        ("Bash(git push)", "git $X pull", "-"),
        ("Bash(git push)", "git pull$X", "-"),
        ("Bash(rm a.txt)", "rm *.txt", "deny?"),
        ("Bash(rm a.txt)", "rm b*.txt", "-"),
        ("Bash(/bin/rm *)", "/bin/r* x", "deny?"),
    ] {
        assert_eq!(denied(rule, text), expected, "{rule}: {text}");
    }
}

#[test]
fn what_is_not_understood_cannot_be_ruled_out() {
    let set = rules(&["deny Bash(rm *)"]);
    assert_eq!(Case::unclear("ls x").meets(&set), "deny?");
    assert_eq!(Case::unclear("rm x").meets(&set), "deny");
    // Where commands are known, only what forbids commands is in doubt: of
    // files that no word names rules say nothing, and what an ask rule wants to
    // see still needs somebody's judgement.
    assert_eq!(
        Case::unclear("ls x").meets(&rules(&["deny Read(.env)"])),
        "-"
    );
    assert_eq!(
        Case::unclear("ls x").meets(&rules(&["ask Bash(rm *)"])),
        "-"
    );
    // Where nothing is known, everything is.
    let mut nothing = Case::unclear("ls x");
    if let Some(view) = &mut nothing.facts.command {
        view.commands.clear();
    }
    for (rule, expected) in [
        ("deny Bash(rm *)", "deny?"),
        ("deny Read(.env)", "deny?"),
        ("ask Bash(rm *)", "ask?"),
        ("allow Bash(ls *)", "-"),
    ] {
        assert_eq!(nothing.meets(&rules(&[rule])), expected, "{rule}");
    }
    assert_eq!(
        Case::unclear("ls x").meets(&rules(&["allow Bash(rm *)"])),
        "-"
    );
    let mut unparsed = Case::run("ls");
    unparsed.facts.command = None;
    assert_eq!(unparsed.meets(&set), "deny?");
}

#[test]
fn assignments_do_not_hide_a_command_and_may_be_named() {
    assert_eq!(denied("Bash(rm *)", "FOO=1 rm x"), "deny");
    assert_eq!(
        denied(
            "Bash(NODE_ENV=production npm *)",
            "NODE_ENV=production npm start"
        ),
        "deny"
    );
    assert_eq!(
        denied("Bash(NODE_ENV=production npm *)", "NODE_ENV=$X npm start"),
        "deny?"
    );
    assert_eq!(denied("Bash(NODE_ENV=production npm *)", "npm start"), "-");
    assert_eq!(denied("Bash(LD_PRELOAD=*)", "LD_PRELOAD=./x.so ls"), "deny");
    assert_eq!(denied("Bash(LD_PRELOAD=*)", "LD_PRELOAD=./x.so"), "deny");
}

#[test]
fn several_commands_in_a_rule_are_meant_together() {
    let rule = "Bash(curl * | sh)";
    assert_eq!(denied(rule, "curl http://x | sh"), "deny");
    assert_eq!(denied(rule, "curl http://x | $SHELL"), "deny?");
    assert_eq!(denied(rule, "curl http://x"), "-");
    assert_eq!(denied(rule, "sh"), "-");
}

#[test]
fn a_home_folder_is_meant_however_it_is_written() {
    assert_eq!(denied("Bash(cat ~/x)", "cat ~/x"), "deny");
    assert_eq!(denied("Bash(cat ~/x)", "cat /home/u/x"), "deny");
}

#[test]
fn imported_rules_take_the_wider_reading() {
    let narrow = Case::run("git push origin");
    assert_eq!(narrow.meets(&rules(&["deny Bash(git push)"])), "-");
    assert_eq!(
        narrow.meets(&read_as(Reading::Qwen, &["deny Bash(git push)"])),
        "deny"
    );
    assert_eq!(
        narrow.meets(&read_as(Reading::Claude, &["deny Bash(git push)"])),
        "-"
    );
    let begins = read_as(Reading::Qwen, &["ask Bash(git pu*)"]);
    assert_eq!(narrow.meets(&begins), "ask");
    let exact = read_as(Reading::Qwen, &["allow Bash(npm test)"]);
    assert!(Case::run("npm test").is_allowed(&exact));
    assert!(!Case::run("npm test --x").is_allowed(&exact));
}

#[test]
fn a_certain_hit_is_told_before_a_possible_one() {
    let set = rules(&[
        "deny Bash(git push)",
        "deny Bash(git $X)",
        "deny Bash(git *)",
    ]);
    let case = Case::run("git $Y");
    let hit = case.subject();
    let hit = set.deny(&hit).unwrap();
    assert!(hit.certain);
    assert_eq!(hit.rule.text(), "Bash(git *)");
    assert_eq!(hit.what, "`git …`");
}

#[test]
fn a_rule_says_where_it_stands() {
    let set = rules(&["deny Bash(rm *)"]);
    let rule = set.rules().first().unwrap();
    assert_eq!(
        rule.to_string(),
        "`Bash(rm *)` (/work/app/.countersign/settings.json:7)"
    );
}

#[test]
fn a_rule_for_monitor_is_not_one_for_the_shell() {
    assert_eq!(denied("Monitor(rm *)", "rm x"), "-");
    let mut monitored = Case::run("rm x");
    monitored.operation.tool = crate::tool::Tool::Monitor;
    assert_eq!(monitored.meets(&rules(&["deny Bash(rm *)"])), "deny");
}

#[test]
fn hostile_lengths_stay_cheap() {
    let long = "a".repeat(60_000);
    let set = rules(&["deny Bash(rm *)", "deny Bash(*a*a*a*b)", "deny Bash(x *)"]);
    let case = Case::run(&format!("x{long} {long} $Y"));
    assert_eq!(case.meets(&set), "deny?");
    let many = CommandView {
        commands: vec![SimpleCommand::default(), command("ls -la")],
        problems: Vec::new(),
    };
    assert_eq!(Case::shell(many).meets(&set), "-");
}
