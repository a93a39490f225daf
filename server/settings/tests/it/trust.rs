use std::os::unix::fs::{PermissionsExt as _, symlink};

use countersign_settings::{EditorLayers, StateFileError};

use crate::sandbox::{Sandbox, problems, write};

#[test]
fn exactly_the_trusted_folder_is_trusted() {
    let sandbox = Sandbox::new();
    let store = sandbox.store();
    assert!(!store.is_trusted(&sandbox.workspace).unwrap());
    store.trust(&sandbox.workspace).unwrap();
    assert!(store.is_trusted(&sandbox.workspace).unwrap());
    let inside = sandbox.workspace.join("inside");
    std::fs::create_dir(&inside).unwrap();
    assert!(!store.is_trusted(&inside).unwrap());
    assert!(
        !store
            .is_trusted(sandbox.workspace.parent().unwrap())
            .unwrap()
    );
    let link = sandbox.root.join("link");
    symlink(&sandbox.workspace, &link).unwrap();
    assert!(store.is_trusted(&link).unwrap(), "it is the same folder");
    store.untrust(&link).unwrap();
    assert!(!store.is_trusted(&sandbox.workspace).unwrap());
}

#[test]
fn a_folder_that_took_the_place_of_a_trusted_one_is_not_trusted() {
    let sandbox = Sandbox::new();
    let store = sandbox.store();
    store.trust(&sandbox.workspace).unwrap();
    let away = sandbox.root.join("away");
    std::fs::rename(&sandbox.workspace, &away).unwrap();
    std::fs::create_dir(&sandbox.workspace).unwrap();
    assert!(!store.is_trusted(&sandbox.workspace).unwrap());
    assert!(
        !store.is_trusted(&away).unwrap(),
        "nor is it at another path"
    );
    store.trust(&sandbox.workspace).unwrap();
    assert_eq!(store.folders().unwrap().len(), 1);
}

#[test]
fn a_removed_folder_that_comes_back_is_not_trusted() {
    let sandbox = Sandbox::new();
    let store = sandbox.store();
    store.trust(&sandbox.workspace).unwrap();
    // The file system may give the same inode number again.
    std::fs::remove_dir(&sandbox.workspace).unwrap();
    assert!(matches!(
        store.is_trusted(&sandbox.workspace),
        Err(StateFileError::NoWorkspace(_))
    ));
    std::fs::create_dir(&sandbox.workspace).unwrap();
    let has_birth_times = std::fs::metadata(&sandbox.workspace)
        .unwrap()
        .created()
        .is_ok();
    if has_birth_times {
        assert!(!store.is_trusted(&sandbox.workspace).unwrap());
    }
}

#[test]
fn the_file_is_private_and_nothing_else_is_believed() {
    let sandbox = Sandbox::new();
    let store = sandbox.store();
    store.trust(&sandbox.workspace).unwrap();
    let file = sandbox.places.state_dir.join("trust.json");
    let mode =
        |path: &camino::Utf8Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(&sandbox.places.state_dir), 0o700);

    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(
        store.is_trusted(&sandbox.workspace),
        Err(StateFileError::NotPrivate { .. })
    ));
    assert!(!sandbox.load().trusted);

    let elsewhere = sandbox.root.join("trust.json");
    std::fs::rename(&file, &elsewhere).unwrap();
    std::fs::set_permissions(&elsewhere, std::fs::Permissions::from_mode(0o600)).unwrap();
    symlink(&elsewhere, &file).unwrap();
    assert!(store.is_trusted(&sandbox.workspace).is_err());

    std::fs::remove_file(&file).unwrap();
    write(&file, "{");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let effective = sandbox.load();
    assert!(!effective.trusted);
    assert!(
        problems(&effective)[0].contains("is damaged"),
        "{:?}",
        problems(&effective)
    );
    assert!(
        store.trust(&sandbox.workspace).is_err(),
        "nothing is overwritten unread"
    );
}

#[test]
fn an_editor_with_the_notion_of_trust_has_the_say() {
    let sandbox = Sandbox::new();
    let says = |trusted| EditorLayers {
        trusted,
        ..EditorLayers::default()
    };
    assert!(sandbox.load_with(&says(Some(true))).trusted);
    sandbox.trust();
    assert!(sandbox.load_with(&says(None)).trusted);
    assert!(!sandbox.load_with(&says(Some(false))).trusted);
}

#[test]
fn many_at_once_lose_nothing() {
    let sandbox = Sandbox::new();
    let folders: Vec<_> = (0..24)
        .map(|at| {
            let folder = sandbox.root.join(format!("folder-{at}"));
            std::fs::create_dir(&folder).unwrap();
            folder
        })
        .collect();
    std::thread::scope(|threads| {
        for folder in &folders {
            let store = sandbox.store();
            threads.spawn(move || store.trust(folder).unwrap());
        }
    });
    assert_eq!(sandbox.store().folders().unwrap().len(), folders.len());
}
