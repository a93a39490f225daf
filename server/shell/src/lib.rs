//! Shell commands as the rules see them: parsed, resolved and looked through,
//! as far as that is certain, and with a problem wherever it is not.
//!
//! Pure and total: no input makes it fail, hang or use more than a bounded
//! stack. Nothing is executed, and nothing is resolved from the environment or
//! from files.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)
)]
#![warn(clippy::indexing_slicing, clippy::string_slice)]

mod built_in;
mod catastrophe;
mod contain;
mod effects;
mod expand;
mod findings;
mod knowledge;
mod launch;
mod lex;
mod parse;
mod python;
mod source;
mod state;
mod walk;

pub use catastrophe::{Catastrophe, Stakes, catastrophe};
pub use contain::{
    Changed, Containment, Place, Project, Repository, Scope, ScriptContent, Tree, World, contain,
};
pub use effects::effects;

use countersign_core::call::{CommandText, ShellDialect};
use countersign_core::command::{CommandView, Origin, Problem, Stdin};

/// Every simple command in a command text, however deep, and what of the text
/// is not understood.
///
/// Spans are bytes of the text; a command out of a text inside a word
/// (`bash -c '…'`, backquotes) has the span of that word.
///
/// What refuses the whole text (unclosed quotes and parentheses, limits,
/// control characters, what does not parse) leaves a problem and no commands.
/// An unquoted leading `~` stays in literal words and folders; a word with a
/// quoted one is a [`Glob`](countersign_core::command::WordValue::Glob) whose
/// `~` is escaped, so that the two are never taken for one another.
#[must_use]
pub fn view(command: &CommandText) -> CommandView {
    if command.dialect == ShellDialect::PowerShell {
        return CommandView {
            commands: Vec::new(),
            problems: vec![Problem {
                reason: "PowerShell is not analysed".to_owned(),
                span: Some(0..command.text.len()),
            }],
        };
    }
    walked(command, state::State::new())
}

/// The same of the content of a script, which does not know what it is given.
pub(crate) fn script_view(command: &CommandText) -> CommandView {
    let mut state = state::State::new();
    for name in [
        "@", "*", "#", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
    ] {
        state.set(name, state::Value::Unknown);
    }
    walked(command, state)
}

fn walked(command: &CommandText, mut state: state::State) -> CommandView {
    let mut walker = walk::Walker::new(command.dialect);
    let context = walk::Context {
        origin: Origin::Direct,
        stdin: Stdin::Inherited,
        input: None,
        has_own_input: false,
        found: None,
        redirects: Vec::new(),
        depth: 0,
    };
    let source = source::Source::outermost(&command.text);
    walker.text(&source, &mut state, &context);
    walker.view()
}
