//! What our own programs are called.

/// Everything: the server, the command line, and what decides a hook's call.
pub const PROGRAM: &str = "countersign";

/// The small program beside it, which agents start sooner: it asks a server,
/// and becomes the other where none decides.
pub const HOOK_PROGRAM: &str = "countersign-hook";
