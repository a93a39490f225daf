//! Has `countersign-hook` linked statically where that can be done: agents
//! start it for every tool call, and a program that loads no library starts
//! sooner. It stays independent of its position in memory. Where the C library
//! cannot be linked so, it is linked as every other program is.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program.
const HOOK_PROGRAM: &str = "countersign-hook";

/// What a static program begins with that is independent of its position.
const START: &str = "rcrt1.o";

/// What the linker is asked for as a library for Rust's own, and what stands
/// for it. In a folder that is searched first and holds no dynamic ones.
const LIBRARIES: [(&str, &str); 3] = [
    ("libc.a", "libc.a"),
    ("libm.a", "libm.a"),
    ("libgcc_s.a", "libgcc_eh.a"),
];

/// The C library's own reading of `GLIBC_TUNABLES`, for which `hook_main.rs` has
/// something else.
const UNTUNED: &str = "-Wl,--wrap=__tunables_init";

/// Libraries that need each other, behind everything else: some linkers take
/// from a library only what is missing when they come to it.
const TO_THE_END: [&str; 5] = [
    "-Wl,--start-group",
    "-lgcc",
    "-lgcc_eh",
    "-lc",
    "-Wl,--end-group",
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    if !is_supported() {
        return Ok(());
    }
    let folder = PathBuf::from(variable("OUT_DIR")).join("static");
    if !has_libraries(&folder)? {
        println!(
            "cargo::warning={HOOK_PROGRAM} starts more slowly: there is no static C library to \
             link it with (on Debian libc6-dev, on Fedora glibc-static)"
        );
        return Ok(());
    }
    let search = format!("-L{}", folder.display());
    for argument in ["-static-pie", UNTUNED, &search]
        .into_iter()
        .chain(TO_THE_END)
    {
        println!("cargo::rustc-link-arg-bin={HOOK_PROGRAM}={argument}");
    }
    Ok(())
}

/// Whether programs for this system can be linked so, by the compiler that is
/// here.
fn is_supported() -> bool {
    let is = |name: &str, values: &[&str]| values.contains(&variable(name).as_str());
    is("CARGO_CFG_TARGET_OS", &["linux"])
        && is("CARGO_CFG_TARGET_ENV", &["gnu"])
        && is("CARGO_CFG_TARGET_ARCH", &["x86_64", "aarch64"])
        && variable("HOST") == variable("TARGET")
}

/// Puts the static libraries into a folder of their own; `false` if one is not
/// there.
fn has_libraries(folder: &Path) -> io::Result<bool> {
    if file_of(START).is_none() {
        return Ok(false);
    }
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    for (name, stands_for_it) in LIBRARIES {
        let Some(library) = file_of(stands_for_it) else {
            return Ok(false);
        };
        symlink(library, folder.join(name))?;
    }
    Ok(true)
}

/// Where the compiler that links has a file.
fn file_of(name: &str) -> Option<PathBuf> {
    let linker = match variable("RUSTC_LINKER") {
        linker if linker.is_empty() => "cc".to_owned(),
        linker => linker,
    };
    let said = Command::new(linker)
        .arg(format!("-print-file-name={name}"))
        .output()
        .ok()?;
    let path = PathBuf::from(String::from_utf8(said.stdout).ok()?.trim());
    // The name alone is no place.
    (path.is_absolute() && path.exists()).then_some(path)
}

#[expect(
    clippy::disallowed_methods,
    reason = "cargo speaks to build scripts in variables"
)]
fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
