//! Which parts of the guard are not as they should be, since when and why. A
//! person who sees only that something is wrong cannot tell what to mend.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Mutex;

use countersign_core::redact;
use countersign_core::state::Millis;

use crate::service::{Service, lock};

/// What is kept of why a part is degraded, in bytes.
const WHY_BYTES: usize = 1024;

/// A part of the guard that can fail while the rest goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Component {
    /// The guard itself: it decides nothing, or only for tests.
    Guard,
    /// The state and its journal cannot be written.
    Journal,
    /// A settings file cannot be used.
    Settings,
    /// The socket over which agents' hooks reach this server.
    Socket,
    /// The model that judges what nothing else decides.
    Classifier,
    /// The user's hooks.
    Hooks,
    /// The export of telemetry.
    Export,
}

impl Component {
    /// Every part, the one that matters most first.
    pub const ALL: [Self; 7] = [
        Self::Guard,
        Self::Journal,
        Self::Settings,
        Self::Socket,
        Self::Classifier,
        Self::Hooks,
        Self::Export,
    ];

    /// The name on the wire and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::Journal => "journal",
            Self::Settings => "settings",
            Self::Socket => "socket",
            Self::Classifier => "classifier",
            Self::Hooks => "hooks",
            Self::Export => "export",
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A part that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DegradedPart {
    /// Which one. Settings may be there several times, once for each workspace.
    pub part: Component,
    /// Since when, as far as this server saw it.
    pub since: Millis,
    /// What is wrong and what to change, masked.
    pub why: String,
}

/// What was reported, and when what is looked at was first seen.
#[derive(Debug, Default)]
pub(crate) struct Degradations {
    reported: Mutex<BTreeMap<Component, (Millis, String)>>,
    /// By part and the workspace it is about.
    seen: Mutex<BTreeMap<(Component, String), Millis>>,
}

impl Degradations {
    /// Whether that is news.
    fn report(&self, part: Component, why: &str, now: Millis) -> bool {
        let why = redact::bounded(&redact::mask(why), WHY_BYTES).into_owned();
        match lock(&self.reported).entry(part) {
            Entry::Vacant(entry) => {
                entry.insert((now, why));
                true
            }
            Entry::Occupied(mut entry) => {
                let known = &mut entry.get_mut().1;
                let is_news = *known != why;
                *known = why;
                is_news
            }
        }
    }

    fn withdraw(&self, part: Component) -> bool {
        lock(&self.reported).remove(&part).is_some()
    }
}

/// What is wrong just now with a part that nobody reports: it is looked at.
struct Looked {
    part: Component,
    /// What it is about, where there may be several.
    about: String,
    why: String,
    /// Since when, where that is known.
    since: Option<Millis>,
}

impl Service {
    /// A part is not as it should be from now on, until
    /// [`Self::well_again`]. Saying it again keeps the time at which it began;
    /// costs a lock, so that it may be said at every failure.
    pub fn degrade(&self, part: Component, why: &str) {
        if self.degradations.report(part, why, self.now()) {
            self.mark(None);
            self.tell_hooks_degraded(part, why);
        }
    }

    /// A part that was reported is as it should be.
    pub fn well_again(&self, part: Component) {
        if self.degradations.withdraw(part) {
            self.mark(None);
        }
    }

    /// What is not as it should be, since when and why; the part that matters
    /// most first. Reads settings files where they changed.
    #[must_use]
    pub fn degraded_parts(&self) -> Vec<DegradedPart> {
        let now = self.now();
        let mut parts: Vec<DegradedPart> = lock(&self.degradations.reported)
            .iter()
            .map(|(part, (since, why))| DegradedPart {
                part: *part,
                since: *since,
                why: why.clone(),
            })
            .collect();
        let looked = self.look_at_parts();
        let mut seen = lock(&self.degradations.seen);
        seen.retain(|(part, about), _| {
            let mut still = looked.iter();
            still.any(|one| one.part == *part && one.about == *about)
        });
        for one in looked {
            // Kept, so that it is the same each time that it is told.
            let since = one.since.unwrap_or(now);
            let since = *seen.entry((one.part, one.about)).or_insert(since);
            parts.push(DegradedPart {
                part: one.part,
                since,
                why: redact::bounded(&redact::mask(&one.why), WHY_BYTES).into_owned(),
            });
        }
        parts.sort_by_key(|part| (part.part, part.since));
        parts
    }

    /// What is not as it should be, in plain words. How the classifier does is
    /// told in [`Self::classifier_health`] and not here.
    #[must_use]
    pub fn degraded(&self) -> Vec<String> {
        let parts = self.degraded_parts().into_iter();
        parts
            .filter(|part| part.part != Component::Classifier)
            .map(|part| part.why)
            .collect()
    }

    fn look_at_parts(&self) -> Vec<Looked> {
        let mut looked = Vec::new();
        let mut add = |part, about: &str, why: String, since| {
            looked.push(Looked {
                part,
                about: about.to_owned(),
                why,
                since,
            });
        };
        if let Some(why) = self.refusal() {
            add(Component::Guard, "", why.to_owned(), Some(self.started));
        }
        if self.places().relocated {
            let why = "settings and state are below --home, for tests".to_owned();
            add(Component::Guard, "home", why, Some(self.started));
        }
        if let Some(why) = self.journal().trouble() {
            let since = self.journal().trouble_for().map(|so_long| {
                let so_long = Millis::try_from(so_long.as_millis()).unwrap_or(Millis::MAX);
                self.now().saturating_sub(so_long)
            });
            add(Component::Journal, "", why, since);
        }
        let health = self.classifier_health();
        if let Some(why) = health.problem {
            add(Component::Classifier, "", why, health.since);
        }
        for workspace in self.workspaces() {
            if let Some(why) = &self.settings(&workspace).degraded {
                let about = workspace.as_str();
                add(Component::Settings, about, why.clone(), None);
            }
        }
        looked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_fails_again_failed_since_the_first_time() {
        let parts = Degradations::default();
        assert!(parts.report(Component::Export, "no collector", 10));
        assert!(!parts.report(Component::Export, "no collector", 20));
        assert!(parts.report(Component::Export, "refused", 30));
        let reported = lock(&parts.reported).get(&Component::Export).cloned();
        assert_eq!(reported, Some((10, "refused".to_owned())));
        assert!(parts.withdraw(Component::Export) && !parts.withdraw(Component::Export));
        assert!(parts.report(Component::Export, "refused", 40));
    }

    #[test]
    fn what_is_reported_is_masked_and_bounded() {
        let parts = Degradations::default();
        let why = format!("--token hunter2 {}", "x".repeat(10_000));
        parts.report(Component::Hooks, &why, 1);
        let reported = lock(&parts.reported).clone();
        let (_, kept) = reported.get(&Component::Hooks).unwrap();
        assert!(
            !kept.contains("hunter2") && kept.len() <= WHY_BYTES,
            "{kept}"
        );
    }

    #[test]
    fn every_part_is_listed_once_in_its_order() {
        let mut sorted = Component::ALL;
        sorted.sort();
        assert_eq!(sorted, Component::ALL);
        let mut names = Component::ALL.map(Component::as_str).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Component::ALL.len());
    }
}
