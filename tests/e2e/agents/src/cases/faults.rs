//! What goes wrong in a hook and with what it reads: whatever it is, nothing runs.

use super::{assert_held_back, assert_made, assert_not_made, auto, guarded};
use crate::agent::{AgentUnderTest, run};
use crate::model::Script;

/// A way in which a hook fails: what a shell does in the place of the hook whose
/// input is in `$payload`, and what the model is told, if the guard knows it.
struct Fault {
    shell: &'static str,
    told: Option<&'static str>,
}

/// The last words of a guard that fails in itself.
const FAILED: Option<&str> = Some("the guard failed and blocks to be safe");

/// The ends are provoked in a build for development, after it has read its input.
const FAULTS: [Fault; 8] = [
    Fault {
        shell: r#"same | "$REAL" "$@" --provoke panic"#,
        told: FAILED,
    },
    Fault {
        shell: r#"same | "$REAL" "$@" --provoke overflow"#,
        told: FAILED,
    },
    Fault {
        shell: r#"same | "$REAL" "$@" --provoke abort"#,
        told: FAILED,
    },
    Fault {
        shell: r#"same | "$REAL" "$@" --provoke segfault"#,
        told: FAILED,
    },
    Fault {
        shell: r#"head -c 4096 /dev/urandom | "$REAL" "$@""#,
        told: Some("Countersign"),
    },
    // No file of the hook may get a single byte: it acts as in default mode.
    Fault {
        shell: r#"ulimit -f 0; same | "$REAL" "$@""#,
        told: None,
    },
    // Acts as default mode too.
    Fault {
        shell: r#"same | "$REAL" "$@" --home "$ROOT/without-settings""#,
        told: None,
    },
    // A state that cannot be read is not one that is empty.
    Fault {
        shell: r#"same | "$REAL" "$@" --home "$ROOT/without-state""#,
        told: Some("Countersign"),
    },
];

pub(super) fn all(agent: &dyn AgentUnderTest) {
    let world = guarded(agent, &auto());
    world.trusting_guard(
        "without-settings",
        r#"{ "tools": { "approvalMode": "auto" "#,
    );
    world.trusting_guard("without-state", &auto().to_string());
    world.spoil_state("without-state");
    let files: Vec<String> = (1..=FAULTS.len())
        .map(|number| format!("fault-{number}.txt"))
        .collect();
    let mut script = vec![
        format!("ROOT='{}'", world.root()),
        "payload=$(cat)".to_owned(),
        r#"same() { printf %s "$payload"; }"#.to_owned(),
        r#"case "$payload" in"#.to_owned(),
    ];
    for (file, fault) in files.iter().zip(&FAULTS) {
        script.push(format!("*{file}*) {};;", fault.shell));
    }
    script.push(r#"*) same | "$REAL" "$@";;"#.to_owned());
    script.push("esac".to_owned());
    world.hooks_run(&script);
    // Allowed, were nothing wrong: before and after it is.
    let fine = ["before.txt", "after.txt"];
    let calls = std::iter::once(fine[0])
        .chain(files.iter().map(String::as_str))
        .chain([fine[1]])
        .map(|file| agent.shell(&format!("touch {file}")));
    let ended = run(agent, &world, Script::new(calls));
    assert_eq!(ended.results.len(), files.len() + 2, "{}", ended.told());
    for file in fine {
        assert_made(&world, file, &ended);
    }
    for ((file, fault), result) in files.iter().zip(&FAULTS).zip(ended.results.iter().skip(1)) {
        assert_not_made(&world, file, &ended);
        match fault.told {
            Some(told) => assert!(
                result.text.contains(told),
                "{}: {}",
                fault.shell,
                result.text
            ),
            None => assert_held_back(agent, &result.text),
        }
    }
}
