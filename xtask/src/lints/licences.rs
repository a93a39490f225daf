//! Every dependency's licence must go together with ours (MIT or Apache 2.0).

use anyhow::Result;

use super::metadata::Metadata;
use crate::finding::{Finding, line_with};
use crate::repository::root;

/// The licences that may be in what we ship.
///
/// Not among them: `OpenSSL`, which was a part of older AWS-LC (TLS of the
/// classifier's client). Its advertising clause does not go with the GPL, under
/// which some editors stand; the AWS-LC that we lock does without it.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];

pub(super) fn check(metadata: &Metadata) -> Result<Vec<Finding>> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock"))?;
    Ok(metadata
        .foreign()
        .filter_map(|package| {
            let problem = problem(package.license.as_deref())?;
            let (name, version) = (&package.name, &package.version);
            let entry = format!("name = \"{name}\"\nversion = \"{version}\"");
            Some(Finding {
                file: "Cargo.lock".to_owned(),
                line: line_with(&lock, &entry),
                problem: format!("{name} {version} {problem}"),
                remedy: "use another crate, or decide about the licence in \
                         xtask/src/lints/licences.rs"
                    .to_owned(),
            })
        })
        .collect())
}

fn problem(licence: Option<&str>) -> Option<String> {
    let Some(licence) = licence else {
        return Some("names no licence".to_owned());
    };
    // Older crates write `MIT/Apache-2.0`.
    match spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX) {
        Ok(expression) => (!expression.evaluate(|required| {
            required
                .license
                .id()
                .is_some_and(|id| ALLOWED.contains(&id.name))
        }))
        .then(|| format!("is under {licence}")),
        Err(_) => Some(format!("names a licence that cannot be read: {licence}")),
    }
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn a_choice_needs_one_allowed_licence_and_a_sum_all() {
        for allowed in [
            "MIT",
            "MIT/Apache-2.0",
            "MIT OR GPL-3.0-only",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR MIT",
            "ISC AND (Apache-2.0 OR ISC) AND Apache-2.0 AND MIT AND BSD-3-Clause AND (Apache-2.0 OR ISC OR MIT-0)",
        ] {
            assert_eq!(problem(Some(allowed)), None, "{allowed}");
        }
        for refused in [
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "AGPL-3.0",
            "ISC AND (Apache-2.0 OR ISC) AND OpenSSL",
            "who knows",
        ] {
            assert!(problem(Some(refused)).is_some(), "{refused}");
        }
        assert!(problem(None).is_some());
    }
}
