//! What the language server promises to editors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod editor;
mod protocol;
mod transport;
