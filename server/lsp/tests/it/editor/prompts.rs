//! Standard prompts: what they say, what they offer, and how the whole of a
//! call is looked at first where no prompt can hold it.

use std::time::Duration;

use countersign_core::state::RecordKind;
use countersign_test_support::lsp::{Behaviour, PROMPT};
use serde_json::json;

use super::hook::Hook;
use super::screen::Screen;
use super::world::{Setup, World, eventually, open};

#[test]
fn a_prompt_says_what_would_run_and_why_with_the_denial_first() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    let hook = world.bash("s1", "git push");
    let prompt = screen.prompt();
    assert!(
        prompt.text.contains("claude-code wants to run `git push`"),
        "{prompt:?}"
    );
    assert!(
        prompt
            .text
            .contains("default mode asks for run_shell_command"),
        "{prompt:?}"
    );
    assert_eq!(
        prompt.titles,
        [
            "Deny",
            "Approve once",
            "Approve and remember Bash(git push) for this session"
        ]
    );
    let outcome = screen.approve(prompt, "Approve once", hook);
    assert_eq!(outcome.said(), "allow approval");
    let answers = world.rows(RecordKind::Answer);
    assert_eq!(answers[0].source.as_deref(), Some("standard_prompt"));
}

#[test]
fn what_is_remembered_from_a_prompt_holds_for_the_session() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    let hook = world.bash("s1", "git push");
    let prompt = screen.prompt();
    let title = prompt.titles[2].clone();
    assert_eq!(
        screen.approve(prompt, &title, hook).said(),
        "allow approval"
    );
    assert_eq!(world.bash("s1", "git push").said(), "allow rule");
    let other = world.bash("s2", "git push");
    let prompt = screen.prompt();
    screen.click(&prompt, "Deny");
    assert_eq!(other.said(), "block person");
}

#[test]
fn one_prompt_at_a_time_is_shown_and_all_are_shown_in_the_end() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    let mut hooks: Vec<Hook> = (0..6)
        .map(|n| {
            let hook = world.bash(&format!("s{n}"), &format!("git push origin v{n}"));
            open(&world, n + 1);
            hook
        })
        .collect();
    for n in 0..6 {
        let prompt = screen.prompt();
        assert!(
            prompt.text.contains(&format!("origin v{n}")),
            "in the order asked: {prompt:?}"
        );
        world.status(&mut screen);
        let second = screen.unread();
        assert!(
            !second.iter().any(|message| message["method"] == PROMPT),
            "{second:?}"
        );
        screen.click(&prompt, "Deny");
        assert_eq!(hooks.remove(0).said(), "block person");
    }
}

#[test]
fn the_approval_of_a_call_is_offered_only_where_all_of_it_is_in_the_prompt() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    let fits = format!("ship {}", "x".repeat(195));
    let does_not = format!("ship {}", "x".repeat(196));
    for (n, (command, title)) in [
        (fits.as_str(), "Approve once"),
        (does_not.as_str(), "Show"),
        ("ship one\nship two", "Show"),
        ("ship one\u{202e}two", "Show"),
        ("ship one\ttwo", "Show"),
        ("ship \u{1b}[2Jtwo", "Show"),
        ("ship [one](https://example.com)", "Show"),
    ]
    .into_iter()
    .enumerate()
    {
        let hook = world.bash(&format!("s{n}"), command);
        let prompt = screen.prompt();
        assert_eq!(&prompt.titles[..2], ["Deny", title], "{command:?}");
        let approves = prompt
            .titles
            .iter()
            .any(|title| title.starts_with("Approve"));
        assert_eq!(approves, title != "Show", "{prompt:?}");
        let mut unique = prompt.titles.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), prompt.titles.len());
        assert!(
            !prompt.text.contains(['\n', '\t', '\u{1b}', '\u{202e}']),
            "{prompt:?}"
        );
        screen.click(&prompt, "Deny");
        assert_eq!(hook.said(), "block person");
    }
}

fn shows_documents(world: &World) -> Screen {
    world.plain_with(json!({ "capabilities": {
        "window": { "showDocument": { "support": true } },
    }}))
}

