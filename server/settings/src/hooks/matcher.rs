//! Which tools, or which kinds of an event, a hook is for.

use std::fmt;

use regex::{Regex, RegexBuilder};

/// The longest matcher, in characters.
pub(super) const LONGEST: usize = 1_000;

/// The most memory that a compiled expression may take, in bytes.
const MOST_COMPILED: usize = 256 * 1024;

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
            let expression = RegexBuilder::new(text)
                .size_limit(MOST_COMPILED)
                .dfa_size_limit(MOST_COMPILED)
                .nest_limit(50)
                .build();
            Form::Expression(expression.map_err(|error| problem(&error))?)
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
        }
    }
}

/// What names are made of, and what stands between them.
fn is_of_list(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '|' | ' ')
}

fn problem(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            "as a regular expression it is too large; name the tools instead".to_owned()
        }
        // It repeats the expression over several lines.
        _ => "it is neither a list of names (`Bash|Edit`) nor a regular expression".to_owned(),
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
        let matcher = Matcher::new("(a+)+(a+)+(a+)+$x").unwrap();
        let name = "a".repeat(100_000);
        let begin = Instant::now();
        assert!(!matcher.matches([name.as_str()]));
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
}
