//! One session as a document to read: what waits for a person, complete, and
//! the story of its calls.

use countersign_core::call::SessionKey;
use countersign_core::decision::Decision;
use countersign_core::denials::{Counters, DenialLimits};
use countersign_core::{message, redact};
use countersign_service::{CallStory, PendingApproval, SessionView};
use tower_lsp::lsp_types::{Position, Range};

pub(crate) use crate::draw::call_text::text_of;

use crate::draw::markdown::{block, code};
use crate::draw::{call_text, model_text, place, times};
use crate::snapshot::Snapshot;

/// The document of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    /// Markdown.
    pub(crate) text: String,
    /// Where each call stands, from above.
    pub(crate) anchors: Vec<Anchor>,
    /// Where the counters stand.
    pub(crate) counters: Range,
}

/// Where a call stands in the document of its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Anchor {
    /// The guard's id of the call.
    pub(crate) id: String,
    /// Its heading: where diagnostics and lenses are drawn.
    pub(crate) heading: Range,
    /// All that is said of it: where actions are offered.
    pub(crate) section: Range,
}

impl Document {
    /// Where a call stands first: as waiting before as part of the story.
    pub(crate) fn anchor(&self, id: &str) -> Option<&Anchor> {
        self.anchors.iter().find(|anchor| anchor.id == id)
    }
}

/// Draws a session; one that is not known has an empty document that says so.
pub(crate) fn render(snapshot: &Snapshot, key: &SessionKey) -> Document {
    let key = key.root();
    let session = snapshot.sessions.iter().find(|one| one.key == key);
    let mut page = Page::default();
    page.line(&format!(
        "# Countersign: {} session {}",
        key.agent,
        code(&key.session)
    ));
    page.line("");
    let counters = match session {
        Some(session) => header(&mut page, session),
        None => {
            page.line("This session is not known (any more) to this server.");
            place::BEGINNING
        }
    };
    let pending: Vec<_> = snapshot
        .pending
        .iter()
        .filter(|pending| pending.key.root() == key)
        .collect();
    if !pending.is_empty() {
        page.line("");
        page.line(&format!("## Waiting for you: {}", pending.len()));
    }
    for (number, approval) in pending.iter().enumerate() {
        let start = page.begin(&format!(
            "### {}. {} ({})",
            number + 1,
            heading_tool(&approval.tool.to_string()),
            approval.reason
        ));
        for line in waiting(approval, session) {
            page.line(&line);
        }
        page.end(&approval.id, start);
    }
    page.line("");
    page.line("## Story");
    let story = snapshot.stories.get(&key).map_or(&[][..], Vec::as_slice);
    if story.is_empty() {
        page.line("");
        page.line("No calls yet.");
    }
    for call in story.iter().rev() {
        let start = page.begin(&story_heading(call));
        for line in told(call) {
            page.line(&line);
        }
        page.end(&call.id, start);
    }
    Document {
        text: page.text,
        anchors: page.anchors,
        counters,
    }
}

/// What is known of the session; where its counters are.
fn header(page: &mut Page, session: &SessionView) -> Range {
    if let Some(workspace) = &session.workspace {
        page.line(&format!("- Workspace: {}", code(workspace.as_str())));
    }
    page.line(&format!("- Mode: {}", session.mode));
    let counters = page.line(&format!(
        "- Denials: {}",
        against_limits(session.counters, session.limits)
    ));
    if let Some(armed) = session.counters.armed(session.limits) {
        page.line(&format!(
            "- **The next call that nothing else decides asks you** ({armed})"
        ));
    }
    if session.paused {
        page.line("- Asking is paused, after three rejections or timeouts in a row, until you act");
    }
    if !session.set_aside.is_empty() {
        page.line("- Set aside in auto mode, because they could allow nearly anything:");
        for rule in &session.set_aside {
            page.line(&format!("  - {}", code(rule)));
        }
    }
    if session.elsewhere {
        page.line("- Another process decides its calls; here it is only shown");
    }
    page.line(&format!(
        "- First seen {}, last seen {}{}",
        times::shown(session.started),
        times::shown(session.seen),
        if session.ended { "; it ended" } else { "" }
    ));
    counters
}

/// The counters against their caps, in words.
pub(super) fn against_limits(counters: Counters, limits: DenialLimits) -> String {
    format!(
        "{} of {} blocks in a row, {} of {} missing answers in a row, {} of {} in the session",
        counters.consecutive_block,
        limits.consecutive_block,
        counters.consecutive_unavailable,
        limits.consecutive_unavailable,
        counters.total(),
        limits.total
    )
}

