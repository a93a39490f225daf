//! What becomes of a call that the small program hands over when the other one
//! is kept from answering: by the agent's environment, by limits, by its file.
//! Agents run the tool after a program that ends in any other way than ours.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::person::with_model;
use crate::support::{
    CLAUDE, CODEX, DECIDING, HOOK, PROGRAM, Ran, Sandbox, feed, start, through, until,
};

const EVENT: &str = "PreToolUse";

/// A model that never answers: a call that is put to it is blocked.
fn with_a_model() -> Sandbox {
    Sandbox::trusted(&with_model("http://127.0.0.1:9/v1", ""))
}

/// A call that is put to the model.
fn for_the_model(sandbox: &Sandbox, agent: &str, event: &str) -> Value {
    sandbox.shell(agent, event, "trellis build")
}

#[track_caller]
fn assert_asked_the_model(ran: &Ran, what: &str) {
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{what}: {ran:?}");
    let blocked = "Auto mode classifier unavailable";
    assert!(ran.stderr.contains(blocked), "{what}: {ran:?}");
}

#[test]
fn no_variable_of_the_agents_keeps_the_other_program_from_deciding() {
    for name in [
        "LD_TRACE_LOADED_OBJECTS",
        "LD_DEBUG",
        "LD_LIBRARY_PATH",
        "LD_SHOW_AUXV",
        "GLIBC_TUNABLES",
    ] {
        let sandbox = with_a_model();
        let libraries = sandbox.home.join("libraries");
        fs::create_dir(&libraries).unwrap();
        fs::write(libraries.join("libc.so.6"), "none").unwrap();
        let value = match name {
            "LD_DEBUG" => "help",
            "LD_LIBRARY_PATH" => libraries.as_str(),
            "GLIBC_TUNABLES" => "glibc.rtld.optional_static_tls=0x7fffffff",
            _ => "1",
        };
        let mut hook = sandbox.hook_command(CLAUDE, EVENT);
        let call = for_the_model(&sandbox, CLAUDE, EVENT).to_string();
        let ran = feed(hook.env(name, value), call.as_bytes());
        assert_asked_the_model(&ran, name);
    }
}

/// The small program in the guard's home, where it is by itself.
fn apart(sandbox: &Sandbox) -> Utf8PathBuf {
    let program = sandbox.home.join("countersign-hook");
    shell("cp \"$1\" \"$2\"", &[HOOK, program.as_str()]);
    program
}

/// Not by this process: another thread's child would hold a program open for
/// writing that this one wrote, and then it could not be run.
fn shell(script: &str, words: &[&str]) {
    let words = [&["sh", "-c", script, "sh"], words].concat();
    let ended = Command::new(words[0]).args(&words[1..]).status().unwrap();
    assert!(ended.success(), "{words:?}");
}

fn apart_ran(sandbox: &Sandbox, program: &Utf8Path, agent: &str, event: &str) -> Ran {
    let mut words = sandbox.hook_words(agent, event);
    words[0] = program.as_str();
    let call = for_the_model(sandbox, agent, event).to_string();
    feed(&mut through(&[], &words), call.as_bytes())
}

#[test]
fn a_program_that_cannot_begin_is_a_block() {
    // The last is text that a shell would take for a program.
    let lengths = ["0", "3", "100", "4096", "1048576"].map(Some);
    for length in lengths.into_iter().chain([None]) {
        let sandbox = with_a_model();
        let program = apart(&sandbox);
        let other = sandbox.home.join("countersign");
        match length {
            Some(length) => shell(
                "head -c \"$1\" \"$2\" > \"$3\"",
                &[length, PROGRAM, other.as_str()],
            ),
            None => fs::write(&other, "true\n").unwrap(),
        }
        shell("chmod 755 \"$1\"", &[other.as_str()]);
        for (agent, event) in DECIDING {
            let ran = apart_ran(&sandbox, &program, agent, event);
            let message = ran.assert_block(event);
            let what = format!("{length:?}: {message}");
            assert!(message.contains("cannot be run"), "{what}");
            assert!(message.contains("install Countersign again"), "{what}");
        }
    }
}

