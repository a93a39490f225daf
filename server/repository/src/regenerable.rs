//! What can be made again: a closed list. Being ignored is not enough, because
//! keys, settings and databases are ignored, too.

use camino::Utf8Path;

/// Folders that tools fill and nobody else.
const FOLDERS: &[&str] = &[
    "node_modules",
    "bower_components",
    "target",
    "dist",
    "build",
    "out",
    "_build",
    "cmake-build-debug",
    "cmake-build-release",
    "CMakeFiles",
    "DerivedData",
    "obj",
    "coverage",
    "htmlcov",
    "__pycache__",
    "__pypackages__",
    ".venv",
    "venv",
    ".cache",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    ".ipynb_checkpoints",
    ".tox",
    ".nox",
    ".eggs",
    ".parcel-cache",
    ".turbo",
    ".next",
    ".nuxt",
    ".svelte-kit",
    ".angular",
    ".astro",
    ".vite",
    ".nyc_output",
    ".gradle",
    ".kotlin",
    ".dart_tool",
    ".sass-cache",
    ".zig-cache",
    "zig-cache",
    "zig-out",
    ".stack-work",
    "dist-newstyle",
    ".bsp",
    ".metals",
    ".bloop",
    "elm-stuff",
    "test-results",
    "playwright-report",
];

/// Files that tools write beside sources.
const ENDINGS: &[&str] = &[
    ".o",
    ".obj",
    ".lo",
    ".la",
    ".gch",
    ".pch",
    ".pyc",
    ".pyo",
    ".class",
    ".hi",
    ".beam",
    ".rlib",
    ".rmeta",
    ".gcda",
    ".gcno",
    ".profraw",
    ".profdata",
    ".tsbuildinfo",
    ".eslintcache",
    ".stylelintcache",
    ".aux",
    ".fls",
    ".fdb_latexmk",
    ".synctex.gz",
    ".cmi",
    ".cmo",
    ".cmx",
    ".cmt",
    ".cmti",
];

/// Files of these names.
const NAMES: &[&str] = &[
    ".coverage",
    "coverage.xml",
    "lcov.info",
    ".eslintcache",
    "CMakeCache.txt",
    "cmake_install.cmake",
    "compile_commands.json",
    "npm-debug.log",
    "yarn-error.log",
    ".DS_Store",
    "Thumbs.db",
];

/// Never, wherever they lie: beginnings.
const PRECIOUS_BEGINNINGS: &[&str] = &[
    ".env",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "secret",
    "credential",
    "password",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".htpasswd",
    "terraform.tfstate",
];

/// Never, wherever they lie: endings.
const PRECIOUS_ENDINGS: &[&str] = &[
    ".pem",
    ".key",
    ".crt",
    ".cer",
    ".der",
    ".p12",
    ".pfx",
    ".p8",
    ".jks",
    ".keystore",
    ".kdbx",
    ".gpg",
    ".asc",
    ".age",
    ".ppk",
    ".mobileprovision",
    ".env",
    ".db",
    ".db3",
    ".sqlite",
    ".sqlite3",
    ".sqlite-wal",
    ".sqlite-shm",
    ".db-wal",
    ".db-shm",
    ".mdb",
    ".rdb",
    ".sql",
    ".dump",
    ".bak",
    ".backup",
    ".tfstate",
    ".tfvars",
    ".ovpn",
];

/// Whether a path, relative to the root of the work tree, is of a kind that a
/// build, an installation or a test run makes again: it is, or lies in, a
/// folder of a known name, or is a file of a known kind. Never settings of an
/// environment, keys, certificates or databases. Ask in addition whether it is
/// ignored: the name alone proves nothing.
///
/// The answer for a folder is about the folder; what lies in it may be precious.
#[must_use]
pub fn is_regenerable(path: &Utf8Path) -> bool {
    let Some(name) = path.file_name() else {
        return false;
    };
    let lower = name.to_ascii_lowercase();
    // `Thumbs.db` is named in full.
    if NAMES.contains(&name) {
        return true;
    }
    let is_precious = path.components().any(|component| {
        let component = component.as_str().to_ascii_lowercase();
        PRECIOUS_BEGINNINGS
            .iter()
            .any(|beginning| component.starts_with(beginning))
    }) || PRECIOUS_ENDINGS
        .iter()
        .any(|ending| lower.ends_with(ending));
    if is_precious {
        return false;
    }
    let lies_in = path
        .components()
        .any(|component| FOLDERS.contains(&component.as_str()));
    lies_in
        || name.ends_with(".egg-info")
        || ENDINGS
            .iter()
            .any(|ending| name.len() > ending.len() && name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_make_can_be_made_again() {
        for path in [
            "target",
            "target/debug/app",
            "node_modules/left-pad/index.js",
            "web/dist/bundle.js",
            "src/__pycache__/a.cpython-313.pyc",
            "a.o",
            "lib/b.pyc",
            ".coverage",
            "pkg.egg-info",
            ".pytest_cache",
        ] {
            assert!(is_regenerable(path.into()), "{path}");
        }
    }

    #[test]
    fn what_people_keep_out_of_git_on_purpose_cannot() {
        for path in [
            "",
            ".env",
            ".env.local",
            "dist/.env.production",
            "build/server.key",
            "target/data.db",
            "node_modules/.cache/x.sqlite3",
            "secrets/target/a",
            "certs/ca.pem",
            "notes.txt",
            "data/big.csv",
            "server.log",
            "vendor/libproprietary.so",
            "terraform.tfstate",
            ".o",
            "Target/x",
            "targets/x",
        ] {
            assert!(!is_regenerable(path.into()), "{path}");
        }
    }
}
