//! Systems without a process file system: every chain is unknown, and callers
//! take unknown for the worse case.

use countersign_core::state::ProcessId;

use crate::process::{Chain, ChainEnd, Process, Unavailable};

/// There is none here; the type has no value.
#[derive(Debug)]
pub(crate) enum ProcessTable {}

impl ProcessTable {
    pub(crate) const fn system() -> Result<&'static Self, Unavailable> {
        Err(Unavailable::Unsupported)
    }

    pub(crate) const fn boot(&self) -> &str {
        match *self {}
    }

    pub(crate) const fn alive(&self, _: &ProcessId) -> bool {
        match *self {}
    }

    pub(crate) const fn identity(&self, _: u32) -> Option<ProcessId> {
        match *self {}
    }

    pub(crate) const fn descends_from(&self, _: u32, _: &ProcessId) -> bool {
        match *self {}
    }

    pub(crate) const fn process(&self, _: u32) -> Option<Process> {
        match *self {}
    }

    pub(crate) const fn children(&self, _: u32) -> Vec<u32> {
        match *self {}
    }

    pub(crate) const fn ancestors(&self, _: u32) -> Chain {
        match *self {}
    }

    pub(crate) fn ancestors_until(&self, _: u32, _: impl Fn(&Process) -> bool) -> Chain {
        match *self {}
    }
}
