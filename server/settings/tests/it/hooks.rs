use std::os::unix::fs::symlink;
use std::time::Duration;

use countersign_settings::{Effective, HookAction, HookEvent, UserHook};

use crate::sandbox::{Sandbox, texts};

fn accept(sandbox: &Sandbox) {
    let effective = sandbox.load();
    sandbox
        .store()
        .consent(
            &sandbox.workspace,
            &effective.loosening,
            effective.consent_digest(),
        )
        .unwrap();
}

fn commands(effective: &Effective, event: HookEvent) -> Vec<String> {
    effective
        .hooks_on(event)
        .map(|hook| hook.action.shown())
        .collect()
}

fn messages(effective: &Effective) -> Vec<&str> {
    effective
        .problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect()
}

fn only(effective: &Effective) -> &UserHook {
    assert_eq!(effective.hooks.len(), 1, "{:?}", effective.problems);
    &effective.hooks[0]
}

#[test]
fn hooks_are_read_in_the_shape_that_agents_know() {
    let sandbox = Sandbox::new();
    sandbox.user(
        r#"{"hooks": {"PermissionDenied": [
            {"matcher": "Bash|Edit", "hooks": [
                {"type": "command", "command": "notify-send denied"},
                {"type": "http", "url": "https://example.com/secret-path", "timeout": 5,
                 "headers": {"X-Token": "abc"}, "allowedEnvVars": ["TOKEN"]}
            ]},
            {"hooks": [{"type": "command", "command": "logger denied", "timeout": 600}]}
        ]}}"#,
    );
    let effective = sandbox.load();
    assert_eq!(messages(&effective), [""; 0]);
    let [first, second, third] = &effective.hooks[..] else {
        panic!("{:?}", effective.hooks);
    };
    assert_eq!(first.event, HookEvent::PermissionDenied);
    assert_eq!(first.timeout, Duration::from_secs(60));
    assert_eq!((first.scope(), first.source.line), ("user", Some(3)));
    assert!(first.matcher.matches(["Bash"]) && !first.matcher.matches(["Read"]));
    assert_eq!(second.timeout, Duration::from_secs(5));
    assert!(third.matcher.matches(["Read"]));
    let printed = format!("{effective:?}");
    for secret in ["secret-path", "abc"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn what_cannot_be_a_hook_is_reported_at_its_place_and_left_out() {
    let sandbox = Sandbox::new();
    for (hook, says) in [
        (r#"{"type": "command"}"#, "`command` is missing"),
        (r#"{"command": "x"}"#, "`type` is missing"),
        (r#"{"type": "prompt"}"#, "expected `command` or `http`"),
        (r#"{"type": "command", "command": " "}"#, "command line"),
        (r#"{"type": "command", "command": ["x"]}"#, "found a list"),
        (
            r#"{"type": "http", "url": "http://example.com/"}"#,
            "https://",
        ),
        (
            r#"{"type": "http", "url": "file:///etc/passwd"}"#,
            "https://",
        ),
        (
            r#"{"type": "http", "url": "https://me:pw@x.example/"}"#,
            "user name",
        ),
        (
            r#"{"type": "http", "url": "https://x.example/", "headers": {"Host": "y"}}"#,
            "set by the guard",
        ),
        (
            r#"{"type": "http", "url": "https://x.example/", "headers": {"X": "a\nb"}}"#,
            "control character",
        ),
        (
            r#"{"type": "command", "command": "a", "command": "b"}"#,
            "stands there twice",
        ),
        (r#""x""#, "expected an object"),
    ] {
        sandbox.user(&format!(
            "{{\"hooks\": {{\"Notification\": [\n{{\"hooks\": [{hook}]}}]}}}}"
        ));
        let effective = sandbox.load();
        assert!(effective.hooks.is_empty(), "{hook}");
        let problem = &effective.problems[0];
        assert!(problem.message.contains(says), "{hook}: {problem}");
        assert_eq!(problem.line, Some(2), "{hook}: {problem}");
    }
    sandbox
        .user(r#"{"hooks": {"Notification": [{"matcher": "(", "hooks": []}], "PreToolUse": []}}"#);
    let effective = sandbox.load();
    let messages = messages(&effective);
    assert!(
        messages
            .iter()
            .any(|text| text.contains("regular expression")),
        "{messages:?}"
    );
    assert!(
        messages
            .iter()
            .any(|text| text.contains("unknown setting `hooks.PreToolUse`")),
        "{messages:?}"
    );
}

#[test]
fn nonsense_for_a_timeout_is_refused_and_the_default_holds() {
    let sandbox = Sandbox::new();
    for nonsense in ["0", "601", "60000", "-1", "1.5", "\"9\""] {
        sandbox.user(&format!(
            r#"{{"hooks": {{"SessionEnd": [{{"hooks": [
                {{"type": "command", "command": "x", "timeout": {nonsense}}}]}}]}}}}"#
        ));
        let effective = sandbox.load();
        assert_eq!(only(&effective).timeout, Duration::from_secs(60));
        assert!(
            messages(&effective)[0].contains("from 1 to 600"),
            "{nonsense}"
        );
    }
}

