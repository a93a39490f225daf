//! The language server: the guard's state as an editor sees it.
