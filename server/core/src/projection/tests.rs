//! What a projection shows and never shows.

use proptest::prelude::*;
use serde_json::json;

use super::testing::{call, edit, facts, path, policy, shell, write};
use super::*;
use crate::call::{Access, Change, Subject};
use crate::tool::Tool;

fn shown(call: &Call) -> Projection {
    with_mcp(call, &[]).unwrap()
}

fn with_mcp(call: &Call, entries: &[&str]) -> Result<Projection, TooLong> {
    let mcp = McpForwarding::new(entries.iter().map(|entry| (*entry).to_owned()));
    project(call, &facts(call), &policy(), &mcp)
}

fn past(call: &Call) -> Projection {
    project_past(
        call,
        &facts(call),
        &policy(),
        &McpForwarding::new(["m".to_owned()]),
    )
}

fn hidden(call: &Call) -> Option<String> {
    hides_a_guarded_write(call, &facts(call), &policy())
}

fn printed(projection: &Projection) -> String {
    json!({
        "tool": projection.tool,
        "arguments": projection.arguments,
        "withheld": projection.withheld,
    })
    .to_string()
}

fn arguments(projection: &Projection) -> Value {
    Value::Object(projection.arguments.clone())
}

fn other(tool: &str, input: Value) -> Call {
    call(vec![(Tool::from_canonical(tool), Subject::Other)], input)
}

fn delegate(kind: &str, prompt: &str) -> Call {
    let subject = Subject::Delegate {
        kind: Some(kind.to_owned()),
        prompt: prompt.to_owned(),
    };
    call(vec![(Tool::Agent, subject)], json!({}))
}

/// A Codex patch: a file that is changed, one that goes, one that moves.
fn patch(target: &str, change: &str) -> Call {
    let change = Change {
        old: "old".to_owned(),
        new: change.to_owned(),
    };
    let moved = vec![
        path("a.txt", Access::Delete, None),
        path(target, Access::Write, Some(change.clone())),
    ];
    call(
        vec![
            (
                Tool::Edit,
                Subject::Paths(vec![path("src/a.rs", Access::Write, Some(change))]),
            ),
            (
                Tool::DeleteFile,
                Subject::Paths(vec![path("b.txt", Access::Delete, None)]),
            ),
            (Tool::MoveFile, Subject::Paths(moved)),
        ],
        json!({ "command": "*** Begin Patch" }),
    )
}

#[test]
fn a_command_is_shown_whole_with_its_folder() {
    let text = "echo 'ä' > x\n".repeat(3_000);
    let mut call = shell(&text);
    call.operations[0].parameters.extend([
        ("run_in_background".to_owned(), "true".to_owned()),
        ("description".to_owned(), "A harmless thing".to_owned()),
    ]);
    let shown = shown(&call);
    assert_eq!(shown.tool, "run_shell_command");
    assert_eq!(
        arguments(&shown),
        json!({ "command": text, "cwd": "/work/app", "run_in_background": "true" })
    );
    assert_eq!(shown.withheld, ["the agent's own words about the call"]);
    let error = with_mcp(&shell(&"x".repeat(65_537)), &[]).unwrap_err();
    assert_eq!((error.length, error.most), (65_537, 65_536));
}

#[test]
fn a_field_that_is_not_shown_is_named() {
    let with = |mut call: Call, field: &str, value: Value| {
        call.raw_input[field] = value;
        shown(&call).withheld
    };
    let edit = edit("src/a.rs", "a", "b");
    assert_eq!(
        with(edit, "allow_multiple", json!(true)),
        ["other fields: allow_multiple"]
    );
    let told = with(shell("make"), "env", json!({ "PATH": "/tmp/evil" }));
    assert_eq!(told, ["other fields: env"]);
    let told = with(delegate("general", "go"), "resume", json!("agent-7"));
    assert_eq!(told, ["other fields: resume"]);
    let mut call = shell("make");
    for number in 0..500 {
        call.raw_input[format!("{number}\u{202e}\n{}", "x".repeat(900))] = json!(1);
    }
    let told = shown(&call).withheld.join("");
    assert!(
        told.contains("and 488 more") && told.len() < 1_500,
        "{told}"
    );
}

