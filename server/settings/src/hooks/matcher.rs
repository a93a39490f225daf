//! Which tools, or which kinds of an event, a hook is for.

use std::convert::Infallible;
use std::fmt;

use regex::{Regex, RegexBuilder, bytes};
use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{self, Ast};

/// The longest matcher, in characters.
pub(super) const LONGEST: usize = 1_000;

/// The most memory that a compiled expression may take, in bytes.
const MOST_COMPILED: usize = 256 * 1024;

/// How deep the groups of an expression may nest.
const DEEPEST: u32 = 50;

const NOT_AN_EXPRESSION: &str =
    "it is neither a list of names (`Bash|Edit`) nor a regular expression";

/// A name, a list of names, or a regular expression. Compared in time that is
/// linear in what it is compared with, whatever it says.
#[derive(Clone)]
pub struct Matcher {
    text: String,
    form: Form,
}

#[derive(Clone)]
enum Form {
    All,
    Names(Vec<String>),
    Expression(Regex),
    /// One that ignores case, with the bytes of a name.
    IgnoringCase(bytes::Regex),
}

impl Matcher {
    /// Reads a matcher.
    ///
    /// # Errors
    /// What is wrong with it and what to do.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.chars().count() > LONGEST {
            return Err(format!("it is longer than {LONGEST} characters"));
        }
        let form = if matches!(text, "" | "*" | ".*") {
            Form::All
        } else if text.chars().all(is_of_list) {
            let names: Vec<String> = text
                .split('|')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect();
            if names.is_empty() {
                return Err("it names nothing; leave it out to match everything".to_owned());
            }
            Form::Names(names)
        } else {
            expression(text)?
        };
        Ok(Self {
            text: text.to_owned(),
            form,
        })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether one of the names is meant. A list means whole names, an
    /// expression any part of one.
    pub fn matches<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> bool {
        match &self.form {
            Form::All => true,
            Form::Names(known) => names
                .into_iter()
                .any(|name| known.iter().any(|known| known == name)),
            Form::Expression(expression) => names.into_iter().any(|name| expression.is_match(name)),
            Form::IgnoringCase(expression) => names
                .into_iter()
                .any(|name| expression.is_match(name.as_bytes())),
        }
    }
}

/// What names are made of, and what stands between them.
fn is_of_list(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '|' | ' ')
}

/// Unicode's tables of cases and of properties are not part of the program:
/// their thousands of addresses would cost every start of it time. So case is
/// ignored among the letters of ASCII only. What is asked for is read beforehand
/// and not left to the compiler, which may have the tables where other crates
/// want them.
fn expression(text: &str) -> Result<Form, String> {
    let parsed = ParserBuilder::new()
        .nest_limit(DEEPEST)
        .build()
        .parse(text)
        .map_err(|_| NOT_AN_EXPRESSION.to_owned())?;
    let asked = ast::visit(&parsed, Asked::default()).unwrap_or_default();
    if asked.to_ignore_case {
        if asked.for_unicode || asked.for_a_property {
            return Err(
                "with `(?i)` it may hold only ASCII and neither `\\p` nor the flag `u`; leave \
                 `(?i)` out and write other letters in both cases: `[Éé]`"
                    .to_owned(),
            );
        }
        return bytes::RegexBuilder::new(text)
            .unicode(false)
            .size_limit(MOST_COMPILED)
            .dfa_size_limit(MOST_COMPILED)
            .nest_limit(DEEPEST)
            .build()
            .map(Form::IgnoringCase)
            .map_err(|error| problem(&error));
    }
    if asked.for_a_property {
        return Err(
            "classes of Unicode (`\\p`) are not supported; write the characters instead: \
             `[a-z]`, or `\\w` for letters, digits and `_`"
                .to_owned(),
        );
    }
    RegexBuilder::new(text)
        .size_limit(MOST_COMPILED)
        .dfa_size_limit(MOST_COMPILED)
        .nest_limit(DEEPEST)
        .build()
        .map(Form::Expression)
        .map_err(|error| problem(&error))
}

/// What an expression asks for anywhere in it.
#[derive(Clone, Copy, Default)]
struct Asked {
    to_ignore_case: bool,
    /// For a character that is not of ASCII, or the flag `u`.
    for_unicode: bool,
    for_a_property: bool,
}

impl Asked {
    fn flags(&mut self, flags: &ast::Flags) {
        self.to_ignore_case |= flags.flag_state(ast::Flag::CaseInsensitive) == Some(true);
        self.for_unicode |= flags.flag_state(ast::Flag::Unicode) == Some(true);
    }

    fn literal(&mut self, literal: &ast::Literal) {
        self.for_unicode |= !literal.c.is_ascii();
    }
}

impl ast::Visitor for Asked {
    type Output = Self;
    type Err = Infallible;

    fn finish(self) -> Result<Self, Infallible> {
        Ok(self)
    }

