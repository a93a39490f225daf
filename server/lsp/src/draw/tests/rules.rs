use tower_lsp::lsp_types::{DiagnosticSeverity, HoverContents, NumberOrString, Position};

use crate::draw::diagnostics::{Files, all};
use crate::draw::lens::{self, RuleStats};
use crate::draw::testing::{Stage, ours, plain, range};
use crate::draw::{hover, uri};

const SETTINGS: &str = r#"{
  "permissions": {
    "deny": ["Bash(curl *)"],
    "ask": [
      "Bash(git push *)"
    ],
    "allow": [
      "Bash(git status)", "Bash(git log, -1)",
      "Bash(*)"
    ]
  }
}
"#;

const BROKEN: &str = r#"{
  "permissions": {
    "deny": ["Bash(curl *)", "Bash(", "🙂", "Bahs"],
    "allow": ["Bash(*)"]
  },
  "unknownKey": 1
}
"#;

#[test]
fn what_is_wrong_with_a_settings_file_is_shown_at_its_place_once() {
    let stage = Stage::with(BROKEN);
    let drawn = all(&stage.snapshot(), &plain(), &mut Files::real());
    let found: Vec<_> = drawn[&uri::file(&stage.user_file).unwrap()]
        .iter()
        .map(|one| {
            let Some(NumberOrString::String(code)) = &one.code else {
                panic!("no code: {one:?}");
            };
            (code.as_str(), one.severity.unwrap(), one.range)
        })
        .collect();
    let (error, warning) = (DiagnosticSeverity::ERROR, DiagnosticSeverity::WARNING);
    for expected in [
        ("rule_malformed", error, range((2, 29), (2, 36))),
        ("rule_malformed", error, range((2, 38), (2, 42))),
        ("unknown_tool", warning, range((2, 44), (2, 50))),
        ("over_broad_rule", warning, range((3, 14), (3, 23))),
    ] {
        let count = found.iter().filter(|one| **one == expected).count();
        assert_eq!(count, 1, "{expected:?} in {found:?}");
    }
    let of_key = found.iter().find(|(code, _, _)| *code == "settings");
    assert_eq!(of_key.unwrap().2.start.line, 5, "{found:?}");
    assert_eq!(found.len(), 5, "{found:?}");
}

#[test]
fn rules_tell_how_often_they_decided() {
    let mut stage = Stage::with(SETTINGS);
    for command in [
        "git status",
        "git status",
        "git log, -1",
        "git status && git log, -1",
        "curl x",
        "curl y",
    ] {
        stage.decide(stage.command(command));
    }
    stage.ask(stage.command("git push $X"));
    let stats = RuleStats::of(&stage.rows());
    let snapshot = stage.snapshot();
    let uri = uri::file(&stage.user_file).unwrap();
    let shown = |text| -> Vec<(u32, String)> {
        lens::at(&snapshot, &uri, &stats, text)
            .into_iter()
            .map(|one| (one.range.start.line, one.command.unwrap().title))
            .collect()
    };
    let lenses = shown(None);
    let at = |line: u32| -> Vec<&str> {
        let of_line = lenses.iter().filter(|(one, _)| *one == line);
        of_line.map(|(_, title)| title.as_str()).collect()
    };
    assert!(
        at(2).contains(&"matched 2 times, last just now"),
        "{lenses:?}"
    );
    assert_eq!(at(4), ["matched once, last just now"], "{lenses:?}");
    let mut allows = at(7);
    allows.sort_unstable();
    assert_eq!(
        allows,
        [
            "matched 2 times, last just now",
            "matched 3 times, last just now"
        ]
    );
    assert_eq!(at(8), ["not matched lately"]);

    let newer = "\n\n{\"ask\": [\"Bash(git push *)\"]}";
    assert_eq!(
        shown(Some(newer)),
        [(2, "matched once, last just now".to_owned())],
        "an editor's newer text moves the lens, and drops those of rules it has not"
    );

    let hovered = |line, column| {
        let position = Position::new(line, column);
        let files = &mut Files::real();
        let hover = hover::at(&snapshot, &ours(), files, &uri, position, &stats)?;
        match hover.contents {
            HoverContents::Markup(markup) => Some((markup.value, hover.range.unwrap())),
            other => panic!("{other:?}"),
        }
    };
    let (text, place) = hovered(7, 10).unwrap();
    assert!(text.contains("matched 3 times"), "{text}");
    assert_eq!(place, range((7, 6), (7, 24)));
    let (text, _) = hovered(8, 8).unwrap();
    assert!(text.contains("set aside"), "{text}");
    assert_eq!(hovered(0, 0), None);
}

#[test]
fn a_rule_that_stands_in_anothers_words_is_not_counted() {
    let mut stage = Stage::with(
        r#"{"permissions": {
            "deny": ["Bash(curl *)"],
            "allow": ["Bash(curl *)"]
        }}"#,
    );
    stage.decide(stage.command("curl 'deny rule `Bash(x)` (f:1) matches '"));
    let stats = RuleStats::of(&stage.rows());
    let rules = &stage.snapshot().workspaces[0].1.policy.rules;
    let counts: Vec<_> = rules
        .rules()
        .iter()
        .map(|rule| stats.matched(rule).map(|matched| matched.count))
        .collect();
    assert_eq!(counts, [Some(1), None]);
}
