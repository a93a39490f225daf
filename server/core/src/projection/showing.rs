//! The arguments of a call, tool by tool, as a classifier is shown them.

use serde_json::{Map, Value, json};

use super::bounded::{Bounder, Bounds};
use super::guarded::{self, Budget, ORDINARY_CHARS};
use super::other_fields::{PROSE, other_fields};
use super::shell_writes::shell_writes;
use super::{MOST_WITHHELD, McpForwarding, TooLong, cut_mark, grouped, tool_name};
use crate::call::{Access, Call, Change, Operation, PathUse, Subject};
use crate::facts::{Facts, OperationFacts};
use crate::paths::PathFact;
use crate::policy::Policy;
use crate::redact::{self, Shown};
use crate::tool::Tool;
use crate::transcript;

/// Longest command, in characters.
const COMMAND_CHARS: usize = 64 * 1024;

/// Longest instruction for a sub-agent or skill, in characters.
const PROMPT_CHARS: usize = 32_000;

/// Longest URL, in characters.
const URL_CHARS: usize = 16_000;

/// Longest query for a search engine, in characters.
const QUERY_CHARS: usize = 4_000;

/// Longest path or folder, in characters: what a kernel takes.
const PATH_CHARS: usize = 4_096;

/// Longest name of a sub-agent or skill, in characters.
const KIND_CHARS: usize = 1_000;

/// Most of a pattern that is shown, in characters.
const PATTERN_CHARS: usize = 1_000;

/// Most of any other parameter that is shown, in characters.
const FLAG_CHARS: usize = 64;

/// Most paths of one operation that only reads.
const MOST_READ: usize = 100;

/// Most operations, and files of one, of an earlier call.
const MOST_PAST: usize = 32;

/// Parameters that change what a command does.
const COMMAND_FLAGS: &[&str] = &[
    "run_in_background",
    "is_background",
    "isBackground",
    "timeout",
    "timeout_ms",
    "dangerouslyDisableSandbox",
    "sandbox_permissions",
    "with_escalated_permissions",
    "persistent",
    "tty",
];

/// Parameters that change what an edit does.
const EDIT_FLAGS: &[&str] = &[
    "replace_all",
    "edit_mode",
    "cell_id",
    "cell_number",
    "cell_type",
];

/// Parameters that say what is looked for.
const SEARCH_FLAGS: &[&str] = &["pattern", "glob", "include"];

/// Parameters that change what a sub-agent may do.
const DELEGATE_FLAGS: &[&str] = &["mode", "run_in_background", "isolation", "model"];

/// A call on its way to being shown.
pub(super) struct Showing<'a> {
    call: &'a Call,
    facts: &'a Facts,
    policy: &'a Policy,
    mcp: &'a McpForwarding,
    budget: Budget<'a>,
    past: bool,
    masked: usize,
    withheld: Vec<String>,
    hidden: Vec<String>,
}

impl<'a> Showing<'a> {
    pub(super) fn new(
        call: &'a Call,
        facts: &'a Facts,
        policy: &'a Policy,
        mcp: &'a McpForwarding,
    ) -> Self {
        Self {
            call,
            facts,
            policy,
            mcp,
            budget: Budget::new(call, facts),
            past: false,
            masked: 0,
            withheld: Vec::new(),
            hidden: Vec::new(),
        }
    }

    /// For an earlier call: nothing is too long, because everything may be cut.
    pub(super) const fn of_the_past(mut self) -> Self {
        self.past = true;
        self
    }

    /// What was not shown, within bounds.
    pub(super) fn withheld(&self) -> Vec<String> {
        let mut told: Vec<String> = self.withheld.iter().take(MOST_WITHHELD).cloned().collect();
        if let Some(more) = self.withheld.len().checked_sub(MOST_WITHHELD)
            && more > 0
        {
            told.push(format!("{} more parts", grouped(more)));
        }
        if let Some(masked) = told_masked(self.masked) {
            told.push(masked);
        }
        told
    }

    /// What was not shown of protected and outside writes.
    pub(super) fn hidden(&self) -> &[String] {
        &self.hidden
    }

