//! What is missing among the hooks, and what is there twice.

use super::Looking;

impl Looking<'_, '_> {
    /// Whether every event at which calls are decided has a hook, and only one.
    pub(super) fn find_gaps(&mut self) {
        let profile = self.facts.profile;
        let missing: Vec<&str> = profile
            .known_events(self.facts.version)
            .filter(|event| !self.hooks.iter().any(|hook| hook.event == event.name))
            .map(|event| event.name)
            .collect();
        let (deciding, telling): (Vec<&str>, Vec<&str>) = missing.into_iter().partition(|name| {
            profile
                .events
                .iter()
                .any(|event| event.name == *name && event.decides)
        });
        // The first one sees every call; the others spare prompts.
        let first = profile.events.iter().find(|event| event.decides);
        for name in deciding {
            let text = format!("{name} has no hook of Countersign");
            if first.is_some_and(|event| event.name == name) || profile.entry_closes() {
                self.unguarded(text, self.install_again());
            } else {
                self.warn(
                    format!("{text}: the agent asks where it need not"),
                    self.install_again(),
                );
            }
        }
        if !telling.is_empty() {
            self.warn(
                format!(
                    "{} have no hook of Countersign: results and turns are not seen",
                    telling.join(", ")
                ),
                self.install_again(),
            );
        }
        let mut twice: Vec<&str> = Vec::new();
        for (index, hook) in self.hooks.iter().enumerate() {
            let is_again = self
                .hooks
                .iter()
                .take(index)
                .any(|other| other.event == hook.event);
            if is_again && !twice.contains(&hook.event.as_str()) {
                twice.push(&hook.event);
            }
        }
        if !twice.is_empty() {
            let files: std::collections::BTreeSet<&str> =
                self.hooks.iter().map(|hook| hook.file.as_str()).collect();
            let text = format!(
                "{} call the hook twice, from {}",
                twice.join(", "),
                files.into_iter().collect::<Vec<_>>().join(" and ")
            );
            self.warn(
                text,
                "take one of them out, as `countersign uninstall` does",
            );
        }
    }
}