#[test]
fn a_call_that_does_not_fit_is_shown_whole_before_it_can_be_approved() {
    let world = World::new(Setup::default());
    let mut screen = shows_documents(&world);
    let command = format!("echo {}; git push", "x".repeat(3_000));
    let hook = world.bash_within(Duration::from_secs(8), "s1", &command);
    let prompt = screen.prompt();
    screen.click(&prompt, "Show");
    let (id, shown) = screen.expect_request("window/showDocument");
    let path = shown["uri"]
        .as_str()
        .unwrap()
        .strip_prefix("file://")
        .unwrap()
        .to_owned();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(&command), "the whole call is shown");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o077, 0, "nobody else reads it");
    screen.answer(&id, json!({ "success": true }));
    let confirm = screen.prompt();
    let titles = ["Deny", "Approve once", "Read on, ask again in a minute"];
    assert_eq!(confirm.titles, titles);
    // Neither a yes nor a no: it is asked again, and sooner than in a minute
    // where there is less time.
    screen.click(&confirm, titles[2]);
    let confirm = screen.prompt();
    assert_eq!(confirm.titles, titles);
    assert!(confirm.text.contains("as it was shown to you"));
    assert_eq!(
        screen.approve(confirm, "Approve once", hook).said(),
        "allow approval"
    );
}

#[test]
fn a_call_that_could_not_be_shown_cannot_be_approved() {
    for habit in [Behaviour::AnswersNull, Behaviour::HasNoMethod] {
        let world = World::new(Setup::default());
        let mut screen = shows_documents(&world);
        screen.behave("window/showDocument", habit);
        let hook = world.bash("s1", &format!("ship {}", "x".repeat(3_000)));
        for _ in 0..3 {
            let prompt = screen.prompt();
            assert_eq!(prompt.titles, ["Deny", "Show"]);
            screen.click(&prompt, "Show");
        }
        let prompt = screen.prompt();
        screen.click(&prompt, "Deny");
        assert_eq!(hook.said(), "block person");
    }
}

#[test]
fn an_editor_that_says_that_it_showed_nothing_gets_no_confirmation() {
    let world = World::new(Setup::default());
    let mut screen = shows_documents(&world);
    let hook = world.bash("s1", &format!("ship {}", "x".repeat(3_000)));
    let prompt = screen.prompt();
    screen.click(&prompt, "Show");
    let mut again = None;
    eventually("the next prompt", || {
        let unread = screen.unread();
        if unread
            .iter()
            .any(|one| one["method"] == "window/showDocument")
        {
            let (id, _) = screen.expect_request("window/showDocument");
            screen.answer(&id, json!({ "success": false }));
        } else if unread.iter().any(|one| one["method"] == PROMPT) {
            again = Some(screen.prompt());
        }
        again.is_some()
    });
    let prompt = again.unwrap();
    assert_eq!(prompt.titles, ["Deny", "Show"]);
    screen.click(&prompt, "Deny");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn an_editor_that_shows_no_documents_is_told_where_the_text_is() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    let command = format!("echo {}; git push", "x".repeat(3_000));
    let hook = world.bash("s1", &command);
    let prompt = screen.prompt();
    screen.click(&prompt, "Show");
    let message = screen.message("the whole text is in ");
    let (_, path) = message.split_once("the whole text is in ").unwrap();
    assert!(std::fs::read_to_string(path).unwrap().contains(&command));
    let prompt = screen.prompt();
    assert_eq!(prompt.titles, ["Deny", "Show"]);
    screen.click(&prompt, "Deny");
    assert_eq!(hook.said(), "block person");
}

#[test]
fn words_of_others_are_no_links_and_no_second_entry_in_what_is_asked() {
    let one = "Bash(echo [x](command:y))";
    let two = "Bash(a), + permissions.allow: Bash(b)";
    let settings = json!({ "permissions": { "allow": [one, two] } });
    let world = World::new(Setup {
        workspace: Some(settings.to_string()),
        ..Setup::default()
    });
    let mut screen = world.plain();
    let prompt = screen.prompt();
    assert_eq!(prompt.titles, ["Not now", "Show"], "{prompt:?}");
    assert!(!prompt.text.contains("]("), "{prompt:?}");
    screen.click(&prompt, "Show");
    let message = screen.message("the whole text is in ");
    let (_, path) = message.split_once("the whole text is in ").unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    for line in [
        "+ permissions.allow: `Bash(echo [x]\\(command:y))`",
        "+ permissions.allow: `Bash(a), + permissions.allow: Bash(b)`",
    ] {
        assert!(text.lines().any(|known| known == line), "{text}");
    }
    screen.allow(PROMPT);
}

#[test]
fn a_flood_of_messages_is_not_put_up_before_the_person() {
    let world = World::new(Setup::default());
    let mut screen = world.plain();
    let hook = world.bash("s1", "git push");
    let prompt = screen.prompt();
    let id = world.service.pending()[0].id.clone();
    for _ in 0..50 {
        screen.command("explain", json!([id])).unwrap();
    }
    screen.click(&prompt, "Deny");
    assert_eq!(hook.said(), "block person");
    world.status(&mut screen);
    let unread = screen.unread();
    let shown = unread
        .iter()
        .filter(|message| message["method"] == "window/showMessage");
    assert!((1..=20).contains(&shown.count()), "{unread:?}");
    screen.allow("window/showMessage");
}
