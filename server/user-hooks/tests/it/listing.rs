use countersign_settings::HookEvent;
use countersign_user_hooks::list;
use serde_json::json;

use crate::desk::Desk;

#[test]
fn every_event_is_listed_with_payload_ends_and_what_is_configured() {
    let desk = Desk::new();
    desk.write_settings(&json!({ "hooks": {
        "PermissionDenied": [{ "matcher": "Bash", "hooks": [
            { "type": "http", "url": "https://hooks.example/secret", "timeout": 5 },
        ] }],
        "Notification": [{ "hooks": [{ "type": "nonsense" }] }],
    } }));
    desk.workspace_commands(HookEvent::PermissionRequest, &["exit 2"]);
    let listing = serde_json::to_value(list(&desk.effective())).unwrap();
    let events: Vec<_> = listing["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            assert!(event["payload"].as_array().unwrap().len() > 8);
            assert!(event["exitCodes"].as_array().unwrap().len() > 1);
            event["event"].as_str().unwrap()
        })
        .collect();
    assert_eq!(events, HookEvent::ALL.map(HookEvent::as_str));
    assert_eq!(
        listing["events"][0]["hooks"],
        json!([{
            "matcher": "Bash", "type": "http", "runs": "https://hooks.example/…", "timeout": 5,
            "scope": "user", "place": format!("{}:1", desk.places.user_file()),
            "consent": "not needed",
        }])
    );
    assert_eq!(listing["events"][1]["hooks"][0]["consent"], "given");
    assert_eq!(listing["problems"].as_array().unwrap().len(), 1);
    assert_eq!(listing["disabled"], false);
    assert_eq!(listing["trusted"], true);
    assert!(!listing.to_string().contains("secret"));
}

#[test]
fn a_workspace_hook_that_nobody_accepted_is_listed_as_waiting() {
    let desk = Desk::new();
    desk.workspace_commands(HookEvent::PermissionRequest, &["exit 2"]);
    let file = countersign_settings::Places::workspace_file(&desk.workspace);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("exit 2", "exit 0")).unwrap();
    let listing = list(&desk.effective());
    let hook = &listing.events[1].hooks[0];
    assert_eq!((hook.consent, hook.runs.as_str()), ("waiting", "exit 0"));
}
