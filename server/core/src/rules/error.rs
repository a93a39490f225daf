//! What can be wrong with a rule, in words that say how to mend it.

/// Why a rule cannot be read, or cannot be meant as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// Nothing is written.
    #[error("empty rule; write `Tool` or `Tool(specifier)`, or remove it")]
    Empty,
    /// The rule is longer than any that a person writes.
    #[error("the rule is longer than {0} characters; shorten it")]
    TooLong(usize),
    /// A control character, or one that no text has.
    #[error("the rule contains a control character; remove it")]
    ControlCharacter,
    /// No tool stands before the parenthesis.
    #[error("no tool is named; write `Tool(specifier)`, for example `Bash(git status)`")]
    NoTool,
    /// The tool's name has characters that no tool's name has.
    #[error(
        "`{0}` is not the name of a tool; write `Tool(specifier)`, for example `Bash(git status)`"
    )]
    ToolName(String),
    /// The tool is in no table. The rule still holds for a tool of exactly
    /// this name.
    #[error("unknown tool `{name}`{}", did_you_mean(.suggestion.as_deref()))]
    UnknownTool {
        /// The name in the rule.
        name: String,
        /// The name that was probably meant.
        suggestion: Option<String>,
    },
    /// An allow rule with a wildcard for its tool.
    #[error("an allow rule must name its tool; a wildcard there is for deny and ask rules")]
    AllowMustNameTool,
    /// `mcp__` without a server.
    #[error("no MCP server is named; write `mcp__server`, `mcp__server__tool` or `mcp__*`")]
    McpServer,
    /// The parenthesis is never closed.
    #[error("the parenthesis is not closed; write `Tool(specifier)`")]
    Unclosed,
    /// Something stands behind the closing parenthesis.
    #[error("text after the closing parenthesis; the rule must end with `)`")]
    AfterParenthesis,
    /// A quote in a command is never closed.
    #[error(
        "a quote is not closed; close it, or write `\\` before it if it is meant as a character"
    )]
    UnclosedQuote,
    /// A redirect in a command.
    #[error(
        "a redirect in a command rule; leave it out: files that are written are matched by Edit rules, files that are read by Read rules"
    )]
    Redirect,
    /// Several commands in an allow rule.
    #[error("several commands in one allow rule; write one rule for each of them")]
    SeveralCommands,
    /// A command rule without a command.
    #[error("no command is named; write the command, or `Bash` for every command")]
    NoCommand,
    /// A wildcard in the value of an assignment of an allow rule.
    #[error("a wildcard in an assignment; an allow rule must write the value out")]
    WildAssignment,
    /// A path that is relative to another user's home.
    #[error("`{0}` is another user's home; write the path with `//`")]
    OtherHome(String),
    /// A path with a variable.
    #[error(
        "variables are not expanded in rules; write `~/` for the home folder, `//` for an absolute path"
    )]
    Variable,
    /// A path with a negation.
    #[error("a pattern that begins with `!`; write a rule in another list instead")]
    Negation,
    /// `..` behind a wildcard.
    #[error("`..` behind a wildcard; write the folder itself")]
    ParentOfWildcard,
    /// Too many alternatives in braces, or braces that are not closed.
    #[error("braces that are not closed or give more than {0} patterns; write several rules")]
    Braces(usize),
    /// A domain that is not one.
    #[error("`{0}` is not a host; write `domain:example.com`, without scheme and path")]
    Domain(String),
    /// A wildcard in a domain that is not `*.` at its beginning.
    #[error("`{0}`: a wildcard in a domain is `*.` at its beginning, or `*` alone")]
    DomainWildcard(String),
    /// Every name below a registry suffix, in an allow rule.
    #[error("`{0}` is a registry suffix: names below it belong to many owners; name the host")]
    RegistrySuffix(String),
    /// A specifier that the tool does not take.
    #[error("{tool} does not take `{specifier}`; write `key:value`, or leave it out")]
    Specifier {
        /// The tool's name in the rule.
        tool: String,
        /// What stands in the parentheses.
        specifier: String,
    },
}

impl RuleError {
    /// Whether the rule cannot be read at all; otherwise it holds as it
    /// stands, and only probably not as it was meant.
    #[must_use]
    pub const fn is_malformed(&self) -> bool {
        !matches!(self, Self::UnknownTool { .. })
    }
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    match suggestion {
        Some(name) => format!("; did you mean `{name}`?"),
        None => "; the rule holds only for a tool of exactly this name".to_owned(),
    }
}
