//! What drawing promises, over real approvals and stories.

mod actions;
mod diagnostics;
mod documents;
mod parameters;
mod rules;
mod secrets;
mod texts;
