use std::collections::BTreeSet;

use tower_lsp::lsp_types::{CodeAction, CodeActionKind, CodeActionOrCommand, Range, Url};

use crate::draw::diagnostics::{Files, all};
use crate::draw::testing::{Stage, denied, files, ours, plain, range, session, snapshot_of, story};
use crate::draw::{actions, hover, lens, session_document, uri};
use crate::protocol::commands;
use crate::snapshot::Snapshot;

fn at(snapshot: &Snapshot, uri: &Url, range: Range) -> Vec<CodeAction> {
    let offered = actions::at(snapshot, &ours(), &mut Files::real(), uri, range);
    unwrapped(offered)
}

fn unwrapped(offered: Vec<CodeActionOrCommand>) -> Vec<CodeAction> {
    let action = |one| match one {
        CodeActionOrCommand::CodeAction(action) => action,
        CodeActionOrCommand::Command(command) => panic!("{command:?}"),
    };
    offered.into_iter().map(action).collect()
}

fn titles(actions: &[CodeAction]) -> Vec<&str> {
    actions.iter().map(|action| action.title.as_str()).collect()
}

fn session_uri() -> Url {
    uri::session(&session()).unwrap()
}

#[test]
fn a_waiting_command_can_be_denied_first_approved_remembered_and_explained() {
    let mut stage = Stage::new();
    let asked = stage.ask(stage.command("npm publish"));
    let snapshot = stage.snapshot();
    let heading = session_document::render(&snapshot, &session()).anchors[0].heading;
    let offered = at(&snapshot, &session_uri(), heading);
    assert_eq!(
        titles(&offered),
        [
            "Deny",
            "Approve once",
            "Approve and remember `Bash(npm publish)`",
            "Explain"
        ]
    );
    let of: Vec<_> = offered
        .iter()
        .map(|action| {
            let command = action.command.as_ref().unwrap();
            (command.command.as_str(), command.arguments.clone().unwrap())
        })
        .collect();
    let id = serde_json::json!(asked.id);
    let rule = serde_json::json!("Bash(npm publish)");
    assert_eq!(
        of,
        [
            (commands::DENY, vec![id.clone()]),
            (commands::APPROVE, vec![id.clone()]),
            (commands::REMEMBER, vec![id.clone(), rule]),
            (commands::EXPLAIN, vec![id]),
        ]
    );
    let drawn = all(&snapshot, &ours(), &mut Files::real());
    for action in &offered {
        assert_eq!(action.kind, Some(CodeActionKind::QUICKFIX));
        assert_eq!(action.is_preferred, None);
        assert_eq!(action.diagnostics.as_ref(), Some(&drawn[&session_uri()]));
    }
}

#[test]
fn several_rules_are_not_offered_as_one_action() {
    let mut stage = Stage::new();
    let asked = stage.ask(stage.command("npm publish && npm test"));
    assert_eq!(asked.suggestions.len(), 2);
    let snapshot = stage.snapshot();
    let section = session_document::render(&snapshot, &session()).anchors[0].section;
    let offered = at(&snapshot, &session_uri(), section);
    let remember = offered.iter().any(|one| one.title.contains("remember"));
    assert!(!remember && titles(&offered)[0] == "Deny");
}

#[test]
fn an_edit_is_offered_in_any_column_of_its_lines_and_nowhere_else() {
    let mut stage = Stage::new();
    let file = stage.write("a.txt", "zero\none two\nthree\n");
    stage.ask(stage.edit("a.txt", "two\nthree", "2\n3"));
    let snapshot = stage.snapshot();
    let uri = uri::file(&file).unwrap();
    for line in [1, 2] {
        let offered = at(&snapshot, &uri, range((line, 0), (line, 0)));
        let titles = titles(&offered);
        assert_eq!(titles[..2], ["Deny", "Approve once"]);
        assert!(titles.contains(&"Show proposed change"));
    }
    assert!(at(&snapshot, &uri, range((0, 0), (0, 4))).is_empty());
    let other = Url::parse("file:///elsewhere").unwrap();
    assert!(at(&snapshot, &other, range((1, 0), (1, 0))).is_empty());
    let foreign = Url::parse("untitled:1").unwrap();
    assert!(at(&snapshot, &foreign, range((1, 0), (1, 0))).is_empty());
}