#[test]
fn a_masked_value_is_told() {
    let shown = shown(&shell("PASSWORD=hunter2 make && TOKEN=s3cr3t make"));
    assert_eq!(
        shown.arguments["command"],
        "PASSWORD=[masked: password] make && TOKEN=[masked: token] make"
    );
    assert_eq!(shown.withheld, ["2 values that look like secrets"]);
}

#[test]
fn an_ordinary_edit_shows_the_beginning_of_both_texts() {
    let shown = shown(&edit("src/a.rs", "fn a() {}", &"ü".repeat(1_320)));
    assert_eq!(
        arguments(&shown),
        json!({
            "path": "src/a.rs",
            "old": "fn a() {}",
            "old_characters": 9,
            "new": "ü".repeat(80),
            "new_characters": 1_320,
        })
    );
    assert_eq!(
        shown.withheld,
        ["1,240 of 1,320 characters of the new text of src/a.rs"]
    );
}

#[test]
fn a_whole_file_shows_its_size_and_beginning() {
    let shown = shown(&write("src/a.rs", &"ü".repeat(100)));
    assert_eq!(
        arguments(&shown),
        json!({
            "path": "src/a.rs",
            "text": "ü".repeat(80),
            "text_characters": 100,
            "size_in_bytes": 200,
        })
    );
}

#[test]
fn a_protected_or_outside_write_shows_the_whole_change() {
    for file in [
        "package.json",
        ".git/config",
        "/etc/motd",
        "../b/c",
        "a:b",
        "CLAUDE.md",
    ] {
        let call = edit(file, &"o".repeat(1_999), &"n".repeat(2_001));
        let shown = shown(&call);
        assert_eq!(shown.arguments["new"], "n".repeat(2_001), "{file}");
        assert_eq!(shown.withheld, [""; 0], "{file}");
        assert_eq!(hidden(&call), None, "{file}");

        let call = edit(file, &"o".repeat(2_000), &"n".repeat(2_001));
        let told = hidden(&call).unwrap();
        assert!(
            told.contains("1 of 2,000 characters of the old text"),
            "{told}"
        );
        assert_eq!(with_mcp(&call, &[]).unwrap().withheld, [told]);
    }
    assert_eq!(hidden(&edit("src/a.rs", "", &"n".repeat(9_000))), None);
}

#[test]
fn several_changes_of_one_guarded_file_share_what_is_shown() {
    let change = |file: &str| {
        let change = Change {
            old: String::new(),
            new: "n".repeat(1_500),
        };
        path(file, Access::Write, Some(change))
    };
    let subject = |count| Subject::Paths(vec![change("/etc/motd"); count]);
    let call_of = |count| call(vec![(Tool::Edit, subject(count))], json!({}));
    assert_eq!(hidden(&call_of(2)), None);
    assert_eq!(
        hidden(&call_of(3)).unwrap(),
        "500 of 1,500 characters of the new text of /etc/motd"
    );
    let two_files = vec![
        change("/etc/motd"),
        change("/etc/motd"),
        change("/etc/issue"),
    ];
    let call = call(vec![(Tool::Edit, Subject::Paths(two_files))], json!({}));
    assert_eq!(hidden(&call), None);
}

