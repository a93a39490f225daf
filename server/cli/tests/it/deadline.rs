//! An agent runs the tool when its hook is late or dies: so the hook is
//! neither.

use std::fs;
use std::io::Write as _;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{AUTO, CLAUDE, DECIDING, Ran, Sandbox, finish, start, through, until};

/// Waits for the end of a process whose input stays open.
fn ended(mut child: Child) -> Ran {
    let input = child.stdin.take().unwrap();
    until("the hook ends by itself", || {
        child.try_wait().unwrap().is_some()
    });
    let ran = finish(child);
    drop(input);
    ran
}

#[test]
fn a_hook_whose_input_never_ends_blocks_before_its_deadline() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut children = Vec::new();
    for timeout in ["1", "2", "3"] {
        for (agent, event) in DECIDING {
            let mut words = sandbox.hook_words(agent, event);
            *words.iter_mut().find(|word| **word == "60").unwrap() = timeout;
            let mut child = start(&mut through(&[], &words));
            // Half a message, so that it has something to wait for.
            let call = sandbox.shell(agent, event, "cargo test").to_string();
            let half = &call.as_bytes()[..call.len() / 2];
            child.stdin.as_mut().unwrap().write_all(half).unwrap();
            children.push((child, *event));
        }
    }
    for (child, event) in children {
        ended(child).assert_block(event);
    }
    assert_eq!(sandbox.journal().len(), 0);
}

#[test]
fn an_event_that_needs_no_decision_ends_in_silence_at_the_deadline() {
    let sandbox = Sandbox::trusted(AUTO);
    let mut words = sandbox.hook_words(CLAUDE, "PostToolUse");
    *words.iter_mut().find(|word| **word == "60").unwrap() = "1";
    ended(start(&mut through(&[], &words))).assert_neutral();
}

/// Whether the process has a handler for the signal and waits.
fn waits_with_handler(pid: u32, signal: Signal) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else {
        return false;
    };
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let caught = u64::from_str_radix(&field("SigCgt:"), 16).unwrap_or(0);
    field("State:").starts_with('S') && caught & (1 << (signal.as_raw() - 1)) != 0
}

#[test]
fn a_signal_while_it_waits_is_a_block() {
    let sandbox = Sandbox::trusted(AUTO);
    for (agent, event) in DECIDING {
        for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::SEGV] {
            let child = start(&mut sandbox.hook_command(agent, event));
            let pid = child.id();
            until("the hook waits", || waits_with_handler(pid, signal));
            kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
            ended(child).assert_block(event);
        }
    }
    assert_eq!(sandbox.journal().len(), 0);
}
