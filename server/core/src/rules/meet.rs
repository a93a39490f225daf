//! Which deny or ask rule speaks of an operation. In doubt one does: a rule
//! that cannot be ruled out is a hit that is not certain.

use crate::call::{Access, Subject as CallSubject};
use crate::command::{CommandView, SimpleCommand, WordValue};
use crate::paths::{FileKind, PathFact};
use crate::redact;
use crate::rules::command::Line;
use crate::rules::index::Index;
use crate::rules::path::{Folded, PathForms, PathPattern, Shape};
use crate::rules::rule::{Rule, Specifier};
use crate::rules::set::RuleSet;
use crate::rules::{Certainty, Hit, RuleList, Subject, shell_paths};
use crate::tool::Tool;

/// Longest text of a command that is shown, in bytes.
const SHOWN: usize = 160;

/// Finds the rule of a list that speaks of an operation.
pub(super) fn find<'r>(
    set: &'r RuleSet,
    index: &'r Index,
    subject: &Subject<'_>,
) -> Option<Hit<'r>> {
    let mut search = Search {
        set,
        index,
        subject: *subject,
        best: None,
    };
    search.whole_tools();
    match &subject.operation.subject {
        CallSubject::Command(_) => search.shell(),
        CallSubject::Paths(uses) => search.files(uses.len()),
        CallSubject::Urls(urls) => search.urls(urls),
        CallSubject::Delegate { .. } | CallSubject::Other => {}
    }
    search.parameters();
    search.what_was_not_looked_at();
    search.best
}

/// A search for the most certain hit.
pub(super) struct Search<'r, 'a> {
    set: &'r RuleSet,
    pub(super) index: &'r Index,
    pub(super) subject: Subject<'a>,
    best: Option<Hit<'r>>,
}

