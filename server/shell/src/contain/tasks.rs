//! Tasks of the project: contained where what defines them and what they run is
//! as the baseline has it, and the command itself changes nothing of it.

use countersign_core::effect::{Doing, Effect, EffectKind, Task};

use super::Judge;

impl Judge<'_> {
    pub(super) fn task(&mut self, task: &Task, effect: &Effect) {
        self.read_only = false;
        let project = self.world.task(task);
        let refusal = match (&project.problem, &project.root) {
            (Some(problem), _) => Some(problem.clone()),
            (None, None) => Some("where the project is cannot be told".to_owned()),
            (None, Some(root)) => {
                if self.changes.change_below(root, effect.command) {
                    Some(format!("the command changes what is in {root}"))
                } else if self.adds_to_history(effect.command) {
                    Some("the command changes what git has checked out".to_owned())
                } else {
                    None
                }
            }
        };
        if let Some(refusal) = refusal {
            let (name, doing) = (&task.name, task.doing().as_str());
            self.no(&effect.span, format!("`{name}` {doing}, and {refusal}"));
        }
    }

    /// Whether another part of the command works on the local history: some of
    /// that writes files that no word names.
    pub(super) fn adds_to_history(&self, command: usize) -> bool {
        self.effects.iter().any(|other| {
            other.command != command
                && matches!(other.kind, EffectKind::Doing(Doing::LocalHistory, _))
        })
    }
}