    pub(super) fn arguments(&mut self) -> Result<Map<String, Value>, TooLong> {
        let facts = self.facts;
        if let [operation] = self.call.operations.as_slice() {
            return self.operation(operation, facts.operations.first());
        }
        let operations = &self.call.operations;
        let most = if self.past { MOST_PAST } else { usize::MAX };
        let mut shown = Vec::new();
        for (index, operation) in operations.iter().enumerate().take(most) {
            let mut fields = Map::new();
            let tool = tool_name(&operation.tool.to_string());
            fields.insert("tool".to_owned(), Value::String(tool));
            fields.extend(self.operation(operation, facts.operations.get(index))?);
            shown.push(Value::Object(fields));
        }
        if let Some(more) = operations.len().checked_sub(shown.len())
            && more > 0
        {
            self.withheld
                .push(format!("{} more operations", grouped(more)));
        }
        Ok(Map::from_iter([(
            "operations".to_owned(),
            Value::Array(shown),
        )]))
    }

    fn operation(
        &mut self,
        operation: &'a Operation,
        facts: Option<&'a OperationFacts>,
    ) -> Result<Map<String, Value>, TooLong> {
        let mut fields = Map::new();
        match &operation.subject {
            Subject::Command(command) => {
                let masked = self.masked;
                let text = self.whole("the command", &command.text, COMMAND_CHARS)?;
                self.shell_writes(&command.text, facts, self.masked - masked);
                fields.insert("command".to_owned(), text);
                let cwd = self.whole("the folder", self.call.cwd.as_str(), PATH_CHARS)?;
                fields.insert("cwd".to_owned(), cwd);
                self.flags(&mut fields, operation, COMMAND_FLAGS, FLAG_CHARS);
                self.withhold_prose(operation);
            }
            Subject::Paths(uses) => self.paths(&mut fields, operation, uses, facts)?,
            Subject::Urls(urls) => self.urls(&mut fields, operation, urls)?,
            Subject::Delegate { kind, prompt } => {
                if let Some(kind) = kind {
                    let kind = self.whole("the sub-agent's type", kind, KIND_CHARS)?;
                    fields.insert("type".to_owned(), kind);
                }
                let prompt = self.whole("the prompt", prompt, PROMPT_CHARS)?;
                fields.insert("prompt".to_owned(), prompt);
                self.flags(&mut fields, operation, DELEGATE_FLAGS, FLAG_CHARS);
            }
            Subject::Other => self.other(&mut fields, operation)?,
        }
        let others = other_fields(self.call, operation, &fields);
        if let Some(told) = others.filter(|told| !self.withheld.contains(told)) {
            self.withheld.push(told);
        }
        Ok(fields)
    }

    /// Says what a command would write to guarded places that it does not show.
    fn shell_writes(&mut self, text: &str, facts: Option<&OperationFacts>, masked: usize) {
        let view = facts.and_then(|facts| facts.command.as_ref());
        let writes = shell_writes(self.call, text, view, self.policy);
        self.withheld.extend_from_slice(&writes.hidden);
        self.hidden.extend(writes.hidden);
        if writes.shown
            && let Some(values) = told_masked(masked)
        {
            self.hidden.push(format!("{values} in the command"));
        }
    }

    fn other(
        &mut self,
        fields: &mut Map<String, Value>,
        operation: &Operation,
    ) -> Result<(), TooLong> {
        let input = &self.call.raw_input;
        match &operation.tool {
            Tool::WebSearch => {
                let query = operation.parameters.get("query");
                let query = query.map_or("", String::as_str);
                let query = self.whole("the query", query, QUERY_CHARS)?;
                fields.insert("query".to_owned(), query);
            }
            Tool::SendMessage | Tool::CronCreate | Tool::CronDelete => {
                let mut bounder = Bounder::new(Bounds::WHOLE);
                fields.extend(bounder.fields(input));
                self.masked += bounder.masked;
                if bounder.cuts > 0 && !self.past {
                    return Err(TooLong {
                        what: "the input",
                        length: super::bounded::weight("", input),
                        most: Bounds::WHOLE.total,
                    });
                }
            }
            Tool::Mcp { server, tool } if self.mcp.covers(server, tool) => {
                let mut bounder = Bounder::new(Bounds::MCP);
                fields.extend(bounder.fields(input));
                self.masked += bounder.masked;
                match bounder.cuts {
                    0 => {}
                    1 => self
                        .withheld
                        .push("a part of the arguments, where it is marked".to_owned()),
                    cuts => self.withheld.push(format!(
                        "{} parts of the arguments, where they are marked",
                        grouped(cuts)
                    )),
                }
            }
            _ => {
                let empty = match input {
                    Value::Null => true,
                    Value::Object(fields) => fields.is_empty(),
                    _ => false,
                };
                if !empty {
                    self.withheld.push("the arguments".to_owned());
                }
            }
        }
        Ok(())
    }

