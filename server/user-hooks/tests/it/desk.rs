//! A user with settings, a workspace and an agent's call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use countersign_core::agent::Agent;
use countersign_core::call::SessionKey;
use countersign_core::mode::ApprovalMode;
use countersign_settings::{
    EditorLayers, Effective, HookEvent, Places, TrustStore, UserHook, load,
};
use countersign_user_hooks::{About, Done, Firing, Payload, Place, Runner, Tools, Variables, run};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) struct Desk {
    _folder: TempDir,
    pub(crate) places: Places,
    pub(crate) workspace: Utf8PathBuf,
}

pub(crate) fn nothing(_: &str) -> Option<String> {
    None
}

impl Desk {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        let home = root.join("home");
        let places = Places {
            system: root.join("etc/settings.json"),
            config_dir: home.join(".config/countersign"),
            state_dir: home.join("state"),
            runtime_dir: home.join("run"),
            home: home.clone(),
            relocated: true,
        };
        let workspace = home.join("work/app");
        std::fs::create_dir_all(&workspace).unwrap();
        std::fs::create_dir_all(&places.config_dir).unwrap();
        Self {
            _folder: folder,
            places,
            workspace,
        }
    }

    /// The user's hooks on an event, one for each command line.
    pub(crate) fn commands(&self, event: HookEvent, commands: &[&str]) {
        let hooks: Vec<Value> = commands
            .iter()
            .map(|command| json!({ "type": "command", "command": command }))
            .collect();
        self.user(event, &json!([{ "hooks": hooks }]));
    }

    pub(crate) fn user(&self, event: HookEvent, groups: &Value) {
        self.write_settings(&json!({ "hooks": { event.as_str(): groups } }));
    }

    pub(crate) fn write_settings(&self, settings: &Value) {
        std::fs::write(self.places.user_file(), settings.to_string()).unwrap();
    }

    /// Hooks of the trusted workspace, accepted as they are.
    pub(crate) fn workspace_commands(&self, event: HookEvent, commands: &[&str]) {
        let hooks: Vec<Value> = commands
            .iter()
            .map(|command| json!({ "type": "command", "command": command }))
            .collect();
        let file = Places::workspace_file(&self.workspace);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let settings = json!({ "hooks": { event.as_str(): [{ "hooks": hooks }] } });
        std::fs::write(file, settings.to_string()).unwrap();
        let store = TrustStore::new(&self.places);
        store.trust(&self.workspace).unwrap();
        let effective = self.effective();
        store
            .consent(
                &self.workspace,
                &effective.loosening,
                effective.consent_digest(),
            )
            .unwrap();
    }

    pub(crate) fn effective(&self) -> Effective {
        load(
            &self.places,
            Some(&self.workspace),
            &EditorLayers::default(),
        )
    }

    pub(crate) fn firing(&self, event: HookEvent) -> Firing {
        let hooks: Vec<UserHook> = self.effective().hooks_on(event).cloned().collect();
        self.firing_of(event, hooks)
    }

    pub(crate) fn firing_of(&self, event: HookEvent, hooks: Vec<UserHook>) -> Firing {
        let key = SessionKey {
            agent: Agent::ClaudeCode,
            session: "s1".to_owned(),
            subagent: None,
        };
        let about = About {
            event,
            key: Some(&key),
            cwd: Some(&self.workspace),
            workspace: Some(&self.workspace),
            mode: Some(ApprovalMode::Auto),
        };
        Firing {
            event,
            hooks,
            payload: Arc::new(Payload::of_event(&about, &[("message", "hello")])),
            call: Some("c1".to_owned()),
            place: Arc::new(Place::new(&self.places, Some(self.workspace.clone()), &[])),
            deadline: None,
        }
    }

    /// Runs what is configured on an event.
    pub(crate) fn fire(&self, event: HookEvent) -> Done {
        self.fire_with(event, nothing)
    }

    pub(crate) fn fire_with(&self, event: HookEvent, variables: Variables) -> Done {
        wait(run(self.firing(event), Tools::new(variables)))
    }

    /// A file that hooks can write to.
    pub(crate) fn scratch(&self, name: &str) -> Utf8PathBuf {
        self.places.home.join(name)
    }
}

pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(30), "not so: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a process of this id runs.
pub(crate) fn runs(id: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // A process that ended and that nobody waited for yet is a zombie.
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

pub(crate) fn runner() -> Runner {
    Runner::new(nothing)
}
