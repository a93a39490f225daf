//! Over-broad allow rules that are set aside while sessions are in auto mode,
//! counted by the sessions that hold them. No settings file is touched.

use countersign_core::mode::ApprovalMode;
use countersign_core::policy::Policy;
use countersign_core::state::{SessionState, SetAside, StateError, Transaction};

/// What changed for people to see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Changed {
    /// Rules that this session holds aside from now on.
    pub(crate) aside: Vec<String>,
    /// Rules that nobody holds aside any more.
    pub(crate) back: Vec<String>,
}

/// The rules that a session holds aside in a mode.
pub(crate) fn held_in(policy: &Policy, mode: ApprovalMode) -> Vec<String> {
    match mode {
        ApprovalMode::Auto => policy.rules.over_broad().map(ToString::to_string).collect(),
        ApprovalMode::Plan
        | ApprovalMode::Default
        | ApprovalMode::AutoEdit
        | ApprovalMode::Yolo => Vec::new(),
    }
}

/// Makes the root session hold exactly the `wanted` rules. Without wanted
/// rules and without anything held, nothing is read or written.
pub(crate) fn hold(
    transaction: &mut dyn Transaction,
    root: &mut SessionState,
    wanted: &[String],
) -> Result<Changed, StateError> {
    let mut changed = Changed::default();
    if wanted.is_empty() && !root.holds_rules {
        return Ok(changed);
    }
    let mut entries = transaction.set_aside()?;
    for rule in wanted {
        if !entries.iter().any(|entry| &entry.rule == rule) {
            entries.push(SetAside {
                rule: rule.clone(),
                holders: Vec::new(),
            });
        }
    }
    for mut entry in entries {
        let holds = entry.holders.contains(&root.key);
        let wants = wanted.contains(&entry.rule);
        match (holds, wants) {
            (false, true) => {
                entry.holders.push(root.key.clone());
                transaction.put_set_aside(&entry)?;
                changed.aside.push(entry.rule);
            }
            (true, false) => {
                entry.holders.retain(|holder| holder != &root.key);
                transaction.put_set_aside(&entry)?;
                if entry.holders.is_empty() {
                    changed.back.push(entry.rule);
                }
            }
            (true, true) | (false, false) => {}
        }
    }
    root.holds_rules = !wanted.is_empty();
    Ok(changed)
}

/// The journal's words for a change, if there is one: what, then the rules.
pub(crate) fn told(changed: &Changed) -> Vec<String> {
    [
        (&changed.aside, "set aside while in auto mode"),
        (&changed.back, "brought back"),
    ]
    .into_iter()
    .filter(|(rules, _)| !rules.is_empty())
    .map(|(rules, what)| format!("{what}: {}", rules.join(", ")))
    .collect()
}
