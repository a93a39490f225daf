//! Which tools a rule names: canonical names, the aliases of section 1 of the
//! specification, and the names that agents themselves use.

use crate::rules::RuleList;
use crate::rules::error::RuleError;
use crate::rules::wildcard::{Token, Wild, fold};
use crate::tool::{Tool, ToolFamily};

use Tool::{
    Agent, AskUserQuestion, CronCreate, CronDelete, CronList, DeleteFile, Edit, EnterPlanMode,
    ExitPlanMode, Glob, GrepSearch, ListDirectory, Lsp, Monitor, MoveFile, NotebookEdit, ReadFile,
    ReadManyFiles, RunShellCommand, SendMessage, Skill, StructuredOutput, TaskStop, TodoWrite,
    ToolSearch, WebFetch, WebSearch, WriteFile,
};

const SHELL: &[Tool] = &[RunShellCommand, Monitor];
const READ: &[Tool] = &[
    ReadFile,
    ReadManyFiles,
    GrepSearch,
    Glob,
    ListDirectory,
    Lsp,
];
const EDIT: &[Tool] = &[Edit, WriteFile, NotebookEdit, DeleteFile, MoveFile];

/// Names that stand for tools besides the canonical ones.
const ALIASES: &[(&str, &[Tool])] = &[
    ("Bash", SHELL),
    ("Shell", SHELL),
    ("ShellTool", SHELL),
    ("PowerShell", SHELL),
    ("bash", SHELL),
    ("shell", SHELL),
    ("execute_command", SHELL),
    ("run_in_terminal", SHELL),
    ("terminal", SHELL),
    ("Monitor", &[Monitor]),
    ("Read", READ),
    ("ReadFile", READ),
    ("ReadFileTool", READ),
    ("ReadManyFiles", &[ReadManyFiles]),
    ("Grep", &[GrepSearch]),
    ("SearchFiles", &[GrepSearch]),
    ("search_file_content", &[GrepSearch]),
    ("Glob", &[Glob]),
    ("FindFiles", &[Glob]),
    ("LS", &[ListDirectory]),
    ("ListFiles", &[ListDirectory]),
    ("ReadFolder", &[ListDirectory]),
    ("list_dir", &[ListDirectory]),
    ("LSP", &[Lsp]),
    ("Edit", EDIT),
    ("EditTool", EDIT),
    ("replace", EDIT),
    ("apply_patch", EDIT),
    ("MultiEdit", &[Edit]),
    ("Write", &[WriteFile]),
    ("WriteFile", &[WriteFile]),
    ("WriteFileTool", &[WriteFile]),
    ("NotebookEdit", &[NotebookEdit]),
    ("DeleteFile", &[DeleteFile]),
    ("Delete", &[DeleteFile]),
    ("MoveFile", &[MoveFile]),
    ("WebFetch", &[WebFetch]),
    ("WebFetchTool", &[WebFetch]),
    ("webfetch", &[WebFetch]),
    ("WebSearch", &[WebSearch]),
    ("WebSearchTool", &[WebSearch]),
    ("google_web_search", &[WebSearch]),
    ("Agent", &[Agent]),
    ("Task", &[Agent]),
    ("task", &[Agent]),
    ("spawn_agent", &[Agent]),
    ("Skill", &[Skill]),
    ("TodoWrite", &[TodoWrite]),
    ("TodoList", &[TodoWrite]),
    ("write_todos", &[TodoWrite]),
    ("update_plan", &[TodoWrite]),
    ("AskUserQuestion", &[AskUserQuestion]),
    ("ask_user", &[AskUserQuestion]),
    ("EnterPlanMode", &[EnterPlanMode]),
    ("ExitPlanMode", &[ExitPlanMode]),
    ("ToolSearch", &[ToolSearch]),
    ("TaskStop", &[TaskStop]),
    ("KillShell", &[TaskStop]),
    ("StructuredOutput", &[StructuredOutput]),
    ("CronList", &[CronList]),
    ("SendMessage", &[SendMessage]),
    ("CronCreate", &[CronCreate]),
    ("CronDelete", &[CronDelete]),
];

/// The names that stand for a tool besides its canonical one. A tool of an MCP
/// server has its server's (`mcp__server`).
pub fn aliases(tool: &Tool) -> impl Iterator<Item = String> + '_ {
    let named = ALIASES
        .iter()
        .filter(|(_, tools)| tools.contains(tool))
        .map(|(name, _)| (*name).to_owned());
    let server = match tool {
        Tool::Mcp { server, .. } => Some(format!("mcp__{server}")),
        _ => None,
    };
    named.chain(server)
}

