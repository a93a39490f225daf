//! The agents' own programs: where they are, and which version is installed.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::own::{HOOK_PROGRAM, PROGRAM};

use crate::look::Binary;
use crate::profile::Profile;
use crate::version::Version;

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most that is read of what it says, in bytes.
const MOST_BYTES: u64 = 64 * 1024;

/// An agent's program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it is.
    pub path: Utf8PathBuf,
    /// Its version, if it could be found.
    pub version: Option<Version>,
    /// Why not.
    pub why_not: Option<String>,
}

/// The first program of this name that can be run, in the folders of `path`.
#[must_use]
pub fn find(name: &str, path: &str) -> Option<Utf8PathBuf> {
    path.split(':')
        .filter(|folder| folder.starts_with('/'))
        .map(|folder| Utf8Path::new(folder).join(name))
        .find(|file| is_runnable(file))
}

/// Whether a file can be run.
#[must_use]
pub fn is_runnable(file: &Utf8Path) -> bool {
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// The agent's program and its version: from the package that it lies in, and
/// otherwise, where it may be started, from itself.
#[must_use]
pub fn installed(profile: &Profile, path: &str, may_start: bool) -> Option<Program> {
    let program = profile.programs.iter().find_map(|name| find(name, path))?;
    if let Some(version) = of_package(&program, profile) {
        return Some(Program {
            path: program,
            version: Some(version),
            why_not: None,
        });
    }
    let said = if may_start {
        said(&program)
    } else {
        Err(format!("{program} is not started to say its version here"))
    };
    let (version, why_not) = match said {
        Ok(said) => match Version::find(&said) {
            Some(version) => (Some(version), None),
            None => (None, Some(format!("`{program} --version` says none"))),
        },
        Err(why) => (None, Some(why)),
    };
    Some(Program {
        path: program,
        version,
        why_not,
    })
}

/// The version that the package of a program says, without starting it.
fn of_package(program: &Utf8Path, profile: &Profile) -> Option<Version> {
    let real = program.canonicalize_utf8().ok()?;
    // `…/versions/2.1.329`
    if let Some(version) = real.file_name().and_then(|name| {
        name.starts_with(|c: char| c.is_ascii_digit())
            .then(|| Version::find(name))?
    }) {
        return Some(version);
    }
    real.ancestors().skip(1).take(6).find_map(|folder| {
        ["package.json", "resources/app/package.json"]
            .into_iter()
            .find_map(|name| {
                let text = crate::disk::read_plain(&folder.join(name)).ok()??;
                let package: serde_json::Value = serde_json::from_str(&text).ok()?;
                let name = package.get("name")?.as_str()?;
                let is_its = profile.packages().contains(&name);
                is_its.then(|| Version::find(package.get("version")?.as_str()?))?
            })
    })
}

/// What a program says about its version.
fn said(program: &Utf8Path) -> Result<String, String> {
    let mut command = Command::new(program);
    command
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .current_dir("/")
        .process_group(0);
    let mut child = command
        .spawn()
        .map_err(|error| format!("{program} cannot be run: {error}"))?;
    let group = rustix::process::Pid::from_child(&child);
    let out = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(out) = out {
            // What was read until an error is what it said.
            let _ = out.take(MOST_BYTES).read_to_end(&mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    });
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(_)) => break,
            Ok(None) if start.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok(None) | Err(_) => {
                end(group);
                // It is reaped here; how it ended says nothing.
                let _ = child.wait();
                return Err(format!(
                    "{program} took longer than {} s to say its version",
                    PATIENCE.as_secs()
                ));
            }
        }
    }
    // Whatever it left behind would keep the reader waiting.
    end(group);
    reader
        .join()
        .map_err(|_| format!("what {program} says cannot be read"))
}

fn end(group: rustix::process::Pid) {
    // It may be gone already.
    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
}

