//! One rule: its text, where it stands, and what it was compiled to.

use std::fmt;

use camino::Utf8Path;

use crate::redact;
use crate::rules::broad;
use crate::rules::command::CommandPattern;
use crate::rules::domain::DomainPattern;
use crate::rules::error::RuleError;
use crate::rules::parameters::ParameterPattern;
use crate::rules::path::PathPattern;
use crate::rules::tools::{McpTools, Tools};
use crate::rules::wildcard::is_plain;
use crate::rules::{OverBroad, RuleList, RuleOrigin};
use crate::tool::{Tool, ToolFamily};

/// Longest rule, in bytes.
const LONGEST: usize = 8 * 1024;

/// A permission rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    list: RuleList,
    text: String,
    origin: RuleOrigin,
    error: Option<RuleError>,
    over_broad: Option<OverBroad>,
    pub(super) tools: Tools,
    pub(super) specifier: Specifier,
}

/// What stands in a rule's parentheses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Specifier {
    /// Nothing: every call of the tool.
    None,
    /// For shell commands.
    Command(CommandPattern),
    /// For files.
    Paths(Vec<PathPattern>),
    /// For the web.
    Domain(DomainPattern),
    /// For all others.
    Parameters(ParameterPattern),
    /// It cannot be read: nothing matches an allow rule, and a deny or ask
    /// rule makes the calls of its tool ask.
    Malformed,
}

impl Rule {
    /// Compiles a rule. Total: what cannot be read is kept with its error.
    #[must_use]
    pub fn new(list: RuleList, text: String, origin: RuleOrigin, home: &Utf8Path) -> Self {
        let (tools, specifier) = parse(&text, list, &origin, home);
        let error = match (&tools, &specifier) {
            (_, Err(error)) => Some(error.clone()),
            (Tools::Unknown(name), Ok(_)) => Some(RuleError::UnknownTool {
                name: name.clone(),
                suggestion: Tools::suggestion(name).map(str::to_owned),
            }),
            _ => None,
        };
        let mut rule = Self {
            list,
            text,
            origin,
            error,
            over_broad: None,
            tools,
            specifier: specifier.unwrap_or(Specifier::Malformed),
        };
        if list == RuleList::Allow {
            rule.over_broad = broad::over_broad(&rule, home);
        }
        rule
    }

    /// The list that the rule stands in.
    #[must_use]
    pub const fn list(&self) -> RuleList {
        self.list
    }

    /// The rule as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the rule stands.
    #[must_use]
    pub const fn origin(&self) -> &RuleOrigin {
        &self.origin
    }

    /// What is wrong with the rule, if anything is.
    #[must_use]
    pub const fn error(&self) -> Option<&RuleError> {
        self.error.as_ref()
    }

    /// Whether the rule cannot be read.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        self.error.as_ref().is_some_and(RuleError::is_malformed)
    }

    /// Why the rule is set aside while in auto mode, if it is: what it could
    /// match. Allow rules only.
    #[must_use]
    pub const fn over_broad(&self) -> Option<&OverBroad> {
        self.over_broad.as_ref()
    }

    /// Whether a person wrote down exactly what is meant: nothing is left to a
    /// wildcard.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        match &self.specifier {
            Specifier::Command(pattern) => pattern.line.is_literal(),
            Specifier::Paths(patterns) => patterns.iter().all(PathPattern::is_literal),
            Specifier::Domain(_) | Specifier::Parameters(_) | Specifier::Malformed => false,
            Specifier::None => matches!(self.tools, Tools::Mcp(McpTools::Exact(_))),
        }
    }

    /// Whether the rule speaks of this tool.
    #[must_use]
    pub fn concerns(&self, tool: &Tool) -> bool {
        self.tools.contain(tool, self.list)
    }

    /// Whether the rule speaks of reading files.
    pub(super) fn reads(&self) -> bool {
        self.tools.any_of(ToolFamily::Read)
    }

    /// Whether the rule speaks of changing files.
    pub(super) fn edits(&self) -> bool {
        self.tools.any_of(ToolFamily::Edit)
    }
}

/// The rule's text and where it stands.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = redact::visible(&self.text);
        match (&self.origin.file, self.origin.line) {
            (Some(file), Some(line)) => write!(f, "`{text}` ({file}:{line})"),
            (Some(file), None) => write!(f, "`{text}` ({file})"),
            (None, _) => write!(f, "`{text}` ({})", self.origin.scope),
        }
    }
}

fn parse(
    text: &str,
    list: RuleList,
    origin: &RuleOrigin,
    home: &Utf8Path,
) -> (Tools, Result<Specifier, RuleError>) {
    let text = text.trim();
    let unreadable = |error| (Tools::Unreadable, Err(error));
    if text.is_empty() {
        return unreadable(RuleError::Empty);
    }
    let (name, rest) = match text.split_once('(') {
        Some((name, rest)) => (name.trim(), Some(rest)),
        None => (text, None),
    };
    let tools = match Tools::parse(name, list) {
        Ok(tools) => tools,
        Err(error) => return unreadable(error),
    };
    let specifier =
        inside(text, rest).and_then(|inside| specifier(inside, name, &tools, list, origin, home));
    (tools, specifier)
}

/// What stands between the parentheses.
fn inside<'t>(text: &str, rest: Option<&'t str>) -> Result<&'t str, RuleError> {
    if text.len() > LONGEST {
        return Err(RuleError::TooLong(LONGEST));
    }
    if !text.chars().all(is_plain) {
        return Err(RuleError::ControlCharacter);
    }
    let Some(rest) = rest else {
        return Ok("");
    };
    match rest.strip_suffix(')') {
        Some(inside) => Ok(inside.trim()),
        None if rest.contains(')') => Err(RuleError::AfterParenthesis),
        None => Err(RuleError::Unclosed),
    }
}

fn specifier(
    inside: &str,
    name: &str,
    tools: &Tools,
    list: RuleList,
    origin: &RuleOrigin,
    home: &Utf8Path,
) -> Result<Specifier, RuleError> {
    if inside.is_empty() || inside == "*" {
        return Ok(Specifier::None);
    }
    let parameters =
        |delegates| ParameterPattern::parse(inside, name, delegates).map(Specifier::Parameters);
    if tools.any_of(ToolFamily::Shell) && !matches!(tools, Tools::Matching(_)) {
        return CommandPattern::parse(inside, list, origin.reading, home).map(Specifier::Command);
    }
    if matches!(tools, Tools::Matching(_)) {
        return parameters(false);
    }
    if tools.any_of(ToolFamily::Read) || tools.any_of(ToolFamily::Edit) {
        return PathPattern::parse(inside, list, origin, home).map(Specifier::Paths);
    }
    if tools.any_of(ToolFamily::Web) {
        return DomainPattern::parse(inside, name, list).map(Specifier::Domain);
    }
    parameters(tools.any_of(ToolFamily::Delegate))
}
