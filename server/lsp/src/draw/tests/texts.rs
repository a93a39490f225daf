use countersign_core::call::{Access, PathUse, Subject};
use countersign_core::tool::Tool;
use serde_json::json;

use crate::draw::diagnostics::Files;
use crate::draw::testing::{Stage, denied, files, snapshot_of, story};
use crate::draw::{change, explain, prompt_text};
use crate::protocol::{FileChange, FileChangeKind};

#[test]
fn a_short_command_is_in_its_prompt_as_it_would_run() {
    let mut stage = Stage::new();
    let asked = stage.ask(stage.command("npm publish --tag \"next\""));
    let prompt = prompt_text::approval(&asked);
    assert!(prompt.fits);
    assert_eq!(
        prompt.message,
        "Countersign: claude-code wants to run `npm publish --tag \"next\"`. Asked because \
         default mode asks for run_shell_command"
    );
}

#[test]
fn what_an_editor_could_cut_bend_or_make_a_link_of_does_not_fit() {
    for (command, fits) in [
        (format!("ship {}", "x".repeat(195)), true),
        (format!("ship {}", "x".repeat(196)), false),
        ("ship a\nship b".to_owned(), false),
        ("ship \u{202e}txt".to_owned(), false),
        ("ship \u{1b}[2J".to_owned(), false),
        ("ship '[x](command:y)'".to_owned(), false),
        // No control character is needed to change the order.
        ("npm publish \u{5d0} x \u{5d1}".to_owned(), false),
        ("npm publish \u{627}".to_owned(), false),
        ("npm publish \u{fb50}".to_owned(), false),
        ("npm publish \u{1e900}".to_owned(), false),
        ("npm publish \u{e4}\u{3b1}\u{4e2d}".to_owned(), true),
        (format!("ship a{}; ship b", " ".repeat(90)), false),
        ("ship `whoami`".to_owned(), true),
        ("curl https://example.org".to_owned(), true),
    ] {
        let mut stage = Stage::new();
        let asked = stage.ask(stage.command(&command));
        let prompt = prompt_text::approval(&asked);
        assert_eq!(prompt.fits, fits, "{command}");
        assert_eq!(prompt.message.contains(&command), fits, "{command}");
        assert_eq!(prompt.message.contains("choose Show"), !fits, "{command}");
        assert_eq!(prompt.message.lines().count(), 1, "{command}");
        assert!(!prompt.message.contains("]("), "{command}");
        assert!(
            !prompt.message.contains(['\u{202e}', '\u{1b}']),
            "{command}"
        );
        assert!(prompt.message.chars().count() < 900, "{command}");
    }
}

#[test]
fn a_prompt_says_how_often_it_was_asked_where_and_for_whom() {
    let mut stage = Stage::new();
    let mut call = stage.command("make");
    call.key.subagent = Some("builder [x](http://y)".to_owned());
    call.cwd = "/tmp".into();
    let mut asked = (*stage.ask(call)).clone();
    asked.asked_before = 3;
    asked.counters.consecutive_block = 3;
    asked.detail = "see <https://z> [here](command:a)\n".to_owned();
    let prompt = prompt_text::approval(&asked).message;
    for words in [
        "in `/tmp`",
        "for the sub-agent `builder [x]\\(http://y)`",
        "Asked 3 times before",
        "3 of 3 blocks in a row",
        "see \\<https:\\//z> [here]\\(command:a)",
    ] {
        assert!(prompt.contains(words), "{prompt}");
    }
}

#[test]
fn an_edit_or_an_unknown_tool_is_not_approved_from_one_line() {
    let mut stage = Stage::new();
    let edit = stage.ask(stage.edit("a.txt", "one", "two"));
    let prompt = prompt_text::approval(&edit);
    assert!(!prompt.fits);
    let path = stage.write("a.txt", "");
    let words = format!("wants to edit `{path}` (choose Show to read all ");
    assert!(prompt.message.contains(&words), "{prompt:?}");
    let tool = Tool::from_canonical("mcp__tracker__create");
    let call = stage.call(tool, Subject::Other, json!({ "title": "x" }));
    let prompt = prompt_text::approval(&stage.ask(call));
    assert!(!prompt.fits);
    assert!(
        prompt
            .message
            .contains("wants to call `mcp__tracker__create")
    );

    let path = stage.write("a.txt", "");
    let uses = vec![PathUse {
        path: path.to_string(),
        access: Access::Delete,
        change: None,
    }];
    let call = stage.call(Tool::DeleteFile, Subject::Paths(uses), json!({}));
    let prompt = prompt_text::approval(&stage.ask(call));
    assert!(prompt.fits);
    assert!(
        prompt
            .message
            .contains(&format!("wants to delete `{path}`"))
    );
}