/// All that a person must know to answer.
fn waiting(approval: &PendingApproval, session: Option<&SessionView>) -> Vec<String> {
    let mut lines = vec![String::new()];
    if let Some(sub_agent) = &approval.key.subagent {
        lines.push(format!("The sub-agent {} wants this.", code(sub_agent)));
        lines.push(String::new());
    }
    lines.push(format!(
        "Asked because {}: {}",
        message::why(approval.reason),
        code(&approval.detail)
    ));
    lines.push(String::new());
    lines.push(block(
        language(approval),
        &call_text::as_it_is(&approval.call),
    ));
    lines.push(format!("- In {}", code(approval.call.cwd.as_str())));
    lines.push(format!("- Mode: {}", approval.mode));
    for part in &approval.parts {
        let mark = if part.fine { '✓' } else { '?' };
        lines.push(format!(
            "- {mark} {}: {}",
            code(&part.text),
            code(&part.why)
        ));
    }
    for effect in &approval.effects {
        lines.push(format!("- Effect: {}", code(effect)));
    }
    lines.extend(model_text::lines(approval.model.as_ref()));
    for rule in &approval.suggestions {
        lines.push(format!("- May be remembered: {}", code(rule)));
    }
    if approval.asked_before > 0 {
        lines.push(format!(
            "- Asked {} before",
            times_over(approval.asked_before)
        ));
    }
    let is_news = session.is_none_or(|session| {
        session.counters != approval.counters || session.limits != approval.limits
    });
    if is_news && approval.counters != Counters::default() {
        lines.push(format!(
            "- Denials that count for it: {}",
            against_limits(approval.counters, approval.limits)
        ));
    }
    lines.push(format!(
        "- Asked {}; without an answer it is denied at {}",
        times::shown(approval.asked_at),
        times::shown(approval.deadline)
    ));
    lines.push(format!("- Id: {}", code(&approval.id)));
    lines
}

/// `once`, `3 times`.
pub(super) fn times_over(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

/// How an editor colours the text of a call.
pub(super) fn language(approval: &PendingApproval) -> &'static str {
    let of_shell = approval.tool.is_shell();
    if of_shell {
        "sh"
    } else if super::calls::changes(&approval.call).next().is_some() {
        "diff"
    } else {
        "text"
    }
}

/// A tool in a heading: one of ours as it is, another's name as code.
fn heading_tool(tool: &str) -> String {
    let is_plain = tool
        .chars()
        .all(|c| c.is_ascii_lowercase() || c == '_' && !tool.contains("__"));
    if is_plain {
        tool.to_owned()
    } else {
        code(tool)
    }
}

fn story_heading(call: &CallStory) -> String {
    format!(
        "### {}: {} {} ({})",
        times::shown(call.time),
        heading_tool(&call.tool),
        in_past(&call.decision),
        call.decision.reason()
    )
}

/// What became of a call, in a word.
pub(super) const fn in_past(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allow { .. } => "allowed",
        Decision::Denied { .. } | Decision::Block { .. } => "blocked",
        Decision::Ask { .. } => "asked",
    }
}

/// What the story says of a call. Its subject is masked already.
fn told(call: &CallStory) -> Vec<String> {
    let mut lines = vec![String::new(), block("text", &call.subject)];
    if let Some(sub_agent) = &call.key.subagent {
        lines.push(format!("- Sub-agent {}", code(sub_agent)));
    }
    let detail = call.decision.detail();
    if !detail.is_empty() {
        lines.push(format!("- {}", code(&redact::mask(detail))));
    }
    lines.extend(model_text::lines(call.model.as_ref()));
    if let Some(asked) = call.asked {
        lines.push(format!("- You were asked because {}", message::why(asked)));
    }
    if let Some(answer) = call.answer {
        lines.push(format!("- Answer: {answer}"));
    }
    if call.elsewhere {
        lines.push("- Decided by another process".to_owned());
    }
    lines.push(format!("- Id: {}", code(&call.id)));
    lines
}

/// A text that grows, and knows its lines.
#[derive(Default)]
struct Page {
    text: String,
    lines: u32,
    anchors: Vec<Anchor>,
}

impl Page {
    /// Adds a line, or several at once; where the first one is.
    fn line(&mut self, line: &str) -> Range {
        let start = Position::new(self.lines, 0);
        let first = line.lines().next().unwrap_or_default();
        let end = Position::new(self.lines, place::width(first));
        self.text.push_str(line);
        if !line.ends_with('\n') {
            self.text.push('\n');
        }
        let added = line
            .strip_suffix('\n')
            .unwrap_or(line)
            .matches('\n')
            .count();
        let added = u32::try_from(added).unwrap_or(u32::MAX).saturating_add(1);
        self.lines = self.lines.saturating_add(added);
        Range::new(start, end)
    }

    /// Begins what is said of a call; where its heading is.
    fn begin(&mut self, heading: &str) -> Range {
        self.line("");
        self.line(heading)
    }

    /// Ends what is said of a call.
    fn end(&mut self, id: &str, heading: Range) {
        let last = self.lines.saturating_sub(1);
        self.anchors.push(Anchor {
            id: id.to_owned(),
            heading,
            section: Range::new(heading.start, Position::new(last, 0)),
        });
    }
}
