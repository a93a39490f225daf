//! The settings that hold, all layers merged: what the other crates see.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::call::Digest;
use countersign_core::denials::DenialLimits;
use countersign_core::mode::ApprovalMode;
use countersign_core::model::ClassifierSettings;
use countersign_core::policy::{OnUnavailable, StaticAnalysis};
pub use countersign_core::prompt::Hints;
use countersign_core::rules::{RuleList, RuleOrigin, Scope};
use countersign_core::state::Millis;

use crate::assemble::assemble;
use crate::consent::WorkspaceEntry;
use crate::hooks::{HookEvent, UserHook};
use crate::merge::{Input, merge};
use crate::problem::SettingsProblem;
use crate::telemetry::TelemetrySettings;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The layer.
    pub scope: Scope,
    /// The file; none for settings that an editor sent.
    pub file: Option<Utf8PathBuf>,
    /// The line in it, from 1.
    pub line: Option<u32>,
}

/// What happens when a project task would run code that an agent edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunEditedCode {
    /// The call is reviewed.
    #[default]
    Review,
    /// It runs unreviewed.
    Allow,
}

/// An agent whose settings files are read too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImportFrom {
    /// Qwen Code.
    Qwen,
    /// Claude Code.
    Claude,
}

impl ImportFrom {
    /// The name in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Qwen => "qwen",
            Self::Claude => "claude",
        }
    }
}

/// How much of the journal is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalLimits {
    /// Days; at least 1.
    pub retention_days: u64,
    /// Megabytes; at least 1.
    pub max_megabytes: u64,
}

impl JournalLimits {
    /// What they mean for a store: the age in milliseconds, the size in bytes.
    #[must_use]
    pub fn retention(self) -> (Millis, u64) {
        const DAY: Millis = 24 * 60 * 60 * 1_000;
        const MEGABYTE: u64 = 1_000_000;
        let max_age = Millis::try_from(self.retention_days)
            .unwrap_or(Millis::MAX)
            .saturating_mul(DAY);
        (max_age, self.max_megabytes.saturating_mul(MEGABYTE))
    }
}

/// The settings that hold for one workspace.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are settings, one by one"
)]
pub struct Effective {
    /// The canonical workspace folder; none where it does not exist.
    pub workspace: Option<Utf8PathBuf>,
    /// Whether a person trusts the workspace.
    pub trusted: bool,
    /// The rules: deny, ask, then allow, each with the strongest layer first.
    pub rules: Vec<(RuleList, String, RuleOrigin)>,
    /// The mode that sessions start in, where a layer names one.
    pub approval_mode: Option<(ApprovalMode, Source)>,
    /// Whether the person chose auto mode after its notice.
    pub auto_acknowledged: bool,
    /// The denial caps.
    pub limits: DenialLimits,
    /// The hints for the classifier.
    pub hints: Hints,
    /// The facts for the classifier.
    pub environment: Vec<String>,
    /// Protected besides the built-in paths.
    pub protected_add: Vec<String>,
    /// Built-in paths that are not protected.
    pub protected_remove: Vec<String>,
    /// Instruction files besides the well-known ones.
    pub context_files: Vec<String>,
    /// Whether reads of credential stores are reviewed.
    pub review_credential_reads: bool,
    /// Whether every shell command goes to the classifier.
    pub classify_all_shell: bool,
    /// How far static analysis may allow.
    pub static_analysis: StaticAnalysis,
    /// What happens when a task would run code that an agent edited.
    pub run_edited_code: RunEditedCode,
    /// What happens when the classifier gives no answer.
    pub on_unavailable: OnUnavailable,
    /// The model that judges calls; none where no usable one is named.
    pub classifier: Option<ClassifierSettings>,
    /// The MCP servers and tools whose arguments the classifier may see.
    pub mcp_forwarding: Vec<String>,
    /// The user hooks that count, those of the strongest layers first; all of
    /// them, whether or not hooks are off.
    pub hooks: Vec<UserHook>,
    /// Whether user hooks are off.
    pub disable_all_hooks: bool,
    /// How much of the journal is kept.
    pub journal: JournalLimits,
    /// What may be exported, and where to.
    pub telemetry: TelemetrySettings,
    /// Which agents' files are read too.
    pub import: Vec<ImportFrom>,
    /// Every entry with which the trusted workspace would give leave, accepted
    /// or not. Its digest is what a person accepts.
    pub loosening: Vec<WorkspaceEntry>,
    /// Those of them that nobody accepted yet; they do not count.
    pub pending_consent: Vec<WorkspaceEntry>,
    /// What was accepted and is in no file any more.
    pub withdrawn: Vec<WorkspaceEntry>,
    /// What restricts and has left the workspace's files: in force until a
    /// person confirms its removal.
    pub kept_tightening: Vec<WorkspaceEntry>,
    /// What is wrong.
    pub problems: Vec<SettingsProblem>,
    /// Why auto-edit, auto and yolo act as default: settings that may restrict
    /// cannot be read.
    pub degraded: Option<String>,
}

impl Default for Effective {
    /// What holds where no layer says anything, in an untrusted workspace.
    fn default() -> Self {
        let nothing = Input {
            layers: &[],
            trusted: false,
            accepted: &[],
            kept: &[],
            workspace: None,
        };
        // No layer names a file, so the home folder does not matter.
        let home = Utf8Path::new("/");
        assemble(merge(&nothing, &mut Vec::new()), home, Vec::new())
    }
}

impl Effective {
    /// The mode that a session starts in.
    #[must_use]
    pub fn starting_mode(&self) -> ApprovalMode {
        self.cap(match &self.approval_mode {
            Some((mode, _)) => *mode,
            None if self.auto_acknowledged => ApprovalMode::Auto,
            None => ApprovalMode::Default,
        })
    }

    /// The mode as these settings let it act: in an untrusted workspace, and
    /// while they are degraded, nothing looser than default.
    #[must_use]
    pub fn cap(&self, mode: ApprovalMode) -> ApprovalMode {
        if self.trusted && self.degraded.is_none() {
            mode
        } else {
            mode.stricter(ApprovalMode::Default)
        }
    }

    /// The hooks that run on an event; none where hooks are off.
    pub fn hooks_on(&self, event: HookEvent) -> impl Iterator<Item = &UserHook> {
        let all: &[UserHook] = if self.disable_all_hooks {
            &[]
        } else {
            &self.hooks
        };
        all.iter().filter(move |hook| hook.event == event)
    }

    /// The digest of [`Effective::loosening`]: what a person accepts.
    #[must_use]
    pub fn consent_digest(&self) -> Digest {
        crate::consent::digest_of(&self.loosening)
    }

    /// The digest of [`Effective::kept_tightening`]: what a person confirms.
    #[must_use]
    pub fn removal_digest(&self) -> Digest {
        crate::consent::digest_of(&self.kept_tightening)
    }
}
