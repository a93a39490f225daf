//! The small program that agents start, beside the one that it becomes.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use crate::person::with_model;
use crate::support::{AUTO, CLAUDE, DECIDING, HOOK, PROGRAM, Ran, Sandbox, feed, through};

/// What a program answers to these calls, each in a home of its own, with the
/// home's name taken out.
fn answers(program: &str, call: impl Fn(&Sandbox) -> (Vec<String>, Value)) -> Ran {
    let sandbox = Sandbox::trusted(AUTO);
    let (words, payload) = call(&sandbox);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let home = ["--home", sandbox.home.as_str()];
    let words = [&[program, "hook"][..], &words, &home].concat();
    let ran = feed(&mut through(&[], &words), payload.to_string().as_bytes());
    let folder = sandbox.home.parent().unwrap();
    let plain = |text: &str| text.replace(folder.as_str(), "@");
    Ran {
        code: ran.code,
        stdout: plain(&ran.stdout),
        stderr: plain(&ran.stderr),
    }
}

#[test]
fn it_answers_as_the_other_program_does() {
    type Wants = fn(&Sandbox, &str, &str) -> Value;
    let wants: [Wants; 4] = [
        |sandbox, agent, event| sandbox.edit(agent, event, "src/lib.rs"),
        |sandbox, agent, event| sandbox.read(agent, event, "src/lib.rs"),
        |sandbox, agent, event| sandbox.shell(agent, event, "uproot vines"),
        |_, _, _| Value::Null,
    ];
    for (agent, event) in DECIDING {
        for want in wants {
            let of = |program| {
                answers(program, |sandbox| {
                    let words = [agent, "--event", event].map(str::to_owned).to_vec();
                    (words, want(sandbox, agent, event))
                })
            };
            assert_eq!(of(HOOK), of(PROGRAM), "{agent} {event}");
        }
    }
}

#[test]
fn a_wrong_command_line_is_the_same_block() {
    for words in [
        &[][..],
        &["claude-code"],
        &["vintner", "--event", "PreToolUse"],
        &["codex", "--event", "PermissionRequest", "--frob", "x"],
    ] {
        let of = |program| {
            answers(program, |_| {
                let words = words.iter().map(|word| (*word).to_owned()).collect();
                (words, Value::Null)
            })
        };
        assert_eq!(of(HOOK), of(PROGRAM), "{words:?}");
        assert_ne!(of(HOOK).code, 1, "{words:?}");
    }
}

/// The small program in a folder of its own, under this name.
pub(crate) fn apart(folder: &Utf8Path, name: &str) -> Utf8PathBuf {
    let program = folder.join(name);
    // Not by this process: another thread's child would hold it open for
    // writing, and then it could not be run.
    let copied = Command::new("cp").args([HOOK, program.as_str()]).status();
    assert!(copied.unwrap().success());
    program
}

/// What it answers to a call under this name, alone in its folder.
fn apart_ran(sandbox: &Sandbox, program: &Utf8Path, agent: &str, event: &str, call: &Value) -> Ran {
    let mut words = sandbox.hook_words(agent, event);
    words[0] = program.as_str();
    feed(&mut through(&[], &words), call.to_string().as_bytes())
}

/// Settings for which it needs the other program: a model, and a user hook.
fn beyond_it() -> [String; 2] {
    let hook = json!([{ "hooks": [{ "type": "command", "command": "true" }] }]);
    let hooks = format!("{{ \"hooks\": {{ \"PermissionRequest\": {hook} }},");
    [
        with_model("http://127.0.0.1:9/v1", ""),
        AUTO.replacen('{', &hooks, 1),
    ]
}

#[test]
fn without_the_other_program_it_decides_what_needs_no_model_and_no_user_hook() {
    let sandbox = Sandbox::trusted(AUTO);
    let program = apart(&sandbox.home, "countersign-hook");
    for (agent, event) in DECIDING {
        let call = sandbox.shell(agent, event, "cargo test --all");
        let ran = apart_ran(&sandbox, &program, agent, event, &call);
        ran.assert_allow(agent, event);
        let call = sandbox.shell(agent, event, "uproot vines");
        let ran = apart_ran(&sandbox, &program, agent, event, &call);
        let message = ran.assert_block(event);
        assert!(message.contains("deny rule"), "{message}");
    }
    sandbox.assert_verified();
}

#[test]
fn without_the_other_program_it_blocks_the_rest_and_says_what_to_do() {
    for settings in beyond_it() {
        blocks_without_the_other(&Sandbox::trusted(&settings));
    }
}

fn blocks_without_the_other(sandbox: &Sandbox) {
    let program = apart(&sandbox.home, "countersign-hook");
    for (agent, event) in DECIDING {
        let call = sandbox.shell(agent, event, "trellis build");
        let ran = apart_ran(sandbox, &program, agent, event, &call);
        let message = ran.assert_block(event);
        let missing = sandbox.home.join("countersign");
        assert!(message.contains(missing.as_str()), "{message}");
        assert!(message.contains("install Countersign again"), "{message}");
    }
    // Nothing of it was decided.
    assert!(!sandbox.database().exists() || sandbox.journal().is_empty());
    // Of an event that needs no decision, the block is silence.
    let nothing = json!({});
    apart_ran(sandbox, &program, CLAUDE, "PostToolUse", &nothing).assert_neutral();
    let ran = feed(&mut through(&[], &[program.as_str(), "doctor"]), b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("install Countersign again"), "{ran:?}");
}

#[test]
fn under_the_others_name_it_does_not_become_itself() {
    for settings in beyond_it() {
        let sandbox = Sandbox::trusted(&settings);
        let program = apart(&sandbox.home, "countersign");
        let call = sandbox.shell(CLAUDE, "PreToolUse", "trellis build");
        let ran = apart_ran(&sandbox, &program, CLAUDE, "PreToolUse", &call);
        let message = ran.assert_block("PreToolUse");
        assert!(message.contains("install Countersign again"), "{message}");
    }
}

#[test]
fn what_is_no_hook_is_the_other_programs() {
    let of = |program| feed(&mut through(&[], &[program, "--version"]), b"");
    assert_eq!(of(HOOK), of(PROGRAM));
    assert_eq!(of(HOOK).code, 0);
}

/// It has to start quickly; see `build.rs`.
#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    target_endian = "little",
    target_pointer_width = "64"
))]
#[test]
fn it_loads_no_library() {
    /// `PT_INTERP` of elf(5).
    const DYNAMIC_LINKER: usize = 3;
    let bytes = std::fs::read(HOOK).unwrap();
    let number = |at: usize, length: usize| {
        let bytes = bytes[at..at + length].iter().rev();
        bytes.fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    let (first, size, count) = (number(0x20, 8), number(0x36, 2), number(0x38, 2));
    let asks_for_one = (0..count).any(|index| number(first + index * size, 4) == DYNAMIC_LINKER);
    assert!(
        !asks_for_one,
        "countersign-hook is linked with libraries: install the static C library (on Debian \
         libc6-dev, on Fedora glibc-static) and build again"
    );
}
