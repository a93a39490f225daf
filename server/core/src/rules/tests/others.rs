//! Rules for the web, MCP, sub-agents and everything else.

use crate::call::Subject;
use crate::facts::OperationFacts;
use crate::rules::testing::{Case, rules};
use crate::tool::Tool;

#[test]
fn the_web() {
    let set = rules(&[
        "deny WebFetch(domain:evil.net)",
        "allow WebFetch(domain:example.com)",
    ]);
    assert_eq!(Case::fetch(&["https://a.evil.net/"]).meets(&set), "deny");
    assert_eq!(
        Case::fetch(&["https://example.com/", "https://evil.net/"]).meets(&set),
        "deny"
    );
    assert!(Case::fetch(&["https://example.com/a"]).is_allowed(&set));
    assert!(!Case::fetch(&["https://example.com/a", "https://other.net/"]).is_allowed(&set));
    assert!(!Case::fetch(&["https://evilexample.com/"]).is_allowed(&set));
    // No URL was found in the prompt: the host is not known.
    assert_eq!(Case::fetch(&[]).meets(&set), "deny?");
    assert!(!Case::fetch(&[]).is_allowed(&set));
    assert!(Case::fetch(&["https://x.net/"]).is_allowed(&rules(&["allow WebFetch"])));
}

#[test]
fn mcp_tools() {
    let set = rules(&[
        "deny mcp__files__delete",
        "ask mcp__db",
        "allow mcp__files__read",
    ]);
    assert_eq!(Case::other("mcp__files__delete").meets(&set), "deny");
    assert_eq!(Case::other("mcp__db__query").meets(&set), "ask");
    assert_eq!(Case::other("mcp__files__read").meets(&set), "-");
    assert!(Case::other("mcp__files__read").is_allowed(&set));
    assert!(!Case::other("mcp__files__read2").is_allowed(&set));
    assert_eq!(
        Case::other("mcp__x__y").meets(&rules(&["deny mcp__*"])),
        "deny"
    );
    assert_eq!(Case::other("mcp__x__y").meets(&rules(&["deny *"])), "deny");
}

fn agent(kind: Option<&str>, parameters: &[(&str, &str)]) -> Case {
    let mut case = Case::new(
        Tool::Agent,
        Subject::Delegate {
            kind: kind.map(str::to_owned),
            prompt: "do it".to_owned(),
        },
        OperationFacts::default(),
    );
    case.operation.parameters = parameters
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    case
}

#[test]
fn sub_agents_by_type_and_parameters() {
    let set = rules(&["deny Agent(coder,model:opus)"]);
    assert_eq!(
        agent(Some("coder"), &[("model", "opus")]).meets(&set),
        "deny"
    );
    assert_eq!(
        agent(Some("Coder"), &[("model", "OPUS")]).meets(&set),
        "deny"
    );
    assert_eq!(agent(Some("coder"), &[("model", "haiku")]).meets(&set), "-");
    assert_eq!(agent(Some("coder"), &[]).meets(&set), "-");
    assert_eq!(agent(None, &[("model", "opus")]).meets(&set), "deny?");
    let allow = rules(&["allow Agent(coder,model:opus)"]);
    assert!(agent(Some("coder"), &[("model", "opus")]).is_allowed(&allow));
    assert!(!agent(Some("Coder"), &[("model", "opus")]).is_allowed(&allow));
    assert!(!agent(None, &[("model", "opus")]).is_allowed(&allow));
    assert!(!agent(Some("coder"), &[]).is_allowed(&allow));
    assert_eq!(
        agent(Some("plugin:review"), &[]).meets(&rules(&["ask Task(plugin:review)"])),
        "ask"
    );
    assert_eq!(
        agent(None, &[("model", "opus-4")]).meets(&rules(&["ask Agent(model:opus*)"])),
        "ask"
    );
}

#[test]
fn unknown_tools_by_their_exact_name() {
    let set = rules(&["deny Deploy", "allow Greet"]);
    assert_eq!(Case::other("Deploy").meets(&set), "deny");
    assert_eq!(Case::other("Deploy2").meets(&set), "-");
    assert!(Case::other("Greet").is_allowed(&set));
    assert!(!Case::other("greet").is_allowed(&set));
    let mut with_parameter = Case::other("Deploy");
    with_parameter
        .operation
        .parameters
        .insert("to".to_owned(), "prod".to_owned());
    assert_eq!(
        with_parameter.meets(&rules(&["ask Deploy(to:prod)"])),
        "ask"
    );
}