/// The tools that a rule speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tools {
    /// These.
    Named(Vec<Tool>),
    /// A tool that is in no table, by its exact name.
    Unknown(String),
    /// Tools of MCP servers, by a pattern over `mcp__server__tool`.
    Mcp(McpTools),
    /// Every tool whose canonical name or alias matches; deny and ask only.
    Matching(Wild),
    /// The name cannot be read.
    Unreadable,
}

/// The MCP tools that a rule speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum McpTools {
    /// One tool, by its full name.
    Exact(String),
    /// Every tool of a server.
    Server(String),
    /// Every tool whose full name matches.
    Matching(Wild),
}

impl Tools {
    /// What a rule's tool name stands for. Where a name can be read narrowly
    /// or widely (`edit` is a canonical name and looks like `Edit`), deny and
    /// ask take the wide reading and allow the narrow one.
    pub(super) fn parse(name: &str, list: RuleList) -> Result<Self, RuleError> {
        let restricts = list.restricts();
        if name.is_empty() {
            return Err(RuleError::NoTool);
        }
        if name.starts_with("mcp__") {
            return McpTools::parse(name).map(Self::Mcp);
        }
        if !name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/' | '*'))
        {
            return Err(RuleError::ToolName(name.to_owned()));
        }
        if name.contains('*') {
            if !restricts {
                return Err(RuleError::AllowMustNameTool);
            }
            return Ok(Self::Matching(stars(name)));
        }
        let exact = alias(|known| known == name);
        let canonical = match Tool::from_canonical(name) {
            Tool::Other(_) => None,
            tool => Some(tool),
        };
        let tools = if restricts {
            let folded = || alias(|known| known.eq_ignore_ascii_case(name));
            let mut tools: Vec<Tool> = canonical.into_iter().collect();
            tools.extend(exact.or_else(folded).unwrap_or_default().iter().cloned());
            if name == "run_shell_command" {
                tools.push(Monitor);
            }
            tools
        } else {
            match (exact, canonical) {
                (Some(exact), _) => exact.to_vec(),
                (None, Some(tool)) => vec![tool],
                (None, None) => Vec::new(),
            }
        };
        if tools.is_empty() {
            Ok(Self::Unknown(name.to_owned()))
        } else {
            Ok(Self::Named(tools))
        }
    }

    /// Whether the rule speaks of this tool.
    pub(super) fn contain(&self, tool: &Tool, list: RuleList) -> bool {
        match self {
            Self::Named(tools) => tools.contains(tool),
            Self::Unknown(name) => match tool {
                Tool::Other(other) => {
                    other == name || (list.restricts() && other.eq_ignore_ascii_case(name))
                }
                _ => false,
            },
            Self::Mcp(pattern) => matches!(tool, Tool::Mcp { .. }) && pattern.contain(tool, list),
            Self::Matching(pattern) => {
                pattern.matches(&tool.to_string())
                    || ALIASES
                        .iter()
                        .any(|(name, tools)| tools.contains(tool) && pattern.matches(name))
            }
            Self::Unreadable => true,
        }
    }

    /// The families of the tools that the rule speaks of.
    pub(super) fn any_of(&self, family: ToolFamily) -> bool {
        match self {
            Self::Named(tools) => tools.iter().any(|tool| tool.family() == family),
            Self::Unknown(_) => family == ToolFamily::Other,
            Self::Mcp(_) => family == ToolFamily::Mcp,
            Self::Matching(_) => Tool::NAMED
                .iter()
                .any(|tool| tool.family() == family && self.contain(tool, RuleList::Deny)),
            Self::Unreadable => true,
        }
    }

    /// The name that was probably meant by one that is in no table.
    pub(super) fn suggestion(name: &str) -> Option<&'static str> {
        ALIASES
            .iter()
            .map(|(known, _)| *known)
            .map(|known| (distance(&known.to_lowercase(), &name.to_lowercase()), known))
            .filter(|(distance, known)| *distance <= 2 && *distance < known.len())
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, known)| known)
    }
}

fn alias(wanted: impl Fn(&str) -> bool) -> Option<&'static [Tool]> {
    ALIASES
        .iter()
        .find(|(known, _)| wanted(known))
        .map(|(_, tools)| *tools)
}

impl McpTools {
    fn parse(name: &str) -> Result<Self, RuleError> {
        let rest = name.strip_prefix("mcp__").unwrap_or_default();
        if rest.is_empty() || rest.starts_with("__") {
            return Err(RuleError::McpServer);
        }
        if let Some(server) = name.strip_suffix("__*")
            && !server.contains('*')
            && server.len() > "mcp__".len()
        {
            return Ok(Self::Server(server.to_owned()));
        }
        if name.contains('*') {
            return Ok(Self::Matching(stars(name)));
        }
        Ok(match rest.split_once("__") {
            Some((_, tool)) if !tool.is_empty() => Self::Exact(name.to_owned()),
            _ => Self::Server(name.trim_end_matches('_').to_owned()),
        })
    }

