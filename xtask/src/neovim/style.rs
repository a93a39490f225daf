//! How our Lua is written: formatted by `StyLua` from the crate registry, and
//! looked through by Debian's `luacheck`.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::archive::quietly;
use super::installation::Installation;
use crate::repository::root;

/// The folders with Lua of ours.
const FOLDERS: [&str; 2] = ["editors/neovim", "tests/e2e/neovim"];

/// What formats; another version may format in another way.
const STYLUA: &str = "2.6.0";

/// Whether every file is formatted.
pub(super) fn is_formatted() -> Result<bool> {
    let program = stylua()?;
    println!("$ stylua --check {}", FOLDERS.join(" "));
    let status = Command::new(program)
        .arg("--check")
        .args(FOLDERS)
        .current_dir(root())
        .status()?;
    Ok(status.success())
}

/// Whether nothing is found in any file.
pub(super) fn is_well(neovim: &Installation) -> Result<bool> {
    println!("$ luacheck {}", FOLDERS.join(" "));
    let status = neovim
        .luacheck()?
        .args(["--quiet", "--no-color", "--no-cache"])
        .args(["--config", "editors/neovim/.luacheckrc"])
        .args(FOLDERS)
        .current_dir(root())
        .status()?;
    Ok(status.success())
}

/// The formatter, built once below the target folder.
fn stylua() -> Result<PathBuf> {
    let folder = root().join("target/e2e").join(format!("stylua-{STYLUA}"));
    let program = folder.join("bin/stylua");
    fs::create_dir_all(&folder)?;
    let lock = File::create(folder.with_extension("lock"))?;
    lock.lock().context("cannot lock the installation")?;
    if !program.is_file() {
        println!("building StyLua {STYLUA} into {}", folder.display());
        // Not optimised: it reads a few thousand lines.
        quietly(
            Command::new("cargo")
                .args(["install", "stylua", "--locked", "--debug", "--force"])
                .args(["--version", STYLUA])
                .args(["--no-default-features", "--features", "luajit"])
                .arg("--root")
                .arg(&folder),
        )?;
    }
    Ok(program)
}
