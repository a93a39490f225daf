//! What drawing promises, over real approvals and stories.

mod actions;
mod diagnostics;
mod documents;
mod models;
mod parameters;
mod rules;
mod secrets;
mod texts;
