//! Plays every scenario of `tests/scenarios`.

#![allow(missing_docs)]

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use countersign_test_support::{parse, play};

#[test]
fn scenarios() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut played = 0;
    let mut failures = Vec::new();
    let mut files: Vec<_> = fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    for file in files {
        if file.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let done = fs::read_to_string(&file)
            .map_err(Into::into)
            .and_then(|text| parse(&text))
            .and_then(|scenario| play(&scenario));
        if let Err(error) = done {
            failures.push(format!("{name}: {error:#}"));
        }
        played += 1;
    }
    ensure!(played > 0, "no scenario in {}", folder.display());
    assert!(
        failures.is_empty(),
        "{} of {played} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    Ok(())
}

#[test]
fn a_broken_script_names_its_line() -> Result<()> {
    let scenario = parse("Promises.\n\n-- script --\ntrusted\nfrobnicate\n")?;
    let error = play(&scenario).err().context("it played")?;
    assert!(
        format!("{error:#}").starts_with("line 5: frobnicate"),
        "{error:#}"
    );
    Ok(())
}
