//! Surroundings that an attacker or a bad day may choose: limits, closed
//! descriptors, a held lock, links, foreign folders.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::mpsc;

use camino::Utf8PathBuf;
use countersign_core::state::StateStore as _;
use countersign_store::Store;
use serde_json::{Value, json};

use crate::support::{
    AUTO, CLAUDE, CODEX, DECIDING, GEMINI, Ran, Sandbox, With as _, feed, through,
};

/// A shell that does something to itself and then becomes the hook.
fn behind(sandbox: &Sandbox, script: &str, agent: &str, event: &str, call: &Value) -> Ran {
    let script = format!("{script} exec \"$@\"");
    sandbox.hook_through(&["/bin/sh", "-c", &script, "sh"], agent, event, call)
}

#[test]
fn scarce_stack_and_descriptors_never_let_a_denied_command_through() {
    let sandbox = Sandbox::trusted(AUTO);
    let read = sandbox.read(CLAUDE, "PreToolUse", "src/lib.rs");
    sandbox
        .hook(CLAUDE, "PreToolUse", &read)
        .assert_allow(CLAUDE, "PreToolUse");
    for limit in ["ulimit -s 128;", "ulimit -s 256;"]
        .into_iter()
        .map(str::to_owned)
        .chain((4..14).map(|most| format!("ulimit -n {most};")))
    {
        for (agent, event) in [
            (CLAUDE, "PreToolUse"),
            (CLAUDE, "PermissionRequest"),
            (CODEX, "PreToolUse"),
            (GEMINI, "BeforeTool"),
        ] {
            let call = sandbox.shell(agent, event, "uproot vines");
            behind(&sandbox, &limit, agent, event, &call).assert_block(event);
        }
    }
    sandbox.assert_verified();
}

/// Builds for development can be made to fail.
#[test]
#[cfg(debug_assertions)]
fn a_hook_that_fails_in_any_way_is_a_block() {
    let sandbox = Sandbox::trusted(AUTO);
    for (agent, event) in DECIDING {
        let allowed = sandbox.shell(agent, event, "cargo test").to_string();
        for how in ["panic", "overflow", "abort", "segfault"] {
            let mut words = sandbox.hook_words(agent, event);
            words.extend(["--provoke", how]);
            feed(&mut through(&[], &words), allowed.as_bytes()).assert_block(event);
        }
    }
}

#[test]
fn closed_descriptors_are_no_way_around() {
    let sandbox = Sandbox::trusted(AUTO);
    for (agent, event) in DECIDING {
        let call = sandbox.shell(agent, event, "cargo test");
        behind(&sandbox, "exec <&-;", agent, event, &call).assert_block(event);
        let denied = sandbox.shell(agent, event, "uproot vines");
        behind(&sandbox, "exec 2>&-;", agent, event, &denied);
        if *event != "PermissionRequest" {
            let ran = behind(&sandbox, "exec >&- 2>&-;", agent, event, &denied);
            assert_eq!(ran.code, 2, "{ran:?}");
        }
    }
}

#[test]
fn it_needs_no_environment() {
    let sandbox = Sandbox::trusted(AUTO);
    for (agent, event) in DECIDING {
        for (command, allowed) in [("cargo test", true), ("uproot vines", false)] {
            let call = sandbox.shell(agent, event, command);
            let mut hook = sandbox.hook_command(agent, event);
            let ran = feed(hook.env_clear(), call.to_string().as_bytes());
            if allowed {
                ran.assert_allow(agent, event);
            } else {
                ran.assert_block(event);
            }
        }
    }
}

/// What the C library makes of it comes before anything of ours, and ends in a
/// status after which agents run the tool.
#[test]
fn no_variable_of_the_c_librarys_ends_it_before_its_first_line() {
    let sandbox = Sandbox::trusted(AUTO);
    for (name, value) in [
        (
            "GLIBC_TUNABLES",
            "glibc.rtld.optional_static_tls=0x7fffffff",
        ),
        ("GLIBC_TUNABLES", "glibc.malloc.check=3:glibc.rtld.nns=0"),
        ("LD_LIBRARY_PATH", "$LIB/:/dev/zero"),
        ("LD_TRACE_LOADED_OBJECTS", "1"),
        ("LD_DEBUG", "help"),
    ] {
        for (agent, event) in DECIDING {
            let denied = sandbox.shell(agent, event, "uproot vines").to_string();
            let mut hook = sandbox.hook_command(agent, event);
            feed(hook.env(name, value), denied.as_bytes()).assert_block(event);
        }
    }
}

