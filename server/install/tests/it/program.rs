//! Finding programs and their versions.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_install::program::{binary, find, installed, own_name};
use countersign_install::{Binary, Version, profile};

struct Folder {
    _folder: tempfile::TempDir,
    path: Utf8PathBuf,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        fs::create_dir(path.join("bin")).unwrap();
        Self {
            _folder: folder,
            path,
        }
    }

    fn program(&self, name: &str, text: &str) -> Utf8PathBuf {
        let file = self.path.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    fn bin(&self) -> String {
        format!("relative:{}/none:{}/bin", self.path, self.path)
    }
}

#[test]
fn a_package_says_its_version_without_being_started() {
    let folder = Folder::new();
    let file = folder.program(
        "lib/@anthropic-ai/claude-code/bin/claude.exe",
        "#!/bin/sh\nexit 9\n",
    );
    let package = file
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("package.json");
    fs::write(
        &package,
        r#"{"name": "@anthropic-ai/claude-code", "version": "2.1.44"}"#,
    )
    .unwrap();
    symlink(&file, folder.path.join("bin/claude")).unwrap();
    let found = installed(profile(Agent::ClaudeCode).unwrap(), &folder.bin(), false).unwrap();
    assert_eq!(found.version, Some(Version::new(2, 1, 44)));
    assert_eq!(found.path, folder.path.join("bin/claude"));
}

#[test]
fn a_folder_of_versions_says_it_too() {
    let folder = Folder::new();
    let file = folder.program("share/claude/versions/2.1.329", "#!/bin/sh\nexit 9\n");
    symlink(&file, folder.path.join("bin/claude")).unwrap();
    let found = installed(profile(Agent::ClaudeCode).unwrap(), &folder.bin(), false).unwrap();
    assert_eq!(found.version, Some(Version::new(2, 1, 329)));
}

#[test]
fn otherwise_the_program_is_asked_unless_it_must_not_be_started() {
    let folder = Folder::new();
    let codex = profile(Agent::Codex).unwrap();
    assert_eq!(installed(codex, &folder.bin(), true), None);
    folder.program(
        "bin/codex",
        "#!/bin/sh\n[ \"$1\" = --version ] && echo codex-cli 0.169.0\n",
    );
    let found = installed(codex, &folder.bin(), true).unwrap();
    assert_eq!(found.version, Some(Version::new(0, 169, 0)));
    let found = installed(codex, &folder.bin(), false).unwrap();
    assert_eq!(found.version, None);
    assert!(found.why_not.unwrap().contains("not started"));
    folder.program("bin/codex", "#!/bin/sh\necho soon\n");
    let why = installed(codex, &folder.bin(), true)
        .unwrap()
        .why_not
        .unwrap();
    assert!(why.contains("says none"), "{why}");
}

#[test]
fn what_a_command_starts_is_told_apart() {
    let folder = Folder::new();
    let own = folder.program("cellar/1.2/countersign", "");
    let link = folder.path.join("bin/countersign");
    symlink(&own, &link).unwrap();
    let other = folder.program("other/countersign", "");
    fs::write(folder.path.join("plain"), "").unwrap();
    let of = |word: &str| binary(word, &own, &folder.bin());
    assert_eq!(of(own.as_str()), Binary::This(own.clone()));
    assert_eq!(of("countersign"), Binary::This(link.clone()));
    assert_eq!(of(other.as_str()), Binary::Other(other));
    assert_eq!(of("./countersign"), Binary::Relative);
    assert_eq!(of("/nothing/countersign"), Binary::Missing);
    assert_eq!(of("nothing"), Binary::Missing);
    assert_eq!(of(folder.path.join("plain").as_str()), Binary::NotRunnable);
    // The name that stays when the package is updated.
    assert_eq!(own_name(&own, &folder.bin()), link);
    assert_eq!(own_name(&own, "/nothing"), own);
    assert_eq!(
        find("countersign", "cellar/1.2"),
        None,
        "relative folders do not count"
    );
    assert_eq!(
        find("countersign", &folder.bin()).as_deref(),
        Some(Utf8Path::new(&link))
    );
}
