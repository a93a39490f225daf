//! What a command must not destroy, as the policy of a call has it.

use countersign_core::call::{Access, CommandText};
use countersign_core::command::CommandView;
use countersign_core::effect::{Effects, Touch};
use countersign_core::paths::{PathFact, ProtectedKind};
use countersign_shell::{Catastrophe, Place, Stakes};

use crate::world::CallWorld;

/// The certain harm that a command would do, if it does any.
pub(crate) fn catastrophe(
    command: &CommandText,
    view: &CommandView,
    effects: &Effects,
    world: &CallWorld<'_>,
) -> Option<Catastrophe> {
    let policy = world.policy;
    let home = policy.home.as_str();
    let below = |name: &str| policy.home.join(name).into_string();
    let (config, state, data, cache) = (
        below(".config"),
        below(".local/state"),
        below(".local/share"),
        below(".cache"),
    );
    // Those who start agents have these; no variable is read here.
    let variables = [
        ("HOME", home),
        ("USER", policy.home.file_name().unwrap_or_default()),
        ("LOGNAME", policy.home.file_name().unwrap_or_default()),
        ("XDG_CONFIG_HOME", config.as_str()),
        ("XDG_STATE_HOME", state.as_str()),
        ("XDG_DATA_HOME", data.as_str()),
        ("XDG_CACHE_HOME", cache.as_str()),
    ];
    let is_guards_own = |place: &Place, touch: Touch| {
        let access = match touch {
            Touch::DeleteTree | Touch::MoveFrom => Access::Delete,
            _ => Access::Write,
        };
        let fact = PathFact {
            given: place.written.to_string(),
            absolute: place.written.clone(),
            canonical: place.path.clone(),
            access,
            kind: place.kind,
            links: 1,
        };
        policy
            .protected
            .check(&fact)
            .is_some_and(|protected| protected.kind == ProtectedKind::Guard)
    };
    let stakes = Stakes {
        home: &policy.home,
        workspaces: &policy.workspaces,
        variables: &variables,
        is_guards_own: &is_guards_own,
    };
    countersign_shell::catastrophe(command, view, effects, world, &stakes)
}