#[test]
fn under_whatever_name_it_does_not_become_itself() {
    type Named = fn(&Utf8Path, &Utf8Path) -> std::io::Result<()>;
    let ways: [Named; 2] = [
        |program, other| symlink(program, other),
        |program, other| fs::hard_link(program, other),
    ];
    for named in ways {
        let sandbox = with_a_model();
        let program = apart(&sandbox);
        named(&program, &sandbox.home.join("countersign")).unwrap();
        let ran = apart_ran(&sandbox, &program, CLAUDE, EVENT);
        let message = ran.assert_block(EVENT);
        assert!(message.contains("under its name"), "{message}");
    }
}

#[test]
fn it_is_a_block_where_nobody_reads_why_it_cannot_hand_over() {
    let sandbox = with_a_model();
    let program = apart(&sandbox);
    let mut words = sandbox.hook_words(CLAUDE, EVENT);
    words[0] = program.as_str();
    let mut child = start(&mut through(&[], &words));
    drop(child.stderr.take());
    let call = for_the_model(&sandbox, CLAUDE, EVENT).to_string();
    let mut input = child.stdin.take().unwrap();
    input.write_all(call.as_bytes()).unwrap();
    drop(input);
    until("it has ended", || child.try_wait().unwrap().is_some());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(2), "{status:?}");
}

#[test]
fn a_limit_that_the_other_program_cannot_begin_with_is_a_block() {
    let mut handed_over = 0;
    // Space for addresses, and data, in KiB.
    let limits = [("v", 400, 20), ("d", 20, 1)].map(|(option, most, step)| {
        let sizes = (1..=most).step_by(step);
        sizes.map(move |mebibytes| format!("ulimit -{option} {};", mebibytes * 1024))
    });
    for limit in limits.into_iter().flatten() {
        let script = format!("{limit} exec \"$@\"");
        let wrapper = ["/bin/sh", "-c", &script, "sh"];
        let sandbox = with_a_model();
        let denied = sandbox.shell(CLAUDE, EVENT, "uproot vines");
        let ran = sandbox.hook_through(&wrapper, CLAUDE, EVENT, &denied);
        if ran.code != 2 {
            // Not even the small program can begin.
            assert!(ran.stdout.is_empty(), "{limit} {ran:?}");
            continue;
        }
        let call = for_the_model(&sandbox, CLAUDE, EVENT);
        let ran = sandbox.hook_through(&wrapper, CLAUDE, EVENT, &call);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{limit} {ran:?}");
        handed_over += 1;
    }
    assert!(handed_over > 5, "{handed_over}");
}

#[test]
fn a_limit_that_may_be_raised_is_no_hindrance() {
    // The soft one alone.
    let script = "ulimit -Sn 8; ulimit -Ss 200; exec \"$@\"";
    let wrapper = ["/bin/sh", "-c", script, "sh"];
    let sandbox = with_a_model();
    let call = for_the_model(&sandbox, CLAUDE, EVENT);
    let ran = sandbox.hook_through(&wrapper, CLAUDE, EVENT, &call);
    assert_asked_the_model(&ran, script);
}

#[test]
fn too_few_descriptors_are_a_block_and_lift_no_rule() {
    let sandbox = Sandbox::trusted(crate::support::AUTO);
    for most in 3..20 {
        let script = format!("ulimit -n {most}; exec \"$@\"");
        let wrapper = ["/bin/sh", "-c", &script, "sh"];
        // What it would read the rules from cannot be opened; reading is safe
        // in every mode.
        let denied = sandbox.read(CLAUDE, EVENT, ".env");
        let ran = sandbox.hook_through(&wrapper, CLAUDE, EVENT, &denied);
        ran.assert_block(EVENT);
        let allowed = sandbox.shell(CODEX, "PermissionRequest", "cargo test");
        let ran = sandbox.hook_through(&wrapper, CODEX, "PermissionRequest", &allowed);
        ran.assert_block("PermissionRequest");
    }
}
