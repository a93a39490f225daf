//! A folder of its own for every test: a home for the agent, one for the guard,
//! a workspace that a person trusts, and the program that the hooks start.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use countersign_settings::{Places, TrustStore};
use serde_json::Value;
use tempfile::TempDir;

use crate::detached::kill_marked;
use crate::surroundings;

/// Where the shells of the agents look for programs.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A program that nothing vouches for. It makes the file that it is told.
const TRELLIS: &str = "#!/bin/sh\nexec touch \"$1\"\n";

/// The folder of the guard that hooks and servers are given.
const GUARD: &str = "guard";

/// The file of the guard's state.
const STATE: &str = "countersign.db";

/// A world. Everything that was started in it is killed when it is dropped.
#[derive(Debug)]
pub struct World {
    root: Utf8PathBuf,
    folders: AtomicUsize,
    // Last: the folder goes when nothing runs in it any more.
    _folder: TempDir,
}

impl World {
    /// One with these settings of the user.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new(settings: &Value) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("orchard-")
            .tempdir()
            .expect("a folder");
        let root = folder.path().canonicalize().expect("a folder");
        let root = Utf8PathBuf::from_path_buf(root).expect("a path in UTF-8");
        let world = Self {
            root,
            folders: AtomicUsize::new(0),
            _folder: folder,
        };
        for made in [world.home(), world.workspace(), world.outside()] {
            fs::create_dir_all(made).expect("a folder");
        }
        world.make_repository();
        world.script("tools/trellis", TRELLIS);
        let heard = world.other_hook_log();
        let other = format!("#!/bin/sh\ncat >/dev/null\necho \"called $*\" >>'{heard}'\n");
        world.script("tools/other-hook", &other);
        world.trusting_guard(GUARD, &settings.to_string());
        world.hooks_run::<&str>(&[]);
        world
    }

    /// The folder of it all; the mark of what runs in it.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The agent's home.
    #[must_use]
    pub fn home(&self) -> Utf8PathBuf {
        self.root.join("home")
    }

    /// The workspace, a git repository.
    #[must_use]
    pub fn workspace(&self) -> Utf8PathBuf {
        self.root.join("project")
    }

    /// A folder beside the workspace.
    #[must_use]
    pub fn outside(&self) -> Utf8PathBuf {
        self.root.join("outside")
    }

    /// The folder to give the guard with `--home`.
    #[must_use]
    pub fn guard(&self) -> Utf8PathBuf {
        self.root.join(GUARD)
    }

    /// Where the guard keeps its things.
    ///
    /// # Panics
    /// When the machine does not know its user.
    #[must_use]
    pub fn places(&self) -> Places {
        Places::below(&self.guard()).expect("the guard's places")
    }

    /// The program that hooks start: the one under test, or what stands in its
    /// place (see [`Self::hooks_run`]).
    #[must_use]
    pub fn hook_program(&self) -> Utf8PathBuf {
        self.root.join("bin/countersign-hook")
    }

    /// The command line of a hook.
    #[must_use]
    pub fn hook_line(&self, agent: &str, event: &str, timeout: u32) -> String {
        let (program, guard) = (self.hook_program(), self.guard());
        format!("{program} hook {agent} --event {event} --timeout {timeout} --home {guard}")
    }

    /// The program that nothing vouches for; its argument is a file to make.
    #[must_use]
    pub fn trellis(&self) -> Utf8PathBuf {
        self.root.join("tools/trellis")
    }

    /// A hook of somebody else, that allows everything and is heard of.
    #[must_use]
    pub fn other_hook(&self) -> Utf8PathBuf {
        self.root.join("tools/other-hook")
    }

    /// Where it writes a line each time it is called.
    #[must_use]
    pub fn other_hook_log(&self) -> Utf8PathBuf {
        self.root.join("other-hook-called")
    }

    /// The lines that it wrote.
    #[must_use]
    pub fn other_hook_heard(&self) -> Vec<String> {
        let text = fs::read_to_string(self.other_hook_log()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The variables of an agent, to which it may add.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let path = format!("{}:{PATH}", surroundings::programs());
        [
            ("HOME", self.home().as_str()),
            ("PATH", path.as_str()),
            ("LANG", "C.UTF-8"),
            ("TERM", "dumb"),
            ("NO_PROXY", "127.0.0.1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Makes another folder for the guard, in this one, with these settings of the
    /// user, broken or not, and trust in the workspace.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn trusting_guard(&self, name: &str, settings: &str) {
        let places = Places::below(&self.root.join(name)).expect("the guard's places");
        write(&places.user_file(), settings);
        TrustStore::new(&places)
            .trust(&self.workspace())
            .expect("trust in the workspace");
    }

    /// Leaves a state in this folder that is none.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn spoil_state(&self, name: &str) {
        let places = Places::below(&self.root.join(name)).expect("the guard's places");
        write(&places.state_dir.join(STATE), "no database of anybody");
    }

    /// Writes a file of the agent's home.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_home(&self, path: &str, text: &str) {
        write(&self.home().join(path), text);
    }

    /// Lets hooks run these lines of a shell script, in which `"$REAL" "$@"` is what
    /// they would have run; without lines, that.
    ///
    /// # Panics
    /// When that cannot be written.
    pub fn hooks_run<Line: AsRef<str>>(&self, lines: &[Line]) {
        let program = self.hook_program();
        // It is not there the first time.
        let _ = fs::remove_file(&program);
        if lines.is_empty() {
            let folder = program.parent().expect("a folder");
            fs::create_dir_all(folder).expect("a folder");
            symlink(surroundings::hook(), program).expect("a link");
            return;
        }
        let mut script = format!("#!/bin/sh\nREAL='{}'\n", surroundings::hook());
        for line in lines {
            script.push_str(line.as_ref());
            script.push('\n');
        }
        self.script("bin/countersign-hook", &script);
    }

    /// Leaves hooks less time than the agent was told to give them, in seconds:
    /// agents are told at least 10.
    pub fn hurry_hooks(&self, seconds: u32) {
        self.hooks_run(&[format!(r#"exec "$REAL" "$@" --timeout {seconds}"#)]);
    }

    /// A new folder for what a process says.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new_folder(&self, name: &str) -> Utf8PathBuf {
        let number = self.folders.fetch_add(1, Ordering::Relaxed);
        let folder = self.root.join(format!("said/{number}-{name}"));
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    /// What the guard wrote about its own problems, for failures.
    #[must_use]
    pub fn log(&self) -> String {
        let file = self.places().state_dir.join("countersign.log");
        fs::read_to_string(file).unwrap_or_default()
    }

    fn script(&self, path: &str, text: &str) {
        let file = self.root.join(path);
        write(&file, text);
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("an own file");
    }

    /// With one commit, so that there is a HEAD to trust.
    fn make_repository(&self) {
        let workspace = self.workspace();
        write(&workspace.join("notes.txt"), "hello world\n");
        for words in [
            &["init", "--quiet", "--initial-branch=main"][..],
            &["add", "."],
            &["commit", "--quiet", "--message=begin"],
        ] {
            let status = Command::new("git")
                .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
                .args(words)
                .current_dir(&workspace)
                .env_clear()
                .env("PATH", PATH)
                .env("HOME", self.home())
                .status()
                .expect("git");
            assert!(status.success(), "git {words:?}: {status}");
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        kill_marked(&self.root);
    }
}

fn write(file: &Utf8Path, text: &str) {
    let folder = file.parent().expect("a folder");
    fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    fs::write(file, text).unwrap_or_else(|error| panic!("{file}: {error}"));
}
