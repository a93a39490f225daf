//! What the classifier promises, against a model server whose every byte is
//! scripted.

#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod answers;
mod attempts;
mod cancelling;
mod deadlines;
mod faults;
mod limits;
mod probing;
mod proxies;
mod records;
mod secrecy;
mod sharing;
mod stages;
mod tls;
mod world;
