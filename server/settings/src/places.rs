//! Where settings and state lie. Taken from the user database, never from
//! variables that an agent may set.

use std::path::PathBuf;

use camino::{Utf8Path, Utf8PathBuf};

use crate::user::{home_by_file, home_of};

/// The folders and files of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The settings file of the machine.
    pub system: Utf8PathBuf,
    /// The folder of the user's settings.
    pub config_dir: Utf8PathBuf,
    /// The folder of state, trust and journal; private to the user.
    pub state_dir: Utf8PathBuf,
    /// The folder of sockets; private to the user.
    pub runtime_dir: Utf8PathBuf,
    /// The user's home folder; canonical, if it exists.
    pub home: Utf8PathBuf,
    /// Whether config, state and runtime folders were put elsewhere with
    /// `--home`; shown as degraded.
    pub relocated: bool,
}

/// Why the places are not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlacesError {
    /// The user database cannot be read.
    #[error("cannot read the user database: {0}")]
    Database(String),
    /// The user database does not know the user.
    #[error("user id {0} is not in the user database; add it, or name a folder with --home")]
    UnknownUser(u32),
    /// The home folder is not usable.
    #[error("the home folder {0:?} of the user database is not an absolute path in UTF-8")]
    BadHome(std::path::PathBuf),
    /// The folder given with `--home` is not usable.
    #[error("the folder `{0}` given with --home is not an absolute path")]
    NotAbsolute(Utf8PathBuf),
}

const NAME: &str = "countersign";

impl Places {
    /// The places of the user that this process runs as.
    ///
    /// # Errors
    /// When the user database does not know the user or a usable home.
    pub fn for_user() -> Result<Self, PlacesError> {
        let user_id = nix::unistd::geteuid();
        let home = home_of(user_id)
            .map_err(PlacesError::Database)?
            .ok_or_else(|| PlacesError::UnknownUser(user_id.as_raw()))?;
        Self::at_home(home, user_id.as_raw())
    }

    /// The same as [`Places::for_user`], or [`Places::below`] where a folder is
    /// given, for a program that can load no library: none where another source
    /// of users counts than the file that they stand in.
    ///
    /// # Errors
    /// As there.
    pub fn by_file(dir: Option<&Utf8Path>) -> Result<Option<Self>, PlacesError> {
        let user_id = nix::unistd::geteuid();
        let Some(home) = home_by_file(user_id) else {
            return Ok(None);
        };
        let places = Self::at_home(home, user_id.as_raw())?;
        match dir {
            Some(dir) => places.moved_below(dir).map(Some),
            None => Ok(Some(places)),
        }
    }

    fn at_home(home: PathBuf, user_id: u32) -> Result<Self, PlacesError> {
        let home = Utf8PathBuf::from_path_buf(home)
            .map_err(PlacesError::BadHome)
            .and_then(|home| {
                if home.is_absolute() {
                    Ok(home)
                } else {
                    Err(PlacesError::BadHome(home.into_std_path_buf()))
                }
            })?;
        // Rules and protected paths compare canonical paths.
        let home = home.canonicalize_utf8().unwrap_or(home);
        Ok(Self::of(home, user_id))
    }

    /// The places of `--home DIR`: config, state and runtime folders below
    /// it. The machine's settings and the home folder stay the real ones, so
    /// that neither an administrator's rules nor the protection of `~/.ssh`
    /// can be moved out of the way.
    ///
    /// # Errors
    /// When `dir` is not absolute, or as for [`Places::for_user`].
    pub fn below(dir: &Utf8Path) -> Result<Self, PlacesError> {
        Self::for_user()?.moved_below(dir)
    }

    fn moved_below(self, dir: &Utf8Path) -> Result<Self, PlacesError> {
        if !dir.is_absolute() {
            return Err(PlacesError::NotAbsolute(dir.to_owned()));
        }
        Ok(Self {
            config_dir: dir.join("config"),
            state_dir: dir.join("state"),
            runtime_dir: dir.join("run"),
            relocated: true,
            ..self
        })
    }

    /// The user's settings file.
    #[must_use]
    pub fn user_file(&self) -> Utf8PathBuf {
        self.config_dir.join("settings.json")
    }

    /// The settings file of a workspace.
    #[must_use]
    pub fn workspace_file(workspace: &Utf8Path) -> Utf8PathBuf {
        workspace.join(WORKSPACE_FILE)
    }

    #[cfg(target_os = "macos")]
    fn of(home: Utf8PathBuf, _user_id: u32) -> Self {
        let support = home.join("Library/Application Support").join(NAME);
        Self {
            system: Utf8PathBuf::from("/Library/Application Support")
                .join(NAME)
                .join("settings.json"),
            state_dir: support.join("state"),
            runtime_dir: support.join("run"),
            config_dir: support,
            home,
            relocated: false,
        }
    }

    #[cfg(not(target_os = "macos"))]
    fn of(home: Utf8PathBuf, user_id: u32) -> Self {
        let state_dir = home.join(".local/state").join(NAME);
        let session = Utf8PathBuf::from(format!("/run/user/{user_id}"));
        // Without a login session there is no such folder.
        let runtime_dir = if crate::private::is_private(&session) {
            session.join(NAME)
        } else {
            state_dir.join("run")
        };
        Self {
            system: Utf8PathBuf::from("/etc").join(NAME).join("settings.json"),
            config_dir: home.join(".config").join(NAME),
            state_dir,
            runtime_dir,
            home,
            relocated: false,
        }
    }
}

/// The settings file below a workspace folder.
pub(crate) const WORKSPACE_FILE: &str = ".countersign/settings.json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_file_of_users_tells_is_what_the_system_tells() {
        let folder = Utf8Path::new("/elsewhere");
        for (dir, system) in [
            (None, Places::for_user()),
            (Some(folder), Places::below(folder)),
        ] {
            // None where another source of users counts on this machine.
            let by_file = Places::by_file(dir).unwrap();
            let system = system.unwrap();
            assert!(by_file.is_none_or(|by_file| by_file == system), "{dir:?}");
        }
    }

    #[test]
    fn a_folder_given_moves_settings_and_state_and_nothing_else() {
        let real = Places::for_user().unwrap();
        assert!(!real.relocated);
        let moved = Places::below(Utf8Path::new("/elsewhere")).unwrap();
        assert!(moved.relocated);
        assert_eq!((&moved.home, &moved.system), (&real.home, &real.system));
        for folder in [&moved.config_dir, &moved.state_dir, &moved.runtime_dir] {
            assert!(folder.starts_with("/elsewhere"));
        }
        assert!(matches!(
            Places::below(Utf8Path::new("elsewhere")),
            Err(PlacesError::NotAbsolute(_))
        ));
    }
}