#[test]
fn a_lock_that_somebody_holds_ends_in_a_block_at_the_deadline() {
    let sandbox = Sandbox::trusted(AUTO);
    let store = Store::open(&sandbox.state_dir()).unwrap();
    let (held, is_held) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            store
                .transition(&mut |transaction| {
                    // Taken for writing by now.
                    transaction.set_aside()?;
                    held.send(()).unwrap();
                    released.recv().unwrap();
                    Ok(())
                })
                .unwrap();
        });
        is_held.recv().unwrap();
        for (agent, event) in DECIDING {
            let mut words = sandbox.hook_words(agent, event);
            *words.iter_mut().find(|word| **word == "60").unwrap() = "1";
            let call = sandbox.shell(agent, event, "cargo test");
            feed(&mut through(&[], &words), call.to_string().as_bytes()).assert_block(event);
        }
        release.send(()).unwrap();
    });
    let call = sandbox.shell(CLAUDE, "PreToolUse", "cargo test");
    sandbox
        .hook(CLAUDE, "PreToolUse", &call)
        .assert_allow(CLAUDE, "PreToolUse");
}

/// Every file below a folder.
fn files(folder: &str) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = Utf8PathBuf::from_path_buf(entry.unwrap().path()).unwrap();
        if path.is_dir() {
            found.extend(files(path.as_str()));
        }
        found.push(path);
    }
    found
}

#[test]
fn the_state_is_private_whatever_the_umask_and_holds_no_secret() {
    let sandbox = Sandbox::trusted(AUTO);
    let token = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
    let command = format!("trellis login --token {token}");
    for (agent, event) in DECIDING {
        let call = sandbox.shell(agent, event, &command);
        behind(&sandbox, "umask 000;", agent, event, &call).assert_ask(agent, event);
        let broken = call.with("tool_input", json!({ "command": [token] }));
        behind(&sandbox, "umask 000;", agent, event, &broken).assert_block(event);
    }
    let result = sandbox.shell(CLAUDE, "PostToolUse", &command);
    behind(&sandbox, "umask 000;", CLAUDE, "PostToolUse", &result).assert_neutral();
    let state = sandbox.state_dir();
    let all = files(state.as_str());
    assert!(all.iter().any(|path| path.ends_with("countersign.db")));
    assert!(all.iter().any(|path| path.ends_with("countersign.log")));
    for path in all.iter().chain([&state]) {
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{path} has mode {mode:o}");
        if path.is_file() {
            let bytes = fs::read(path).unwrap();
            let secret = &token.as_bytes()[4..24];
            assert!(!bytes.windows(20).any(|window| window == secret), "{path}");
        }
    }
}

#[test]
fn the_log_goes_through_no_link() {
    for link in [true, false] {
        let sandbox = Sandbox::trusted("{");
        let victim = sandbox.workspace.join("victim");
        fs::write(&victim, "mine\n").unwrap();
        let log = sandbox.state_dir().join("countersign.log");
        if link {
            symlink(&victim, log).unwrap();
        } else {
            fs::hard_link(&victim, log).unwrap();
        }
        let read = sandbox.read(CLAUDE, "PreToolUse", "src/lib.rs");
        sandbox
            .hook(CLAUDE, "PreToolUse", &read)
            .assert_allow(CLAUDE, "PreToolUse");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine\n");
    }
}

#[test]
fn an_edit_through_a_link_is_judged_by_where_it_leads() {
    let sandbox = Sandbox::trusted(AUTO);
    let outside = sandbox.workspace.parent().unwrap().join("outside.rs");
    fs::write(&outside, "vines\n").unwrap();
    symlink(&outside, sandbox.file("src/out.rs")).unwrap();
    symlink(outside.parent().unwrap(), sandbox.file("src/up")).unwrap();
    symlink(sandbox.file("package.json"), sandbox.file("src/notes.txt")).unwrap();
    symlink(sandbox.file("src/lib.rs"), sandbox.file("src/inside.rs")).unwrap();
    fs::hard_link(&outside, sandbox.file("src/twin.rs")).unwrap();
    for (agent, event) in DECIDING {
        for path in [
            "src/out.rs",
            "src/up/new.rs",
            "src/notes.txt",
            "src/twin.rs",
            "src/../../outside.rs",
        ] {
            let edit = sandbox.edit(agent, event, path);
            sandbox.hook(agent, event, &edit).assert_ask(agent, event);
        }
        for path in ["src/inside.rs", "src/../src/lib.rs", "src/new/deep.rs"] {
            let edit = sandbox.edit(agent, event, path);
            sandbox.hook(agent, event, &edit).assert_allow(agent, event);
        }
    }
}

