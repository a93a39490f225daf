//! Python that stands in a command: what it would do with files, if all that it
//! uses is known, and otherwise why nothing is known of it.
//!
//! Every value that a program may hand around is harmless to call: what opens,
//! deletes or lists is only ever called where it stands, and judged there. So a
//! call of something unknown does nothing that does not stand elsewhere in the
//! program. Total: any text gives an answer, in bounded time and stack.

mod bounds;
mod names;
mod paths;
mod tables;
mod uses;
mod values;
mod walk;

pub(crate) use self::tables::stands_in;

use countersign_core::effect::Touch;

/// Something that a program does with files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Act {
    /// What.
    pub(crate) touch: Touch,
    /// With which.
    pub(crate) at: At,
}

/// Files that a program works with. A leading `~` is a home folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum At {
    /// This one.
    Path(String),
    /// What matches.
    Glob(String),
    /// Anything at and below it; links in it, too.
    Below(String),
}

/// Which Python reads the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Whether it is certainly no Python 2.
    pub(crate) is_three: bool,
    /// Whether a comment may name an encoding: not where it is an argument.
    pub(crate) may_name_encoding: bool,
}

/// What a program does with files; an error says why that is not known, in
/// lower case without a full stop.
pub(crate) fn acts(source: &str, dialect: Dialect) -> Result<Vec<Act>, String> {
    bounds::check(source, dialect)?;
    let parsed = ruff_python_parser::parse_module(source)
        .map_err(|_| "it is no Python that is understood".to_owned())?;
    if !parsed.unsupported_syntax_errors().is_empty() {
        return Err("it is no Python that is understood".to_owned());
    }
    let program = names::Program::of(parsed.suite(), dialect)?;
    walk::acts(&program)
}
