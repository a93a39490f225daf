//! The package as a file: an archive whose bytes depend on what is in it and
//! on nothing else.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::contents::Contents;
use super::manifest::{Manifest, content_types};
use super::{HOOK, SERVER};
use crate::neovim::archive::quietly;

/// Writes it. Without `compress` a big file is only stored, which is faster.
pub(super) fn write(
    path: &Path,
    manifest: &Manifest,
    contents: &Contents,
    compress: bool,
) -> Result<()> {
    let file = File::create(path).with_context(|| format!("cannot make {}", path.display()))?;
    let mut archive = ZipWriter::new(BufWriter::new(file));
    // The same files make the same package, whenever it is made.
    let options = SimpleFileOptions::default()
        .last_modified_time(DateTime::default())
        .compression_method(CompressionMethod::Deflated)
        .unix_permissions(0o644);
    for (name, text) in [
        ("extension.vsixmanifest", manifest.vsix()?),
        ("[Content_Types].xml", content_types(contents)?),
    ] {
        archive.start_file(name, options)?;
        archive.write_all(text.as_bytes())?;
    }
    for entry in contents.files() {
        let mut options = options;
        if entry.executable {
            options = options.unix_permissions(0o755);
            if !compress {
                options = options.compression_method(CompressionMethod::Stored);
            }
        }
        archive.start_file(format!("extension/{}", entry.name), options)?;
        let source = File::open(&entry.source)
            .with_context(|| format!("cannot read {}", entry.source.display()))?;
        std::io::copy(&mut BufReader::new(source), &mut archive)?;
    }
    archive.finish()?.flush()?;
    Ok(())
}

/// Unpacks it as VS Code would, and looks whether all is there and the server
/// runs.
pub(super) fn check(path: &Path, manifest: &Manifest, contents: &Contents) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("vsix-").tempdir()?;
    let mut archive = ZipArchive::new(BufReader::new(File::open(path)?))?;
    archive.extract(folder.path())?;
    let extension = folder.path().join("extension");
    for entry in contents.files() {
        let unpacked = extension.join(&entry.name);
        ensure!(
            same(&unpacked, &entry.source)?,
            "{} is not in the package as it is here",
            entry.name
        );
    }
    let expected = contents.files().len() + 2;
    ensure!(
        archive.len() == expected,
        "the package has {} files, not {expected}",
        archive.len()
    );
    // The small one becomes the other for that.
    for program in [SERVER, HOOK] {
        let told = quietly(Command::new(extension.join(program)).arg("--version"))?;
        ensure!(
            told.split_whitespace().any(|word| word == manifest.version),
            "{program} in the package says `{}`, and the extension is {}",
            told.trim(),
            manifest.version
        );
    }
    Ok(())
}

fn same(one: &Path, other: &Path) -> Result<bool> {
    let read = |path: &Path| -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)
            .with_context(|| format!("cannot read {}", path.display()))?
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    Ok(read(one)? == read(other)?)
}
