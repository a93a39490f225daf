//! What the extension says of itself, and the two files by which VS Code knows
//! a package.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use super::contents::Contents;

/// As much of `package.json` as a package is made from.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    pub(super) name: String,
    pub(super) version: String,
    publisher: String,
    display_name: String,
    description: String,
    icon: String,
    main: String,
    #[serde(default)]
    types: Option<String>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    extension_kind: Vec<String>,
    #[serde(default)]
    dependencies: serde_json::Map<String, serde_json::Value>,
    engines: Engines,
}

#[derive(Debug, Deserialize)]
struct Engines {
    vscode: String,
}

/// Files that every package has: what people read, and what the law wants.
const DOCUMENTS: &[(&str, &str)] = &[
    (
        "README.md",
        "Microsoft.VisualStudio.Services.Content.Details",
    ),
    (
        "CHANGELOG.md",
        "Microsoft.VisualStudio.Services.Content.Changelog",
    ),
    (
        "LICENSE-MIT",
        "Microsoft.VisualStudio.Services.Content.License",
    ),
];

impl Manifest {
    /// Reads the project's.
    ///
    /// # Errors
    /// When it cannot be read or lacks something that a package needs.
    pub(super) fn read(project: &Path) -> Result<Self> {
        let path = project.join("package.json");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("cannot use {}", path.display()))
    }

    /// Looks whether the package has what the manifest names.
    ///
    /// # Errors
    /// When a file is missing, or modules are needed that no package has.
    pub(super) fn check(&self, contents: &Contents) -> Result<()> {
        ensure!(
            self.dependencies.is_empty(),
            "the extension must be one bundle, and has dependencies"
        );
        let named = [&self.main, &self.icon]
            .into_iter()
            .chain(&self.types)
            .map(|path| path.trim_start_matches("./"));
        let documents = DOCUMENTS.iter().map(|(name, _)| *name);
        let needed: BTreeSet<&str> = named.chain(documents).chain(["package.json"]).collect();
        let missing: Vec<&str> = needed
            .into_iter()
            .filter(|name| !contents.has(name))
            .collect();
        ensure!(
            missing.is_empty(),
            "the package lacks {}; is it excluded in .vscodeignore?",
            missing.join(", ")
        );
        Ok(())
    }

    /// The text of `extension.vsixmanifest`.
    pub(super) fn vsix(&self) -> Result<String> {
        let mut properties = String::new();
        for (id, value) in [
            (
                "Microsoft.VisualStudio.Code.Engine",
                self.engines.vscode.clone(),
            ),
            (
                "Microsoft.VisualStudio.Code.ExtensionKind",
                self.extension_kind.join(","),
            ),
            (
                "Microsoft.VisualStudio.Code.ExtensionDependencies",
                String::new(),
            ),
            ("Microsoft.VisualStudio.Code.ExtensionPack", String::new()),
            (
                "Microsoft.VisualStudio.Services.GitHubFlavoredMarkdown",
                "true".to_owned(),
            ),
        ] {
            writeln!(
                properties,
                r#"      <Property Id="{id}" Value="{}" />"#,
                escaped(&value)
            )?;
        }
        let mut assets = String::new();
        let packaged = [("package.json", "Microsoft.VisualStudio.Code.Manifest")]
            .into_iter()
            .chain(DOCUMENTS.iter().copied())
            .chain([(
                self.icon.as_str(),
                "Microsoft.VisualStudio.Services.Icons.Default",
            )]);
        for (name, kind) in packaged {
            writeln!(
                assets,
                r#"    <Asset Type="{kind}" Path="extension/{}" Addressable="true" />"#,
                escaped(name)
            )?;
        }
        Ok(format!(
            r#"<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="{id}" Version="{version}" Publisher="{publisher}" TargetPlatform="{platform}" />
    <DisplayName>{display_name}</DisplayName>
    <Description xml:space="preserve">{description}</Description>
    <Tags>{tags}</Tags>
    <Categories>{categories}</Categories>
    <GalleryFlags>Public</GalleryFlags>
    <Properties>
{properties}    </Properties>
    <License>extension/LICENSE-MIT</License>
    <Icon>extension/{icon}</Icon>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code" />
  </Installation>
  <Dependencies />
  <Assets>
{assets}  </Assets>
</PackageManifest>
"#,
            id = escaped(&self.name),
            version = escaped(&self.version),
            publisher = escaped(&self.publisher),
            platform = target_platform()?,
            display_name = escaped(&self.display_name),
            description = escaped(&self.description),
            tags = escaped(&self.keywords.join(",")),
            categories = escaped(&self.categories.join(",")),
            icon = escaped(&self.icon),
        ))
    }
}

/// The text of `[Content_Types].xml`: every kind of file in the package, by
/// what comes after the last dot of its name.
pub(super) fn content_types(contents: &Contents) -> Result<String> {
    let mut kinds: BTreeSet<String> = contents
        .files()
        .iter()
        .filter_map(|entry| Path::new(&entry.name).extension()?.to_str())
        .map(str::to_lowercase)
        .collect();
    kinds.insert("vsixmanifest".to_owned());
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">",
    );
    for kind in kinds {
        let content = match kind.as_str() {
            "json" => "application/json",
            "js" => "application/javascript",
            "css" => "text/css",
            "md" => "text/markdown",
            "png" => "image/png",
            "svg" => "image/svg+xml",
            "vsixmanifest" => "text/xml",
            _ => "application/octet-stream",
        };
        write!(
            text,
            r#"<Default Extension=".{}" ContentType="{content}"/>"#,
            escaped(&kind)
        )?;
    }
    text.push_str("</Types>\n");
    Ok(text)
}

/// This platform by VS Code's name for it.
///
/// # Errors
/// When VS Code has none.
pub(super) fn target_platform() -> Result<&'static str> {
    Ok(match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-x64",
        ("macos", "aarch64") => "darwin-arm64",
        (system, machine) => bail!("there is no package for {system} on {machine}"),
    })
}

/// Text as XML has it, in elements and in attributes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_manifest_says_cannot_leave_its_place() {
        assert_eq!(
            escaped(r#"a < b & "c" > d"#),
            "a &lt; b &amp; &quot;c&quot; &gt; d"
        );
    }
}