    fn contain(&self, tool: &Tool, list: RuleList) -> bool {
        let full = tool.to_string();
        let restricts = list.restricts();
        match self {
            Self::Exact(name) => *name == full || (restricts && name.eq_ignore_ascii_case(&full)),
            Self::Server(server) => {
                let (full, server) = if restricts {
                    (full.to_ascii_lowercase(), server.to_ascii_lowercase())
                } else {
                    (full, server.clone())
                };
                match full.strip_prefix(server.as_str()) {
                    Some("") => true,
                    // A server's own name may contain `__`, and where it ends
                    // cannot be seen: an allow rule takes no tool whose name
                    // could belong to another server.
                    Some(rest) => rest
                        .strip_prefix("__")
                        .is_some_and(|tool| restricts || !tool.contains("__")),
                    None => false,
                }
            }
            Self::Matching(pattern) => {
                pattern.matches(&full) || (restricts && pattern.folded().matches(&fold(&full)))
            }
        }
    }
}

/// A pattern in which `*` is the only special character.
pub(super) fn stars(text: &str) -> Wild {
    Wild::new(text.chars().map(|character| match character {
        '*' => Token::Star,
        character => Token::Char(character),
    }))
}

/// The number of single-character edits between two short words.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (line, own) in left.chars().enumerate() {
        let mut next = vec![line + 1];
        let mut before = line + 1;
        for ((other, above), above_left) in right.chars().zip(row.iter().skip(1)).zip(&row) {
            let here = (above_left + usize::from(own != other))
                .min(above + 1)
                .min(before + 1);
            next.push(here);
            before = here;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(name: &str, list: RuleList, tool: &Tool) -> bool {
        Tools::parse(name, list).unwrap().contain(tool, list)
    }

    #[test]
    fn aliases_cover_what_section_1_says() {
        assert!(holds("Bash", RuleList::Allow, &Monitor));
        assert!(!holds("Monitor", RuleList::Deny, &RunShellCommand));
        for tool in READ {
            assert!(holds("Read", RuleList::Allow, tool));
        }
        for tool in EDIT {
            assert!(holds("Edit", RuleList::Allow, tool));
        }
        assert!(!holds("Write", RuleList::Allow, &Edit));
        assert!(holds("Task", RuleList::Deny, &Agent));
    }

    #[test]
    fn canonical_names_are_wide_for_deny_and_narrow_for_allow() {
        assert!(holds("edit", RuleList::Deny, &WriteFile));
        assert!(!holds("edit", RuleList::Allow, &WriteFile));
        assert!(holds("run_shell_command", RuleList::Deny, &Monitor));
        assert!(!holds("run_shell_command", RuleList::Allow, &Monitor));
        assert!(holds("BASH", RuleList::Deny, &RunShellCommand));
        assert!(!holds("BASH", RuleList::Allow, &RunShellCommand));
    }

    #[test]
    fn every_named_tool_can_be_named() {
        for tool in Tool::NAMED {
            for list in RuleList::ALL {
                assert!(holds(&tool.to_string(), list, tool), "{tool}");
            }
        }
    }

    #[test]
    fn tool_globs_are_for_deny_and_ask() {
        assert!(holds("*", RuleList::Deny, &Tool::Other("x".into())));
        assert!(holds("Web*", RuleList::Ask, &WebSearch));
        assert!(!holds("Web*", RuleList::Ask, &Edit));
        assert!(Tools::parse("*", RuleList::Allow).is_err());
    }

    #[test]
    fn mcp_rules_are_exact_or_whole_servers() {
        let tool = Tool::from_canonical("mcp__files__read");
        for list in RuleList::ALL {
            for rule in ["mcp__files__read", "mcp__files", "mcp__files__*", "mcp__*"] {
                assert!(holds(rule, list, &tool), "{rule}");
            }
            for rule in [
                "mcp__files__write",
                "mcp__file",
                "mcp__filesystem",
                "mcp__files__rea",
            ] {
                assert!(!holds(rule, list, &tool), "{rule}");
            }
        }
        assert!(Tools::parse("mcp__", RuleList::Deny).is_err());
    }

    #[test]
    fn a_server_rule_does_not_allow_a_server_whose_name_begins_with_it() {
        let twin = Tool::from_canonical("mcp__files__evil__read");
        assert!(!holds("mcp__files", RuleList::Allow, &twin));
        assert!(holds("mcp__files", RuleList::Deny, &twin));
    }

    #[test]
    fn typos_are_recognised() {
        assert_eq!(Tools::suggestion("Bsh"), Some("Bash"));
        assert_eq!(Tools::suggestion("Raed"), Some("Read"));
        assert_eq!(Tools::suggestion("Deploy"), None);
    }
}
