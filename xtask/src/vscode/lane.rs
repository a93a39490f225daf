//! The tests in one VS Code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::installation::Installation;
use super::{EXTENSION, TESTS};
use crate::apart;
use crate::dist::{Build, package_path};
use crate::repository::root;

/// The tests' own bounds end long before; this one is for what hangs.
const LONGEST: Duration = Duration::from_secs(900);

/// Where the tests' person lives. Countersign takes a person's home from the
/// user database and from nothing that could be set, so the tests run where
/// that database says this, and where nobody else sees it.
const HOMES: &str = "/srv";

/// Makes that place and runs the rest in it.
const IN_PLACE: &str = r#"
mount -t tmpfs tmpfs "$0" && mkdir "$0/ada" || exit
printf 'root:x:0:0:root:%s/ada:/bin/sh\n' "$0" > "$0/passwd"
grep -v '^[^:]*:[^:]*:0:' /etc/passwd >> "$0/passwd"
mount --bind "$0/passwd" /etc/passwd && exec "$@"
"#;

/// The tests' screenshots, by the version of VS Code.
fn shots(vscode: &Installation) -> PathBuf {
    root().join("target/e2e/vscode/shots").join(&vscode.version)
}

/// Runs them; whether all passed.
pub(super) fn run(vscode: &Installation) -> Result<bool> {
    println!("VS Code {}", vscode.version);
    let shots = shots(vscode);
    if shots.exists() {
        fs::remove_dir_all(&shots)?;
    }
    fs::create_dir_all(&shots)?;
    ensure!(
        !root().starts_with(HOMES),
        "the tests hide what is below {HOMES}: check the repository out elsewhere"
    );
    let folder = tempfile::Builder::new().prefix("vscode-").tempdir()?;
    let tests = root().join(TESTS);
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command
        .current_dir(&tests)
        .args(["--mount", "sh", "-c", IN_PLACE, HOMES, "node"])
        .arg(tests.join("node_modules/@playwright/test/cli.js"))
        .arg("test")
        .env("LC_ALL", "C.UTF-8")
        .env("COUNTERSIGN_TEST_VSCODE", &vscode.vscode)
        .env("COUNTERSIGN_TEST_NODE", &vscode.node)
        .env("COUNTERSIGN_TEST_PACKAGE", package_path(Build::Dev)?)
        .env(
            "COUNTERSIGN_TEST_BINARY",
            root().join("target/debug/countersign"),
        )
        .env("COUNTERSIGN_TEST_FOLDER", HOMES)
        .env("COUNTERSIGN_TEST_SHOTS", &shots);
    let passed = apart::tests(&command, folder.path(), LONGEST)?;
    println!("screenshots: {}", shots.display());
    Ok(passed)
}

/// Copies the screenshots that the extension's README shows; whether the tests
/// took each of them.
pub(super) fn keep_images(vscode: &Installation) -> Result<bool> {
    let images = root().join(EXTENSION).join("images");
    let readme = root().join(EXTENSION).join("README.md");
    let text =
        fs::read_to_string(&readme).with_context(|| format!("cannot read {}", readme.display()))?;
    let mut complete = true;
    for name in shown(&text) {
        let taken = shots(vscode).join(format!("{name}.png"));
        if taken.exists() {
            fs::copy(&taken, images.join(format!("{name}.png")))?;
            println!("images/{name}.png");
        } else {
            println!("no test takes a screenshot {name}.png");
            complete = false;
        }
    }
    Ok(complete)
}

/// The names of the pictures that a Markdown text shows from `images/`.
fn shown(text: &str) -> Vec<String> {
    let mut names: Vec<String> = text
        .split("](images/")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .map(Path::new)
        .filter(|path| path.extension().is_some_and(|extension| extension == "png"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .filter(|name| name != "icon")
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pictures_of_a_text_are_known_by_name() {
        let text = "![One](images/approval.png) ![](images/icon.png)\n[x](images/view.svg) ![](images/approval.png) ![a](images/an-edit.png)";
        assert_eq!(shown(text), ["an-edit", "approval"]);
        assert!(shown("none (images/at all.png)").is_empty());
    }
}
