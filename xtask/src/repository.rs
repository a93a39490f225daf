//! The checkout: its files and the programs that are run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// A program to be run in the root of the workspace.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Runs a program that prints for itself; whether it succeeded.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<bool> {
    println!("$ {program} {}", arguments.join(" "));
    let status = command(program, arguments)
        .status()
        .with_context(|| format!("cannot run {program}; is it installed?"))?;
    Ok(status.success())
}

/// What a program prints on stdout; its stderr is shown.
pub(crate) fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let output = command(program, arguments)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {program}; is it installed?"))?;
    let line = arguments.join(" ");
    ensure!(output.status.success(), "`{program} {line}` failed");
    String::from_utf8(output.stdout).with_context(|| format!("`{program} {line}` is not UTF-8"))
}

/// A file of the checkout by its path from the root, with `/`.
#[derive(Debug, Clone)]
pub(crate) struct TrackedFile {
    pub(crate) path: String,
}

impl TrackedFile {
    /// The text; none for a file that is not text.
    pub(crate) fn text(&self) -> Result<Option<String>> {
        let bytes =
            std::fs::read(self.absolute()).with_context(|| format!("cannot read {}", self.path))?;
        Ok(String::from_utf8(bytes).ok())
    }

    pub(crate) fn absolute(&self) -> PathBuf {
        root().join(&self.path)
    }
}

/// Every file that is tracked or would be, were it added.
pub(crate) fn tracked_files() -> Result<Vec<TrackedFile>> {
    let listing = output(
        "git",
        &[
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
    )?;
    let mut files: Vec<TrackedFile> = listing
        .split_terminator('\0')
        .map(|path| TrackedFile {
            path: path.to_owned(),
        })
        .filter(|file| file.absolute().is_file())
        .collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files.dedup_by(|one, other| one.path == other.path);
    Ok(files)
}
