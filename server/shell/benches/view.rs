//! How long the view of a command takes.

#![allow(missing_docs)]

use std::hint::black_box;

use countersign_core::call::{CommandText, ShellDialect};
use criterion::{Criterion, criterion_group, criterion_main};

const SAMPLES: &[(&str, &str)] = &[
    ("one word", "ls"),
    (
        "options and paths",
        "grep -rn --include='*.rs' 'fn main' src tests",
    ),
    (
        "pipeline",
        "cargo test --workspace 2>&1 | grep -E '^(test|error)' | tail -n 40",
    ),
    (
        "list",
        "cd server/core && cargo fmt --check && cargo clippy -- -D warnings; echo \"done: $?\"",
    ),
    (
        "commit message",
        "git add -A && git commit -m \"$(cat <<'EOF'\nKeep what an approval is bound to\n\nA digest \
         of words, places and contents.\nEOF\n)\"",
    ),
    (
        "loop",
        "for f in $(git ls-files '*.rs'); do if [[ -f $f ]]; then wc -l \"$f\" >> counts.txt; fi; done",
    ),
    (
        "wrappers",
        "timeout 60 env RUST_LOG=debug nice -n 5 bash -c 'make -j4 && ./run --check \"$1\"' x y",
    ),
    (
        "file by here-document",
        "cat > notes.md <<'EOF'\n# Notes\n\n- one (of many)\n- `two`\n- $three\nEOF\nls -la notes.md",
    ),
];

fn view(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("view");
    let mut samples: Vec<(String, String)> = SAMPLES
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    samples.push(("199 commands".to_owned(), "echo \"$x\" 'y';".repeat(199)));
    samples.push((
        "64 KiB of words".to_owned(),
        "abcdefghijklmno ".repeat(3_990),
    ));
    for (name, text) in samples {
        let command = CommandText {
            text,
            dialect: ShellDialect::Bash,
        };
        group.bench_function(name, |bencher| {
            bencher.iter(|| countersign_shell::view(black_box(&command)));
        });
    }
    group.finish();
}

criterion_group!(benches, view);
criterion_main!(benches);
