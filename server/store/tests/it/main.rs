//! What the state promises, across processes and on hostile files.

#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod chain;
mod disk;
mod files;
mod grouped;
mod grouped_others;
mod grouped_trouble;
mod journal;
mod ledger;
mod migration;
mod port;
mod processes;
mod statistics;
mod support;
mod worker;