    fn visit_pre(&mut self, node: &Ast) -> Result<(), Infallible> {
        match node {
            Ast::Flags(set) => self.flags(&set.flags),
            Ast::Group(group) => {
                if let Some(flags) = group.flags() {
                    self.flags(flags);
                }
            }
            Ast::Literal(literal) => self.literal(literal),
            Ast::ClassUnicode(_) => self.for_a_property = true,
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), Infallible> {
        match item {
            ast::ClassSetItem::Literal(literal) => self.literal(literal),
            ast::ClassSetItem::Range(range) => {
                self.literal(&range.start);
                self.literal(&range.end);
            }
            ast::ClassSetItem::Unicode(_) => self.for_a_property = true,
            _ => {}
        }
        Ok(())
    }
}

fn problem(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            "as a regular expression it is too large; name the tools instead".to_owned()
        }
        // It repeats the expression over several lines.
        _ => NOT_AN_EXPRESSION.to_owned(),
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matcher({:?})", self.text)
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Matcher {}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn matches(matcher: &str, names: &[&str]) -> bool {
        let matcher = Matcher::new(matcher).unwrap_or_else(|problem| panic!("{problem}"));
        matcher.matches(names.iter().copied())
    }

    #[test]
    fn a_matcher_is_nothing_a_name_a_list_or_an_expression() {
        let shell = ["run_shell_command", "Bash", "Shell"];
        for (matcher, expected) in [
            ("", true),
            ("*", true),
            (".*", true),
            ("Bash", true),
            ("run_shell_command", true),
            ("Ba", false),
            ("bash", false),
            ("Edit|Bash", true),
            (" Edit | Write ", false),
            ("^run_", true),
            ("shell.com", true),
            ("^Bas$", false),
            ("(Edit|Shell)", true),
        ] {
            assert_eq!(matches(matcher, &shell), expected, "{matcher}");
        }
        assert!(matches("mcp__git-hub__create", &["mcp__git-hub__create"]));
        assert!(!matches("mcp__git", &["mcp__git-hub__create"]));
    }

    #[test]
    fn an_expression_may_ignore_the_case_of_ascii_letters() {
        for (matcher, name, expected) in [
            ("(?i)bash|edit", "Bash", true),
            ("(?i)bash|edit", "MultiEdit", true),
            ("(?i)^(bash|edit)$", "MultiEdit", false),
            ("(?i)mcp__.*", "MCP__größe", true),
            ("(?i)^mcp__.*__write$", "mcp__größe__WRITE", true),
            ("(?i)^MCP__\\w+$", "mcp__git", true),
            ("(?i)[^a-z_]", "Bash", false),
            ("(?i)[^a-z_]", "größe", true),
            ("(?i:bash) ?x", "BASH x", true),
            ("(?i:bash) ?x", "BASH X", false),
            ("mcp__(?i)git", "mcp__GIT", true),
            ("mcp__(?i)git", "MCP__GIT", false),
            ("(?is)^a.b$", "A\nB", true),
            ("(?i)\\bbash\\b", "run Bash now", true),
            ("(?i-u)^bash$", "BASH", true),
            ("(?i)\\x62ash", "BASH", true),
            ("(?i)k", "\u{212a}", false),
        ] {
            assert_eq!(matches(matcher, &[name]), expected, "{matcher} {name}");
        }
    }

    #[test]
    fn an_expression_means_letters_of_any_script_unless_it_ignores_case() {
        for (matcher, name, expected) in [
            ("^\\w+$", "größe", true),
            ("^gr..e$", "größe", true),
            ("^gr[a-zöß]{2}e$", "größe", true),
            ("[^a-z]", "größe", true),
            ("^\\d$", "٣", true),
            ("\\bö\\b", "an ö", true),
            ("\\x{f6}", "größe", true),
            ("(?-i)größe$", "größe", true),
            ("[(?i]é", "(é", true),
            ("\\(?ié", "ié", true),
            ("(?u)^gr\\w+$", "größe", true),
        ] {
            assert_eq!(matches(matcher, &[name]), expected, "{matcher} {name}");
        }
    }

    #[test]
    fn an_expression_that_needs_tables_of_unicode_is_refused_with_what_to_write() {
        for text in [
            "(?i)größe",
            "(?i)gr\\x{f6}e",
            "(?i)\\u{f6}a",
            "(?i)[a-ö]",
            "(?iu)bash",
            "(?i)a(?u:b)",
            "(?i)\\p{Greek}",
        ] {
            let problem = Matcher::new(text).unwrap_err();
            assert!(problem.contains("leave `(?i)` out"), "{text}: {problem}");
        }
        for text in ["\\p{Greek}", "^\\pL+$", "[\\P{Lu}]"] {
            let problem = Matcher::new(text).unwrap_err();
            assert!(
                problem.contains("write the characters"),
                "{text}: {problem}"
            );
        }
        for text in ["(?i)(", "(?i)[a", "(?=a)", "(?i)a{1000}{1000}{1000}"] {
            let problem = Matcher::new(text).unwrap_err();
            assert!(problem.contains("regular expression"), "{text}: {problem}");
        }
    }

    #[test]
    fn what_is_no_matcher_is_refused_without_repeating_it() {
        for text in ["(", "[a", "|", " | ", "a{1000}{1000}{1000}", "(?P<x"] {
            let problem = Matcher::new(text).unwrap_err();
            assert!(text.len() < 3 || !problem.contains(text), "{problem}");
        }
        assert!(Matcher::new(&"a".repeat(1_001)).is_err());
        assert!(Matcher::new(&"(".repeat(500)).is_err());
    }

    #[test]
    fn a_long_name_costs_linear_time() {
        let name = "a".repeat(100_000);
        for text in ["(a+)+(a+)+(a+)+$x", "(?i)(A+)+(a+)+(a+)+$x"] {
            let matcher = Matcher::new(text).unwrap();
            let begin = Instant::now();
            assert!(!matcher.matches([name.as_str()]));
            assert!(begin.elapsed() < Duration::from_secs(10));
        }
    }
}
