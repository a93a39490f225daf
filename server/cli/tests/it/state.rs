//! A state that cannot be read is a block; one that cannot be written lets
//! through what default mode lets through, and no more.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};

use countersign_core::mode::ApprovalMode;
use countersign_core::state::StateStore as _;
use countersign_store::Store;

use crate::support::{AUTO, CLAUDE, DECIDING, GEMINI, Ran, Sandbox, contains};

/// A trusted workspace with a state that was used once.
fn used() -> Sandbox {
    let sandbox = Sandbox::trusted(AUTO);
    let read = sandbox.read(CLAUDE, "PreToolUse", "src/lib.rs");
    sandbox
        .hook(CLAUDE, "PreToolUse", &read)
        .assert_allow(CLAUDE, "PreToolUse");
    sandbox
}

/// Without the log, so that the file is everything.
fn drop_log(sandbox: &Sandbox) {
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{suffix}", sandbox.database()));
    }
}

/// A name, what is done to the state, and a part of the message.
type Damage = (&'static str, fn(&Sandbox), &'static str);

const DAMAGES: &[Damage] = &[
    (
        "garbage",
        |sandbox| {
            drop_log(sandbox);
            fs::write(sandbox.database(), "the vines are fine\n".repeat(500)).unwrap();
        },
        "countersign.db",
    ),
    (
        "empty",
        |sandbox| {
            drop_log(sandbox);
            fs::write(sandbox.database(), "").unwrap();
        },
        "countersign.db",
    ),
    (
        "a link",
        |sandbox| {
            let elsewhere = sandbox.home.join("elsewhere.db");
            fs::rename(sandbox.database(), &elsewhere).unwrap();
            symlink(elsewhere, sandbox.database()).unwrap();
        },
        "symbolic link",
    ),
    (
        "a second name",
        |sandbox| {
            fs::hard_link(sandbox.database(), sandbox.home.join("elsewhere.db")).unwrap();
        },
        "hard links",
    ),
    (
        "a folder",
        |sandbox| {
            drop_log(sandbox);
            fs::remove_file(sandbox.database()).unwrap();
            fs::create_dir(sandbox.database()).unwrap();
        },
        "not a regular file",
    ),
    (
        "a file for everybody",
        |sandbox| {
            fs::set_permissions(sandbox.database(), Permissions::from_mode(0o666)).unwrap();
        },
        "can be written by others",
    ),
    (
        "a folder for everybody",
        |sandbox| {
            fs::set_permissions(sandbox.state_dir(), Permissions::from_mode(0o777)).unwrap();
        },
        "can be written by others",
    ),
    (
        "a linked folder",
        |sandbox| {
            let elsewhere = sandbox.home.join("elsewhere");
            fs::rename(sandbox.state_dir(), &elsewhere).unwrap();
            symlink(elsewhere, sandbox.state_dir()).unwrap();
        },
        "symbolic link",
    ),
    (
        "a file that is gone with its log still there",
        |sandbox| fs::remove_file(sandbox.database()).unwrap(),
        "is gone",
    ),
];

#[test]
fn a_state_that_cannot_be_read_blocks_everything() {
    for (name, damage, part) in DAMAGES {
        let sandbox = used();
        damage(&sandbox);
        for (agent, event) in DECIDING {
            for call in [
                sandbox.read(agent, event, "src/lib.rs"),
                sandbox.shell(agent, event, "cargo test"),
                sandbox.shell(agent, event, "trellis build"),
            ] {
                let message = sandbox.hook(agent, event, &call).assert_block(event);
                assert!(message.contains(part), "{name}: {message}");
                assert!(contains(&message, &sandbox.home), "{name}: {message}");
            }
        }
        // What the guard cannot read, it does not repair behind one's back.
        let log = sandbox.run(&["log"]);
        log.assert_failure(1, &[part]);
        let result = sandbox.payload(CLAUDE, "PostToolUse");
        let ran = sandbox.hook(CLAUDE, "PostToolUse", &result);
        assert!([0, 2].contains(&ran.code), "{name}: {ran:?}");
        assert_eq!(ran.stdout, "", "{name}");
    }
}

