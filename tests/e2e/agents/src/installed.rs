//! The guard's hooks as `countersign install` would write them. Not by the command
//! itself, which takes a while to look for a person above it and for the agent's
//! version; that it writes the same is seen in `cases::command_line`.

use std::fs;

use camino::Utf8Path;
use countersign_core::agent::Agent;
use countersign_install::{
    Bases, Edit, Scope, Wish, codex_config, disk, needs_trust, profile, program, target,
    trust_hooks,
};

use crate::surroundings;
use crate::world::World;

/// Writes the hooks of an agent into its home in this world; they have so many
/// seconds to decide. Where the agent wants hooks to be trusted, they are.
///
/// # Panics
/// When there is no such agent here, or its settings refuse.
pub fn install(world: &World, agent: &str, timeout: u32) {
    let agent: Agent = agent.parse().expect("an agent");
    let profile = profile(agent).expect("an agent with hooks");
    let home = world.home();
    let bases = Bases {
        home: &home,
        workspace: None,
        machine: Utf8Path::new("/"),
        variable: &|_| None,
    };
    let programs = surroundings::programs();
    let found = program::installed(profile, programs.as_str(), true).expect("the agent");
    assert!(found.version.is_some(), "{found:?}");
    let hooks = target(agent, Scope::User, &bases).expect("a file for the hooks");
    let before = disk::read_plain(&hooks).expect("the agent's settings");
    let wish = Wish {
        program: &world.hook_program(),
        state_home: Some(&world.guard()),
        home: &home,
        version: found.version,
        timeout: Some(timeout),
    };
    let plan = countersign_install::install(profile, &hooks, before.as_deref(), &wish);
    let plan = plan.unwrap_or_else(|refused| panic!("{refused}"));
    write(&plan.edit);
    if needs_trust(agent) {
        let config = codex_config(&bases);
        let text = disk::read_plain(&config).expect("the agent's settings");
        let after = plan.edit.after.as_deref().unwrap_or_default();
        let trust = trust_hooks(&hooks, after, &config, text.as_deref(), &home);
        write(&trust.unwrap_or_else(|refused| panic!("{refused}")));
    }
}

fn write(edit: &Edit) {
    let text = edit.after.as_deref().expect("a file to write");
    let folder = edit.path.parent().expect("a folder");
    fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    fs::write(&edit.path, text).unwrap_or_else(|error| panic!("{}: {error}", edit.path));
}
