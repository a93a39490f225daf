//! The examples for agents of one's own run nothing without an explicit allow.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use countersign_agents::decode;
use countersign_core::agent::Agent;
use serde_json::json;

/// What runs an example, and the example.
fn examples() -> Vec<(&'static str, Vec<PathBuf>)> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = manifest.join("../../docs/agents/examples");
    let mut all = Vec::new();
    for (program, file) in [("python3", "guard.py"), ("node", "guard.mjs")] {
        must_be_there(program);
        all.push((file, vec![PathBuf::from(program), folder.join(file)]));
    }
    // Cargo builds the examples before it runs the tests of a package.
    let built = std::env::current_exe().unwrap();
    let guard = built
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/guard");
    assert!(
        guard.is_file(),
        "{} is not there; `cargo build -p countersign-agents --examples` makes it",
        guard.display()
    );
    all.push(("guard.rs", vec![guard]));
    all
}

/// A test that cannot run is no test that passed.
pub(crate) fn must_be_there(program: &str) {
    let version = Command::new(program).arg("--version").output();
    assert!(version.is_ok(), "`{program}` is not there; install it");
}

#[test]
fn the_examples_let_nothing_run_without_an_explicit_allow() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generic/hook.sh");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("generic-examples");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let hook = folder.join("hook.sh");
    fs::copy(source, &hook).unwrap();
    let make_runnable = Command::new("chmod").arg("+x").arg(&hook).status();
    assert!(make_runnable.unwrap().success());
    let hook = hook.to_str().unwrap().to_owned();
    let cases = [
        ("does-allow", &hook, ""),
        ("does-no-opinion", &hook, ""),
        ("does-deny", &hook, "a rule forbids it"),
        ("does-silence", &hook, "not run"),
        ("does-garbage", &hook, "not run"),
        ("does-ask", &hook, "did not allow"),
        ("does-fail", &hook, "status"),
        ("does-get-killed", &hook, "not run"),
        ("does-allow", &"/no/such/program".to_owned(), "not run"),
    ];
    let run = |(name, words): (&'static str, Vec<PathBuf>)| {
        for (marker, program, expected) in &cases {
            let input = json!({ "command": format!("echo \"{marker}\" \u{e9}") }).to_string();
            let output = Command::new(&words[0])
                .args(&words[1..])
                .args([program.as_str(), "run_shell_command", &input])
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(
                output.status.success(),
                expected.is_empty(),
                "{name} {marker}: {said}"
            );
            assert!(said.contains(expected), "{name} {marker}: {said}");
        }
    };
    std::thread::scope(|scope| {
        for example in examples() {
            scope.spawn(|| run(example));
        }
    });
    // What they sent is what the adapter reads.
    let mut read = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "log") {
            let text = fs::read_to_string(&path).unwrap();
            let payload = &text[text.find('{').unwrap()..];
            decode(Agent::Generic, "before_tool", payload.trim().as_bytes()).unwrap();
            read += 1;
        }
    }
    assert!(read >= 8, "{read}");
}