#[test]
fn what_is_masked_or_not_known_of_a_guarded_write_is_hidden() {
    let secret = edit("/etc/app.conf", "", "password = s3cr3tvalue");
    assert_eq!(
        hidden(&secret).unwrap(),
        "1 value that looks like a secret in /etc/app.conf"
    );
    let unknown = vec![path("/etc/x", Access::Write, None)];
    let unknown = call(vec![(Tool::WriteFile, Subject::Paths(unknown))], json!({}));
    assert_eq!(hidden(&unknown).unwrap(), "what would be written to /etc/x");
    let delete = vec![path("/etc/x", Access::Delete, None)];
    let delete = call(vec![(Tool::DeleteFile, Subject::Paths(delete))], json!({}));
    assert_eq!(hidden(&delete), None);
    // Facts of another call say nothing about this one.
    let call = edit("src/a.rs", "", &"n".repeat(5_000));
    assert!(hides_a_guarded_write(&call, &Facts::default(), &policy()).is_some());
    // A path that cannot be sent whole.
    let long = edit(&format!("/{}", "x/".repeat(3_000)), "", "n");
    assert!(hidden(&long).is_some());
}

#[test]
fn a_move_to_a_guarded_place_brings_content_that_nobody_saw() {
    assert_eq!(hidden(&patch("c.txt", "n")), None);
    assert_eq!(
        hidden(&patch(".git/hooks/pre-commit", "n")).unwrap(),
        "the content of the file that becomes .git/hooks/pre-commit"
    );
}

#[test]
fn several_operations_are_shown_one_by_one() {
    let shown = shown(&patch("c.txt", "new"));
    assert_eq!(shown.tool, "RawTool");
    assert_eq!(
        arguments(&shown),
        json!({ "operations": [
            {
                "tool": "edit", "path": "src/a.rs",
                "old": "old", "old_characters": 3, "new": "new", "new_characters": 3,
            },
            { "tool": "delete_file", "path": "b.txt" },
            { "tool": "move_file", "files": [
                { "path": "a.txt", "access": "delete" },
                {
                    "path": "c.txt", "access": "write",
                    "old": "old", "old_characters": 3, "new": "new", "new_characters": 3,
                },
            ] },
        ] })
    );
    assert_eq!(shown.withheld, [""; 0]);
}

#[test]
fn a_link_says_where_it_leads() {
    let call = edit("src/link", "", "n");
    let mut facts = facts(&call);
    facts.operations[0].paths[0].canonical = "/etc/motd".into();
    let shown = project(&call, &facts, &policy(), &McpForwarding::default()).unwrap();
    assert_eq!(shown.arguments["leads_to"], "/etc/motd");
}

#[test]
fn a_fetch_shows_its_url_and_not_its_prompt() {
    let url = "https://x.example/?token=s3cr3tvalue&a=b";
    let input = json!({ "url": url, "prompt": "Summarise" });
    let subject = Subject::Urls(vec![url.to_owned()]);
    let shown = shown(&call(vec![(Tool::WebFetch, subject)], input));
    assert_eq!(
        arguments(&shown),
        json!({ "url": "https://x.example/?token=[masked: token]&a=b" })
    );
    assert_eq!(
        shown.withheld,
        [
            "the prompt of 9 characters that goes with the URL",
            "1 value that looks like a secret"
        ]
    );
    let nowhere = call(vec![(Tool::WebFetch, Subject::Urls(Vec::new()))], json!({}));
    assert_eq!(
        with_mcp(&nowhere, &[]).unwrap().withheld,
        ["the URL, which is not known"]
    );
}

#[test]
fn instructions_messages_and_schedules_are_shown_whole_or_not_at_all() {
    let prompt = "x".repeat(32_000);
    assert_eq!(
        arguments(&shown(&delegate("general", &prompt))),
        json!({ "type": "general", "prompt": prompt })
    );
    assert!(with_mcp(&delegate("general", &"x".repeat(32_001)), &[]).is_err());
    let input = json!({ "cron": "* * * * *", "prompt": "go", "list": [{ "a": null }] });
    assert_eq!(
        arguments(&shown(&other("cron_create", input.clone()))),
        input
    );
    for tool in ["cron_create", "send_message"] {
        let long = json!({ "text": "x".repeat(32_001) });
        assert!(with_mcp(&other(tool, long), &[]).is_err(), "{tool}");
    }
    let search = other("web_search", json!({ "query": "weather", "other": 1 }));
    assert_eq!(arguments(&shown(&search)), json!({ "query": "weather" }));
}

