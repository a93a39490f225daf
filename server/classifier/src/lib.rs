//! Asks a model about the calls that nothing else decides: two stages, three
//! interfaces, and no answer is never an allow.
