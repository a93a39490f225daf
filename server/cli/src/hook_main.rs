//! `countersign-hook`: what agents start for every tool call. It asks the
//! server of the user's editor, and becomes `countersign` where none decides.
//! On its own because it starts quickly: it has next to nothing to load.

// In place of the C compiler's library, which looks at the processor before
// `main` and is a file more to load. Nothing unwinds here: a panic is a block.
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
extern crate unwinding as _;

use std::process::ExitCode;

use countersign_hook::hand_over::HandOver;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    match words.split_first() {
        Some((first, rest)) if first == "hook" => countersign_hook::main(rest, &HandOver),
        _ => countersign_hook::hand_over::everything(),
    }
}