    fn urls(
        &mut self,
        fields: &mut Map<String, Value>,
        operation: &Operation,
        urls: &[String],
    ) -> Result<(), TooLong> {
        let mut left = URL_CHARS;
        let mut shown = Vec::new();
        for url in urls {
            let text = self.whole("the URL", url, left)?;
            left = left.saturating_sub(url.chars().count().max(1));
            shown.push(text);
            if self.past && left == 0 {
                break;
            }
        }
        match shown.len() {
            0 => self.withheld.push("the URL, which is not known".to_owned()),
            1 => {
                fields.extend(shown.pop().map(|url| ("url".to_owned(), url)));
            }
            _ => {
                fields.insert("urls".to_owned(), Value::Array(shown));
            }
        }
        if let Some(prompt) = operation.parameters.get("prompt") {
            self.withheld.push(format!(
                "the prompt of {} characters that goes with the URL",
                grouped(prompt.chars().count())
            ));
        }
        Ok(())
    }

    fn paths(
        &mut self,
        fields: &mut Map<String, Value>,
        operation: &'a Operation,
        uses: &'a [PathUse],
        facts: Option<&'a OperationFacts>,
    ) -> Result<(), TooLong> {
        let is_guarded = guarded::is_guarded(operation, facts, self.policy);
        let writes = uses.iter().any(|used| used.access.writes());
        let most = match (self.past, writes) {
            (true, _) => MOST_PAST,
            (false, true) => usize::MAX,
            (false, false) => MOST_READ,
        };
        let mut files = Vec::new();
        for (index, used) in uses.iter().enumerate().take(most) {
            let fact = guarded::fact(uses, facts, index);
            let mut file = self.file(operation, used, fact, is_guarded)?;
            if uses.len() > 1 {
                file.insert("access".to_owned(), access(used.access).into());
            }
            files.push(file);
        }
        if let Some(more) = uses.len().checked_sub(files.len())
            && more > 0
        {
            self.withheld.push(format!("{} more paths", grouped(more)));
        }
        if uses.len() == 1 {
            fields.extend(files.pop().unwrap_or_default());
        } else {
            let files = files.into_iter().map(Value::Object).collect();
            fields.insert("files".to_owned(), Value::Array(files));
        }
        if writes {
            self.flags(fields, operation, EDIT_FLAGS, FLAG_CHARS);
            self.withhold_prose(operation);
        } else {
            self.flags(fields, operation, SEARCH_FLAGS, PATTERN_CHARS);
        }
        Ok(())
    }

    /// One path with what would be written there.
    fn file(
        &mut self,
        operation: &Operation,
        used: &'a PathUse,
        fact: Option<&'a PathFact>,
        is_guarded: bool,
    ) -> Result<Map<String, Value>, TooLong> {
        let masked = self.masked;
        let withheld = self.withheld.len();
        let mut file = Map::new();
        let path = self.whole("the path", &used.path, PATH_CHARS)?;
        file.insert("path".to_owned(), path);
        if let Some(fact) = fact.filter(|fact| fact.canonical != fact.absolute) {
            let target = self.whole("the path", fact.canonical.as_str(), PATH_CHARS)?;
            file.insert("leads_to".to_owned(), target);
        }
        let name = file_name(&used.path);
        match &used.change {
            Some(change) => {
                let lengths = (change.old.chars().count(), change.new.chars().count());
                let shown = if is_guarded {
                    self.budget.take(used, fact, lengths.0, lengths.1)
                } else {
                    (ORDINARY_CHARS, ORDINARY_CHARS)
                };
                self.change(&mut file, operation, change, shown, &name);
            }
            None if used.access == Access::Write => {
                self.withheld
                    .push(format!("what would be written to {name}"));
            }
            None => {}
        }
        // A move brings the content of a file, of which the change is a part.
        if operation.tool == Tool::MoveFile && used.access == Access::Write && is_guarded {
            self.withheld
                .push(format!("the content of the file that becomes {name}"));
        }
        if is_guarded && used.access.writes() {
            let untold = self.withheld.get(withheld..).unwrap_or_default();
            self.hidden.extend_from_slice(untold);
            if let Some(values) = told_masked(self.masked - masked) {
                self.hidden.push(format!("{values} in {name}"));
            }
        }
        Ok(file)
    }

