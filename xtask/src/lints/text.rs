//! Rules about every tracked text file.

use anyhow::Result;

use crate::finding::{Finding, line_at};
use crate::repository::TrackedFile;

/// Hosts of package registries, in parts, so that this file does not name
/// them. Which registry is used is the machine's business; a file that names
/// one breaks behind a mirror.
const REGISTRY_HOSTS: &[&[&str]] = &[
    &["crates", "io"],
    &["registry", "npmjs", "org"],
    &["registry", "yarnpkg", "com"],
    &["pypi", "org"],
    &["files", "pythonhosted", "org"],
    &["proxy", "golang", "org"],
    &["rubygems", "org"],
    &["registry-1", "docker", "io"],
];

pub(super) fn check(files: &[TrackedFile]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    // Cargo writes the name of the default registry into its lock file by
    // itself and maps it to whatever the machine is configured for.
    for file in files.iter().filter(|file| file.path != "Cargo.lock") {
        if let Some(text) = file.text()? {
            findings.extend(registry_hosts(&file.path, &text));
        }
    }
    Ok(findings)
}

fn registry_hosts(path: &str, text: &str) -> Vec<Finding> {
    let lower = text.to_ascii_lowercase();
    REGISTRY_HOSTS
        .iter()
        .filter_map(|parts| {
            let host = parts.join(".");
            let byte = lower.find(&host)?;
            Some(Finding {
                file: path.to_owned(),
                line: line_at(&lower, byte),
                problem: "names the host of a package registry".to_owned(),
                remedy: "leave the registry to the machine's configuration".to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::registry_hosts;

    #[test]
    fn a_registry_is_found_by_any_spelling() {
        let host = ["Crates", "IO"].join(".");
        let findings = registry_hosts("a.md", &format!("\nsee https://{host}/x\n"));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings.first().map(|finding| finding.line), Some(2));
        assert_eq!(registry_hosts("a.md", "https://example.com"), []);
    }
}
