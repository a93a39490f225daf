//! What a check found, and what to change: told to people and programs.

use std::io::{self, Write};

use countersign_core::redact;
use serde::Serialize;

use crate::output::{ALLOW, ASK, BLOCK, BOLD, DIM, styled};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// As it should be.
    Ok,
    /// Not looked at, and why.
    Skipped,
    /// It works, and could be better.
    Warning,
    /// It does not work.
    Broken,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// What was looked at.
    pub(super) check: &'static str,
    pub(super) status: Status,
    /// What was found.
    pub(super) detail: String,
    /// What to change, and where; none where nothing needs to be.
    pub(super) change: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self::new(check, Status::Ok, detail, None)
    }

    pub(super) fn skipped(check: &'static str, detail: impl Into<String>) -> Self {
        Self::new(check, Status::Skipped, detail, None)
    }

    pub(super) fn warning(
        check: &'static str,
        detail: impl Into<String>,
        change: impl Into<String>,
    ) -> Self {
        Self::new(check, Status::Warning, detail, Some(change.into()))
    }

    pub(super) fn broken(
        check: &'static str,
        detail: impl Into<String>,
        change: impl Into<String>,
    ) -> Self {
        Self::new(check, Status::Broken, detail, Some(change.into()))
    }

    fn new(
        check: &'static str,
        status: Status,
        detail: impl Into<String>,
        change: Option<String>,
    ) -> Self {
        Self {
            check,
            status,
            // What endpoints and files say of themselves is not obeyed.
            detail: redact::visible(&detail.into()),
            change: change
                .map(|change| redact::visible(&change))
                .filter(|change| !change.is_empty()),
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.status == Status::Broken
    }

    /// Writes it for people.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let (mark, style) = match self.status {
            Status::Ok => ("✓", ALLOW),
            Status::Skipped => ("–", DIM),
            Status::Warning => ("!", ASK),
            Status::Broken => ("✗", BLOCK),
        };
        let name = styled(BOLD, &format!("{:<12}", self.check));
        writeln!(out, "{} {name} {}", styled(style, mark), self.detail)?;
        if let Some(change) = &self.change {
            writeln!(out, "{:15}{} {change}", "", styled(DIM, "→"))?;
        }
        Ok(())
    }
}
