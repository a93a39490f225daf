//! Every file in which an agent looks for hooks, or for what keeps it from
//! calling them, in the order in which it reads them.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::agent::Agent;

use super::{Bases, Layer, LayerKind, hooks_file};

/// The files of an agent, the weakest first.
#[must_use]
pub fn layers(agent: Agent, bases: &Bases<'_>) -> Vec<Layer> {
    let files = Files {
        agent,
        bases,
        user: bases.of_user(agent),
    };
    let found = match agent {
        Agent::ClaudeCode => files.of_claude(),
        Agent::Codex => files.of_codex(),
        Agent::Qwen => files.of_qwen(),
        Agent::Gemini => files.of_gemini(),
        Agent::Vscode => files.of_vscode(),
        Agent::Cursor => files.of_cursor(),
        Agent::Opencode | Agent::Generic => files.own(),
    };
    found
        .into_iter()
        .map(|(kind, path)| Layer::unread(kind, path))
        .collect()
}

type Found = Vec<(LayerKind, Utf8PathBuf)>;

struct Files<'a> {
    agent: Agent,
    bases: &'a Bases<'a>,
    user: Utf8PathBuf,
}

impl Files<'_> {
    /// A file of the machine, which has another place on macOS.
    fn of_machine(&self, linux: &str, macos: &str) -> Utf8PathBuf {
        let path = if cfg!(target_os = "macos") {
            macos
        } else {
            linux
        };
        self.bases.machine.join(path)
    }

    /// What a Mac's administrator distributes, to all and to this user.
    fn distributed(&self, name: &str) -> Found {
        let folder = self.bases.machine.join("Library/Managed Preferences");
        let user = self.bases.home.file_name().map(|user| folder.join(user));
        std::iter::once(folder)
            .chain(user)
            .map(|folder| (LayerKind::Managed, folder.join(name)))
            .collect()
    }

    /// A file in the user's folder of the agent.
    fn of_user(&self, kind: LayerKind, name: &str) -> (LayerKind, Utf8PathBuf) {
        (kind, self.user.join(name))
    }

    /// A file in the project's folder of the agent, if there is a project.
    fn of_project(&self, kind: LayerKind, name: &str) -> Option<(LayerKind, Utf8PathBuf)> {
        let folder = self.bases.of_project(self.agent)?;
        Some((kind, folder.join(name)))
    }

    /// The files that `install` writes.
    fn own(&self) -> Found {
        let file = hooks_file(self.agent);
        let mut found = vec![self.of_user(LayerKind::User, file)];
        found.extend(self.of_project(LayerKind::Project, file));
        found
    }

    fn of_claude(&self) -> Found {
        // Its own file of state, which has an `env` of its own.
        let moved = self.bases.moved("CLAUDE_CONFIG_DIR");
        let state = moved.as_deref().unwrap_or(self.bases.home);
        let mut found = vec![(LayerKind::Switches, state.join(".claude.json"))];
        found.extend(self.own());
        found.extend(self.of_project(LayerKind::Local, "settings.local.json"));
        let managed = self.of_machine("etc/claude-code", "Library/Application Support/ClaudeCode");
        found.push((LayerKind::Managed, managed.join("managed-settings.json")));
        found.push((
            LayerKind::Managed,
            managed.join("managed-settings.d/*.json"),
        ));
        found.extend(self.distributed("com.anthropic.claudecode.plist"));
        found
    }

    fn of_codex(&self) -> Found {
        let machine = |name: &str| (LayerKind::Managed, self.bases.machine.join(name));
        let mut found = vec![
            machine("etc/codex/config.toml"),
            self.of_user(LayerKind::User, "config.toml"),
            self.of_user(LayerKind::User, "hooks.json"),
            self.of_user(LayerKind::Profile, "*.config.toml"),
        ];
        found.extend(self.of_project(LayerKind::Project, "config.toml"));
        found.extend(self.of_project(LayerKind::Project, "hooks.json"));
        found.extend([
            machine("etc/codex/hooks.json"),
            machine("etc/codex/managed_config.toml"),
            machine("etc/codex/requirements.toml"),
        ]);
        found.extend(self.distributed("com.openai.codex.plist"));
        found
    }

    fn of_qwen(&self) -> Found {
        let system = self.bases.moved("QWEN_CODE_SYSTEM_SETTINGS_PATH");
        let system = system.unwrap_or_else(|| {
            self.of_machine(
                "etc/qwen-code/settings.json",
                "Library/Application Support/QwenCode/settings.json",
            )
        });
        let mut found = self.between_defaults(
            &system,
            "QWEN_CODE_SYSTEM_DEFAULTS_PATH",
            "QWEN_CODE_TRUSTED_FOLDERS_PATH",
        );
        found.extend(self.variables_of_qwen());
        found
    }

    fn of_gemini(&self) -> Found {
        let system = self.bases.moved("GEMINI_CLI_SYSTEM_SETTINGS_PATH");
        let system = system.unwrap_or_else(|| {
            self.of_machine(
                "etc/gemini-cli/settings.json",
                "Library/Application Support/GeminiCli/settings.json",
            )
        });
        self.between_defaults(
            &system,
            "GEMINI_CLI_SYSTEM_DEFAULTS_PATH",
            "GEMINI_CLI_TRUSTED_FOLDERS_PATH",
        )
    }

    /// The machine's defaults, what the user and the project say, and the
    /// machine's settings, which are stronger than all of them.
    fn between_defaults(&self, system: &Utf8Path, defaults: &str, folders: &str) -> Found {
        let defaults = self
            .bases
            .moved(defaults)
            .unwrap_or_else(|| system.with_file_name("system-defaults.json"));
        let folders = self.bases.moved(folders);
        let folders = folders.unwrap_or_else(|| self.user.join("trustedFolders.json"));
        let mut found = vec![
            (LayerKind::Folders, folders),
            (LayerKind::Managed, defaults),
        ];
        found.extend(self.own());
        found.push((LayerKind::Managed, system.to_owned()));
        found
    }

    /// Where Qwen Code looks for `.env`: from the project's folder upwards to
    /// the first, and always at home.
    fn variables_of_qwen(&self) -> Found {
        let home = self.bases.home;
        let mut found = vec![home.join(".env"), home.join(".qwen/.env")];
        if self.user != home.join(".qwen") {
            found.push(self.user.join(".env"));
        }
        let mut found: Found = found
            .into_iter()
            .map(|path| (LayerKind::Variables, path))
            .collect();
        let upwards = self.bases.workspace.into_iter().flat_map(|folder| {
            folder
                .ancestors()
                .take_while(|folder| *folder != home)
                .flat_map(|folder| [folder.join(".qwen/.env"), folder.join(".env")])
        });
        let upwards: Vec<Utf8PathBuf> = upwards.collect();
        let upwards = upwards.into_iter().rev();
        found.extend(upwards.map(|path| (LayerKind::ProjectVariables, path)));
        found
    }

    fn of_vscode(&self) -> Found {
        let settings = self.bases.home.join(if cfg!(target_os = "macos") {
            "Library/Application Support/Code/User/settings.json"
        } else {
            ".config/Code/User/settings.json"
        });
        let mut found = vec![(LayerKind::Switches, settings)];
        found.extend(self.own());
        found
    }

    fn of_cursor(&self) -> Found {
        let mut found = self.own();
        let machine = self.of_machine(
            "etc/cursor/hooks.json",
            "Library/Application Support/Cursor/hooks.json",
        );
        found.push((LayerKind::Managed, machine));
        found
    }
}
