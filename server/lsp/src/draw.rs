//! From what there is to draw to what an editor shows. Pure: the same
//! [`crate::snapshot::Snapshot`], capabilities and files give the same
//! documents, diagnostics, actions and texts. No nonce is in any of them.

pub(crate) mod actions;
mod call_text;
mod calls;
pub(crate) mod change;
pub(crate) mod diagnostics;
pub(crate) mod explain;
mod files;
pub(crate) mod hover;
pub(crate) mod lens;
pub(crate) mod markdown;
pub(crate) mod marks;
mod model_text;
mod place;
pub(crate) mod prompt_text;
mod rule_stats;
pub(crate) mod session_document;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod times;
pub(crate) mod uri;