    fn change(
        &mut self,
        file: &mut Map<String, Value>,
        operation: &Operation,
        change: &Change,
        (old, new): (usize, usize),
        name: &str,
    ) {
        let is_whole_file = operation.tool == Tool::WriteFile && change.old.is_empty();
        let parts: &[(&str, &str, &str, usize)] = if is_whole_file {
            file.insert("size_in_bytes".to_owned(), json!(change.new.len()));
            &[("text", "the text", &change.new, new)]
        } else {
            &[
                ("old", "the old text", &change.old, old),
                ("new", "the new text", &change.new, new),
            ]
        };
        for (field, what, text, most) in parts {
            let shown = redact::content(text, *most);
            self.masked += shown.masked;
            if shown.missing > 0 {
                self.withheld.push(format!(
                    "{} of {} characters of {what} of {name}",
                    grouped(shown.missing),
                    grouped(shown.length)
                ));
            }
            file.insert(format!("{field}_characters"), json!(shown.length));
            file.insert((*field).to_owned(), Value::String(shown.text));
        }
    }

    /// A text that a classifier must see whole.
    fn whole(&mut self, what: &'static str, text: &str, most: usize) -> Result<Value, TooLong> {
        if self.past {
            // Shortened with the whole call, so that its end stays too.
            let shown = redact::code(text, usize::MAX);
            self.masked += shown.masked;
            return Ok(Value::String(transcript::cut(&shown.text, most)));
        }
        // Before it is masked: a long text costs no more than counting it.
        let length = text.chars().count();
        if length > most {
            return Err(TooLong { what, length, most });
        }
        let shown = redact::code(text, most);
        self.masked += shown.masked;
        Ok(Value::String(shown.text))
    }

    /// A text of which the end may be missing.
    fn cut(&mut self, shown: Shown, what: &str) -> String {
        self.masked += shown.masked;
        let mut text = shown.text;
        if shown.missing > 0 {
            let missing = grouped(shown.missing);
            self.withheld.push(format!(
                "{missing} of {} characters of {what}",
                grouped(shown.length)
            ));
            text.push_str(&cut_mark(missing, "characters"));
        }
        text
    }

    fn flags(
        &mut self,
        fields: &mut Map<String, Value>,
        operation: &Operation,
        names: &[&str],
        most: usize,
    ) {
        for name in names {
            if let Some(value) = operation.parameters.get(*name) {
                let shown = redact::code(value, most);
                let text = self.cut(shown, &format!("`{name}`"));
                fields.insert((*name).to_owned(), Value::String(text));
            }
        }
    }

    fn withhold_prose(&mut self, operation: &Operation) {
        let is_told = PROSE
            .iter()
            .any(|name| operation.parameters.contains_key(*name));
        if is_told {
            self.withheld
                .push("the agent's own words about the call".to_owned());
        }
    }
}

fn told_masked(values: usize) -> Option<String> {
    match values {
        0 => None,
        1 => Some("1 value that looks like a secret".to_owned()),
        more => Some(format!("{} values that look like secrets", grouped(more))),
    }
}

const fn access(access: Access) -> &'static str {
    match access {
        Access::Read => "read",
        Access::ReadTree => "read everything below",
        Access::List => "list",
        Access::Write => "write",
        Access::Delete => "delete",
    }
}

/// A path for people, on one short line.
fn file_name(path: &str) -> String {
    const MOST: usize = 120;
    let shown = redact::code(path, PATH_CHARS);
    let path = redact::visible(&shown.text);
    let length = path.chars().count();
    let Some(skipped) = length.checked_sub(MOST).filter(|skipped| *skipped > 0) else {
        return path;
    };
    // The end says more about a file than the beginning.
    let end: String = path.chars().skip(skipped).collect();
    format!("…{end}")
}