#[test]
fn unknown_tools_are_shown_by_name_only() {
    let shown = shown(&other(
        "Über\u{202e}tool\n",
        json!({ "text": "secret plan" }),
    ));
    assert_eq!(shown.tool, "Über<U+202E>tool\\n");
    assert_eq!(shown.arguments, Map::new());
    assert_eq!(shown.withheld, ["the arguments"]);
    let long = with_mcp(&other(&"n".repeat(5_000), Value::Null), &[]).unwrap();
    assert_eq!(long.tool.chars().count(), 201);
}

#[test]
fn arguments_of_mcp_tools_are_shown_only_where_the_user_wants_it() {
    let call = other(
        "mcp__tracker__create",
        json!({ "title": "x", "apiKey": "s3cr3t" }),
    );
    for entries in [
        &[][..],
        &["other"],
        &["mcp__tracker__delete"],
        &["track"],
        &["tracker__create_all"],
    ] {
        let shown = with_mcp(&call, entries).unwrap();
        assert_eq!(shown.tool, "mcp__tracker__create");
        assert_eq!(shown.arguments, Map::new(), "{entries:?}");
        assert_eq!(shown.withheld, ["the arguments"], "{entries:?}");
    }
    for entry in [
        "tracker",
        "mcp__tracker",
        "mcp__tracker__*",
        "mcp__tracker__create",
    ] {
        let shown = with_mcp(&call, &[entry]).unwrap();
        assert_eq!(
            arguments(&shown),
            json!({ "title": "x", "apiKey": "[masked: key]" }),
            "{entry}"
        );
    }
}

#[test]
fn every_cut_of_mcp_arguments_is_marked() {
    let mut deep = json!("bottom");
    for _ in 0..100 {
        deep = json!({ "d": deep });
    }
    let wide: Vec<u32> = (0..1_000).collect();
    let input = json!({ "__proto__": deep, "constructor": wide, "text": "x".repeat(3_000) });
    let shown = with_mcp(&other("mcp__m__t", input), &["m"]).unwrap();
    assert_eq!(
        shown.arguments["__proto__"]["d"]["d"]["d"]["d"]["d"]["d"]["d"],
        "… [cut: nested too deep]"
    );
    assert_eq!(
        shown.arguments["constructor"][64],
        "… [cut: 936 more entries]"
    );
    let text = shown.arguments["text"].as_str().unwrap();
    assert!(text.ends_with("x… [cut: 1,000 more characters]"), "{text}");
    assert_eq!(
        shown.withheld,
        ["3 parts of the arguments, where they are marked"]
    );
    for input in [json!("text"), json!([1, 2]), json!(7), Value::Null] {
        assert!(with_mcp(&other("mcp__m__t", input), &["m"]).is_ok());
    }
}

/// A character that stands in no name or mark.
const CONTENT: char = '§';

