//! `countersign-hook`: what agents start for every tool call. It asks the
//! server of the user's editor, decides where none does, and becomes
//! `countersign` for what needs the network or runs user hooks. On its own
//! because it starts quickly: it loads no library, and little has to be made
//! ready in it.

// In place of the C compiler's library, which looks at the processor before
// `main` and is a file more to load. Nothing unwinds here: a panic is a block.
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
extern crate unwinding as _;

use std::process::ExitCode;

use countersign_alone::{Alone, Small};

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    match words.split_first() {
        Some((first, rest)) if first == "hook" => countersign_hook::main(rest, &Alone(Small)),
        _ => countersign_hook::hand_over::everything(),
    }
}
