//! Merged settings, compiled into what decisions use.

use camino::Utf8PathBuf;
use countersign_core::call::{Call, Subject};
use countersign_core::mode::ApprovalMode;
use countersign_core::paths::{ProtectedOptions, ProtectedPaths};
use countersign_core::policy::Policy;
use countersign_core::rules::RuleSet;
use countersign_settings::{Effective, Places};

use crate::host::Host;

/// What a caller knows besides the settings.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The canonical workspace folders; the first is the one the settings are
    /// of. None means that nothing is inside.
    pub workspaces: Vec<Utf8PathBuf>,
    /// The guard's own executables.
    pub programs: Vec<Utf8PathBuf>,
    /// The folders on PATH: what lies there runs later.
    pub path_folders: Vec<Utf8PathBuf>,
    /// A mode that the command line names; it can only tighten.
    pub tighten: Option<ApprovalMode>,
    /// Whether the policy is only for calls that change nothing
    /// ([`changes_nothing`]): what is protected is not looked at then.
    pub only_reads: bool,
}

/// Whether a call names nothing that it would change, and runs no command.
#[must_use]
pub fn changes_nothing(call: &Call) -> bool {
    call.operations
        .iter()
        .all(|operation| match &operation.subject {
            Subject::Command(_) => false,
            Subject::Paths(paths) => paths.iter().all(|path| !path.access.writes()),
            Subject::Urls(_) | Subject::Delegate { .. } | Subject::Other => true,
        })
}

/// The policy of these settings.
#[must_use]
pub fn policy(
    effective: &Effective,
    places: &Places,
    host: &Host,
    surroundings: &Surroundings,
) -> Policy {
    let mode = effective.starting_mode();
    let rules = RuleSet::compile(effective.rules.iter().cloned(), &places.home);
    let protected = if surroundings.only_reads {
        ProtectedPaths::everything()
    } else {
        protected(effective, places, host, surroundings)
    };
    Policy {
        mode: surroundings
            .tighten
            .map_or(mode, |tighten| mode.stricter(tighten)),
        problems: problems(effective, &rules, &protected),
        rules,
        protected,
        workspaces: surroundings.workspaces.clone(),
        home: places.home.clone(),
        limits: effective.limits,
        review_credential_reads: effective.review_credential_reads,
        classify_all_shell: effective.classify_all_shell,
        static_analysis: effective.static_analysis,
        on_unavailable: effective.on_unavailable,
    }
}

fn protected(
    effective: &Effective,
    places: &Places,
    host: &Host,
    surroundings: &Surroundings,
) -> ProtectedPaths {
    let canonicals = host.canonicals();
    ProtectedPaths::new(ProtectedOptions {
        home: places.home.clone(),
        config_dir: places.config_dir.clone(),
        state_dir: places.state_dir.clone(),
        runtime_dir: places.runtime_dir.clone(),
        programs: surroundings.programs.clone(),
        workspaces: surroundings.workspaces.clone(),
        extra: effective.protected_add.clone(),
        removed: effective.protected_remove.clone(),
        context_files: effective.context_files.clone(),
        path_dirs: surroundings.path_folders.clone(),
    })
    // Dotfiles are often links: what they lead to is protected too.
    .with_canonical(|path| canonicals.of(path))
}

/// Everything that is wrong, in the words of whoever found it.
fn problems(effective: &Effective, rules: &RuleSet, protected: &ProtectedPaths) -> Vec<String> {
    let settings = effective.problems.iter().map(ToString::to_string);
    let degraded = effective
        .degraded
        .iter()
        .map(|why| format!("auto, auto-edit and yolo act as default: {why}"));
    let rules = rules.problems().filter_map(|rule| {
        let error = rule.error()?;
        Some(format!("{} rule {rule}: {error}", rule.list()))
    });
    let patterns = protected
        .rejected()
        .iter()
        .map(|pattern| format!("protectedPaths: `{pattern}` cannot be read"));
    settings
        .chain(degraded)
        .chain(rules)
        .chain(patterns)
        .collect()
}