/// As default mode: rules and reads as ever, nothing that only auto allows.
fn acts_as_default(sandbox: &Sandbox, run: &dyn Fn(&str, &str, &serde_json::Value) -> Ran) {
    for (agent, event) in DECIDING {
        let allowed = [
            sandbox.shell(agent, event, "cargo test"),
            sandbox.read(agent, event, "src/lib.rs"),
        ];
        for call in &allowed {
            run(agent, event, call).assert_allow(agent, event);
        }
        let only_in_auto = sandbox.edit(agent, event, "src/lib.rs");
        run(agent, event, &only_in_auto).assert_ask(agent, event);
        let unknown = sandbox.shell(agent, event, "trellis build");
        run(agent, event, &unknown).assert_ask(agent, event);
        for denied in ["uproot vines", "countersign trust"] {
            let call = sandbox.shell(agent, event, denied);
            run(agent, event, &call).assert_block(event);
        }
    }
}

/// A shell that lets no file grow beyond so many blocks (512 bytes, of some
/// shells 1,024), and then becomes the hook.
fn no_file_beyond(blocks: &str) -> [&'static str; 4] {
    let script = match blocks {
        "0" => "ulimit -f 0 && exec \"$@\"",
        _ => "ulimit -f 16 && exec \"$@\"",
    };
    ["/bin/sh", "-c", script, "sh"]
}

#[test]
fn a_state_that_cannot_grow_acts_as_default_and_says_so() {
    let sandbox = used();
    let before = sandbox.journal();
    let log = format!("{}-wal", sandbox.database());
    // What is written goes behind what is there, which is beyond the limit.
    assert!(fs::metadata(log).unwrap().len() > 16 * 1024);
    acts_as_default(&sandbox, &|agent, event, call| {
        sandbox.hook_through(&no_file_beyond("16"), agent, event, call)
    });
    assert_eq!(sandbox.journal(), before, "nothing was half written");
    sandbox.assert_verified();
    let told = sandbox.log_file();
    assert!(told.contains("state cannot be written"), "{told}");
    assert!(told.contains("countersign.db"), "{told}");
    // As soon as there is room, all is as before.
    let edit = sandbox.edit(CLAUDE, "PreToolUse", "src/lib.rs");
    sandbox
        .hook(CLAUDE, "PreToolUse", &edit)
        .assert_allow(CLAUDE, "PreToolUse");
    assert_eq!(sandbox.journal().len(), before.len() + 1);
}

#[test]
fn where_not_even_a_log_can_be_written_it_still_acts_as_default() {
    let sandbox = used();
    acts_as_default(&sandbox, &|agent, event, call| {
        sandbox.hook_through(&no_file_beyond("0"), agent, event, call)
    });
    assert_eq!(sandbox.journal().len(), 1);
}

#[test]
fn a_state_that_cannot_be_created_acts_as_default() {
    let sandbox = Sandbox::trusted(AUTO);
    acts_as_default(&sandbox, &|agent, event, call| {
        sandbox.hook_through(&no_file_beyond("0"), agent, event, call)
    });
    assert!(!sandbox.database().exists());
    let leftovers: Vec<_> = fs::read_dir(sandbox.state_dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("countersign.db"))
        .collect();
    assert_eq!(leftovers, Vec::<String>::new());
}

/// Programs that mount something over the state folder, seen by what runs
/// behind them only, and then become it; none where that is not permitted.
fn mounted(sandbox: &Sandbox, mount: &str) -> Option<Vec<String>> {
    let state = sandbox.state_dir();
    let script = format!("{} && exec \"$@\"", mount.replace("STATE", state.as_str()));
    [&["-m"][..], &["-r", "-m"]].iter().find_map(|flags| {
        let words: Vec<String> = ["unshare"]
            .iter()
            .chain(*flags)
            .chain(&["/bin/sh", "-c", &script, "sh"])
            .map(ToString::to_string)
            .collect();
        let works = Command::new(&words[0])
            .args(&words[1..])
            .arg("true")
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        works.then_some(words)
    })
}

fn words(wrapper: &[String]) -> Vec<&str> {
    wrapper.iter().map(String::as_str).collect()
}

