//! Files are replaced whole, through links, with their rights, and not over
//! somebody else's change.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;
use countersign_install::disk::{Place, apply, read_layers, read_plain, remove_folders};
use countersign_install::{Bases, Content, Edit, LayerKind, Scope, layers};
use tempfile::TempDir;

fn folder() -> (TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    (folder, Utf8PathBuf::from_path_buf(path).unwrap())
}

const USER: Place<'static> = Place {
    scope: Scope::User,
    workspace: None,
};

fn edit(path: &Utf8Path, before: Option<&str>, after: Option<&str>) -> Edit {
    Edit {
        path: path.to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    }
}

#[test]
fn a_new_file_is_the_users_alone_and_its_folders_go_with_it() {
    let (_keep, home) = folder();
    let file = home.join(".claude/deep/settings.json");
    let made = apply(&edit(&file, None, Some("{}")), USER).unwrap();
    assert_eq!(made, [home.join(".claude/deep"), home.join(".claude")]);
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    apply(&edit(&file, Some("{}"), None), USER).unwrap();
    assert!(!file.exists());
    remove_folders(&made);
    assert!(!home.join(".claude").exists());
}

#[test]
fn rights_stay_and_nothing_is_left_beside_the_file() {
    let (_keep, home) = folder();
    let file = home.join("settings.json");
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    apply(&edit(&file, Some("old"), Some("new")), USER).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o640
    );
    assert_eq!(fs::read_dir(&home).unwrap().count(), 1);
}

#[test]
fn a_link_into_a_collection_of_dot_files_stays_one() {
    let (_keep, home) = folder();
    fs::create_dir(home.join("dotfiles")).unwrap();
    let real = home.join("dotfiles/claude.json");
    fs::write(&real, "old").unwrap();
    let link = home.join("settings.json");
    symlink(&real, &link).unwrap();
    apply(&edit(&link, Some("old"), Some("new")), USER).unwrap();
    assert!(link.is_symlink());
    assert_eq!(fs::read_to_string(&real).unwrap(), "new");
}

#[test]
fn a_link_that_leads_nowhere_or_out_of_the_project_is_refused() {
    let (_keep, home) = folder();
    let dangling = home.join("dangling.json");
    symlink(home.join("nothing"), &dangling).unwrap();
    assert!(read_plain(&dangling).is_err());
    assert!(apply(&edit(&dangling, None, Some("new")), USER).is_err());

    let project = home.join("project");
    fs::create_dir_all(project.join(".claude")).unwrap();
    fs::write(home.join("outside.json"), "old").unwrap();
    let place = Place {
        scope: Scope::Project,
        workspace: Some(&project),
    };
    let link = project.join(".claude/settings.json");
    symlink(home.join("outside.json"), &link).unwrap();
    let error = apply(&edit(&link, Some("old"), Some("new")), place).unwrap_err();
    assert!(
        error.to_string().contains("leads out of the project"),
        "{error}"
    );
    assert_eq!(
        fs::read_to_string(home.join("outside.json")).unwrap(),
        "old"
    );

    let away = project.join(".gemini");
    symlink(&home, &away).unwrap();
    let error = apply(&edit(&away.join("new/x.json"), None, Some("new")), place).unwrap_err();
    assert!(
        error.to_string().contains("leads out of the project"),
        "{error}"
    );
    assert!(
        !home.join("new").exists(),
        "no folder is made outside either"
    );
}

#[test]
fn a_file_that_somebody_else_changed_meanwhile_is_not_written() {
    let (_keep, home) = folder();
    let file = home.join("settings.json");
    fs::write(&file, "theirs").unwrap();
    for (before, after) in [
        (Some("old"), Some("new")),
        (None, Some("new")),
        (Some("old"), None),
    ] {
        let error = apply(&edit(&file, before, after), USER).unwrap_err();
        assert!(
            error.to_string().contains("changed by somebody else"),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), "theirs");
    }
}

#[test]
fn a_folder_that_anybody_may_write_is_refused() {
    let (_keep, home) = folder();
    let shared = home.join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();
    let file = shared.join("settings.json");
    let error = apply(&edit(&file, None, Some("new")), USER).unwrap_err();
    assert!(error.to_string().contains("anybody may write"), "{error}");
    assert!(!file.exists());
}

#[test]
fn what_is_no_text_of_bounded_size_is_not_read() {
    let (_keep, home) = folder();
    assert_eq!(read_plain(&home.join("nothing")).unwrap(), None);
    assert_eq!(read_plain(&home.join("nothing/below")).unwrap(), None);
    assert!(read_plain(&home).is_err());
    fs::write(home.join("bytes"), [0xff, 0xfe]).unwrap();
    let error = read_plain(&home.join("bytes")).unwrap_err().to_string();
    assert!(error.contains("UTF-8"), "{error}");
    fs::write(home.join("large"), vec![b' '; 5 * 1024 * 1024]).unwrap();
    assert!(read_plain(&home.join("large")).is_err());
}

#[test]
fn a_folder_of_settings_is_read_by_name_without_what_is_hidden() {
    let (_keep, machine) = folder();
    let managed = machine.join("etc/claude-code/managed-settings.d");
    let read = || {
        let mut found = layers(
            Agent::ClaudeCode,
            &Bases {
                home: Utf8Path::new("/home/ada"),
                workspace: None,
                machine: &machine,
                variable: &|_| None,
            },
        );
        read_layers(&mut found);
        found.retain(|layer| layer.kind == LayerKind::Managed && layer.content != Content::Missing);
        found
    };
    assert_eq!(read(), []);
    fs::create_dir_all(&managed).unwrap();
    for name in [
        "20-b.json",
        "10-a.json",
        ".5-hidden.json",
        "30.txt",
        ".json",
    ] {
        fs::write(managed.join(name), "{}").unwrap();
    }
    let names: Vec<String> = read()
        .iter()
        .map(|layer| layer.path.file_name().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["10-a.json", "20-b.json"]);
}
