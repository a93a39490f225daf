//! Whether deny and ask rules speak of paths below a folder: asked by the
//! engine before and while it looks there, so that it looks only where a rule
//! does.

use camino::Utf8Path;

use super::path::{Folded, PathPattern, Shape};
use super::rule::{Rule, Specifier};
use super::set::RuleSet;

impl RuleSet {
    /// Whether a deny or ask rule may speak of something below this folder.
    #[must_use]
    pub fn may_restrict_below(&self, folder: &Utf8Path, cwd: &Utf8Path) -> bool {
        let tree = Shape::tree(folder);
        self.restricting_patterns()
            .any(|(rule, pattern)| pattern.may_meet(&tree, cwd, &rule.origin().root))
    }

    /// Whether a deny or ask rule speaks of this absolute path, whatever the
    /// tool.
    #[must_use]
    pub fn restricts_path(&self, path: &Utf8Path, cwd: &Utf8Path) -> bool {
        let folded = Folded::of(path, path);
        let forms = folded.forms(path, path);
        self.restricting_patterns().any(|(rule, pattern)| {
            pattern
                .restricts(&forms, cwd, &rule.origin().root)
                .is_some()
        })
    }

    fn restricting_patterns(&self) -> impl Iterator<Item = (&Rule, &PathPattern)> {
        self.rules()
            .iter()
            .filter(|rule| rule.list().restricts())
            .filter_map(|rule| match &rule.specifier {
                Specifier::Paths(patterns) => Some((rule, patterns)),
                Specifier::None
                | Specifier::Command(_)
                | Specifier::Domain(_)
                | Specifier::Parameters(_)
                | Specifier::Malformed => None,
            })
            .flat_map(|(rule, patterns)| patterns.iter().map(move |pattern| (rule, pattern)))
    }
}
