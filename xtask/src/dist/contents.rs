//! Which files go into the extension's package.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// A file of the package.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its path below the extension's folder, with `/`.
    pub(super) name: String,
    /// Where it is now.
    pub(super) source: PathBuf,
    /// Whether it is a program.
    pub(super) executable: bool,
}

/// Every file of the extension, in the order of their names.
#[derive(Debug)]
pub(super) struct Contents(Vec<Entry>);

impl Contents {
    /// The project's files that `.vscodeignore` leaves, and programs: where each
    /// goes, and where it is now.
    ///
    /// # Errors
    /// When the project cannot be read, has a link among what is packaged, or
    /// says nothing of what to leave out: then all that lies there by accident
    /// would be shipped.
    pub(super) fn of(project: &Path, programs: &[(&str, PathBuf)]) -> Result<Self> {
        let rules = project.join(".vscodeignore");
        ensure!(rules.is_file(), "{} is missing", rules.display());
        let mut builder = GitignoreBuilder::new(project);
        if let Some(error) = builder.add(&rules) {
            return Err(error).context("cannot understand .vscodeignore");
        }
        let mut entries: Vec<Entry> = programs
            .iter()
            .map(|(name, source)| Entry {
                name: (*name).to_owned(),
                source: source.clone(),
                executable: true,
            })
            .collect();
        collect(project, project, &builder.build()?, &mut entries)?;
        // A binary that somebody left there is not the one that was built.
        let is_beside = |entry: &Entry| {
            let folder = entry.name.split('/').next();
            programs
                .iter()
                .any(|(name, _)| name.split('/').next() == folder)
        };
        entries.retain(|entry| entry.executable || !is_beside(entry));
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self(entries))
    }

    pub(super) fn files(&self) -> &[Entry] {
        &self.0
    }

    /// Whether there is such a file.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|entry| entry.name == name)
    }
}

fn collect(
    project: &Path,
    folder: &Path,
    rules: &Gitignore,
    entries: &mut Vec<Entry>,
) -> Result<()> {
    let listing =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in listing {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if entry.file_name() != "node_modules" {
                collect(project, &path, rules, entries)?;
            }
            continue;
        }
        if rules.matched(&path, false).is_ignore() {
            continue;
        }
        ensure!(kind.is_file(), "{} is not a plain file", path.display());
        let name = path.strip_prefix(project)?;
        let name = name.to_str().context("a file's name is not UTF-8")?;
        entries.push(Entry {
            name: name.to_owned(),
            source: path,
            executable: false,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(rules: &str) -> Vec<String> {
        let project = tempfile::tempdir().unwrap();
        for name in [
            "package.json",
            "README.md",
            "src/extension.ts",
            "dist/extension.js",
            "dist/extension.js.map",
            "dist/webview/prompt.js",
            "node_modules/a/dist/a.js",
            "server/countersign",
            "server/left-over",
        ] {
            let path = project.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        fs::write(project.path().join(".vscodeignore"), rules).unwrap();
        let server = PathBuf::from("/built/countersign");
        let contents =
            Contents::of(project.path(), &[("server/countersign", server.clone())]).unwrap();
        let programs: Vec<_> = contents
            .files()
            .iter()
            .filter(|entry| entry.executable)
            .collect();
        assert_eq!(programs.len(), 1);
        assert_eq!(programs[0].source, server);
        contents
            .files()
            .iter()
            .map(|entry| entry.name.clone())
            .collect()
    }

    #[test]
    fn only_what_is_listed_is_packaged_and_the_server_is_the_one_that_was_built() {
        let rules = "**\n!package.json\n!dist/**\n!server/**\ndist/**/*.map\n";
        assert_eq!(
            names(rules),
            [
                "dist/extension.js",
                "dist/webview/prompt.js",
                "package.json",
                "server/countersign"
            ]
        );
    }

    #[test]
    fn without_a_list_nothing_is_packaged() {
        let project = tempfile::tempdir().unwrap();
        let error = Contents::of(project.path(), &[("server/x", PathBuf::from("/x"))]).unwrap_err();
        assert!(error.to_string().contains(".vscodeignore"), "{error}");
    }
}