impl<'r, 'a> Search<'r, 'a> {
    /// The rules at these positions that speak of the operation's tool.
    fn concerned(&self, positions: &'r [usize]) -> impl Iterator<Item = &'r Rule> + use<'r, 'a> {
        let tool = &self.subject.operation.tool;
        self.set
            .at(positions.iter().copied())
            .filter(move |rule| rule.concerns(tool))
    }

    pub(super) fn rules(&self, positions: Vec<usize>) -> impl Iterator<Item = &'r Rule> + use<'r> {
        let set = self.set;
        set.at(positions.into_iter())
    }

    pub(super) fn is_certain(&self) -> bool {
        self.best.as_ref().is_some_and(|hit| hit.certain)
    }

    /// Whether a hit that is not certain would still be news.
    pub(super) fn wants_possible(&self) -> bool {
        self.best.is_none()
    }

    pub(super) fn offer(
        &mut self,
        rule: &'r Rule,
        certainty: Certainty,
        what: impl FnOnce() -> String,
    ) {
        let certain = certainty == Certainty::Certain;
        if self.best.is_none() || (certain && !self.is_certain()) {
            self.best = Some(Hit {
                rule,
                certain,
                what: what(),
            });
        }
    }

    fn whole_tools(&mut self) {
        let tool = &self.subject.operation.tool;
        let mut rules = self.set.at(self.index.for_tool(tool));
        if let Some(rule) = rules.find(|rule| rule.concerns(tool)) {
            self.offer(rule, Certainty::Certain, || format!("every call of {tool}"));
        }
    }

    fn parameters(&mut self) {
        let operation = self.subject.operation;
        let index = self.index;
        for rule in self.concerned(&index.parameters) {
            if let Specifier::Parameters(pattern) = &rule.specifier
                && let Some(certainty) = pattern.matches(operation, rule.list())
            {
                self.offer(rule, certainty, || {
                    format!("this call of {}", operation.tool)
                });
            }
        }
    }

    /// A rule of the tool whose specifier speaks of something that the
    /// operation does not show.
    fn what_was_not_looked_at(&mut self) {
        if !self.wants_possible() {
            return;
        }
        let index = self.index;
        let (commands, paths, urls) = match &self.subject.operation.subject {
            CallSubject::Command(_) => (true, true, false),
            CallSubject::Paths(_) => (false, true, false),
            CallSubject::Urls(_) => (false, false, true),
            CallSubject::Delegate { .. } | CallSubject::Other => (false, false, false),
        };
        for (looked_at, positions) in [
            (commands, &index.commands),
            (paths, &index.paths),
            (urls, &index.domains),
        ] {
            if !looked_at && let Some(rule) = self.concerned(positions).next() {
                self.offer(rule, Certainty::Possible, || {
                    "a call that does not say what it acts on".to_owned()
                });
            }
        }
    }

    fn urls(&mut self, urls: &[String]) {
        let index = self.index;
        for rule in self.concerned(&index.domains) {
            let Specifier::Domain(pattern) = &rule.specifier else {
                continue;
            };
            if urls.is_empty() {
                self.offer(rule, Certainty::Possible, || {
                    "a request to a host that is not known".to_owned()
                });
            }
            for url in urls {
                if let Some(certainty) = pattern.restricts(url) {
                    self.offer(rule, certainty, || {
                        redact::visible(&redact::bounded(url, SHOWN))
                    });
                }
            }
        }
    }

    fn files(&mut self, named: usize) {
        let index = self.index;
        if index.paths.is_empty() {
            return;
        }
        let facts = self.subject.facts;
        let unresolved = facts
            .paths
            .iter()
            .any(|path| path.kind == FileKind::Unresolvable);
        if (facts.paths.len() < named || named == 0 || unresolved)
            && let Some(rule) = self.concerned(&index.paths).next()
        {
            self.offer(rule, Certainty::Possible, || {
                "a path that cannot be resolved".to_owned()
            });
        }
        for path in &facts.paths {
            self.file(path);
        }
    }

    fn file(&mut self, path: &PathFact) {
        let index = self.index;
        let tool = &self.subject.operation.tool;
        let folded = Folded::of(&path.absolute, &path.canonical);
        let forms = folded.forms(&path.absolute, &path.canonical);
        for rule in self.rules(index.for_path(&forms.forms)) {
            if rule.concerns(tool)
                && let Some(certainty) = self.path_rule(rule, &forms)
            {
                self.offer(rule, certainty, || shown_path(path));
            }
        }
        let known = self.below(path, |rule| {
            rule.concerns(tool).then_some(Certainty::Certain)
        });
        if known || !self.wants_possible() {
            return;
        }
        let trees = [Shape::tree(&path.absolute), Shape::tree(&path.canonical)];
        for rule in self.concerned(&index.paths) {
            let meets = match path.access {
                Access::ReadTree | Access::Delete => true,
                // Names are not contents: only a rule about listing asks for
                // folders above what it names.
                Access::List => lists(rule),
                Access::Read | Access::Write => false,
            };
            if meets && trees.iter().any(|tree| self.path_rule_may_meet(rule, tree)) {
                self.offer(rule, Certainty::Possible, || {
                    format!("what is below {}", shown_path(path))
                });
                return;
            }
        }
    }

    /// Offers the rules that speak of what lies below a folder that would be
    /// read as a whole; whether everything there is known.
    pub(super) fn below(
        &mut self,
        folder: &PathFact,
        weigh: impl Fn(&Rule) -> Option<Certainty>,
    ) -> bool {
        let facts = self.subject.facts;
        let Some(tree) = facts.tree(&folder.canonical) else {
            return false;
        };
        let index = self.index;
        for path in &tree.restricted {
            let folded = Folded::of(path, path);
            let forms = folded.forms(path, path);
            for rule in self.rules(index.for_path(&forms.forms)) {
                if let Some(certainty) = weigh(rule)
                    && let Some(matched) = self.path_rule(rule, &forms)
                {
                    self.offer(rule, certainty.weaker(matched), || {
                        format!(
                            "{} below {}",
                            redact::visible(path.as_str()),
                            shown_path(folder)
                        )
                    });
                }
            }
        }
        tree.complete
    }

    /// How certainly a rule with paths speaks of a path.
    pub(super) fn path_rule(&self, rule: &Rule, forms: &PathForms<'_>) -> Option<Certainty> {
        match &rule.specifier {
            Specifier::None => Some(Certainty::Certain),
            Specifier::Paths(patterns) => patterns
                .iter()
                .filter_map(|pattern| {
                    pattern.restricts(forms, self.subject.cwd, &rule.origin().root)
                })
                .max(),
            Specifier::Command(_)
            | Specifier::Domain(_)
            | Specifier::Parameters(_)
            | Specifier::Malformed => None,
        }
    }

    /// Whether a rule with paths may speak of a path of this shape.
    pub(super) fn path_rule_may_meet(&self, rule: &Rule, shape: &Shape) -> bool {
        let meets =
            |pattern: &PathPattern| pattern.may_meet(shape, self.subject.cwd, &rule.origin().root);
        match &rule.specifier {
            Specifier::None => true,
            Specifier::Paths(patterns) => patterns.iter().any(meets),
            Specifier::Command(_)
            | Specifier::Domain(_)
            | Specifier::Parameters(_)
            | Specifier::Malformed => false,
        }
    }

    fn shell(&mut self) {
        let index = self.index;
        if index.commands.is_empty() && index.paths.is_empty() {
            return;
        }
        let Some(view) = &self.subject.facts.command else {
            self.not_understood("it was not parsed", true);
            return;
        };
        self.command_rules(view);
        if !index.paths.is_empty() {
            for command in &view.commands {
                if self.is_certain() {
                    return;
                }
                shell_paths::search(self, command);
            }
            shell_paths::touched(self);
        }
        if let Some(problem) = view.problems.first() {
            self.not_understood(&problem.reason, view.commands.is_empty());
        }
    }

    /// Commands that are not known. Where some are known, only a deny rule for
    /// commands cannot be ruled out: of files that no word names, rules say
    /// nothing (they are no sandbox), and what an ask rule wants to see still
    /// needs somebody's judgement.
    fn not_understood(&mut self, reason: &str, nothing_is_known: bool) {
        if !self.wants_possible() {
            return;
        }
        let index = self.index;
        let mut rules = self.concerned(&index.commands);
        let rule = if nothing_is_known {
            rules
                .next()
                .or_else(|| self.rules(index.paths.clone()).next())
        } else {
            rules.find(|rule| rule.list() == RuleList::Deny)
        };
        if let Some(rule) = rule {
            self.offer(rule, Certainty::Possible, || {
                format!(
                    "a command that is not wholly understood ({})",
                    redact::visible(reason)
                )
            });
        }
    }

    fn command_rules(&mut self, view: &CommandView) {
        let index = self.index;
        if index.commands.is_empty() {
            return;
        }
        let tool = &self.subject.operation.tool;
        let lines: Vec<Line<'_>> = view.commands.iter().map(Line::new).collect();
        for (line, command) in lines.iter().zip(&view.commands) {
            for rule in self.rules(index.for_line(line).collect()) {
                let Specifier::Command(pattern) = &rule.specifier else {
                    continue;
                };
                let [part] = pattern.parts.as_slice() else {
                    continue;
                };
                if let Some(certainty) = part.matches(line)
                    && rule.concerns(tool)
                {
                    self.offer(rule, certainty, || shown_command(command));
                    if self.is_certain() {
                        return;
                    }
                }
            }
        }
        for rule in self.concerned(&index.compound) {
            let Specifier::Command(pattern) = &rule.specifier else {
                continue;
            };
            // Every part must be somewhere: the rule names them together.
            let certainty = pattern
                .parts
                .iter()
                .map(|part| lines.iter().filter_map(|line| part.matches(line)).max())
                .collect::<Option<Vec<_>>>()
                .and_then(|parts| parts.into_iter().min());
            if let Some(certainty) = certainty {
                self.offer(rule, certainty, || "these commands together".to_owned());
            }
        }
    }
}

/// Whether a rule speaks of listing folders and not of reading in general.
fn lists(rule: &Rule) -> bool {
    (rule.concerns(&Tool::ListDirectory) || rule.concerns(&Tool::Glob))
        && !rule.concerns(&Tool::ReadFile)
}

pub(super) fn shown_path(path: &PathFact) -> String {
    let given = redact::visible(&redact::bounded(&path.given, SHOWN));
    if path.canonical.as_str() == path.given {
        given
    } else {
        format!(
            "{given} ({})",
            redact::visible(&redact::bounded(path.canonical.as_str(), SHOWN))
        )
    }
}

/// The words of a command for people; what is not known of them is `…`.
pub(super) fn shown_command(command: &SimpleCommand) -> String {
    let mut shown = String::new();
    for word in &command.words {
        if shown.len() > SHOWN {
            break;
        }
        if !shown.is_empty() {
            shown.push(' ');
        }
        match &word.value {
            WordValue::Literal(text) if text.is_empty() || text.contains([' ', '\'', '"']) => {
                shown.push_str(&format!("'{}'", text.replace('\'', r"'\''")));
            }
            WordValue::Literal(text) | WordValue::Glob(text) => shown.push_str(text),
            WordValue::Dynamic { prefix, .. } => {
                shown.push_str(prefix);
                shown.push('…');
            }
        }
    }
    if shown.is_empty() {
        return "an assignment or redirect".to_owned();
    }
    format!(
        "`{}`",
        redact::visible(&redact::bounded(&redact::mask(&shown), SHOWN))
    )
}
