//! Reads git repositories without running git, for the question whether a file
//! is what a person committed.
//!
//! The agent that is guarded can write everything below `.git`. So nothing that
//! lies there is believed: every object that is read must hash to its name,
//! files are opened without following links, sizes and counts are bounded,
//! nothing is mapped into memory, replace refs, grafts, the index and its flags
//! are never looked at, and what is not known is an error.

#![warn(clippy::indexing_slicing, clippy::string_slice)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)
)]

mod cache;
mod config;
mod discover;
mod error;
mod file_hash;
mod files;
mod format;
mod head;
mod id;
mod ignored;
mod loose;
mod object;
mod pack;
mod regenerable;
mod repository;
mod stamp;
mod tree;
mod tree_data;

pub use cache::Repositories;
pub use config::{Setting, parse as parse_config};
pub use discover::Layout;
pub use error::RepositoryError;
pub use file_hash::FileHashes;
pub use id::{BlobId, CommitId, ObjectId};
pub use regenerable::is_regenerable;
pub use repository::Repository;
pub use tree::{Entry, Tree};
pub use tree_data::Mode;
