//! What can be found out without asking anybody: settings, state, trust, and
//! whether the key is there. Writes nothing, and never shows a key.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use countersign_core::mode::ApprovalMode;
use countersign_core::model::ClassifierSettings;
use countersign_guard::Guard;
use countersign_settings::{Places, Severity};
use countersign_store::{FILE_NAME, Store};

use super::finding::Finding;
use super::parts;
use crate::commands::model;

/// Whether the settings say what somebody wrote into them.
pub(super) fn settings(guard: &Guard) -> Vec<Finding> {
    const CHECK: &str = "settings";
    let effective = &guard.effective;
    let mut findings = Vec::new();
    if let Some(why) = &effective.degraded {
        findings.push(Finding::broken(
            CHECK,
            format!("auto-edit, auto and yolo act as default: {why}"),
            "mend the file that is named",
        ));
    }
    for problem in &effective.problems {
        let (text, change) = (problem.to_string(), "mend what is named there");
        findings.push(match problem.severity {
            Severity::Error => Finding::broken(CHECK, text, change),
            Severity::Warning => Finding::warning(CHECK, text, change),
        });
    }
    for rule in guard.policy.rules.problems() {
        if let Some(error) = rule.error() {
            findings.push(Finding::broken(
                CHECK,
                format!("{} rule {rule}: {error}", rule.list()),
                "mend the rule",
            ));
        }
    }
    for pattern in guard.policy.protected.rejected() {
        findings.push(Finding::broken(
            CHECK,
            format!("protectedPaths: `{pattern}` cannot be read"),
            "mend the pattern",
        ));
    }
    if guard.places.relocated {
        findings.push(Finding::warning(
            CHECK,
            format!(
                "settings and state are below --home, for tests: {}",
                guard.places.config_dir
            ),
            "leave out --home",
        ));
    }
    if findings.is_empty() {
        let file = guard.places.user_file();
        findings.push(Finding::ok(
            CHECK,
            if file.exists() {
                format!("{file} can be read")
            } else {
                format!("{file} is not there; the defaults hold")
            },
        ));
    }
    findings
}

/// Whether the state can be used.
pub(super) fn state(places: &Places, guard: &Guard) -> Vec<Finding> {
    const CHECK: &str = "state";
    let folder = &places.state_dir;
    let metadata = match folder.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return vec![Finding::ok(
                CHECK,
                format!("{folder} is not there yet; the first call makes it"),
            )];
        }
        Err(error) => {
            return vec![Finding::broken(
                CHECK,
                format!("{folder} cannot be examined: {error}"),
                "give yourself the right to read it",
            )];
        }
    };
    let own = rustix::process::geteuid().as_raw();
    if !metadata.is_dir() || metadata.uid() != own || metadata.permissions().mode() & 0o077 != 0 {
        return vec![Finding::broken(
            CHECK,
            format!("{folder} is not a folder of yours alone"),
            format!("chmod 700 {folder}, as its owner"),
        )];
    }
    if !folder.join(FILE_NAME).exists() {
        return vec![Finding::ok(
            CHECK,
            format!("{folder} is private; nothing is recorded yet"),
        )];
    }
    match Store::open(folder) {
        Ok(store) => {
            let mut findings = vec![Finding::ok(
                CHECK,
                format!("{folder} is private and can be read"),
            )];
            findings.extend(parts::of_journal(&store, guard));
            findings
        }
        Err(error) => vec![Finding::broken(
            CHECK,
            error.to_string(),
            "calls are blocked or act as default until it can be used; free space or mend its rights",
        )],
    }
}

/// Whether the workspace is trusted, and which mode holds in it.
pub(super) fn workspace(guard: &Guard) -> Vec<Finding> {
    let Some(workspace) = &guard.workspace else {
        return vec![Finding::warning(
            "workspace",
            "this folder is no workspace, so nothing counts as inside",
            "run it in a project's folder",
        )];
    };
    let mut findings = Vec::new();
    findings.push(if guard.effective.trusted {
        Finding::ok("workspace", format!("{workspace} is trusted"))
    } else {
        Finding::warning(
            "workspace",
            format!("{workspace} is not trusted: auto, auto-edit and yolo act as default"),
            "run `countersign trust` in it",
        )
    });
    let mode = guard.policy.mode;
    let detail = format!("sessions start in {mode} mode");
    findings.push(match (mode, &guard.effective.classifier) {
        (ApprovalMode::Auto, None) => Finding::warning(
            "mode",
            format!("{detail}, and no model judges what nothing else decides: you are asked"),
            format!("set {}.model in {}", model::KEY, guard.places.user_file()),
        ),
        _ => Finding::ok("mode", detail),
    });
    findings
}

/// What the settings say of the classifier.
pub(super) fn classifier(guard: &Guard) -> Finding {
    match &guard.effective.classifier {
        Some(settings) => Finding::ok(
            "classifier",
            format!(
                "{} at {} ({}, {}, instruction as {})",
                settings.model,
                settings.base_url,
                settings.provider.as_str(),
                settings.structured_output.as_str(),
                settings.instruction_role.as_str(),
            ),
        ),
        None => Finding::warning(
            "classifier",
            "none is configured",
            model::what_to_set(guard),
        ),
    }
}

/// Whether the variable of the key is set; never its value.
pub(super) fn key(
    settings: &ClassifierSettings,
    guard: &Guard,
    is_set: impl Fn(&str) -> bool,
) -> Finding {
    const CHECK: &str = "key";
    match &settings.api_key_env {
        None => Finding::ok(CHECK, "no variable is named, so no key is sent"),
        Some(name) if is_set(name) => Finding::ok(CHECK, format!("the variable {name} is set")),
        Some(name) => Finding::broken(
            CHECK,
            format!("the variable {name} is not set here"),
            format!(
                "set it where your editor and your agents start, or name another in \
                 {}.apiKeyEnv in {}",
                model::KEY,
                guard.places.user_file()
            ),
        ),
    }
}
