//! Merged settings, compiled into what decisions use.

use camino::Utf8PathBuf;
use countersign_core::mode::ApprovalMode;
use countersign_core::paths::{ProtectedOptions, ProtectedPaths};
use countersign_core::policy::{LazyProtected, Policy};
use countersign_core::rules::RuleSet;
use countersign_settings::{Effective, Places, RunEditedCode};

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
}

/// The policy of these settings.
#[must_use]
pub fn policy(effective: &Effective, places: &Places, surroundings: &Surroundings) -> Policy {
    let mode = effective.starting_mode();
    let rules = RuleSet::compile(effective.rules.iter().cloned(), &places.home);
    let options = ProtectedOptions {
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
    };
    let has_patterns = !options.extra.is_empty() || !options.removed.is_empty();
    let protected: LazyProtected = LazyProtected::new(Box::new(move || protected(options)));
    let rejected = if has_patterns {
        protected.rejected()
    } else {
        &[]
    };
    Policy {
        mode: surroundings
            .tighten
            .map_or(mode, |tighten| mode.stricter(tighten)),
        problems: problems(effective, &rules, rejected),
        rules,
        protected,
        workspaces: surroundings.workspaces.clone(),
        home: places.home.clone(),
        limits: effective.limits,
        review_credential_reads: effective.review_credential_reads,
        classify_all_shell: effective.classify_all_shell,
        static_analysis: effective.static_analysis,
        run_edited_code: effective.run_edited_code == RunEditedCode::Allow,
        on_unavailable: effective.on_unavailable,
    }
}

fn protected(options: ProtectedOptions) -> ProtectedPaths {
    let host = Host::default();
    let canonicals = host.canonicals();
    // Dotfiles are often links: what they lead to is protected too.
    ProtectedPaths::new(options).with_canonical(|path| canonicals.of(path))
}

/// Everything that is wrong, in the words of whoever found it.
fn problems(effective: &Effective, rules: &RuleSet, rejected: &[String]) -> Vec<String> {
    let settings = effective.problems.iter().map(ToString::to_string);
    let degraded = effective
        .degraded
        .iter()
        .map(|why| format!("auto, auto-edit and yolo act as default: {why}"));
    let rules = rules.problems().filter_map(|rule| {
        let error = rule.error()?;
        Some(format!("{} rule {rule}: {error}", rule.list()))
    });
    let patterns = rejected
        .iter()
        .map(|pattern| format!("protectedPaths: `{pattern}` cannot be read"));
    settings
        .chain(degraded)
        .chain(rules)
        .chain(patterns)
        .collect()
}
