//! Limits that whoever started the hook may have set. Below some of them a
//! program reads nothing, or ends before its first line: agents run the tool
//! after either.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The descriptors that deciding gets, a multiple of what it needs. With too few
/// of them rules that deny could not be read, and nobody would know of them.
const DESCRIPTORS: u64 = 64;

/// What another program gets to begin with, in bytes: it and its libraries are
/// mapped before it can answer anything.
const BEGINNING: [(Resource, &str, u64); 3] = [
    (Resource::As, "address space", 512 * 1024 * 1024),
    (Resource::Data, "data", 64 * 1024 * 1024),
    (Resource::Stack, "stack", 256 * 1024),
];

/// Makes sure of the descriptors that deciding needs.
///
/// # Errors
/// When there are fewer: nothing may be decided.
pub(crate) fn for_deciding() -> io::Result<()> {
    at_least(Resource::Nofile, "descriptors", DESCRIPTORS)
}

/// Makes sure of what another program needs until it answers for itself.
///
/// # Errors
/// When there is less: it must not begin.
pub(crate) fn for_another_program() -> io::Result<()> {
    for_deciding()?;
    BEGINNING
        .into_iter()
        .try_for_each(|(resource, name, least)| at_least(resource, name, least))
}

/// Raises a limit of this process that is lower, as far as it may.
fn at_least(resource: Resource, name: &str, least: u64) -> io::Result<()> {
    let limit = getrlimit(resource);
    if limit.current.is_none_or(|current| current >= least) {
        return Ok(());
    }
    if let Some(most) = limit.maximum.filter(|most| *most < least) {
        return Err(io::Error::other(format!(
            "the limit of its {name} is {most}, and {least} are needed; see `ulimit -aH` where the \
             agent is started"
        )));
    }
    let raised = Rlimit {
        current: Some(least),
        ..limit
    };
    Ok(setrlimit(resource, raised)?)
}
