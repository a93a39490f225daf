//! The rules of one list, by the first thing that a match needs, so that a
//! decision looks at a few of a thousand rules.

use std::collections::HashMap;

use crate::rules::command::Line;
use crate::rules::path::{Base, Form, PathPattern};
use crate::rules::rule::{Rule, Specifier};
use crate::rules::tools::Tools;
use crate::tool::{Tool, ToolFamily};

/// Positions of rules among all rules of a set.
type Positions = Vec<usize>;

/// The rules of one list.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Rules without specifier, for tools of MCP servers and for others.
    whole_mcp: Positions,
    whole: Positions,
    /// Rules for commands, by program.
    by_program: HashMap<String, Positions>,
    /// Rules for commands whose program is a pattern.
    any_program: Positions,
    /// Rules for several commands of one call.
    pub(super) compound: Positions,
    /// Every rule for commands.
    pub(super) commands: Positions,
    /// Rules with paths; those without specifier that speak of files too, as
    /// patterns for every path.
    pub(super) paths: Positions,
    absolute: Folders,
    relative: Folders,
    /// Rules whose relative pattern begins with a wildcard, by an extension
    /// that they need; then those without.
    by_extension: HashMap<String, Positions>,
    anywhere: Positions,
    pub(super) domains: Positions,
    pub(super) parameters: Positions,
    pub(super) malformed: Positions,
}

/// Rules by the literal folders that their patterns begin with, in lower case.
#[derive(Debug, Default)]
struct Folders {
    here: Positions,
    below: HashMap<String, Folders>,
}

impl Folders {
    fn insert<'s>(&mut self, mut prefix: impl Iterator<Item = &'s str>, position: usize) {
        match prefix.next() {
            None => self.here.push(position),
            Some(folder) => self
                .below
                .entry(folder.to_owned())
                .or_default()
                .insert(prefix, position),
        }
    }

    fn collect(&self, path: &[&str], found: &mut Positions) {
        let mut folders = self;
        found.extend_from_slice(&folders.here);
        for part in path {
            let Some(next) = folders.below.get(*part) else {
                return;
            };
            found.extend_from_slice(&next.here);
            folders = next;
        }
    }
}

impl Index {
    pub(super) fn insert(&mut self, rule: &Rule, position: usize) {
        match &rule.specifier {
            Specifier::Malformed => self.malformed.push(position),
            Specifier::None if matches!(rule.tools, Tools::Mcp(_)) => self.whole_mcp.push(position),
            Specifier::None => {
                self.whole.push(position);
                if rule.tools.any_of(ToolFamily::Shell) {
                    self.commands.push(position);
                    self.any_program.push(position);
                }
                // A rule for every tool says all it has to say by itself.
                if (rule.reads() || rule.edits()) && !matches!(rule.tools, Tools::Matching(_)) {
                    self.paths.push(position);
                    self.anywhere.push(position);
                }
            }
            Specifier::Command(pattern) => {
                self.commands.push(position);
                let program = match pattern.parts.as_slice() {
                    [] => pattern.line.program().map(str::to_owned),
                    [part] => part.program.clone(),
                    _ => {
                        self.compound.push(position);
                        return;
                    }
                };
                match program {
                    Some(program) => self.by_program.entry(program).or_default().push(position),
                    None => self.any_program.push(position),
                }
            }
            Specifier::Paths(patterns) => {
                self.paths.push(position);
                for pattern in patterns {
                    self.insert_path(pattern, position);
                }
            }
            Specifier::Domain(_) => self.domains.push(position),
            Specifier::Parameters(_) => self.parameters.push(position),
        }
    }

    fn insert_path(&mut self, pattern: &PathPattern, position: usize) {
        match pattern.base {
            Base::Root => self.absolute.insert(pattern.folded_prefix(), position),
            Base::Folder { .. } | Base::Anywhere => {
                if pattern.folded_prefix().next().is_some() {
                    self.relative.insert(pattern.folded_prefix(), position);
                } else if let Some(extension) = pattern.folded_extension() {
                    self.by_extension
                        .entry(extension.to_owned())
                        .or_default()
                        .push(position);
                } else {
                    self.anywhere.push(position);
                }
            }
        }
    }

    /// The rules without specifier that may speak of a tool.
    pub(super) fn for_tool(&self, tool: &Tool) -> impl Iterator<Item = usize> {
        let mcp = match tool {
            Tool::Mcp { .. } => self.whole_mcp.as_slice(),
            _ => &[],
        };
        mcp.iter().chain(&self.whole).copied()
    }

    /// The deny or ask rules that may speak of a command line.
    pub(super) fn for_line(&self, line: &Line<'_>) -> impl Iterator<Item = usize> {
        // A program that is not known may be any program.
        let (all, named) = match &line.program {
            None => (self.commands.as_slice(), None),
            Some(program) => (self.any_program.as_slice(), self.by_program.get(program)),
        };
        named.into_iter().flatten().chain(all).copied()
    }

    /// The allow rules that may cover a command whose program is this word.
    pub(super) fn for_program(&self, program: &str) -> impl Iterator<Item = usize> {
        self.by_program
            .get(program)
            .into_iter()
            .flatten()
            .chain(&self.any_program)
            .copied()
    }

    /// The rules that may speak of a path.
    pub(super) fn for_path(&self, forms: &[Form<'_>]) -> Positions {
        let mut found = self.anywhere.clone();
        for form in forms {
            self.absolute.collect(&form.folded, &mut found);
            if !self.by_extension.is_empty() {
                for part in &form.folded {
                    if let Some((_, extension)) = part.rsplit_once('.')
                        && let Some(rules) = self.by_extension.get(extension)
                    {
                        found.extend_from_slice(rules);
                    }
                }
            }
            if !self.relative.below.is_empty() {
                for from in 0..=form.folded.len() {
                    if let Some(left) = form.folded.get(from..) {
                        self.relative.collect(left, &mut found);
                    }
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
