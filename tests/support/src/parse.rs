//! The format of scenario files: prose, then sections, the last of them the
//! script. Described in `tests/scenarios/README.md`.

use anyhow::{Context as _, Result, bail};

/// A scenario: what it promises, what there is, what happens.
#[derive(Debug, Default)]
pub struct Scenario {
    /// What the scenario promises, in prose.
    pub prose: String,
    /// The user's settings file.
    pub user_settings: Option<String>,
    /// The workspace's settings file.
    pub workspace_settings: Option<String>,
    /// Files below the workspace.
    pub files: Vec<(String, String)>,
    /// Files below the home folder.
    pub home_files: Vec<(String, String)>,
    /// Symbolic links below the workspace, with their targets.
    pub links: Vec<(String, String)>,
    /// Hard links below the workspace, with the files they are links of.
    pub hard_links: Vec<(String, String)>,
    /// The script's lines with their numbers.
    pub script: Vec<(usize, String)>,
}

/// Reads a scenario.
///
/// # Errors
/// When the file is not of the format; the message names the line.
pub fn parse(text: &str) -> Result<Scenario> {
    let mut scenario = Scenario::default();
    let mut section: Option<(usize, String)> = None;
    let mut body = String::new();
    for (index, line) in text.lines().enumerate() {
        let header = line
            .strip_prefix("-- ")
            .and_then(|rest| rest.strip_suffix(" --"));
        if let Some(header) = header {
            finish(&mut scenario, section.take(), &body)?;
            body.clear();
            section = Some((index + 1, header.to_owned()));
            continue;
        }
        if let Some((_, name)) = &section
            && name == "script"
        {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                scenario.script.push((index + 1, line.to_owned()));
            }
            continue;
        }
        body.push_str(line);
        body.push('\n');
    }
    finish(&mut scenario, section, &body)?;
    if scenario.prose.trim().is_empty() {
        bail!("a scenario begins with what it promises");
    }
    if scenario.script.is_empty() {
        bail!("the scenario has no script");
    }
    Ok(scenario)
}

fn finish(scenario: &mut Scenario, section: Option<(usize, String)>, body: &str) -> Result<()> {
    let Some((line, name)) = section else {
        body.clone_into(&mut scenario.prose);
        return Ok(());
    };
    // The blank line before the next section belongs to the format.
    let body = body
        .strip_suffix("\n\n")
        .map_or(body, |body| body)
        .to_owned()
        + "\n";
    let (kind, rest) = name.split_once(' ').unwrap_or((name.as_str(), ""));
    let pair = || -> Result<(String, String)> {
        let (from, to) = rest
            .split_once(" -> ")
            .with_context(|| format!("line {line}: expected `{kind} name -> target`"))?;
        Ok((from.to_owned(), to.to_owned()))
    };
    match (kind, rest) {
        ("settings", "user") => scenario.user_settings = Some(body),
        ("settings", "workspace") => scenario.workspace_settings = Some(body),
        ("file", path) if !path.is_empty() => scenario.files.push((path.to_owned(), body)),
        ("home", path) if !path.is_empty() => scenario.home_files.push((path.to_owned(), body)),
        ("link", _) => scenario.links.push(pair()?),
        ("hardlink", _) => scenario.hard_links.push(pair()?),
        ("script", "") => {}
        _ => bail!("line {line}: unknown section `{name}`"),
    }
    Ok(())
}
