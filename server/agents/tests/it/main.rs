//! What the product promises about agents' payloads and answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod acp;
mod answers;
mod borrowed;
mod captures;
mod digests;
mod documents;
mod endpoints;
mod errors;
mod examples;
mod generic;
mod opencode_plugin;
mod properties;
mod tables;
mod transcript_properties;
mod transcripts;
