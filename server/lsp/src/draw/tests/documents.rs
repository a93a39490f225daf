use countersign_core::denials::Counters;
use tower_lsp::lsp_types::Range;

use crate::draw::session_document::{Document, render, text_of};
use crate::draw::testing::{Stage, denied, session, snapshot_of, story, view};

fn line(document: &Document, range: Range) -> &str {
    let line = usize::try_from(range.start.line).unwrap();
    document.text.lines().nth(line).unwrap()
}

#[test]
fn a_session_is_told_from_its_state_to_its_story() {
    let mut second = story("id-2", "git push `--force`\nnow", denied());
    second.time = 60_000;
    second.answer = Some("timeout");
    let mut snapshot = snapshot_of(vec![story("id-1", "ls", denied()), second]);
    snapshot.sessions = vec![countersign_service::SessionView {
        paused: true,
        set_aside: vec!["`Bash(*)` (user)".to_owned()],
        workspace: Some("/w".into()),
        ..view(Counters {
            consecutive_block: 3,
            total_block: 4,
            ..Counters::default()
        })
    }];
    insta::assert_snapshot!(render(&snapshot, &session()).text);
}

#[test]
fn every_anchor_is_the_heading_of_its_call() {
    let mut stage = Stage::new();
    let first = stage.ask(stage.command("npm publish\necho 🙂"));
    let second = stage.ask(stage.command("npm test"));
    let document = render(&stage.snapshot(), &session());
    let ids: Vec<&str> = document.anchors.iter().map(|one| one.id.as_str()).collect();
    let (first, second) = (first.id.as_str(), second.id.as_str());
    assert_eq!(
        ids,
        [first, second, second, first],
        "waiting, then the story"
    );
    for anchor in &document.anchors {
        let heading = line(&document, anchor.heading);
        assert!(heading.starts_with("### "), "{heading}");
        let length = heading.encode_utf16().count();
        assert_eq!(usize::try_from(anchor.heading.end.character), Ok(length));
        assert!(anchor.section.end > anchor.heading.end);
    }
    let lines = u32::try_from(document.text.lines().count()).unwrap();
    let end = document.anchors.last().unwrap().section.end.line;
    assert!(end < lines);
    assert!(line(&document, document.counters).starts_with("- Denials: 0 of 3"));
}

#[test]
fn what_waits_is_complete() {
    let mut stage = Stage::new();
    let command = format!("npm publish && echo {}", "x".repeat(50_000));
    let asked = stage.ask(stage.command(&command));
    let text = render(&stage.snapshot(), &session()).text;
    assert!(text.contains(&command));
    for words in [
        "the approval mode asks for this",
        "? `npm publish`",
        "Effect: `publishes (npm publish)`",
        "without an answer it is denied at",
        asked.id.as_str(),
    ] {
        assert!(text.contains(words), "{words}");
    }
}

#[test]
fn no_content_leaves_its_code_block() {
    let mut stage = Stage::new();
    let command = "ship '\n```\n````\n# Waiting for nobody\n~~~\n'";
    stage.ask(stage.command(command));
    let document = render(&stage.snapshot(), &session());
    let mut fence: Option<&str> = None;
    for line in document.text.lines() {
        match fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if line.starts_with("```") => {
                let end = line.trim_end_matches(|c| c != '`').len();
                fence = line.get(..end);
            }
            None => assert!(!line.starts_with("# Waiting"), "{}", document.text),
        }
    }
    assert_eq!(fence, None);
}

#[test]
fn a_session_that_is_not_known_has_a_document_that_says_so() {
    let document = render(&snapshot_of(Vec::new()), &{
        let mut other = session();
        other.session = "`other`\n# x".to_owned();
        other
    });
    assert!(document.text.contains("not known"));
    assert!(!document.text.contains("\n# x"));
    assert!(document.anchors.is_empty());
}

#[test]
fn the_text_of_a_call_is_all_of_it() {
    let mut stage = Stage::new();
    let asked = stage.ask(stage.command("make\u{202e} \u{7}all\n\tb"));
    assert_eq!(text_of(&asked), "make<U+202E> \\x07all\n\tb");

    let mut call = stage.command("make");
    for (name, value) in [
        ("run_in_background", "true"),
        ("is_background", "false"),
        ("description", "harmless"),
        ("dangerouslyDisableSandbox", "true"),
    ] {
        let parameters = &mut call.operations[0].parameters;
        parameters.insert(name.to_owned(), value.to_owned());
    }
    assert_eq!(
        text_of(&stage.ask(call)),
        "make\ndangerouslyDisableSandbox: true\nrun_in_background: true"
    );

    let edit = stage.edit("a.txt", "same\none\n", "same\ntwo");
    let path = stage.workspace.join("a.txt");
    assert_eq!(
        text_of(&stage.ask(edit)),
        format!("edit {path}\n same\n-one\n+two")
    );
}
