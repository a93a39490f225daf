//! What a hook's program finds around itself. Nothing of this process's own
//! environment is handed on: an agent may have set it, and keys stand in it.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_settings::{HookEvent, WORKSPACE_VARIABLE};

use crate::firing::Place;

/// Folders of programs that only the machine's owner can write.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The user that hooks run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name; empty if the user database knows none.
    pub name: String,
    /// The home folder, in which hooks run.
    pub home: Utf8PathBuf,
    /// The folder of the login session, where the desktop's bus is.
    pub session_dir: Option<Utf8PathBuf>,
}

impl Person {
    /// The user of this process, from the user database, with this home.
    #[must_use]
    pub fn of(home: &Utf8Path) -> Self {
        let id = nix::unistd::geteuid();
        let user = nix::unistd::User::from_uid(id).ok().flatten();
        let session_dir = Utf8PathBuf::from(format!("/run/user/{id}"));
        Self {
            name: user.map(|user| user.name).unwrap_or_default(),
            home: home.to_owned(),
            session_dir: session_dir.is_dir().then_some(session_dir),
        }
    }
}

/// The whole environment of a hook's program.
pub(crate) fn variables(event: HookEvent, place: &Place) -> Vec<(&'static str, String)> {
    let person = &place.person;
    let mut all = vec![
        ("PATH", PATH.to_owned()),
        ("HOME", person.home.to_string()),
        ("LANG", "C.UTF-8".to_owned()),
        ("SHELL", "/bin/sh".to_owned()),
        ("COUNTERSIGN_HOOK", event.as_str().to_owned()),
    ];
    if !person.name.is_empty() {
        all.push(("USER", person.name.clone()));
        all.push(("LOGNAME", person.name.clone()));
    }
    if let Some(session) = &person.session_dir {
        all.push(("XDG_RUNTIME_DIR", session.to_string()));
        all.push((
            "DBUS_SESSION_BUS_ADDRESS",
            format!("unix:path={session}/bus"),
        ));
    }
    if let Some(workspace) = &place.workspace {
        all.push((WORKSPACE_VARIABLE, workspace.to_string()));
    }
    all
}