#[test]
fn the_folder_that_an_agent_names_is_trusted_only_if_it_is() {
    let sandbox = Sandbox::trusted(AUTO);
    let inner = sandbox.workspace.join("inner");
    fs::create_dir_all(inner.join(".git")).unwrap();
    let twin = Utf8PathBuf::from(format!("{}-evil", sandbox.workspace));
    fs::create_dir_all(twin.join(".git")).unwrap();
    let edit = |cwd: &str, path: &str| {
        let input = json!({ "file_path": path, "old_string": "a", "new_string": "b" });
        let call = sandbox
            .call(CLAUDE, "PreToolUse", "Edit", input)
            .with("cwd", json!(cwd));
        sandbox.hook(CLAUDE, "PreToolUse", &call)
    };
    let below = sandbox.file("src");
    edit(&below, &sandbox.file("src/lib.rs")).assert_allow(CLAUDE, "PreToolUse");
    for (cwd, path) in [
        ("/", sandbox.file("src/lib.rs")),
        ("/nowhere", "/nowhere/a.rs".to_owned()),
        (inner.as_str(), inner.join("a.rs").into_string()),
        (twin.as_str(), twin.join("a.rs").into_string()),
        (sandbox.workspace.as_str(), twin.join("a.rs").into_string()),
        (
            sandbox.home.as_str(),
            sandbox.home.join("a.rs").into_string(),
        ),
    ] {
        let ran = edit(cwd, &path);
        if ran.code == 2 {
            ran.assert_block("PreToolUse");
        } else {
            ran.assert_ask(CLAUDE, "PreToolUse");
        }
    }
}

#[test]
fn another_folder_at_a_trusted_place_is_not_trusted() {
    let sandbox = Sandbox::trusted(AUTO);
    let edit = sandbox.edit(CLAUDE, "PreToolUse", "src/lib.rs");
    sandbox
        .hook(CLAUDE, "PreToolUse", &edit)
        .assert_allow(CLAUDE, "PreToolUse");
    fs::rename(&sandbox.workspace, format!("{}-old", sandbox.workspace)).unwrap();
    fs::create_dir_all(sandbox.workspace.join(".git")).unwrap();
    sandbox
        .hook(CLAUDE, "PreToolUse", &edit)
        .assert_ask(CLAUDE, "PreToolUse");
}

#[test]
fn a_trust_file_that_others_can_write_trusts_nobody() {
    let sandbox = Sandbox::trusted(AUTO);
    let file = sandbox.state_dir().join("trust.json");
    fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    let edit = sandbox.edit(CLAUDE, "PreToolUse", "src/lib.rs");
    sandbox
        .hook(CLAUDE, "PreToolUse", &edit)
        .assert_ask(CLAUDE, "PreToolUse");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    fs::write(&file, "{\"folders\": [").unwrap();
    sandbox
        .hook(CLAUDE, "PreToolUse", &edit)
        .assert_ask(CLAUDE, "PreToolUse");
}

#[test]
fn odd_session_ids_name_nothing_on_disk() {
    let sandbox = Sandbox::trusted(AUTO);
    let read = sandbox.read(CLAUDE, "PreToolUse", "src/lib.rs");
    for id in [
        "../../../escape",
        "/etc/passwd",
        "'; DROP TABLE journal; --",
        "%s%n",
        "ünïcode 🍇",
    ] {
        let call = read.clone().with("session_id", json!(id));
        sandbox
            .hook(CLAUDE, "PreToolUse", &call)
            .assert_allow(CLAUDE, "PreToolUse");
        let ran = sandbox.run(&["log", "--json", "--session", id]);
        assert_eq!(ran.stdout.lines().count(), 1, "{id}: {ran:?}");
    }
    for id in ["a\u{1b}[2Jb".to_owned(), "v".repeat(4_096)] {
        let call = read.clone().with("session_id", json!(id));
        sandbox
            .hook(CLAUDE, "PreToolUse", &call)
            .assert_block("PreToolUse");
    }
    let refused = sandbox
        .run(&["log", "--json", "--decision", "block"])
        .stdout;
    assert_eq!(refused.matches("invalid_call").count(), 2, "{refused}");
    assert_eq!(sandbox.journal().len(), 7);
    sandbox.assert_verified();
}

#[test]
fn a_sub_agents_denials_are_its_roots_too() {
    let sandbox = Sandbox::trusted(AUTO);
    let attack = sandbox
        .shell(CLAUDE, "PreToolUse", "countersign trust")
        .with("agent_id", json!("pruner-1"));
    for _ in 0..3 {
        sandbox
            .hook(CLAUDE, "PreToolUse", &attack)
            .assert_block("PreToolUse");
    }
    let build = sandbox.shell(CLAUDE, "PreToolUse", "trellis build");
    let of_sub_agent = build.clone().with("agent_id", json!("pruner-1"));
    sandbox
        .hook(CLAUDE, "PreToolUse", &of_sub_agent)
        .assert_ask(CLAUDE, "PreToolUse");
    sandbox
        .hook(CLAUDE, "PreToolUse", &build)
        .assert_ask(CLAUDE, "PreToolUse");
    let rows = sandbox.rows("decision");
    assert_eq!(rows[3]["reason"], "consecutive_block");
    assert_eq!(rows[3]["key"]["subagent"], "pruner-1");
    assert_eq!(
        rows[4]["reason"], "no_classifier",
        "its row of blocks is its own"
    );
    assert_eq!(rows[4]["before"]["totalBlock"], 3, "the totals are shared");
    assert_eq!(rows[4]["before"]["consecutiveBlock"], 0);
}