/// Any JSON within reason.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,30}".prop_map(Value::from),
        (1_000_usize..4_000).prop_map(|length| Value::from("\u{1}".repeat(length))),
    ];
    leaf.prop_recursive(10, 60, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
            prop::collection::btree_map("[a-z§]{0,300}", inner, 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_content_behind_the_bound_is_shown(
        file in prop::sample::select(vec!["src/a.rs", "package.json", "/etc/motd"]),
        head in "[ -~]{0,120}",
        rest in 1_usize..6_000,
        whole_file in any::<bool>(),
    ) {
        // Everything from the bound on is content of one kind.
        let most = if file == "src/a.rs" { 80 } else { 4_000 };
        let mut text = head.clone();
        text.extend(std::iter::repeat_n('x', most - head.len().min(most)));
        let text: String = text.chars().take(most).chain(std::iter::repeat_n(CONTENT, rest)).collect();
        let call = if whole_file { write(file, &text) } else { edit(file, "", &text) };
        let shown = shown(&call);
        prop_assert!(!printed(&shown).contains(CONTENT));
        let told = format!("{} of {} characters", grouped(rest), grouped(most + rest));
        prop_assert!(shown.withheld.iter().any(|entry| entry.starts_with(&told)), "{:?}", shown.withheld);
        prop_assert!(!printed(&past(&call)).contains(CONTENT));
        prop_assert_eq!(hidden(&call).is_some(), most == 4_000);
    }

    #[test]
    fn nothing_of_an_input_but_what_is_named_is_shown(
        tool in prop::sample::select(vec![
            "todo_write", "tool_search", "ask_user_question", "structured_output", "unknown",
            "mcp__x__y", "web_search",
        ]),
        field in prop::sample::select(vec!["tool_response", "tool_result", "output", "__proto__", "prompt"]),
    ) {
        let call = other(tool, json!({ "query": "q", field: CONTENT.to_string(), "x": { field: CONTENT.to_string() } }));
        prop_assert!(!printed(&shown(&call)).contains(CONTENT));
        let mut call = edit("/etc/motd", "a", "b");
        call.raw_input = json!({ field: CONTENT.to_string() });
        call.operations[0].parameters.insert(field.to_owned(), CONTENT.to_string());
        prop_assert!(!printed(&shown(&call)).contains(CONTENT));
    }

    #[test]
    fn projections_are_bounded_whatever_the_input(
        input in any_json(),
        tool in prop::sample::select(vec!["mcp__m__t", "send_message", "cron_create", "web_search", "unknown"]),
    ) {
        let call = other(tool, input);
        if let Ok(shown) = with_mcp(&call, &["m"]) {
            let length: usize = shown.arguments.iter().map(|(key, value)| bounded::weight(key, value)).sum();
            // Marks and the cost of entries come on top of the characters.
            prop_assert!(length <= 140_000, "{length}");
            if tool == "mcp__m__t" {
                prop_assert!(length <= 16_000 * 6, "{length}");
            }
            prop_assert!(shown.withheld.len() <= MOST_WITHHELD + 2);
        }
        let past = printed(&past(&call));
        prop_assert!(past.chars().count() <= past::PAST_CHARS, "{}", past.chars().count());
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn earlier_calls_fit_their_share(
        text in "[a-z\"\\\\\u{1}§ ]{0,40}",
        times in 1_usize..120,
        count in prop::sample::select(vec![1_usize, 3, 34]),
    ) {
        let text = text.repeat(times);
        let change = Change { old: text.clone(), new: text.clone() };
        let uses = |change: Option<Change>| {
            Subject::Paths(vec![path(&format!("/{text}"), Access::Write, change); count])
        };
        for call in [
            shell(&text),
            delegate(&text, &text),
            edit("/etc/motd", &text, &text),
            call(vec![(Tool::WebFetch, Subject::Urls(vec![text.clone(); count]))], json!({ "prompt": text.as_str() })),
            call(vec![(Tool::Edit, uses(Some(change))); count.min(2)], Value::Null),
        ] {
            let past = printed(&past(&call));
            prop_assert!(past.chars().count() <= past::PAST_CHARS);
        }
    }
}

#[test]
fn a_call_of_very_many_files_is_too_long() {
    let change = Change {
        old: "o".repeat(100),
        new: "n".repeat(100),
    };
    let uses = Subject::Paths(vec![path("src/a.rs", Access::Write, Some(change)); 1_000]);
    let call = call(vec![(Tool::Edit, uses)], json!({}));
    assert_eq!(with_mcp(&call, &[]).unwrap_err().what, "the call");
}

#[test]
fn an_earlier_call_marks_its_cuts() {
    let past = past(&shell(&format!("{}; rm -r x", "make ".repeat(2_000))));
    let command = past.arguments["command"].as_str().unwrap();
    assert!(
        command.starts_with("make make")
            && command.contains("… [cut: ")
            && command.ends_with("; rm -r x"),
        "{command}"
    );
    assert_eq!(past.arguments["cwd"], "/work/app");
    assert_eq!(past.withheld.len(), 1);
}