#[test]
fn several_calls_at_a_place_are_named_and_every_deny_is_first() {
    let mut stage = Stage::new();
    for command in ["npm publish", "npm test", "sed -i 1d x", "sed -i  1d x"] {
        stage.ask(stage.command(command));
    }
    let settings = stage.workspace.join(".countersign/settings.json");
    let offered = unwrapped(actions::at(
        &stage.snapshot(),
        &plain(),
        &mut files(&[]),
        &uri::file(&settings).unwrap(),
        range((0, 0), (0, 0)),
    ));
    let titles = titles(&offered);
    assert_eq!(titles[0], "Deny: npm publish");
    assert!(titles[..4].iter().all(|title| title.starts_with("Deny: ")));
    assert!(titles[4..].iter().all(|title| !title.starts_with("Deny")));
    let different: BTreeSet<_> = titles.iter().collect();
    assert_eq!(different.len(), titles.len(), "{titles:?}");
}

#[test]
fn only_what_the_classifier_denied_can_be_allowed_once() {
    let snapshot = snapshot_of(vec![
        story("denied", "a", denied()),
        story(
            "by-rule",
            "b",
            countersign_core::decision::Decision::Block {
                reason: countersign_core::decision::BlockReason::RuleDenied,
                detail: String::new(),
            },
        ),
        countersign_service::CallStory {
            elsewhere: true,
            ..story("elsewhere", "c", denied())
        },
    ]);
    let document = session_document::render(&snapshot, &session());
    let offered = |id: &str| {
        let section = document.anchor(id).unwrap().section;
        let offered = at(&snapshot, &session_uri(), section);
        titles(&offered).join(", ")
    };
    assert_eq!(offered("denied"), "Explain, Allow this exact call once");
    assert_eq!(offered("by-rule"), "Explain");
    assert_eq!(offered("elsewhere"), "Explain");
}

#[test]
fn a_title_neither_deceives_nor_shows_a_secret() {
    let mut stage = Stage::new();
    let secret = format!("ghp_{}", "Ab1".repeat(12));
    stage.ask(stage.command(&format!("x \u{202e}{secret}")));
    stage.ask(stage.command(&format!("{} tail", "y".repeat(100))));
    let settings = stage.workspace.join(".countersign/settings.json");
    let uri = uri::file(&settings).unwrap();
    let place = range((0, 0), (0, 0));
    let offered = actions::at(&stage.snapshot(), &plain(), &mut files(&[]), &uri, place);
    for action in unwrapped(offered) {
        assert!(!action.title.contains(&secret));
        assert!(!action.title.contains('\u{202e}'));
        assert!(!action.title.contains("tail") || action.title.contains("remember"));
    }
}

#[test]
fn lenses_stand_at_waiting_calls_and_at_counters_that_can_be_reset() {
    let mut stage = Stage::new();
    let asked = stage.ask(stage.command("npm publish"));
    let mut snapshot = stage.snapshot();
    let stats = lens::RuleStats::default();
    let shown = |snapshot: &Snapshot| -> Vec<(String, u32)> {
        lens::at(snapshot, &session_uri(), &stats, None)
            .into_iter()
            .map(|one| (one.command.unwrap().title, one.range.start.line))
            .collect()
    };
    let heading = session_document::render(&snapshot, &session()).anchors[0].heading;
    let line = heading.start.line;
    let of_call = [("Deny", line), ("Approve once…", line), ("Explain", line)];
    let of_call: Vec<_> = of_call.map(|(title, line)| (title.to_owned(), line)).into();
    assert_eq!(shown(&snapshot), of_call);
    let first = lens::at(&snapshot, &session_uri(), &stats, None).remove(0);
    assert_eq!(
        first.command.unwrap().arguments,
        Some(vec![serde_json::json!(asked.id)])
    );

    snapshot.sessions[0].counters.total_block = 1;
    assert_eq!(shown(&snapshot)[0].0, "reset counters");
    snapshot.sessions[0].elsewhere = true;
    assert_eq!(shown(&snapshot)[0].0, "Deny");
}

#[test]
fn a_hover_explains_the_call_under_it() {
    let mut stage = Stage::new();
    let file = stage.write("a.txt", "one\ntwo\n");
    stage.ask(stage.edit("a.txt", "two", "2"));
    let snapshot = stage.snapshot();
    let stats = lens::RuleStats::default();
    let hovered = |line, column| {
        let position = tower_lsp::lsp_types::Position::new(line, column);
        let uri = uri::file(&file).unwrap();
        hover::at(
            &snapshot,
            &ours(),
            &mut Files::real(),
            &uri,
            position,
            &stats,
        )
    };
    let hover = hovered(1, 1).unwrap();
    assert_eq!(hover.range, Some(range((1, 0), (1, 3))));
    let text = format!("{:?}", hover.contents);
    assert!(text.contains("+2") && text.contains("How to change it"));
    assert_eq!(hovered(0, 1), None);
}
