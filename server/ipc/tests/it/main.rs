//! Real processes, folders and sockets. Here: this test starts itself and shells
//! under other names and lets a process at the bottom report what is above it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, reason = "the report is read from stdout")]

mod client;
mod discovery;
mod support;

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use countersign_core::state::ProcessId;
use countersign_ipc::{alive, ancestors, caller, is_ancestor, under_agent};
use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("report") => report(&arguments),
        Some("through-sh") => {
            let status = shell(&through_sh()).status().unwrap();
            ExitCode::from(u8::from(!status.success()))
        }
        _ => {
            let mut trials = vec![
                trial("an_agent_by_its_first_argument", by_first_argument),
                trial("an_agent_by_its_executable", by_executable),
                trial("a_shell_with_an_agent_in_its_arguments", only_mentioned),
                trial("an_unknown_agent_still_opens_its_session", unknown_agent),
                trial("a_process_that_ended_is_not_alive", ended),
                trial("descent_is_from_exactly_that_process", descent),
            ];
            trials.extend(discovery::trials());
            trials.extend(client::trials());
            libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
        }
    }
}

fn trial(name: &str, run: fn()) -> Trial {
    Trial::test(name, move || {
        run();
        Ok(())
    })
}

/// Prints the pid of the nearest agent, of the process that a hook would speak
/// for, and whether the process named by the arguments is above.
fn report(arguments: &[String]) -> ExitCode {
    let pid = |process: Option<ProcessId>| process.map_or(0, |process| process.pid);
    let ancestor = arguments.get(2).is_some_and(|pid| {
        is_ancestor(&ProcessId {
            pid: pid.parse().unwrap(),
            start: arguments[3].parse().unwrap(),
            boot: arguments[4].clone(),
        })
    });
    println!(
        "{} {} {ancestor}",
        pid(under_agent().agent.map(|(_, process)| process)),
        pid(caller()),
    );
    ExitCode::SUCCESS
}

/// A script that runs the report as a child: the last command of a script
/// would replace the shell.
fn through_sh() -> String {
    "\"$0\" report \"$@\"; exit $?".to_owned()
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap());
    command
}

/// The pid of the process that was started, and what the report said.
fn run(command: &mut Command) -> (u32, String) {
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    (pid, String::from_utf8(output.stdout).unwrap())
}

fn by_first_argument() {
    let (pid, report) = run(shell(&through_sh()).arg0("/usr/local/bin/claude"));
    assert_eq!(report, format!("{pid} {pid} false\n"));
}

fn by_executable() {
    let own = std::env::current_exe().unwrap();
    let folder = tempfile::tempdir_in(own.parent().unwrap()).unwrap();
    for name in ["claude", "co dex) S 1 (", "codex"] {
        let program = folder.path().join(name);
        // Not a copy: another test's fork could still hold it open for writing.
        std::fs::hard_link(&own, &program).unwrap();
        let (pid, report) = run(Command::new(&program).arg0("x").arg("through-sh"));
        let nearest = report.split(' ').next().unwrap();
        let known = !name.contains(' ');
        assert_eq!(nearest == pid.to_string(), known, "{name}: {report}");
    }
}

fn only_mentioned() {
    let mut command = shell(&through_sh());
    let (pid, report) = run(command.args(["1", "2", "/usr/local/bin/claude"]));
    let nearest = report.split(' ').next().unwrap();
    assert_ne!(nearest, pid.to_string());
}

fn unknown_agent() {
    let script = format!("env timeout 60 sh -c '{}' \"$0\"; exit $?", through_sh());
    let (_, report) = run(&mut shell(&script));
    let opener = report.split(' ').nth(1).unwrap();
    assert_eq!(opener, std::process::id().to_string());
}

fn ended() {
    let mut child = Command::new("/bin/sh")
        .args(["-c", "read line"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let process = ancestors(child.id()).processes[0].clone();
    assert!(alive(&process.id));
    assert_eq!(process.parent, std::process::id());
    assert!(process.exe.as_deref().is_some_and(Path::is_absolute));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!alive(&process.id));
}

fn descent() {
    let own = ancestors(std::process::id()).processes[0].id.clone();
    for (start, expected) in [(own.start, "true"), (own.start + 1, "false")] {
        let mut command = shell(&through_sh());
        command.args([own.pid.to_string(), start.to_string(), own.boot.clone()]);
        let (_, report) = run(&mut command);
        assert_eq!(report.trim().split(' ').nth(2), Some(expected));
    }
}
