//! Rules that cannot be read, or cannot be meant.

use crate::rules::RuleError;
use crate::rules::testing::{Case, rules};

fn error(rule: &str) -> Option<RuleError> {
    rules(&[rule]).rules().first().unwrap().error().cloned()
}

#[test]
fn what_cannot_be_read_is_said_with_its_remedy() {
    for rule in [
        "deny Bash(rm",
        "deny Bash(rm *) x",
        "deny Bash rm",
        "deny (rm)",
        "deny Bash(echo 'a)",
        "deny Bash(echo x > f)",
        "allow Bash(cd x && npm test)",
        "allow Bash(FOO=* npm test)",
        "deny Bash(;)",
        "deny Read(~bob/x)",
        "deny Read($HOME/x)",
        "deny Read(!x)",
        "deny Read(**/../x)",
        "deny Read({a,b)",
        "deny WebFetch(https://x.com/a)",
        "deny WebFetch(domain:a b)",
        "allow WebFetch(domain:*.github.io)",
        "deny TodoWrite(x)",
        "deny mcp__",
        "allow *",
        "allow Web*",
        "deny  ",
        "deny Bash(a\u{7}b)",
    ] {
        let error = error(rule).unwrap_or_else(|| panic!("{rule}"));
        assert!(error.is_malformed(), "{rule}");
        let text = error.to_string();
        assert!(!text.ends_with('.') && !text.is_empty(), "{text}");
    }
    assert_eq!(error("deny Bash(rm *)"), None);
    assert_eq!(error("deny Bash(echo \"(\")"), None);
}

#[test]
fn a_malformed_deny_or_ask_rule_makes_its_tool_ask() {
    let set = rules(&[
        "deny Bash(rm",
        "ask Read(~bob/x)",
        "allow WebFetch(nonsense)",
    ]);
    assert!(set.malformed_for(&Case::run("ls").operation).is_some());
    assert!(set.malformed_deny_for(&Case::run("ls").operation).is_some());
    assert!(set.malformed_for(&Case::read("x").operation).is_some());
    assert!(set.malformed_deny_for(&Case::read("x").operation).is_none());
    // Not other tools, and not for a malformed allow rule.
    assert!(set.malformed_for(&Case::write("x").operation).is_none());
    assert!(
        set.malformed_for(&Case::fetch(&["https://x.net"]).operation)
            .is_none()
    );
    assert_eq!(set.problems().count(), 3);
}

#[test]
fn a_rule_whose_tool_cannot_be_read_concerns_every_tool() {
    for rule in ["deny (rm *)", "deny Bash rm *", "ask "] {
        let set = rules(&[rule]);
        for case in [Case::run("ls"), Case::read("x"), Case::other("mcp__a__b")] {
            assert!(set.malformed_for(&case.operation).is_some(), "{rule}");
        }
    }
}

#[test]
fn malformed_rules_match_nothing_by_themselves() {
    let set = rules(&["deny Bash(rm", "allow Bash(echo 'x)", "allow (x)"]);
    assert_eq!(Case::run("rm x").meets(&set), "-");
    assert!(!Case::run("echo x").is_allowed(&set));
}

#[test]
fn unknown_tools_are_reported_and_are_not_malformed() {
    let error = error("deny Bsh(cmd:rm)").unwrap();
    assert!(!error.is_malformed());
    assert_eq!(
        error.to_string(),
        "unknown tool `Bsh`; did you mean `Bash`?"
    );
    let set = rules(&["deny Bsh(cmd:rm)"]);
    assert!(set.malformed_for(&Case::run("rm x").operation).is_none());
    assert_eq!(set.problems().count(), 1);
}