/// What a hook's command starts. `path` are the folders in which a name without
/// a folder is looked for.
#[must_use]
pub fn binary(word: &str, own: &Utf8Path, path: &str) -> Binary {
    let file = if word.contains('/') {
        Utf8PathBuf::from(word)
    } else {
        match find(word, path) {
            Some(file) => file,
            None => return Binary::Missing,
        }
    };
    if !file.is_absolute() {
        return Binary::Relative;
    }
    if !file.exists() {
        return Binary::Missing;
    }
    let decides = decides(&file);
    if !is_runnable(&file) || !is_runnable(&decides) {
        return Binary::NotRunnable;
    }
    if decides == real(own) {
        Binary::This(file)
    } else {
        Binary::Other(file)
    }
}

/// The program that decides where this one is started: the one beside the small
/// one.
fn decides(file: &Utf8Path) -> Utf8PathBuf {
    let file = real(file);
    if file.file_name() == Some(HOOK_PROGRAM) {
        file.with_file_name(PROGRAM)
    } else {
        file
    }
}

/// The file itself, behind all links.
fn real(file: &Utf8Path) -> Utf8PathBuf {
    file.canonicalize_utf8().unwrap_or_else(|_| file.to_owned())
}

/// How this binary is to be named: as people call it, if that is it, because a
/// package's own folder changes its name with each version.
#[must_use]
pub fn own_name(own: &Utf8Path, path: &str) -> Utf8PathBuf {
    find(PROGRAM, path)
        .filter(|found| real(found) == real(own))
        .unwrap_or_else(|| own.to_owned())
}

/// What agents are to start: the small program where it stands beside this one,
/// under the name that [`own_name`] gives.
#[must_use]
pub fn hook_program(own: &Utf8Path, path: &str) -> Utf8PathBuf {
    let named = own_name(own, path);
    let small = named.with_file_name(HOOK_PROGRAM);
    if is_runnable(&small) && decides(&small) == real(own) {
        small
    } else {
        named
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A program that can be run.
    fn program(file: &Utf8Path) {
        std::fs::write(file, "#!/bin/true\n").unwrap();
        let runnable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(file, runnable).unwrap();
    }

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        (folder, Utf8PathBuf::from_path_buf(path).unwrap())
    }

    #[test]
    fn agents_start_the_small_program_where_it_stands_beside() {
        let (_folder, base) = folder();
        let own = base.join(PROGRAM);
        program(&own);
        assert_eq!(hook_program(&own, ""), own);
        let small = base.join(HOOK_PROGRAM);
        program(&small);
        assert_eq!(hook_program(&own, ""), small);
        // Under the names that people call them by, if both have one.
        let bin = base.join("bin");
        std::fs::create_dir(&bin).unwrap();
        symlink(&own, bin.join(PROGRAM)).unwrap();
        assert_eq!(hook_program(&own, bin.as_str()), bin.join(PROGRAM));
        symlink(&small, bin.join(HOOK_PROGRAM)).unwrap();
        assert_eq!(hook_program(&own, bin.as_str()), bin.join(HOOK_PROGRAM));
        // Another one's is not ours.
        let other = base.join("other");
        std::fs::create_dir(&other).unwrap();
        for name in [PROGRAM, HOOK_PROGRAM] {
            program(&other.join(name));
        }
        assert_eq!(hook_program(&own, other.as_str()), small);
        std::fs::remove_file(bin.join(HOOK_PROGRAM)).unwrap();
        symlink(other.join(HOOK_PROGRAM), bin.join(HOOK_PROGRAM)).unwrap();
        assert_eq!(hook_program(&own, bin.as_str()), bin.join(PROGRAM));
    }

    #[test]
    fn the_small_program_is_the_one_that_it_becomes() {
        let (_folder, base) = folder();
        let (own, small) = (base.join(PROGRAM), base.join(HOOK_PROGRAM));
        program(&small);
        let of = |own: &Utf8Path| binary(small.as_str(), own, "");
        assert_eq!(of(&own), Binary::NotRunnable, "there is none to become");
        program(&own);
        assert_eq!(of(&own), Binary::This(small.clone()));
        assert_eq!(of(Utf8Path::new("/bin/sh")), Binary::Other(small.clone()));
    }
}
