//! Which crate may depend on what: the architecture's borders.

use anyhow::Result;

use super::metadata::{Metadata, Package};
use crate::finding::{Finding, line_with};
use crate::repository::root;

/// Crates that are pure, with all they may depend on.
const PURE: &[(&str, &[&str])] = &[
    (
        "countersign-core",
        &[
            "camino",
            "globset",
            "psl",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "unicode-width",
            "url",
        ],
    ),
    (
        "countersign-shell",
        &[
            "brush-parser",
            "camino",
            "countersign-core",
            "globset",
            "postcard",
            "ruff_python_ast",
            "ruff_python_parser",
            "serde",
            "thiserror",
            "toml",
            "url",
        ],
    ),
];

/// Dependencies that belong to few crates.
const RESERVED: &[(&str, &[&str])] = &[
    ("rusqlite", &["countersign-store"]),
    ("brush-parser", &["countersign-shell"]),
    ("ruff_python_parser", &["countersign-shell"]),
    ("tower-lsp", &["countersign-lsp"]),
    ("lsp-types", &["countersign-lsp"]),
    ("reqwest", NETWORK),
    ("hyper", NETWORK),
    ("hyper-util", NETWORK),
    ("rustls", NETWORK),
    ("ureq", NETWORK),
    ("opentelemetry_sdk", &["countersign-telemetry"]),
    ("opentelemetry-proto", &["countersign-telemetry"]),
    ("tonic", &["countersign-telemetry"]),
    // Signal handlers are the only code that needs the C library's own calls.
    ("libc", &["countersign-hook"]),
];

/// Crates of the hook's small program, which has to start quickly.
const SMALL: &[&str] = &[
    "countersign-agents",
    "countersign-alone",
    "countersign-engine",
    "countersign-guard",
    "countersign-hook",
    "countersign-ipc",
    "countersign-repository",
    "countersign-settings",
    "countersign-store",
];

/// What is too much for that program.
const LARGE: &[&str] = &[
    "clap",
    "countersign-classifier",
    "countersign-service",
    "countersign-telemetry",
    "countersign-user-hooks",
    "tokio",
];

/// Who may open connections to other machines.
const NETWORK: &[&str] = &[
    "countersign-classifier",
    "countersign-telemetry",
    "countersign-user-hooks",
];

pub(super) fn check(metadata: &Metadata) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for package in metadata.members() {
        for name in shipped(package) {
            let Some((problem, remedy)) = forbidden(&package.name, name) else {
                continue;
            };
            let file = package.manifest();
            let manifest = std::fs::read_to_string(root().join(&file))?;
            findings.push(Finding {
                line: line_with(&manifest, &format!("\n{name}")) + 1,
                file,
                problem,
                remedy,
            });
        }
    }
    Ok(findings)
}

/// What goes into the product; tests may use anything.
fn shipped(package: &Package) -> impl Iterator<Item = &str> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind.as_deref() != Some("dev"))
        .map(|dependency| dependency.name.as_str())
}

fn forbidden(package: &str, dependency: &str) -> Option<(String, String)> {
    let reserved = RESERVED
        .iter()
        .find(|(name, owners)| *name == dependency && !owners.contains(&package));
    if let Some((name, owners)) = reserved {
        return Some((
            format!("{package} depends on {name}"),
            format!(
                "only {} may; go through its interface",
                owners.join(" and ")
            ),
        ));
    }
    if SMALL.contains(&package) && LARGE.contains(&dependency) {
        return Some((
            format!("{package} is part of the hook's small program and depends on {dependency}"),
            "put what needs it behind countersign_alone::Beyond, in server/cli".to_owned(),
        ));
    }
    let (_, allowed) = PURE.iter().find(|(name, _)| *name == package)?;
    (!allowed.contains(&dependency)).then(|| {
        (
            format!("{package} is pure and depends on {dependency}"),
            "take what it gives as a fact or a port, or add it to the list in \
             xtask/src/lints/dependencies.rs if it is pure itself"
                .to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_are_kept() {
        for (package, dependency, refused) in [
            ("countersign-core", "serde", false),
            ("countersign-core", "tokio", true),
            ("countersign-shell", "rustix", true),
            ("countersign-store", "rusqlite", false),
            ("countersign", "rusqlite", true),
            ("countersign", "reqwest", true),
            ("countersign-telemetry", "reqwest", false),
            ("countersign-classifier", "reqwest", false),
            ("countersign-user-hooks", "reqwest", false),
            ("countersign-settings", "hyper-util", true),
            ("countersign-core", "rustls", true),
            ("countersign-engine", "tracing", false),
            ("countersign-alone", "countersign-store", false),
            ("countersign-alone", "countersign-service", true),
            ("countersign-guard", "tokio", true),
        ] {
            assert_eq!(
                forbidden(package, dependency).is_some(),
                refused,
                "{package} {dependency}"
            );
        }
    }
}
