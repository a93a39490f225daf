//! Taking out gives back what was there.

use camino::Utf8Path;
use countersign_core::agent::Agent;
use countersign_install::record::{Record, digest, forget, keep, load};
use countersign_install::{distrust_hooks, profile, trust_hooks, uninstall};

use crate::support::{HOME, IN_JSON, file, installed, plan, removed};

#[test]
fn a_file_that_nobody_changed_since_is_given_back_byte_for_byte() {
    for before in [
        "{\"a\":1}",
        "{ \"hooks\" : { } }\n\n",
        "{\n\n\n  \"a\": 1,\n\n}\n",
        " ",
    ] {
        let after = installed(Agent::Qwen, before);
        assert_ne!(after, before);
        let profile = profile(Agent::Qwen).unwrap();
        let home = Utf8Path::new(HOME);
        let edit = uninstall(profile, file(), &after, Some(Some(before)), false, home).unwrap();
        assert_eq!(edit.after.as_deref(), Some(before));
        let edit = uninstall(profile, file(), &after, Some(None), true, home).unwrap();
        assert_eq!(edit.after, None, "there was no file");
    }
}

#[test]
fn of_a_file_that_was_changed_since_only_our_entries_go() {
    for agent in IN_JSON {
        let before = "{\n  // mine\n  \"other\": { \"x\": [1, 2] }, // kept\n  \"last\": null\n}\n";
        let after = installed(agent, before);
        let changed = after.replace("[1, 2]", "[1, 2, 3]");
        let left = removed(agent, &changed).unwrap();
        let want = before.replace("[1, 2]", "[1, 2, 3]");
        if matches!(agent, Agent::Cursor | Agent::Vscode) {
            assert!(
                left.contains("\"version\": 1") && !left.contains("countersign"),
                "{left}"
            );
        } else {
            assert_eq!(left, want, "{agent}");
        }
    }
}

#[test]
fn hooks_of_others_stay_beside_ours_and_inside_our_groups() {
    let text = r#"{
  "hooks": {
    "PreToolUse": [
      {
        "hooks": [
          { "type": "command", "command": "theirs" },
          { "type": "command", "command": "countersign hook claude-code --event PreToolUse" }
        ]
      }
    ],
    "Stop": [
      { "hooks": [{ "type": "command", "command": "countersign hook claude-code --event Stop" }] }
    ],
    "Mine": []
  }
}
"#;
    let left = removed(Agent::ClaudeCode, text).unwrap();
    assert!(!left.contains("countersign"), "{left}");
    assert!(
        left.contains("\"command\": \"theirs\"") && left.contains("\"Mine\": []"),
        "{left}"
    );
    assert!(!left.contains("Stop"), "{left}");
    assert!(
        serde_json::from_str::<serde_json::Value>(&left).is_ok(),
        "{left}"
    );
}

#[test]
fn a_file_that_install_made_goes_away_unless_something_else_is_in_it() {
    let home = Utf8Path::new(HOME);
    for agent in IN_JSON {
        let text = plan(agent, None).unwrap().edit.after.unwrap();
        let profile = profile(agent).unwrap();
        // Somebody's editor took the last line end away.
        let edit = uninstall(profile, file(), text.trim_end(), None, true, home).unwrap();
        assert_eq!(edit.after, None, "{agent}");
        let noted = format!("// mine\n{text}");
        let edit = uninstall(profile, file(), &noted, None, true, home).unwrap();
        assert!(edit.after.unwrap().contains("// mine"), "{agent}");
    }
}

#[test]
fn trust_of_codex_goes_with_its_hooks() {
    let hooks_file = Utf8Path::new("/home/ada/.codex/hooks.json");
    let config = Utf8Path::new("/home/ada/.codex/config.toml");
    let home = Utf8Path::new(HOME);
    let hooks = installed(Agent::Codex, "");
    let before = "model = \"m\" # mine\n";
    let edit = trust_hooks(hooks_file, &hooks, config, Some(before), home).unwrap();
    let after = edit.after.unwrap();
    assert!(after.starts_with(before), "{after}");
    assert!(after.contains("[hooks.state.\"/home/ada/.codex/hooks.json:pre_tool_use:0:0\"]"));
    let edit = distrust_hooks(hooks_file, &hooks, config, &after, home).unwrap();
    assert_eq!(edit.after.unwrap().trim_end(), before.trim_end());
}

#[test]
fn what_a_file_was_is_kept_for_the_user_alone_and_forgotten() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let state = Utf8Path::from_path(folder.path()).unwrap().join("state");
    assert_eq!(load(&state, file()), None);
    let record = Record {
        agent: Agent::Qwen,
        path: file().to_owned(),
        before: Some("{ \"secret\": \"tulip\" }".to_owned()),
        after: digest("new"),
        folders: Vec::new(),
    };
    keep(&state, &record).unwrap();
    assert_eq!(load(&state, file()), Some(record.clone()));
    assert!(record.is_unchanged("new") && !record.is_unchanged("other"));
    assert!(!format!("{record:?}").contains("tulip"));
    for entry in std::fs::read_dir(state.join("installed")).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    forget(&state, file()).unwrap();
    forget(&state, file()).unwrap();
    assert_eq!(load(&state, file()), None);
}
