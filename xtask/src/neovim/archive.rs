//! Debian packages of any suite, unpacked into a folder of their own: the
//! machine's packages stay what they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

/// Where a machine says which Debian archive it uses: the images' file, the
/// installer's file.
const STANZAS: &str = "/etc/apt/sources.list.d/debian.sources";
const LINES: &str = "/etc/apt/sources.list";

/// What the archive's releases are signed with, unless the machine names
/// another keyring.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The archive that this machine installs from.
#[derive(Debug, PartialEq, Eq)]
struct Archive {
    address: String,
    keyring: String,
}

/// Downloads packages of a suite with all that they need, and unpacks them
/// below `root`. `scratch` holds apt's own state meanwhile; both are made.
pub(crate) fn unpack(suite: &str, packages: &[&str], scratch: &Path, root: &Path) -> Result<()> {
    let downloads = scratch.join("cache/archives");
    for folder in [
        &scratch.join("state/lists/partial"),
        &downloads.join("partial"),
        root,
    ] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let configuration = configure(&this_machines()?, suite, scratch)?;
    let apt = || {
        let mut command = Command::new("apt-get");
        command.arg("-c").arg(&configuration).args(["-q", "-y"]);
        command
    };
    quietly(apt().arg("update"))?;
    quietly(apt().args(["--download-only", "install"]).args(packages))?;
    let mut unpacked = 0;
    for entry in fs::read_dir(&downloads)? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "deb") {
            quietly(Command::new("dpkg-deb").arg("-x").args([&file, root]))?;
            unpacked += 1;
        }
    }
    ensure!(unpacked > 0, "apt-get downloaded no package of {suite}");
    Ok(())
}

/// Writes what apt has to be told, and says where.
fn configure(archive: &Archive, suite: &str, scratch: &Path) -> Result<PathBuf> {
    let within = |name: &str| -> Result<String> {
        let path = scratch.join(name);
        let path = path.to_str().context("the target folder is not UTF-8")?;
        ensure!(!path.contains('"'), "{path} has a quotation mark");
        Ok(path.to_owned())
    };
    let sources = within("suite.sources")?;
    fs::write(
        &sources,
        format!(
            "Types: deb\nURIs: {}\nSuites: {suite}\nComponents: main\nTargets: Packages\nSigned-By: {}\n",
            archive.address, archive.keyring
        ),
    )?;
    // As if nothing were installed: everything that is needed is downloaded,
    // the C library too.
    let status = within("status")?;
    fs::write(&status, "")?;
    let configuration = scratch.join("apt.conf");
    // The hooks are those of the machine's own packages; this is not about them.
    let text = format!(
        "\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::Etc::SourceList \"{sources}\";
Dir::Etc::SourceParts \"/dev/null\";
Dir::Etc::Preferences \"/dev/null\";
Dir::Etc::PreferencesParts \"/dev/null\";
Dir::State \"{state}\";
Dir::State::Status \"{status}\";
Dir::Cache \"{cache}\";
APT::Install-Recommends \"false\";
APT::Sandbox::User \"root\";
APT::Update::Error-Mode \"any\";
Acquire::Languages \"none\";
Acquire::Retries \"3\";
",
        state = within("state")?,
        cache = within("cache")?,
    );
    fs::write(&configuration, text)?;
    Ok(configuration)
}

fn this_machines() -> Result<Archive> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    in_stanzas(&read(STANZAS))
        .or_else(|| in_lines(&read(LINES)))
        .with_context(|| {
            format!("neither {STANZAS} nor {LINES} names a Debian archive to install from")
        })
}

/// The first archive in the format of `*.sources`.
fn in_stanzas(text: &str) -> Option<Archive> {
    text.split("\n\n").find_map(|stanza| {
        let field = |name: &str| {
            stanza.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        let has = |name: &str, word: &str| {
            field(name).is_some_and(|value| value.split_whitespace().any(|one| one == word))
        };
        let usable = has("Types", "deb")
            && has("Components", "main")
            && !has("Enabled", "no")
            && field("Suites").is_some_and(|suites| suites.split_whitespace().any(is_whole));
        let address = field("URIs")?.split_whitespace().next()?;
        usable.then(|| Archive {
            address: address.to_owned(),
            keyring: keyring(field("Signed-By")),
        })
    })
}

/// The first archive in the format of `sources.list`.
fn in_lines(text: &str) -> Option<Archive> {
    text.lines().find_map(|line| {
        let rest = line.trim().strip_prefix("deb ")?.trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let [address, suite, components @ ..] = words.as_slice() else {
            return None;
        };
        let usable =
            !address.starts_with("cdrom:") && is_whole(suite) && components.contains(&"main");
        let named = options
            .split_whitespace()
            .find_map(|option| option.strip_prefix("signed-by="));
        usable.then(|| Archive {
            address: (*address).to_owned(),
            keyring: keyring(named),
        })
    })
}

/// Whether a suite is a whole one, not what is laid over it: those may lie in
/// an archive of their own that has nothing else.
fn is_whole(suite: &str) -> bool {
    !suite.contains(['-', '/'])
}

fn keyring(named: Option<&str>) -> String {
    named
        .filter(|path| path.starts_with('/') && !path.contains(char::is_whitespace))
        .unwrap_or(KEYRING)
        .to_owned()
}

/// Runs a program whose output matters only if it fails.
pub(crate) fn quietly(command: &mut Command) -> Result<String> {
    let line = format!("{command:?}");
    let output = command
        .env("LC_ALL", "C.UTF-8")
        .output()
        .with_context(|| format!("cannot run {line}; is it installed?"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{line}: {}\n{printed}{complaint}", output.status);
    }
    Ok(printed.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(address: &str, keyring: &str) -> Option<Archive> {
        Some(Archive {
            address: address.to_owned(),
            keyring: keyring.to_owned(),
        })
    }

    #[test]
    fn the_images_file_names_the_archive() {
        let text = "\
Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
# a snapshot
URIs: http://mirror.example/debian http://other.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /keys/mirror.gpg
";
        assert_eq!(
            in_stanzas(text),
            archive("http://mirror.example/debian", "/keys/mirror.gpg")
        );
        let disabled = text.replace("# a snapshot", "Enabled: no");
        assert_eq!(in_stanzas(&disabled), None);
        let key_inside = text.replace("/keys/mirror.gpg", "\n -----BEGIN PGP");
        assert_eq!(
            in_stanzas(&key_inside),
            archive("http://mirror.example/debian", KEYRING)
        );
    }

    #[test]
    fn the_installers_file_names_the_archive() {
        let text = "\
#deb cdrom:[Debian 12]/ bookworm main
deb cdrom:[Debian 12]/ bookworm main
deb-src http://mirror.example/sources bookworm main
deb http://mirror.example/debian-security bookworm-security main
deb [arch=amd64 signed-by=/keys/mirror.gpg] http://mirror.example/debian bookworm main contrib
";
        assert_eq!(
            in_lines(text),
            archive("http://mirror.example/debian", "/keys/mirror.gpg")
        );
        assert_eq!(
            in_lines("deb http://mirror.example/debian stable main"),
            archive("http://mirror.example/debian", KEYRING)
        );
        assert_eq!(
            in_lines("deb http://mirror.example/other stable extra"),
            None
        );
    }

    #[test]
    fn a_program_that_fails_is_quoted() {
        let failing = "echo before; echo complaint >&2; exit 3";
        let error = quietly(Command::new("sh").args(["-c", failing])).unwrap_err();
        let text = error.to_string();
        for part in ["before", "complaint", "exit status: 3"] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(quietly(Command::new("echo").arg("well")).unwrap(), "well\n");
    }
}
