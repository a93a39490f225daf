//! The built-in protected paths.
//!
//! A name without a leading `/` or `~/` is protected wherever it stands, with
//! everything below it; with them it is a fixed place. A single `*` stands for
//! the rest of a segment's beginning or end. Adding a name costs a review of
//! the calls that touch it and nothing else, so that doubtful ones are in.

mod persistence;
mod self_modification;

use std::sync::LazyLock;

use super::protected::ProtectedKind;
use super::table::NameTable;
use persistence::{ACCOUNT, REPOSITORY, SHELLS, SYSTEM, TASKS, TOOLS};
use self_modification::{AGENTS, EDITORS};

/// A built-in name and what kind of thing it is.
#[derive(Debug)]
pub(super) struct Builtin {
    pub(super) name: &'static str,
    pub(super) kind: ProtectedKind,
}

/// What is protected wherever it stands.
pub(super) static NAMES: LazyLock<NameTable<Builtin>> = LazyLock::new(|| {
    NameTable::new(
        all()
            .filter(|builtin| !is_fixed(builtin.name))
            .map(|builtin| (builtin.name, builtin)),
    )
});

/// What is protected at its place.
pub(super) fn fixed() -> impl Iterator<Item = Builtin> {
    all().filter(|builtin| is_fixed(builtin.name))
}

fn is_fixed(name: &str) -> bool {
    name.starts_with(['/', '~'])
}

fn all() -> impl Iterator<Item = Builtin> {
    [
        (GUARD, ProtectedKind::Guard),
        (AGENTS, ProtectedKind::SelfModification),
        (EDITORS, ProtectedKind::SelfModification),
        (REPOSITORY, ProtectedKind::Persistence),
        (TASKS, ProtectedKind::Persistence),
        (TOOLS, ProtectedKind::Persistence),
        (SHELLS, ProtectedKind::Persistence),
        (ACCOUNT, ProtectedKind::Persistence),
        (SYSTEM, ProtectedKind::Persistence),
        (GENERATED, ProtectedKind::Generated),
    ]
    .into_iter()
    .flat_map(|(names, kind)| names.iter().map(move |name| Builtin { name, kind }))
}

/// The guard's own places that do not depend on the installation.
const GUARD: &[&str] = &[".countersign", "/etc/countersign"];

/// Trees that other programs write and that run later.
const GENERATED: &[&str] = &[
    "node_modules",
    "bower_components",
    ".venv",
    "venv",
    "virtualenv",
    ".virtualenv",
    ".virtualenvs",
    "site-packages",
    "dist-packages",
    ".conda",
    "vendor",
    ".tox",
    ".nox",
    "__pycache__",
    "*.pyc",
    ".eggs",
    "*.egg-info",
    "*.dist-info",
    ".direnv",
    "target",
    "build",
    "_build",
    "dist",
    "out",
    "obj",
    ".build",
    ".next",
    ".nuxt",
    ".output",
    ".svelte-kit",
    ".turbo",
    ".parcel-cache",
    ".gradle",
    ".dart_tool",
    ".terraform",
    "Pods",
    "DerivedData",
    "CMakeFiles",
    "cmake-build-*",
    "bazel-*",
    "elm-stuff",
    "zig-out",
    "zig-cache",
    ".zig-cache",
];

/// Places below the home folder that people keep elsewhere and link to: their
/// targets are protected as they are.
pub(super) const OFTEN_LINKED: &[&str] = &[
    ".aws",
    ".bash_aliases",
    ".bash_profile",
    ".bashrc",
    ".cargo",
    ".claude",
    ".claude/CLAUDE.md",
    ".claude/settings.json",
    ".codex",
    ".codex/AGENTS.md",
    ".codex/config.toml",
    ".config/Code/User/settings.json",
    ".config/autostart",
    ".config/fish",
    ".config/git",
    ".config/helix",
    ".config/nvim",
    ".config/opencode",
    ".config/systemd",
    ".config/zed",
    ".config/zsh",
    ".cursor",
    ".emacs.d",
    ".gemini",
    ".gemini/settings.json",
    ".gitconfig",
    ".inputrc",
    ".kube",
    ".npmrc",
    ".profile",
    ".qwen",
    ".qwen/settings.json",
    ".ssh",
    ".ssh/config",
    ".tmux.conf",
    ".vim",
    ".vimrc",
    ".zprofile",
    ".zshenv",
    ".zshrc",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_well_formed_and_stand_once() {
        let mut seen = HashSet::new();
        for Builtin { name, .. } in all() {
            assert!(seen.insert(name), "{name} stands twice");
            assert!(!name.ends_with('/') && !name.contains("//"), "{name}");
            let stars = name.matches('*').count();
            assert!(stars == 0 || (stars == 1 && !name.contains('/')), "{name}");
        }
    }
}
