//! The guard over many calls: what one call at a time does not know.
