//! What is wrong with foreign JSON, said without repeating any of it: the words
//! may be shown to a person, and the text is a stranger's.

use serde_json::error::Category;

/// A short reason with the place.
pub(crate) fn problem(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Syntax => "no JSON",
        Category::Data => "JSON of another shape than expected",
        Category::Eof => "JSON that ends too early",
        Category::Io => "unreadable",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}
