//! Which allow rules are over-broad: set aside while in auto mode, because of
//! what they could match, not how they are spelled.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

use crate::call::Access;
use crate::paths::{FileKind, PathFact, credential};
use crate::programs::{self, Risk};
use crate::rules::command::{WordPattern, WordsPattern};
use crate::rules::domain::DomainPattern;
use crate::rules::path::{Base, PathPattern, Segment};
use crate::rules::rule::{Rule, Specifier};
use crate::rules::tools::{McpTools, Tools};
use crate::tool::{Tool, ToolFamily};

/// Why an allow rule is over-broad, in words that follow the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverBroad(String);

impl OverBroad {
    /// The reason in plain words.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OverBroad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Judges an allow rule.
pub(super) fn over_broad(rule: &Rule, home: &Utf8Path) -> Option<OverBroad> {
    let reason = match &rule.specifier {
        Specifier::Malformed => None,
        Specifier::None => whole_tool(&rule.tools),
        Specifier::Command(pattern) => command(&pattern.line),
        Specifier::Paths(patterns) => patterns
            .iter()
            .find_map(|pattern| path(rule, pattern, home)),
        Specifier::Domain(DomainPattern::Any) => Some("could send data to any host".to_owned()),
        Specifier::Domain(DomainPattern::Host { .. }) => None,
        Specifier::Parameters(_) => whole_tool(&rule.tools)
            .filter(|_| rule.tools.any_of(ToolFamily::Delegate) || !exact_mcp(&rule.tools)),
    };
    reason.map(OverBroad)
}

fn exact_mcp(tools: &Tools) -> bool {
    matches!(tools, Tools::Mcp(McpTools::Exact(_)))
}

/// A rule without specifier, or one whose specifier does not bound it.
fn whole_tool(tools: &Tools) -> Option<String> {
    let says = |text: &str| Some(text.to_owned());
    match tools {
        Tools::Mcp(McpTools::Exact(_)) | Tools::Unknown(_) | Tools::Unreadable => None,
        Tools::Mcp(_) => says("covers whatever tools an MCP server offers"),
        Tools::Matching(_) => says("covers tools by a pattern"),
        Tools::Named(named) => {
            if tools.any_of(ToolFamily::Shell) {
                says("covers every command")
            } else if tools.any_of(ToolFamily::Delegate) {
                says("starts agents or skills, which do what their prompt says")
            } else if tools.any_of(ToolFamily::Edit) {
                says("could write or delete files outside the workspace")
            } else if named.contains(&Tool::WebFetch) {
                says("could send data to any host")
            } else if tools.any_of(ToolFamily::Outward) {
                says("acts outside the session, in whatever words")
            } else if tools.any_of(ToolFamily::Read) {
                says("could read a credential")
            } else {
                None
            }
        }
    }
}

fn command(line: &WordsPattern) -> Option<String> {
    if line.is_literal() {
        return reads_program_from_stdin(line);
    }
    let Some(first) = line.words.first() else {
        return Some("covers every command".to_owned());
    };
    let program = match first {
        WordPattern::Wild(wild) => {
            let example = programs::all_risks()
                .filter(|(risk, _)| {
                    matches!(risk, Risk::RunsCode | Risk::Launches | Risk::RunsPackages)
                })
                .find(|(_, name)| wild.matches(name) || wild.matches(&format!("/usr/bin/{name}")));
            return Some(match example {
                Some((risk, name)) => format!("could match `{name}`, which {}", risk.words()),
                None => "could match programs of which nothing is known".to_owned(),
            });
        }
        WordPattern::Literal(program)
        | WordPattern::Home {
            written: program, ..
        } => program,
    };
    // A path is another program, whatever its name is: only the system's own
    // folders are known to hold the programs that the tables mean.
    let name = ["/bin/", "/usr/bin/"]
        .into_iter()
        .find_map(|folder| program.strip_prefix(folder))
        .unwrap_or(program);
    let literals: Vec<&str> = line.words.iter().map_while(WordPattern::literal).collect();
    let words = || std::iter::once(name).chain(literals.iter().copied().skip(1));
    if let Some(fixed) = programs::fixed_command(words()) {
        // Whatever a word with a wildcard may become, it begins so.
        let rest = line
            .words
            .iter()
            .skip(fixed.words.len())
            .map(WordPattern::prefix)
            .filter(|prefix| !prefix.is_empty());
        return fixed.uncovered(rest.map(|word| (word, true))).map(|word| {
            format!("has a wildcard behind `{word}`, which is not known to be harmless")
        });
    }
    Some(match programs::risk(name) {
        Some(risk) => format!("could match more than is meant: `{name}` {}", risk.words()),
        None => format!("nothing is known of what `{name}` does with other arguments"),
    })
}

/// A literal rule for an interpreter without a program: it would run whatever
/// its standard input says.
fn reads_program_from_stdin(line: &WordsPattern) -> Option<String> {
    let words: Vec<&str> = line.words.iter().filter_map(WordPattern::literal).collect();
    let first = words.first().copied()?;
    let wraps = programs::is_launcher(first);
    let starts = if wraps { words.len() } else { 1 };
    for start in 0..starts {
        let Some((program, rest)) = words.get(start..).and_then(<[&str]>::split_first) else {
            continue;
        };
        if !programs::is_interpreter(program) {
            continue;
        }
        let tells = rest.iter().any(|word| {
            matches!(*word, "--version" | "-V" | "--help" | "-h")
                || (*word == "-v" && *program == "node")
        });
        let from_stdin = rest.iter().all(|word| word.starts_with('-'))
            || rest.iter().any(|word| {
                matches!(
                    *word,
                    "-" | "-s" | "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0"
                )
            });
        if from_stdin && !tells {
            return Some(format!(
                "`{program}` would run the program that its standard input gives"
            ));
        }
    }
    None
}

fn path(rule: &Rule, pattern: &PathPattern, home: &Utf8Path) -> Option<String> {
    let root = &rule.origin().root;
    let prefix: Vec<&str> = pattern.literal_prefix().collect();
    let relative = match pattern.base {
        Base::Anywhere => return Some("covers every folder".to_owned()),
        Base::Folder { up: 0 } => Some(prefix.clone()),
        Base::Folder { .. } => None,
        Base::Root => {
            let own: Vec<&str> = crate::rules::path::components(root.as_str()).collect();
            (!own.is_empty() && !home.starts_with(root))
                .then(|| prefix.strip_prefix(own.as_slice()).map(<[&str]>::to_vec))
                .flatten()
        }
    };
    let wild = pattern.segments.len() > prefix.len();
    if let Some(relative) = relative {
        // Below the folder of the call or of the rule: bounded once it names a
        // folder or a file.
        let bounded = !relative.is_empty()
            || matches!(
                pattern.segments.get(prefix.len()),
                Some(Segment::One(last)) if pattern.segments.len() == prefix.len() + 1 && last.literal().is_none() && !matches_all(last)
            );
        return (!bounded).then(|| {
            if rule.edits() {
                "could write anywhere below the folder that a call starts in, whichever that is"
                    .to_owned()
            } else {
                "could read anything below the folder that a call starts in, whichever that is"
                    .to_owned()
            }
        });
    }
    if let Base::Folder { .. } = pattern.base {
        return Some("leads out of the folder that a call starts in".to_owned());
    }
    let absolute = Utf8PathBuf::from(format!("/{}", prefix.join("/")));
    let above_home = home.starts_with(&absolute) || absolute.components().count() <= 2;
    if rule.edits() && (wild || above_home) {
        return Some("could write or delete files outside the workspace".to_owned());
    }
    if !rule.reads() {
        return None;
    }
    let reaches = |path: &Utf8Path, access| {
        credential(
            &PathFact {
                given: path.to_string(),
                absolute: path.to_owned(),
                canonical: path.to_owned(),
                access,
                kind: FileKind::Directory,
                links: 1,
            },
            &[],
            home,
        )
    };
    // One file in a store that is written out is what its author means.
    let one_file = !wild
        && absolute
            .parent()
            .is_some_and(|above| reaches(above, Access::Read).is_some());
    match reaches(&absolute, Access::ReadTree) {
        Some(what) if !one_file => Some(format!("could read a credential: {what}")),
        _ => None,
    }
}

fn matches_all(segment: &crate::rules::wildcard::Wild) -> bool {
    segment.matches("any") && segment.matches(".other")
}
