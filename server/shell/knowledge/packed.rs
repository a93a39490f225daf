// Writes tables of names and numbers as Rust in which nothing is an address.
// Part of the build script.

use std::fmt::Write as _;

/// `static NAME: [KIND; _]`. What does not fit into the kind is an error of the
/// Rust that is written.
pub(crate) fn numbers(name: &str, kind: &str, numbers: &[usize]) -> String {
    let count = numbers.len();
    format!("pub(super) static {name}: [{kind}; {count}] = {numbers:?};\n")
}

/// `const NAME: Texts`, each text as it comes.
pub(crate) fn texts<'t>(name: &str, texts: impl Iterator<Item = &'t str>) -> String {
    let mut all = String::new();
    let mut ends = Vec::new();
    for text in texts {
        all.push_str(text);
        ends.push(all.len());
    }
    let mut out = numbers(&format!("{name}_ENDS"), "u32", &ends);
    let _ = writeln!(
        out,
        "pub(super) const {name}: Texts = Texts::new({all:?}, &{name}_ENDS);"
    );
    out
}
