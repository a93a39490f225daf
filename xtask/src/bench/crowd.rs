//! A hundred hooks of twenty sessions at once, each a process.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::figure::{Figure, Target};
use super::ground::{Ground, Wanted, hook_program, hook_words};
use super::times::milliseconds;

const HOOKS: usize = 100;
const SESSIONS: usize = 20;

/// What they want, taking turns.
const WANTED: [Wanted; 4] = [Wanted::Read, Wanted::Test, Wanted::Uproot, Wanted::Secret];

/// All of them are there before the first is told what to decide.
pub(super) fn at_once(ground: &Ground) -> Result<Figure> {
    let start = Instant::now();
    let mut hooks = Vec::with_capacity(HOOKS);
    for number in 0..HOOKS {
        let wanted = WANTED
            .get(number / SESSIONS % WANTED.len())
            .copied()
            .unwrap_or(Wanted::Read);
        hooks.push((number, wanted, begin(ground)?));
    }
    for (number, wanted, hook) in &mut hooks {
        let call = ground.call(*number % SESSIONS, 500_000 + *number, *wanted);
        let mut input = hook.stdin.take().context("there is no pipe")?;
        input.write_all(call.to_string().as_bytes())?;
    }
    for (number, wanted, hook) in hooks {
        let output = hook.wait_with_output()?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        ensure!(
            wanted.is_right(output.status.code(), &said),
            "hook {number}, {wanted:?}: {}: {said}",
            output.status,
        );
    }
    Ok(Figure {
        name: format!("{HOOKS} hooks of {SESSIONS} sessions at once, all answered rightly"),
        value: milliseconds(start.elapsed()),
        unit: " ms",
        target: Target::None,
        besides: "all processes together".to_owned(),
    })
}

fn begin(ground: &Ground) -> Result<Child> {
    Ok(Command::new(hook_program())
        .args(hook_words(&ground.home)?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?)
}
