//! Editors of a Debian suite below the target folder, with a script for each
//! that says where what belongs to it is. They are made once and used from then
//! on; without the folder they are made anew.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::neovim::archive::{quietly, unpack};
use crate::neovim::installation::make_runnable;
use crate::repository::root;

/// Changed with the way they are made, so that older ones are made anew.
const RECIPE: u32 = 1;

/// A program that is bound to the libraries of its suite and gets a script.
#[derive(Debug)]
struct Program {
    /// The script's name.
    name: &'static str,
    /// The file in the package.
    file: &'static str,
    /// What the script says before the program runs: lines of `sh` in which
    /// `$files` is the folder that the packages are in.
    setting: &'static str,
    /// Arguments that come before those of the script, likewise.
    arguments: &'static str,
}

const EMACS: Program = Program {
    name: "emacs",
    file: "usr/bin/emacs-nox",
    // The folders are named without their version, which there is once.
    setting: r#"
for share in "$files"/usr/share/emacs/[0-9]*; do :; done
for exec in "$files"/usr/libexec/emacs/[0-9]*/*-linux-*; do :; done
for dump in "$exec"/emacs-*.pdmp; do :; done
export EMACSDATA="$share/etc" EMACSDOC="$share/etc" EMACSPATH="$exec"
export EMACSLOADPATH="$(find "$share/lisp" -type d | tr '\n' ':')"
"#,
    arguments: r#"--dump-file="$dump""#,
};

const HELIX: Program = Program {
    name: "hx",
    file: "usr/lib/hx/hx",
    setting: r#"export HELIX_RUNTIME="$files/usr/lib/hx/runtime""#,
    arguments: "",
};

const TMUX: Program = Program {
    name: "tmux",
    file: "usr/bin/tmux",
    setting: r#"export TERMINFO_DIRS="$files/usr/share/terminfo:$files/usr/lib/terminfo""#,
    arguments: "",
};

/// Programs that run in place.
#[derive(Debug)]
pub(super) struct Installation {
    folder: PathBuf,
    /// What the first one calls itself.
    pub(super) version: String,
}

impl Installation {
    /// Emacs, and a terminal to run editors in.
    ///
    /// # Errors
    /// When packages cannot be had, or what is unpacked does not run.
    pub(super) fn of_emacs() -> Result<Self> {
        Self::of(
            "emacs-trixie",
            "trixie",
            &["emacs-nox", "tmux", "ncurses-base"],
            &[EMACS, TMUX],
        )
    }

    /// The Helix of that suite.
    ///
    /// # Errors
    /// As of [`Self::of_emacs`].
    pub(super) fn of_helix(suite: &str) -> Result<Self> {
        Self::of(&format!("helix-{suite}"), suite, &["hx"], &[HELIX])
    }

    fn of(name: &str, suite: &str, packages: &[&str], programs: &[Program]) -> Result<Self> {
        let folder = root().join("target/e2e").join(name);
        let parent = folder.parent().context("the target folder has no parent")?;
        fs::create_dir_all(parent)?;
        let lock = File::create(folder.with_extension("lock"))?;
        lock.lock().context("cannot lock the installation")?;

        let stamp = folder.join("complete");
        let expected = stamp_text(&folder);
        if fs::read_to_string(&stamp).is_ok_and(|text| text == expected)
            && let Ok(present) = Self::at(&folder, programs)
        {
            return Ok(present);
        }
        println!(
            "installing {packages:?} of {suite} into {}",
            folder.display()
        );
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let scratch = folder.join("apt");
        let files = folder.join("root");
        let mut wanted = packages.to_vec();
        wanted.push("patchelf");
        unpack(suite, &wanted, &scratch, &files)?;
        fs::create_dir_all(folder.join("bin"))?;
        for program in programs {
            make_runnable(&files, program.file)?;
            write_script(&folder, program)?;
        }
        let made = Self::at(&folder, programs).context("what was installed does not run")?;
        fs::remove_dir_all(&scratch)?;
        fs::write(&stamp, expected)?;
        Ok(made)
    }

    fn at(folder: &Path, programs: &[Program]) -> Result<Self> {
        let mut installation = Self {
            folder: folder.to_owned(),
            version: String::new(),
        };
        for program in programs {
            // tmux knows only the short option, Emacs only the long one.
            let option = if program.name == "tmux" {
                "-V"
            } else {
                "--version"
            };
            let printed = quietly(Command::new(installation.program(program.name)).arg(option))?;
            let first = printed.lines().next().unwrap_or_default().trim();
            ensure!(
                !first.is_empty(),
                "{} does not say its version",
                program.name
            );
            if installation.version.is_empty() {
                first.clone_into(&mut installation.version);
            }
        }
        Ok(installation)
    }

    /// The script that runs a program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }
}

fn write_script(folder: &Path, program: &Program) -> Result<()> {
    let script = folder.join("bin").join(program.name);
    let text = script_text(&folder.join("root"), program)?;
    fs::write(&script, text)?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn script_text(files: &Path, program: &Program) -> Result<String> {
    let files = files.to_str().context("the target folder is not UTF-8")?;
    ensure!(!files.contains('\''), "{files} has an apostrophe");
    Ok(format!(
        "#!/bin/sh\nfiles='{files}'\n{}\nexec \"$files/{}\" {} \"$@\"\n",
        program.setting.trim(),
        program.file,
        program.arguments
    ))
}

/// The programs hold absolute paths, so an installation that was moved is none.
fn stamp_text(folder: &Path) -> String {
    format!("recipe {RECIPE} at {}\n", folder.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_runs_its_program_with_all_that_it_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let files = folder.path().join("root");
        fs::create_dir_all(files.join("usr")).unwrap();
        fs::create_dir_all(folder.path().join("bin")).unwrap();
        let program = Program {
            name: "echo",
            file: "usr/echo",
            setting: "export SAID=\"$files\"",
            arguments: "\"$SAID\"",
        };
        let echo = files.join("usr/echo");
        fs::write(&echo, "#!/bin/sh\nprintf '%s|' \"$@\"\n").unwrap();
        fs::set_permissions(&echo, fs::Permissions::from_mode(0o755)).unwrap();
        write_script(folder.path(), &program).unwrap();
        let mut command = Command::new(folder.path().join("bin/echo"));
        let printed = quietly(command.args(["a b", "'c'"])).unwrap();
        assert_eq!(printed, format!("{}|a b|'c'|", files.display()));
    }

    #[test]
    fn a_folder_that_would_end_the_quotation_is_refused() {
        assert!(script_text(Path::new("/it's/here"), &TMUX).is_err());
    }
}
