//! Writing a remembered rule into a settings file, so that it holds from then
//! on: in a workspace's file it also needs the consent that its person just
//! gave, and nothing else of that file gets it along.

use std::sync::Arc;

use camino::Utf8Path;
use countersign_core::rules::RuleList;
use countersign_settings::{
    EditError, Effective, Places, RuleFile, StateFileError, TrustStore, add_rule,
};

use crate::pending::Remember;

/// Why a rule is not remembered. The call was approved all the same.
#[derive(Debug, thiserror::Error)]
pub enum RememberError {
    /// There is no workspace whose file it could go into.
    #[error("the rule is not remembered: the session works in no workspace")]
    NoWorkspace,
    /// The workspace is not trusted, so that its rules would not count.
    #[error("the rule is not remembered in the workspace: {0} is not trusted")]
    NotTrusted(camino::Utf8PathBuf),
    /// The file cannot be changed.
    #[error("the rule is not remembered: {0}")]
    File(#[from] EditError),
    /// Other entries of the file wait for consent, and this one with them.
    #[error(
        "the rule is in the workspace's settings and counts once you accept what else they would loosen"
    )]
    Waiting,
    /// The consent cannot be kept.
    #[error("the rule is in the file and does not count yet: {0}")]
    Consent(#[from] StateFileError),
}

/// Adds the rules to a file. `effective` reads the settings of a workspace.
pub(crate) fn in_file(
    places: &Places,
    workspace: Option<&Utf8Path>,
    rules: &[String],
    scope: Remember,
    effective: &dyn Fn(&Utf8Path) -> Arc<Effective>,
) -> Result<(), RememberError> {
    if scope != Remember::Project {
        for rule in rules {
            add_rule(places, RuleFile::User, RuleList::Allow, rule)?;
        }
        return Ok(());
    }
    let workspace = workspace.ok_or(RememberError::NoWorkspace)?;
    let before = effective(workspace);
    if !before.trusted {
        return Err(RememberError::NotTrusted(workspace.to_owned()));
    }
    for rule in rules {
        add_rule(
            places,
            RuleFile::Workspace(workspace),
            RuleList::Allow,
            rule,
        )?;
    }
    let after = effective(workspace);
    // What waited for consent before still waits: the person saw these rules
    // and not the others.
    let only_these = after
        .pending_consent
        .iter()
        .all(|entry| entry.key == "permissions.allow" && rules.contains(&entry.text));
    if !only_these {
        return Err(RememberError::Waiting);
    }
    if !after.pending_consent.is_empty() {
        TrustStore::new(places).consent(workspace, &after.loosening, after.consent_digest())?;
    }
    Ok(())
}