#[test]
fn a_proposed_change_is_a_diff_against_the_file_as_it_is() {
    let mut stage = Stage::new();
    let file = stage.write("a.txt", "one\ntwo\nthree\nfour\nfive\nsix\n");
    let asked = stage.ask(stage.edit("a.txt", "five\n", "5\n"));
    let (title, diff) = change::change(&asked, &mut Files::real()).unwrap();
    assert_eq!(title, format!("Proposed change: {file}"));
    assert_eq!(
        diff,
        format!(
            "--- {file} (now)\n+++ {file} (proposed)\n@@ -2,5 +2,5 @@\n two\n three\n four\n-five\n\
             +5\n six\n"
        )
    );
    let whole = stage.ask(stage.edit("a.txt", "", "one\nTWO\u{202e}\n"));
    let (_, diff) = change::change(&whole, &mut Files::real()).unwrap();
    assert!(diff.contains("-two\n-three"), "{diff}");
    assert!(diff.contains("+TWO<U+202E>\n"), "{diff}");

    let (_, bare) = change::change(&asked, &mut files(&[])).unwrap();
    assert!(bare.contains("@@ -1 +1 @@\n-five\n+5\n"), "{bare}");
    let command = stage.ask(stage.command("make"));
    assert_eq!(change::change(&command, &mut files(&[])), None);
}

#[test]
fn edits_of_one_file_build_on_each_other() {
    let mut stage = Stage::new();
    stage.write("a.txt", "one\n");
    let mut call = stage.edit("a.txt", "one", "two");
    let mut more = stage.edit("a.txt", "two", "three");
    call.operations.append(&mut more.operations);
    let asked = stage.ask(call);
    let (_, diff) = change::change(&asked, &mut Files::real()).unwrap();
    assert!(diff.contains("-one\n+two\n"), "{diff}");
    assert!(diff.contains("-two\n+three\n"), "{diff}");
}

#[test]
fn a_change_has_two_sides_for_each_file_with_everything_visible() {
    let mut stage = Stage::new();
    let file = stage.write("a.txt", "one\ntwo\n");
    let mut call = stage.edit("a.txt", "one", "1\u{202e}");
    let mut more = stage.edit("a.txt", "two", "2");
    call.operations.append(&mut more.operations);
    let asked = stage.ask(call);
    let sides = |before: &str, after: &str, kind| FileChange {
        path: file.to_string(),
        kind,
        before: Some(before.to_owned()),
        after: Some(after.to_owned()),
    };
    assert_eq!(
        change::of_files(&asked.call, &asked.facts, &mut Files::real()),
        [sides("one\ntwo\n", "1<U+202E>\n2\n", FileChangeKind::Write)]
    );
    let unknown = stage.ask(stage.edit("a.txt", "three", "3"));
    assert_eq!(
        change::of_files(&unknown.call, &unknown.facts, &mut Files::real()),
        [sides("three", "3", FileChangeKind::Part)]
    );
    let command = stage.ask(stage.command("make"));
    assert_eq!(
        change::of_files(&command.call, &command.facts, &mut Files::real()),
        []
    );
}

#[test]
fn an_explanation_says_what_decided_and_how_to_change_it() {
    let mut stage = Stage::with(r#"{"permissions": {"deny": ["Bash(curl *)"]}}"#);
    stage.decide(stage.command("curl x && echo '\n```\n# no heading'"));
    let snapshot = stage.snapshot();
    let id = &snapshot.attention[0].id;
    let text = explain::markdown(&snapshot, id, &stage.rows()).unwrap();
    for words in [
        "blocked",
        "rule_denied",
        "Bash(curl *)",
        "settings.json:1",
        "change the deny rule",
        "Effect: `talks to other machines: curl`",
        "Decided in",
        "````text\n",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert_eq!(explain::markdown(&snapshot, "unknown", &stage.rows()), None);

    // From the journal alone, after a restart.
    let forgotten = snapshot_of(Vec::new());
    let text = explain::markdown(&forgotten, id, &stage.rows()).unwrap();
    assert!(
        text.contains("rule_denied") && text.contains("curl x"),
        "{text}"
    );
}

#[test]
fn an_explanation_of_a_waiting_call_has_its_parts_and_what_may_be_remembered() {
    let mut stage = Stage::with(r#"{"permissions": {"allow": ["Bash(git status)"]}}"#);
    let asked = stage.ask(stage.command("git status && npm publish"));
    let text = explain::markdown(&stage.snapshot(), &asked.id, &stage.rows()).unwrap();
    for words in [
        "waits for you",
        "✓ `git status`",
        "? `npm publish`",
        "approve and remember `Bash(npm publish)`",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[test]
fn an_explanation_of_what_was_blocked_shows_no_secret() {
    let secret = format!("ghp_{}", "Ab1".repeat(12));
    let mut told = story("id", "x", denied());
    told.decision = countersign_core::decision::Decision::Denied {
        reason: countersign_core::decision::DeniedReason::ClassifierBlocked,
        detail: format!("sends {secret}"),
    };
    let text = explain::markdown(&snapshot_of(vec![told]), "id", &[]).unwrap();
    assert!(!text.contains(&secret), "{text}");
    assert!(text.contains("allow this exact call once"), "{text}");
}
