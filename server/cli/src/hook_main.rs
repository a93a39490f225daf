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

#[cfg(all(target_os = "linux", target_env = "gnu"))]
use std::ffi::c_char;
use std::process::ExitCode;

use countersign_alone::{Alone, Small};

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    match words.split_first() {
        Some((first, rest)) if first == "hook" => countersign_hook::main(rest, &Alone(Small)),
        _ => countersign_hook::hand_over::everything(),
    }
}

/// In place of the C library's reading of `GLIBC_TUNABLES`, where it is linked
/// into the program (`build.rs`). The variable is the agent's to set, and a
/// value of it (`glibc.rtld.optional_static_tls`) ends a program before its first
/// line, with a status after which agents run the tool.
///
/// Called before anything is made ready: it may do nothing, and does nothing.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the name is one that only the linker looks for")]
#[unsafe(export_name = "__wrap___tunables_init")]
extern "C" fn untuned(_environment: *const *const c_char) {}