#[test]
fn a_workspace_hook_counts_after_trust_and_consent_to_exactly_its_text() {
    let sandbox = Sandbox::new();
    let with = |command: &str| {
        sandbox.workspace(&format!(
            r#"{{"hooks": {{"PermissionRequest": [{{"hooks": [
                {{"type": "command", "command": "{command}"}}]}}]}}}}"#
        ));
    };
    with("exit 2");
    assert!(sandbox.load().hooks.is_empty() && sandbox.load().pending_consent.is_empty());
    sandbox.trust();
    let waiting = sandbox.load();
    assert!(waiting.hooks.is_empty());
    assert_eq!(
        texts(&waiting.pending_consent),
        [r#"{"type":"command","command":"exit 2","timeout":60}"#]
    );
    accept(&sandbox);
    let effective = sandbox.load();
    assert!(only(&effective).is_of_workspace());
    assert_eq!(only(&effective).scope(), "workspace");
    with("exit 0");
    assert!(sandbox.load().hooks.is_empty(), "a change is another hook");
}

#[test]
fn consent_to_a_workspace_hook_covers_the_files_that_it_names() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    let script = ".countersign/hooks/deny.sh";
    sandbox.in_workspace(script, "exit 2\n");
    sandbox.workspace(
        r#"{"hooks": {"PermissionRequest": [{"hooks": [{"type": "command",
            "command": "sh \"$COUNTERSIGN_WORKSPACE\"/.countersign/hooks/deny.sh"}]}]}}"#,
    );
    accept(&sandbox);
    let files = only(&sandbox.load()).files.clone();
    assert_eq!(files.len(), 1);
    assert_eq!(
        files.keys().next().unwrap(),
        &sandbox.workspace.join(script)
    );

    sandbox.in_workspace(script, "exit 0\n");
    let changed = sandbox.load();
    assert!(changed.hooks.is_empty(), "its file is another one now");
    assert_eq!(changed.pending_consent.len(), 1);
    sandbox.in_workspace(script, "exit 2\n");
    assert_eq!(only(&sandbox.load()).files, files);
}

#[test]
fn a_workspace_hook_whose_content_cannot_be_accepted_is_left_out() {
    let sandbox = Sandbox::new();
    sandbox.trust();
    sandbox.in_workspace("tools/run.sh", "exit 2\n");
    symlink("/bin/true", sandbox.workspace.join("link")).unwrap();
    sandbox.in_workspace("huge", &"x".repeat(1024 * 1024 + 1));
    for (hook, says) in [
        (
            r#"{"type": "command", "command": "make -C $COUNTERSIGN_WORKSPACE/tools"}"#,
            "no file",
        ),
        (
            r#"{"type": "command", "command": "cat $COUNTERSIGN_WORKSPACE/huge"}"#,
            "larger than 1 MiB",
        ),
        (
            r#"{"type": "http", "url": "https://x.example/", "allowedEnvVars": ["KEY"]}"#,
            "environment variables",
        ),
    ] {
        sandbox.workspace(&format!(
            r#"{{"hooks": {{"PermissionRequest": [{{"hooks": [{hook}]}}]}}}}"#
        ));
        let effective = sandbox.load();
        assert!(effective.loosening.is_empty(), "{hook}");
        assert!(
            messages(&effective).iter().any(|text| text.contains(says)),
            "{hook}: {:?}",
            messages(&effective)
        );
    }
}

#[test]
fn hooks_of_all_layers_are_united_and_one_switch_turns_them_off() {
    let sandbox = Sandbox::new();
    let hook = |command: &str| {
        format!(
            r#""hooks": {{"SessionStart": [{{"hooks": [
                {{"type": "command", "command": "{command}"}}, {{"type": "command", "command": "same"}}]}}]}}"#
        )
    };
    sandbox.system(&format!("{{{}}}", hook("of the machine")));
    sandbox.user(&format!("{{{}}}", hook("of the user")));
    assert_eq!(
        commands(&sandbox.load(), HookEvent::SessionStart),
        ["of the machine", "same", "of the user"]
    );
    sandbox.workspace(r#"{"disableAllHooks": true}"#);
    assert_eq!(sandbox.load().hooks_on(HookEvent::SessionStart).count(), 3);
    sandbox.user(&format!(
        "{{{}, \"disableAllHooks\": true}}",
        hook("of the user")
    ));
    let effective = sandbox.load();
    assert_eq!(effective.hooks_on(HookEvent::SessionStart).count(), 0);
    assert_eq!(effective.hooks.len(), 3, "they can still be listed");
}

#[test]
fn too_many_hooks_of_an_event_are_cut_and_reported() {
    let sandbox = Sandbox::new();
    let all: Vec<String> = (0..40)
        .map(|n| format!(r#"{{"type": "command", "command": "c{n}"}}"#))
        .collect();
    sandbox.user(&format!(
        r#"{{"hooks": {{"Notification": [{{"hooks": [{}]}}]}}}}"#,
        all.join(",")
    ));
    let effective = sandbox.load();
    assert_eq!(effective.hooks.len(), 32);
    assert!(messages(&effective)[0].contains("more than 32 hooks"));
}

#[test]
fn an_address_is_shown_without_its_path() {
    let action = HookAction::Http {
        url: "https://hooks.example/T000/B000/secret".to_owned(),
        headers: std::iter::once(("x".to_owned(), "secret".to_owned())).collect(),
        allowed_env_vars: Vec::new(),
    };
    assert_eq!(action.shown(), "https://hooks.example/…");
    assert!(!format!("{action:?}").contains("secret"));
}
