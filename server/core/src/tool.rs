//! Canonical tools: what every agent's tool names are turned into.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A tool, independent of the agent that offers it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String")]
#[serde(from = "String")]
pub enum Tool {
    /// Runs a shell command.
    RunShellCommand,
    /// Runs a shell command and watches its output.
    Monitor,
    /// Reads one file.
    ReadFile,
    /// Reads several files.
    ReadManyFiles,
    /// Searches file contents.
    GrepSearch,
    /// Finds files by pattern.
    Glob,
    /// Lists a directory.
    ListDirectory,
    /// Asks a language server.
    Lsp,
    /// Changes a part of a file.
    Edit,
    /// Writes a whole file.
    WriteFile,
    /// Changes a cell of a notebook.
    NotebookEdit,
    /// Deletes a file.
    DeleteFile,
    /// Moves or renames a file.
    MoveFile,
    /// Fetches a URL.
    WebFetch,
    /// Searches the web.
    WebSearch,
    /// Starts a sub-agent.
    Agent,
    /// Runs a skill.
    Skill,
    /// Keeps the agent's list of things to do.
    TodoWrite,
    /// Asks the person a question in the agent's own dialog.
    AskUserQuestion,
    /// Starts plan mode.
    EnterPlanMode,
    /// Ends plan mode.
    ExitPlanMode,
    /// Searches the agent's own tools.
    ToolSearch,
    /// Stops a background task of the agent.
    TaskStop,
    /// Returns a structured answer.
    StructuredOutput,
    /// Lists the agent's scheduled tasks.
    CronList,
    /// Sends a message to somebody.
    SendMessage,
    /// Schedules a task.
    CronCreate,
    /// Removes a scheduled task.
    CronDelete,
    /// A tool of an MCP server.
    Mcp {
        /// The server's name.
        server: String,
        /// The tool's name on that server; empty where the agent gave none.
        tool: String,
    },
    /// A tool that is in no table: never safe, never on a fast path.
    Other(String),
}

/// What kind of tool it is, for rules' aliases and for the order of decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToolFamily {
    /// Shell commands.
    Shell,
    /// Reading and searching files.
    Read,
    /// Changing files.
    Edit,
    /// The web.
    Web,
    /// Sub-agents and skills.
    Delegate,
    /// Bookkeeping of the agent's own.
    Bookkeeping,
    /// The agent's own dialog with the person: no opinion of ours.
    Interaction,
    /// Acts on the world outside the session (messages, schedules).
    Outward,
    /// MCP tools.
    Mcp,
    /// Unknown tools.
    Other,
}

macro_rules! named_tools {
    ($($variant:ident => $name:literal, $family:ident;)*) => {
        impl Tool {
            /// Every tool that is not an MCP tool or unknown.
            pub const NAMED: &'static [Self] = &[$(Self::$variant),*];

            /// The tool of a canonical name; MCP tools by their prefix, all
            /// else is [`Tool::Other`].
            #[must_use]
            pub fn from_canonical(name: &str) -> Self {
                match name {
                    $($name => Self::$variant,)*
                    _ => Self::from_mcp(name).unwrap_or_else(|| Self::Other(name.to_owned())),
                }
            }

            /// The family of the tool.
            #[must_use]
            pub const fn family(&self) -> ToolFamily {
                match self {
                    $(Self::$variant => ToolFamily::$family,)*
                    Self::Mcp { .. } => ToolFamily::Mcp,
                    Self::Other(_) => ToolFamily::Other,
                }
            }
        }

        impl fmt::Display for Tool {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($name),)*
                    Self::Mcp { server, tool } if tool.is_empty() => write!(f, "mcp__{server}"),
                    Self::Mcp { server, tool } => write!(f, "mcp__{server}__{tool}"),
                    Self::Other(name) => f.write_str(name),
                }
            }
        }
    };
}

named_tools! {
    RunShellCommand => "run_shell_command", Shell;
    Monitor => "monitor", Shell;
    ReadFile => "read_file", Read;
    ReadManyFiles => "read_many_files", Read;
    GrepSearch => "grep_search", Read;
    Glob => "glob", Read;
    ListDirectory => "list_directory", Read;
    Lsp => "lsp", Read;
    Edit => "edit", Edit;
    WriteFile => "write_file", Edit;
    NotebookEdit => "notebook_edit", Edit;
    DeleteFile => "delete_file", Edit;
    MoveFile => "move_file", Edit;
    WebFetch => "web_fetch", Web;
    WebSearch => "web_search", Web;
    Agent => "agent", Delegate;
    Skill => "skill", Delegate;
    TodoWrite => "todo_write", Bookkeeping;
    AskUserQuestion => "ask_user_question", Interaction;
    EnterPlanMode => "enter_plan_mode", Interaction;
    ExitPlanMode => "exit_plan_mode", Interaction;
    ToolSearch => "tool_search", Bookkeeping;
    TaskStop => "task_stop", Bookkeeping;
    StructuredOutput => "structured_output", Bookkeeping;
    CronList => "cron_list", Bookkeeping;
    SendMessage => "send_message", Outward;
    CronCreate => "cron_create", Outward;
    CronDelete => "cron_delete", Outward;
}

impl Tool {
    /// The MCP tool of a name of the form `mcp__server__tool` or `mcp__server`.
    #[must_use]
    pub fn from_mcp(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("mcp__")?;
        let (server, tool) = rest.split_once("__").unwrap_or((rest, ""));
        (!server.is_empty()).then(|| Self::Mcp {
            server: server.to_owned(),
            tool: tool.to_owned(),
        })
    }

    /// Whether the tool is on the safe list of section 5: it reads or keeps
    /// the agent's own books. Frozen by a test.
    #[must_use]
    pub const fn is_safe(&self) -> bool {
        matches!(self.family(), ToolFamily::Read | ToolFamily::Bookkeeping)
    }

    /// Whether the tool runs a shell command.
    #[must_use]
    pub const fn is_shell(&self) -> bool {
        matches!(self.family(), ToolFamily::Shell)
    }
}

impl From<Tool> for String {
    fn from(tool: Tool) -> Self {
        tool.to_string()
    }
}

impl From<String> for Tool {
    fn from(name: String) -> Self {
        Self::from_canonical(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The safe list is a promise: changing it is a change of the product.
    #[test]
    fn safe_tools_are_frozen() {
        let safe: Vec<String> = Tool::NAMED
            .iter()
            .filter(|tool| tool.is_safe())
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            safe,
            [
                "read_file",
                "read_many_files",
                "grep_search",
                "glob",
                "list_directory",
                "lsp",
                "todo_write",
                "tool_search",
                "task_stop",
                "structured_output",
                "cron_list",
            ]
        );
    }

    #[test]
    fn names_round_trip() {
        for tool in Tool::NAMED {
            assert_eq!(&Tool::from_canonical(&tool.to_string()), tool);
        }
        let mcp = Tool::from_canonical("mcp__files__read_file");
        assert_eq!(mcp.to_string(), "mcp__files__read_file");
        assert!(!mcp.is_safe());
        assert_eq!(
            Tool::from_canonical("Read_File"),
            Tool::Other("Read_File".into())
        );
        assert!(!Tool::from_canonical("mcp__").is_safe());
    }
}
