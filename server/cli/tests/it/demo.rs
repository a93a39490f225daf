//! `countersign demo` where nobody watches.

use std::fs;

use crate::support::{PROGRAM, Sandbox, feed, through};

#[test]
fn without_a_terminal_it_plays_to_the_end_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    let temporary = sandbox.workspace.join("temporary");
    fs::create_dir(&temporary).unwrap();
    let ran = feed(
        through(&[PROGRAM], &["demo"])
            .env("TMPDIR", &temporary)
            .env("HOME", &temporary)
            .env("XDG_STATE_HOME", &temporary)
            .current_dir(&sandbox.workspace),
        b"approve\napprove\n",
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let text = &ran.stdout;

    // A fallback comes to a person, and without one it is denied.
    assert!(text.contains("consecutive_block"), "{text}");
    assert!(text.contains("Countersign asks you"), "{text}");
    assert!(
        text.contains("no terminal, so nobody to ask: denied"),
        "{text}"
    );
    assert!(!text.contains("approved"), "{text}");

    // Three blocks in a row, counted.
    for count in 1..=3 {
        assert!(
            text.contains(&format!(" {count} in a row · {count}/20 denials")),
            "{text}"
        );
    }

    // What a model said is marked where it is shown.
    let by_model: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("  classifier") && line.starts_with("      "))
        .collect();
    assert!(by_model.len() >= 3, "{text}");
    for line in by_model {
        assert!(line.contains("recorded"), "{line}");
    }

    for agent in ["claude-code", "codex", "gemini"] {
        assert!(text.contains(agent), "{text}");
    }
    for reason in [
        "safe_tool",
        "accept_edits",
        "rule_denied",
        "static_blocked",
        "ask_rule",
    ] {
        assert!(text.contains(reason), "no {reason} in {text}");
    }
    assert!(text.contains("verified"), "{text}");
    assert!(!text.contains('\u{1b}'));
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
}
