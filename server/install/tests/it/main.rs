//! The promises of `install`, `uninstall` and `status`, over texts and over
//! files in folders of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod disk;
mod foreign;
mod golden;
mod look;
mod program;
mod properties;
mod removal;
mod support;
mod user;
