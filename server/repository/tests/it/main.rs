//! What the reader of repositories promises, against what git says, and against
//! what an agent may write below `.git`.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod against_git;
mod cache;
mod discovery;
mod disk;
mod hostile;
mod hostile_refs;
mod ignored;
mod support;
