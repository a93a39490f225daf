//! Paths: where they lie, what is protected, what holds credentials.

mod fact;

pub use fact::{FileKind, PathFact};
