//! What the view of a command promises.
//!
//! Commands in these files are data: none is ever run. The only shell that the
//! tests start is bash, with scripts of quoted words and `printf`, or with
//! `-n`, which reads and does not run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

mod against_bash;
mod bypasses;
mod catastrophes;
mod containment;
mod effects;
mod grammar;
mod hostile;
mod knowledge;
mod launchers;
mod metamorphic;
mod provenance;
mod python;
mod scripts;
mod shell_state;
mod support;
mod words;
mod workspace;
