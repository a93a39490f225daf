//! The pipeline, and the only code that changes state.

pub mod host;
