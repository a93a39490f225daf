//! Masking of what looks like a secret, and bounds on what is kept.
