//! Ends a hook as a defect in it would, so that tests see what a real agent
//! makes of it. Only in builds for development, where `--provoke` exists; none
//! of these ends is anything but a block.

use std::hint::black_box;

use rustix::process::{Signal, getpid, kill_process};

/// Ends the process in this way; one that is not known changes nothing.
#[expect(clippy::panic, reason = "it is what is asked for")]
pub(crate) fn end(how: &str) {
    match how {
        "panic" => panic!("provoked"),
        "overflow" => drop(black_box(overflow(0))),
        "abort" => std::process::abort(),
        "segfault" => {
            // It reaches this thread before the call is over.
            let _ = kill_process(getpid(), Signal::SEGV);
        }
        _ => {}
    }
}

#[expect(unconditional_recursion, reason = "the stack has to overflow")]
fn overflow(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    overflow(depth.wrapping_add(1)).wrapping_add(frame.iter().sum())
}
