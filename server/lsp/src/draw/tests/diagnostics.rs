use countersign_core::decision::{BlockReason, Decision};
use countersign_core::denials::Counters;
use countersign_service::Choice;
use serde_json::json;
use tower_lsp::lsp_types::{Diagnostic, DiagnosticSeverity, NumberOrString, Url};

use crate::draw::diagnostics::{Files, all};
use crate::draw::testing::{
    Stage, denied, files, ours, plain, range, session, snapshot_of, story, view,
};
use crate::draw::{session_document, uri};

fn code(diagnostic: &Diagnostic) -> &str {
    match diagnostic.code.as_ref().unwrap() {
        NumberOrString::String(code) => code,
        NumberOrString::Number(_) => panic!("a number for a code"),
    }
}

fn session_uri() -> Url {
    uri::session(&session()).unwrap()
}

#[test]
fn a_waiting_edit_is_shown_where_it_would_change_the_file() {
    let mut stage = Stage::new();
    let file = stage.write("a.txt", "🙂 one\r\ntwo\r\n");
    let asked = stage.ask(stage.edit("a.txt", "one\ntwo", "1\n2"));
    for client in [plain(), ours()] {
        let drawn = all(&stage.snapshot(), &client, &mut Files::real());
        assert_eq!(drawn.len(), 1, "{drawn:?}");
        let of_file = &drawn[&uri::file(&file).unwrap()];
        let [diagnostic] = of_file.as_slice() else {
            panic!("{of_file:?}");
        };
        assert_eq!(diagnostic.range, range((0, 3), (1, 3)));
        assert_eq!(diagnostic.severity, Some(DiagnosticSeverity::WARNING));
        assert_eq!(diagnostic.source.as_deref(), Some("countersign"));
        assert_eq!(code(diagnostic), "approval_mode");
        assert_eq!(diagnostic.data, Some(json!({ "id": asked.id })));
        for words in ["claude-code", "-one", "+1", "a.txt", "approval mode"] {
            assert!(diagnostic.message.contains(words), "{}", diagnostic.message);
        }
    }
}

#[test]
fn an_edit_whose_text_or_file_is_not_there_is_shown_at_the_beginning() {
    let mut stage = Stage::new();
    let there = stage.write("there.txt", "one\n");
    let huge = stage.write("huge.txt", &"one\n".repeat(2 * 1024 * 1024));
    stage.ask(stage.edit("there.txt", "gone", "x"));
    stage.ask(stage.edit("new.txt", "", "x"));
    stage.ask(stage.edit("huge.txt", "one\n", "x"));
    let drawn = all(&stage.snapshot(), &plain(), &mut Files::real());
    let new = stage.workspace.join("new.txt");
    for file in [&there, &new, &huge] {
        let diagnostics = &drawn[&uri::file(file).unwrap()];
        assert_eq!(diagnostics[0].range, range((0, 0), (0, 0)), "{file}");
    }
}

#[test]
fn a_waiting_command_is_shown_in_the_session_document_and_in_the_settings_file() {
    let mut stage = Stage::new();
    stage.ask(stage.command("npm publish"));
    let snapshot = stage.snapshot();

    let drawn = all(&snapshot, &ours(), &mut Files::real());
    assert_eq!(drawn.keys().collect::<Vec<_>>(), [&session_uri()]);
    let document = session_document::render(&snapshot, &session());
    let diagnostic = &drawn[&session_uri()][0];
    assert_eq!(diagnostic.range, document.anchors[0].heading);
    assert!(diagnostic.message.contains("npm publish"));

    let settings = stage.workspace.join(".countersign/settings.json");
    let text = "{\n  // 🙂\n  /* 🙂 */ \"permissions\": {}\n}\n";
    let drawn = all(&snapshot, &plain(), &mut files(&[(&settings, text)]));
    assert_eq!(
        drawn.keys().collect::<Vec<_>>(),
        [&uri::file(&settings).unwrap()]
    );
    let diagnostic = &drawn[&uri::file(&settings).unwrap()][0];
    assert_eq!(diagnostic.range, range((2, 11), (2, 24)));
}

#[test]
fn what_is_answered_vanishes() {
    let mut stage = Stage::new();
    let asked = stage.ask(stage.command("npm publish"));
    assert_eq!(all(&stage.snapshot(), &ours(), &mut Files::real()).len(), 1);
    let service = std::sync::Arc::clone(&stage.service);
    stage.run(async move {
        let source = countersign_core::approval::AnswerSource::StandardPrompt;
        let choice = Choice::Deny { message: None };
        service
            .answer(&asked.id, None, choice, source)
            .await
            .unwrap();
    });
    let drawn = all(&stage.snapshot(), &ours(), &mut Files::real());
    let left = &drawn[&session_uri()];
    assert_eq!(left.len(), 1, "the person's no is told: {left:?}");
    assert_eq!(code(&left[0]), "person");
    assert_eq!(left[0].severity, Some(DiagnosticSeverity::INFORMATION));
}

#[test]
fn nothing_is_drawn_where_nothing_is() {
    let stage = Stage::new();
    assert!(all(&stage.snapshot(), &plain(), &mut Files::real()).is_empty());
    assert!(all(&snapshot_of(Vec::new()), &ours(), &mut files(&[])).is_empty());
}

