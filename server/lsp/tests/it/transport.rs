//! Serving survives what editors do. The letters in the comments are those of
//! the measurements in the field notes, where upstream's own loop (tower-lsp
//! 0.20.0) fails as the comment says. I (a handler that blocks its thread holds up
//! everything) holds here too: such work belongs into `spawn_blocking`.

mod calls;
mod dummy;
mod framing;
mod hostile;
mod life;
mod prompts;
