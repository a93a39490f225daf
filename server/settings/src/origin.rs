//! tmp shim
use camino::Utf8PathBuf;
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleOrigin {
    pub scope: Scope,
    pub file: Option<Utf8PathBuf>,
    pub line: Option<u32>,
    pub root: Utf8PathBuf,
    pub reading: Reading,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    System,
    User,
    EditorUser,
    Workspace,
    EditorWorkspace,
    Session,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reading {
    Countersign,
    Claude,
    Qwen,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleList {
    Deny,
    Ask,
    Allow,
}