#[test]
fn a_block_says_why_and_masks_secrets() {
    let mut stage = Stage::with(r#"{"permissions": {"deny": ["Bash(curl *)"]}}"#);
    let secret = format!("ghp_{}", "Ab1".repeat(12));
    stage.decide(stage.command(&format!("curl -H 'x: {secret}' https://example.org")));
    let drawn = all(&stage.snapshot(), &ours(), &mut Files::real());
    let diagnostic = &drawn[&session_uri()][0];
    assert_eq!(code(diagnostic), "rule_denied");
    assert_eq!(diagnostic.severity, Some(DiagnosticSeverity::ERROR));
    assert!(diagnostic.message.contains("Bash(curl *)"));
    assert!(
        !diagnostic.message.contains(&secret),
        "{}",
        diagnostic.message
    );
}

#[test]
fn what_is_to_be_approved_is_not_masked() {
    let mut stage = Stage::new();
    let secret = format!("ghp_{}", "Ab1".repeat(12));
    stage.ask(stage.command(&format!("send {secret}")));
    let drawn = all(&stage.snapshot(), &ours(), &mut Files::real());
    assert!(drawn[&session_uri()][0].message.contains(&secret));
}

#[test]
fn characters_that_deceive_are_written_out_and_a_call_is_shown_to_4000_characters() {
    let mut stage = Stage::new();
    let long = format!("ship {}\u{202e}\u{1b}[2J", "x".repeat(3_900));
    stage.ask(stage.command(&long));
    let longer = format!("ship {}", "y".repeat(10_000));
    stage.ask(stage.command(&longer));
    let drawn = all(&stage.snapshot(), &ours(), &mut Files::real());
    let messages: Vec<&str> = drawn[&session_uri()]
        .iter()
        .map(|one| one.message.as_str())
        .collect();
    assert!(messages[0].contains("<U+202E>\\x1b[2J"), "{}", messages[0]);
    assert!(!messages[0].contains(['\u{202e}', '\u{1b}']));
    assert!(messages[1].contains(&"y".repeat(3_995)));
    assert!(messages[1].contains("more characters"));
}

#[test]
fn counters_above_zero_are_told() {
    let counters = |consecutive_block, total_block| Counters {
        consecutive_block,
        total_block,
        ..Counters::default()
    };
    let mut snapshot = snapshot_of(Vec::new());
    snapshot.sessions = vec![view(counters(3, 5))];
    let drawn = all(&snapshot, &ours(), &mut files(&[]));
    let diagnostic = &drawn[&session_uri()][0];
    assert_eq!(code(diagnostic), "consecutive_block");
    assert_eq!(diagnostic.severity, Some(DiagnosticSeverity::INFORMATION));
    assert!(diagnostic.message.contains("3 of 3 blocks in a row"));
    assert!(diagnostic.message.contains("asks you"));
    let document = session_document::render(&snapshot, &session());
    assert_eq!(diagnostic.range, document.counters);
    assert!(document.counters.end.character > 0);

    snapshot.sessions = vec![view(counters(1, 1))];
    let drawn = all(&snapshot, &plain(), &mut files(&[]));
    let of_settings = &drawn[&uri::file(&snapshot.user_file).unwrap()];
    assert_eq!(code(&of_settings[0]), "denial_counters");
    assert!(!of_settings[0].message.contains("asks you"));

    snapshot.sessions[0].ended = true;
    assert!(all(&snapshot, &ours(), &mut files(&[])).is_empty());
}

#[test]
fn a_file_has_a_bounded_number_of_diagnostics_and_what_waits_is_among_them() {
    let mut stage = Stage::new();
    let asked = stage.ask(stage.command("npm publish"));
    let mut snapshot = stage.snapshot();
    let many = (0..500).map(|n| story(&format!("id-{n}"), "x", denied()));
    snapshot.attention = many.map(std::sync::Arc::new).collect();
    let drawn = all(&snapshot, &ours(), &mut Files::real());
    let diagnostics = &drawn[&session_uri()];
    assert_eq!(diagnostics.len(), 200);
    assert_eq!(diagnostics[0].data, Some(json!({ "id": asked.id })));
    assert_eq!(diagnostics[1].data, Some(json!({ "id": "id-499" })));
}

#[test]
fn a_call_with_many_changes_says_all_of_itself_once() {
    let mut stage = Stage::new();
    let file = stage.write("a.txt", "one\ntwo\nthree\n");
    let mut call = stage.edit("a.txt", "one", "1");
    let mut more = stage.edit("a.txt", "three", "3");
    call.operations.append(&mut more.operations);
    stage.ask(call);
    let drawn = all(&stage.snapshot(), &plain(), &mut Files::real());
    let of_file = &drawn[&uri::file(&file).unwrap()];
    assert_eq!(of_file.len(), 2);
    assert!(of_file[0].message.contains("+1") && of_file[0].message.contains("+3"));
    assert!(of_file[1].message.len() < 100, "{}", of_file[1].message);
    assert_eq!(of_file[1].range, range((2, 0), (2, 5)));
}

#[test]
fn what_a_person_or_the_time_decided_is_only_told() {
    let block = |reason| Decision::Block {
        reason,
        detail: String::new(),
    };
    for (decision, severity) in [
        (denied(), DiagnosticSeverity::ERROR),
        (block(BlockReason::RuleDenied), DiagnosticSeverity::ERROR),
        (block(BlockReason::Person), DiagnosticSeverity::INFORMATION),
        (block(BlockReason::Timeout), DiagnosticSeverity::INFORMATION),
        (
            block(BlockReason::PlanMode),
            DiagnosticSeverity::INFORMATION,
        ),
    ] {
        let snapshot = snapshot_of(vec![story("id", "ls", decision)]);
        let drawn = all(&snapshot, &ours(), &mut files(&[]));
        assert_eq!(drawn[&session_uri()][0].severity, Some(severity));
    }
}
