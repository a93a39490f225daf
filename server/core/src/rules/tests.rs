//! What rules promise, at the boundary of [`super::RuleSet`].

mod allow;
mod broad;
mod commands;
mod errors;
mod files;
mod others;
mod properties;