#[test]
fn a_read_only_file_system_acts_as_default() {
    let sandbox = used();
    let Some(wrapper) = mounted(
        &sandbox,
        "mount --bind 'STATE' 'STATE' && mount -o remount,bind,ro 'STATE'",
    ) else {
        eprintln!("mounting is not permitted here; left out");
        return;
    };
    let wrapper = words(&wrapper);
    acts_as_default(&sandbox, &|agent, event, call| {
        sandbox.hook_through(&wrapper, agent, event, call)
    });
    assert_eq!(sandbox.journal().len(), 1);
    // What was written can still be read there.
    let log = crate::support::feed(
        &mut crate::support::through(
            &wrapper,
            &[
                crate::support::PROGRAM,
                "--home",
                sandbox.home.as_str(),
                "log",
                "--json",
            ],
        ),
        b"",
    );
    assert_eq!((log.code, log.stdout.lines().count()), (0, 1), "{log:?}");
}

#[test]
fn a_full_disk_acts_as_default() {
    let sandbox = used();
    // The state as it is, on a disk that has not one page left.
    let Some(wrapper) = mounted(
        &sandbox,
        "cp -a 'STATE' 'STATE.copy.$$' && mount -t tmpfs -o size=1m,mode=700 tmpfs 'STATE' \
         && cp -a 'STATE.copy.$$'/. 'STATE' && { cat /dev/zero > 'STATE/ballast' || true; } 2>/dev/null",
    ) else {
        eprintln!("mounting is not permitted here; left out");
        return;
    };
    let wrapper = words(&wrapper);
    acts_as_default(&sandbox, &|agent, event, call| {
        sandbox.hook_through(&wrapper, agent, event, call)
    });
    assert_eq!(sandbox.journal().len(), 1);
}

#[test]
fn a_full_disk_without_a_state_acts_as_default() {
    let sandbox = used();
    let Some(wrapper) = mounted(
        &sandbox,
        "cp -a 'STATE' 'STATE.copy.$$' && mount -t tmpfs -o size=1m,mode=700 tmpfs 'STATE' \
         && cp -a 'STATE.copy.$$/trust.json' 'STATE' && { cat /dev/zero > 'STATE/ballast' || true; } 2>/dev/null",
    ) else {
        eprintln!("mounting is not permitted here; left out");
        return;
    };
    let wrapper = words(&wrapper);
    for event in ["PreToolUse", "PermissionRequest"] {
        let allowed = sandbox.shell(CLAUDE, event, "cargo test");
        sandbox
            .hook_through(&wrapper, CLAUDE, event, &allowed)
            .assert_allow(CLAUDE, event);
        let edit = sandbox.edit(CLAUDE, event, "src/lib.rs");
        sandbox
            .hook_through(&wrapper, CLAUDE, event, &edit)
            .assert_ask(CLAUDE, event);
    }
    let edit = sandbox.edit(GEMINI, "BeforeTool", "src/lib.rs");
    sandbox
        .hook_through(&wrapper, GEMINI, "BeforeTool", &edit)
        .assert_ask(GEMINI, "BeforeTool");
}

/// Marks the session as one for which a person chose the mode, as a server does.
fn choose(sandbox: &Sandbox, mode: ApprovalMode) {
    let store = Store::open(&sandbox.state_dir()).unwrap();
    store
        .transition(&mut |transaction| {
            for mut session in transaction.recent_sessions(16)? {
                session.chosen = Some(mode);
                transaction.put_session(&session)?;
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_the_state_says_of_a_persons_mode_only_tightens() {
    let sandbox = used();
    let edit = || sandbox.edit(CLAUDE, "PreToolUse", "src/lib.rs");
    sandbox
        .hook(CLAUDE, "PreToolUse", &edit())
        .assert_allow(CLAUDE, "PreToolUse");
    choose(&sandbox, ApprovalMode::Plan);
    let blocked = sandbox
        .hook(CLAUDE, "PreToolUse", &edit())
        .assert_block("PreToolUse");
    assert!(blocked.contains("plan"), "{blocked}");
    // Whoever can write the state has not loosened anything with it.
    choose(&sandbox, ApprovalMode::Yolo);
    let shell = sandbox.shell(CLAUDE, "PreToolUse", "frobnicate --all");
    sandbox
        .hook(CLAUDE, "PreToolUse", &shell)
        .assert_ask(CLAUDE, "PreToolUse");
}
