//! The rules of this repository that neither the compiler nor clippy knows.

mod dependencies;
mod licences;
mod metadata;
mod sources;
mod text;
mod tokens;

use anyhow::Result;

use crate::finding::report;
use crate::repository::tracked_files;

/// Runs all of them; whether nothing was found.
pub(crate) fn run() -> Result<bool> {
    let files = tracked_files()?;
    let metadata = metadata::read()?;
    let mut findings = dependencies::check(&metadata)?;
    findings.extend(licences::check(&metadata)?);
    findings.extend(sources::check(&files)?);
    findings.extend(text::check(&files)?);
    Ok(report("lint", &findings))
}
