//! What the client on the other side can do.

use countersign_service::SurfaceKind;
use serde_json::Value;
use tower_lsp::lsp_types::{InitializeParams, MessageType};

use crate::protocol::ClientExtension;

/// What the client can do, as it declared when it began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are capabilities, one by one"
)]
pub(crate) struct ClientCapabilities {
    /// What it declared of ours; none for a client without anything of ours.
    pub(crate) extension: Option<ClientExtension>,
    /// Its name.
    pub(crate) name: String,
    /// Whether it answers `window/showMessageRequest`.
    pub(crate) prompts: bool,
    /// Whether it answers `window/showDocument`.
    pub(crate) shows_documents: bool,
    /// Whether it knows `experimental/serverStatus`.
    pub(crate) server_status: bool,
    /// Whether it draws code lenses anew when asked to.
    pub(crate) refreshes_lenses: bool,
    /// Whether it tells when watched files change, if asked to.
    pub(crate) watches_files: bool,
}

impl ClientCapabilities {
    /// What the client declares.
    pub(crate) fn of(params: &InitializeParams) -> Self {
        let window = params.capabilities.window.as_ref();
        let workspace = params.capabilities.workspace.as_ref();
        let experimental = params.capabilities.experimental.as_ref();
        let declared = |name: &str| experimental.and_then(|all| all.get(name));
        let name = params
            .client_info
            .as_ref()
            .map(|info| info.name.clone())
            .unwrap_or_default();
        let says_no = |declared: &&Value| declared.is_null() || **declared == Value::Bool(false);
        let extension = declared("countersign")
            .filter(|declared| !says_no(declared))
            .map(|declared| {
                // A declaration that cannot be read still says that there is one.
                serde_json::from_value(declared.clone()).unwrap_or_default()
            });
        Self {
            // Nearly every client answers it and few declare it. Helix does
            // where it has it: asking an older one would cost the first call
            // its answer, where the agent's own prompt could have asked.
            prompts: name != "helix" || window.is_some_and(|window| window.show_message.is_some()),
            shows_documents: window
                .and_then(|window| window.show_document.as_ref())
                .is_some_and(|show| show.support),
            server_status: name == "Zed"
                || declared("serverStatusNotification")
                    .and_then(Value::as_bool)
                    .unwrap_or(false),
            refreshes_lenses: workspace
                .and_then(|workspace| workspace.code_lens.as_ref())
                .and_then(|lens| lens.refresh_support)
                .unwrap_or(false),
            watches_files: workspace
                .and_then(|workspace| workspace.did_change_watched_files.as_ref())
                .and_then(|watched| watched.dynamic_registration)
                .unwrap_or(false),
            extension,
            name,
        }
    }

    /// Whether the client draws approvals itself.
    pub(crate) const fn draws_approvals(&self) -> bool {
        self.extension.is_some()
    }

    /// Whether it shows documents of the scheme `countersign:`, whose text it
    /// fetches.
    pub(crate) fn shows_our_documents(&self) -> bool {
        self.extension
            .as_ref()
            .is_some_and(|extension| extension.documents)
    }

    /// What answers from it are recorded as.
    pub(crate) fn surface(&self) -> SurfaceKind {
        match &self.extension {
            None => SurfaceKind::StandardPrompt,
            Some(extension) => match extension.kind.as_deref() {
                Some("vscode") => SurfaceKind::Vscode,
                Some("neovim") => SurfaceKind::Neovim,
                Some(_) | None => SurfaceKind::Other,
            },
        }
    }

    /// Whether diagnostics of documents of the scheme `countersign:` are drawn.
    pub(crate) fn draws_session_documents(&self) -> bool {
        match &self.extension {
            Some(extension) => extension.documents,
            None => self.is_neovim() || self.is_vscode(),
        }
    }

    /// Whether what belongs into a session's document is shown in a settings
    /// file (too), because the client may show no such document.
    pub(crate) const fn needs_settings_file(&self) -> bool {
        match &self.extension {
            Some(extension) => !extension.documents,
            None => true,
        }
    }

    /// How loud a prompt is. Visual Studio Code lets all but errors fade away.
    pub(crate) fn prompt_type(&self) -> MessageType {
        if self.is_vscode() {
            MessageType::ERROR
        } else {
            MessageType::WARNING
        }
    }

    fn is_neovim(&self) -> bool {
        self.name == "Neovim"
    }

    fn is_vscode(&self) -> bool {
        self.name.starts_with("Visual Studio Code") || self.name == "code-server"
    }
}
