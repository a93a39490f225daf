//! Whether allow rules vouch for an operation: for every part of it, or not at
//! all.
//!
//! A rule vouches for the words that it matches. Where a redirect leads, what
//! a substitution runs, what standard input feeds to an interpreter and what
//! an assignment changes are parts of their own.

mod command;

use std::fmt;

use crate::call::Subject as CallSubject;
use crate::command::{Assignment, Redirect, SimpleCommand};
use crate::paths::{FileKind, PathFact};
use crate::redact;
use crate::rules::meet::shown_path;
use crate::rules::path::Folded;
use crate::rules::rule::{Rule, Specifier};
use crate::rules::set::RuleSet;
use crate::rules::{Certainty, Subject};

/// What allow rules say of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vouch<'r> {
    /// Every part is covered, by these rules; at least one.
    All(Vec<&'r Rule>),
    /// Something is not covered.
    Not {
        /// What it is, in plain words.
        part: String,
    },
}

/// A part of a command that may need no rule because it is contained.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// The words of a simple command; not its redirects and assignments.
    Command(&'a SimpleCommand),
    /// A redirect to or from a file.
    Redirect(&'a SimpleCommand, &'a Redirect),
    /// An assignment.
    Assignment(&'a SimpleCommand, &'a Assignment),
}

impl RuleSet {
    /// Whether allow rules vouch for every part of an operation.
    ///
    /// `active` says which rules hold now (not those that are set aside).
    /// `contained` says which parts need no rule. `protected` says why a path
    /// may not be changed without a closer look; it is asked about paths that
    /// are, or may be, changed.
    #[must_use]
    pub fn vouch<'r>(
        &'r self,
        subject: &Subject<'_>,
        active: &dyn Fn(&Rule) -> bool,
        contained: &dyn Fn(Part<'_>) -> bool,
        protected: &dyn Fn(&PathFact) -> Option<String>,
    ) -> Vouch<'r> {
        let mut vouching = Vouching {
            set: self,
            subject: *subject,
            active,
            contained,
            protected,
            rules: Vec::new(),
        };
        match vouching.operation() {
            Ok(()) if vouching.rules.is_empty() => Vouch::Not {
                part: "no allow rule speaks of it".to_owned(),
            },
            Ok(()) => Vouch::All(vouching.rules),
            Err(NotCovered(part)) => Vouch::Not { part },
        }
    }
}

/// What is not covered, in plain words.
struct NotCovered(String);

fn not_covered(part: impl fmt::Display) -> NotCovered {
    NotCovered(part.to_string())
}

struct Vouching<'r, 'a> {
    set: &'r RuleSet,
    subject: Subject<'a>,
    active: &'a dyn Fn(&Rule) -> bool,
    contained: &'a dyn Fn(Part<'_>) -> bool,
    protected: &'a dyn Fn(&PathFact) -> Option<String>,
    rules: Vec<&'r Rule>,
}

impl<'r> Vouching<'r, '_> {
    pub(super) fn uses(&mut self, rule: &'r Rule) {
        if !self.rules.iter().any(|known| std::ptr::eq(*known, rule)) {
            self.rules.push(rule);
        }
    }

    /// The first active rule of the tool, among those at these positions, for
    /// which `covers` holds.
    pub(super) fn rule(
        &self,
        positions: impl Iterator<Item = usize>,
        covers: impl Fn(&Rule) -> bool,
    ) -> Option<&'r Rule> {
        self.set
            .at(positions)
            .find(|rule| covers(rule) && (self.active)(rule))
    }

    fn operation(&mut self) -> Result<(), NotCovered> {
        let operation = self.subject.operation;
        let tool = &operation.tool;
        if let CallSubject::Command(_) = &operation.subject {
            let Some(view) = &self.subject.facts.command else {
                return Err(not_covered("the command was not parsed"));
            };
            return self.command(view);
        }
        let whole = self.rule(self.set.allow.for_tool(tool), |rule| rule.concerns(tool));
        match &operation.subject {
            CallSubject::Paths(uses) => {
                let paths = &self.subject.facts.paths;
                if paths.is_empty() || paths.len() < uses.len() {
                    return Err(not_covered("a path that cannot be resolved"));
                }
                for path in paths {
                    self.harmless_to_touch(path)?;
                    let rule = match whole {
                        Some(rule) => Some(rule),
                        None => self.path_rule(path, |rule| rule.concerns(tool)),
                    };
                    self.uses(rule.ok_or_else(|| not_covered(shown_path(path)))?);
                }
                Ok(())
            }
            CallSubject::Urls(urls) if whole.is_none() => {
                if urls.is_empty() {
                    return Err(not_covered("a host that is not known"));
                }
                for url in urls {
                    let rule = self.rule(self.set.allow.domains.iter().copied(), |rule| {
                        rule.concerns(tool)
                            && matches!(&rule.specifier, Specifier::Domain(pattern) if pattern.allows(url))
                    });
                    self.uses(
                        rule.ok_or_else(|| {
                            not_covered(redact::visible(&redact::bounded(url, 160)))
                        })?,
                    );
                }
                Ok(())
            }
            CallSubject::Urls(_) | CallSubject::Delegate { .. } | CallSubject::Other => {
                let rule = whole.or_else(|| {
                    self.rule(self.set.allow.parameters.iter().copied(), |rule| {
                        rule.concerns(tool)
                            && matches!(
                                &rule.specifier,
                                Specifier::Parameters(pattern)
                                    if pattern.matches(operation, rule.list()) == Some(Certainty::Certain)
                            )
                    })
                });
                self.uses(rule.ok_or_else(|| not_covered(format!("this call of {tool}")))?);
                Ok(())
            }
            CallSubject::Command(_) => Err(not_covered("the command was not parsed")),
        }
    }

    /// Whether any rule may cover touching this path at all.
    pub(super) fn harmless_to_touch(&self, path: &PathFact) -> Result<(), NotCovered> {
        let reason = match path.kind {
            FileKind::Special => "a device, FIFO or socket".to_owned(),
            FileKind::Remote => "a path that acts when it is touched".to_owned(),
            FileKind::Unresolvable => "a path that cannot be resolved".to_owned(),
            FileKind::Missing | FileKind::File | FileKind::Directory => {
                if !path.access.writes() {
                    return Ok(());
                }
                // Another name of the file may lie anywhere.
                if path.kind == FileKind::File && path.links > 1 {
                    "a file with more than one hard link".to_owned()
                } else {
                    match (self.protected)(path) {
                        Some(reason) => reason,
                        None => return Ok(()),
                    }
                }
            }
        };
        Err(not_covered(format!("{}: {reason}", shown_path(path))))
    }

    pub(super) fn path_rule(
        &self,
        path: &PathFact,
        concerns: impl Fn(&Rule) -> bool,
    ) -> Option<&'r Rule> {
        let folded = Folded::of(&path.absolute, &path.canonical);
        let forms = folded.forms(&path.absolute, &path.canonical);
        let positions = self.set.allow.for_path(&forms.forms);
        self.rule(positions.into_iter(), |rule| {
            concerns(rule)
                && match &rule.specifier {
                    Specifier::Paths(patterns) => patterns
                        .iter()
                        .any(|pattern| pattern.allows(&forms, self.subject.cwd)),
                    Specifier::None => true,
                    Specifier::Command(_)
                    | Specifier::Domain(_)
                    | Specifier::Parameters(_)
                    | Specifier::Malformed => false,
                }
        })
    }
}
